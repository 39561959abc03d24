"""ZigBee payloads (GBZ) as trees: commands and responses made of components, and alerts.

Numbers of the headers are big-endian, the ZCL payload is little-endian and stays hexadecimal. `at` is the offset in
the whole message and is ignored on the way back.
"""

from protocols.errors import DecodeError
from protocols.gbcs.json_fields import Fields, Json, hexadecimal
from protocols.octets import Reader

PROFILE = b"\x01\x09"
COMPONENTS = "GBZ components"
ALERT = "GBZ alert"
FORMS = (COMPONENTS, ALERT)

_NOT_PLAIN = 0x12  # control bits 1 (encrypted) and 4 (a time stands before the frame)
_MANUFACTURER_SPECIFIC = 0x04  # frame control bit


def decode(payload: bytes, base: int, *, alert: bool) -> dict[str, Json]:
    """Return the tree of a whole payload; DecodeError if it does not fit."""
    reader = Reader(payload)
    if reader.octets(2) != PROFILE:
        raise DecodeError("not the profile 0109", data=payload)
    if alert:
        return {
            "at": base,
            "form": ALERT,
            "contents": reader.uint8(),
            "alert_code": hexadecimal(reader.octets(2)),
            "time": reader.uint_be(4),
            "content": hexadecimal(reader.rest()),
        }
    components: list[Json] = [_read(reader, base) for _ in range(reader.uint8())]
    reader.finish()
    return {"at": base, "form": COMPONENTS, "components": components}


def _read(reader: Reader, base: int) -> Json:
    at = base + reader.offset
    control = reader.uint8()
    node: dict[str, Json] = {"at": at, "control": control, "cluster": hexadecimal(reader.octets(2))}
    content = reader.octets(reader.uint_be(2))
    if control & _NOT_PLAIN or len(content) < 3 or content[0] & _MANUFACTURER_SPECIFIC:
        return node | {"content": hexadecimal(content)}
    return node | {
        "frame_control": content[0],
        "sequence": content[1],
        "command": content[2],
        "payload": hexadecimal(content[3:]),
    }


def encode(tree: Fields) -> bytes:
    """Return the octets of a payload."""
    if tree.text("form") == ALERT:
        head = bytes((tree.number("contents", 8),)) + tree.octets("alert_code", 2)
        return PROFILE + head + tree.number("time", 32).to_bytes(4, "big") + tree.octets("content")
    components = [_component(node) for node in tree.objects("components")]
    return PROFILE + bytes((len(components),)) + b"".join(components)


def _component(node: Fields) -> bytes:
    if node.has("content"):
        content = node.octets("content")
    else:
        content = bytes(node.number(name, 8) for name in ("frame_control", "sequence", "command"))
        content += node.octets("payload")
    head = bytes((node.number("control", 8),)) + node.octets("cluster", 2)
    return head + len(content).to_bytes(2, "big") + content
