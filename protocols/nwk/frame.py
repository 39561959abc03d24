"""Zigbee network layer header.

Little-endian. Multicast is not built: such frames are refused. Source: Zigbee 05-3474 3.3.1.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from protocols.addresses import Eui64, ShortAddress
from protocols.errors import DecodeError, TruncatedError

DEFAULT_RADIUS = 30  # twice the depth of a network
PROTOCOL_VERSION = 2

_FIXED = struct.Struct("<HHHBB")
_EUI = struct.Struct("<Q")
_FIXED_SIZE = 8
_VERSION = PROTOCOL_VERSION << 2
_MULTICAST = 0x0100
_SECURITY = 0x0200
_SOURCE_ROUTE = 0x0400
_DESTINATION_IEEE = 0x0800
_SOURCE_IEEE = 0x1000
_END_DEVICE = 0x2000
SECURED_DATA = _VERSION | _SECURITY | 1 << 6  # frame control: may discover its route, no optional fields
_OPTIONAL = _MULTICAST | _SOURCE_ROUTE | _DESTINATION_IEEE | _SOURCE_IEEE


class FrameType(IntEnum):
    DATA = 0
    COMMAND = 1


class SourceRoute(NamedTuple):
    relay_index: int  # 8 bits, of the next relay
    relays: tuple[ShortAddress, ...]  # the one next to the destination first


class NwkHeader(NamedTuple):
    """What precedes the auxiliary header or the payload."""

    frame_type: int  # FrameType
    destination: ShortAddress
    source: ShortAddress
    radius: int  # 8 bits
    sequence: int  # 8 bits
    security: bool = True
    discover_route: int = 0  # 2 bits: 0 suppressed, 1 enabled
    end_device_initiator: bool = False
    destination_ieee: Eui64 | None = None
    source_ieee: Eui64 | None = None
    source_route: SourceRoute | None = None

    def encode(self) -> bytes:
        control = self.frame_type | _VERSION | self.discover_route << 6
        if self.security:
            control |= _SECURITY
        if self.end_device_initiator:
            control |= _END_DEVICE
        optional = b""
        if self.destination_ieee is not None:
            control, optional = control | _DESTINATION_IEEE, _EUI.pack(self.destination_ieee)
        if self.source_ieee is not None:
            control, optional = control | _SOURCE_IEEE, optional + _EUI.pack(self.source_ieee)
        if self.source_route is not None:
            index, relays = self.source_route
            control |= _SOURCE_ROUTE
            optional += struct.pack(f"<BB{len(relays)}H", len(relays), index, *relays)
        return _FIXED.pack(control, self.destination, self.source, self.radius, self.sequence) + optional


def data_header(destination: int, source: int, radius: int, sequence: int) -> bytes:
    """Return the octets of the header of a secured data frame that may discover its route, without optional fields."""
    return _FIXED.pack(SECURED_DATA, destination, source, radius, sequence)


def decode_header(octets: bytes, offset: int = 0) -> tuple[NwkHeader, int]:
    """Return the header that starts at `offset`, and the offset after it."""
    if offset + _FIXED_SIZE > len(octets):
        raise TruncatedError("NWK header expected", offset=len(octets), data=octets)
    control, destination, source, radius, sequence = _FIXED.unpack_from(octets, offset)
    if control & 0x3E != _VERSION:
        raise DecodeError(f"NWK frame control {control:04x} is not data or command of version 2", data=octets)
    end, kind, security = offset + _FIXED_SIZE, control & 1, control & _SECURITY != 0
    route, end_device = control >> 6 & 3, control & _END_DEVICE != 0
    if not control & _OPTIONAL:
        fields = (kind, destination, source, radius, sequence, security, route, end_device, None, None, None)
        return tuple.__new__(NwkHeader, fields), end
    if control & _MULTICAST:
        raise DecodeError("NWK multicast is not handled", offset=offset, data=octets)
    destination_ieee = source_ieee = source_route = None
    if control & _DESTINATION_IEEE:
        destination_ieee, end = _read_eui(octets, end)
    if control & _SOURCE_IEEE:
        source_ieee, end = _read_eui(octets, end)
    if control & _SOURCE_ROUTE:
        source_route, end = _read_source_route(octets, end)
    fixed = (kind, destination, source, radius, sequence, security, route, end_device)
    return NwkHeader(*fixed, destination_ieee, source_ieee, source_route), end


def with_radius(header: bytes, radius: int) -> bytes:
    """Return the octets of a header with another radius, all else untouched: what a router relays."""
    return header[:6] + bytes((radius,)) + header[7:]


def with_relay_index(header: bytes, relays: int, index: int) -> bytes:
    """Return the octets of a header that ends with a source route of `relays`, with another relay index."""
    at = len(header) - 2 * relays - 1
    return header[:at] + bytes((index,)) + header[at + 1 :]


def _read_eui(octets: bytes, at: int) -> tuple[Eui64, int]:
    end = at + 8
    if end > len(octets):
        raise TruncatedError("IEEE address expected", offset=len(octets), data=octets)
    return Eui64.from_wire(octets[at:end]), end


def _read_source_route(octets: bytes, at: int) -> tuple[SourceRoute, int]:
    if at + 2 > len(octets):
        raise TruncatedError("source route expected", offset=len(octets), data=octets)
    relays, index = octets[at], octets[at + 1]
    end = at + 2 + 2 * relays
    if end > len(octets):
        raise TruncatedError("relays of the source route expected", offset=len(octets), data=octets)
    return SourceRoute(index, struct.unpack_from(f"<{relays}H", octets, at + 2)), end
