"""Timers that die together when the supply does."""

from collections.abc import Callable

from protocols.interfaces import Clock, Timer


class Alarms:
    def __init__(self, clock: Clock) -> None:
        self._clock, self._alive = clock, True

    def now(self) -> int:
        return self._clock.now()

    def after(self, delay: int, callback: Callable[..., None], *arguments: object) -> Timer:
        """Call `callback(*arguments)` in `delay` ns unless silenced before."""
        return self._clock.call_at(self._clock.now() + delay, self._ring, callback, arguments)

    def silence(self) -> None:
        """Let none of them ring any more."""
        self._alive = False

    def _ring(self, callback: Callable[..., None], arguments: tuple[object, ...]) -> None:
        if self._alive:
            callback(*arguments)
