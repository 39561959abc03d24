"""Lengths and numbers for the trees.

The trees share no code with the builders of payloads, so that each checks the other.
"""

from protocols.errors import DecodeError
from protocols.octets import Reader

_LONGEST = 3  # octets after the first


def shortest_length(length: int) -> bytes:
    """Return the shortest form of an ASN.1 or DLMS length."""
    for size, limit in ((0, 0x80), (1, 0x100), (2, 0x10000)):
        if length < limit:
            return long_length(length, size) if size else bytes((length,))
    return long_length(length, _LONGEST)


def long_length(length: int, size: int) -> bytes:
    """Return the form with `size` octets after the first."""
    return bytes((0x80 + size,)) + length.to_bytes(size, "big")


def read_length(reader: Reader) -> tuple[int, int | None]:
    """Return a length, and the octets it took if those are more than necessary."""
    first = reader.uint8()
    if first < 0x80:
        return first, None
    size = first - 0x80
    if not 1 <= size <= _LONGEST:
        raise DecodeError(f"a length of {size} octets", offset=reader.offset - 1, data=reader.data)
    length = reader.uint_be(size)
    return length, None if len(shortest_length(length)) == size + 1 else size + 1


def signed_octets(value: int) -> bytes:
    """Return the fewest octets that hold the number in two's complement."""
    size = 1
    while not -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1:
        size += 1
    return value.to_bytes(size, "big", signed=True)
