"""The average RMS voltage of each phase, period by period, as a meter measures it while it has power.

A period in which nothing was measured has no entry. Averages over or under a threshold are counted. Like registers it
is settled when somebody asks, and before supply or clock change. Source: SMETS2 5.7.5.7 to 5.7.5.9, 5.19.2.
"""

import struct
from dataclasses import dataclass
from typing import Final, NamedTuple

from emulator.consumption.voltage import Voltage
from emulator.parts.journal import Journal
from protocols.errors import UsageError
from protocols.interfaces import DAY, MINUTE, SECOND, AdjustableClock, Clock

CAPACITY_DAYS: Final = 90  # 4,320 entries of half an hour
_STATE = struct.Struct(">B2Q")
_PHASE = struct.Struct(">B16sQ2I")
_VERSION = 1
_ABSENT = 0xFFFF
_CELL, _DAYS = "voltage", "voltage/"


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageSettings:
    """Volts / 10. period: ns, a whole part of a day. The thresholds are the statutory limits: 230 V + 10 %, - 6 %."""

    period: int = 30 * MINUTE
    over: int = 2_530
    under: int = 2_162

    def __post_init__(self) -> None:
        if not SECOND <= self.period <= DAY or DAY % self.period:
            raise UsageError("the period of average voltages is a whole part of a day")


class Entry(NamedTuple):
    end: int  # of its period, ns since 1970 UTC
    average: int  # V / 10


@dataclass(slots=True)
class _Phase:
    on: bool = True
    integral: int = 0  # V / 10 ns, in the period that runs
    measured: int = 0  # ns of it
    under: int = 0  # periods
    over: int = 0


class VoltageLog:
    """Nothing is measured before `resume`, nor between `pause` and `resume`. Phases count from 1."""

    def __init__(
        self, voltage: Voltage, clock: Clock, wall: AdjustableClock, storage: Journal, settings: VoltageSettings
    ) -> None:
        self._voltage, self._clock, self._wall, self._storage, self.settings = voltage, clock, wall, storage, settings
        self._phases = [_Phase() for _ in range(voltage.phases)]
        self._days: dict[int, list[list[int]]] = {}  # by number: of each phase its averages
        self._running, self._since, self._begun = False, 0, 0

    @property
    def phases(self) -> int:
        return len(self._phases)

    # --- running -----------------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Measure from now on: the meter has power."""
        if not self._running:
            known = self._load()
            self._running, self._since = True, self._clock.now()
            if not known:
                self._begun = self._wall.utc() // self.settings.period * self.settings.period
            self.settle()

    def pause(self) -> None:
        """Measure no more, and keep what was measured: the power goes."""
        if self._running:
            self.settle()
            self._running = False
            self._save(())

    def switch(self, phase: int, on: bool) -> None:
        """A phase goes, and has no voltage, or comes."""
        self.settle()
        self._phases[phase - 1].on = on

    def clock_moved(self, by: int) -> None:
        """Go on after the meter's clock was set, by so many ns; a whole period or more begins a new one."""
        if abs(by) >= self.settings.period and self._running:
            closed = self._close()
            self._begun = self._wall.utc() // self.settings.period * self.settings.period
            self._save((closed,))
        self.settle()

    def settle(self) -> None:
        """Measure up to now, and close the periods that are over."""
        if not self._running:
            return
        now, closed = self._clock.now(), list[int]()
        while (at := self._wall.when(self._begun + self.settings.period)) <= now:
            self._measure(max(at, self._since))
            closed.append(self._close())
            self._begun += self.settings.period
        self._measure(now)
        if closed:
            self._save(closed)

    def _measure(self, until: int) -> None:
        for number, phase in enumerate(self._phases, 1):
            if phase.on:
                phase.integral += self._voltage.integral(self._since, until, number)
            phase.measured += until - self._since
        self._since = until

    def _close(self) -> int:
        """End the period that runs; return the number of its day."""
        day, within = divmod(self._begun, DAY)
        absent = [_ABSENT] * (DAY // self.settings.period)
        rows = self._days.setdefault(day, [list(absent) for _ in self._phases])
        for phase, row in zip(self._phases, rows, strict=True):
            if phase.measured:
                average = row[within // self.settings.period] = phase.integral // phase.measured
                phase.under += average < self.settings.under
                phase.over += average > self.settings.over
            phase.integral = phase.measured = 0
        return day

    # --- reading -----------------------------------------------------------------------------------------------

    def entries(self, phase: int, begin: int, end: int) -> list[Entry]:
        """Return what ended from `begin` to `end` (ns UTC), both included, the oldest first."""
        self.settle()
        period, found = self.settings.period, list[Entry]()
        for day in sorted(self._days):
            for index, average in enumerate(self._days[day][phase - 1]):
                ended = day * DAY + (index + 1) * period
                if average != _ABSENT and begin <= ended <= end:
                    found.append(Entry(ended, average))
        return found

    def day(self, number: int) -> list[tuple[int, ...]]:
        """Return of each phase the averages of the day so many days after 1970-01-01, those that are there."""
        self.settle()
        rows = self._days.get(number, [[] for _ in self._phases])
        return [tuple(average for average in row if average != _ABSENT) for row in rows]

    def counters(self, phase: int) -> tuple[int, int]:
        """Return how many periods had an average under the one threshold, and over the other."""
        self.settle()
        return self._phases[phase - 1].under, self._phases[phase - 1].over

    # --- storage -----------------------------------------------------------------------------------------------

    def _save(self, days: list[int] | tuple[int, ...]) -> None:
        state = _STATE.pack(_VERSION, self._begun, self.settings.period) + b"".join(
            _PHASE.pack(phase.on, phase.integral.to_bytes(16, "big"), phase.measured, phase.under, phase.over)
            for phase in self._phases
        )
        with self._storage.transaction():
            self._storage.put(_CELL, state)
            for day in dict.fromkeys(days):
                self._storage.put(f"{_DAYS}{day}", b"".join(_row(row).pack(*row) for row in self._days[day]))
            for old in sorted(self._days)[:-CAPACITY_DAYS]:
                del self._days[old]
                self._storage.delete(f"{_DAYS}{old}")

    def _load(self) -> bool:
        """Take up what the storage holds; False if that is nothing, or of another period."""
        state = self._storage.get(_CELL)
        if state is None or len(state) != _STATE.size + self.phases * _PHASE.size:
            return False
        _, self._begun, period = _STATE.unpack_from(state)
        if period != self.settings.period:
            return False
        for phase, fields in zip(self._phases, _PHASE.iter_unpack(state[_STATE.size :]), strict=True):
            _, integral, phase.measured, phase.under, phase.over = fields
            phase.integral = int.from_bytes(integral, "big")
        for cell in self._storage.cells():
            if cell.startswith(_DAYS):
                octets = self._storage.get(cell) or b""
                size = len(octets) // self.phases
                rows = [octets[at : at + size] for at in range(0, len(octets), size)]
                self._days[int(cell[len(_DAYS) :])] = [list(struct.unpack(f">{size // 2}H", row)) for row in rows]
        return True


def _row(row: list[int]) -> struct.Struct:
    return struct.Struct(f">{len(row)}H")
