"""What a meter counts: registers by tier, and the profile of half-hours that integrates to them.

Amounts are settled when somebody asks, and whenever the flow, the supply or the clock changes from outside: between
two such moments everything follows from the flow. Half-hours and days are those of the meter's own clock.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from emulator.consumption.flow import Flow, SwitchedLoad, total
from emulator.parts.journal import Journal
from protocols.interfaces import DAY, MINUTE, AdjustableClock, Clock

HALF_HOUR = 30 * MINUTE
PROFILE_DAYS = 396  # kept: thirteen months
_CELL, _PROFILE = "registers", "profile/"
_STATE = struct.Struct(">B16s16s9Q")
_VERSION = 1
_ENTRY = struct.Struct(">II")
_ABSENT = b"\xff" * _ENTRY.size
_PER_DAY = DAY // HALF_HOUR


class Interval(NamedTuple):
    """A half-hour of the profile, in whole units."""

    begin: int  # ns since 1970 UTC, of the meter's clock
    taken: int
    given: int


class Reading(NamedTuple):
    """All registers at one instant, in whole units."""

    taken: int
    given: int
    tiers: tuple[int, int]  # of `taken`
    tier: int  # in force, 1 or 2
    day_taken: int  # since the last midnight
    day_given: int
    previous_day_taken: int
    previous_day_given: int
    interval_begin: int  # ns since 1970 UTC
    interval_taken: int  # in the half-hour that runs


class Standing(NamedTuple):
    """Registers at the end of a day, in whole units."""

    taken: int
    given: int
    tiers: tuple[int, int]  # of `taken`


class _Day(NamedTuple):
    """Whole units at the beginning of a day, and in the day before."""

    taken: int = 0
    given: int = 0
    before_taken: int = 0
    before_given: int = 0


class Registers:
    """The registers of one element. Nothing is counted before `resume`, nor between `pause` and `resume`."""

    def __init__(
        self,
        flow: Flow,
        clock: Clock,
        wall: AdjustableClock,
        storage: Journal,
        *,
        unit: int,
        tier_of: Callable[[int], int] = lambda half_hour: 1,
        loads: tuple[SwitchedLoad, ...] = (),
        closed: Callable[[Interval], object] = lambda interval: None,
        name: str = "",
    ) -> None:
        """unit: flow times ns that make a whole unit, e.g. 3.6e12 W ns a Wh.

        tier_of(half-hour of the day): 1 or 2. closed: hears of each half-hour that is over. name: of the element, which
        tells its cells from another's.
        """
        self._flow, self._clock, self._wall, self._storage, self._unit = flow, clock, wall, storage, unit
        self._tier_of, self._loads, self._closed = tier_of, loads, closed
        self._cell, self._profile_cell = name + _CELL, name + _PROFILE
        self._running = False
        self._since = 0  # of the clock below, settled up to here
        self._taken = self._given = 0  # flow times ns
        self._begun = 0  # of the half-hour that runs, ns since 1970 UTC
        self._begun_taken = self._begun_given = 0  # whole units then
        self._tiers = [0, 0]  # whole units, of half-hours that are over
        self._day = _Day()
        self._profile: dict[int, list[tuple[int, int] | None]] = {}  # by number of the day
        for load in loads:
            load.attach(self.settle)

    # --- running -----------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Count from now on: the supply is there. Half-hours that passed without it hold nothing more."""
        if not self._running:
            known = self._load()
            self._running, self._since = True, self._clock.now()
            if not known:
                self._begin_anew(self._wall.utc())
            self.settle()

    def pause(self) -> None:
        """Count no more, and keep what was counted: the supply goes."""
        if self._running:
            self.settle()
            self._running = False
            self._save(())

    def clock_moved(self, by: int) -> None:
        """Go on after the meter's clock was set, by so many ns; half an hour or more begins a new half-hour."""
        if abs(by) >= HALF_HOUR and self._running:
            interval = self._close()
            self._begin_anew(self._wall.utc())
            self._save((interval,))
        self.settle()

    def settle(self) -> None:
        """Count up to now, and close the half-hours that are over."""
        if not self._running:
            return
        now, over = self._clock.now(), list[Interval]()
        while (at := self._wall.when(self._begun + HALF_HOUR)) <= now:
            self._count(max(at, self._since))
            over.append(self._close())
            self._begin(self._begun + HALF_HOUR)
        self._count(now)
        if over:
            self._save(over)
            for interval in over:
                self._closed(interval)

    def _count(self, until: int) -> None:
        amounts = self._flow.amounts(self._since, until, total(self._loads))
        self._taken += amounts.taken
        self._given += amounts.given
        self._since = until

    def _close(self) -> Interval:
        taken = self._taken // self._unit - self._begun_taken
        given = self._given // self._unit - self._begun_given
        number, within = divmod(self._begun, DAY)
        day = self._profile.setdefault(number, [None] * _PER_DAY)
        index = within // HALF_HOUR
        held = day[index] or (0, 0)  # a clock set back comes here twice
        day[index] = (held[0] + taken, held[1] + given)
        self._tiers[self._tier_of(index) - 1] += taken
        return Interval(self._begun, taken, given)

    def _begin(self, utc: int) -> None:
        self._begun = utc
        self._begun_taken, self._begun_given = self._taken // self._unit, self._given // self._unit
        if utc % DAY == 0:
            before = (self._begun_taken - self._day.taken, self._begun_given - self._day.given)
            self._day = _Day(self._begun_taken, self._begun_given, *before)

    def _begin_anew(self, utc: int) -> None:
        self._begin(utc // HALF_HOUR * HALF_HOUR)

    # --- reading -----------------------------------------------------------------------------------------------

    def read(self) -> Reading:
        """Settle, and return all registers as they are now."""
        self.settle()
        taken, given = self._taken // self._unit, self._given // self._unit
        tier = self._tier_of(self._begun % DAY // HALF_HOUR)
        tiers = list(self._tiers)
        tiers[tier - 1] += taken - self._begun_taken
        return Reading(
            taken, given, (tiers[0], tiers[1]), tier, taken - self._day.taken, given - self._day.given,
            self._day.before_taken, self._day.before_given, self._begun, taken - self._begun_taken,
        )  # fmt: skip

    def at_end_of(self, number: int) -> Standing:
        """Return the registers as they stood when the day so many days after 1970-01-01 was over.

        Known as long as the profile reaches; for a day that is not over, as they are now.
        """
        now = self.read()
        if self._begun // DAY <= number:
            return Standing(now.taken, now.given, now.tiers)
        taken, given, tiers = self._begun_taken, self._begun_given, list(self._tiers)
        for later in range(number + 1, self._begun // DAY + 1):
            for index, entry in enumerate(self._profile.get(later, ())):
                if entry is not None:
                    taken, given = taken - entry[0], given - entry[1]
                    tiers[self._tier_of(index) - 1] -= entry[0]
        return Standing(taken, given, (tiers[0], tiers[1]))

    def rate(self) -> int:
        """Return the flow now, in its own unit; 0 without supply."""
        return self._flow.rate(self._clock.now()) + total(self._loads) if self._running else 0

    def profile(self, end: int, count: int) -> list[Interval]:
        """Return up to `count` half-hours, the newest first, the first one that ends at or before `end` (ns UTC).

        Ends at a half-hour that is not there.
        """
        self.settle()
        found, begin = list[Interval](), min(end // HALF_HOUR * HALF_HOUR, self._begun) - HALF_HOUR
        while len(found) < count and (entry := self._entry(begin)) is not None:
            found.append(Interval(begin, *entry))
            begin -= HALF_HOUR
        return found

    def day_profile(self, number: int) -> list[tuple[int, int] | None]:
        """Return the half-hours of the day so many days after 1970-01-01: taken and given; None where there is none."""
        self.settle()
        return list(self._profile.get(number, [None] * _PER_DAY))

    def intervals(self) -> Iterator[Interval]:
        """Give all half-hours that are over and kept, the oldest first."""
        self.settle()
        for number, day in sorted(self._profile.items()):
            for index, entry in enumerate(day):
                if entry is not None:
                    yield Interval(number * DAY + index * HALF_HOUR, *entry)

    def _entry(self, begin: int) -> tuple[int, int] | None:
        number, within = divmod(begin, DAY)
        day = self._profile.get(number)
        return None if day is None else day[within // HALF_HOUR]

    # --- storage -----------------------------------------------------------------------------------------------

    def _save(self, over: list[Interval] | tuple[Interval, ...]) -> None:
        state = _STATE.pack(
            _VERSION, self._taken.to_bytes(16, "big"), self._given.to_bytes(16, "big"), self._begun,
            self._begun_taken, self._begun_given, *self._tiers, *self._day,
        )  # fmt: skip
        with self._storage.transaction():
            self._storage.put(self._cell, state)
            for number in dict.fromkeys(interval.begin // DAY for interval in over):
                self._storage.put(f"{self._profile_cell}{number}", _encode(self._profile[number]))
            for old in sorted(self._profile)[:-PROFILE_DAYS]:
                del self._profile[old]
                self._storage.delete(f"{self._profile_cell}{old}")

    def _load(self) -> bool:
        """Take up what the storage holds; False if that is nothing."""
        state = self._storage.get(self._cell)
        if state is None:
            return False
        _, taken, given, self._begun, self._begun_taken, self._begun_given, one, two, *day = _STATE.unpack(state)
        self._taken, self._given = int.from_bytes(taken, "big"), int.from_bytes(given, "big")
        self._tiers, self._day = [one, two], _Day(*day)
        self._profile = {
            int(cell[len(self._profile_cell) :]): _decode(self._storage.get(cell) or b"")
            for cell in self._storage.cells()
            if cell.startswith(self._profile_cell)
        }
        return True


class Measuring(Protocol):
    """What counts by a meter's clock."""

    def settle(self) -> None: ...
    def clock_moved(self, by: int) -> None: ...


def set_clock(wall: AdjustableClock, utc: int, measuring: Sequence[Measuring]) -> None:
    """Set a meter's clock, its registers counted up to now by the time it had."""
    for each in measuring:
        each.settle()
    jump = utc - wall.utc()
    wall.set(utc)
    for each in measuring:
        each.clock_moved(jump)


def _encode(day: list[tuple[int, int] | None]) -> bytes:
    return b"".join(_ABSENT if entry is None else _ENTRY.pack(*entry) for entry in day)


def _decode(octets: bytes) -> list[tuple[int, int] | None]:
    entries = [octets[at : at + _ENTRY.size] for at in range(0, len(octets), _ENTRY.size)]
    return [None if entry == _ABSENT else _ENTRY.unpack(entry) for entry in entries]
