"""Typed rows of the DSP's state, and the tables that hold them in memory and write themselves through a turn."""

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from operator import attrgetter
from typing import Any, ClassVar, Generic, NamedTuple, NewType, TypeAlias, TypeVar

from gateway.dsp.dues import Dues
from gateway.dsp.effects import Turn, Value
from protocols.addresses import Eui64
from protocols.caching import once
from protocols.errors import InputError

Version = NewType("Version", int)  # firmware version, 32 bits
Unsigned = NewType("Unsigned", int)  # 64 bits; the store's numbers are signed, so the upper half is stored negative


class Row:
    """Base of frozen dataclasses that are rows; names its table and key columns."""

    __slots__ = ()
    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]] = ()  # empty: a record, appended and never changed
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]


R = TypeVar("R", bound=Row)


_Write: TypeAlias = Callable[[Any], Value]


class _Column(NamedTuple):
    name: str
    optional: bool
    write: _Write
    read: Callable[[Any], Any]


def version_text(version: int | None) -> str | None:
    """Return a firmware version as eight upper-case hexadecimal digits."""
    return None if version is None else f"{version:08X}"


def to_signed(number: int) -> int:
    """Return 64 bits as the signed number the store takes."""
    return number - (1 << 64) if number >> 63 else number


def _codec(kind: object) -> tuple[Callable[[Any], Value], Callable[[Any], Any]]:
    if kind is Version:
        return version_text, lambda text: Version(int(text, 16))
    if kind is Unsigned:
        return to_signed, lambda number: Unsigned(number % (1 << 64))
    if kind is Eui64:
        return str, Eui64.parse
    if kind is bytes:
        return bytes.hex, bytes.fromhex
    if kind is bool:
        return int, bool
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return str, kind
    if isinstance(kind, type) and issubclass(kind, str | int):
        return kind, kind
    raise TypeError(f"no column form for {kind!r}")


@once
def _columns(row: type[Row]) -> tuple[_Column, ...]:
    """Return what follows from the annotations of a row class."""
    hints = typing.get_type_hints(row)
    columns = []
    for field in dataclasses.fields(row):
        kind, optional = hints[field.name], False
        if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
            (kind,), optional = [member for member in typing.get_args(kind) if member is not types.NoneType], True
        columns.append(_Column(field.name, optional, *_codec(kind)))
    return tuple(columns)


def column_names(row: type[Row]) -> tuple[str, ...]:
    """Return the columns of a row's table, in order."""
    return tuple(column.name for column in _columns(row))


def to_row(row: Row) -> tuple[Value, ...]:
    """Return the columns of a row, in order, in the form of the store."""
    _, fetch, writers = _written(type(row))
    return tuple([None if value is None else write(value) for value, write in zip(fetch(row), writers, strict=True)])


def to_values(row: Row) -> dict[str, Value]:
    """Return the columns of a row by name, in the form of the store."""
    return dict(zip(_written(type(row))[0], to_row(row), strict=True))


@once
def _written(row: type[Row]) -> tuple[tuple[str, ...], Callable[[Row], tuple[Any, ...]], tuple[_Write, ...]]:
    """Return the columns of a row, what fetches all of them, and how each is written."""
    names = column_names(row)
    return names, attrgetter(*names), tuple(column.write for column in _columns(row))


def from_values(row: type[R], values: Mapping[str, Value]) -> R:
    """Read a row back. Raises InputError naming table and column where a value does not fit."""
    fields = {}
    for name, optional, _, read in _columns(row):
        value = values.get(name)
        if value is None and not optional:
            raise InputError(f"table {row.TABLE}: column {name} is empty")
        try:
            fields[name] = None if value is None else read(value)
        except (ValueError, TypeError, InputError) as error:
            raise InputError(f"table {row.TABLE}: column {name}: {error}") from error
    return row(**fields)


class Table(Generic[R]):
    """The rows of one kind by key, in order of first insertion. Every change goes through a turn.

    due: when a row is due, ns UTC, None for never; `due_by` then returns the rows that are.
    """

    def __init__(self, row: type[R], due: Callable[[R], int | None] | None = None) -> None:
        self._row, self._due = row, due
        self._rows: dict[tuple[Any, ...], R] = {}
        self._dues = Dues()

    def get(self, *key: object) -> R | None:
        return self._rows.get(key)

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows.values())

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def next_due(self) -> int | None:
        """The earliest time a row is due."""
        return self._dues.first

    def due_by(self, now: int) -> list[R]:
        """Return the rows that are due, the earliest first."""
        return [self._rows[key] for key in self._dues.until(now)]  # type: ignore[index]

    def put(self, turn: Turn, row: R) -> None:
        """Insert or replace the row of this key."""
        values = to_values(row)
        turn.write(self._row.TABLE, tuple(values[name] for name in self._row.KEY), values)
        self._insert(row)

    def drop(self, turn: Turn, row: R) -> None:
        """Remove the row of this key."""
        values = to_values(row)
        turn.write(self._row.TABLE, tuple(values[name] for name in self._row.KEY), None)
        self._remove(row)

    def load(self, rows: Iterable[Mapping[str, Value]]) -> None:
        """Take rows as the store returns them."""
        for values in rows:
            self._insert(from_values(self._row, values))

    def _key(self, row: R) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in self._row.KEY)

    def _insert(self, row: R) -> None:
        key = self._key(row)
        self._rows[key] = row
        if self._due is not None:
            self._dues.set(key, self._due(row))

    def _remove(self, row: R) -> None:
        key = self._key(row)
        del self._rows[key]
        self._dues.set(key, None)


def append(turn: Turn, row: Row) -> None:
    """Add a record to its table."""
    turn.append(row.TABLE, to_row(row))
