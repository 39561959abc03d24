"""A frame queued at a radio or on the air, or an acknowledgement."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.air.radio import SimulatedRadio
    from protocols.interfaces import Handle


class Transmission:
    """What its radio and its band know of it. An acknowledgement goes out without CSMA-CA and retries."""

    __slots__ = (
        "aborted", "backoffs", "channel", "csma", "end", "handle", "octets", "overlaps", "radio", "retries", "start",
    )  # fmt: skip

    channel: int
    start: int  # ns
    end: int
    backoffs: int  # so far, after assessments that found the channel busy

    def __init__(self, octets: bytes, radio: SimulatedRadio, handle: Handle, csma: bool, retries: int) -> None:
        """octets: FCS included."""
        self.octets, self.radio, self.handle, self.csma, self.retries = octets, radio, handle, csma, retries
        self.overlaps: tuple[Transmission, ...] = ()  # others on the channel at the same time
        self.aborted = False
