"""SM7-R1 and MP170-R12."""

from dataclasses import replace
from pathlib import Path

import pytest

from protocols.duis.bodies import DevicePrenotification, UpdatePpmidFirmware
from protocols.interfaces import SECOND
from protocols.zcl.clusters import ota
from protocols.zcl.frame import ZclStatus
from tests.support.honest_story import BLOCK, BRIDGE_3, PPMID, Story
from tests.support.planting import failures, ota_of, put_ota, request_of, told
from tests.support.requirements import EVIDENCE


def _block(story: Story, label: str) -> ota.ImageBlockResponse:
    command = ota_of(story.run, label)
    assert isinstance(command, ota.ImageBlockResponse)
    return command


@pytest.mark.requirement("SM7-R1", planted=EVIDENCE)
def test_a_block_the_hub_skipped_is_found(tmp_path: Path) -> None:
    story = told()
    del story.run.air["ppmid block 96"]
    assert "96 of 300 octets" in failures(story, tmp_path)["SM7-R1"]


@pytest.mark.requirement("SM7-R1", planted=EVIDENCE)
def test_a_block_with_the_octets_of_the_next_is_found(tmp_path: Path) -> None:
    story = told()
    following = _block(story, "ppmid block 144").data
    put_ota(story.run, "ppmid block 96", _block(story, "ppmid block 96")._replace(data=following))
    assert "the hub stored" in failures(story, tmp_path)["SM7-R1"]


@pytest.mark.requirement("SM7-R1", planted=EVIDENCE)
def test_an_offset_served_in_two_ways_is_found(tmp_path: Path) -> None:
    story = told()
    other = _block(story, "ppmid block 96")._replace(data=bytes(BLOCK))
    item = story.run.air["ppmid block 96"]
    story.run.carry_ota("again", item.time - SECOND // 20, PPMID, other, upward=False)
    assert "two different blocks" in failures(story, tmp_path)["SM7-R1"]


def test_a_transfer_broken_off_and_made_good_is_none_of_ours(tmp_path: Path) -> None:
    story = told()
    for label in [label for label in story.run.air if label.startswith("altered block 2")]:
        del story.run.air[label]
    put_ota(story.run, "altered end", ota.UpgradeEndRequest(ZclStatus.ABORT, *_block(story, "altered block 0")[:3]))
    assert "SM7-R1" not in failures(story, tmp_path)


@pytest.mark.requirement("SM7-R1", planted=EVIDENCE)
def test_an_image_no_hub_says_it_stored_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.timeline = [
        line for line in story.run.timeline if line["event"] != "image-stored" or line["device"] != str(PPMID)
    ]
    assert "no hub says" in failures(story, tmp_path)["SM7-R1"]


@pytest.mark.requirement("SM7-R1", planted=EVIDENCE)
def test_an_image_altered_without_the_timeline_saying_so_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.timeline = [line for line in story.run.timeline if line["event"] != "image-altered"]
    assert "differs from the file in" in failures(story, tmp_path)["SM7-R1"]


@pytest.mark.requirement("MP170-R12", planted=EVIDENCE)
def test_a_bad_image_answered_with_success_is_found(tmp_path: Path) -> None:
    story = told()
    put_ota(story.run, "altered end", ota.UpgradeEndRequest(ZclStatus.SUCCESS, *_block(story, "altered block 0")[:3]))
    assert "status 00" in failures(story, tmp_path)["MP170-R12"]


@pytest.mark.requirement("MP170-R12", planted=EVIDENCE)
def test_a_bad_image_that_runs_is_found(tmp_path: Path) -> None:
    story = told()
    story.query("runs all the same", story.run.air["altered end"].time + 5 * SECOND, BRIDGE_3, 0x02000000)
    assert "runs it at" in failures(story, tmp_path)["MP170-R12"]


@pytest.mark.requirement("MP170-R12", planted=EVIDENCE)
def test_an_image_of_another_product_must_be_refused(tmp_path: Path) -> None:
    story = told()
    request = request_of(story.run, "12.2 ppmid")
    assert isinstance(request.body, DevicePrenotification)
    other = replace(request.body, device_model="0AFF0101")
    story.run.sent["12.2 ppmid"].document = replace(request, body=other)
    assert "is for 121D" in failures(story, tmp_path)["MP170-R12"]


@pytest.mark.requirement("MP170-R12", planted=EVIDENCE)
def test_a_refused_image_that_goes_on_is_found(tmp_path: Path) -> None:
    story = told()
    request = request_of(story.run, "11.4 unknown")
    name, time = str(request.request_id), story.run.sent["11.4 unknown"].time
    story.run.note(time + SECOND, "csp", "firmware-service", request=name, device=str(PPMID), type="PPMID")
    assert "csp has it" in failures(story, tmp_path)["MP170-R12"]


@pytest.mark.requirement("MP170-R12", planted=EVIDENCE)
def test_a_refused_image_on_the_air_is_found(tmp_path: Path) -> None:
    story = told()
    body = request_of(story.run, "11.4 unknown").body
    assert isinstance(body, UpdatePpmidFirmware)
    story.transfer("refused", PPMID, body.firmware_image, story.ask_id(), ZclStatus.INVALID_IMAGE)
    assert "pulled its image" in failures(story, tmp_path)["MP170-R12"]


@pytest.mark.requirement("MP170-R12", planted=EVIDENCE)
def test_an_accepted_image_that_is_not_on_the_products_list_is_found(tmp_path: Path) -> None:
    story = told()
    products = story.run.rows["products"]
    products.remove(next(entry for entry in products if entry["type"] == "PPMID"))
    assert "accepted, but its hash" in failures(story, tmp_path)["MP170-R12"]


@pytest.mark.requirement("MP170-R12", planted=EVIDENCE)
def test_without_a_refused_request_nothing_is_shown(tmp_path: Path) -> None:
    story = told()
    del story.run.sent["11.4 unknown"], story.run.mail["11.4 unknown answer"]
    assert "no request was refused with E110402" in failures(story, tmp_path)["MP170-R12"]
