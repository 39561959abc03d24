"""Timers of one node between power-on and power-off."""

from collections.abc import Callable

from protocols.interfaces import Clock, Timer


class Timers:
    """Schedules on the clock until `stop`; what is due after that does not run."""

    __slots__ = ("_clock", "alive", "now")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.now = clock.now
        self.alive = True

    def after(self, delay: int, callback: Callable[..., object], *args: object) -> Timer:
        """Call `callback(*args)` in `delay` ns."""
        return self._clock.call_at(self.now() + delay, self._run, callback, args)

    def soon(self, callback: Callable[..., object], *args: object) -> None:
        """Call back at this instant, out of the present call."""
        self._clock.call_at(self.now(), self._run, callback, args)

    def _run(self, callback: Callable[..., object], args: tuple[object, ...]) -> None:
        if self.alive:
            callback(*args)

    def stop(self) -> None:
        self.alive = False
