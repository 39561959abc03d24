"""Flows in pieces: amounts add up however time is cut, and a household is the same for the same seed."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.consumption import household
from emulator.consumption.flow import Amounts, ConstantFlow, DailyFlow, Day, Run, SwitchedLoad, day_of, total
from emulator.consumption.household import HouseholdSettings
from emulator.consumption.tariff import ECONOMY, FLAT, Switch, Tariff
from emulator.entropy import SeededEntropy
from protocols.errors import UsageError
from protocols.interfaces import DAY, HOUR, SECOND

START = 20_500 * DAY
runs = st.lists(
    st.builds(Run, st.integers(-100, 90_000), st.integers(0, 90_000), st.integers(-5_000, 5_000)), max_size=9
)


def second_by_second(base: int, made: list[Run], begin: int, end: int, extra: int) -> Amounts:
    """The reference: what each second of the first day takes or gives."""
    taken = given = 0
    for second in range(begin, end):
        rate = base + extra + sum(run.rate for run in made if run.begin <= second < run.end)
        taken, given = taken + max(rate, 0), given + max(-rate, 0)
    return Amounts(taken * SECOND, given * SECOND)


@settings(max_examples=40, deadline=None)
@given(st.integers(-200, 200), runs, st.integers(0, 86_000), st.integers(0, 400), st.integers(-99, 99))
def test_pieces_amount_to_what_the_seconds_do(base: int, made: list[Run], begin: int, length: int, extra: int) -> None:
    flow = DailyFlow(lambda number: day_of(base, made))
    end = min(begin + length, 86_400)
    got = flow.amounts(START + begin * SECOND, START + end * SECOND, extra)
    assert got == second_by_second(base, made, begin, end, extra)


@settings(max_examples=40, deadline=None)
@given(runs, st.lists(st.integers(0, 5 * DAY), min_size=2, max_size=8))
def test_amounts_add_up_however_time_is_cut(made: list[Run], cuts: list[int]) -> None:
    flow = DailyFlow(lambda number: day_of(number % 7, made))
    cuts = sorted(START + cut for cut in cuts)
    parts = [flow.amounts(begin, end) for begin, end in pairwise(cuts)]
    assert flow.amounts(cuts[0], cuts[-1]) == (sum(part.taken for part in parts), sum(part.given for part in parts))


def test_a_household_follows_from_its_seed() -> None:
    settings = HouseholdSettings(solar_peak=3_000)

    def energy(seed: int, name: str = "home") -> Amounts:
        return household.electricity(SeededEntropy(seed), name, settings).amounts(START, START + 3 * DAY)

    assert energy(1) == energy(1)
    assert len({energy(1), energy(2), energy(1, "other")}) == 3
    assert 2_000 * 3 < energy(1).taken // (HOUR * 1) < 30_000 * 3  # Wh in three days
    assert energy(1).given > 0


def test_gas_and_heating_flow_when_they_should() -> None:
    entropy = SeededEntropy(3)
    burnt = household.gas(entropy, "home", HouseholdSettings()).amounts(START, START + 7 * DAY)
    assert 2_000 * 7 < burnt.taken // (1_000 * HOUR) < 20_000 * 7  # litres in a week
    assert burnt.given == 0
    heater = household.heating(entropy, "home", 3_000)
    assert heater.rate(START + 2 * HOUR) == 3_000
    assert heater.rate(START + 12 * HOUR) == 0


def test_a_switched_load_tells_before_it_changes() -> None:
    load, seen = SwitchedLoad(2_000), list[int]()
    load.attach(lambda: seen.append(load.rate))
    for on in (True, True, False):
        load.switch(on)
    assert seen == [0, 2_000]
    assert total((load, load)) == 0
    assert ConstantFlow(5).amounts(0, 10, -7) == (0, 20)
    assert ConstantFlow(5).rate(0) == 5


def test_days_are_kept_a_few() -> None:
    made = list[int]()

    def make(number: int) -> Day:
        made.append(number)
        return day_of(1, ())

    flow = DailyFlow(make)
    assert flow.amounts(0, 6 * DAY) == (6 * DAY, 0)
    assert flow.rate(5 * DAY) == 1
    assert made == list(range(6))


# --- tariffs -------------------------------------------------------------------------------------------------------


def test_a_tariff_switches_by_the_half_hour() -> None:
    assert [ECONOMY.tier(half) for half in (0, 1, 14, 15, 47)] == [1, 2, 2, 1, 1]
    assert [ECONOMY.next_switch(half) for half in (0, 1, 14, 15)] == [1, 14, 1, 34]
    assert FLAT.next_switch(7) == 48


def test_cost_is_exact() -> None:
    assert ECONOMY.cost((1_500, 3_000), 2) == 1_500 * 31 + 3_000 * 15 + 110_000
    assert FLAT.cost((1, 0), 0) == 28


@pytest.mark.parametrize("switches", [(), (Switch(5, 1), Switch(5, 2)), (Switch(48, 1),), (Switch(0, 3),)])
def test_a_tariff_that_makes_no_sense_is_refused(switches: tuple[Switch, ...]) -> None:
    with pytest.raises(UsageError, match="tariff"):
        Tariff(switches=switches)
