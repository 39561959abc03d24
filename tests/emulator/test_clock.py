"""The heap of time, and the asyncio loop on it."""

import asyncio
import os
import random
import socket
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.clock import NothingDueError, OffsetWallClock, RealWorkInVirtualTime, VirtualClock, run
from protocols.interfaces import DAY, HOUR, MILLISECOND, SECOND, Rank


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(list(Rank)))))
def test_callbacks_run_by_time_then_rank_then_order_of_scheduling(due: list[tuple[int, Rank]]) -> None:
    clock, order = VirtualClock(5), list[int]()
    for number, (when, rank) in enumerate(due):
        clock.call_at(when, order.append, number, rank=rank)
    clock.run_until(30)
    assert order == sorted(range(len(due)), key=lambda number: (due[number][0], due[number][1], number))


def test_what_is_due_in_the_past_runs_next_and_time_does_not_go_back() -> None:
    clock, seen = VirtualClock(100), list[int]()
    clock.call_at(40, lambda: seen.append(clock.now()))
    clock.run_for(1)
    assert (seen, clock.now()) == ([100], 101)


def test_a_cancelled_timer_does_not_run() -> None:
    clock, seen = VirtualClock(), list[int]()
    timer = clock.call_at(10, seen.append, 1)
    clock.call_at(10, seen.append, 2)
    timer.cancel()
    clock.run_until(20)
    assert seen == [2]


def test_cancelled_timers_do_not_pile_up() -> None:
    clock = VirtualClock()
    for _ in range(100_000):
        clock.call_at(DAY, print).cancel()
    assert clock.pending < 3_000


def test_coroutines_sleep_in_virtual_time() -> None:
    clock, steps = VirtualClock(7 * SECOND), list[tuple[str, int]]()

    async def sleeper(name: str, until: int) -> None:
        await clock.sleep_until(until)
        steps.append((name, clock.now()))

    async def story() -> float:
        async with asyncio.TaskGroup() as group:
            group.create_task(sleeper("late", 3 * HOUR))
            group.create_task(sleeper("early", HOUR))
        await asyncio.sleep(0.5)
        return asyncio.get_running_loop().time()

    assert run(clock, story) == (3 * HOUR - 7 * SECOND) / SECOND + 0.5
    assert steps == [("early", HOUR), ("late", 3 * HOUR)]


def test_asyncio_timeouts_are_virtual() -> None:
    clock = VirtualClock()

    async def story() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(90):
                await asyncio.Event().wait()

    run(clock, story)
    assert clock.now() == 90 * SECOND


def test_all_ready_callbacks_run_before_time_moves() -> None:
    clock, steps = VirtualClock(), list[str]()

    async def story() -> None:
        clock.call_at(1, steps.append, "frame")
        for number in range(5):
            await asyncio.sleep(0)
            steps.append(f"turn {number}")
        await clock.sleep_until(2)

    run(clock, story)
    assert steps == ["turn 0", "turn 1", "turn 2", "turn 3", "turn 4", "frame"]


def test_frames_and_stack_timers_of_an_instant_go_before_a_coroutine_woken_then() -> None:
    clock, steps = VirtualClock(), list[str]()

    async def story() -> None:
        waker = asyncio.Event()
        clock.call_at(10, waker.set, rank=Rank.RADIO)
        clock.call_at(10, steps.append, "stack", rank=Rank.STACK)
        clock.call_at(10, steps.append, "other coroutine", rank=Rank.COROUTINE)
        await waker.wait()
        steps.append("woken")
        await clock.sleep_until(11)

    run(clock, story)
    assert steps == ["stack", "woken", "other coroutine"]


def test_a_run_in_which_nothing_is_due_any_more_ends_with_an_error() -> None:
    async def story() -> None:
        await asyncio.Event().wait()

    with pytest.raises(NothingDueError, match="every coroutine waits"):
        run(VirtualClock(), story)


def test_executors_are_refused_and_allowed_on_hold() -> None:
    clock = VirtualClock()

    async def story() -> int:
        with pytest.raises(RealWorkInVirtualTime, match="executor"):
            await asyncio.to_thread(threading.get_ident)
        assert not clock.held
        async with clock.hold():
            return await asyncio.to_thread(threading.get_ident)

    assert run(clock, story) != threading.get_ident()
    assert (clock.held, clock.now()) == (True, 0)


def test_calls_from_foreign_threads_are_refused() -> None:
    refused = list[BaseException]()

    async def story() -> None:
        loop = asyncio.get_running_loop()

        def intrude() -> None:
            try:
                loop.call_soon_threadsafe(print)
            except RealWorkInVirtualTime as error:
                refused.append(error)

        thread = threading.Thread(target=intrude)
        thread.start()
        thread.join()

    run(VirtualClock(), story)
    assert len(refused) == 1


def test_sockets_are_refused_and_allowed_on_hold() -> None:
    clock = VirtualClock()

    async def story() -> bytes:
        loop = asyncio.get_running_loop()
        with pytest.raises(RealWorkInVirtualTime, match="create_server"):
            await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        here, there = socket.socketpair()
        with here, there:
            here.setblocking(False)
            with pytest.raises(RealWorkInVirtualTime, match="sock_recv"):
                await loop.sock_recv(here, 4)
            async with clock.hold():
                there.sendall(b"real")
                return await loop.sock_recv(here, 4)

    assert run(clock, story) == b"real"


