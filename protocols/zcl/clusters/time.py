"""Time cluster (0x000A): attribute ids, and times as the ZCL counts them. Source: ZCL 07-5123-08 3.12."""

from enum import IntEnum
from typing import Final

from protocols.interfaces import SECOND
from protocols.zcl import data_types

CLUSTER = 0x000A
EPOCH = 946_684_800 * SECOND  # 2000-01-01T00:00:00Z in ns since 1970
INVALID = 0xFFFF_FFFF

MASTER = 0x01  # bits of TIME_STATUS
SYNCHRONIZED = 0x02
MASTER_ZONE_DST = 0x04
SUPERSEDING = 0x08
HUB_STATUS = MASTER | SUPERSEDING  # GBCS 9.1.3


class Attribute(IntEnum):
    TIME = 0x0000
    TIME_STATUS = 0x0001
    TIME_ZONE = 0x0002


TYPES: Final[dict[int, int]] = {
    Attribute.TIME: data_types.UTC_TIME,
    Attribute.TIME_STATUS: data_types.BITMAP8,
    Attribute.TIME_ZONE: data_types.INT32,
}


def from_nanoseconds(when: int) -> int:
    """Return `when` (ns since 1970 UTC) as a ZCL UTCTime: whole seconds since 2000."""
    return (when - EPOCH) // SECOND


def to_nanoseconds(utc_time: int) -> int:
    """Return a ZCL UTCTime as ns since 1970 UTC."""
    return utc_time * SECOND + EPOCH
