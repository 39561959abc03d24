"""The store: what is committed is there again, in order; a foreign or newer file is refused untouched."""

import sqlite3
from pathlib import Path

import pytest

from gateway.dsp.effects import Append, Value, Write
from gateway.dsp.records import RECORDS, STATE
from gateway.dsp.rows import column_names
from gateway.store.store import Store
from gateway.store.tables import SCHEMA_VERSION, metadata
from protocols.errors import InputError, UsageError


def _premises(mpxn: str, supplier: str | None = "90b3d51f30010000") -> Write:
    values: dict[str, Value] = dict.fromkeys(("network_operator", "uprn", "postcode", "address"))
    return Write("premises", (mpxn,), {"mpxn": mpxn, "supplier": supplier, **values})


def _request(time: int) -> Append:
    values: dict[str, Value] = {
        "time": time,
        "user": "u",
        "request_id": "r",
        "service": "8.2",
        "variant": 8,
        "code": "I0",
    }
    return Append("requests", values)


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_every_row_of_the_dsp_has_its_table_with_the_same_columns_and_key() -> None:
    tables = {table.name: table for table in metadata.tables.values()}
    for row in STATE:
        table = tables.pop(row.TABLE)
        assert tuple(table.columns.keys()) == column_names(row)
        assert tuple(table.primary_key.columns.keys()) == row.KEY
    for row in RECORDS:
        assert tuple(tables.pop(row.TABLE).columns.keys()) == ("number", *column_names(row))
    assert list(tables) == ["schema_version"]


def test_rows_survive_closing_and_come_back_in_order_of_first_insertion(tmp_path: Path) -> None:
    store = Store(_url(tmp_path / "store.db"))
    store.commit([_premises("3"), _premises("1"), _premises("2"), _request(5)])
    store.commit([_premises("3", supplier=None), Write("premises", ("1",), None)])
    dump = store.dump()
    store.close()
    again = Store(_url(tmp_path / "store.db"))
    rows = again.load()
    assert again.dump() == dump
    assert [(row["mpxn"], row["supplier"]) for row in rows["premises"]] == [("3", None), ("2", "90b3d51f30010000")]
    assert [row["time"] for row in rows["requests"]] == [5]
    assert "number" not in rows["requests"][0]
    again.close()


def test_the_dump_does_not_depend_on_the_order_of_insertion() -> None:
    first, second = Store("sqlite://"), Store("sqlite://")
    first.commit([_premises("1"), _premises("2")])
    second.commit([_premises("2"), _premises("1")])
    assert first.dump() == second.dump()
    assert "premises" in first.dump()
    first.close()
    second.close()


def test_of_a_turn_that_fails_nothing_is_kept() -> None:
    store = Store("sqlite://")
    store.commit([_premises("1")])
    before = store.dump()
    with pytest.raises(UsageError, match="no table nonsense"):
        store.commit([_premises("2"), Append("nonsense", {})])
    assert store.dump() == before
    store.close()


def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    Store(_url(path)).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE schema_version SET version = ?", (SCHEMA_VERSION + 1,))
    connection.close()
    octets = path.read_bytes()
    with pytest.raises(InputError, match=f"schema version {SCHEMA_VERSION + 1} is newer"):
        Store(_url(path))
    assert path.read_bytes() == octets


@pytest.mark.parametrize("content", [b"nothing of the kind", b"SQLite format 3\0 but no more"])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"store\.db: "):
        Store(_url(path))
    assert path.read_bytes() == content


def test_another_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE shopping (item)")
    connection.close()
    with pytest.raises(InputError, match="not a store of hanlab"):
        Store(_url(path))


@pytest.mark.parametrize("url", ["postgresql://nowhere/x", "no url"])
def test_other_databases_are_refused_in_one_line(url: str) -> None:
    with pytest.raises(InputError) as refused:
        Store(url)
    assert "\n" not in str(refused.value)
