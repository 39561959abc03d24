"""A recorded stream: who stands behind which hub, activations and what became of them, power outages.

A line a JSON object, or a row of CSV whose header names the same fields; `event` says which of the models below it is.
Times are ns since 1970 UTC, or ISO 8601 with an offset.
"""

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from protocols.errors import InputError
from protocols.interfaces import MICROSECOND
from protocols.yaml_files import EuiText

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _time(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = str(value)
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as wrong:
        raise ValueError(f"neither ns since 1970 nor ISO 8601: {text!r}") from wrong
    if moment.tzinfo is None:
        raise ValueError(f"no offset from UTC: {text!r}")
    return (moment - _EPOCH) // timedelta(microseconds=1) * MICROSECOND


Time = Annotated[int, BeforeValidator(_time)]


class _Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Placed(_Event):
    """An ESME is associated with a hub from now on; hub None: with none any more."""

    event: Literal["device"]
    time: Time
    esme: EuiText
    hub: EuiText | None = None
    mpxn: str | None = None
    smets1: bool = False


class Activated(_Event):
    """The signed 11.3 was accepted: at once, dated, or the cancellation of a dated one."""

    event: Literal["activation"]
    time: Time
    esme: EuiText
    request: str
    date: Time | None = None
    cancel: bool = False


class Confirmed(_Event):
    """The device accepted the date, or the cancellation, of a request."""

    event: Literal["confirmed"]
    time: Time
    request: str


class Failed(_Event):
    """The device reported that the activation of a request failed."""

    event: Literal["failed"]
    time: Time
    request: str


class OutageReceived(_Event):
    """AD1 entered the DSP. taken: when the CSP had it. cause: what it was in truth, where that is known."""

    event: Literal["outage"]
    time: Time
    hub: EuiText
    started: Time
    taken: Time | None = None
    cause: Literal["activation", "mains"] | None = None


Event: TypeAlias = Placed | Activated | Confirmed | Failed | OutageReceived
_EVENTS: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="event")])


def read_stream(path: Path) -> list[Event]:
    """Read a stream, CSV if it is called so, in the order of its times. Raises InputError: file, line, field."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            events = list(_rows(path, file) if path.suffix == ".csv" else _lines(path, file))
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(f"{path}: cannot be read: {wrong}") from wrong
    return in_order(events)


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return events by time, those of one instant as they stood."""
    return sorted(events, key=lambda event: event.time)


def _lines(path: Path, lines: Iterable[str]) -> Iterator[Event]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _EVENTS.validate_json(line)
        except ValidationError as wrong:
            raise _told(path, number, wrong) from wrong


def _rows(path: Path, lines: Iterable[str]) -> Iterator[Event]:
    reader = csv.DictReader(lines)
    for row in reader:
        if None in row:
            raise InputError(f"{path}: line {reader.line_num}: more cells than the header names")
        cells: dict[str, Any] = {name: cell for name, cell in row.items() if cell}
        try:
            yield _EVENTS.validate_python(cells)
        except ValidationError as wrong:
            raise _told(path, reader.line_num, wrong) from wrong


def _told(path: Path, line: int, wrong: ValidationError) -> InputError:
    first = wrong.errors()[0]
    field = ".".join(str(step) for step in first["loc"]) or "event"
    return InputError(f"{path}: line {line}: {field}: {first['msg']}")
