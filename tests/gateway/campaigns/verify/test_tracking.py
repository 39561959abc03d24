"""MP102B-G5 to G8 and G10."""

from pathlib import Path

import pytest

from protocols.gbcs.use_cases import cs06
from protocols.interfaces import MINUTE, SECOND
from tests.support.honest_story import ESME, WINDOW, Story
from tests.support.planting import failures, put_code, request_of, row, told
from tests.support.requirements import EVIDENCE
from tests.support.told_run import SUPPLIER


@pytest.mark.requirement("MP102B-G5", "MP102B-G6", planted=EVIDENCE)
def test_a_tracked_activation_without_a_window_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.rows["suppression_windows"].remove(row(story.run, "suppression_windows", kind="immediate"))
    found = failures(story, tmp_path)
    assert "armed no window" in found["MP102B-G5"]
    assert "recorded as nothing" in found["MP102B-G6"]


@pytest.mark.requirement("MP102B-G5", planted=EVIDENCE)
def test_a_window_armed_by_a_distribution_is_found(tmp_path: Path) -> None:
    story = told()
    story.window(story.ask_id(), story.now, "immediate", story.now)
    assert "no accepted 11.3 of a tracked ESME" in failures(story, tmp_path)["MP102B-G5"]


@pytest.mark.requirement("MP102B-G6", planted=EVIDENCE)
def test_a_record_of_a_device_that_is_not_on_the_list_is_found(tmp_path: Path) -> None:
    story = told()
    request_id = request_of(story.run, "11.3 hcalcs signed").request_id
    story.window(request_id, story.run.sent["11.3 hcalcs signed"].time, "immediate", 0)
    assert "not on the list, recorded" in failures(story, tmp_path)["MP102B-G6"]


@pytest.mark.requirement("MP102B-G6", planted=EVIDENCE)
def test_a_date_recorded_as_immediate_is_found(tmp_path: Path) -> None:
    story = told()
    row(story.run, "suppression_windows", start=story.dated)["kind"] = "immediate"
    assert "dated, recorded as immediate" in failures(story, tmp_path)["MP102B-G6"]


@pytest.mark.requirement("MP102B-G7", planted=EVIDENCE)
def test_a_date_too_far_ahead_that_is_taken_is_found(tmp_path: Path) -> None:
    story = told()
    put_code(story.run, "11.3 far answer", "I99")
    assert "31.00 days ahead accepted" in failures(story, tmp_path)["MP102B-G7"]


@pytest.mark.requirement("MP102B-G7", planted=EVIDENCE)
def test_a_date_within_the_limit_that_is_refused_is_found(tmp_path: Path) -> None:
    story = told()
    put_code(story.run, "11.3 dated signed answer", "E61")
    assert "2.00 days ahead answered E61" in failures(story, tmp_path)["MP102B-G7"]


@pytest.mark.requirement("MP102B-G8", planted=EVIDENCE)
def test_suppression_before_the_date_is_found(tmp_path: Path) -> None:
    story = told()
    received = story.run.mail["before the date AD1"].time - SECOND // 10
    row(story.run, "power_outage_audit", received=received)["decision"] = "suppressed"
    del story.run.mail["before the date AD1"]
    found = failures(story, tmp_path)
    assert "before the date of" in found["MP102B-G8"]
    assert "was suppressed" in found["MP102B-G8"]


# --- a cancelled activation ----------------------------------------------------------------------------------------


def _reported(story: Story) -> None:
    payload = cs06.Alert(0x8F66, story.cancelled, story.cancelled_command.counter, cs06.Outcome(0, 0x04000000))
    alert = (cs06.ALERT_MESSAGE_CODE, payload.encode(), 0x8F66)
    story.device_alert("planted 8F66", ESME, story.cancelled + 14 * MINUTE, SUPPLIER, *alert)


def _cut(story: Story) -> None:
    story.run.note(story.cancelled, "home-1/esme", "dc-supply-cut")


def _version(story: Story) -> None:
    story.query("runs v4", story.cancelled + 14 * MINUTE, ESME, 0x04000000)


def _outage(story: Story) -> None:
    story.outage("planted", story.cancelled + 4 * MINUTE, suppressed=False)


def _inventory(story: Story) -> None:
    story.take_version(story.cancelled + 15 * MINUTE, ESME, 0x04000000, "8F66")


@pytest.mark.requirement("MP102B-G8", planted=EVIDENCE)
@pytest.mark.parametrize(
    ("plant", "told_as"),
    [
        (_reported, "8F66 at"),
        (_cut, "home-1/esme dc-supply-cut"),
        (_version, "version 04000000 seen"),
        (_outage, "AD1 of an outage"),
        (_inventory, "the inventory took version 04000000"),
    ],
)
def test_a_cancelled_activation_that_runs_is_found(tmp_path: Path, plant: object, told_as: str) -> None:
    story = told()
    assert callable(plant)
    plant(story)
    assert told_as in failures(story, tmp_path)["MP102B-G8"]


@pytest.mark.requirement("MP102B-G8", planted=EVIDENCE)
def test_a_run_that_ends_before_the_cancelled_date_shows_nothing(tmp_path: Path) -> None:
    story = told()
    for label in [label for label, item in story.run.air.items() if item.time > story.cancelled]:
        del story.run.air[label]
    assert "before it could run" in failures(story, tmp_path)["MP102B-G8"]


@pytest.mark.requirement("MP102B-G8", planted=EVIDENCE)
def test_a_cancellation_the_device_never_confirmed_shows_nothing(tmp_path: Path) -> None:
    story = told()
    del story.run.mail["cancel CS06 answer"]
    assert "no cancellation of a dated 11.3 was confirmed" in failures(story, tmp_path)["MP102B-G8"]


def test_an_unconfirmed_cancellation_leaves_the_window(tmp_path: Path) -> None:
    story = told()
    del story.run.mail["cancel CS06 answer"]
    story.outage("in the window that stays", story.cancelled + WINDOW // 2, suppressed=True)
    assert "MP102B-R3" not in failures(story, tmp_path)


# --- outages -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("MP102B-G10", planted=EVIDENCE)
def test_an_alert_about_a_short_outage_is_found(tmp_path: Path) -> None:
    story = told()
    lost = story.now - 3 * 60 * MINUTE
    story.restored("short", lost, 2 * MINUTE + 50 * SECOND)
    story.outage("too early", lost + 3 * MINUTE + 2 * SECOND, suppressed=False)
    assert "yet an AD1 entered the DSP" in failures(story, tmp_path)["MP102B-G10"]


@pytest.mark.requirement("MP102B-G10", planted=EVIDENCE)
def test_a_long_outage_without_an_alert_is_found(tmp_path: Path) -> None:
    story = told()
    story.restored("long", story.now - 60 * MINUTE, 5 * MINUTE)
    assert "no AD1 entered the DSP" in failures(story, tmp_path)["MP102B-G10"]


@pytest.mark.requirement("MP102B-G10", planted=EVIDENCE)
def test_an_alert_before_three_minutes_is_found(tmp_path: Path) -> None:
    story = told()
    story.outage("hasty", story.now, suppressed=False, latency=2 * MINUTE)
    assert "only 2:00 after the loss" in failures(story, tmp_path)["MP102B-G10"]


@pytest.mark.requirement("MP102B-G10", planted=EVIDENCE)
def test_a_run_without_a_short_outage_shows_nothing(tmp_path: Path) -> None:
    story = told()
    del story.run.air["8F35"], story.run.mail["8F35 mail"]
    assert "no outage of under 3 minutes was tried" in failures(story, tmp_path)["MP102B-G10"]
