"""The whole verdict: on an honest run, on one that shows nothing, and on folders that cannot be read."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.campaigns.verify import verify
from protocols.errors import InputError
from tests.support.planting import told
from tests.support.told_run import ToldRun

REQUIREMENTS = [
    "MP102B-R1",
    "MP102B-R2",
    "MP102B-R3",
    "MP102B-G5",
    "MP102B-G6",
    "MP102B-G7",
    "MP102B-G8",
    "MP102B-G9",
    "MP102B-G10",
    "SM7-R1",
    "SM7-R2",
    "SM7-R3",
    "SM7-R4",
    "SM7-R5",
    "SM7-R8",
    "MP170-R2",
    "MP170-R2a",
    "MP170-R5",
    "MP170-R6",
    "MP170-R7",
    "MP170-P14",
    "MP170-R11",
    "MP170-R12",
    "MP170-A4",
    "MP170-C8",
    "MP170-C9",
    "MP170-C10",
    "MP170-C12",
    "MP170-C13",
    "MP170-C14",
    "MP170-C15",
    "MP170-C16",
    "JOIN-1",
    "JOIN-2",
    "JOIN-5",
    "JOIN-6",
    "X-2",
    "X-5",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return told().run.write(tmp_path / "run")


def test_an_honest_run_passes_every_check(folder: Path) -> None:
    checks = verify(folder)
    assert [(check.requirement, check.evidence) for check in checks if not check.passed] == []
    assert sorted({check.requirement for check in checks}) == sorted(REQUIREMENTS)


def test_a_run_that_shows_nothing_fails_every_check_but_the_sound_capture(tmp_path: Path) -> None:
    checks = verify(ToldRun().write(tmp_path))
    assert [check.name for check in checks if check.passed] == ["all frames good and decrypted"]


def test_the_verdict_is_the_same_every_time(folder: Path) -> None:
    assert verify(folder) == verify(folder)


def test_the_folder_is_left_as_it_was(folder: Path) -> None:
    before = {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    verify(folder)
    assert {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()} == before


@pytest.mark.parametrize(
    "name",
    ["summary.json", "timeline.jsonl", "capture.pcapng", "keys.txt", "store.db", "certificates/cbke.json"],
)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: missing"):
        verify(folder)


@pytest.mark.parametrize(
    ("name", "octets", "told_as"),
    [
        ("summary.json", b"{\n oops", "summary.json: line 2"),
        ("summary.json", b"[]", "not a JSON object"),
        ("summary.json", b'{"format": 99}', "newer than this program reads"),
        ("timeline.jsonl", b'{"ns": 1, "actor": "a", "event": "b"}\nnoise\n', "timeline.jsonl: line 2"),
        ("timeline.jsonl", b'{"actor": "a", "event": "b"}\n', "timeline.jsonl: line 1"),
        ("timeline.jsonl", b"\xff\xfe", "timeline.jsonl: cannot be read"),
        ("capture.pcapng", b"noise", "capture.pcapng"),
        ("keys.txt", b"noise\n", "keys.txt: line 1"),
        ("store.db", b"noise" * 100, "store.db: not a store"),
        ("certificates/cbke.json", b"{\n oops", "cbke.json: line 2"),
        ("certificates/cbke.json", b'{"format": 99}', "newer than this program reads"),
        ("certificates/cbke.json", b'{"format": 1}', "cbke.json: no list of authorities"),
        (
            "certificates/cbke.json",
            b'{"format": 1, "authorities": [{"suite": 4}]}',
            "cbke.json: no list of authorities",
        ),
    ],
)
def test_a_damaged_file_is_named_in_one_line(folder: Path, name: str, octets: bytes, told_as: str) -> None:
    (folder / name).write_bytes(octets)
    with pytest.raises(InputError, match=told_as) as raised:
        verify(folder)
    assert "\n" not in str(raised.value)


def test_a_message_with_a_wrong_name_is_named(folder: Path) -> None:
    (folder / "mailboxes/supplier/late.xml").write_bytes(b"")
    with pytest.raises(InputError, match=r"late\.xml"):
        verify(folder)


def test_a_store_of_a_newer_schema_is_refused(folder: Path) -> None:
    connection = sqlite3.connect(folder / "store.db")
    connection.execute("CREATE TABLE alembic_version (version_num)")
    connection.execute("INSERT INTO alembic_version VALUES ('0099')")
    connection.commit()
    connection.close()
    with pytest.raises(InputError, match="schema 0099 is newer"):
        verify(folder)


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        verify(tmp_path / "nowhere")


def test_evidence_names_figures(folder: Path) -> None:
    told_as = {check.requirement: check.evidence for check in verify(folder)}
    assert "7 blocks, 300 octets, SHA-256" in told_as["SM7-R1"]
    assert "AD1 at +29:59 suppressed" in told_as["MP102B-R2"]
    assert json.dumps(told_as)


def test_the_judge_shares_no_code_with_what_it_judges() -> None:
    others = "('emulator', 'gateway.dsp', 'gateway.csp', 'gateway.users', 'gateway.store', 'gateway.assembly')"
    code = f"import sys, gateway.campaigns.verify; print([n for n in sys.modules if n.startswith({others})])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
