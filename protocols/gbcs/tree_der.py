"""DER as a tree. What has no exact value form stays hexadecimal, so every tree gives its octets back.

A node is `{"at", "tag"}` and one of `items`, `value`, `octets`; `length_octets` stands where a length is longer than
necessary, as in some RTDS messages. `at` is the offset in the whole message and is ignored on the way back.
"""

from protocols.errors import DecodeError, InputError
from protocols.gbcs.json_fields import Fields, Json, hexadecimal
from protocols.gbcs.tree_octets import long_length, read_length, shortest_length, signed_octets
from protocols.octets import Reader

DEEPEST = 32

_CONSTRUCTED = 0x20
_MULTI_OCTET, _MORE = 0x1F, 0x80
_LONGEST_TAG = 5  # octets after which a tag has to end
_LONGEST_NUMBER = 32  # octets; longer ones stay hexadecimal
_LONGEST_LENGTH = 4
_NAMES = {
    0x01: "BOOLEAN",
    0x02: "INTEGER",
    0x03: "BIT STRING",
    0x04: "OCTET STRING",
    0x05: "NULL",
    0x06: "OBJECT IDENTIFIER",
    0x0A: "ENUMERATED",
    0x0C: "UTF8String",
    0x13: "PrintableString",
    0x17: "UTCTime",
    0x18: "GeneralizedTime",
    0x30: "SEQUENCE",
    0x31: "SET",
}
_TAGS = {name: tag for tag, name in _NAMES.items()}
_NUMBERS = ("INTEGER", "ENUMERATED")
_TEXTS = ("UTF8String", "PrintableString", "UTCTime", "GeneralizedTime")
_OBJECTS = {
    "1.2.826.0.1.8641679.1.2.1.4": "SMKI policy",
    "1.2.826.0.1.8641679.1.2.2.1": "SMKI hardware type",
    "1.2.840.10045.2.1": "EC public key",
    "1.2.840.10045.3.1.7": "P-256",
    "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
    "2.5.4.3": "common name",
    "2.5.4.11": "organizational unit",
    "2.5.4.45": "unique identifier",
    "2.5.29.14": "subject key identifier",
    "2.5.29.15": "key usage",
    "2.5.29.17": "subject alternative name",
    "2.5.29.19": "basic constraints",
    "2.5.29.32": "certificate policies",
    "2.5.29.35": "authority key identifier",
}


def decode(payload: bytes, base: int) -> dict[str, Json]:
    """Return the node of the one DER value that is the payload; DecodeError if it is none."""
    reader = Reader(payload)
    node = _read(reader, base, DEEPEST)
    reader.finish()
    return node


def _read(reader: Reader, base: int, depth: int) -> dict[str, Json]:
    at = reader.offset
    tag = _read_tag(reader)
    length, long_form = read_length(reader)
    start = reader.offset
    content = reader.octets(length)
    name = _NAMES.get(tag[0])
    node: dict[str, Json] = {"at": base + at, "tag": name or hexadecimal(tag)}
    if long_form is not None:
        node["length_octets"] = long_form
    if tag[0] & _CONSTRUCTED:
        if not depth:
            raise DecodeError(f"DER deeper than {DEEPEST}", offset=at, data=reader.data)
        inner, items = Reader(content), list[Json]()
        while inner.remaining:
            items.append(_read(inner, base + start, depth - 1))
        node["items"] = items
    else:
        node.update(_leaf(name or "", content))
    return node


def _read_tag(reader: Reader) -> bytes:
    """Return the octets of a tag: one, or more for numbers above 30."""
    tag = reader.octets(1)
    more = tag[0] & _MULTI_OCTET == _MULTI_OCTET
    while more:
        if len(tag) > _LONGEST_TAG:
            raise DecodeError(f"a DER tag of more than {_LONGEST_TAG} octets", offset=reader.offset, data=reader.data)
        tag += reader.octets(1)
        more = bool(tag[-1] & _MORE)
    return tag


def _leaf(name: str, content: bytes) -> dict[str, Json]:
    """Return the value form if it gives the same octets back, else the octets."""
    value: int | str | None = None
    if name in _NUMBERS and 0 < len(content) <= _LONGEST_NUMBER:
        value = int.from_bytes(content, "big", signed=True)
    elif name in _TEXTS and content.isascii():
        value = content.decode("ascii")
    elif name == "OBJECT IDENTIFIER":
        value = _dotted(content)
    if value is None or _content(name, value) != content:
        return {"octets": hexadecimal(content)}
    if value in _OBJECTS:
        return {"value": value, "meaning": _OBJECTS[str(value)]}
    return {"value": value}


def _content(name: str, value: int | str) -> bytes:
    if isinstance(value, int):
        return signed_octets(value)
    return value.encode("ascii") if name != "OBJECT IDENTIFIER" else _from_dotted(value)


def _from_dotted(text: str) -> bytes:
    """Return the content of an object identifier; ValueError for what is none."""
    first, second, *rest = (int(part) for part in text.split("."))
    content = bytearray()
    for arc in (40 * first + second, *rest):
        septets = max(1, (arc.bit_length() + 6) // 7)
        content += bytes(arc >> 7 * place & 0x7F | (0x80 if place else 0) for place in reversed(range(septets)))
    return bytes(content)


def _dotted(content: bytes) -> str | None:
    """Return an object identifier in dots, None for one that is malformed or very long."""
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
    tag = bytes((_TAGS[name],)) if name in _TAGS else node.octets("tag")
    if node.has("items"):
        content = b"".join(encode(item, depth - 1) for item in node.objects("items"))
    else:
        content = _leaf_content(node, name)
    return tag + _length(node, len(content)) + content


def _leaf_content(node: Fields, name: str) -> bytes:
    if name in _NUMBERS and node.has("value"):
        return signed_octets(node.integer("value"))
    if not node.has("value"):
        return node.octets("octets")
    text = node.text("value")
    try:
        return _content(name, text)
    except (ValueError, OverflowError):
        raise InputError(f"{node.where}.value: not a {name}") from None


def _length(node: Fields, length: int) -> bytes:
    if not node.has("length_octets"):
        return shortest_length(length)
    size = node.number("length_octets", 8)
    if not max(2, len(shortest_length(length))) <= size <= _LONGEST_LENGTH:
        raise InputError(f"{node.where}.length_octets: {size} for a length of {length}")
    return long_length(length, size - 1)
