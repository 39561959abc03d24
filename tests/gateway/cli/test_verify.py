"""`hanlab verify`: table, JSON, exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.planting import told


def hanlab_verify(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gateway", "verify", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": "", "COLUMNS": "160"})


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return told().run.write(tmp_path / "run")


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    story = told()
    del story.run.air["ppmid block 96"]
    return story.run.write(tmp_path / "run")


def test_a_good_run_exits_0_and_names_every_requirement(good: Path) -> None:
    done = hanlab_verify(good)
    assert (done.returncode, done.stderr) == (0, "")
    assert "SM7-R1" in done.stdout
    assert "checks passed" in done.stdout
    assert "\x1b[" not in done.stdout


def test_a_bad_run_exits_1_and_names_the_failed_requirement(bad: Path) -> None:
    done = hanlab_verify(bad)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("failed: SM7-R1")


def test_json_is_one_object(bad: Path) -> None:
    done = hanlab_verify(bad, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["passed"] is False
    assert "SM7-R1" in report["failed"]
    assert {"requirement", "name", "passed", "evidence"} == set(report["checks"][0])


def test_a_folder_that_cannot_be_read_exits_2_in_one_line(tmp_path: Path) -> None:
    done = hanlab_verify(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"hanlab: {tmp_path / 'capture.pcapng'}: missing\n"


def test_the_command_loads_nothing_heavy_before_there_is_something_to_check() -> None:
    code = "import sys, gateway.cli.verify; print([n for n in ('lxml', 'cryptography') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
