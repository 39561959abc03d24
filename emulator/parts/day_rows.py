"""The row of a device's day: at each midnight of its own clock one `day` event, later if it was without power then."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from emulator.parts.gbcs_application import Note
from emulator.parts.timers import Timers
from protocols.interfaces import DAY, SECOND, AdjustableClock

Fields = Mapping[str, str | int | bool | None]
_TIMER = "day row"


class DayRows:
    """fields(day): what the row says of the day, as a number of days after 1970-01-01, that has ended."""

    def __init__(
        self, kind: str, timers: Timers, wall: AdjustableClock, note: Note, fields: Callable[[int], Fields]
    ) -> None:
        self._kind, self._timers, self._wall, self._note, self._fields = kind, timers, wall, note, fields
        self._day: int | None = None

    def start(self) -> None:
        """Go on: the device has (again) power."""
        today = self._wall.utc() // DAY
        if self._day is None:
            self._day = today
        elif today > self._day:
            self._tell()
        self._arm()

    def _arm(self) -> None:
        if self._day is not None:
            self._timers.at(_TIMER, self._wall.when((self._day + 1) * DAY), self._midnight)

    def _midnight(self) -> None:
        if self._day is not None and self._wall.utc() // DAY > self._day:
            self._tell()
        self._arm()

    def _tell(self) -> None:
        day = self._day
        if day is not None:
            self._day = self._wall.utc() // DAY
            self._note("day", kind=self._kind, date=date(day), **self._fields(day))


def date(day: int) -> str:
    """Return the date so many days after 1970-01-01."""
    return datetime.fromtimestamp(day * (DAY // SECOND), UTC).date().isoformat()


class Tally:
    """Counts of one day, by name."""

    def __init__(self, *names: str) -> None:
        self._names = names
        self._counts = dict.fromkeys(names, 0)

    def add(self, name: str, count: int = 1) -> None:
        self._counts[name] += count

    def take(self) -> dict[str, int]:
        """Return the counts, and begin anew."""
        counts, self._counts = self._counts, dict.fromkeys(self._names, 0)
        return counts
