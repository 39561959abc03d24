"""A message as lines to read: offset, name and value of every field, and the payload's tree below."""

from collections.abc import Iterator

from protocols.gbcs.blocks import Block
from protocols.gbcs.document import payload_offset
from protocols.gbcs.envelope import MAC_OCTETS, Message
from protocols.gbcs.json_fields import Json, hexadecimal
from protocols.gbcs.lengths import encode_length
from protocols.gbcs.tree_dlms_types import meaning

_MAC_HEADER_TAG_OCTETS = 7  # DD and six empty fields
_SECURITY_HEADER_OCTETS = 5
_TRANSFER_OCTETS = 6  # of a block, before the length of its data
_LABELS = ("label", "form", "tag", "type", "choice")
_INNER = ("value", "parameters")
_LISTS = ("items", "elements", "components", "records", "requests", "data", "results")
_BESIDE = {"class": "class_name", "cluster": "cluster_name", "command": "command_name", "status": "status_name",
           "instance": "obis"}  # fmt: skip


def listing(message: Message, described: dict[str, Json]) -> list[str]:
    """Return the lines; `described` is what `document.describe` gave for this message."""
    octets = message.encode()
    code = f"{described['use_case']} ({described['message_code']})"
    if described["alert_code"] is not None:
        code += f", alert {described['alert_code']} ({described['alert']})"
    lines = [f"{described['source']}: {described['category']}, {code}, {len(octets)} octets"]
    lines += [_line(offset, 0, name, value) for offset, name, value in _before_payload(message, octets)]
    lines.append(_line(payload_offset(message), 0, "payload", f"{len(message.payload)} octets"))
    lines += _tree(described["payload"], 1)
    lines += [_line(offset, 0, name, value) for offset, name, value in _after_payload(message, described)]
    if described["concerns"] is not None:
        lines.append(_line(None, 0, "concerns", str(described["concerns"])))
    for name in ("notes", "refused"):
        told = described[name]
        lines += [_line(None, 0, name, str(each)) for each in (told if isinstance(told, list) else ())]
    return lines


def block_listing(block: Block, described: dict[str, Json]) -> list[str]:
    """Return the lines of a block of a longer message; `described` is what `document.describe_block` gave."""
    octets, route = block.encode(), block.route
    data = len(octets) - len(block.data)
    code = f"{described['use_case']} ({described['message_code']})"
    numbers = f"number {block.number}, acknowledged {block.acknowledged}, window {block.window}"
    flags = "".join(f", {name}" for name in ("last", "streaming") if getattr(block, name))
    return [
        f"{described['source']}: {described['category']}, {code}, {len(octets)} octets",
        _line(2, 0, "CRA flag", f"{route.cra.value} ({route.cra.name.lower()})"),
        _line(3, 0, "originator counter", _number(route.counter)),
        _line(12, 0, "originator", str(route.originator)),
        _line(21, 0, "target", str(route.target)),
        _line(31, 0, "message code", f"{route.message_code:04X}"),
        _line(data - len(encode_length(len(block.data))) - _TRANSFER_OCTETS, 0, "block transfer", numbers + flags),
        _line(data, 0, "data", hexadecimal(block.data)),
    ]


def _before_payload(message: Message, octets: bytes) -> Iterator[tuple[int, str, str]]:
    offset = 0
    if message.mac is not None:
        grouping = len(message.grouping_octets())
        offset = len(octets) - grouping - MAC_OCTETS
        yield 0, "MAC header", hexadecimal(octets[:_MAC_HEADER_TAG_OCTETS])
        length = offset - _SECURITY_HEADER_OCTETS - _MAC_HEADER_TAG_OCTETS
        yield _MAC_HEADER_TAG_OCTETS, "length", hexadecimal(octets[_MAC_HEADER_TAG_OCTETS:][:length])
        yield (
            offset - _SECURITY_HEADER_OCTETS,
            "security header",
            hexadecimal(octets[offset - _SECURITY_HEADER_OCTETS : offset]),
        )
    yield offset, "grouping header", "DF"
    yield offset + 2, "CRA flag", f"{message.cra.value} ({message.cra.name.lower()})"
    yield offset + 3, "originator counter", _number(message.counter)
    yield offset + 12, "originator", str(message.originator)
    yield offset + 21, "target", str(message.target)
    yield offset + 29, "date-time", _date_time(message.date_time)
    yield from _other_information(message)


