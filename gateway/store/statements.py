"""The SQL of each table, compiled once for a database, and the rows of a commit in the fewest calls."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, Connection, Dialect, Table, and_, bindparam, delete, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from gateway.dsp.effects import Append, Value, Write
from gateway.store.columns import NUMBER
from protocols.errors import UsageError

Parameters = Mapping[str, Value | bytes]


def compiled(statement: Executable, dialect: Dialect) -> str:
    """Return the SQL of a statement with named parameters."""
    return str(statement.compile(dialect=dialect))  # type: ignore[attr-defined]


class TableStatements:
    """insert, upsert and delete of one table; a row is a mapping of its columns, for delete of its key."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        self.name = table.name
        self.key = tuple(table.primary_key.columns.keys())
        columns = [name for name in table.columns.keys() if name != NUMBER]  # noqa: SIM118
        values: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in columns}
        self.insert = compiled(insert(table).values(values), dialect)
        upsert = (postgresql if dialect.name == "postgresql" else sqlite).insert(table).values(values)
        changed = {name: upsert.excluded[name] for name in columns}
        self.upsert = compiled(upsert.on_conflict_do_update(index_elements=self.key, set_=changed), dialect)
        key = and_(*(column == bindparam(column.name) for column in table.primary_key.columns))
        self.delete = compiled(delete(table).where(key), dialect)


@dataclass(slots=True)
class Run:
    """Rows that one statement takes, one after the other."""

    sql: str
    rows: list[Parameters] = field(default_factory=list)

    def carry_out(self, connection: Connection) -> None:
        rows: Sequence[Parameters] = self.rows
        connection.exec_driver_sql(self.sql, rows if len(rows) > 1 else rows[0])


def runs(changes: Iterable[Write | Append], tables: Mapping[str, TableStatements]) -> list[Run]:
    """Gather changes by table and statement; within a table their order stays. Raises UsageError for no table."""
    of_table: dict[str, list[Run]] = {}
    for change in changes:
        statements = tables.get(change.table)
        if statements is None:
            raise UsageError(f"no table {change.table}")
        row: Parameters
        if isinstance(change, Append):
            sql, row = statements.insert, change.values
        elif change.values is None:
            sql, row = statements.delete, dict(zip(statements.key, change.key, strict=True))
        else:
            sql, row = statements.upsert, change.values
        found = of_table.setdefault(change.table, [])
        if not found or found[-1].sql is not sql:
            found.append(Run(sql))
        found[-1].rows.append(row)
    return [run for found in of_table.values() for run in found]
