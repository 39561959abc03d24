"""The store, on both databases: what is committed is there again; a foreign or newer one is refused untouched."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from gateway.dsp.effects import Append, Value, Write
from gateway.dsp.records import RECORDS, STATE
from gateway.dsp.rows import column_names
from gateway.store.store import Line, Outgoing, Received, Store
from gateway.store.tables import DATA, SCHEMA_VERSION
from protocols.errors import InputError, UsageError


def _premises(mpxn: str, supplier: str | None = "90b3d51f30010000") -> Write:
    values: dict[str, Value] = dict.fromkeys(("network_operator", "uprn", "postcode", "address"))
    return Write("premises", (mpxn,), {"mpxn": mpxn, "supplier": supplier, **values})


def _request(time: int) -> Append:
    return Append("requests", (time, "u", "r", "8.2", 8, "I0"))


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_every_row_of_the_dsp_has_its_table_with_the_same_columns_and_key() -> None:
    tables = {table.name: table for table in DATA}
    for row in STATE:
        table = tables.pop(row.TABLE)
        assert tuple(table.columns.keys()) == column_names(row)
        assert tuple(table.primary_key.columns.keys()) == row.KEY
    for row in RECORDS:
        assert tuple(tables.pop(row.TABLE).columns.keys()) == ("number", *column_names(row))
    assert list(tables) == []


def test_rows_survive_closing_and_come_back_in_order_of_first_insertion(store_url: str) -> None:
    store = Store(store_url)
    store.commit([_premises("3"), _premises("1"), _premises("2"), _request(5)])
    store.commit([_premises("3", supplier=None), Write("premises", ("1",), None)])
    dump = store.dump()
    store.close()
    again = Store(store_url)
    rows = again.load()
    assert again.dump() == dump
    assert [(row["mpxn"], row["supplier"]) for row in rows["premises"]] == [("3", None), ("2", "90b3d51f30010000")]
    assert [row["time"] for row in rows["requests"]] == [5]
    assert "number" not in {*rows["requests"][0], *rows["premises"][0]}
    again.close()


def test_the_last_word_on_a_row_counts_within_one_commit_too(store_url: str) -> None:
    store = Store(store_url)
    store.commit(
        [_premises("1"), Write("premises", ("1",), None), _premises("2"), _premises("1", None), _premises("2")]
    )
    store.commit([_premises("2", "ab"), _premises("2", "cd"), Write("premises", ("9",), None)])
    assert [(row["mpxn"], row["supplier"]) for row in store.load()["premises"]] == [("2", "cd"), ("1", None)]
    store.close()


def test_the_dump_does_not_depend_on_the_order_of_insertion() -> None:
    first, second = Store("sqlite://"), Store("sqlite://")
    first.commit([_premises("1"), _premises("2")])
    second.commit([_premises("2"), _premises("1")])
    assert first.dump() == second.dump()
    assert "premises" in first.dump()
    first.close()
    second.close()


def test_of_a_turn_that_fails_nothing_is_kept(store_url: str) -> None:
    store = Store(store_url)
    store.commit([_premises("1")], received=[Received("csp", 1, 5, b"x")])
    before = store.dump()
    with pytest.raises(UsageError, match="no table nonsense"):
        store.commit([_premises("2"), Append("nonsense", ())])
    with pytest.raises(IntegrityError):
        store.commit([_premises("2")], received=[Received("csp", 1, 6, b"the same id again")])
    assert store.dump() == before
    store.close()


def test_journal_outbox_and_lines_come_and_go_with_the_rows(store_url: str) -> None:
    store = Store(store_url)
    sent = [Outgoing("u", 1, b"one"), Outgoing("u", 2, b"two"), Outgoing("csp", 1, b"\0\xff")]
    received = [Received("u", 7, 5, b"<a/>", b"<b/>"), Received("csp", 3, 6, b"\0")]
    store.commit([_request(5)], received=received, outgoing=sent, lines=[Line("u", 7, 2), Line("csp", 3, 1)])
    store.commit([], settled=[("u", 1), ("u", 99)], lines=[Line("u", 8, 2)])
    store.close()
    again = Store(store_url)
    assert again.journal() == received
    assert again.outbox() == [sent[2], sent[1]]
    assert again.lines() == [Line("csp", 3, 1), Line("u", 8, 2)]
    assert (again.reply("u", 7), again.reply("csp", 3), again.reply("u", 8)) == (b"<b/>", None, None)
    assert not {"journal", "outbox", "lines"} & set(again.load())
    again.close()


def test_one_process_serves_a_store(store_url: str) -> None:
    store = Store(store_url, served=True)
    store.commit([_request(5)])
    if store_url.startswith("sqlite"):  # PostgreSQL lets another wait for the end of the first
        with pytest.raises(InputError, match="another process serves it"):
            Store(store_url, served=True)
    store.close()
    again = Store(store_url, served=True)
    assert [row["time"] for row in again.load()["requests"]] == [5]
    again.close()


def _carry_out(url: str, statement: str) -> None:
    """Change a store behind its back."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _set_version(url: str, version: str) -> None:
    _carry_out(url, f"UPDATE alembic_version SET version_num = '{version}'")


