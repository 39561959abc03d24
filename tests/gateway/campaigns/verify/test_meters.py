"""SM7-R4 and SM7-R5."""

from dataclasses import replace
from pathlib import Path

import pytest

from protocols.gbcs.codes import AlertCode
from protocols.gbcs.use_cases import fdra
from protocols.interfaces import SECOND
from tests.support.honest_story import ESME, HCALCS, Story
from tests.support.planting import failures, message_of, put_octets, told
from tests.support.requirements import EVIDENCE


def _receipt(story: Story, label: str, *, code: AlertCode | None = None, image_hash: bytes | None = None) -> None:
    """Let a receipt alert tell something else, validly signed."""
    message = message_of(story.run, label)
    alert = fdra.Alert.decode(message.payload)
    alert = replace(alert, alert_code=code or alert.alert_code, image_hash=image_hash or alert.image_hash)
    put_octets(story.run, label, story.run.signed(replace(message, payload=alert.encode())).encode())


@pytest.mark.requirement("SM7-R4", planted=EVIDENCE)
def test_an_image_with_a_bad_signature_told_as_verified_is_found(tmp_path: Path) -> None:
    story = told()
    _receipt(story, "esme v4 altered receipt", code=AlertCode.FIRMWARE_VERIFIED)
    assert "supplier's signature invalid: 8F72" in failures(story, tmp_path)["SM7-R4"]


@pytest.mark.requirement("SM7-R4", planted=EVIDENCE)
def test_a_good_image_told_as_bad_is_found(tmp_path: Path) -> None:
    story = told()
    _receipt(story, "hcalcs receipt", code=AlertCode.FIRMWARE_VERIFICATION_FAILED)
    assert "supplier's signature valid: 8F1C" in failures(story, tmp_path)["SM7-R4"]


@pytest.mark.requirement("SM7-R4", planted=EVIDENCE)
def test_a_receipt_with_another_hash_is_found(tmp_path: Path) -> None:
    story = told()
    _receipt(story, "hcalcs receipt", image_hash=bytes(32))
    assert "not that of the image" in failures(story, tmp_path)["SM7-R4"]


@pytest.mark.requirement("SM7-R4", planted=EVIDENCE)
@pytest.mark.parametrize("label", ["hcalcs receipt", "esme v2 receipt"])
def test_a_missing_receipt_is_found(tmp_path: Path, label: str) -> None:
    story = told()
    del story.run.air[label]
    assert "neither 8F72 nor 8F1C" in failures(story, tmp_path)["SM7-R4"]


@pytest.mark.requirement("SM7-R4", planted=EVIDENCE)
def test_a_receipt_signed_with_another_key_is_found(tmp_path: Path) -> None:
    story = told()
    message = message_of(story.run, "hcalcs receipt")
    put_octets(story.run, "hcalcs receipt", story.run.signed(message, by=ESME).encode())
    assert "without a valid signature" in failures(story, tmp_path)["SM7-R4"]


@pytest.mark.requirement("SM7-R4", planted=EVIDENCE)
def test_an_image_with_a_bad_signature_that_runs_is_found(tmp_path: Path) -> None:
    story = told()
    story.query("runs", story.run.air["esme v4 altered receipt"].time + SECOND, ESME, 0x04000000)
    assert "it runs at" in failures(story, tmp_path)["SM7-R4"]


@pytest.mark.requirement("SM7-R5", planted=EVIDENCE)
def test_a_version_that_runs_before_its_command_is_found(tmp_path: Path) -> None:
    story = told()
    story.query("too early", story.run.air["hcalcs receipt"].time + SECOND, HCALCS, 0x02000000)
    assert "before its 11.3" in failures(story, tmp_path)["SM7-R5"]


@pytest.mark.requirement("SM7-R5", planted=EVIDENCE)
def test_a_version_without_a_command_is_found(tmp_path: Path) -> None:
    story = told()
    del story.run.air["hcalcs CS06"]
    assert "without any 11.3" in failures(story, tmp_path)["SM7-R5"]


@pytest.mark.requirement("SM7-R5", planted=EVIDENCE)
def test_an_inventory_that_is_ahead_of_the_command_is_found(tmp_path: Path) -> None:
    story = told()
    (change,) = [row for row in story.run.rows["inventory_history"] if row["device"] == str(HCALCS)]
    change["time"] = story.run.air["hcalcs receipt"].time
    assert "(inventory), before its 11.3" in failures(story, tmp_path)["SM7-R5"]


@pytest.mark.requirement("SM7-R5", planted=EVIDENCE)
def test_an_hcalcs_that_was_never_activated_shows_nothing(tmp_path: Path) -> None:
    story = told()
    for label in ("hcalcs runs", "hcalcs CS06 response", "hcalcs CS08 response"):
        del story.run.air[label]
    story.run.rows["inventory_history"] = [
        row for row in story.run.rows["inventory_history"] if row["device"] != str(HCALCS)
    ]
    assert "no HCALCS was updated" in failures(story, tmp_path)["SM7-R5"]
