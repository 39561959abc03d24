"""DLMS access requests, access responses and data notifications as trees.

A data node is `{"at", "type"}` and one of `items`, `value`, `octets`. `at` is the offset in the whole message;
`meaning`, `class_name`, `obis` and a compact array's `elements` read others to people. All are ignored on the way back.
"""

from protocols.errors import DecodeError, InputError
from protocols.gbcs import tree_compact
from protocols.gbcs import tree_dlms_types as types
from protocols.gbcs.cosem_names import CLASSES, obis
from protocols.gbcs.json_fields import Fields, Json, hexadecimal
from protocols.gbcs.tree_octets import read_length, shortest_length
from protocols.octets import Reader

DEEPEST = 32

REQUEST = "DLMS access-request"
RESPONSE = "DLMS access-response"
NOTIFICATION = "DLMS data-notification"
FORMS = {0xD9: REQUEST, 0xDA: RESPONSE, 0x0F: NOTIFICATION}

_CHOICES = {1: "get", 2: "set", 3: "action", 4: "get-with-selection", 5: "set-with-selection"}
_CHOICE_CODES = {name: code for code, name in _CHOICES.items()}
_WITH_SELECTION = ("get-with-selection", "set-with-selection")
_RESULTS = {
    0: "success", 1: "hardware fault", 2: "temporary failure", 3: "read-write denied", 4: "object undefined",
    9: "object class inconsistent", 11: "object unavailable", 12: "type unmatched", 13: "scope of access violated",
    14: "data block unavailable", 15: "long transfer aborted", 16: "no long transfer in progress",
    17: "long set aborted", 18: "no long set in progress", 19: "data block number invalid", 250: "other reason",
}  # fmt: skip


def decode(payload: bytes, base: int) -> dict[str, Json]:
    """Return the tree of a whole APDU; DecodeError if it is none of the three or has something else inside."""
    reader = Reader(payload)
    form = FORMS.get(reader.uint8())
    if form is None:
        raise DecodeError("no DLMS APDU", data=payload)
    tree: dict[str, Json] = {"at": base, "form": form, "invoke_id": hexadecimal(reader.octets(4))}
    tree["date_time"] = hexadecimal(reader.octets(_count(reader)))
    if form == REQUEST:
        tree["requests"] = [_read_request(reader, base) for _ in range(_count(reader))]
        tree["data"] = [_read(reader, base, DEEPEST) for _ in range(_count(reader))]
    elif form == RESPONSE:
        if reader.uint8():
            raise DecodeError("an access response that repeats its request", offset=reader.offset - 1, data=payload)
        tree["data"] = [_read(reader, base, DEEPEST) for _ in range(_count(reader))]
        tree["results"] = [_read_result(reader, base) for _ in range(_count(reader))]
    else:
        tree["data"] = [_read(reader, base, DEEPEST)]
    reader.finish()
    return tree


def decode_data(octets: bytes) -> dict[str, Json]:
    """Return the node of one data element, such as something decrypted; its offsets count from its own start."""
    reader = Reader(octets)
    node = _read(reader, 0, DEEPEST)
    reader.finish()
    return node


def _count(reader: Reader) -> int:
    start = reader.offset
    length, long_form = read_length(reader)
    if long_form is not None:
        raise DecodeError("a length longer than necessary", offset=start, data=reader.data)
    return length


def _read_choice(reader: Reader) -> str:
    start = reader.offset
    choice = _CHOICES.get(reader.uint8())
    if choice is None:
        raise DecodeError("neither get nor set nor action", offset=start, data=reader.data)
    return choice


def _read_request(reader: Reader, base: int) -> Json:
    at = base + reader.offset
    choice, kind, instance = _read_choice(reader), reader.uint_be(2), reader.octets(6)
    node: dict[str, Json] = {"at": at, "choice": choice, "class": kind}
    if kind in CLASSES:
        node["class_name"] = CLASSES[kind]
    node |= {"instance": hexadecimal(instance), "obis": obis(instance), "member": reader.uint8()}
    if choice in _WITH_SELECTION:
        node["selector"] = reader.uint8()
        node["parameters"] = _read(reader, base, DEEPEST)
    return node


def _read_result(reader: Reader, base: int) -> Json:
    node: dict[str, Json] = {"at": base + reader.offset, "choice": _read_choice(reader), "result": reader.uint8()}
    meaning = _RESULTS.get(reader.data[reader.offset - 1])
    return node if meaning is None else node | {"meaning": meaning}


