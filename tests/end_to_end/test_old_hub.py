"""The story of a hub of before SECMP0007, as a user runs it (SM7-R9)."""

from pathlib import Path

import pytest

from tests.support.demo_run import EXIT_BAD_INPUT, DemoRun, hanlab, kept, run_demo
from tests.support.once import once


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    def make(place: Path) -> None:
        run_demo(place, "--story", "old-hub")

    return kept(once(tmp_path_factory, "old-hub", make))


@pytest.mark.requirement("SM7-R9")
def test_images_fail_before_and_arrive_after_the_hub_has_new_firmware(told: DemoRun) -> None:
    """SM7-R9: N61 and no transfer under 0A200000, N60 and N39 under 0A200100; the ESME is served all along."""
    assert (told.failed, told.exit_code, told.stderr) == ([], 0, "")
    assert told.summary["story_failures"] == []
    codes = [alert["code"] for alert in told.summary["alerts"]]
    assert [code for code in codes if code in ("N60", "N61", "N63")] == [
        "N61", "N61", "N61", "N60", "N63", "N60", "N60", "N60",
    ]  # fmt: skip
    results = {device["name"]: device["result"] for device in told.summary["devices"]}
    updated = ("home-1/hcalcs", "home-1/ppmid", "home-1/bridge-1")
    assert [results[name] for name in updated] == ["updated"] * len(updated)
    outcomes = [line["outcome"] for line in told.timeline if line["event"] == "hub-firmware"]
    assert outcomes == ["REFUSED", "ACTIVATED"]


def test_verify_judges_the_folder_alone(told: DemoRun) -> None:
    judged = hanlab("verify", told.folder)
    assert (judged.returncode, judged.stderr) == (0, "")
    assert judged.stdout.count("SM7-R9") == 3
    assert judged.stdout.splitlines()[-1] == f"all {len(told.summary['checks'])} checks passed"


def test_an_unknown_story_is_told_in_one_line(tmp_path: Path) -> None:
    done = hanlab("demo", "--story", "new-hub", "--out", tmp_path / "run")
    assert (done.returncode, done.stdout) == (EXIT_BAD_INPUT, "")
    assert done.stderr == "hanlab: no story 'new-hub'; there are: updates, old-hub\n"
    assert not (tmp_path / "run").exists()
