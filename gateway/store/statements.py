"""The SQL of each table, compiled once for a database, and the rows of a commit in the fewest calls."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import BindParameter, Connection, Dialect, Table, and_, bindparam, delete, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import Executable

from gateway.dsp.effects import Append, Value, Write
from gateway.store.columns import NUMBER
from protocols.errors import UsageError

Parameters = tuple[Value | bytes, ...]


class TableStatements:
    """insert and upsert of a row, all columns in the order of the table; delete by key."""

    def __init__(self, table: Table, dialect: Dialect) -> None:
        key, columns = table.primary_key.columns, [column for column in table.columns if column.name != NUMBER]
        names = [column.name for column in columns]
        self.row: Callable[[Mapping[str, Value]], tuple[Value, ...]] = itemgetter(*names)
        values: dict[str, BindParameter[Any]] = {name: bindparam(name) for name in names}
        self.insert = _compiled(insert(table).values(values), dialect)
        upsert = (postgresql if dialect.name == "postgresql" else sqlite).insert(table).values(values)
        changed = {name: upsert.excluded[name] for name in names}
        conflict = [column.name for column in key]
        self.upsert = _compiled(upsert.on_conflict_do_update(index_elements=conflict, set_=changed), dialect)
        self.delete = _compiled(delete(table).where(and_(*(each == bindparam(each.name) for each in key))), dialect)


def _compiled(statement: Executable, dialect: Dialect) -> str:
    """Return the SQL of a statement with positional parameters."""
    return str(statement.compile(dialect=dialect))  # type: ignore[attr-defined]


@dataclass(slots=True)
class Run:
    """Rows that one statement takes, one after the other."""

    sql: str
    rows: list[Parameters] = field(default_factory=list)

    def carry_out(self, connection: Connection) -> None:
        rows: Any = self.rows
        connection.exec_driver_sql(self.sql, rows if len(rows) > 1 else rows[0])


def runs(changes: Iterable[Write | Append], tables: Mapping[str, TableStatements]) -> list[Run]:
    """Gather changes by table and statement; within a table their order stays. Raises UsageError for no table."""
    of_table: dict[str, list[Run]] = {}
    for change in changes:
        statements = tables.get(change.table)
        if statements is None:
            raise UsageError(f"no table {change.table}")
        row: tuple[Value, ...]
        if isinstance(change, Append):
            sql, row = statements.insert, change.row
        elif change.values is None:
            sql, row = statements.delete, change.key
        else:
            sql, row = statements.upsert, statements.row(change.values)
        found = of_table.setdefault(change.table, [])
        if not found or found[-1].sql is not sql:
            found.append(Run(sql))
        found[-1].rows.append(row)
    return [run for found in of_table.values() for run in found]
