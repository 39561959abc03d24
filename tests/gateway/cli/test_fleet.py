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
        (("idle", "--devices", "256"), "--devices 256: a home takes 255"),
        (("idle", "--capture", "no/such/file"), "--capture: no/such/file: No such file or directory"),
    ],
)
def test_bad_input_is_told_in_one_line(arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    folder = () if arguments[0] == "idle" else ("--out", tmp_path / "run")
    done = hanlab("fleet", *arguments, *folder)
    assert (done.returncode, done.stdout) == (EXIT_BAD_INPUT, "")
    assert done.stderr == f"hanlab: {told}\n"


def test_idle_homes_tell_what_became_of_their_reports(tmp_path: Path) -> None:
    capture = tmp_path / "idle.pcapng"
    told = hanlab("fleet", "idle", "--homes", "12", "--devices", "3", "--minutes", "30", "--capture", capture)
    assert (told.returncode, told.stderr) == (0, "")
    size, reports, speed, frames = told.stdout.splitlines()
    assert size == "12 homes of 3 devices, 30 virtual minutes"
    assert reports == "1,080 reports sent, 1,080 read, 0 out of order, 0 refused"
    assert speed.endswith(" device-hours a second")
    number, _, place = frames.partition(" frames in ")
    assert int(number.replace(",", "")) > 2 * 1080
    keys = capture.with_suffix(".keys.txt")
    assert place == f"{capture}, keys in {keys}"
    assert hanlab("capture", "lint", capture, "--keys", keys).returncode == 0


def test_idle_homes_as_json() -> None:
    told = json.loads(hanlab("fleet", "idle", "--homes", "2", "--devices", "2", "--minutes", "5", "--json").stdout)
    assert (told["sent"], told["read"], told["torn"], told["refused"], told["frames"]) == (20, 20, 0, 0, 0)
    assert told["device_hours_a_second"] > 0
