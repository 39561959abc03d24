"""Zigbee Cluster Library frame header. Source: ZCL 07-5123-08 2.4.1."""

from enum import IntEnum
from typing import NamedTuple

from protocols.errors import TruncatedError

# Frame control octets.
GLOBAL_FROM_CLIENT = 0x00
GLOBAL_FROM_SERVER = 0x08
CLIENT_COMMAND = 0x01
SERVER_COMMAND = 0x09
SERVER_RESPONSE = 0x19  # with disable default response
_CLUSTER_SPECIFIC = 0x01
_MANUFACTURER_SPECIFIC = 0x04
_FROM_SERVER = 0x08
_DISABLE_DEFAULT_RESPONSE = 0x10
_new = tuple.__new__


class ZclStatus(IntEnum):
    """Status octet of ZCL responses. Source: ZCL 07-5123-08 2.6.3."""

    SUCCESS = 0x00
    FAILURE = 0x01
    NOT_AUTHORIZED = 0x7E
    MALFORMED_COMMAND = 0x80
    UNSUP_CLUSTER_COMMAND = 0x81
    UNSUP_GENERAL_COMMAND = 0x82
    INVALID_FIELD = 0x85
    UNSUPPORTED_ATTRIBUTE = 0x86
    INVALID_VALUE = 0x87
    READ_ONLY = 0x88
    INSUFFICIENT_SPACE = 0x89
    NOT_FOUND = 0x8B
    UNREPORTABLE_ATTRIBUTE = 0x8C
    INVALID_DATA_TYPE = 0x8D
    TIMEOUT = 0x94
    ABORT = 0x95
    INVALID_IMAGE = 0x96
    WAIT_FOR_DATA = 0x97
    NO_IMAGE_AVAILABLE = 0x98
    REQUIRE_MORE_IMAGE = 0x99

    @classmethod
    def named(cls, octet: int) -> "ZclStatus | int":
        """Return the status the standard names, else the bare octet."""
        try:
            return cls(octet)
        except ValueError:
            return octet


class ZclFrame(NamedTuple):
    """One frame: what an APS data frame of a cluster carries."""

    control: int  # 8 bits, one of the constants above
    transaction: int  # 8 bits
    command: int  # 8 bits
    payload: bytes
    manufacturer: int | None = None  # 16 bits, if the manufacturer-specific bit is set

    @classmethod
    def decode(cls, octets: bytes) -> "ZclFrame":
        """Read a frame; TruncatedError if the header stops early. Reserved bits are kept."""
        if len(octets) < 3:
            raise TruncatedError("ZCL header expected", offset=len(octets), data=octets)
        control = octets[0]
        if not control & _MANUFACTURER_SPECIFIC:
            return _new(cls, (control, octets[1], octets[2], octets[3:], None))
        if len(octets) < 5:
            raise TruncatedError("ZCL header expected", offset=len(octets), data=octets)
        return cls(control, octets[3], octets[4], octets[5:], int.from_bytes(octets[1:3], "little"))

    def encode(self) -> bytes:
        control, transaction, command, payload, manufacturer = self
        if manufacturer is None:
            return bytes((control, transaction, command)) + payload
        head = bytes((control | _MANUFACTURER_SPECIFIC, *manufacturer.to_bytes(2, "little"), transaction, command))
        return head + payload

    @property
    def cluster_specific(self) -> bool:
        return bool(self.control & _CLUSTER_SPECIFIC)

    @property
    def from_server(self) -> bool:
        return bool(self.control & _FROM_SERVER)

    @property
    def default_response_disabled(self) -> bool:
        return bool(self.control & _DISABLE_DEFAULT_RESPONSE)
