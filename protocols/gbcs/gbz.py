"""ZigBee payloads (GBZ): components of commands and responses, alerts. Header numbers are big-endian."""

from typing import NamedTuple

from protocols.errors import DecodeError
from protocols.gbcs import times
from protocols.octets import Reader

PROFILE = b"\x01\x09"

LAST, ENCRYPTED, FROM_TIME = 0x01, 0x02, 0x10  # bits of the control octet
READ_ATTRIBUTES, READ_ATTRIBUTES_RESPONSE = 0x00, 0x01  # ZCL commands
TO_SERVER, TO_CLIENT = 0x00, 0x08  # ZCL frame control of a profile-wide command
OCTET_STRING = 0x41  # ZCL data type


class Component(NamedTuple):
    """One ZCL frame of a payload."""

    cluster: int  # 16 bits
    frame_control: int
    sequence: int  # counts the components of a command from 0; a response repeats its command's
    command: int
    payload: bytes


class Alert(NamedTuple):
    alert_code: int  # 16 bits
    time: int  # ns since 1970 UTC
    content: bytes


def components(*listed: Component) -> bytes:
    """Return the payload of a command or response, nothing encrypted."""
    parts = [PROFILE, bytes((len(listed),))]
    for index, item in enumerate(listed, 1):
        frame = bytes((item.frame_control, item.sequence, item.command)) + item.payload
        control = LAST if index == len(listed) else 0
        parts.append(bytes((control,)) + item.cluster.to_bytes(2, "big") + len(frame).to_bytes(2, "big") + frame)
    return b"".join(parts)


def parse_components(octets: bytes) -> tuple[Component, ...]:
    """Read a payload of which nothing is encrypted; DecodeError for any other."""
    reader = Reader(octets)
    _read_profile(reader)
    count = reader.uint8()
    listed = tuple(_read_component(reader, last=index == count) for index in range(1, count + 1))
    reader.finish("octets after the last component")
    return listed


def expect_components(octets: bytes, *expected: Component) -> None:
    """Raise DecodeError unless a payload is of just these components, nothing encrypted."""
    if parse_components(octets) != expected:
        raise DecodeError("not the components of the use case", data=octets)


def _read_component(reader: Reader, *, last: bool) -> Component:
    start = reader.offset
    if reader.uint8() != (LAST if last else 0):
        raise DecodeError("control of a component", offset=start, data=reader.data)
    cluster = reader.uint_be(2)
    frame = Reader(reader.octets(reader.uint_be(2)))
    return Component(cluster, frame.uint8(), frame.uint8(), frame.uint8(), frame.rest())


def alert(alert_code: int, time: int, content: bytes = b"") -> bytes:
    """Return the payload of an alert; the time is ns since 1970 UTC."""
    head = PROFILE + bytes((1 if content else 0,)) + alert_code.to_bytes(2, "big")
    return head + times.zigbee_time(time).to_bytes(4, "big") + content


def parse_alert(octets: bytes) -> Alert:
    """Read the payload of an alert."""
    reader = Reader(octets)
    _read_profile(reader)
    contents = reader.uint8()
    parsed = Alert(reader.uint_be(2), times.from_zigbee_time(reader.uint_be(4)), reader.rest())
    if contents != (1 if parsed.content else 0):
        raise DecodeError(f"an alert that announces {contents} contents", offset=2, data=octets)
    return parsed


def _read_profile(reader: Reader) -> None:
    if reader.octets(2) != PROFILE:
        raise DecodeError("not the profile 0109", data=reader.data)
