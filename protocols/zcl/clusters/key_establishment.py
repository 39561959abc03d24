"""Key Establishment cluster (0x0800): the messages are the same both ways, requests from client, responses from server.

Identity, point and MAC have no length in front: the suite tells it, and whoever knows the suite checks it.
Little-endian but for identity, point and MAC. Source: ZSE 07-5356 annex C.3.
"""

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple, Self

from protocols.errors import DecodeError, TruncatedError
from protocols.zcl import data_types
from protocols.zcl.frame import CLIENT_COMMAND, SERVER_COMMAND, ZclFrame

CLUSTER = 0x0800
LONGEST_TIME = 0xFE  # s, of generate times and of the wait time
MAC_OCTETS = 16

_INITIATE = struct.Struct("<HBB")
_TERMINATE = struct.Struct("<BBH")


class Attribute(IntEnum):
    """Of both sides."""

    KEY_ESTABLISHMENT_SUITE = 0x0000  # bitmap in an enum16: bit 0 suite 1, bit 1 suite 2


TYPES: Final[dict[int, int]] = {Attribute.KEY_ESTABLISHMENT_SUITE: data_types.ENUM16}


class TerminateStatus(IntEnum):
    UNKNOWN_ISSUER = 0x01
    BAD_KEY_CONFIRM = 0x02
    BAD_MESSAGE = 0x03
    NO_RESOURCES = 0x04
    UNSUPPORTED_SUITE = 0x05
    INVALID_CERTIFICATE = 0x06

    @classmethod
    def named(cls, octet: int) -> "TerminateStatus | int":
        """Return the status the standard names, else the bare octet."""
        try:
            return cls(octet)
        except ValueError:
            return octet


class InitiateKeyEstablishment(NamedTuple):
    """Command 0x00."""

    suite: int  # 16 bits, one of them set
    ephemeral_data_generate_time: int  # s, 8 bits
    confirm_key_generate_time: int  # s, 8 bits
    identity: bytes  # certificate, 48 or 74 octets

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        if len(octets) < _INITIATE.size:
            raise TruncatedError("Initiate Key Establishment stops early", offset=len(octets), data=octets)
        suite, ephemeral_time, confirm_time = _INITIATE.unpack_from(octets)
        return cls(suite, ephemeral_time, confirm_time, octets[_INITIATE.size :])

    def encode(self) -> bytes:
        return _INITIATE.pack(*self[:3]) + self.identity


class EphemeralData(NamedTuple):
    """Command 0x01."""

    point: bytes  # compressed, 22 or 37 octets

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(octets)

    def encode(self) -> bytes:
        return self.point


class ConfirmKey(NamedTuple):
    """Command 0x02."""

    mac: bytes  # 16 octets: MACU in the request, MACV in the response

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(octets)

    def encode(self) -> bytes:
        return self.mac


class TerminateKeyEstablishment(NamedTuple):
    """Command 0x03."""

    status: int  # 8 bits, TerminateStatus
    wait_time: int  # s, 8 bits: how long to leave the sender alone
    suites: int  # 16 bits, bitmap of what the sender offers

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        if len(octets) < _TERMINATE.size:
            raise TruncatedError("Terminate stops early", offset=len(octets), data=octets)
        return cls(*_TERMINATE.unpack_from(octets))

    def encode(self) -> bytes:
        return _TERMINATE.pack(*self)


KeyEstablishmentCommand = InitiateKeyEstablishment | EphemeralData | ConfirmKey | TerminateKeyEstablishment

_DECODERS: Final[tuple[Callable[[bytes], KeyEstablishmentCommand], ...]] = (
    InitiateKeyEstablishment.decode,
    EphemeralData.decode,
    ConfirmKey.decode,
    TerminateKeyEstablishment.decode,
)
_IDENTIFIERS: Final[dict[type, int]] = {
    InitiateKeyEstablishment: 0x00,
    EphemeralData: 0x01,
    ConfirmKey: 0x02,
    TerminateKeyEstablishment: 0x03,
}


def decode(frame: ZclFrame) -> KeyEstablishmentCommand:
    """Return the command of a cluster-specific frame of either side; DecodeError for one the cluster does not have."""
    if not frame.cluster_specific or frame.manufacturer is not None or frame.command >= len(_DECODERS):
        raise DecodeError(f"no key establishment command {frame.command:#04x} of frame control {frame.control:02x}")
    return _DECODERS[frame.command](frame.payload)


def encode(command: KeyEstablishmentCommand, transaction: int, *, from_server: bool) -> bytes:
    """Return the whole ZCL frame."""
    control = SERVER_COMMAND if from_server else CLIENT_COMMAND
    return bytes((control, transaction, _IDENTIFIERS[type(command)])) + command.encode()