@pytest.mark.parametrize(
    ("version", "said"),
    [(f"{SCHEMA_VERSION + 1:04d}", f"schema version {SCHEMA_VERSION + 1} is newer"), ("ae10", "no schema version")],
)
def test_a_newer_schema_is_refused_and_left_as_it_is(store_url: str, version: str, said: str) -> None:
    store = Store(store_url)
    store.commit([_request(5)])
    dump = store.dump()
    store.close()
    _set_version(store_url, version)
    path = Path(store_url.removeprefix("sqlite:///"))
    octets = path.read_bytes() if path.exists() else b""
    with pytest.raises(InputError, match=said) as refused:
        Store(store_url)
    assert "\n" not in str(refused.value)
    assert not path.exists() or path.read_bytes() == octets
    _set_version(store_url, f"{SCHEMA_VERSION:04d}")
    again = Store(store_url)
    assert again.dump() == dump
    again.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE premises DROP COLUMN uprn", "table premises: no column uprn, which schema version"),
        ("ALTER TABLE outbox ADD COLUMN colour TEXT", "table outbox: column colour is not of schema version"),
        ("DROP TABLE lines", "no table lines, which schema version"),
    ],
)
def test_other_columns_under_the_same_version_are_refused_and_left_as_they_are(
    store_url: str, change: str, said: str
) -> None:
    Store(store_url).close()
    _carry_out(store_url, change)
    path = Path(store_url.removeprefix("sqlite:///"))
    octets = path.read_bytes() if path.exists() else b""
    with pytest.raises(InputError, match=said) as refused:
        Store(store_url)
    assert "\n" not in str(refused.value)
    assert not path.exists() or path.read_bytes() == octets


@pytest.mark.parametrize("content", [b"nothing of the kind", b"SQLite format 3\0 but no more"])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"store\.db: "):
        Store(_url(path))
    assert path.read_bytes() == content


@pytest.mark.parametrize("served", [False, True])
def test_another_database_is_refused(tmp_path: Path, served: bool) -> None:
    path = tmp_path / "store.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE shopping (item)")
    connection.close()
    octets = path.read_bytes()
    with pytest.raises(InputError, match="not a store of hanlab"):
        Store(_url(path), served=served)
    assert path.read_bytes() == octets


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret@127.0.0.1:1/x?connect_timeout=2", "mysql://nowhere/x", "no url",
        "sqlite:////nowhere/at/all/store.db",
    ],
)  # fmt: skip
@pytest.mark.parametrize("served", [False, True])
def test_what_cannot_be_opened_is_told_in_one_line(url: str, served: bool) -> None:
    if url.startswith("postgresql"):
        pytest.importorskip("psycopg")
    with pytest.raises(InputError) as refused:
        Store(url, served=served)
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)
