import pytest

from emulator.clock import VirtualClock
from emulator.power import HoldUp, Mains, Supply
from protocols.interfaces import SECOND

START = 1_772_442_000 * SECOND


class Bench:
    """A hold-up behind mains, and what it told."""

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.mains = Mains(self.clock)
        self.told: list[tuple[int, str]] = []
        HoldUp(
            self.clock, self.mains.supply,
            lost=lambda started: self._tell(f"lost {(started - START) // SECOND}"),
            empty=lambda: self._tell("empty"), back=lambda: self._tell("back"),
        )  # fmt: skip

    def _tell(self, what: str) -> None:
        self.told.append(((self.clock.now() - START) // SECOND, what))

    def run(self, seconds: int) -> list[tuple[int, str]]:
        self.clock.run_until(START + seconds * SECOND)
        return self.told


def test_listeners_hear_changes_only() -> None:
    supply, heard = Supply(), list[bool]()
    supply.attach(heard.append)
    for on in (True, False, False, True):
        supply.switch(on)
    assert heard == [False, True]
    assert supply.on


@pytest.mark.requirement("MP102B-G10")
@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (179, []),
        (180, [(180, "lost 0")]),
        (199, [(180, "lost 0")]),
        (201, [(180, "lost 0"), (200, "empty"), (201, "back")]),
        (780, [(180, "lost 0"), (200, "empty"), (780, "back")]),
    ],
)
def test_a_loss_is_told_after_three_minutes_and_the_store_is_empty_after_200_seconds(
    seconds: int, told: list[tuple[int, str]]
) -> None:
    bench = Bench()
    bench.mains.cut(seconds * SECOND)
    assert bench.run(10_000) == told


@pytest.mark.requirement("MP102B-G10")
def test_a_return_at_three_minutes_counts_even_if_it_is_heard_first() -> None:
    """MP102B-G10: the order of what happens at the same instant does not matter."""
    bench = Bench()
    bench.clock.call_at(START + 180 * SECOND, bench.mains.supply.switch, True)
    bench.mains.supply.switch(False)
    assert bench.run(10_000) == [(180, "lost 0")]


def test_each_loss_is_told_once_and_counts_from_its_own_start() -> None:
    bench = Bench()
    bench.mains.cut(190 * SECOND)
    bench.run(1000)
    bench.mains.cut(185 * SECOND)
    assert bench.run(10_000) == [(180, "lost 0"), (1180, "lost 1000")]


def test_two_short_losses_are_none_of_three_minutes() -> None:
    bench = Bench()
    bench.mains.cut(179 * SECOND)
    bench.run(180)
    bench.mains.cut(179 * SECOND)
    assert bench.run(10_000) == []


def test_a_cut_within_a_cut_can_only_make_it_longer() -> None:
    bench = Bench()
    bench.mains.cut(100 * SECOND)
    bench.run(50)
    bench.mains.cut(10 * SECOND)
    bench.run(99)
    assert not bench.mains.supply.on
    bench.mains.cut(100 * SECOND)
    bench.run(198)
    assert not bench.mains.supply.on
    bench.run(199)
    assert bench.mains.supply.on


def test_phases_go_and_come_one_by_one_and_the_supply_is_there_while_one_is() -> None:
    clock = VirtualClock(START)
    mains, heard = Mains(clock, 3), list[tuple[int, str, bool]]()

    def hear(name: str, supply: Supply) -> None:
        supply.attach(lambda on: heard.append(((clock.now() - START) // SECOND, name, on)))

    hear("1", mains.phases[0])
    hear("3", mains.phases[2])
    hear("supply", mains.supply)
    mains.cut(100 * SECOND, (1,))
    clock.run_for(10 * SECOND)
    mains.cut(20 * SECOND, (2, 3))
    clock.run_for(200 * SECOND)
    mains.cut(5 * SECOND)
    clock.run_for(10 * SECOND)
    assert heard == [
        (0, "1", False), (10, "3", False), (10, "supply", False), (30, "supply", True), (30, "3", True),
        (100, "1", True), (210, "1", False), (210, "3", False), (210, "supply", False), (215, "1", True),
        (215, "supply", True), (215, "3", True),
    ]  # fmt: skip


def test_a_cut_of_all_does_not_shorten_that_of_a_phase() -> None:
    clock = VirtualClock(START)
    mains = Mains(clock, 3)
    mains.cut(100 * SECOND, (2,))
    mains.cut(10 * SECOND)
    clock.run_for(50 * SECOND)
    assert [phase.on for phase in mains.phases] == [True, False, True]
    clock.run_for(50 * SECOND)
    assert mains.phases[1].on
