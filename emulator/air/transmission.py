"""A frame queued at a radio or on the air."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.air.radio import SimulatedRadio
    from protocols.interfaces import Handle

TYPE, ACK_REQUEST, COMPRESSED = 0x07, 0x20, 0x40  # frame control, first octet
BEACON, ACKNOWLEDGEMENT, COMMAND = 0, 2, 3  # frame types
PENDING = 0x10
NONE, SHORT, EXTENDED = 0, 2, 3  # addressing modes
BROADCAST = 0xFFFF
_DATA_REQUEST = 4  # MAC command
_PAN_AND_SHORT, _PAN_AND_EXTENDED = struct.Struct("<HH"), struct.Struct("<HQ")
_ADDRESS_SIZE = {NONE: 0, SHORT: 2, EXTENDED: 8}


class OnAir:
    """What a band knows of a frame or an acknowledgement while it is sent."""

    __slots__ = ("channel", "end", "octets", "overlaps", "radio", "start")

    def __init__(self, octets: bytes, radio: SimulatedRadio, channel: int, start: int, end: int) -> None:
        """octets: FCS included. start, end: ns."""
        self.octets, self.radio, self.channel, self.start, self.end = octets, radio, channel, start, end
        self.overlaps: tuple[OnAir, ...] = ()  # others on the channel at the same time


class Transmission(OnAir):
    """A frame of a radio's user, and what radios need to know of it, read once."""

    __slots__ = (
        "aborted", "ack_request", "address", "backoffs", "csma", "exponent", "handle", "mode", "pan", "retries",
        "sequence", "source",
    )  # fmt: skip

    backoffs: int
    exponent: int

    def __init__(self, octets: bytes, radio: SimulatedRadio, handle: Handle, *, csma: bool, retries: int) -> None:
        """Read from `octets` (FCS included) what address filters and acknowledgements need."""
        self.octets, self.radio, self.handle, self.csma, self.retries = octets, radio, handle, csma, retries
        self.overlaps, self.aborted, self.source = (), False, -1
        first = octets[0]
        self.ack_request, self.sequence = first & ACK_REQUEST != 0, octets[2]
        self.mode = mode = octets[1] >> 2 & 3
        if mode == SHORT:
            self.pan, self.address = _PAN_AND_SHORT.unpack_from(octets, 3)
        elif mode == EXTENDED:
            self.pan, self.address = _PAN_AND_EXTENDED.unpack_from(octets, 3)
        else:
            self.pan = self.address = BROADCAST
            if first & TYPE != ACKNOWLEDGEMENT:
                self.pan = octets[3] | octets[4] << 8  # of the source: no destination is present
        if first & TYPE == COMMAND:
            self._read_data_request()

    def _read_data_request(self) -> None:
        """Set `source` of a data request, which is acknowledged with the pending bit."""
        octets = self.octets
        mode = octets[1] >> 6
        at = 3 + (2 + _ADDRESS_SIZE[self.mode] if self.mode else 0)
        if not (octets[0] & COMPRESSED and self.mode):
            at += 2
        end = at + _ADDRESS_SIZE.get(mode, 0)
        if octets[end] == _DATA_REQUEST and mode:
            self.source = int.from_bytes(octets[at:end], "little")
