"""`hanlab fleet` as a user gives it; its folder is judged again by `hanlab verify`."""

import json
from pathlib import Path

import pytest

from tests.support.demo_run import EXIT_BAD_INPUT, EXIT_FAILED, hanlab


@pytest.mark.requirement("MP105-R10")
def test_wrong_before_and_right_after_is_reported(tmp_path: Path) -> None:
    told = hanlab("fleet", "mp105", "--meters", "15", "--loss", "0.4", "--out", tmp_path / "run")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("15 devices, 3.1 virtual days; evidence in ")
    assert " records wrong before the repair, 0 after\n" in told.stdout
    judged = hanlab("verify", tmp_path / "run")
    assert judged.returncode == 0
    assert judged.stdout == told.stdout.partition("\n")[2]


@pytest.mark.requirement("MP105-R10", "MP105-R14")
def test_without_the_feature_the_checks_fail(tmp_path: Path) -> None:
    told = hanlab(
        "fleet", "mp105", "--meters", "15", "--loss", "0.4", "--no-feature", "--out", tmp_path / "run", "--json"
    )
    assert told.returncode == EXIT_FAILED
    failed = {check["requirement"] for check in json.loads(told.stdout)["checks"] if not check["passed"]}
    assert {"MP105-R1", "MP105-R2", "MP105-R10"} <= failed


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("mp105", "--repair", "hope"), "--repair hope: read, retry or none"),
        (("mixed", "--bridges", "5=1"), "--bridges 5=1: not PRODUCT=NUMBER with a product from 1 to 4"),
        (("mixed", "--homes", "1", "--bridges", "1=7"), "7 bridges: a hub takes 6"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    done = hanlab("fleet", *arguments, "--out", tmp_path / "run")
    assert (done.returncode, done.stdout) == (EXIT_BAD_INPUT, "")
    assert done.stderr == f"hanlab: {told}\n"
