"""The report of a meter: Report Attributes (0x0A) of Metering, one summation. Source: ZCL 07-5123-08 2.5.11, D.3.2.

`protocols.zcl.foundation` reads and writes any report; this one form has a layout of its own, because a fleet sends
thousands of it in each second.
"""

import struct

from protocols.errors import DecodeError
from protocols.zcl import data_types
from protocols.zcl.clusters import metering

_LAYOUT = struct.Struct("<BB4sIH")
_FROM_SERVER = 0x18  # global command, from the server, default response disabled
_REPORT_ATTRIBUTES = 0x0A
_HEAD = struct.pack("<BHB", _REPORT_ATTRIBUTES, metering.Attribute.CURRENT_SUMMATION_DELIVERED, data_types.UINT48)
SIZE = _LAYOUT.size  # octets


def encode(transaction: int, summation: int) -> bytes:
    """Return the ZCL frame. summation: 48 bits, in the unit of the meter."""
    return _LAYOUT.pack(_FROM_SERVER, transaction, _HEAD, summation & 0xFFFF_FFFF, summation >> 32)


def decode(frame: bytes) -> int:
    """Return the summation; DecodeError for any other frame."""
    if len(frame) != SIZE:
        raise DecodeError(f"a report of {len(frame)} octets, {SIZE} expected", data=frame)
    control, _, head, low, high = _LAYOUT.unpack(frame)
    if control != _FROM_SERVER or head != _HEAD:
        raise DecodeError("not a report of the summation", data=frame)
    return int(high << 32 | low)
