"""What a schema version may do to a store, in the words of `gateway.store.columns`. Called while alembic migrates."""

from alembic import op
from sqlalchemy import MetaData

from gateway.store import columns


def add_state(name: str, key: str, text: str) -> None:
    """Add a table of rows by key."""
    columns.state(MetaData(), name, key, text).create(op.get_bind())


def add_records(name: str, text: str) -> None:
    """Add a table of records."""
    columns.records(MetaData(), name, text).create(op.get_bind())


def add_columns(table: str, text: str, default: str | None = None) -> None:
    """Add columns to a table that exists. One that must not be NULL needs a default for the rows there, SQL."""
    for column in text.split():
        op.add_column(table, columns.column(column, default))


def drop_table(name: str) -> None:
    op.drop_table(name)
