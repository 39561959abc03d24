"""A report as values, and its three forms."""

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from protocols.errors import InputError
from protocols.interfaces import SECOND

Cell = str | int | float | bool | None
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


class Period(NamedTuple):
    """From `start` to before `end`, ns since 1970 UTC; None: no bound."""

    name: str
    start: int | None = None
    end: int | None = None

    def __contains__(self, time: object) -> bool:
        if not isinstance(time, int):
            return False
        return (self.start is None or time >= self.start) and (self.end is None or time < self.end)

    @property
    def over(self) -> int:
        """The end as a number that compares."""
        return (1 << 63) if self.end is None else self.end


ALL = Period("all that is recorded")


def month(text: str) -> Period:
    """Return the calendar month of e.g. "2026-03", UTC. Raises InputError."""
    found = _MONTH.fullmatch(text)
    if found is None:
        raise InputError(f"--month {text}: not a month such as 2026-03")
    year, number = int(found[1]), int(found[2])
    following = (year + 1, 1) if number == 12 else (year, number + 1)
    start, end = (int(datetime(*first, 1, tzinfo=UTC).timestamp()) * SECOND for first in ((year, number), following))
    return Period(text, start, end)


class Report(NamedTuple):
    """name: as of `hanlab report`. columns: machine names. rows: a cell a column."""

    name: str
    period: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def csv(self) -> str:
        """Return the header and the rows; an empty cell where there is no value, true and false in words."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([plain(cell) for cell in row] for row in self.rows)
        return text.getvalue()

    def json(self) -> str:
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return json.dumps({"report": self.name, "period": self.period, "rows": rows}, indent=1, ensure_ascii=False)


def plain(cell: Cell) -> str:
    """Return a cell as text."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)


def day(time: int) -> str:
    """Return the day of a time, UTC, e.g. "2026-03-02"."""
    return f"{datetime.fromtimestamp(time // SECOND, UTC):%Y-%m-%d}"


def moment(time: int | None) -> str | None:
    """Return a time as e.g. "2026-03-02T09:00:00Z"."""
    return None if time is None else f"{datetime.fromtimestamp(time // SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"


def share(part: int, whole: int) -> float | None:
    """Return a part in percent, one digit after the point; None of nothing."""
    return round(100 * part / whole, 1) if whole else None


def counted(counts: Mapping[str, int], names: Sequence[str]) -> list[int]:
    return [counts.get(name, 0) for name in names]
