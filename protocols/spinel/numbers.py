"""Numbers of Spinel: commands, properties, statuses.

Source: draft-rquattle-spinel-unified sections 4, 5 and 6; RCP properties from OpenThread's spinel.h.
"""

from enum import IntEnum


class Command(IntEnum):
    NOOP = 0
    RESET = 1
    PROP_VALUE_GET = 2
    PROP_VALUE_SET = 3
    PROP_VALUE_INSERT = 4
    PROP_VALUE_REMOVE = 5
    PROP_VALUE_IS = 6
    PROP_VALUE_INSERTED = 7
    PROP_VALUE_REMOVED = 8


class Property(IntEnum):
    """The properties an RCP for a Zigbee host has."""

    LAST_STATUS = 0
    PROTOCOL_VERSION = 1
    NCP_VERSION = 2
    INTERFACE_TYPE = 3
    CAPS = 5
    HWADDR = 8
    PHY_ENABLED = 32
    PHY_CHAN = 33
    PHY_CHAN_SUPPORTED = 34
    PHY_TX_POWER = 37
    PHY_RSSI = 38
    PHY_RX_SENSITIVITY = 39
    MAC_SCAN_STATE = 48
    MAC_SCAN_MASK = 49
    MAC_SCAN_PERIOD = 50
    MAC_15_4_LADDR = 52
    MAC_15_4_SADDR = 53
    MAC_15_4_PANID = 54
    MAC_RAW_STREAM_ENABLED = 55
    MAC_ENERGY_SCAN_RESULT = 57
    MAC_RX_ON_WHEN_IDLE_MODE = 59
    STREAM_RAW = 113
    RCP_API_VERSION = 176
    RCP_MIN_HOST_API_VERSION = 177
    MAC_SRC_MATCH_ENABLED = 4867
    MAC_SRC_MATCH_SHORT_ADDRESSES = 4868
    MAC_SRC_MATCH_EXTENDED_ADDRESSES = 4869


class Status(IntEnum):
    """Values of LAST_STATUS."""

    OK = 0
    FAILURE = 1
    UNIMPLEMENTED = 2
    INVALID_ARGUMENT = 3
    INVALID_STATE = 4
    INVALID_COMMAND = 5
    INVALID_INTERFACE = 6
    PARSE_ERROR = 9
    BUSY = 12
    PROP_NOT_FOUND = 13
    DROPPED = 14
    NO_ACK = 17
    CCA_FAILURE = 18
    ITEM_NOT_FOUND = 20
    INVALID_COMMAND_FOR_PROP = 21
    RESET_POWER_ON = 112
    RESET_SOFTWARE = 114


class ScanState(IntEnum):
    IDLE = 0
    BEACON = 1
    ENERGY = 2


class Capability(IntEnum):
    """Values of CAPS."""

    IEEE_802_15_4_2450MHZ = 24  # 802_15_4_2450MHZ_OQPSK
    MAC_RAW = 513
    CONFIG_RADIO = 34
