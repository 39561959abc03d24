"""One heap of time for frames, stack timers and coroutines alike.

`VirtualClock` jumps from one due callback to the next. `VirtualTimeLoop` is an asyncio loop on the same heap: whatever
is ready runs before time moves, so a run has one order whatever the machine does.
"""

import asyncio
import threading
from asyncio import selector_events
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from contextvars import Context
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar, TypeVarTuple, Unpack, cast

from protocols.errors import HanlabError
from protocols.interfaces import SECOND, Clock, Rank

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_PURGE_FROM = 1024  # heap entries, below which cancelled ones are left to come up by themselves
_RADIO = int(Rank.RADIO)
_STACK = int(Rank.STACK)
_COROUTINE = int(Rank.COROUTINE)
_AFTER_ALL = max(Rank) + 1
_BILLION = 1_000_000_000


class RealWorkInVirtualTime(HanlabError):  # noqa: N818 - the name the design gives it
    """Something of the real world (a thread, an executor, a socket) was used while time is virtual.

    `async with clock.hold():` makes time stand still and allows it.
    """


class NothingDueError(HanlabError):
    """Every coroutine waits and nothing is due: virtual time would stand still for ever."""


class VirtualTimer:
    """What is called when it is due, unless it is cancelled before."""

    __slots__ = ("arguments", "callback")

    def __init__(self, callback: Callable[..., object], arguments: tuple[object, ...]) -> None:
        self.callback: Callable[..., object] | None = callback
        self.arguments = arguments

    def cancel(self) -> None:
        self.callback, self.arguments = None, ()


# When, rank, sequence; then a callback and its arguments, or None and a timer.
Entry = tuple[int, int, int, Callable[..., object] | None, Any]


class VirtualClock:
    """`protocols.interfaces.Clock` whose time jumps. Callbacks run in order of (time, rank, order of scheduling)."""

    __slots__ = (
        "_frames",
        "_heap",
        "_now",
        "_purge_at",
        "_sequence",
        "callbacks",
        "held",
        "holding",
        "start",
    )

    def __init__(self, start_ns: int = 0) -> None:
        self._now = self.start = start_ns
        self._heap: list[Entry] = []
        self._frames: list[Entry] = []  # a heap too: frames come due so soon that they should not sift through timers
        self._sequence = 0
        self._purge_at = _PURGE_FROM
        self.callbacks = 0  # run so far
        self.holding = 0  # holds open now
        self.held = False  # a hold was ever used: the run may not repeat

    def now(self) -> int:
        return self._now

    def call_at(self, when: int, callback: Callable[..., object], *args: object, rank: int = _STACK) -> VirtualTimer:
        self._sequence = sequence = self._sequence + 1
        timer = VirtualTimer(callback, args)
        heap = self._heap
        heappush(heap, (when, rank, sequence, None, timer))
        if len(heap) > self._purge_at:
            self._purge()
        return timer

    def radio_at(self, when: int, callback: Callable[..., object], *args: object) -> None:
        self._sequence = sequence = self._sequence + 1
        heappush(self._frames, (when, _RADIO, sequence, callback, args))

    def _purge(self) -> None:
        """Drop cancelled entries, so that timers set and cancelled per frame cannot pile up."""
        heap = self._heap
        heap[:] = [entry for entry in heap if entry[4].callback is not None]
        heapify(heap)
        self._purge_at = max(_PURGE_FROM, 2 * len(heap))

    @property
    def pending(self) -> int:
        """Entries on the heap, cancelled ones included."""
        return len(self._heap) + len(self._frames)

    async def sleep_until(self, when: int) -> None:
        future = asyncio.get_running_loop().create_future()
        timer = self.call_at(when, _wake, future, rank=_COROUTINE)
        try:
            await future
        finally:
            timer.cancel()

    async def sleep(self, duration: int) -> None:
        """Sleep for `duration` ns."""
        await self.sleep_until(self._now + duration)

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Let time stand still for real work: threads, sockets. The run no longer promises to repeat."""
        self.held = True
        self.holding += 1
        try:
            yield
        finally:
            self.holding -= 1

    def run_until(self, when: int) -> None:
        """Run what is due up to `when` (included) without a loop, and leave the time at `when`. Not for callbacks."""
        frames, heap, pop, count = self._frames, self._heap, heappop, 0
        self._sequence = sequence = self._sequence + 1
        end = VirtualTimer(_nothing, ())  # after all that is due at `when`: the heap is never empty before
        heappush(heap, (when, _AFTER_ALL, sequence, None, end))
        try:
            while True:
                if frames and frames[0] < heap[0]:
                    at, _, _, callback, args = pop(frames)
                else:
                    at, _, _, _, timer = pop(heap)
                    if timer is end:
                        break
                    callback, args = timer.callback, timer.arguments
                if callback is not None:
                    if at > self._now:
                        self._now = at
                    count += 1
                    callback(*args)
        finally:
            end.cancel()
            self.callbacks += count
        self._now = max(self._now, when)

    def run_for(self, duration: int) -> None:
        self.run_until(self._now + duration)

    def advance(self, ready: "deque[asyncio.Handle]") -> bool:
        """Run the heap until a coroutine is ready whose turn it is; False if nothing is left to run.

        Radio and stack callbacks of the same instant go before what is ready.
        """
        frames, heap, count = self._frames, self._heap, 0
        while heap or frames:
            due = frames if frames and (not heap or frames[0] < heap[0]) else heap
            if ready and (due[0][0] > self._now or due[0][1] == _COROUTINE):
                break
            when, _, _, callback, args = heappop(due)
            if callback is None:  # a timer
                callback, args = args.callback, args.arguments
            if callback is not None:
                if when > self._now:
                    self._now = when
                count += 1
                callback(*args)
        self.callbacks += count
        return bool(ready)


def _nothing() -> None:
    """Stand for a callback that is never called."""


def _wake(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


class _LoopTimer(asyncio.TimerHandle):
    """An asyncio timer whose cancelling reaches its heap entry."""

    __slots__ = ("entry",)

    entry: VirtualTimer

    def cancel(self) -> None:
        super().cancel()
        self.entry.cancel()


class VirtualTimeLoop(selector_events.BaseSelectorEventLoop):
    """An asyncio loop on a `VirtualClock`. `time()` is seconds since the clock's start."""

    _ready: deque[asyncio.Handle]

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self.clock = clock
        self._thread = threading.get_ident()

    def time(self) -> float:
        return (self.clock.now() - self.clock.start) / _BILLION

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = _LoopTimer(when, callback, args, self, context)
        due = max(self.clock.now(), self.clock.start + round(when * _BILLION))
        handle.entry = self.clock.call_at(due, self._ready.append, handle, rank=_COROUTINE)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if threading.get_ident() == self._thread:
            return self.call_soon(callback, *args, context=context)
        self.refuse_real_work("a call from another thread")
        return super().call_soon_threadsafe(callback, *args, context=context)

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> "asyncio.Future[T]":
        self.refuse_real_work("an executor")
        return super().run_in_executor(executor, func, *args)

    async def shutdown_default_executor(self, *timeout: float | None) -> None:
        """Join the threads a hold has used; they report back, so this is real work too."""
        self.clock.holding += 1
        try:
            await super().shutdown_default_executor(*timeout)
        finally:
            self.clock.holding -= 1

    def refuse_real_work(self, what: str) -> None:
        """Raise RealWorkInVirtualTime unless the clock is on hold."""
        if not self.clock.holding:
            raise RealWorkInVirtualTime(f"{what} while time is virtual; use 'async with clock.hold()'")

    def _run_once(self) -> None:
        """One turn: time moves only when nothing is ready; on hold the real selector waits instead."""
        ready = self._ready
        if self.clock.holding:
            self.clock.run_until(self.clock.now())
            cast("Any", super())._run_once()  # noqa: SLF001 - the turn asyncio defines, with its selector
            return
        if not self.clock.advance(ready):
            raise NothingDueError(f"nothing is due any more at {self.clock.now()} ns; every coroutine waits")
        for _ in range(len(ready)):
            handle = cast("Any", ready.popleft())
            if not handle.cancelled():
                handle._run()  # noqa: SLF001 - what BaseEventLoop does with its handles


