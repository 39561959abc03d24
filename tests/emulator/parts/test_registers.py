"""Registers integrate their profile: whatever happens to supply, clock and loads, and whoever asks when."""

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.clock import OffsetWallClock, VirtualClock
from emulator.consumption import household
from emulator.consumption.flow import ConstantFlow, Flow, SwitchedLoad
from emulator.consumption.tariff import ECONOMY
from emulator.entropy import SeededEntropy
from emulator.parts.journal import Journal
from emulator.parts.registers import HALF_HOUR, Interval, Registers, Standing, set_clock
from emulator.storage import MemoryStorage
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND

START = 20_500 * DAY + 9 * HOUR
WH = HOUR  # W ns


class Bench:
    def __init__(self, flow: Flow, drift_ppb: int = 0) -> None:
        self.clock = VirtualClock(START)
        self.wall = OffsetWallClock(self.clock, drift_ppb=drift_ppb)
        self.load, self.over = SwitchedLoad(3_000), list[Interval]()
        self.flow, self.storage = flow, Journal(MemoryStorage())
        self.registers = self.make()

    def make(self) -> Registers:
        return Registers(
            self.flow, self.clock, self.wall, self.storage, unit=WH, tier_of=ECONOMY.tier,
            loads=(self.load,), closed=self.over.append,
        )  # fmt: skip


def test_a_steady_load_fills_its_half_hours() -> None:
    bench = Bench(ConstantFlow(1_000))
    registers = bench.registers
    registers.resume()
    bench.clock.run_for(2 * HOUR + 10 * MINUTE)
    reading = registers.read()
    assert (reading.taken, reading.interval_taken, reading.tier) == (2_166, 166, 1)
    assert [interval.taken for interval in registers.profile(bench.wall.utc(), 99)] == [500] * 4
    assert bench.over == list(registers.intervals())
    assert registers.rate() == 1_000
    bench.load.switch(True)
    assert registers.rate() == 4_000
    bench.clock.run_for(HOUR)
    assert registers.read().taken == 2_166 + 4_000


def test_the_registers_of_a_midnight_are_known_later() -> None:
    """Who was without power at midnight tells of the day afterwards, as it was."""
    bench = Bench(household.electricity(SeededEntropy(3), "home", household.HouseholdSettings(solar_peak=3_000)))
    registers, first = bench.registers, START // DAY
    registers.resume()
    noted = []
    for day in range(first, first + 3):
        bench.clock.run_until((day + 1) * DAY)
        reading = registers.read()
        noted.append(Standing(reading.taken, reading.given, reading.tiers))
        assert registers.at_end_of(day) == noted[-1]
    bench.clock.run_for(13 * HOUR + 7 * MINUTE)
    assert [registers.at_end_of(day) for day in range(first, first + 3)] == noted
    reading = registers.read()
    assert registers.at_end_of(first + 3) == Standing(reading.taken, reading.given, reading.tiers)
    assert reading.taken > noted[-1].taken


def test_days_and_tiers() -> None:
    bench = Bench(ConstantFlow(-500))
    bench.registers.resume()
    bench.clock.run_until(START + 2 * DAY)
    reading = bench.registers.read()
    assert (reading.taken, reading.given) == (0, 24_000)
    assert (reading.day_given, reading.previous_day_given) == (4_500, 12_000)
    bench = Bench(ConstantFlow(1_000))
    bench.registers.resume()
    bench.clock.run_until(START + DAY)
    assert bench.registers.read().tiers == (17_000, 7_000)
    assert len([entry for entry in bench.registers.day_profile(20_500) if entry]) == 30


def test_nothing_is_counted_without_supply_and_nothing_is_lost() -> None:
    bench = Bench(ConstantFlow(1_000))
    bench.registers.resume()
    bench.clock.run_for(HOUR + 6 * MINUTE)
    bench.registers.pause()
    assert bench.registers.rate() == 0
    bench.clock.run_for(2 * HOUR)
    assert bench.registers.read().taken == 1_100
    again = bench.make()  # a meter that has only its storage
    again.resume()
    bench.clock.run_for(HOUR)
    assert again.read().taken == 2_100
    assert [interval.taken for interval in again.intervals()] == [500, 500, 100, 0, 0, 0, 400, 500]


def test_a_large_step_of_the_clock_begins_a_new_half_hour() -> None:
    bench = Bench(ConstantFlow(1_000))
    registers = bench.registers
    registers.resume()
    bench.clock.run_for(20 * MINUTE)
    set_clock(bench.wall, START + 5 * DAY, (registers,))
    bench.clock.run_for(40 * MINUTE)
    assert [interval.begin - START for interval in registers.intervals()] == [0, 5 * DAY]
    assert registers.read().taken == 1_000


steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 9 * HOUR)),
        st.tuples(st.just("clock"), st.integers(-3 * HOUR, 3 * HOUR)),
        st.tuples(st.just("small clock"), st.integers(-10 * SECOND, 10 * SECOND)),
        st.tuples(st.sampled_from(("power", "load", "read", "reboot")), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(steps, st.integers(-200_000, 200_000), st.integers(0, 9))
def test_registers_are_the_sum_of_the_profile_and_the_open_half_hour(
    story: list[tuple[str, int]], drift: int, seed: int
) -> None:
    flow = household.electricity(SeededEntropy(seed), "home", household.HouseholdSettings(solar_peak=4_000))
    bench = Bench(flow, drift)
    registers, powered, last = bench.registers, True, (0, 0)
    registers.resume()
    for what, value in story:
        if what == "wait":
            bench.clock.run_for(value)
        elif what in ("clock", "small clock"):
            set_clock(bench.wall, bench.wall.utc() + value, (registers,))
        elif what == "load":
            bench.load.switch(not bench.load.on)
        elif what == "power":
            (registers.pause if powered else registers.resume)()
            powered = not powered
        elif what == "reboot" and powered:
            registers.pause()
            registers.resume()
        reading = registers.read()
        kept = list(registers.intervals())
        assert reading.taken == sum(interval.taken for interval in kept) + reading.interval_taken
        assert reading.taken == sum(reading.tiers)
        assert (reading.taken, reading.given) >= last
        assert all(interval.begin % HALF_HOUR == 0 for interval in kept)
        last = (reading.taken, reading.given)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 5 * HOUR), max_size=12), st.integers(0, 99))
def test_reading_changes_nothing(reads: list[int], seed: int) -> None:
    flow = household.electricity(SeededEntropy(seed), "home", household.HouseholdSettings())
    asked, silent = Bench(flow, 50_000), Bench(flow, 50_000)
    for bench in (asked, silent):
        bench.registers.resume()
    for wait in reads:
        asked.clock.run_for(wait)
        asked.registers.read()
    silent.clock.run_until(asked.clock.now())
    assert asked.registers.read() == silent.registers.read()
    assert asked.over == silent.over
