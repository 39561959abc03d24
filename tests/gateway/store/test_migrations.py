"""A store of an older version is brought to the newest, with all it holds, or left as it was."""

import pytest
from sqlalchemy import Engine, inspect, text

from gateway.campaigns.verify import folder
from gateway.store.engine import Database
from gateway.store.migrations import schema
from gateway.store.store import Store
from gateway.store.tables import DATA, SCHEMA_VERSION
from protocols.errors import InputError

_VALUES = {"TEXT": "x", "BIGINT": 7, "INTEGER": 7}


def _old_store(url: str, version: int) -> None:
    """Make a store of an earlier version with one row in every table, all columns filled."""
    database = Database(url, served=False)
    with database.engine.begin() as connection:
        schema.migrate(connection, 0, version)
        if version == 1:
            connection.execute(text("DROP TABLE alembic_version"))  # stores of that version had none
    with database.engine.begin() as connection:
        for table in inspect(connection).get_table_names():
            if table in ("schema_version", "alembic_version"):
                continue
            columns = [c for c in inspect(connection).get_columns(table) if c["name"] != "number"]
            names = [f'"{column["name"]}"' for column in columns]
            values = {f"v{place}": _VALUES[str(column["type"])] for place, column in enumerate(columns)}
            marks = ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"), values)
    database.close()


def _shape(engine: Engine) -> dict[str, object]:
    """Return what a schema allows, whatever the order of columns."""
    shape: dict[str, object] = {}
    for table in inspect(engine).get_table_names():
        columns = {c["name"]: (str(c["type"]), c["nullable"]) for c in inspect(engine).get_columns(table)}
        shape[table] = (columns, inspect(engine).get_pk_constraint(table)["constrained_columns"])
    return shape


def _shape_of(url: str) -> dict[str, object]:
    database = Database(url, served=False)
    try:
        return _shape(database.engine)
    finally:
        database.close()


def test_a_new_store_and_a_migrated_one_are_the_same(store_url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    _old_store(store_url, 1)
    Store(store_url).close()
    migrated = _shape_of(store_url)
    if store_url.startswith("sqlite"):
        other = f"sqlite:///{tmp_path_factory.mktemp('new') / 'store.db'}"
        Store(other).close()
        assert _shape_of(other) == migrated
    assert set(migrated) >= {table.name for table in DATA} | {"journal", "outbox", "lines", "alembic_version"}
    assert "schema_version" not in migrated


@pytest.mark.parametrize("version", range(1, SCHEMA_VERSION))
def test_what_an_older_store_holds_is_still_there(store_url: str, version: int) -> None:
    _old_store(store_url, version)
    store = Store(store_url)
    rows = store.load()
    store.close()
    database = Database(store_url, served=False)
    with database.engine.connect() as connection:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    database.close()
    assert [row["device"] for row in rows["inventory"]] == ["x"]
    assert rows["requests"] == [dict(rows["requests"][0], time=7, user="x", code="x")]
    assert found == [f"{SCHEMA_VERSION:04d}"]


def test_a_migration_that_fails_leaves_the_store_as_it_was(store_url: str) -> None:
    _old_store(store_url, 1)
    database = Database(store_url, served=False)
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE outbox (mine TEXT)"))  # in the way of version 2, after it has begun
    before = _shape(database.engine)
    with pytest.raises(InputError, match="outbox"):
        Store(store_url)
    assert _shape(database.engine) == before
    database.close()


def test_verify_reads_stores_of_the_newest_version() -> None:
    assert folder.STORE_SCHEMA == SCHEMA_VERSION
