"""The types of what a folder holds, looked at once when it is read: checks rely on them.

Each function raises InputError with the place, in one line.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from protocols.errors import InputError

_TYPES: Mapping[str, tuple[type, ...]] = {"INTEGER": (int,), "BIGINT": (int,), "TEXT": (str,), "BLOB": (bytes,)}
"""Of columns, as SQLite declares them; columns of other types take anything."""


class _Device(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    eui: str = ""
    name: str = ""
    kind: str = ""
    tracked: bool = False
    hub: str | None = None


class _Summary(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    kind: str | None = None
    plan: dict[str, Any] | None = None
    devices: list[_Device] = []
    parties: dict[str, str] = {}
    xml_signature: str = ""


def check_summary(summary: Mapping[str, Any], place: str) -> None:
    """Look at the parts of summary.json that every kind of run has."""
    try:
        _Summary.model_validate(dict(summary))
    except ValidationError as wrong:
        first = wrong.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{place}: {field}: {first['msg']}") from None


def check_event(time: object, actor: object, name: object, fields: Mapping[str, object], place: str) -> None:
    """Look at one line of the timeline."""
    if type(time) is not int or time < 0:
        raise InputError(f"{place}: ns: a whole number of nanoseconds expected, not {time!r}")
    for what, value in (("actor", actor), ("event", name)):
        if not isinstance(value, str):
            raise InputError(f"{place}: {what}: text expected, not {value!r}")
    for what, value in fields.items():
        if not isinstance(value, str | int | None):
            raise InputError(f"{place}: {what}: text, a whole number or nothing expected, not {value!r}")


class Columns:
    """The columns of one table of a store, as the database declares them."""

    def __init__(self, connection: sqlite3.Connection, table: str, place: str) -> None:
        self._place = f"{place}: table {table}"
        declared = connection.execute("SELECT name, type, [notnull] FROM pragma_table_info(?)", (table,))
        self._columns = [(name, _TYPES.get(kind, (object,)), bool(needed)) for name, kind, needed in declared]

    def check(self, row: Mapping[str, object], number: int) -> None:
        """Look at the values of a row; number: which row it is, from 1 on."""
        for name, types, needed in self._columns:
            value = row[name]
            if value is None and needed:
                raise InputError(f"{self._place}, row {number}, column {name}: nothing there")
            if value is not None and not isinstance(value, types):
                raise InputError(f"{self._place}, row {number}, column {name}: {value!r:.40} is of another type")
