"""The voltage of a supply as a meter averages it: half-hour by half-hour, each following from its number."""

from protocols.interfaces import DAY, MINUTE, Entropy

_HALF_HOUR = 30 * MINUTE
_KEPT = 4


class Voltage:
    """Root mean square averages of half-hours, in tenths of a volt: the nominal ones and what the street does."""

    def __init__(self, entropy: Entropy, name: str, *, phases: int = 1, nominal: int = 2_400, spread: int = 60) -> None:
        """spread: how far the averages lie off `nominal`, either way, at most."""
        self._entropy, self._name, self.phases = entropy, name, phases
        self._nominal, self._spread = nominal, spread
        self._days: dict[int, tuple[tuple[int, ...], ...]] = {}

    def average(self, at: int, phase: int = 1) -> int:
        """Return the average of the half-hour in which `at` (ns since 1970 UTC) lies; phases count from 1."""
        return self.day(at // DAY, phase)[at % DAY // _HALF_HOUR]

    def integral(self, begin: int, end: int, phase: int = 1) -> int:
        """Return the voltage from `begin` to `end` (ns since 1970 UTC) times ns."""
        at, found = begin, 0
        while at < end:
            until = min((at // _HALF_HOUR + 1) * _HALF_HOUR, end)
            found += self.average(at, phase) * (until - at)
            at = until
        return found

    def day(self, number: int, phase: int = 1) -> tuple[int, ...]:
        """Return the 48 averages of the day so many days after 1970-01-01."""
        made = self._days.get(number)
        if made is None:
            if len(self._days) >= _KEPT:
                del self._days[min(self._days)]
            made = self._days[number] = tuple(self._make(number, each) for each in range(self.phases))
        return made[phase - 1]

    def _make(self, number: int, phase: int) -> tuple[int, ...]:
        random = self._entropy.random(f"voltage {self._name} {number} {phase}")
        return tuple(self._nominal + random.randrange(-self._spread, self._spread + 1) for _ in range(48))
