"""MP102B-R1, R2, R3 and G9."""

from pathlib import Path

import pytest

from protocols.interfaces import MINUTE, SECOND
from tests.support.honest_story import WINDOW, Story
from tests.support.planting import deliver_outage, failures, number, row, told
from tests.support.requirements import EVIDENCE
from tests.support.told_run import Cell


def _audit(story: Story, received: int) -> dict[str, Cell]:
    return row(story.run, "power_outage_audit", received=received)


@pytest.mark.requirement("MP102B-R1", planted=EVIDENCE)
def test_an_alert_of_the_operator_inside_a_window_is_found(tmp_path: Path) -> None:
    story = told()
    lost = story.immediate + 5 * SECOND
    story.restored("restored after the activation", lost, 13 * MINUTE)
    assert "at +14:37, 8F36" in failures(story, tmp_path)["MP102B-R1"]


@pytest.mark.requirement("MP102B-R1", planted=EVIDENCE)
def test_silence_with_nothing_to_suppress_shows_nothing(tmp_path: Path) -> None:
    story = told()
    audit = story.run.rows["power_outage_audit"]
    story.run.rows["power_outage_audit"] = [r for r in audit if r["received"] != story.dated + 4 * MINUTE]
    assert "no AD1 entered the DSP" in failures(story, tmp_path)["MP102B-R1"]


@pytest.mark.requirement("MP102B-R2", planted=EVIDENCE)
def test_a_window_one_second_short_is_found(tmp_path: Path) -> None:
    story = told()
    deliver_outage(story, _audit(story, story.immediate + WINDOW - SECOND))
    found = failures(story, tmp_path)
    assert "+29:59" not in found["MP102B-R2"]
    assert "inside a window, was delivered" in found["MP102B-R2"]
    assert "MP102B-R3" not in found


@pytest.mark.requirement("MP102B-R3", planted=EVIDENCE)
def test_a_window_one_second_long_is_found(tmp_path: Path) -> None:
    story = told()
    _audit(story, story.dated + WINDOW)["decision"] = "suppressed"
    del story.run.mail["after the window AD1"]
    found = failures(story, tmp_path)
    assert "30:00 after the start of its dated window" in found["MP102B-R3"]
    assert "MP102B-R2" not in found


@pytest.mark.requirement("MP102B-R3", planted=EVIDENCE)
def test_an_audit_that_contradicts_the_mailbox_is_found(tmp_path: Path) -> None:
    story = told()
    _audit(story, story.dated + 4 * MINUTE)["decision"] = "delivered"
    assert "but the audit says delivered" in failures(story, tmp_path)["MP102B-R3"]


@pytest.mark.requirement("MP102B-R2", planted=EVIDENCE)
def test_a_run_without_an_alert_in_the_last_second_shows_nothing(tmp_path: Path) -> None:
    story = told()
    audit = story.run.rows["power_outage_audit"]
    audit.remove(_audit(story, story.immediate + WINDOW - SECOND))
    assert "in the last second of an immediate window" in failures(story, tmp_path)["MP102B-R2"]


@pytest.mark.requirement("MP102B-R3", planted=EVIDENCE)
def test_a_run_without_an_alert_just_after_the_window_shows_nothing(tmp_path: Path) -> None:
    story = told()
    later = story.dated + WINDOW + 5 * SECOND
    _audit(story, story.dated + WINDOW)["received"] = later
    story.run.mail["after the window AD1"].time = later
    assert "in the first second after a dated one" in failures(story, tmp_path)["MP102B-R3"]


@pytest.mark.requirement("MP102B-G9", planted=EVIDENCE)
def test_a_lost_alert_is_found(tmp_path: Path) -> None:
    story = told()
    del story.run.mail["before the date AD1"]
    assert "never reached the network operator" in failures(story, tmp_path)["MP102B-G9"]


@pytest.mark.requirement("MP102B-G9", planted=EVIDENCE)
def test_an_alert_the_audit_does_not_know_is_found(tmp_path: Path) -> None:
    story = told()
    invented: dict[str, Cell] = {"received": story.now, "started": story.now - 4 * MINUTE}
    deliver_outage(story, invented)
    assert "the audit does not know" in failures(story, tmp_path)["MP102B-G9"]


@pytest.mark.requirement("MP102B-G9", planted=EVIDENCE)
def test_a_report_of_a_hub_that_never_entered_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.note(story.now, story.hub, "power-loss-reported", started=story.now - 3 * MINUTE)
    assert "hubs reported 6 power losses, 5 entered" in failures(story, tmp_path)["MP102B-G9"]


def test_the_windows_follow_the_requests_not_the_store(tmp_path: Path) -> None:
    story = told()
    for window in story.run.rows["suppression_windows"]:
        window["end"] = number(window["end"]) + SECOND
    found = failures(story, tmp_path)
    assert sorted(found) == ["MP102B-G5"]


def test_an_alert_that_came_twice_counts_once(tmp_path: Path) -> None:
    story = told()
    again = _audit(story, story.immediate + WINDOW - SECOND) | {"received": story.immediate + WINDOW + MINUTE}
    story.run.rows["power_outage_audit"].append(again)
    assert failures(story, tmp_path) == {}
