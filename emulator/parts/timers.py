"""Timers of a device that die when its power goes."""

from collections.abc import Callable

from protocols.interfaces import Clock, Timer


class Timers:
    """Named timers on a clock: setting one again moves it, `clear` cancels all."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._timers: dict[str, Timer] = {}

    def at(self, name: str, when: int, callback: Callable[..., object], *args: object) -> None:
        """Call `callback(*args)` at `when` (ns) unless cancelled or set again."""
        self.cancel(name)
        self._timers[name] = self._clock.call_at(when, callback, *args)

    def after(self, name: str, delay: int, callback: Callable[..., object], *args: object) -> None:
        self.at(name, self._clock.now() + delay, callback, *args)

    def cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def clear(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
