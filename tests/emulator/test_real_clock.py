"""The clock of served homes, on a loop whose own time is virtual: pace, order, lateness."""

import asyncio
from collections.abc import Callable

import pytest

from emulator.clock import VirtualClock, run
from emulator.real_clock import LATE, RealTimeClock
from protocols.errors import UsageError
from protocols.interfaces import MILLISECOND, SECOND

START = 1_000 * SECOND


class World:
    """`real` stands for the machine's time; `clock` follows it."""

    def __init__(self, speed: float) -> None:
        self.real = VirtualClock()
        self.clock = RealTimeClock(START, speed)
        self.seen: list[tuple[int, int, str]] = []  # of both clocks

    def note(self, what: str) -> None:
        self.seen.append((self.real.now(), self.clock.now() - START, what))

    def live(self, real: int, plan: Callable[["World"], None]) -> None:
        """Let `real` ns pass; `plan` is carried out when time begins."""

        async def main() -> None:
            runner = asyncio.create_task(self.clock.run())
            await self.real.sleep(0)
            plan(self)
            await self.real.sleep(real)
            runner.cancel()
            with pytest.raises(asyncio.CancelledError):
                await runner

        run(self.real, main)


@pytest.mark.parametrize("speed", [1, 4, 0.5])
def test_callbacks_run_at_their_time_by_the_real_clock(speed: float) -> None:
    world = World(speed)

    def plan(world: World) -> None:
        for seconds in (3, 1, 2):
            world.clock.call_at(START + seconds * SECOND, world.note, str(seconds))

    world.live(10 * SECOND, plan)
    assert [(seen, what) for _, seen, what in world.seen] == [(n * SECOND, str(n)) for n in (1, 2, 3)]
    for real, seen, _ in world.seen:
        assert abs(real - seen / speed) <= MILLISECOND
    assert world.clock.punctuality.late == 0


def test_an_entry_made_later_for_earlier_wakes_the_clock() -> None:
    world = World(1)

    def plan(world: World) -> None:
        world.clock.call_at(START + 9 * SECOND, world.note, "far")
        world.real.call_at(SECOND, lambda: world.clock.call_at(START + 2 * SECOND, world.note, "near"))

    world.live(5 * SECOND, plan)
    assert [(real // MILLISECOND, what) for real, _, what in world.seen] == [(2000, "near")]


def test_what_is_due_in_the_past_runs_late_in_order_and_is_counted() -> None:
    world = World(2)

    def plan(world: World) -> None:
        for number in range(5):
            world.clock.call_at(START + number * MILLISECOND, world.note, f"{number}")
        world.real.run_until(world.real.now() + SECOND)  # the machine is busy meanwhile

    world.live(5 * SECOND, plan)
    assert [(seen, what) for _, seen, what in world.seen] == [(n * MILLISECOND, str(n)) for n in range(5)]
    punctuality = world.clock.punctuality
    assert punctuality.callbacks == punctuality.late == 5
    assert SECOND - 5 * MILLISECOND <= punctuality.worst <= SECOND + 5 * MILLISECOND


def test_a_delay_below_the_limit_is_not_counted() -> None:
    world = World(1)

    def plan(world: World) -> None:
        world.clock.call_at(START, world.note, "x")
        world.real.run_until(world.real.now() + LATE)

    world.live(SECOND, plan)
    assert world.clock.punctuality[:2] == (1, 0)


def test_something_from_outside_happens_after_all_that_was_due() -> None:
    world = World(8)

    def plan(world: World) -> None:
        world.clock.call_at(START + 7 * SECOND, world.note, "due")

        def arrive() -> None:
            world.clock.catch_up()
            world.note("outside")

        world.real.call_at(SECOND, arrive)

    world.live(2 * SECOND, plan)
    assert [what for _, _, what in world.seen] == ["due", "outside"]
    assert world.seen[1][1] == 8 * SECOND


def test_coroutines_sleep_on_it_as_on_the_virtual_one() -> None:
    world = World(10)

    async def main() -> None:
        runner = asyncio.create_task(world.clock.run())
        await world.real.sleep(0)
        await world.clock.sleep(30 * SECOND)
        world.note("awake")
        runner.cancel()

    run(world.real, main)
    assert [(real // MILLISECOND, seen) for real, seen, _ in world.seen] == [(3000, 30 * SECOND)]


def test_times_between_two_ticks_of_the_loop_are_reached() -> None:
    world = World(10)

    def story(world: World) -> None:
        world.clock.call_at(START + 12_345, world.note, "x")

    world.live(SECOND, story)
    assert [what for _, _, what in world.seen] == ["x"]


def test_before_it_runs_its_time_is_the_start() -> None:
    clock = RealTimeClock(START)
    clock.catch_up()
    assert clock.now() == START == clock.present()


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_time_passes_forward(speed: float) -> None:
    with pytest.raises(UsageError):
        RealTimeClock(START, speed)
