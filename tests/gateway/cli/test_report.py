"""`hanlab report` as a user gives it."""

import json
from pathlib import Path

import pytest

from tests.support.demo_run import EXIT_BAD_INPUT, hanlab
from tests.support.reported_store import make

GOLDEN = Path(__file__).parents[1] / "campaigns" / "reports" / "golden"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "store.db"
    make(path).store.close()
    return path


def test_csv_and_json_go_to_another_program(store: Path) -> None:
    before = store.read_bytes()
    told = hanlab("report", "althanco", store, "--month", "2026-03", "--format", "csv")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == (GOLDEN / "althanco-2026-03.csv").read_text()
    read = json.loads(hanlab("report", "suppression", store, "--format", "json").stdout)
    assert (read["report"], len(read["rows"])) == ("suppression", 5)
    assert store.read_bytes() == before


def test_a_table_has_a_heading_and_a_line_a_row(store: Path) -> None:
    told = hanlab("report", "toc", store.parent)
    heading, columns, *lines = told.stdout.splitlines()
    assert heading == "toc, all that is recorded: 2 rows"
    assert columns.split()[:3] == ["variant", "version", "attempts"]
    assert [line.split()[:4] for line in lines] == [["AltHAN", "Bridge", "1", v] for v in ("0B100100", "0B100200")]


def test_a_list_is_held_against_althanco(store: Path, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("device_id\n00db1234567890b1\n00db1234567890b2\n00db1234567890b7\n")
    told = hanlab("report", "althanco", store, "--against", tmp_path / "own.csv")
    assert told.stdout == "althanco-compare, all that is recorded: 0 rows\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("althan",), "no report 'althan'; there are: althanco, "),
        (("toc", "--month", "2026"), "--month 2026: not a month such as 2026-03"),
        (("toc", "--against", "x.csv"), "--against goes with althanco, not with toc"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments: tuple[str, ...], told: str, store: Path) -> None:
    name, *options = arguments
    done = hanlab("report", name, store, *options)
    assert (done.returncode, done.stdout) == (EXIT_BAD_INPUT, "")
    assert done.stderr.startswith(f"hanlab: {told}")
    assert len(done.stderr.splitlines()) == 1