def _read(reader: Reader, base: int, depth: int) -> dict[str, Json]:
    at = reader.offset
    kind = types.NAMES.get(reader.uint8())
    if kind is None or not depth:
        raise DecodeError("DLMS data of unknown type or too deep", offset=at, data=reader.data)
    node: dict[str, Json] = {"at": base + at, "type": kind}
    if kind in types.NUMBERS:
        size, signed = types.NUMBERS[kind]
        node["value"] = int.from_bytes(reader.octets(size), "big", signed=signed)
    elif kind in (types.ARRAY, types.STRUCTURE):
        node["items"] = [_read(reader, base, depth - 1) for _ in range(_count(reader))]
    elif kind == types.BIT_STRING:
        bits = _count(reader)
        node |= {"bits": bits, "octets": hexadecimal(reader.octets((bits + 7) // 8))}
    elif kind == types.COMPACT_ARRAY:
        start = reader.offset
        description = tree_compact.read_description(reader, depth)
        node["description"] = hexadecimal(reader.data[start : reader.offset])
        octets = reader.octets(_count(reader))
        node["octets"] = hexadecimal(octets)
        elements = tree_compact.elements(description, octets, base + reader.offset - len(octets))
        if elements is not None:
            node["elements"] = elements
    elif kind not in types.EMPTY:
        octets = reader.octets(types.FIXED[kind] if kind in types.FIXED else _count(reader))
        node["octets"] = hexadecimal(octets)
        meaning = types.meaning(kind, octets)
        if meaning is not None:
            node["meaning"] = meaning
    return node


def encode(tree: Fields) -> bytes:
    """Return the octets of an APDU."""
    form = tree.text("form")
    tag = next(tag for tag, name in FORMS.items() if name == form)
    date_time = tree.octets("date_time")
    head = bytes((tag,)) + tree.octets("invoke_id", 4) + shortest_length(len(date_time)) + date_time
    data = [_data(node, DEEPEST) for node in tree.objects("data")]
    if form == NOTIFICATION:
        return head + b"".join(data)
    listed = shortest_length(len(data)) + b"".join(data)
    if form == RESPONSE:
        results = [_choice(node) + bytes((node.number("result", 8),)) for node in tree.objects("results")]
        return head + b"\x00" + listed + shortest_length(len(results)) + b"".join(results)
    requests = [_request(node) for node in tree.objects("requests")]
    return head + shortest_length(len(requests)) + b"".join(requests) + listed


def _choice(node: Fields) -> bytes:
    name = node.text("choice")
    if name not in _CHOICE_CODES:
        raise InputError(f"{node.where}.choice: {name!r} is none of {', '.join(_CHOICE_CODES)}")
    return bytes((_CHOICE_CODES[name],))


def _request(node: Fields) -> bytes:
    member = bytes((node.number("member", 8),))
    request = _choice(node) + node.number("class", 16).to_bytes(2, "big") + node.octets("instance", 6) + member
    if node.text("choice") in _WITH_SELECTION:
        request += bytes((node.number("selector", 8),)) + _data(node.object("parameters"), DEEPEST)
    return request


def _data(node: Fields, depth: int) -> bytes:
    kind = node.text("type")
    if kind not in types.TAGS or not depth:
        raise InputError(f"{node.where}.type: {kind!r} is unknown or too deep")
    return bytes((types.TAGS[kind],)) + _content(node, kind, depth)


def _content(node: Fields, kind: str, depth: int) -> bytes:
    if kind in types.NUMBERS:
        size, signed = types.NUMBERS[kind]
        try:
            return node.integer("value").to_bytes(size, "big", signed=signed)
        except OverflowError:
            raise InputError(f"{node.where}.value: does not fit a {kind}") from None
    if kind in (types.ARRAY, types.STRUCTURE):
        items = [_data(item, depth - 1) for item in node.objects("items")]
        return shortest_length(len(items)) + b"".join(items)
    if kind == types.BIT_STRING:
        bits = node.number("bits", 24)
        return shortest_length(bits) + node.octets("octets", (bits + 7) // 8)
    if kind in types.EMPTY:
        return b""
    octets = node.octets("octets", types.FIXED.get(kind))
    if kind in types.FIXED:
        return octets
    description = node.octets("description") if kind == types.COMPACT_ARRAY else b""
    return description + shortest_length(len(octets)) + octets
