"""xs:dateTime and xs:date as nanoseconds since 1970-01-01 UTC."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from protocols.errors import InputError, UsageError
from protocols.interfaces import DAY, MILLISECOND, MINUTE, SECOND

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH).days * DAY
_LAST = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH).days * DAY + DAY - 1
_DATE = r"(\d{4})-(\d\d)-(\d\d)"
_ZONE = r"(Z|[+-]\d\d:\d\d)?"
_DATE_TIME = re.compile(_DATE + r"T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})0*)?" + _ZONE, re.ASCII)
_DATE_ONLY = re.compile(_DATE + _ZONE, re.ASCII)


def format_date_time(time: int) -> str:
    """Write `time` (ns) in UTC with `Z`: milliseconds as in published responses, nine digits where those do not do.

    Raises UsageError before the year 1 or after 9999.
    """
    seconds, fraction = divmod(time, SECOND)
    digits = f"{fraction // MILLISECOND:03}" if fraction % MILLISECOND == 0 else f"{fraction:09}"
    return f"{_second_text(seconds)}.{digits}Z"


@lru_cache(maxsize=256)
def _second_text(seconds: int) -> str:
    """Write a second; many messages are of the same one."""
    return _at(seconds).isoformat()[:19]


def parse_date_time(text: str) -> int:
    """Read xs:dateTime; a time without zone counts as UTC. InputError for years beyond 1-9999 or below a nanosecond."""
    match = _DATE_TIME.fullmatch(text.strip())
    if match is None:
        raise InputError(f"not a date and time of the years 1 to 9999 with at most nine decimals: {text[:60]!r}")
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    fraction = int((match[7] or "").ljust(9, "0"))
    if hour == 24 and (minute, second, fraction) != (0, 0, 0):
        raise InputError(f"no such time: {text[:60]!r}")
    midnight = _midnight(year, month, day, text)
    if hour > 24 or minute > 59 or second > 59:
        raise InputError(f"no such time: {text[:60]!r}")
    time = midnight + (hour * 3600 + minute * 60 + second) * SECOND + fraction - _offset(match[8])
    if not _FIRST <= time <= _LAST:
        raise InputError(f"outside the years 1 to 9999 in UTC: {text[:60]!r}")
    return time


def format_date(time: int) -> str:
    """Write the UTC date of `time` (ns) as published samples do: `2025-12-28Z`."""
    return f"{_at(time // SECOND).isoformat()[:10]}Z"


def parse_date(text: str) -> int:
    """Return the start of the date, UTC, whatever zone it is written with. InputError for anything else."""
    match = _DATE_ONLY.fullmatch(text.strip())
    if match is None:
        raise InputError(f"not a date of the years 1 to 9999: {text[:60]!r}")
    return _midnight(int(match[1]), int(match[2]), int(match[3]), text)


def _at(seconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise UsageError(f"{seconds} s since 1970 is outside the years 1 to 9999") from None


def _midnight(year: int, month: int, day: int, text: str) -> int:
    try:
        return (datetime(year, month, day, tzinfo=UTC) - _EPOCH).days * DAY
    except ValueError:
        raise InputError(f"no such date: {text[:60]!r}") from None


def _offset(zone: str | None) -> int:
    if zone is None or zone == "Z":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    return (-minutes if zone[0] == "-" else minutes) * MINUTE


CANCELLATION_DATE_TIME = parse_date_time("3000-12-31T00:00:00.00Z")
"""ExecutionDateTime that cancels a future dated command held by a device. Source: request template CS06_11.3."""
