"""Opens the database of a store: SQLite by file, PostgreSQL by URL."""

import fcntl
import os
from typing import Protocol

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from protocols.errors import InputError

_WAIT_SECONDS = 10  # for another process that is ending
_LOG_PAGES = 8_000  # of SQLite's write-ahead log, before it is folded into the file: 32 MB
_ADVISORY_LOCK = 0x48414E4C  # any number that is ours


class _SqliteConnection(Protocol):
    isolation_level: str | None


class Database:
    """One connection to one database.

    served: `claim` makes this process the only one that serves it, and commits wait for the disk.
    Raises InputError for a URL of another database and where the driver is missing.
    """

    def __init__(self, url: str, *, served: bool) -> None:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise InputError(f"store {url}: {error}") from error
        self.name = parsed.render_as_string(hide_password=True)
        self._served, self._lock = served, -1
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            self._file = "" if parsed.database in (None, "", ":memory:") else str(parsed.database)
            self.engine = _sqlite(parsed)
        elif backend == "postgresql":
            self._file = ""
            self.engine = _postgresql(parsed, self.name)
        else:
            raise InputError(f"store {self.name}: only sqlite and postgresql are supported")

    @property
    def _is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def claim(self) -> None:
        """Make sure that no other process serves this database. Raises InputError if one does."""
        if not self._served:
            return
        if not self._is_sqlite:
            with self.engine.begin() as connection:
                _claim_postgresql(connection)
        elif self._file:
            try:
                self._lock = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o644)
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError("another process serves it") from None
            except OSError as error:
                raise InputError(error.strerror or "cannot be opened") from None

    def make_ready(self) -> None:
        """Set what a store of ours works with; to be called once it is known to be one."""
        if self._is_sqlite:
            self._pragma("journal_mode=WAL", f"synchronous={'FULL' if self._served else 'NORMAL'}")
            self._pragma(f"wal_autocheckpoint={_LOG_PAGES}")

    def close(self, *, checkpoint: bool = False) -> None:
        """Let it go."""
        if checkpoint and self._is_sqlite:
            self._pragma("wal_checkpoint(TRUNCATE)")
        self.engine.dispose()
        if self._lock >= 0:
            os.close(self._lock)  # after the last connection: closing a file drops SQLite's own locks on it
            self._lock = -1

    def _pragma(self, *pragmas: str) -> None:
        """Say something to SQLite outside any transaction."""
        connection = self.engine.raw_connection()
        for pragma in pragmas:
            connection.cursor().execute(f"PRAGMA {pragma}")
        connection.close()


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, poolclass=StaticPool, paramstyle="qmark")

    @event.listens_for(engine, "connect")
    def leave_transactions_to_us(connection: _SqliteConnection, _record: object) -> None:
        connection.isolation_level = None  # so that a migration is one transaction too

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def _postgresql(url: URL, name: str) -> Engine:
    try:
        return create_engine(url.set(drivername="postgresql+psycopg"), poolclass=StaticPool, paramstyle="format")
    except ImportError:
        raise InputError(f"store {name}: PostgreSQL needs the extra: pip install 'hanlab[postgres]'") from None


def _claim_postgresql(connection: Connection) -> None:
    """Take the lock of the one that serves; it is held as long as the connection."""
    connection.execute(text(f"SET LOCAL lock_timeout = '{_WAIT_SECONDS}s'"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
