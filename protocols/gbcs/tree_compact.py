"""Compact arrays of DLMS: the description of the type once, then the elements without their tags.

The elements are shown beside the octets they stand in, as data nodes with offsets. A description may promise any number
of elements of no length at all, so what is shown is limited by the octets there are.
"""

from collections.abc import Iterator
from typing import NamedTuple

from protocols.errors import DecodeError
from protocols.gbcs import tree_dlms_types as types
from protocols.gbcs.json_fields import Json, hexadecimal
from protocols.gbcs.tree_octets import read_length
from protocols.octets import Reader

_MOST_NODES = 64  # beyond four an octet


class Description(NamedTuple):
    """A type: `repeated` elements of `parts[0]` for an array, one of each part for a structure, else no parts."""

    kind: str
    repeated: int = 0
    parts: tuple["Description", ...] = ()

    def types_inside(self) -> Iterator["Description"]:
        """Yield the types of the elements in order."""
        if self.kind == types.ARRAY:
            for _ in range(self.repeated):
                yield self.parts[0]
        else:
            yield from self.parts


def read_description(reader: Reader, depth: int) -> Description:
    """Read the type description of a compact array; DecodeError for one that is malformed or too deep."""
    start = reader.offset
    kind = types.NAMES.get(reader.uint8())
    if kind is None or not depth:
        raise DecodeError("a compact array of unknown type or too deep", offset=start, data=reader.data)
    if kind == types.ARRAY:
        count = reader.uint_be(2)
        return Description(kind, count, (read_description(reader, depth - 1),))
    if kind == types.STRUCTURE:
        count = reader.uint8()
        return Description(kind, count, tuple(read_description(reader, depth - 1) for _ in range(count)))
    return Description(kind)


def elements(description: Description, octets: bytes, base: int) -> list[Json] | None:
    """Return the elements that the octets hold, None if they hold no whole number of them or are not worth it.

    base: the offset of the octets in the whole message.
    """
    try:
        return _Elements(octets, base).all_of(description)
    except DecodeError:
        return None


class _Elements:
    """Reads elements; DecodeError once there are more nodes than the octets can account for."""

    def __init__(self, octets: bytes, base: int) -> None:
        self._reader, self._base = Reader(octets), base
        self._nodes = 4 * len(octets) + _MOST_NODES

    def all_of(self, description: Description) -> list[Json]:
        found = list[Json]()
        while self._reader.remaining:
            found.append(self._element(description))
        return found

    def _element(self, description: Description) -> Json:
        self._nodes -= 1
        if self._nodes < 0:
            raise DecodeError("a compact array of elements without length", data=self._reader.data)
        node: dict[str, Json] = {"at": self._base + self._reader.offset, "type": description.kind}
        if description.kind in (types.ARRAY, types.STRUCTURE):
            return node | {"items": [self._element(part) for part in description.types_inside()]}
        return node | self._scalar(description.kind)

    def _scalar(self, kind: str) -> dict[str, Json]:
        if kind in types.NUMBERS:
            size, signed = types.NUMBERS[kind]
            return {"value": int.from_bytes(self._reader.octets(size), "big", signed=signed)}
        if kind == types.BIT_STRING:
            bits, _ = read_length(self._reader)
            return {"bits": bits, "octets": hexadecimal(self._reader.octets((bits + 7) // 8))}
        if kind in types.EMPTY:
            return {}
        octets = self._reader.octets(types.FIXED[kind] if kind in types.FIXED else read_length(self._reader)[0])
        meaning = types.meaning(kind, octets)
        node: dict[str, Json] = {"octets": hexadecimal(octets)}
        return node if meaning is None else node | {"meaning": meaning}
