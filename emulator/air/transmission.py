"""A frame queued at a radio or on the air."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.air.radio import SimulatedRadio
    from protocols.interfaces import Handle


class OnAir:
    """What a band knows of a frame or an acknowledgement while it is sent."""

    __slots__ = ("channel", "end", "octets", "overlaps", "radio", "start")

    def __init__(self, octets: bytes, radio: SimulatedRadio, channel: int, start: int, end: int) -> None:
        """octets: FCS included. start, end: ns."""
        self.octets, self.radio, self.channel, self.start, self.end = octets, radio, channel, start, end
        self.overlaps: tuple[OnAir, ...] = ()  # others on the channel at the same time


class Transmission(OnAir):
    """A frame of a radio's user, with what CSMA-CA knows of it."""

    __slots__ = ("aborted", "backoffs", "csma", "handle", "retries")

    channel: int
    start: int
    end: int
    backoffs: int  # so far, after assessments that found the channel busy

    def __init__(self, octets: bytes, radio: SimulatedRadio, handle: Handle, csma: bool, retries: int) -> None:
        self.octets, self.radio, self.handle, self.csma, self.retries = octets, radio, handle, csma, retries
        self.overlaps = ()
        self.aborted = False
