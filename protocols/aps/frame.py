"""Zigbee application support sublayer header: data, command and acknowledgement frames, fragments.

Little-endian. Source: Zigbee 05-3474 2.2.5.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from protocols.errors import DecodeError, TruncatedError

_DATA = struct.Struct("<BBHHBB")
_DATA_SIZE = 8
_DELIVERY = 0x0C
_ACK_FORMAT = 0x10
_SECURITY = 0x20
_ACK_REQUEST = 0x40
_EXTENDED = 0x80
_UNUSUAL = 0xFF & ~(_SECURITY | _ACK_REQUEST)  # bits of the frame control
_new = tuple.__new__


class FrameType(IntEnum):
    DATA = 0
    COMMAND = 1
    ACKNOWLEDGEMENT = 2


class DeliveryMode(IntEnum):
    UNICAST = 0
    BROADCAST = 2
    GROUP = 3


class Fragmentation(IntEnum):
    NONE = 0
    FIRST = 1  # block_number is the number of blocks
    OTHER = 2  # block_number is the index of the block, from 1


class ApsHeader(NamedTuple):
    """What precedes the auxiliary header or the payload.

    A command, and the acknowledgement of one, has a counter only; its endpoints, cluster and profile are 0. For a frame
    to a group `destination_endpoint` holds the group's 16 bits.
    """

    frame_type: int  # FrameType
    destination_endpoint: int  # 8 bits
    cluster: int  # 16 bits
    profile: int  # 16 bits
    source_endpoint: int  # 8 bits
    counter: int  # 8 bits
    security: bool = False
    ack_request: bool = False
    delivery_mode: int = 0  # DeliveryMode
    ack_format: bool = False  # acknowledgement of a command
    fragmentation: int = 0  # Fragmentation
    block_number: int = 0  # 8 bits
    ack_bitfield: int = 0  # 8 bits, bit n: block n of the window has come; acknowledgements of fragments only

    def encode(self) -> bytes:
        control = self.frame_type | self.delivery_mode << 2
        if self.security:
            control |= _SECURITY
        if self.ack_request:
            control |= _ACK_REQUEST
        if self.frame_type == FrameType.COMMAND:
            return bytes((control, self.counter))
        if self.ack_format:
            return bytes((control | _ACK_FORMAT, self.counter))
        extension = b""
        if self.fragmentation:
            control |= _EXTENDED
            extension = bytes((self.fragmentation, self.block_number))
            if self.frame_type == FrameType.ACKNOWLEDGEMENT:
                extension += bytes((self.ack_bitfield,))
        to, rest = self.destination_endpoint, (self.cluster, self.profile, self.source_endpoint, self.counter)
        if self.delivery_mode == DeliveryMode.GROUP:
            return struct.pack("<BHHHBB", control, to, *rest) + extension
        return _DATA.pack(control, to, *rest) + extension


def data_header(
    destination_endpoint: int,
    cluster: int,
    profile: int,
    source_endpoint: int,
    counter: int,
    *,
    security: bool,
    ack_request: bool,
) -> bytes:
    """Return the octets of the header of an unfragmented unicast data frame."""
    control = (_SECURITY if security else 0) | (_ACK_REQUEST if ack_request else 0)
    return _DATA.pack(control, destination_endpoint, cluster, profile, source_endpoint, counter)


def acknowledgement_of(
    header: ApsHeader, block_number: int = 0, ack_bitfield: int = 1, *, security: bool = False
) -> ApsHeader:
    """Return the header of the acknowledgement of a data or command frame just received.

    For a fragment `block_number` is the first of its window and `ack_bitfield` tells which blocks from there came.
    """
    command = header.frame_type == FrameType.COMMAND
    fragmentation = Fragmentation.FIRST if header.fragmentation else Fragmentation.NONE
    return ApsHeader(
        FrameType.ACKNOWLEDGEMENT,
        header.source_endpoint,
        header.cluster,
        header.profile,
        header.destination_endpoint,
        header.counter,
        security,
        ack_format=command,
        fragmentation=fragmentation,
        block_number=block_number if header.fragmentation else 0,
        ack_bitfield=ack_bitfield if header.fragmentation else 0,
    )


def decode_header(octets: bytes, offset: int = 0) -> tuple[ApsHeader, int]:
    """Return the header that starts at `offset`, and the offset after it."""
    end = offset + _DATA_SIZE
    if end <= len(octets):
        control, to, cluster, profile, source, counter = _DATA.unpack_from(octets, offset)
        if not control & _UNUSUAL:
            security, ack = control & _SECURITY != 0, control & _ACK_REQUEST != 0
            return _new(ApsHeader, (0, to, cluster, profile, source, counter, security, ack, 0, False, 0, 0, 0)), end
    return _decode_any(octets, offset)


def _decode_any(octets: bytes, offset: int) -> tuple[ApsHeader, int]:
    if offset >= len(octets):
        raise TruncatedError("APS header expected", offset=len(octets), data=octets)
    control = octets[offset]
    kind, delivery = control & 3, control >> 2 & 3
    if kind == 3 or delivery == 1:
        raise DecodeError(f"APS frame control {control:02x} is not handled", offset=offset, data=octets)
    security, ack = bool(control & _SECURITY), bool(control & _ACK_REQUEST)
    ack_format = kind == FrameType.ACKNOWLEDGEMENT and bool(control & _ACK_FORMAT)
    if kind == FrameType.COMMAND or ack_format:
        if control & _EXTENDED:
            raise DecodeError("an APS command with extended header", offset=offset, data=octets)
        if offset + 2 > len(octets):
            raise TruncatedError("APS counter expected", offset=len(octets), data=octets)
        counter = octets[offset + 1]
        return ApsHeader(kind, 0, 0, 0, 0, counter, security, ack, delivery, ack_format), offset + 2
    layout = "<xHHHBB" if delivery == DeliveryMode.GROUP else "<xBHHBB"
    end = offset + struct.calcsize(layout)
    if end > len(octets):
        raise TruncatedError("APS header expected", offset=len(octets), data=octets)
    to, cluster, profile, source, counter = struct.unpack_from(layout, octets, offset)
    extension = (0, 0, 0)
    if control & _EXTENDED:
        extension, end = _read_extension(octets, end, acknowledges=kind == FrameType.ACKNOWLEDGEMENT)
    return ApsHeader(kind, to, cluster, profile, source, counter, security, ack, delivery, False, *extension), end


def _read_extension(octets: bytes, at: int, *, acknowledges: bool) -> tuple[tuple[int, int, int], int]:
    """Return fragmentation, block number and bit field, and the offset after them."""
    if at >= len(octets):
        raise TruncatedError("APS extended header expected", offset=len(octets), data=octets)
    fragmentation = octets[at] & 3
    if fragmentation == 0:
        return (0, 0, 0), at + 1
    if fragmentation == 3:
        raise DecodeError("reserved fragmentation", offset=at, data=octets)
    end = at + (3 if acknowledges else 2)
    if end > len(octets):
        raise TruncatedError("APS extended header expected", offset=len(octets), data=octets)
    return (fragmentation, octets[at + 1], octets[at + 2] if acknowledges else 0), end
