"""Tunneling cluster (0x0704), which carries GBCS messages: protocol 6, manufacturer code 0xFFFF, no flow control.

Little-endian. Transfer Data and its error exist both ways under different ids, so `encode` takes the side.
Source: ZSE 07-5356 annex D.6.
"""

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple, Self

from protocols.errors import DecodeError, TruncatedError, UsageError
from protocols.zcl.frame import CLIENT_COMMAND, SERVER_COMMAND, ZclFrame

CLUSTER = 0x0704
PROTOCOL_GBCS = 6
NO_MANUFACTURER = 0xFFFF
MAXIMUM_TRANSFER = 1500  # octets, GBCS 10.2.2
CLOSE_TIMEOUT_ATTRIBUTE = 0x0000  # uint16, s

_DISABLE_DEFAULT_RESPONSE = 0x10
_U16 = struct.Struct("<H")
_REQUEST = struct.Struct("<BHBH")
_RESPONSE = struct.Struct("<HBH")
_ERROR = struct.Struct("<HB")


class TunnelStatus(IntEnum):
    SUCCESS = 0x00
    BUSY = 0x01
    NO_MORE_TUNNEL_IDS = 0x02
    PROTOCOL_NOT_SUPPORTED = 0x03
    FLOW_CONTROL_NOT_SUPPORTED = 0x04


class TransferStatus(IntEnum):
    NO_SUCH_TUNNEL = 0x00
    WRONG_DEVICE = 0x01
    DATA_OVERFLOW = 0x02


def _unpack(layout: struct.Struct, octets: bytes) -> tuple[int, ...]:
    if layout.size > len(octets):
        raise TruncatedError("tunneling command stops early", offset=len(octets), data=octets)
    return layout.unpack_from(octets)


class RequestTunnel(NamedTuple):
    """Client to server, command 0x00."""

    protocol: int = PROTOCOL_GBCS  # 8 bits
    manufacturer_code: int = NO_MANUFACTURER  # 16 bits
    flow_control: bool = False
    maximum_incoming: int = MAXIMUM_TRANSFER  # 16 bits, octets

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        protocol, manufacturer, flow_control, maximum = _unpack(_REQUEST, octets)
        return cls(protocol, manufacturer, bool(flow_control), maximum)

    def encode(self) -> bytes:
        return _REQUEST.pack(*self)


class RequestTunnelResponse(NamedTuple):
    """Server to client, command 0x00."""

    tunnel: int  # 16 bits, 0xFFFF if refused
    status: int  # TunnelStatus
    maximum_incoming: int = MAXIMUM_TRANSFER  # 16 bits, octets

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*_unpack(_RESPONSE, octets))

    def encode(self) -> bytes:
        return _RESPONSE.pack(*self)


class CloseTunnel(NamedTuple):
    """Client to server, command 0x01."""

    tunnel: int  # 16 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*_unpack(_U16, octets))

    def encode(self) -> bytes:
        return _U16.pack(self.tunnel)


class TransferData(NamedTuple):
    """Client to server command 0x02, server to client command 0x01."""

    tunnel: int  # 16 bits
    data: bytes  # no length in front

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(_unpack(_U16, octets)[0], octets[2:])

    def encode(self) -> bytes:
        return _U16.pack(self.tunnel) + self.data


class TransferDataError(NamedTuple):
    """Client to server command 0x03, server to client command 0x02."""

    tunnel: int  # 16 bits
    status: int  # TransferStatus

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*_unpack(_ERROR, octets))

    def encode(self) -> bytes:
        return _ERROR.pack(*self)


class TunnelClosureNotification(NamedTuple):
    """Server to client, command 0x06."""

    tunnel: int  # 16 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*_unpack(_U16, octets))

    def encode(self) -> bytes:
        return _U16.pack(self.tunnel)


TunnelingCommand = (
    RequestTunnel | RequestTunnelResponse | CloseTunnel | TransferData | TransferDataError | TunnelClosureNotification
)

_FROM_CLIENT: Final[dict[type, int]] = {
    RequestTunnel: 0x00,
    CloseTunnel: 0x01,
    TransferData: 0x02,
    TransferDataError: 0x03,
}
_FROM_SERVER: Final[dict[type, int]] = {
    RequestTunnelResponse: 0x00,
    TransferData: 0x01,
    TransferDataError: 0x02,
    TunnelClosureNotification: 0x06,
}

_DECODERS: Final[dict[tuple[int, int], Callable[[bytes], TunnelingCommand]]] = {
    (0x01, 0x00): RequestTunnel.decode,
    (0x01, 0x01): CloseTunnel.decode,
    (0x01, 0x02): TransferData.decode,
    (0x01, 0x03): TransferDataError.decode,
    (0x09, 0x00): RequestTunnelResponse.decode,
    (0x09, 0x01): TransferData.decode,
    (0x09, 0x02): TransferDataError.decode,
    (0x09, 0x06): TunnelClosureNotification.decode,
}


def decode(frame: ZclFrame) -> TunnelingCommand:
    """Return the command of a cluster-specific frame; DecodeError for one the cluster does not have."""
    decoder = _DECODERS.get((frame.control & 0x09, frame.command))
    if decoder is None or frame.manufacturer is not None:
        raise DecodeError(f"no tunneling command {frame.command:#04x} of frame control {frame.control:02x}")
    return decoder(frame.payload)


def encode(command: TunnelingCommand, transaction: int, *, from_server: bool, default_response: bool = False) -> bytes:
    """Return the whole ZCL frame; UsageError if this side never sends the command.

    default_response: ask for a Default Response even on success; the APS acknowledgement tells the same.
    """
    identifier = (_FROM_SERVER if from_server else _FROM_CLIENT).get(type(command))
    if identifier is None:
        raise UsageError(f"{type(command).__name__} is not sent by a {'server' if from_server else 'client'}")
    control = SERVER_COMMAND if from_server else CLIENT_COMMAND
    if not default_response:
        control |= _DISABLE_DEFAULT_RESPONSE
    return bytes((control, transaction, identifier)) + command.encode()
