"""Payloads by use case, one module each. Names of all message codes; the alert code of any alert."""

from protocols.errors import DecodeError
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.lengths import read_any_length
from protocols.gbcs.use_cases.names import name_of
from protocols.octets import Reader

_DER_SEQUENCE = b"\x30"
_DATA_NOTIFICATION = b"\x0f"
_GBZ_PROFILE = b"\x01\x09"


def use_case_of(message_code: int) -> str:
    """Return the use case's name, `unknown` for a code that is not listed."""
    return name_of(message_code)


def alert_code_of(message: Message) -> int | None:
    """Return the alert code, the first value of an alert's payload in all three encodings; None for other messages.

    Raises DecodeError for an alert whose payload begins with none.
    """
    if message.cra is not Cra.ALERT:
        return None
    reader = Reader(message.payload)
    if message.payload.startswith(_GBZ_PROFILE):
        reader.octets(3)  # profile, number of components
        return reader.uint_be(2)
    if message.payload.startswith(_DATA_NOTIFICATION):
        reader.octets(5)  # tag, invoke id
        head = reader.octets(4)  # no date-time, structure of k, long-unsigned
        if head[:2] == b"\x00\x02" and head[3] == 0x12:
            return reader.uint_be(2)
    if message.payload.startswith(_DER_SEQUENCE):
        reader.uint8()
        read_any_length(reader)
        if reader.octets(3) == b"\x02\x03\x00":
            return reader.uint_be(2)
    raise DecodeError("an alert without an alert code", data=message.payload)
