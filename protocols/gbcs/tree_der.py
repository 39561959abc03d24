"""DER as a tree. What has no exact value form stays hexadecimal, so every tree gives its octets back.

A node is `{"at", "tag"}` and one of `items`, `value`, `octets`; `length_octets` stands where a length is longer than
necessary, as in some RTDS messages. `at` is the offset in the whole message and is ignored on the way back.
"""

from protocols.errors import DecodeError, InputError
from protocols.gbcs import der
from protocols.gbcs.json_fields import Fields, Json, hexadecimal
from protocols.gbcs.lengths import encode_length, read_any_length
from protocols.octets import Reader

DEEPEST = 32

_CONSTRUCTED = 0x20
_MULTI_OCTET = 0x1F
_LONGEST_LENGTH = 4
_NAMES = {
    0x01: "BOOLEAN",
    der.INTEGER: "INTEGER",
    der.BIT_STRING: "BIT STRING",
    der.OCTET_STRING: "OCTET STRING",
    der.NULL: "NULL",
    der.OBJECT_IDENTIFIER: "OBJECT IDENTIFIER",
    der.ENUMERATED: "ENUMERATED",
    der.UTF8_STRING: "UTF8String",
    der.PRINTABLE_STRING: "PrintableString",
    der.UTC_TIME: "UTCTime",
    der.GENERALIZED_TIME: "GeneralizedTime",
    der.SEQUENCE: "SEQUENCE",
    der.SET: "SET",
}
_TAGS = {name: tag for tag, name in _NAMES.items()}
_NUMBERS = ("INTEGER", "ENUMERATED")
_TEXTS = ("UTF8String", "PrintableString", "UTCTime", "GeneralizedTime")


def decode(payload: bytes, base: int) -> dict[str, Json]:
    """Return the node of the one DER value that is the payload; DecodeError if it is none."""
    reader = Reader(payload)
    node = _read(reader, base, DEEPEST)
    reader.finish()
    return node


def _read(reader: Reader, base: int, depth: int) -> dict[str, Json]:
    at = reader.offset
    tag = reader.uint8()
    if tag & _MULTI_OCTET == _MULTI_OCTET:
        raise DecodeError("a DER tag of several octets", offset=at, data=reader.data)
    length, size = read_any_length(reader)
    start = reader.offset
    content = reader.octets(length)
    node: dict[str, Json] = {"at": base + at, "tag": _NAMES.get(tag, f"{tag:02X}")}
    if size != len(encode_length(length)):
        node["length_octets"] = size
    if tag & _CONSTRUCTED:
        if not depth:
            raise DecodeError(f"DER deeper than {DEEPEST}", offset=at, data=reader.data)
        inner, items = Reader(content), list[Json]()
        while inner.remaining:
            items.append(_read(inner, base + start, depth - 1))
        return node | {"items": items}
    return node | _leaf(_NAMES.get(tag, ""), content)


def _leaf(name: str, content: bytes) -> dict[str, Json]:
    """Return the value form if it gives the same octets back, else the octets."""
    value: int | str | None = None
    if name in _NUMBERS and content:
        value = int.from_bytes(content, "big", signed=True)
    elif name in _TEXTS and content.isascii():
        value = content.decode("ascii")
    elif name == "OBJECT IDENTIFIER":
        value = _dotted(content)
    if value is not None and _content(name, value) == content:
        return {"value": value}
    return {"octets": hexadecimal(content)}


def _content(name: str, value: int | str) -> bytes:
    if isinstance(value, int):
        return der.integer_content(value)
    if name != "OBJECT IDENTIFIER":
        return value.encode("ascii")
    return der.object_identifier(value)[2:]


def _dotted(content: bytes) -> str | None:
    """Return an object identifier in dots, None for one that is malformed or has arcs above 64 bits."""
    if not content or content[-1] & 0x80 or len(content) > 0x7F:
        return None
    arcs, arc = list[int](), 0
    for octet in content:
        arc = arc << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(number) for number in (first, arcs[0] - 40 * first, *arcs[1:]))


def encode(node: Fields, depth: int = DEEPEST) -> bytes:
    """Return the octets of a node."""
    if depth < 0:
        raise InputError(f"{node.where}: deeper than {DEEPEST}")
    name = node.text("tag")
    tag = _TAGS.get(name)
    if tag is None:
        tag = node.octets("tag", 1)[0]
    if node.has("items"):
        content = b"".join(encode(item, depth - 1) for item in node.objects("items"))
    else:
        content = _leaf_content(node, name)
    return bytes((tag,)) + _length(node, len(content)) + content


def _leaf_content(node: Fields, name: str) -> bytes:
    if name in _NUMBERS and node.has("value"):
        return der.integer_content(node.integer("value"))
    if not node.has("value"):
        return node.octets("octets")
    text = node.text("value")
    try:
        return _content(name, text)
    except (ValueError, OverflowError):
        raise InputError(f"{node.where}.value: not a {name}") from None


def _length(node: Fields, length: int) -> bytes:
    if not node.has("length_octets"):
        return encode_length(length)
    size = node.number("length_octets", 8)
    if not len(encode_length(length)) <= size <= _LONGEST_LENGTH:
        raise InputError(f"{node.where}.length_octets: {size} for a length of {length}")
    return bytes((0x80 | size - 1,)) + length.to_bytes(size - 1, "big")