def test_two_runs_of_racing_coroutines_have_one_order() -> None:
    script = (
        "import asyncio, random\n"
        "from emulator.clock import VirtualClock, run\n"
        "clock, seen, chance = VirtualClock(), [], random.Random(4)\n"
        "async def one(name):\n"
        "    for _ in range(20):\n"
        "        await clock.sleep(chance.randrange(3))\n"
        "        seen.append(name)\n"
        "async def story():\n"
        "    await asyncio.gather(*(one(name) for name in 'abcdef'))\n"
        "run(clock, story)\n"
        "print(''.join(seen), clock.now())\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": str(random.Random(hash_seed).randrange(1000)), "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for hash_seed in (1, 2)
    ]
    assert outputs[0] == outputs[1]
    assert len(outputs[0].split()[0]) == 120


def test_a_wall_clock_is_off_drifts_and_can_be_set() -> None:
    clock = VirtualClock(100 * SECOND)
    wall = OffsetWallClock(clock, offset_ns=3 * SECOND, drift_ppb=50_000)
    assert wall.utc() == 103 * SECOND
    clock.run_for(1000 * SECOND)
    assert wall.utc() == 1103 * SECOND + 50_000 * 1000
    wall.set(5 * SECOND)
    clock.run_for(10 * SECOND)
    assert wall.utc() == 15 * SECOND + 500_000


def test_the_heap_runs_fast_enough_for_frames() -> None:
    """At least 500,000 callbacks a second of processor time on the design's machine; a third of it here."""
    clock, left = VirtualClock(), [100_000]

    def again() -> None:
        left[0] -= 1
        if left[0] > 0:
            clock.call_at(clock.now() + 1000, again)

    for _ in range(20):
        clock.call_at(0, again)
    before = os.times()
    clock.run_until(DAY)
    after = os.times()
    spent = after.user + after.system - before.user - before.system
    assert clock.callbacks / max(spent, 0.01) > 170_000


@given(
    st.lists(st.tuples(st.integers(0, 5 * SECOND), st.booleans()), max_size=60),
    st.lists(st.integers(0, 5 * SECOND), max_size=20),
    st.integers(1, 40),
)
def test_timers_near_and_far_and_frames_run_in_one_order(
    timers: list[tuple[int, bool]], frames: list[int], purge_from: int
) -> None:
    """Whether the heap is purged of cancelled timers or not changes nothing."""
    clock = VirtualClock()
    clock._purge_at = purge_from  # so that purges come among so few
    ran: list[tuple[int, int]] = []
    expected: list[tuple[int, int, int]] = []

    def again(number: int) -> None:
        """Run, and set a timer from within: near at hand and far away by turns."""
        ran.append((clock.now(), number))
        if number < 100:
            delay = (number % 3) * SECOND + number
            clock.call_at(clock.now() + delay, again, number + 100)

    for number, (when, cancelled) in enumerate(timers):
        timer = clock.call_at(when, again, number)
        if cancelled:
            timer.cancel()
        else:
            expected += [(when, 1, number), (when + (number % 3) * SECOND + number, 1, number + 100)]
    for number, when in enumerate(frames, 1000):
        clock.radio_at(when, again, number)
        expected.append((when, 0, number))
    for stop in range(0, 9 * SECOND, 700 * MILLISECOND):
        clock.run_until(stop)
    clock.run_until(9 * SECOND)
    assert clock.pending == 0
    assert sorted(ran) == sorted((when, number) for when, _, number in expected)
    assert [when for when, _ in ran] == sorted(when for when, _ in ran)
    at_once = [(when, number) for when, number in ran if number < 100 or number >= 1000]
    first = sorted(each for each in expected if each[2] < 100 or each[2] >= 1000)
    assert at_once == [(when, number) for when, _, number in first]


def test_timers_all_cancelled_and_purged_leave_nothing_due() -> None:
    clock = VirtualClock()
    clock._purge_at = 10
    for number in range(30):
        clock.call_at(number * SECOND, lambda: None).cancel()
    assert clock.pending < 30
    clock.run_until(SECOND * 100)
    assert (clock.pending, clock.callbacks, clock.now()) == (0, 0, 100 * SECOND)


def test_an_error_of_a_callback_leaves_the_rest_due() -> None:
    clock, ran = VirtualClock(), list[int]()
    clock.call_at(1, ran.append, 1)
    clock.call_at(2, lambda: 1 // 0)
    clock.radio_at(3, ran.append, 3)
    with pytest.raises(ZeroDivisionError):
        clock.run_until(10)
    assert (ran, clock.now(), clock.callbacks) == ([1], 2, 2)
    clock.call_at(20, ran.append, 20)
    clock.run_until(10)
    clock.run_until(20)
    assert (ran, clock.now(), clock.pending) == ([1, 3, 20], 20, 0)
