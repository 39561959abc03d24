"""A home's life, run as a user runs it, and judged from its folder."""

import json
from pathlib import Path

import pytest

from tests.end_to_end.same_run import differences
from tests.support.demo_run import EXIT_BAD_INPUT, hanlab
from tests.support.lived import two_days


@pytest.fixture(scope="session")
def life(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_days(tmp_path_factory)


def test_all_checks_of_a_life_pass(life: Path) -> None:
    assert (life / "exit").read_text(encoding="utf-8") == "0 "
    summary = json.loads((life / "stdout").read_text(encoding="utf-8"))
    assert summary["kind"] == "life"
    assert summary["story_failures"] == []
    assert summary["checks"]
    assert [check["requirement"] for check in summary["checks"] if not check["passed"]] == []


def test_the_folder_judges_the_same_afterwards(life: Path) -> None:
    again = hanlab("verify", life / "run", "--json")
    assert again.returncode == 0, again.stdout
    told = json.loads((life / "stdout").read_text(encoding="utf-8"))["checks"]
    assert json.loads(again.stdout)["checks"] == told


def test_the_capture_of_a_life_keeps_the_rules(life: Path) -> None:
    folder = life / "run"
    done = hanlab("capture", "lint", folder / "capture.pcapng", "--keys", folder / "keys.txt")
    assert done.returncode == 0, done.stdout


def test_everybody_has_a_day_and_the_plots_are_there(life: Path) -> None:
    days = json.loads((life / "run" / "days.json").read_text(encoding="utf-8"))
    assert {day["device"] for day in days} >= {f"home-1/{name}" for name in ("hub", "esme", "gsme", "bridge-3")}
    assert (life / "run" / "plots" / "life.png").read_bytes().startswith(b"\x89PNG")


def test_the_same_seed_lives_the_same_life(life: Path, tmp_path: Path) -> None:
    done = hanlab("home", "run", "home-1", "--for", "2d", "--out", tmp_path / "run", "--no-progress")
    assert done.returncode == 0, done.stderr
    assert "home-1/esme: each day" in done.stdout
    assert differences(life / "run", tmp_path / "run") == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["home-9"], "no such file"),
        (["home-1", "--for", "two days"], "a number with d, h or m expected"),
        (["home-1", "--for", "1h"], "a life takes at least 24 hours"),
    ],
)
def test_bad_input_gets_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = hanlab("home", "run", *arguments, "--out", tmp_path / "run")
    assert done.returncode == EXIT_BAD_INPUT
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()
