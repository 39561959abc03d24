"""A stretch of spectrum: what is on the air, who disturbs it, and where its radios stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from emulator.air.signal import NOISE_FLOOR, dbm, milliwatts
from emulator.air.timing import CCA, TURNAROUND

if TYPE_CHECKING:
    from emulator.air.disturbance import Bursts, Jammer
    from emulator.air.propagation import Obstacle, PathLoss, Point
    from emulator.air.radio import SimulatedRadio
    from emulator.air.transmission import Transmission

_LOOK_BACK = TURNAROUND + CCA  # from the start of a frame to the begin of its assessment


@dataclass(frozen=True, slots=True)
class AirSettings:
    """Levels in dBm, ratios in dB."""

    capture: float | None = 3.0
    """A frame survives others at the same time if it is so much stronger than all of them together; None: never."""
    energy_threshold: float = -75.0
    """Energy from which a channel without frames counts as busy: 10 dB above -85 dBm, IEEE 802.15.4-2015 10.2.8."""
    weakest: float = float(NOISE_FLOOR)
    """Below this level a signal is not heard at all: neither received nor in the way of another."""


class Stand(NamedTuple):
    """Where a radio stands, and what its surroundings do to what it hears."""

    at: Point
    power: float  # dBm it sends with
    path: PathLoss
    loss: float
    bursts: Bursts | None


class Band:
    """Shared by the radio networks made for it; transmissions on different channels never meet."""

    __slots__ = (
        "addresses", "contending", "jammers", "name", "obstacles", "on_air", "presumed", "quiet_from", "settings",
        "sources", "standing",
    )  # fmt: skip

    def __init__(self, name: str, settings: AirSettings) -> None:
        self.name, self.settings = name, settings
        self.on_air: list[Transmission] = []
        self.quiet_from = 0  # ns: end of the last of them
        self.contending = 0  # frames between the begin of their CSMA-CA and their end
        self.presumed: Transmission | None = None  # the only one of them, see `settle`
        self.addresses = 0  # how often a radio has changed its addresses
        self.jammers: list[Jammer] = []
        self.standing: dict[SimulatedRadio, Stand] = {}
        self.sources: list[tuple[Jammer, Stand]] = []  # jammers that stand somewhere
        self.obstacles: list[Obstacle] = []

    def settle(self, now: int) -> None:
        """Decide about the frame that was presumed to find the channel clear, before something else happens here.

        Where one frame alone contends, nothing is on the air that it could hear, and its assessment needs no event of
        its own. Another that contends before the end of that assessment makes it one; later it finds the frame on the
        air.
        """
        out, self.presumed = self.presumed, None
        if out is not None:
            out.radio.assess(out, out.start - TURNAROUND, now)

    def begin(self, new: Transmission) -> None:
        """Put a frame on the air, its start at most a turnaround ahead, and note what it overlaps."""
        start, quiet_from = new.start, self.quiet_from
        if quiet_from < start:  # as where one pair of radios speaks: all before is over
            if quiet_from < start - _LOOK_BACK:
                self.on_air.clear()
            self.on_air.append(new)
            self.quiet_from = new.end
            return
        over = start - _LOOK_BACK
        on_air = [other for other in self.on_air if other.end >= over and other is not new]
        for other in on_air:
            if other.channel == new.channel and other.end > new.start and new.end > other.start:
                new.overlaps += (other,)
                other.overlaps += (new,)
        on_air.append(new)
        self.on_air = on_air
        if new.end > self.quiet_from:
            self.quiet_from = new.end

    def busy(self, radio: SimulatedRadio, channel: int, now: int) -> bool:
        """Return whether the assessment of `radio` that ends now found the channel busy, by a frame or by energy."""
        if now < self.quiet_from + CCA:
            for other in self.on_air:
                if other.channel == channel and other.start < now < other.end + CCA and radio in other.radio.links:
                    return True
        return bool(self.jammers) and self._jammed(radio, channel, now - CCA, now) >= self.settings.energy_threshold

    def _jammed(self, radio: SimulatedRadio, channel: int, begin: int, end: int) -> float:
        """Return the strongest level of a jammer at `radio` in a time, in dBm."""
        levels = [
            jammer.levels[radio]
            for jammer in self.jammers
            if radio in jammer.levels and channel in jammer.channels and jammer.spans(begin, end)
        ]
        return max(levels, default=float(NOISE_FLOOR))

    def energy(self, radio: SimulatedRadio, channel: int, now: int) -> int:
        """Return all that `radio` hears on `channel` at an instant, noise included, in dBm."""
        if self.presumed is not None and self.presumed.start - TURNAROUND <= now:
            self.settle(now)
        power = milliwatts(NOISE_FLOOR)
        for other in self.on_air:
            if other.channel == channel and other.start <= now < other.end:
                link = other.radio.links.get(radio)
                if link is not None:
                    power += milliwatts(link.rssi)
        for jammer in self.jammers:
            if radio in jammer.levels and channel in jammer.channels and jammer.spans(now, now + 1):
                power += milliwatts(jammer.levels[radio])
        return round(dbm(power))
