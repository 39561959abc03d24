"""What a radio reads of a MAC header: enough to filter addresses and to acknowledge. Source: IEEE 802.15.4-2015 7.2."""

from typing import Final

TYPE, ACK_REQUEST, _COMPRESSED = 0x07, 0x20, 0x40  # frame control, first octet
BEACON, ACKNOWLEDGEMENT, COMMAND = 0, 2, 3  # frame types
PENDING = 0x10
TO_MODE, TO_SHORT, TO_EXTENDED = 0x0C, 0x08, 0x0C  # second octet: addressing mode of the destination
BROADCAST, TO_ALL = 0xFFFF, b"\xff\xff"  # as a number, as octets

_NONE, _SHORT = 0, 2  # addressing modes
_ADDRESS_SIZE: Final = {_NONE: 0, _SHORT: 2, 3: 8}
_MODES = 0xCC  # second octet: both addressing modes
_DATA_REQUEST = 4  # MAC command


def _size(index: int) -> int:
    """Return the octets of a header; `index`: the addressing modes as they stand, bit 0 set for one PAN id."""
    to, source = index >> 2 & 3, index >> 6
    pans = (to != _NONE) + (source != _NONE and not (index & 1 and to != _NONE))
    return 3 + 2 * pans + _ADDRESS_SIZE.get(to, 0) + _ADDRESS_SIZE.get(source, 0)


_SIZES: Final = tuple(_size(index) for index in range(256))
LONGEST_HEADER = max(_SIZES)  # octets


def header_size(frame: bytes) -> int:
    """Return how many octets a frame of at least 3 needs for its addresses and what precedes them."""
    return _SIZES[frame[1] & _MODES | frame[0] >> 6 & 1]


def asks_for_data(octets: bytes) -> int | None:
    """Return the source if a MAC command is a data request, which is acknowledged with the pending bit; else None."""
    size, mode = header_size(octets), octets[1] >> 6
    if octets[size] != _DATA_REQUEST or mode == _NONE:
        return None
    return int.from_bytes(octets[size - _ADDRESS_SIZE.get(mode, 0) : size], "little")
