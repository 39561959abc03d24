"""What ZDP messages share: clusters, status codes, fields. Source: Zigbee 05-3474 2.4.3 to 2.4.5."""

from enum import IntEnum

from protocols.addresses import Eui64, ShortAddress
from protocols.octets import Reader

RESPONSE = 0x8000  # bit of the cluster


class Cluster(IntEnum):
    NWK_ADDRESS = 0x0000
    IEEE_ADDRESS = 0x0001
    NODE_DESCRIPTOR = 0x0002
    POWER_DESCRIPTOR = 0x0003
    SIMPLE_DESCRIPTOR = 0x0004
    ACTIVE_ENDPOINTS = 0x0005
    MATCH_DESCRIPTOR = 0x0006
    DEVICE_ANNOUNCE = 0x0013
    SYSTEM_SERVER_DISCOVERY = 0x0015
    PARENT_ANNOUNCE = 0x001F
    BIND = 0x0021
    UNBIND = 0x0022
    MANAGEMENT_LQI = 0x0031
    MANAGEMENT_ROUTING = 0x0032
    MANAGEMENT_BIND = 0x0033
    MANAGEMENT_LEAVE = 0x0034
    MANAGEMENT_PERMIT_JOINING = 0x0036
    MANAGEMENT_NWK_UPDATE = 0x0038


class ZdpStatus(IntEnum):
    SUCCESS = 0x00
    INVALID_REQUEST_TYPE = 0x80
    DEVICE_NOT_FOUND = 0x81
    INVALID_ENDPOINT = 0x82
    NOT_ACTIVE = 0x83
    NOT_SUPPORTED = 0x84
    TIMEOUT = 0x85
    NO_MATCH = 0x86
    NO_ENTRY = 0x88
    NO_DESCRIPTOR = 0x89
    INSUFFICIENT_SPACE = 0x8A
    NOT_PERMITTED = 0x8B
    TABLE_FULL = 0x8C
    NOT_AUTHORIZED = 0x8D


def read_short(reader: Reader) -> ShortAddress:
    return ShortAddress(reader.uint(2))


def read_eui(reader: Reader) -> Eui64:
    return Eui64.from_wire(reader.octets(8))


def uint16(value: int) -> bytes:
    return value.to_bytes(2, "little")
