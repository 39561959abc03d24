"""Folders that somebody has tampered with: one line of bad input or a failed check, never a traceback."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.campaigns.verify import Check, registry, verify
from gateway.campaigns.verify.evidence import Evidence
from protocols.errors import InputError
from tests.support.planting import told

STRANGE: list[Any] = [None, True, -1, 10**30, "", "2026-13-99", "00db12345678", [], {}, [1], {"a": 1}, 1.5]
CELLS: list[Any] = [None, "x", "", -1, 2**62, b"\xff\x00", "2026-13-99", 1.5]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place: Path = told().run.write(tmp_path_factory.mktemp("told"))
    return place


@cache
def original(path: Path) -> bytes:
    return path.read_bytes()


def judged(folder: Path, name: str, octets: bytes) -> list[Check]:
    """Return the verdict on the folder with another file in place of one, or on the line that refuses it."""
    whole = original(folder / name)
    (folder / name).write_bytes(octets)
    try:
        return verify(folder)
    except InputError as error:
        return [Check("", "one line", len(str(error).splitlines()) == 1, str(error))]
    finally:
        (folder / name).write_bytes(whole)


def sane(verdict: list[Check]) -> bool:
    """Whether there is a verdict, and each failed check and refusal says why, a refusal in one line."""
    return bool(verdict) and all(check.evidence and (check.passed or check.name != "one line") for check in verdict)


@st.composite
def changed(draw: st.DrawFn, value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Change one value somewhere inside, or take it out."""
    while isinstance(value, dict | list) and value and draw(st.integers(0, 5)):
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        place = draw(st.sampled_from(list(keys)))
        inner = draw(changed(value[place]))
        copied = dict(value) if isinstance(value, dict) else list(value)
        copied[place] = inner
        return copied
    return draw(st.sampled_from(STRANGE))


SLOW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(data=st.data())
def test_any_line_of_the_timeline(folder: Path, data: st.DataObject) -> None:
    lines = original(folder / "timeline.jsonl").decode().splitlines()
    number = data.draw(st.integers(0, len(lines) - 1))
    lines[number] = json.dumps(data.draw(changed(json.loads(lines[number]))))
    assert sane(judged(folder, "timeline.jsonl", "\n".join(lines).encode()))


@SLOW
@given(data=st.data())
def test_any_value_of_the_summary(folder: Path, data: st.DataObject) -> None:
    summary = json.loads(original(folder / "summary.json"))
    assert sane(judged(folder, "summary.json", json.dumps(data.draw(changed(summary))).encode()))


@SLOW
@given(data=st.data())
def test_any_cell_of_the_store(folder: Path, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = tmp_path_factory.mktemp("store") / "store.db"
    shutil.copy(folder / "store.db", copy)
    with sqlite3.connect(copy) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        table = data.draw(st.sampled_from(sorted(tables)))
        columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        column, value = data.draw(st.sampled_from(columns)), data.draw(st.sampled_from(CELLS))
        try:
            connection.execute(f"UPDATE {table} SET [{column}] = ?", (value,))
        except sqlite3.Error:
            return
    connection.close()
    assert sane(judged(folder, "store.db", copy.read_bytes()))


@SLOW
@given(data=st.data())
def test_any_octets_of_any_other_file(folder: Path, data: st.DataObject) -> None:
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    name = data.draw(st.sampled_from([each for each in files if not each.startswith("store.db")]))
    octets = bytearray(original(folder / name))
    at = data.draw(st.integers(0, max(0, len(octets) - 1)))
    match data.draw(st.sampled_from(["cut", "change", "add"])):
        case "cut":
            del octets[at:]
        case "change" if octets:
            octets[at] ^= data.draw(st.integers(1, 255))
        case _:
            octets[at:at] = data.draw(st.binary(min_size=1, max_size=9))
    assert sane(judged(folder, name, bytes(octets)))


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        ("timeline.jsonl", lambda line: {**line, "ns": "soon"}, "line 1: ns: a whole number"),
        ("timeline.jsonl", lambda line: {**line, "actor": 5}, "line 1: actor: text expected, not 5"),
        ("timeline.jsonl", lambda line: {**line, "more": [1]}, "line 1: more: text, a whole number or nothing"),
        ("summary.json", lambda summary: {**summary, "devices": "none"}, "summary.json: devices: "),
        ("summary.json", lambda summary: {**summary, "kind": ["life"]}, "summary.json: kind: "),
    ],
)
def test_the_complaint_names_file_line_and_field(
    folder: Path, name: str, change: Callable[[dict[str, Any]], object], complaint: str
) -> None:
    whole = original(folder / name).decode()
    first, rest = whole.split("\n", 1) if name.endswith("l") else (whole, "")
    (folder / name).write_text(json.dumps(change(json.loads(first))) + "\n" + rest, encoding="utf-8")
    try:
        with pytest.raises(InputError) as refused:
            verify(folder)
    finally:
        (folder / name).write_text(whole, encoding="utf-8")
    assert complaint in str(refused.value)


def test_what_a_check_cannot_make_sense_of_is_failed_under_its_requirement(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_dates(evidence: Evidence) -> Any:  # noqa: ANN401 - yields nothing
        """MP170-R6, X-1: a date that is none."""
        raise ValueError("month must be in 1..12")

    monkeypatch.setattr(registry, "CHECKS", (check_dates,))
    assert verify(folder) == [
        Check("MP170-R6", "evidence can be read", False, "check_dates: ValueError: month must be in 1..12")
    ]