def _guarded(name: str) -> None:
    """Replace the loop's method `name` by one that raises RealWorkInVirtualTime outside a hold."""
    original = getattr(selector_events.BaseSelectorEventLoop, name)

    def refusing(self: VirtualTimeLoop, *args: object, **options: object) -> object:
        self.refuse_real_work(name)
        return original(self, *args, **options)

    refusing.__name__ = name
    setattr(VirtualTimeLoop, name, refusing)


for _name in (
    "add_reader",
    "add_writer",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "getaddrinfo",
    "getnameinfo",
    "sock_accept",
    "sock_connect",
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_sendall",
    "sock_sendto",
    "subprocess_exec",
    "subprocess_shell",
):
    _guarded(_name)


def run(clock: VirtualClock, coroutine_factory: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run one coroutine to its end in virtual time and return its result."""
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(clock)) as runner:
        return runner.run(coroutine_factory())


class OffsetWallClock:
    """`protocols.interfaces.WallClock`: what one actor believes, off by an offset and a drift."""

    def __init__(self, clock: Clock, offset_ns: int = 0, drift_ppb: int = 0) -> None:
        self._clock = clock
        self._set_at = clock.now()
        self._offset = offset_ns
        self.drift_ppb = drift_ppb  # parts in 10^9, since the clock was last set

    def utc(self) -> int:
        return self._at(self._clock.now())

    def _at(self, now: int) -> int:
        return now + self._offset + (now - self._set_at) * self.drift_ppb // SECOND

    def when(self, utc: int) -> int:
        """Return the first instant of the clock below at which this one says `utc` or more, if nobody sets it."""
        since_set = (utc - self._offset - self._set_at) * SECOND // (SECOND + self.drift_ppb)
        at = self._set_at + since_set
        while self._at(at) < utc:
            at += 1
        while self._at(at - 1) >= utc:
            at -= 1
        return at

    def set(self, utc: int) -> None:
        """Take `utc` as the time of now, as a Time cluster or a GBCS message tells it."""
        self._set_at = self._clock.now()
        self._offset = utc - self._set_at
