"""Keeps the DSP's rows in a database file, one transaction a turn.

SQLite in write-ahead mode. What `commit` took survives a crash; of a turn that failed nothing is kept.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeAlias

from sqlalchemy import (
    Connection,
    Engine,
    Table,
    and_,
    create_engine,
    delete,
    event,
    insert,
    inspect,
    literal_column,
    select,
)
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError
from sqlalchemy.pool import StaticPool

from gateway.dsp.effects import Append, Value, Write
from gateway.store.tables import SCHEMA_VERSION, metadata, schema_version
from protocols.errors import InputError, UsageError

Rows: TypeAlias = dict[str, list[Mapping[str, Value]]]
_NUMBER = "number"  # the column that orders records; the store's own


class _Cursor(Protocol):
    def execute(self, statement: str) -> object: ...
    def close(self) -> None: ...


class _DriverConnection(Protocol):
    def cursor(self) -> _Cursor: ...


class Store:
    """One store, opened for writing by one process.

    url: of SQLAlchemy, e.g. `sqlite:///out/store.db`, or `sqlite://` for one in memory.
    Raises InputError if the file is no store, cannot be opened, or has a newer schema; it is left as it is then.
    """

    def __init__(self, url: str) -> None:
        try:
            if make_url(url).get_backend_name() != "sqlite":
                raise InputError(f"store {url}: only sqlite is supported")
        except ArgumentError as error:
            raise InputError(f"store {url}: {error}") from error
        self._engine = create_engine(url, poolclass=StaticPool)
        event.listen(self._engine, "connect", _configure)
        try:
            _prepare(self._engine)
        except DatabaseError as error:
            self._engine.dispose()
            raise InputError(f"store {url}: {error.orig}") from error
        except InputError as error:
            self._engine.dispose()
            raise InputError(f"store {url}: {error}") from error

    def commit(self, rows: Iterable[Write | Append]) -> None:
        """Write the rows of one turn in one transaction; nothing is begun for a turn without rows."""
        changes = list(rows)
        if not changes:
            return
        with self._engine.begin() as connection:
            for change in changes:
                _carry_out(connection, change)

    def load(self) -> Rows:
        """Return all tables by name, rows in order of their first insertion, for `Dsp.restore`."""
        with self._engine.connect() as connection:
            return {
                table.name: [
                    {name: value for name, value in row.items() if name != _NUMBER}
                    for row in connection.execute(select(table).order_by(literal_column("rowid"))).mappings()
                ]
                for table in _data_tables()
            }

    def dump(self) -> str:
        """Return all content as text: equal for equal content, a JSON line for each row, ordered by key."""
        lines = []
        with self._engine.connect() as connection:
            for table in _data_tables():
                rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
                lines += [f"{table.name} {json.dumps(dict(row))}" for row in rows]
        return "\n".join(lines) + "\n"

    def close(self) -> None:
        """Fold the write-ahead log into the file and let it go."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        self._engine.dispose()


def _configure(connection: _DriverConnection, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare(engine: Engine) -> None:
    """Make the tables of a new store; check the schema version of one that exists."""
    with engine.begin() as connection:
        names = inspect(connection).get_table_names()
        if not names:
            metadata.create_all(connection)
            connection.execute(insert(schema_version).values(version=SCHEMA_VERSION))
            return
        if schema_version.name not in names:
            raise InputError("not a store of hanlab")
        version = connection.execute(select(schema_version.c.version)).scalar_one_or_none()
        if version is None or version > SCHEMA_VERSION:
            raise InputError(f"schema version {version} is newer than this program knows ({SCHEMA_VERSION})")


def _data_tables() -> list[Table]:
    return [table for table in metadata.tables.values() if table is not schema_version]


def _carry_out(connection: Connection, change: Write | Append) -> None:
    table = metadata.tables.get(change.table)
    if table is None:
        raise UsageError(f"no table {change.table}")
    if isinstance(change, Append):
        connection.execute(insert(table).values(**change.values))
    elif change.values is None:
        key = and_(*(column == value for column, value in zip(table.primary_key.columns, change.key, strict=True)))
        connection.execute(delete(table).where(key))
    else:
        statement = upsert(table).values(**change.values)
        names = list(table.primary_key.columns.keys())
        connection.execute(statement.on_conflict_do_update(index_elements=names, set_=dict(change.values)))
