"""A frame queued at a radio or on the air."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.air.timing import MIN_BE
from protocols.interfaces import Handle

if TYPE_CHECKING:
    from emulator.air.radio import SimulatedRadio

TYPE, ACK_REQUEST, COMPRESSED = 0x07, 0x20, 0x40  # frame control, first octet
BEACON, ACKNOWLEDGEMENT, COMMAND = 0, 2, 3  # frame types
PENDING = 0x10
NONE, SHORT, EXTENDED = 0, 2, 3  # addressing modes
BROADCAST = 0xFFFF
_DATA_REQUEST = 4  # MAC command
_ADDRESS_SIZE = {NONE: 0, SHORT: 2, EXTENDED: 8}


class Transmission:
    """What radios need to know of a frame, read once."""

    __slots__ = (
        "aborted",
        "ack_request",
        "address",
        "backoffs",
        "channel",
        "csma",
        "end",
        "exponent",
        "handle",
        "mode",
        "octets",
        "overlaps",
        "pan",
        "radio",
        "retries",
        "sequence",
        "source",
        "start",
    )  # fmt: skip

    radio: SimulatedRadio
    channel: int
    start: int
    end: int

    def __init__(self, octets: bytes) -> None:
        """Read from `octets` (FCS included) what address filters and acknowledgements need."""
        self.octets = octets
        self.overlaps: list[Transmission] = []
        self.aborted = False
        self.handle, self.csma, self.retries, self.backoffs, self.exponent = Handle(0), True, 0, 0, MIN_BE
        self.ack_request = bool(octets[0] & ACK_REQUEST)
        self.sequence = octets[2]
        self.mode = mode = octets[1] >> 2 & 3
        self.pan, self.address, self.source = BROADCAST, BROADCAST, -1
        if mode == SHORT:
            self.pan = octets[3] | octets[4] << 8
            self.address = octets[5] | octets[6] << 8
        elif mode == EXTENDED:
            self.pan = octets[3] | octets[4] << 8
            self.address = int.from_bytes(octets[5:13], "little")
        elif octets[0] & TYPE != ACKNOWLEDGEMENT:
            self.pan = octets[3] | octets[4] << 8  # of the source: no destination is present
        if octets[0] & TYPE == COMMAND:
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
