"""The heap of virtual time run at the pace of the real world, or N times faster, on an ordinary asyncio loop."""

import asyncio
from collections.abc import Callable
from heapq import heappop
from typing import NamedTuple

from emulator.clock import Entry, VirtualClock, VirtualTimer
from protocols.errors import UsageError
from protocols.interfaces import MILLISECOND, SECOND, Rank

LATE = 10 * MILLISECOND  # real time; what runs later than this after its time is counted
_SLICE = 0.02  # seconds of real time after which the loop gets its turn
_SHORTEST_WAIT = 1e-6  # seconds; less is lost in rounding
_CHECK_EVERY = 64  # callbacks between two looks at the real time
_STACK = int(Rank.STACK)


class Punctuality(NamedTuple):
    """How far the machine kept up."""

    callbacks: int  # run so far
    late: int  # of them, more than `LATE` of real time after they were due
    worst: int  # ns of real time, the largest delay


class RealTimeClock(VirtualClock):
    """A `VirtualClock` whose time follows the loop's: `speed` of its seconds pass in one real second.

    Callbacks see the time at which they are due. What is due in the past, because the machine was busy, runs late, in
    order, and is counted. Whoever brings something from outside calls `catch_up` first, so that it happens now.
    """

    __slots__ = ("_changed", "_late", "_loop", "_origin", "_speed", "_worst")

    def __init__(self, start_ns: int = 0, speed: float = 1.0) -> None:
        if not speed > 0:
            raise UsageError(f"time cannot pass {speed} times as fast")
        super().__init__(start_ns)
        self._speed = speed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._origin = 0.0  # loop time at the clock's start
        self._changed: asyncio.Event | None = None
        self._late = self._worst = 0

    @property
    def punctuality(self) -> Punctuality:
        return Punctuality(self.callbacks, self._late, self._worst)

    def call_at(self, when: int, callback: Callable[..., object], *args: object, rank: int = _STACK) -> VirtualTimer:
        timer = super().call_at(when, callback, *args, rank=rank)
        self._wake_for(self._sequence)
        return timer

    def radio_at(self, when: int, callback: Callable[..., object], *args: object) -> None:
        super().radio_at(when, callback, *args)
        self._wake_for(self._sequence)

    def _wake_for(self, sequence: int) -> None:
        """Do not wait any longer than for the entry just made, if it is the first now."""
        due = self._first()
        if self._changed is not None and due is not None and due[0][2] == sequence:
            self._changed.set()

    def present(self) -> int:
        """Return what the time should be now, in ns; before `run` the start."""
        if self._loop is None:
            return self.start
        return self.start + round((self._loop.time() - self._origin) * self._speed * SECOND)

    def catch_up(self) -> None:
        """Run all that is due up to the present, and let it be the present."""
        self.run_until(max(self._now, self.present()))

    def run_until(self, when: int) -> None:
        while (due := self._first()) is not None and due[0][0] <= when:
            self._run_next(due)
        self._now = max(self._now, when)

    def _first(self) -> list[Entry] | None:
        """Return the heap whose first entry is due next; None if nothing is."""
        frames, heap = self._frames, self._heap
        if frames and (not heap or frames[0] < heap[0]):
            return frames
        return heap or None

    def _run_next(self, due: list[Entry]) -> None:
        when, _, _, callback, args = heappop(due)
        if callback is None:
            callback, args = args.callback, args.arguments
        if callback is None:
            return
        if self._loop is not None:
            delay = round((self.present() - when) / self._speed)
            if delay > LATE:
                self._late += 1
            self._worst = max(self._worst, delay)
        if when > self._now:
            self._now = when
        self.callbacks += 1
        callback(*args)

    async def run(self) -> None:
        """Keep the heap's pace until cancelled. Time begins to pass at the first call."""
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop, self._origin = loop, loop.time()
        self._changed = changed = asyncio.Event()
        try:
            while True:
                changed.clear()
                if self._run_slice(loop):
                    await self._idle(loop, changed)
                else:
                    await asyncio.sleep(0)
        finally:
            self._changed = None

    def _run_slice(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Run what is due, for a short while at most; False if more is due already."""
        end = loop.time() + _SLICE
        while (due := self._first()) is not None and due[0][0] <= self.present():
            for _ in range(_CHECK_EVERY):
                due = self._first()
                if due is None or due[0][0] > self.present():
                    break
                self._run_next(due)
            if loop.time() > end:
                return False
        self._now = max(self._now, self.present())
        return True

    async def _idle(self, loop: asyncio.AbstractEventLoop, changed: asyncio.Event) -> None:
        """Wait until the first entry of the heap is due, or another one comes before it."""
        due = self._first()
        if due is None:
            await changed.wait()
            return
        wait = (due[0][0] - self.present()) / SECOND / self._speed
        wake = loop.call_later(max(wait, _SHORTEST_WAIT), changed.set)
        try:
            await changed.wait()
        finally:
            wake.cancel()