def _date_time(octets: bytes) -> str:
    read = meaning("date-time", octets) if octets else None
    return hexadecimal(octets) + ("" if read is None else f" ({read})") or "none"


def _other_information(message: Message) -> Iterator[tuple[int, str, str]]:
    offset = payload_offset(message) - len(encode_length(len(message.payload))) - len(message.other_information())
    yield offset, "message code", f"{message.message_code:04X}"
    if message.supplementary_party is not None:
        yield offset + 2, "supplementary remote party", str(message.supplementary_party)
    if message.supplementary_counter is not None:
        yield offset + 10, "supplementary remote party counter", _number(message.supplementary_counter)
    if message.supplementary_originator_counter is not None:
        yield offset + 18, "supplementary originator counter", _number(message.supplementary_originator_counter)
    if message.certificate:
        yield offset + 18, "certificate", hexadecimal(message.certificate)


def _after_payload(message: Message, described: dict[str, Json]) -> Iterator[tuple[int, str, str]]:
    offset = payload_offset(message) + len(message.payload)
    if message.signature is not None:
        yield offset, "signature", f"{hexadecimal(message.signature)} {described['signature']}".strip()
        offset += 1 + len(message.signature)
    if message.mac is not None:
        yield offset, "MAC", f"{hexadecimal(message.mac)} {described['mac']}"


def _tree(node: Json, depth: int, *, offsets: bool = True) -> Iterator[str]:
    """Yield a line for a node of a tree and those of the nodes below it; what was encrypted has no offsets."""
    if not isinstance(node, dict):
        return
    label = next((str(node[name]) for name in _LABELS if name in node), "component")
    shown = [_field(name, value, node) for name, value in node.items() if _is_shown(name, value)]
    yield _line(_offset(node) if offsets else None, depth, label, " ".join(shown))
    for name in _INNER:
        yield from _tree(node.get(name), depth + 1, offsets=offsets)
    for name in _LISTS:
        listed = node.get(name)
        if isinstance(listed, list):
            for item in listed:
                yield from _tree(item, depth + 1, offsets=offsets)
    records = node.get("decrypted_records")
    for item in records if isinstance(records, list) else ():
        yield from _tree(item, depth + 1, offsets=False)
    decrypted = node.get("decrypted")
    if isinstance(decrypted, dict):
        yield _line(None, depth + 1, "decrypted", "")
        yield from _tree(decrypted, depth + 2, offsets=False)


def _is_shown(name: str, value: Json) -> bool:
    return name not in ("at", *_LABELS, *_BESIDE.values()) and value != "" and not isinstance(value, dict | list)


def _field(name: str, value: Json, node: dict[str, Json]) -> str:
    text = _number(value) if isinstance(value, int) else str(value)
    if name == "meaning":
        return f"({text})"
    if _BESIDE.get(name) in node:
        text += f" ({node[_BESIDE[name]]})"
    return text if name in ("value", "octets", node.get("label")) else f"{name.replace('_', ' ')} {text}"


def _offset(node: dict[str, Json]) -> int:
    at = node["at"]
    return at if isinstance(at, int) else 0


def _number(value: int) -> str:
    return str(value) if -10 < value < 10 else f"{value} ({value & (1 << 64) - 1:X})"


def _line(offset: int | None, depth: int, name: str, value: str) -> str:
    place = "" if offset is None else str(offset)
    return f"{place:>5}  {'  ' * depth}{name}  {value}".rstrip()
