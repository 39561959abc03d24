"""Keeps the DSP's rows in a database, one transaction a commit: SQLite in write-ahead mode, or PostgreSQL.

What `commit` took survives a crash; of a commit that failed nothing is kept.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Row, Select, select
from sqlalchemy.exc import DBAPIError

from gateway.dsp.effects import Append, Value, Write
from gateway.store import tables
from gateway.store.columns import NUMBER, insertion_order
from gateway.store.engine import Database
from gateway.store.migrations.schema import prepare, stored_version
from gateway.store.statements import Run, TableStatements, runs
from protocols.errors import InputError

Rows: TypeAlias = dict[str, list[Mapping[str, Value]]]


class Received(NamedTuple):
    """One message taken from a line, for the journal."""

    line: str  # who sent it
    message_id: int  # rises on its line
    time: int  # ns since 1970 UTC, of receipt
    octets: bytes
    reply: bytes | None = None  # the answer it got


class Outgoing(NamedTuple):
    """One message for a line, in the outbox until it is acknowledged."""

    line: str  # who is to get it
    message_id: int  # rises on its line
    octets: bytes


class Line(NamedTuple):
    """How far a line has come; ids are never used twice, acknowledged or not."""

    line: str
    received: int  # highest id taken from it
    sent: int  # highest id given to it


class Store:
    """One store, opened for writing by one process.

    url: of SQLAlchemy, e.g. `sqlite:///out/store.db`, `sqlite://` for one in memory, `postgresql://host/name`.
    served: this process alone may have it open so, and each commit is on the disk before it returns.
    Raises InputError if it is no store, cannot be opened, or has a newer schema, and leaves it as it is then.
    """

    def __init__(self, url: str, *, served: bool = False) -> None:
        self._database = Database(url, served=served)
        self._engine = self._database.engine
        try:
            self._database.claim()
            with self._engine.connect() as connection:
                version = stored_version(connection)
            self._database.make_ready()
            with self._engine.begin() as connection:
                prepare(connection, version)
        except (DBAPIError, InputError) as error:
            self._database.close()
            what = str(error.orig).strip().splitlines()[0] if isinstance(error, DBAPIError) else str(error)
            raise InputError(f"store {self._database.name}: {what}") from error
        dialect = self._engine.dialect
        self._of_rows = {table.name: TableStatements(table, dialect) for table in tables.DATA}
        self._journal, self._outbox, self._lines = (TableStatements(table, dialect) for table in tables.OWN)

    def commit(
        self,
        rows: Iterable[Write | Append],
        *,
        received: Iterable[Received] = (),
        outgoing: Iterable[Outgoing] = (),
        settled: Iterable[tuple[str, int]] = (),
        lines: Iterable[Line] = (),
    ) -> None:
        """Write the rows of one turn or of several in one transaction; nothing is begun where there is nothing.

        received: into the journal. outgoing: into the outbox; settled: (line, message id) out of it.
        lines: how far these have come with it. Raises UsageError for rows of no table of ours.
        """
        work = runs(rows, self._of_rows)
        work += [
            Run(self._journal.insert, list(received)),
            Run(self._outbox.insert, list(outgoing)),
            Run(self._outbox.delete, list(settled)),
            Run(self._lines.upsert, list(lines)),
        ]
        work = [run for run in work if run.rows]
        if work:
            with self._engine.begin() as connection:
                for run in work:
                    run.carry_out(connection)

    def load(self) -> Rows:
        """Return all tables of the DSP by name, rows in order of their first insertion, for `Dsp.restore`."""
        order = insertion_order(self._engine.dialect.name)
        with self._engine.connect() as connection:
            return {
                table.name: [
                    {name: value for name, value in row.items() if name != NUMBER}
                    for row in connection.execute(select(table).order_by(order)).mappings()
                ]
                for table in tables.DATA
            }

    def lines(self) -> list[Line]:
        """Return how far each line has come."""
        return [Line._make(row) for row in self._select(tables.lines.select().order_by(tables.lines.c.line))]

    def outbox(self) -> list[Outgoing]:
        """Return what is not acknowledged, by line in the order it was sent."""
        outbox = tables.outbox
        return [
            Outgoing._make(row) for row in self._select(outbox.select().order_by(outbox.c.line, outbox.c.message_id))
        ]

    def journal(self) -> list[Received]:
        """Return everything received, in the order it was taken."""
        order = insertion_order(self._engine.dialect.name)
        return [Received._make(row) for row in self._select(tables.journal.select().order_by(order))]

    def reply(self, line: str, message_id: int) -> bytes | None:
        """Return the answer a message got; None if it got none or was never received."""
        journal = tables.journal.c
        found = self._select(select(journal.reply).where(journal.line == line, journal.message_id == message_id))
        return None if not found else found[0][0]

    def dump(self) -> str:
        """Return all content as text: equal for equal content, a JSON line for each row, ordered by key."""
        dumped = []
        with self._engine.connect() as connection:
            for table in tables.metadata.tables.values():
                rows = connection.execute(select(table).order_by(*table.primary_key.columns)).mappings()
                dumped += [f"{table.name} {json.dumps(dict(row), default=bytes.hex)}" for row in rows]
        return "\n".join(dumped) + "\n"

    def close(self) -> None:
        """Let the database go; of SQLite fold the write-ahead log into the file."""
        self._database.close(checkpoint=True)

    def _select(self, statement: Select[Any]) -> Sequence[Row[Any]]:
        with self._engine.connect() as connection:
            return connection.execute(statement).all()
