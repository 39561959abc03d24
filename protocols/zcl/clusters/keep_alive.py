"""Keep-Alive cluster (0x0025): clients read these to see the Trust Centre is there. Source: ZSE 07-5356 annex A.2."""

from enum import IntEnum
from typing import Final

from protocols.zcl import data_types

CLUSTER = 0x0025


class Attribute(IntEnum):
    TC_KEEP_ALIVE_BASE = 0x0000  # minutes
    TC_KEEP_ALIVE_JITTER = 0x0001  # s


TYPES: Final[dict[int, int]] = {
    Attribute.TC_KEEP_ALIVE_BASE: data_types.UINT8,
    Attribute.TC_KEEP_ALIVE_JITTER: data_types.UINT16,
}
DEFAULT_BASE = 10  # minutes
DEFAULT_JITTER = 300  # s
