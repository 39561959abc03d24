"""MP170-R5, R6, R7, R11 and C15."""

from dataclasses import replace
from pathlib import Path

import pytest

from protocols.duis.inventory import PpmidVariant
from protocols.interfaces import MINUTE, SECOND
from tests.support.honest_story import BRIDGE_1, BRIDGE_3, ESME, HCALCS, PPMID
from tests.support.planting import change_entry, failures, number, row, told
from tests.support.requirements import EVIDENCE


@pytest.mark.requirement("MP170-R6", planted=EVIDENCE)
def test_an_inventory_that_is_ahead_of_the_n39_is_found(tmp_path: Path) -> None:
    story = told()
    change = row(story.run, "inventory_history", device=str(PPMID))
    change["time"], change["cause"] = number(change["time"]) - 30 * SECOND, "8F8A"
    assert "the store says 8F8A" in failures(story, tmp_path)["MP170-R6"]


@pytest.mark.requirement("MP170-R6", planted=EVIDENCE)
def test_a_change_nobody_confirmed_is_found(tmp_path: Path) -> None:
    story = told()
    story.take_version(story.now, PPMID, 0x07000000, "nothing")
    assert "never confirmed" in failures(story, tmp_path)["MP170-R6"]


@pytest.mark.requirement("MP170-R6", "MP170-C15", "MP170-R5", planted=EVIDENCE)
def test_a_confirmation_the_inventory_did_not_follow_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.rows["inventory_history"].remove(row(story.run, "inventory_history", device=str(BRIDGE_1)))
    row(story.run, "inventory", device=str(BRIDGE_1))["firmware_version"] = "01000000"
    found = failures(story, tmp_path)
    assert "says 02000000, inventory has 01000000" in found["MP170-R6"]
    assert "inventory has 01000000" in found["MP170-C15"]
    assert "store 01000000" in found["MP170-R5"]


@pytest.mark.requirement("MP170-C15", planted=EVIDENCE)
def test_a_read_the_inventory_did_not_follow_is_found(tmp_path: Path) -> None:
    story = told()
    story.take_version(story.run.mail["esme ECS52 answer"].time - MINUTE, ESME, 0x01000000, "nothing")
    assert "says 03000000" in failures(story, tmp_path)["MP170-C15"]


@pytest.mark.requirement("MP170-R11", planted=EVIDENCE)
def test_a_lost_variant_is_found(tmp_path: Path) -> None:
    story = told()
    change_entry(story.run, BRIDGE_1, lambda entry: replace(entry, ppmid_variant=PpmidVariant.PPMID))
    assert "8.2 tells PPMID" in failures(story, tmp_path)["MP170-R11"]


@pytest.mark.requirement("MP170-R11", planted=EVIDENCE)
def test_a_variant_of_something_else_is_found(tmp_path: Path) -> None:
    story = told()
    change_entry(story.run, HCALCS, lambda entry: replace(entry, ppmid_variant=PpmidVariant.PPMID))
    assert "HCALCS, has the variant" in failures(story, tmp_path)["MP170-R11"]


@pytest.mark.requirement("MP170-R5", planted=EVIDENCE)
def test_a_version_that_8_2_tells_otherwise_is_found(tmp_path: Path) -> None:
    story = told()
    change_entry(story.run, BRIDGE_3, lambda entry: replace(entry, device_firmware_version="01000000"))
    assert "8.2 01000000" in failures(story, tmp_path)["MP170-R5"]


@pytest.mark.requirement("MP170-R5", planted=EVIDENCE)
def test_a_version_that_the_device_tells_otherwise_is_found(tmp_path: Path) -> None:
    story = told()
    story.query("fell back", story.now, HCALCS, 0x01000000)
    assert "Query Next Image 01000000" in failures(story, tmp_path)["MP170-R5"]


@pytest.mark.requirement("MP170-R5", planted=EVIDENCE)
def test_an_attempt_without_a_record_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.rows["firmware_updates"].pop()
    assert "no record" in failures(story, tmp_path)["MP170-R5"]


@pytest.mark.requirement("MP170-R5", planted=EVIDENCE)
def test_a_blocked_attempt_without_a_record_is_found(tmp_path: Path) -> None:
    story = told()
    row(story.run, "firmware_update_history", state="Blocked")["state"] = "Requested"
    assert "not Blocked" in failures(story, tmp_path)["MP170-R5"]


@pytest.mark.requirement("MP170-R5", planted=EVIDENCE)
def test_an_attempt_without_an_outcome_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.rows["firmware_updates"][0]["state"] = "Transferred"
    story.run.rows["firmware_update_history"] = [
        entry
        for entry in story.run.rows["firmware_update_history"]
        if (entry["device"], entry["state"]) != (str(BRIDGE_1), "Activated")
    ]
    assert "at the end of the run" in failures(story, tmp_path)["MP170-R5"]
