"""DLMS access requests, access responses and data notifications as trees.

A data node is `{"at", "type"}` and one of `items`, `value`, `octets`. `at` is the offset in the whole message and is
ignored on the way back.
"""

from protocols.errors import DecodeError, InputError
from protocols.gbcs import dlms
from protocols.gbcs.json_fields import Fields, Json, hexadecimal
from protocols.gbcs.lengths import encode_length, read_length
from protocols.octets import Reader

DEEPEST = 32

REQUEST = "DLMS access-request"
RESPONSE = "DLMS access-response"
NOTIFICATION = "DLMS data-notification"
FORMS = {dlms.ACCESS_REQUEST: REQUEST, dlms.ACCESS_RESPONSE: RESPONSE, dlms.DATA_NOTIFICATION: NOTIFICATION}

_NULL, _ARRAY, _STRUCTURE, _BIT_STRING = "null-data", "array", "structure", "bit-string"
_TYPES = {
    0x00: _NULL,
    0x01: _ARRAY,
    0x02: _STRUCTURE,
    0x03: "boolean",
    0x04: _BIT_STRING,
    0x05: "double-long",
    0x06: "double-long-unsigned",
    0x09: "octet-string",
    0x0A: "visible-string",
    0x0C: "utf8-string",
    0x0F: "integer",
    0x10: "long",
    0x11: "unsigned",
    0x12: "long-unsigned",
    0x14: "long64",
    0x15: "long64-unsigned",
    0x16: "enum",
}
_TAGS = {name: tag for tag, name in _TYPES.items()}
_NUMBERS = {  # octets, signed
    "boolean": (1, False),
    "double-long": (4, True),
    "double-long-unsigned": (4, False),
    "integer": (1, True),
    "long": (2, True),
    "unsigned": (1, False),
    "long-unsigned": (2, False),
    "long64": (8, True),
    "long64-unsigned": (8, False),
    "enum": (1, False),
}
_CHOICES = {dlms.GET: "get", dlms.SET: "set", dlms.ACTION: "action"}
_CHOICE_CODES = {name: code for code, name in _CHOICES.items()}


def decode(payload: bytes, base: int) -> dict[str, Json]:
    """Return the tree of a whole APDU; DecodeError if it is none of the three or has something else inside."""
    reader = Reader(payload)
    form = FORMS.get(reader.uint8())
    if form is None:
        raise DecodeError("no DLMS APDU", data=payload)
    tree: dict[str, Json] = {"at": base, "form": form, "invoke_id": hexadecimal(reader.octets(4))}
    tree["date_time"] = hexadecimal(reader.octets(read_length(reader)))
    if form == REQUEST:
        tree["requests"] = [_read_request(reader, base) for _ in range(read_length(reader))]
        tree["data"] = [_read(reader, base, DEEPEST) for _ in range(read_length(reader))]
    elif form == RESPONSE:
        dlms.expect(reader, b"\x00", "access request specification")
        tree["data"] = [_read(reader, base, DEEPEST) for _ in range(read_length(reader))]
        tree["results"] = [_read_result(reader, base) for _ in range(read_length(reader))]
    else:
        tree["data"] = [_read(reader, base, DEEPEST)]
    reader.finish()
    return tree


def _read_choice(reader: Reader) -> str:
    start = reader.offset
    choice = _CHOICES.get(reader.uint8())
    if choice is None:
        raise DecodeError("neither get nor set nor action", offset=start, data=reader.data)
    return choice


def _read_request(reader: Reader, base: int) -> Json:
    at = base + reader.offset
    return {
        "at": at,
        "choice": _read_choice(reader),
        "class": reader.uint_be(2),
        "instance": hexadecimal(reader.octets(6)),
        "member": reader.uint8(),
    }


def _read_result(reader: Reader, base: int) -> Json:
    return {"at": base + reader.offset, "choice": _read_choice(reader), "result": reader.uint8()}


def _read(reader: Reader, base: int, depth: int) -> dict[str, Json]:
    at = reader.offset
    kind = _TYPES.get(reader.uint8())
    if kind is None or not depth:
        raise DecodeError("DLMS data of unknown type or too deep", offset=at, data=reader.data)
    node: dict[str, Json] = {"at": base + at, "type": kind}
    if kind in _NUMBERS:
        size, signed = _NUMBERS[kind]
        node["value"] = int.from_bytes(reader.octets(size), "big", signed=signed)
    elif kind in (_ARRAY, _STRUCTURE):
        node["items"] = [_read(reader, base, depth - 1) for _ in range(read_length(reader))]
    elif kind == _BIT_STRING:
        bits = read_length(reader)
        node |= {"bits": bits, "octets": hexadecimal(reader.octets((bits + 7) // 8))}
    elif kind != _NULL:
        node["octets"] = hexadecimal(reader.octets(read_length(reader)))
    return node


def encode(tree: Fields) -> bytes:
    """Return the octets of an APDU."""
    form = tree.text("form")
    tag = next(tag for tag, name in FORMS.items() if name == form)
    date_time = tree.octets("date_time")
    head = bytes((tag,)) + tree.octets("invoke_id", 4) + encode_length(len(date_time)) + date_time
    data = [_data(node, DEEPEST) for node in tree.objects("data")]
    if form == NOTIFICATION:
        return head + b"".join(data)
    listed = encode_length(len(data)) + b"".join(data)
    if form == RESPONSE:
        results = [_choice(node) + bytes((node.number("result", 8),)) for node in tree.objects("results")]
        return head + b"\x00" + listed + encode_length(len(results)) + b"".join(results)
    requests = [_request(node) for node in tree.objects("requests")]
    return head + encode_length(len(requests)) + b"".join(requests) + listed


def _choice(node: Fields) -> bytes:
    name = node.text("choice")
    if name not in _CHOICE_CODES:
        raise InputError(f"{node.where}.choice: {name!r} is none of {', '.join(_CHOICE_CODES)}")
    return bytes((_CHOICE_CODES[name],))


def _request(node: Fields) -> bytes:
    member = bytes((node.number("member", 8),))
    return _choice(node) + node.number("class", 16).to_bytes(2, "big") + node.octets("instance", 6) + member


def _data(node: Fields, depth: int) -> bytes:
    kind = node.text("type")
    if kind not in _TAGS or not depth:
        raise InputError(f"{node.where}.type: {kind!r} is unknown or too deep")
    return bytes((_TAGS[kind],)) + _content(node, kind, depth)


def _content(node: Fields, kind: str, depth: int) -> bytes:
    if kind in _NUMBERS:
        size, signed = _NUMBERS[kind]
        try:
            return node.integer("value").to_bytes(size, "big", signed=signed)
        except OverflowError:
            raise InputError(f"{node.where}.value: does not fit a {kind}") from None
    if kind in (_ARRAY, _STRUCTURE):
        items = [_data(item, depth - 1) for item in node.objects("items")]
        return encode_length(len(items)) + b"".join(items)
    if kind == _BIT_STRING:
        bits = node.number("bits", 24)
        return encode_length(bits) + node.octets("octets", (bits + 7) // 8)
    if kind == _NULL:
        return b""
    octets = node.octets("octets")
    return encode_length(len(octets)) + octets
