"""The table of requirements is what the tests say, and a mark cannot claim what its test does not show."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.demo_run import PROJECT
from tests.support.requirements import catalogue

_HEAD = """\
import math
import pytest
from tests.support.requirements import EVIDENCE, all_of, found_by_verify, patched

wrong = patched(math, "tau", 3)
"""


def _run(folder: Path, *tests: str) -> tuple[int, list[str]]:
    """Run tests under the project's plugin; return the exit code and the lines of the short summary."""
    (folder / "conftest.py").write_text('pytest_plugins = ["tests.conftest"]\n')
    (folder / "test_it.py").write_text("\n".join([_HEAD, *tests]))
    environment = {"PYTHONPATH": str(PROJECT), "PATH": "", "COLUMNS": "300"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "--rootdir", folder, folder],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    words = ("PASSED", "FAILED", "ERROR")
    return done.returncode, [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(words)]


_OBSERVED = """
@pytest.mark.requirement("MP170-L3", planted=wrong)
def test_noticed():
    assert math.tau > 6
"""
_PARAMETRIZED = """
@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.requirement("MP170-L4", planted=wrong))])
def test_sets(number):
    assert math.tau > 6 or number == 1
"""
_UNNOTICED = """
@pytest.mark.requirement("MP170-L3", planted=wrong)
def test_blind():
    assert math.pi > 3
"""
_BROKEN = """
@pytest.mark.requirement("MP170-L3", planted=wrong)
def test_broken():
    {6.283185307179586: 1}[math.tau]
"""
_CLAIMED = """
@pytest.mark.requirement("MP170-L3", "MP170-L4", planted=EVIDENCE)
def test_claims():
    found_by_verify.add("MP170-L3")
"""


def test_an_observation_runs_a_second_time_under_its_defect(tmp_path: Path) -> None:
    code, told = _run(tmp_path, _OBSERVED, _PARAMETRIZED)
    assert code == 0
    assert told == [
        "PASSED test_it.py::test_noticed",
        "PASSED test_it.py::test_noticed with math.tau",
        "PASSED test_it.py::test_sets[1]",
        "PASSED test_it.py::test_sets[2]",
        "PASSED test_it.py::test_sets with math.tau[2]",
    ]


@pytest.mark.parametrize(
    ("test", "told"),
    [
        (_UNNOTICED, "MP170-L3: nobody noticed the planted defect math.tau"),
        (_BROKEN, "KeyError: 3"),
        (_CLAIMED, "MP170-L4: hanlab verify did not fail on what the test planted"),
    ],
    ids=["nobody notices", "an error is no verdict", "verify found another"],
)
def test_a_defect_that_turns_nothing_red_fails_the_test(test: str, told: str, tmp_path: Path) -> None:
    code, lines = _run(tmp_path, test)
    assert code == pytest.ExitCode.TESTS_FAILED
    assert [line for line in lines if line.startswith("FAILED") and told in line]


@pytest.mark.parametrize("mark", ['"MP170-L99"', "", '"MP170-L3", plantde=wrong'])
def test_a_mark_that_names_no_row_is_refused_before_anything_runs(mark: str, tmp_path: Path) -> None:
    code, told = _run(tmp_path, f"\n@pytest.mark.requirement({mark})\ndef test_x():\n    assert True\n")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert len(told) == 1
    assert "test_it.py::test_x" in told[0]


def test_every_row_says_of_what_kind_it_is_and_where_it_is_observed() -> None:
    for row in catalogue().values():
        assert row.kind in ("F", "N", "C", "X"), row.id
        assert row.side in ("dsp", "hub", "device", "air", "note"), row.id
        assert row.text.endswith("."), row.id


_DOORS = frozenset(
    [
        "correct_variant",
        "from_csp",
        "load_tracked",
        "provision",
        "recover",
        "replace_credentials",
        "restore",
        "start",
        "submit",
        "swap_tracked",
        "update_products",
        "wake",
    ]
)
"""What a test may call of a DSP: what goes in. What came of it is in the octets sent and in the rows of the store."""


def _planted_tests() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted((PROJECT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            marks = [ast.unparse(mark) for mark in getattr(node, "decorator_list", [])]
            if isinstance(node, ast.FunctionDef) and any("requirement(" in m and "planted=" in m for m in marks):
                yield f"{path.name}::{node.name}", node


def test_an_observation_sees_octets_and_rows_and_not_the_state_of_the_dsp() -> None:
    tests = dict(_planted_tests())
    assert len(tests) > 100
    for name, test in tests.items():
        inside = {
            node.attr
            for node in ast.walk(test)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "dsp"
        }
        assert inside <= _DOORS, name


def test_the_table_is_what_the_tests_say() -> None:
    """Fails too where a row of the DSP's side has no test, or an F row no planted defect."""
    command = [sys.executable, "-m", "tests.requirements", "--check"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
