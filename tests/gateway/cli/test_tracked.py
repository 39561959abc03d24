"""`hanlab tracked`: what it tells, and that it tells nothing of the content (MP102B-G14)."""

import json
from pathlib import Path

import pytest

from tests.support.demo_run import EXIT_BAD_INPUT, hanlab

CANARY = 0x00DBCAFEF00DFEED


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "list.txt"
    path.write_text(f"# list\n{CANARY:016X}\n{CANARY:016x}\n00-DB-CA-FE-00-00-00-01\n")
    return path


@pytest.mark.requirement("MP102B-G2", "MP102B-G14")
def test_a_list_is_packed_and_told_by_figures(text: Path, tmp_path: Path) -> None:
    packed = hanlab("tracked", "pack", text, "--out", tmp_path / "list.bin")
    assert packed.returncode == 0, packed.stderr
    assert packed.stdout.startswith("2 identifiers, 1 duplicates, 0 lines that are none; version ")
    assert packed.stdout.endswith("16 octets in memory\n")
    told = hanlab("tracked", "inspect", tmp_path / "list.bin", "--json")
    figures = json.loads(told.stdout)
    assert (figures["identifiers"], figures["memory_octets"], figures["file_octets"]) == (2, 16, 72)
    assert figures["load_seconds"] >= 0
    for form in (f"{CANARY:016x}", f"{CANARY:016X}", str(CANARY), "F0-0D", "f0:0d"):
        assert form not in packed.stdout + packed.stderr + told.stdout + told.stderr


def test_a_bad_list_is_refused_in_one_line_that_shows_no_content(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"{CANARY:016x}\nCAFEF00D\n")
    told = hanlab("tracked", "inspect", path)
    assert (told.returncode, told.stdout) == (EXIT_BAD_INPUT, "")
    assert told.stderr == f"hanlab: {path}: tracked list: 1 of 2 lines are not an EUI-64: line 2\n"
    assert hanlab("tracked", "inspect", path, "--bad-share", "0.5").stdout.startswith("1 identifiers")
