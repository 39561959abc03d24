"""What spoils frames beside noise and other frames: bursts at a receiver, and jammers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from protocols.errors import UsageError
from protocols.interfaces import SECOND

if TYPE_CHECKING:
    from emulator.air.radio import SimulatedRadio
    from protocols.interfaces import Random


class Bursts(NamedTuple):
    """Interference that comes and goes by chance: in a burst every frame of a link is lost. Times in ns."""

    every: int = 60 * SECOND  # mean pause between two
    longest: int = 2 * SECOND  # each lasts from nothing to so long, all lengths alike


class BurstTimes:
    """The bursts of one direction of a link, drawn as time goes on."""

    __slots__ = ("_begin", "_bursts", "_end", "_random")

    def __init__(self, bursts: Bursts, random: Random, now: int) -> None:
        if bursts.every < 1 or bursts.longest < 1:
            raise UsageError("bursts have a pause and a length")
        self._bursts, self._random = bursts, random
        self._begin = self._end = now
        self._draw()

    def cover(self, start: int, end: int) -> bool:
        """Return whether a burst falls into `start` to `end`; asked in order of time."""
        while self._end <= start:
            self._draw()
        return self._begin < end

    def _draw(self) -> None:
        self._begin = self._end + 1 + self._random.randrange(0, 2 * self._bursts.every)
        self._end = self._begin + 1 + self._random.randrange(0, self._bursts.longest)


@dataclass(slots=True)
class Jammer:
    """A source of noise on some channels, from `start` on for `duration` ns, again each `every` ns if that is given.

    `levels`: how strong it is at a radio, dBm; a radio it does not name does not hear it.
    """

    name: str
    channels: tuple[int, ...]
    start: int  # ns
    duration: int  # ns
    every: int | None = None  # ns
    levels: dict[SimulatedRadio, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.duration < 1 or (self.every is not None and self.every <= self.duration):
            raise UsageError(f"jammer {self.name!r} never ends or never begins")

    def spans(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Return when it is on between `begin` and `end`."""
        every = self.every
        turn = 0 if every is None else max(0, (begin - self.start) // every)
        found = list[tuple[int, int]]()
        while True:
            on = self.start + turn * (every or 0)
            if on >= end:
                return found
            if on + self.duration > begin:
                found.append((max(on, begin), min(on + self.duration, end)))
            if every is None:
                return found
            turn += 1
