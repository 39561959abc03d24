"""Payloads by use case, one module each. Names of all message codes; the alert code of any alert."""

from protocols.errors import DecodeError
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.lengths import read_any_length
from protocols.octets import Reader

_NAMES = {
    0x0001: "CCS01",
    0x0002: "CCS02",
    0x0003: "CCS03",
    0x0004: "CCS05/CCS04",
    0x0008: "CS02a",
    0x000A: "CS02c",
    0x000B: "CS02d",
    0x000C: "CS02e",
    0x000D: "CS03A1",
    0x000E: "CS03B",
    0x000F: "CS04AC",
    0x0010: "CS04B",
    0x0012: "CS06",
    0x0013: "CS07",
    0x0018: "CS14",
    0x0059: "ECS52",
    0x0062: "ECS70",
    0x0067: "ECS80",
    0x007F: "GCS28",
    0x0084: "GCS38",
    0x008C: "GCS59",
    0x0092: "ECS26i",
    0x00AB: "CS03A2",
    0x00AF: "CS03C",
    0x00B2: "GCS62",
    0x00CA: "CS06 alert",
    0x00CB: "CS02b alert",
    0x00CC: "future-dated DLMS alert",
    0x00CD: "future-dated ZigBee alert",
    0x00CE: "FDRA DLMS",
    0x00CF: "FDRA ZigBee",
    0x00F0: "MIIWA DLMS",
    0x00F2: "MIIWA ZigBee",
    0x00FA: "ECS26n",
    0x00FE: "CCS07",
    0x0100: "CS02b root by supplier",
    0x0101: "CS02b root by WAN provider",
    0x0102: "CS02b supplier by supplier",
    0x0103: "CS02b network operator by network operator",
    0x0104: "CS02b ACB by ACB",
    0x0105: "CS02b WAN provider by WAN provider",
    0x0106: "CS02b TCoS by TCoS",
    0x0107: "CS02b supplier by TCoS",
    0x0108: "CS02b any except abnormal root by recovery",
    0x0109: "CS02b any by contingency",
    0x010F: "CCS06",
    0x011B: "CS02f",
    0x0120: "ECS100",
    0x0121: "ECS101",
    0x0122: "ECS102",
    0x0123: "ECS200",
    0x0128: "CCS08",
    0x0129: "CS08",
    0x012B: "CS09",
    0x1000: "generic critical alert",
    0x1001: "generic non-critical alert",
}

_DER_SEQUENCE = b"\x30"
_DATA_NOTIFICATION = b"\x0f"
_GBZ_PROFILE = b"\x01\x09"


def use_case_of(message_code: int) -> str:
    """Return the use case's name, `unknown` for a code that is not listed."""
    return _NAMES.get(message_code, "unknown")


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
