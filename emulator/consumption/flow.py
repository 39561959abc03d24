"""Flows that are constant in pieces, so that amounts are sums of products: nothing is computed per second.

A flow has a unit of its own, watts for electricity and millilitres an hour for gas; an amount is the flow times ns.
Positive is taken from the network, negative given back to it.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from protocols.interfaces import DAY, SECOND


class Amounts(NamedTuple):
    """What a piece of time took and gave, in units of the flow times ns; both at least 0."""

    taken: int
    given: int


class Flow(Protocol):
    def rate(self, at: int) -> int:
        """Return the flow at `at` (ns since 1970 UTC)."""
        ...

    def amounts(self, begin: int, end: int, extra: int = 0) -> Amounts:
        """Return what flows from `begin` to `end` (ns) with `extra` on top all the time."""
        ...


class Run(NamedTuple):
    """One appliance at work: seconds of the day, and its flow."""

    begin: int
    end: int
    rate: int


class Day(NamedTuple):
    """A day in pieces: where each begins (ns of the day, the first at 0) and what flows in it."""

    begins: tuple[int, ...]
    rates: tuple[int, ...]


def day_of(base: int, runs: Iterable[Run]) -> Day:
    """Return the sum of a base flow and of runs, cut to the day."""
    changes: dict[int, int] = {0: base}
    for run in runs:
        begin, end = max(run.begin, 0), min(run.end, DAY // SECOND)
        if begin < end:
            changes[begin] = changes.get(begin, 0) + run.rate
            changes[end] = changes.get(end, 0) - run.rate
    changes.pop(DAY // SECOND, None)
    rate, begins, rates = 0, list[int](), list[int]()
    for second in sorted(changes):
        rate += changes[second]
        if not rates or rate != rates[-1]:
            begins.append(second * SECOND)
            rates.append(rate)
    return Day(tuple(begins), tuple(rates))


class DailyFlow:
    """A flow whose days are made one by one, each from its number alone; a few are kept."""

    _KEPT = 4

    def __init__(self, make: Callable[[int], Day]) -> None:
        """make(number): the day `number` days after 1970-01-01, in UTC."""
        self._make = make
        self._days: dict[int, Day] = {}

    def rate(self, at: int) -> int:
        number, within = divmod(at, DAY)
        day = self._day(number)
        return day.rates[bisect_right(day.begins, within) - 1]

    def amounts(self, begin: int, end: int, extra: int = 0) -> Amounts:
        taken = given = 0
        for rate, length in self._pieces(begin, end):
            amount = (rate + extra) * length
            if amount > 0:
                taken += amount
            else:
                given -= amount
        return Amounts(taken, given)

    def _pieces(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Give flow and length (ns) of each piece between."""
        at = begin
        while at < end:
            number, within = divmod(at, DAY)
            day = self._day(number)
            index = bisect_right(day.begins, within) - 1
            piece_end = day.begins[index + 1] if index + 1 < len(day.begins) else DAY
            until = min(number * DAY + piece_end, end)
            yield day.rates[index], until - at
            at = until

    def _day(self, number: int) -> Day:
        day = self._days.get(number)
        if day is None:
            if len(self._days) >= self._KEPT:
                del self._days[min(self._days)]
            day = self._days[number] = self._make(number)
        return day


class ConstantFlow:
    """The same flow for ever."""

    def __init__(self, rate: int = 0) -> None:
        self._rate = rate

    def rate(self, at: int) -> int:
        return self._rate

    def amounts(self, begin: int, end: int, extra: int = 0) -> Amounts:
        amount = (self._rate + extra) * (end - begin)
        return Amounts(max(amount, 0), max(-amount, 0))


class PhasedFlow:
    """Flows of three phases, each there while its phase is: what they take adds up, and what they give.

    Whoever measures hears of a change before it happens, as with a `SwitchedLoad`.
    """

    def __init__(self, flows: Sequence[Flow]) -> None:
        self._flows = tuple(flows)
        self._on = [True] * len(self._flows)
        self._listeners: list[Callable[[], object]] = []

    def attach(self, listener: Callable[[], object]) -> None:
        """Call `listener()` before each change from now on."""
        self._listeners.append(listener)

    def switch(self, phase: int, on: bool) -> None:
        """Take a phase away or give it back; they count from 1."""
        if on != self._on[phase - 1]:
            for listener in self._listeners:
                listener()
            self._on[phase - 1] = on

    def rate(self, at: int) -> int:
        return sum(flow.rate(at) for flow in self._there)

    def amounts(self, begin: int, end: int, extra: int = 0) -> Amounts:
        """Return what all phases take and give together; `extra` flows on none of them."""
        apart = [flow.amounts(begin, end) for flow in self._there]
        more = ConstantFlow(extra).amounts(begin, end)
        return Amounts(sum(each.taken for each in apart) + more.taken, sum(each.given for each in apart) + more.given)

    @property
    def _there(self) -> list[Flow]:
        return [flow for flow, on in zip(self._flows, self._on, strict=True) if on]


class SwitchedLoad:
    """A load behind a contact: whoever measures hears of a change before it happens, to count what was up to now."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self.on = False
        self._listeners: list[Callable[[], object]] = []

    @property
    def rate(self) -> int:
        """What flows now."""
        return self._rate if self.on else 0

    def attach(self, listener: Callable[[], object]) -> None:
        """Call `listener()` before each change from now on."""
        self._listeners.append(listener)

    def switch(self, on: bool) -> None:
        if on != self.on:
            for listener in self._listeners:
                listener()
            self.on = on


def total(loads: Sequence[SwitchedLoad]) -> int:
    return sum(load.rate for load in loads)
