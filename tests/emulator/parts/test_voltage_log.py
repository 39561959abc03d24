"""Average voltages follow from what was measured: over power cuts, set clocks and lost phases."""

import pytest

from emulator.clock import OffsetWallClock, VirtualClock
from emulator.consumption.voltage import Voltage
from emulator.entropy import SeededEntropy
from emulator.parts.journal import Journal
from emulator.parts.registers import set_clock
from emulator.parts.voltage_log import CAPACITY_DAYS, VoltageLog, VoltageSettings
from emulator.storage import MemoryStorage
from protocols.errors import UsageError
from protocols.interfaces import DAY, HOUR, MINUTE

START = 20_500 * DAY + 9 * HOUR + 10 * MINUTE
HALF_HOUR = 30 * MINUTE


class Bench:
    def __init__(self, phases: int = 1) -> None:
        self.clock = VirtualClock(START)
        self.wall, self.storage = OffsetWallClock(self.clock), Journal(MemoryStorage())
        self.voltage = Voltage(SeededEntropy(3), "street", phases=phases)
        self.log = self.make()
        self.log.resume()

    def make(self, settings: VoltageSettings | None = None) -> VoltageLog:
        return VoltageLog(self.voltage, self.clock, self.wall, self.storage, settings or VoltageSettings())


def test_an_average_is_that_of_the_street() -> None:
    bench = Bench(3)
    bench.clock.run_for(5 * HOUR)
    for phase in (1, 2, 3):
        entries = bench.log.entries(phase, 0, bench.clock.now())
        assert len(entries) == 10
        assert [entry.average for entry in entries] == [
            bench.voltage.average(entry.end - HALF_HOUR, phase) for entry in entries
        ]
    assert bench.log.entries(1, START + HOUR, START + 2 * HOUR) == bench.log.entries(1, 0, START + 3 * HOUR)[2:4]


def test_what_was_measured_outlives_a_power_cut() -> None:
    bench = Bench(3)
    bench.clock.run_for(3 * HOUR + 7 * MINUTE)
    bench.log.switch(2, False)
    bench.clock.run_for(8 * MINUTE)
    bench.log.pause()
    held = [bench.log.entries(phase, 0, bench.clock.now()) for phase in (1, 2, 3)]
    bench.clock.run_for(HOUR)
    again = bench.make()
    again.resume()
    bench.clock.run_for(HOUR)
    assert [again.entries(phase, 0, START + 4 * HOUR)[: len(held[0])] for phase in (1, 2, 3)] == held
    ends = [entry.end % DAY // HALF_HOUR for entry in again.entries(1, 0, bench.clock.now())]
    assert ends == [19, 20, 21, 22, 23, 24, 25, 27, 28]  # none of the period without power
    part = again.entries(2, START + 3 * HOUR, START + 4 * HOUR)[0].average
    whole = bench.voltage.average(START + 3 * HOUR, 2)
    assert part == whole * 17 // 25  # of 12:00 to 12:25, eight minutes without the phase


def test_a_clock_that_is_set_begins_a_new_period() -> None:
    bench = Bench()
    bench.clock.run_for(HOUR)
    set_clock(bench.wall, bench.wall.utc() + 2 * HOUR, [bench.log])
    bench.clock.run_for(HOUR)
    ends = [entry.end % DAY // HALF_HOUR for entry in bench.log.entries(1, 0, bench.wall.utc())]
    assert ends == [19, 20, 21, 25, 26]


def test_averages_beyond_a_threshold_are_counted() -> None:
    bench = Bench()
    strict = VoltageSettings(over=2_400, under=2_399)
    bench.storage = Journal(MemoryStorage())
    log = bench.make(strict)
    log.resume()
    bench.clock.run_for(DAY)
    averages = [entry.average for entry in log.entries(1, 0, bench.clock.now())]
    under, over = sum(each < 2_399 for each in averages), sum(each > 2_400 for each in averages)
    assert log.counters(1) == (under, over)
    assert under > 5
    assert over > 5


def test_the_oldest_days_are_dropped() -> None:
    bench = Bench()
    bench.clock.run_for((CAPACITY_DAYS + 3) * DAY)
    assert len(bench.log.entries(1, 0, bench.clock.now())) <= CAPACITY_DAYS * 48
    assert sum(cell.startswith("voltage/") for cell in bench.storage.cells()) == CAPACITY_DAYS


@pytest.mark.parametrize("period", [0, 7 * MINUTE + 1, 2 * DAY])
def test_a_period_that_does_not_fit_a_day_is_refused(period: int) -> None:
    with pytest.raises(UsageError, match="whole part of a day"):
        VoltageSettings(period=period)


def test_another_period_begins_anew() -> None:
    bench = Bench()
    bench.clock.run_for(DAY)
    bench.log.pause()
    hourly = bench.make(VoltageSettings(period=HOUR))
    hourly.resume()
    bench.clock.run_for(3 * HOUR)
    assert [entry.end % HOUR for entry in hourly.entries(1, 0, bench.clock.now())] == [0, 0, 0]
