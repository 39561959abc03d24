"""Brings a store to the newest schema, in one transaction; alembic is imported only where there is something to do."""

from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select, text

from gateway.store.columns import NUMBER
from gateway.store.tables import SCHEMA_VERSION, metadata
from protocols.errors import InputError

_VERSIONS = Path(__file__).parent
_FIRST_OWN_TABLE = "schema_version"  # of stores of version 1
_alembic = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def stored_version(connection: Connection) -> int:
    """Return the schema version, 0 of a database without tables. Raises InputError for what is no store of ours."""
    names = inspect(connection).get_table_names()
    if not names:
        return 0
    if _alembic.name in names:
        found = connection.execute(select(_alembic.c.version_num)).scalars().all()
    elif _FIRST_OWN_TABLE in names:
        found = connection.execute(text(f"SELECT version FROM {_FIRST_OWN_TABLE}")).scalars().all()  # noqa: S608 - a constant
    else:
        raise InputError("not a store of hanlab")
    if len(found) != 1 or not str(found[0]).isdecimal():
        raise InputError("no schema version in it")
    version = int(found[0])
    if version > SCHEMA_VERSION:
        raise InputError(f"schema version {version} is newer than this program knows ({SCHEMA_VERSION})")
    if version == SCHEMA_VERSION:
        _hold_to_columns(connection)
    return version


def _hold_to_columns(connection: Connection) -> None:
    """Hold a store of today's version to the columns of today's tables. Raises InputError naming table and column."""
    found = {
        table: {column["name"] for column in columns}
        for (_, table), columns in inspect(connection).get_multi_columns().items()
    }
    for table in metadata.tables.values():
        if table.name not in found:
            raise InputError(f"no table {table.name}, which schema version {SCHEMA_VERSION} has")
        columns, ours = found[table.name], set(table.columns.keys())
        for missing in sorted(ours - columns):
            raise InputError(f"table {table.name}: no column {missing}, which schema version {SCHEMA_VERSION} has")
        for unknown in sorted(columns - ours - {NUMBER}):
            raise InputError(f"table {table.name}: column {unknown} is not of schema version {SCHEMA_VERSION}")


def prepare(connection: Connection, version: int) -> None:
    """Make the tables of a new store, migrate an older one."""
    if version == 0:
        metadata.create_all(connection)
        _alembic.create(connection)
        connection.execute(insert(_alembic).values(version_num=f"{SCHEMA_VERSION:04d}"))
    elif version < SCHEMA_VERSION:
        migrate(connection, version)


def migrate(connection: Connection, version: int, to: int = SCHEMA_VERSION) -> None:
    """Carry out the schema versions after `version`, 0 for a database without tables."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(_VERSIONS))
    with EnvironmentContext(
        Config(),
        scripts,
        fn=lambda current, _: scripts._upgrade_revs(f"{to:04d}", current),  # noqa: SLF001 - what alembic's own `upgrade` calls
    ) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        context = environment.get_context()
        if version and not context.get_current_heads():
            context.stamp(scripts, f"{version:04d}")
        environment.run_migrations()
