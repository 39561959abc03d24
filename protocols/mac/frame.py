"""IEEE 802.15.4 MAC frames without MAC security, as Zigbee uses them.

Octets here are without FCS, as `protocols.interfaces.RadioLink` takes them; `fcs` and `has_good_fcs` serve captures.
Little-endian; the frame version is sent as 0 (2003), 0 and 1 are accepted. Source: IEEE 802.15.4-2006 7.2.
"""

import struct
from binascii import crc_hqx
from enum import IntEnum
from typing import Final, NamedTuple

from protocols.addresses import Eui64, ShortAddress
from protocols.errors import DecodeError, TruncatedError, UsageError

MAXIMUM_SIZE = 127  # octets, with FCS
FCS_SIZE = 2  # octets
BROADCAST_PAN = 0xFFFF

_TYPE = 0x0007
_SECURITY = 0x0008
PENDING = 0x0010
ACK_REQUEST = 0x0020
_COMPRESSION = 0x0040
_NONE, _SHORT, _EXTENDED = 0, 2, 3
# Data frame, both addresses short, one PAN id: all bits but pending, ack request and the low one of the version.
PLAIN_DATA_MASK, PLAIN_DATA = 0xEC4F, 0x8841
UNICAST = PLAIN_DATA | ACK_REQUEST  # frame control of such a frame to one node
_VERSION_2 = 0x2000
PLAIN = struct.Struct("<HBHHH")
_START = struct.Struct("<HB")
_REVERSED: Final = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


class FrameType(IntEnum):
    BEACON = 0
    DATA = 1
    ACKNOWLEDGEMENT = 2
    COMMAND = 3


class MacFrame(NamedTuple):
    """One frame. A short address is a plain number, an extended one an `Eui64`, an absent one None."""

    frame_type: int  # FrameType
    sequence: int  # 8 bits
    destination_pan: int | None  # 16 bits
    destination: ShortAddress | Eui64 | None
    source_pan: int | None  # 16 bits; equal to destination_pan when sent only once
    source: ShortAddress | Eui64 | None
    payload: bytes
    ack_request: bool = False
    frame_pending: bool = False

    @classmethod
    def decode(cls, octets: bytes) -> "MacFrame":
        """Read a frame without FCS. DecodeError for MAC security, reserved types, modes and versions."""
        if len(octets) >= 9:
            control, sequence, pan, destination, source = PLAIN.unpack_from(octets)
            if control & PLAIN_DATA_MASK == PLAIN_DATA:
                ack, pending = control & ACK_REQUEST != 0, control & PENDING != 0
                return tuple.__new__(cls, (1, sequence, pan, destination, pan, source, octets[9:], ack, pending))
        return _decode_any(octets)

    def encode(self) -> bytes:
        """Return the octets without FCS; the PAN id is sent once where both are the same."""
        control, addresses = self.frame_type, b""
        compressed = False
        if self.destination is not None:
            mode, octets = _address(self.destination, self.destination_pan)
            control, addresses = control | mode << 10, octets
            compressed = self.source is not None and self.source_pan == self.destination_pan
        if self.source is not None:
            mode, octets = _address(self.source, self.source_pan)
            control, addresses = control | mode << 14, addresses + (octets[2:] if compressed else octets)
        control |= self.ack_request and ACK_REQUEST
        control |= self.frame_pending and PENDING
        control |= compressed and _COMPRESSION
        return _START.pack(control, self.sequence) + addresses + self.payload


def data_frame(sequence: int, pan: int, destination: int, source: int, payload: bytes, *, ack_request: bool) -> bytes:
    """Return the octets of a data frame between short addresses of one PAN, without FCS."""
    return PLAIN.pack(0x8861 if ack_request else 0x8841, sequence, pan, destination, source) + payload


def acknowledgement(sequence: int, *, pending: bool) -> bytes:
    """Return the octets of an acknowledgement, without FCS."""
    return _START.pack(0x0012 if pending else 0x0002, sequence)


def fcs(frame: bytes) -> bytes:
    """Return the frame check sequence of `frame`, 2 octets in wire order. Source: IEEE 802.15.4-2006 7.2.1.9."""
    return crc_hqx(frame.translate(_REVERSED), 0).to_bytes(2, "big").translate(_REVERSED)


def has_good_fcs(octets: bytes) -> bool:
    """Tell whether the last two of `octets` are the FCS of those before."""
    return len(octets) > FCS_SIZE and not crc_hqx(octets.translate(_REVERSED), 0)


def _address(address: ShortAddress | Eui64, pan: int | None) -> tuple[int, bytes]:
    """Return addressing mode and octets of PAN id and address."""
    if pan is None:
        raise UsageError("a MAC address without PAN id")
    if isinstance(address, Eui64):
        return _EXTENDED, pan.to_bytes(2, "little") + address.wire
    return _SHORT, pan.to_bytes(2, "little") + address.to_bytes(2, "little")


def _decode_any(octets: bytes) -> MacFrame:
    if len(octets) < 3:
        raise TruncatedError("MAC header expected", offset=len(octets), data=octets)
    control, sequence = _START.unpack_from(octets)
    if control & _SECURITY:
        raise DecodeError("MAC security is not used by Zigbee", data=octets)
    if control & _TYPE > FrameType.COMMAND or control & _VERSION_2:
        raise DecodeError(f"MAC frame control {control:04x} is reserved", data=octets)
    compressed = bool(control & _COMPRESSION)
    to_mode, from_mode = control >> 10 & 3, control >> 14
    if compressed and not (to_mode and from_mode):
        raise DecodeError("PAN id compression without both addresses", data=octets)
    destination_pan, destination, offset = _read_address(octets, 3, to_mode, None)
    source_pan, source, offset = _read_address(octets, offset, from_mode, destination_pan if compressed else None)
    return MacFrame(
        control & _TYPE,
        sequence,
        destination_pan,
        destination,
        source_pan,
        source,
        octets[offset:],
        bool(control & ACK_REQUEST),
        bool(control & PENDING),
    )


def _read_address(
    octets: bytes, offset: int, mode: int, known_pan: int | None
) -> tuple[int | None, ShortAddress | Eui64 | None, int]:
    """Return PAN id, address and the offset after them."""
    if mode == _NONE:
        return None, None, offset
    if mode not in (_SHORT, _EXTENDED):
        raise DecodeError("reserved addressing mode", data=octets)
    at = offset if known_pan is not None else offset + 2
    end = at + (2 if mode == _SHORT else 8)
    if end > len(octets):
        raise TruncatedError("MAC addresses expected", offset=len(octets), data=octets)
    pan = known_pan if known_pan is not None else int.from_bytes(octets[offset:at], "little")
    number = int.from_bytes(octets[at:end], "little")
    return pan, ShortAddress(number) if mode == _SHORT else Eui64(number), end
