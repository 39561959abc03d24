"""What captures put around IEEE 802.15.4 frames, by link type: bare frames, TAP headers, and ZEP over UDP.

Our own captures have link type 195; the others are what sniffers of a lab write.
Source: draft-ietf-opsawg-pcaplinktype, the description of LINKTYPE_IEEE802_15_4_TAP, Wireshark's ZEP dissector.
"""

import struct
from collections.abc import Callable
from typing import Final

from protocols.errors import DecodeError
from protocols.mac.frame import FCS_SIZE, fcs

WITH_FCS: Final = 195
_NO_FCS: Final = 230  # some sniffers drop the FCS they checked
_TAP: Final = 283
_ETHERNET: Final = 1

Unwrap = Callable[[bytes], bytes | None]

_TAP_HEADER = struct.Struct("<BxH")  # version, octets of the header with its fields
_TAP_FIELD = struct.Struct("<HH")  # type, octets; then the value, filled up to a multiple of four
_TAP_FCS_TYPE, _FCS_16 = 0, 1
_IPV4, _VLAN, _UDP = 0x0800, 0x8100, 17
_UDP_OCTETS = 8
_ZEP_PORT = 17_754
_ZEP_OCTETS: Final = {1: 16, 2: 32}  # header of a frame, by version
_ZEP_DATA = 1  # type, in version 2
_CRC_OK = 0x80  # in the octet after the level, where a chip overwrites the FCS


def unwrapping(link_type: int, position: int) -> Unwrap:
    """Return what gives the frame with FCS in a packet of `link_type`, None for a packet that carries none.

    It raises DecodeError for a packet that contradicts itself. So does this for another link type, at `position`.
    """
    found = _BY_LINK_TYPE.get(link_type)
    if found is None:
        known = ", ".join(str(number) for number in sorted(_BY_LINK_TYPE))
        raise DecodeError(f"link type {link_type}; those with IEEE 802.15.4 frames: {known}", offset=position)
    return found


def _with_fcs(octets: bytes) -> bytes:
    return octets


def _put_in(octets: bytes) -> bytes:
    return octets + fcs(octets)


def _tap(octets: bytes) -> bytes:
    """Fields of the receiver go before the frame; one of them tells of the FCS, which is absent without it."""
    if len(octets) < _TAP_HEADER.size:
        raise DecodeError("a TAP header expected", data=octets)
    version, size = _TAP_HEADER.unpack_from(octets)
    if version or not _TAP_HEADER.size <= size <= len(octets):
        raise DecodeError(f"a TAP header of version {version}, {size} octets", data=octets)
    at, kind = _TAP_HEADER.size, 0
    while at + _TAP_FIELD.size <= size:
        field, length = _TAP_FIELD.unpack_from(octets, at)
        at += _TAP_FIELD.size
        if field == _TAP_FCS_TYPE and length and at < size:
            kind = octets[at]
        at += length + -length % 4
    frame = octets[size:]
    if kind not in (0, _FCS_16):
        raise DecodeError(f"FCS type {kind} of a TAP header, none or 16 bits expected", data=octets)
    return frame if kind else _put_in(frame)


def _ethernet(octets: bytes) -> bytes | None:
    """Return the frame of a ZEP datagram over IPv4; the rest of what is on an Ethernet carries none."""
    at = 12
    while int.from_bytes(octets[at : at + 2]) == _VLAN:
        at += 4
    ip = octets[at + 2 :]
    if int.from_bytes(octets[at : at + 2]) != _IPV4 or len(ip) < 20 or ip[9] != _UDP:
        return None
    udp = ip[(ip[0] & 0x0F) * 4 :]
    if _ZEP_PORT not in struct.unpack_from(">HH", udp.ljust(_UDP_OCTETS, b"\0")):
        return None
    return _zep(udp[_UDP_OCTETS : int.from_bytes(udp[4:6])])


def _zep(octets: bytes) -> bytes | None:
    """Return the frame of a ZEP datagram. Without its FCS the sniffer's word counts, in the octets where it was."""
    size = _ZEP_OCTETS.get(octets[2]) if octets[:2] == b"EX" and len(octets) > 3 else None
    if size is None or (octets[2] == 2 and octets[3] != _ZEP_DATA):
        return None
    if len(octets) < size:
        raise DecodeError("a ZEP header expected", data=octets)
    mode = octets[6] if octets[2] == 1 else octets[7]
    frame = octets[size:]
    if len(frame) != octets[size - 1] & 0x7F or len(frame) < FCS_SIZE:
        raise DecodeError("a ZEP datagram of another length than it says", data=octets)
    if mode:
        return frame
    good = fcs(frame[:-FCS_SIZE])
    return frame[:-FCS_SIZE] + (good if frame[-1] & _CRC_OK else bytes(octet ^ 0xFF for octet in good))


_BY_LINK_TYPE: Final[dict[int, Unwrap]] = {_ETHERNET: _ethernet, WITH_FCS: _with_fcs, _NO_FCS: _put_in, _TAP: _tap}
