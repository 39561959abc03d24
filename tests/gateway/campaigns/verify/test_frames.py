"""MP170-C10 and X-5."""

from pathlib import Path

import pytest

from tests.support.planting import failures, told
from tests.support.requirements import EVIDENCE


@pytest.mark.requirement("MP170-C10", planted=EVIDENCE)
def test_a_bad_fcs_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.air["ppmid query"].good_fcs = False
    assert "fcs" in failures(story, tmp_path)["MP170-C10"]


@pytest.mark.requirement("MP170-C10", planted=EVIDENCE)
def test_a_frame_no_key_opens_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.air["ppmid query"].key = bytes(16)
    assert "undecrypted" in failures(story, tmp_path)["MP170-C10"]


@pytest.mark.requirement("MP170-C10", planted=EVIDENCE)
def test_a_malformed_frame_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.air["ppmid query"].frame = bytes.fromhex("0142ee")
    assert "malformed" in failures(story, tmp_path)["MP170-C10"]


@pytest.mark.requirement("MP170-C10", planted=EVIDENCE)
def test_a_tunnel_message_that_is_no_gbcs_is_found(tmp_path: Path) -> None:
    story = told()
    item = story.run.air["hcalcs receipt"]
    item.frame = item.frame[:-70]
    assert "no GBCS message" in failures(story, tmp_path)["MP170-C10"]


@pytest.mark.requirement("X-5", planted=EVIDENCE)
def test_a_document_against_the_schema_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.extra_files["mailboxes/supplier/000999-1.xml"] = b"<noise/>"
    assert "mailboxes/supplier/000999" in failures(story, tmp_path)["X-5"]


@pytest.mark.requirement("X-5", planted=EVIDENCE)
def test_a_request_without_an_answer_is_found(tmp_path: Path) -> None:
    story = told()
    del story.run.mail["11.4 ppmid answer"]
    assert "was not answered" in failures(story, tmp_path)["X-5"]
