"""Classic capture files of IEEE 802.15.4 frames, as sniffers write them; and either format.

Source: draft-ietf-opsawg-pcap.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

from protocols.errors import DecodeError, TruncatedError
from protocols.link_types import unwrapping
from protocols.pcapng import CapturedFrame
from protocols.pcapng import read_frames as read_pcapng

NETWORK = "sniffer"  # the only one: a classic file names none

_HEADER_OCTETS, _RECORD_OCTETS = 24, 16
_LINK_TYPE_BITS = 0xFFFF  # the rest tells of FCS octets of other link types
_MOST_OCTETS = 262_144  # of one record: Wireshark's limit
_MAGIC: Final = {  # octets -> byte order, ns of one unit of the second field of a time
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}


def read_frames(file: BinaryIO) -> Iterator[CapturedFrame]:
    """Yield the frames of a classic capture file, with FCS.

    Raises DecodeError for a file that is not one or has another link type, TruncatedError when it stops early.
    """
    head = file.read(_HEADER_OCTETS)
    if head[:4] not in _MAGIC:
        raise DecodeError("not a pcap file", data=head)
    if len(head) < _HEADER_OCTETS:
        raise TruncatedError("the file header expected", offset=len(head), data=head)
    order, unit = _MAGIC[head[:4]]
    unwrap = unwrapping(struct.unpack_from(order + "I", head, 20)[0] & _LINK_TYPE_BITS, 20)
    number, position = 0, _HEADER_OCTETS
    while record := file.read(_RECORD_OCTETS):
        if len(record) < _RECORD_OCTETS:
            raise TruncatedError("the file stops inside a record", offset=position + len(record), data=record)
        seconds, fraction, captured, original = struct.unpack(order + "IIII", record)
        number += 1
        if captured != original or captured > _MOST_OCTETS:
            raise DecodeError(f"frame {number} is cut short", offset=position)
        octets = file.read(captured)
        if len(octets) < captured:
            raise TruncatedError("the file stops inside a frame", offset=position + _RECORD_OCTETS + len(octets))
        frame = unwrap(octets)
        if frame is not None:
            yield CapturedFrame(number, NETWORK, seconds * 1_000_000_000 + fraction * unit, frame, "")
        position += _RECORD_OCTETS + captured


def read_any(file: BinaryIO) -> Iterator[CapturedFrame]:
    """Yield the frames of a pcapng or a classic capture file, which must be one that can be rewound."""
    magic = file.read(4)
    file.seek(0)
    return read_frames(file) if magic in _MAGIC else read_pcapng(file)
