"""Supplies that go on and off, the premises' mains, and the hub's stored energy."""

from collections.abc import Callable, Iterable

from protocols.interfaces import SECOND, Clock, Timer


class Supply:
    """One supply line; listeners hear of changes only, in the order they attached."""

    def __init__(self, on: bool = True) -> None:
        self._on = on
        self._listeners: list[Callable[[bool], None]] = []

    @property
    def on(self) -> bool:
        return self._on

    def attach(self, listener: Callable[[bool], None]) -> None:
        """Call `listener(on)` at each change from now on."""
        self._listeners.append(listener)

    def switch(self, on: bool) -> None:
        if on == self._on:
            return
        self._on = on
        for listener in tuple(self._listeners):
            listener(on)


class Mains:
    """The supply of a premises, cut for real: one phase, or three. `supply` is on while any phase is."""

    def __init__(self, clock: Clock, phases: int = 1) -> None:
        self._clock = clock
        self.phases = tuple(Supply() for _ in range(phases))
        self.supply = self.phases[0] if phases == 1 else Supply()
        self._until = [0] * phases

    def cut(self, duration: int, phases: Iterable[int] = ()) -> None:
        """Take phases away now, for `duration` ns; they count from 1, and all go if none is named.

        A cut within a cut can only make it longer.
        """
        gone = [number - 1 for number in phases] or list(range(len(self.phases)))
        for index in gone:
            self._until[index] = max(self._until[index], self._clock.now() + duration)
            self._switch(index, False)
        for until in dict.fromkeys(self._until[index] for index in gone):
            self._clock.call_at(until, self._restore)

    def _restore(self) -> None:
        for index, until in enumerate(self._until):
            if self._clock.now() >= until:
                self._switch(index, True)

    def _switch(self, index: int, on: bool) -> None:
        self.phases[index].switch(on)
        self.supply.switch(any(phase.on for phase in self.phases))


class HoldUp:
    """Stored energy behind a supply: it bridges a loss for a while and tells of a long one once.

    lost(started) comes `report_after` ns after the supply went, `empty()` after `reserve` ns, `back()` when the supply
    returns after `empty()`. A return at exactly `report_after` still counts as a loss of that length. The store is full
    again as soon as the supply is back.
    """

    def __init__(
        self,
        clock: Clock,
        supply: Supply,
        *,
        lost: Callable[[int], None],
        empty: Callable[[], None],
        back: Callable[[], None],
        report_after: int = 180 * SECOND,
        reserve: int = 200 * SECOND,
    ) -> None:
        self._clock, self._supply = clock, supply
        self._lost, self._empty, self._back = lost, empty, back
        self._report_after, self._reserve = report_after, reserve
        self._started: int | None = None
        self._reported = self._drained = False
        self._timers: list[Timer] = []
        supply.attach(self._changed)

    def _changed(self, on: bool) -> None:
        if on:
            self._returned()
            return
        self._started, self._reported, self._drained = self._clock.now(), False, False
        self._timers = [
            self._clock.call_at(self._started + self._report_after, self._report),
            self._clock.call_at(self._started + self._reserve, self._drain),
        ]

    def _report(self) -> None:
        if self._started is not None and not self._reported and not self._drained:
            self._reported = True
            self._lost(self._started)

    def _drain(self) -> None:
        self._drained = True
        self._empty()

    def _returned(self) -> None:
        if self._started is not None and self._clock.now() - self._started >= self._report_after:
            self._report()
        for timer in self._timers:
            timer.cancel()
        self._timers, self._started = [], None
        if self._drained:
            self._drained = False
            self._back()
