"""ZigBee payloads (GBZ) as trees: commands and responses made of components, and alerts.

Numbers of the headers are big-endian, the ZCL payload is little-endian and stays hexadecimal. `at` is the offset in
the whole message; it, the names and `records`, which say what the payload holds, are ignored on the way back.
"""

from protocols.errors import DecodeError
from protocols.gbcs import tree_zcl
from protocols.gbcs.json_fields import Fields, Json, hexadecimal
from protocols.octets import Reader

PROFILE = b"\x01\x09"
COMPONENTS = "GBZ components"
ALERT = "GBZ alert"
FORMS = (COMPONENTS, ALERT)

_LAST, _ENCRYPTED, _FROM_TIME = 0x01, 0x02, 0x10  # control bits
_KNOWN_BITS = _LAST | _ENCRYPTED | _FROM_TIME
_MANUFACTURER_SPECIFIC = 0x04  # frame control bit
_SEAL_OCTETS = 17  # security header and tag around the encrypted payload


def decode(payload: bytes, base: int, *, alert: bool) -> dict[str, Json]:
    """Return the tree of a whole payload; DecodeError if it does not fit."""
    reader = Reader(payload)
    if reader.octets(2) != PROFILE:
        raise DecodeError("not the profile 0109", data=payload)
    if alert:
        return _alert(reader, base)
    components: list[Json] = [_read(reader, base) for _ in range(reader.uint8())]
    reader.finish()
    return {"at": base, "form": COMPONENTS, "components": components}


def _alert(reader: Reader, base: int) -> dict[str, Json]:
    tree: dict[str, Json] = {
        "at": base,
        "form": ALERT,
        "contents": reader.uint8(),
        "alert_code": hexadecimal(reader.octets(2)),
        "time": reader.uint_be(4),
    }
    components = _components_of_alert(reader.data, reader.offset, base)
    if components:
        return tree | {"components": components}
    return tree | {"content": hexadecimal(reader.rest())}


def _components_of_alert(payload: bytes, offset: int, base: int) -> list[Json]:
    """Return the components an alert's content is made of, none if it is something else."""
    reader, found = Reader(payload, offset), list[Json]()
    try:
        while reader.remaining:
            control = payload[reader.offset]
            node = _read(reader, base)
            if "content" in node or control & ~_KNOWN_BITS:
                return []
            found.append(node)
    except DecodeError:
        return []
    return found


def _read(reader: Reader, base: int) -> dict[str, Json]:
    node: dict[str, Json] = {"at": base + reader.offset}
    control = reader.uint8()
    cluster = reader.octets(2)
    node |= {"control": control, "cluster": hexadecimal(cluster)}
    content = reader.octets(reader.uint_be(2))
    try:
        frame = _frame(Reader(content), int.from_bytes(cluster, "big"), control, base + reader.offset - len(content))
    except DecodeError:
        return node | {"content": hexadecimal(content)}
    return node | frame


def _frame(reader: Reader, cluster: int, control: int, base: int) -> dict[str, Json]:
    """Return the fields of a component's content; DecodeError if they are not all there."""
    node = dict[str, Json]()
    if control & _ENCRYPTED:
        node["additional_header"] = hexadecimal(reader.octets(2))
    if control & _FROM_TIME:
        node["from_time"] = reader.uint_be(4)
    frame_control = reader.uint8()
    node["frame_control"] = frame_control
    if frame_control & _MANUFACTURER_SPECIFIC:
        node["manufacturer"] = reader.uint(2)
    sequence, command = reader.octets(2)
    node |= {"sequence": sequence, "command": command} | tree_zcl.names(cluster, frame_control, command)
    if not control & _ENCRYPTED:
        at, payload = base + reader.offset, reader.rest()
        node["payload"] = hexadecimal(payload)
        records = tree_zcl.records(cluster, frame_control, command, payload, at)
        return node | {"records": records} if records else node
    sealed = reader.octets(reader.uint_be(2))
    reader.finish()
    if len(sealed) < _SEAL_OCTETS:
        raise DecodeError("an encrypted payload that is too short", data=sealed)
    return node | {"sealed": hexadecimal(sealed)}


def encode(tree: Fields) -> bytes:
    """Return the octets of a payload."""
    if tree.text("form") == ALERT:
        head = bytes((tree.number("contents", 8),)) + tree.octets("alert_code", 2)
        head += tree.number("time", 32).to_bytes(4, "big")
        content = _listed(tree) if tree.has("components") else tree.octets("content")
        return PROFILE + head + content
    return PROFILE + bytes((len(tree.objects("components")),)) + _listed(tree)


def _listed(tree: Fields) -> bytes:
    return b"".join(_component(node) for node in tree.objects("components"))


def _component(node: Fields) -> bytes:
    content = node.octets("content") if node.has("content") else _frame_octets(node)
    head = bytes((node.number("control", 8),)) + node.octets("cluster", 2)
    return head + len(content).to_bytes(2, "big") + content


def _frame_octets(node: Fields) -> bytes:
    octets = node.octets("additional_header", 2) if node.has("additional_header") else b""
    if node.has("from_time"):
        octets += node.number("from_time", 32).to_bytes(4, "big")
    octets += bytes((node.number("frame_control", 8),))
    if node.has("manufacturer"):
        octets += node.number("manufacturer", 16).to_bytes(2, "little")
    octets += bytes((node.number("sequence", 8), node.number("command", 8)))
    if not node.has("sealed"):
        return octets + node.octets("payload")
    sealed = node.octets("sealed")
    return octets + len(sealed).to_bytes(2, "big") + sealed
