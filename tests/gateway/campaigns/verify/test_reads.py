"""MP170-C14 and SM7-R8."""

from dataclasses import replace
from pathlib import Path

import pytest

from protocols.addresses import Eui64
from protocols.duis.responses import GbcsPayload
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import cs08
from tests.support.honest_story import BRIDGE_1
from tests.support.planting import failures, message_of, put_code, put_content, put_octets, told
from tests.support.requirements import EVIDENCE
from tests.support.told_run import OPERATOR, SUPPLIER, ToldRun


def _send(run: ToldRun, label: str, message: Message) -> None:
    put_octets(run, label, run.with_mac(replace(message, mac=None)).encode())


@pytest.mark.requirement("MP170-C14", planted=EVIDENCE)
def test_a_command_of_the_supplier_itself_is_found(tmp_path: Path) -> None:
    story = told()
    _send(story.run, "bridge-1 CS08", replace(message_of(story.run, "bridge-1 CS08"), originator=SUPPLIER))
    assert "not the ACB" in failures(story, tmp_path)["MP170-C14"]


@pytest.mark.requirement("MP170-C14", planted=EVIDENCE)
@pytest.mark.parametrize("changed", [{"supplementary_party": OPERATOR}, {"supplementary_counter": 1}])
def test_a_command_for_another_user_or_request_is_found(tmp_path: Path, changed: dict[str, Eui64 | int]) -> None:
    story = told()
    message = message_of(story.run, "bridge-1 CS08")
    party, counter = changed.get("supplementary_party", SUPPLIER), changed.get("supplementary_counter", 1)
    _send(
        story.run,
        "bridge-1 CS08",
        replace(message, supplementary_party=Eui64(party), supplementary_counter=counter),
    )
    found = failures(story, tmp_path)["MP170-C14"]
    assert "no CS08 for its user and counter" in found
    assert "belongs to no accepted 11.2" in found


@pytest.mark.requirement("MP170-C14", planted=EVIDENCE)
@pytest.mark.parametrize("label", ["bridge-1 CS08", "bridge-1 CS08 response"])
def test_a_wrong_mac_is_found(tmp_path: Path, label: str) -> None:
    story = told()
    message = message_of(story.run, label)
    put_octets(story.run, label, replace(message, mac=bytes(12)).encode())
    assert "invalid" in failures(story, tmp_path)["MP170-C14"]


@pytest.mark.requirement("MP170-C14", planted=EVIDENCE)
def test_an_answer_to_the_wrong_party_is_found(tmp_path: Path) -> None:
    story = told()
    message = replace(message_of(story.run, "bridge-1 CS08 response"), target=SUPPLIER)
    _send(story.run, "bridge-1 CS08 response", message)
    assert f"answer from {BRIDGE_1} to {SUPPLIER}" in failures(story, tmp_path)["MP170-C14"]


@pytest.mark.requirement("SM7-R8", "MP170-C15", planted=EVIDENCE)
def test_an_answer_changed_on_its_way_to_the_user_is_found(tmp_path: Path) -> None:
    story = told()
    message = message_of(story.run, "bridge-1 CS08 response")
    other = story.run.with_mac(replace(message, payload=cs08.Response(0x09000000).encode(), mac=None))
    put_content(story.run, "bridge-1 CS08 answer", GbcsPayload(other.encode()))
    found = failures(story, tmp_path)
    assert "is not what the device sent" in found["SM7-R8"]
    assert "inventory has 02000000" in found["MP170-C15"]


@pytest.mark.requirement("SM7-R8", "MP170-R7", planted=EVIDENCE)
def test_an_answer_that_never_came_is_found(tmp_path: Path) -> None:
    story = told()
    del story.run.mail["bridge-1 CS08 answer"]
    found = failures(story, tmp_path)
    assert "no answer in the mailbox" in found["SM7-R8"]
    assert "never answered" in found["MP170-R7"]


@pytest.mark.requirement("SM7-R8", planted=EVIDENCE)
def test_a_failed_read_is_found(tmp_path: Path) -> None:
    story = told()
    put_code(story.run, "bridge-1 CS08 answer", "E21")
    assert "is a failed read" in failures(story, tmp_path)["SM7-R8"]
