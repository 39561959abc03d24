"""How tables of the store are written down: a name, a key and a line of columns. Used by `tables` and by migrations.

A column is `name`, `name?` (may be NULL), `#name` (64-bit integer), `*name` (octets), or `#name?` and `*name?`.
"""

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    event,
    literal_column,
)
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.elements import ColumnClause
from sqlalchemy.types import TypeEngine

NUMBER = "number"  # orders the rows of a table by their first insertion; the store's own, never handed out

_OPTIONAL, _INTEGER, _OCTETS = "?", "#", "*"
_IDENTITY: ExecutableDDLElement = DDL(  # type: ignore[no-untyped-call]
    f"ALTER TABLE %(fullname)s ADD COLUMN {NUMBER} BIGINT GENERATED ALWAYS AS IDENTITY"
)


def column(text: str, default: str | None = None) -> Column[object]:
    """Make a column of its text. default: of rows that were there before it, SQL."""
    kinds: dict[str, TypeEngine[int] | TypeEngine[str] | TypeEngine[bytes]]
    kinds = {_INTEGER: BigInteger(), _OCTETS: LargeBinary()}
    name = text.strip(_OPTIONAL + _INTEGER + _OCTETS)
    return Column(name, kinds.get(text[0], Text()), nullable=text.endswith(_OPTIONAL), server_default=default)


def state(metadata: MetaData, name: str, key: str, columns: str) -> Table:
    """Make a table of rows by key. SQLite numbers its rows anyhow; elsewhere a column does."""
    table = Table(name, metadata, *map(column, columns.split()), PrimaryKeyConstraint(*key.split()))
    event.listen(table, "after_create", _IDENTITY.execute_if(dialect="postgresql"))
    return table


def records(metadata: MetaData, name: str, columns: str) -> Table:
    """Make a table of records in order of their arrival."""
    number = Column(NUMBER, BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True)
    return Table(name, metadata, number, *map(column, columns.split()))


def insertion_order(dialect: str) -> ColumnClause[object]:
    """Return what orders the rows of any table by their first insertion."""
    return literal_column("rowid" if dialect == "sqlite" else NUMBER)
