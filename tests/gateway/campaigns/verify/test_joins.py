"""JOIN-1 and JOIN-2: the keys of joined devices, and who talks under them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from protocols.aps.commands import TransportApplicationLinkKey
from protocols.duis.responses import GbcsPayload
from protocols.gbcs.codes import JoinCode
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs03, cs04
from protocols.interfaces import HOUR, SECOND
from tests.support.honest_story import BRIDGE_1, ESME, GSME, PPMID, Story
from tests.support.planting import content_of, failures, message_of, put_content, put_octets, told
from tests.support.requirements import EVIDENCE
from tests.support.told_join import GIVEN
from tests.support.told_run import SUPPLIER, node_certificate


def never_asked(story: Story) -> None:
    del story.run.air["join asked"]


def given_to_one(story: Story) -> None:
    del story.run.air[f"join given {PPMID}"]


def given_two_keys(story: Story) -> None:
    story.run.air[f"join given {PPMID}"].frame = TransportApplicationLinkKey(bytes(16), ESME, False).encode()


def not_agreed(story: Story) -> None:
    for number in range(6):
        del story.run.air[f"join keys {number}"]


def agreed_by_half(story: Story) -> None:
    del story.run.air["join keys 5"]


def begun_by_the_other(story: Story) -> None:
    not_agreed(story)
    story.run.agree(PPMID, ESME, story.run.air["join asked"].time + SECOND, "join keys")


def with_the_certificate_of_another(story: Story) -> None:
    item = story.run.air["join keys 1"]
    item.frame = item.frame.replace(node_certificate(PPMID), node_certificate(BRIDGE_1))


def after_the_answer(story: Story) -> None:
    for number in range(6):
        story.run.air[f"join keys {number}"].time += HOUR


@pytest.mark.requirement("JOIN-1", planted=EVIDENCE)
@pytest.mark.parametrize(
    ("plant", "evidence"),
    [
        (never_asked, "asked the hub for no key"),
        (given_to_one, "no key in common"),
        (given_two_keys, "no key in common"),
        (not_agreed, "success without key establishment"),
        (agreed_by_half, "success without key establishment"),
        (begun_by_the_other, "success without key establishment"),
        (with_the_certificate_of_another, "a certificate of"),
        (after_the_answer, "success without key establishment"),
    ],
)
def test_a_success_without_its_key_is_found(plant: Callable[[Story], None], evidence: str, tmp_path: Path) -> None:
    story = told()
    plant(story)
    assert evidence in failures(story, tmp_path)["JOIN-1"]


# --- who talks -------------------------------------------------------------------------------------------------------


def talks_with_a_bridge(story: Story) -> None:
    read = story.run.air["join read"]
    story.run.air["stray read"] = replace(read, partner=BRIDGE_1)


def talks_beforehand(story: Story) -> None:
    story.run.air["join read"].time = story.run.air["join CS03"].time - SECOND


def talks_under_the_hubs_key(story: Story) -> None:
    story.run.air["join read"].link_key = GIVEN


def talks_after_a_failure(story: Story) -> None:
    message = replace(message_of(story.run, "join CS03 response"), payload=cs03.Response(JoinCode.BAD_MESSAGE).encode())
    put_octets(story.run, "join CS03 response", story.run.signed(message).encode())


def talks_unjoined(story: Story) -> None:
    run, read = story.run, story.run.air["join read"]
    code = cs04.MESSAGE_CODE_AC
    unjoin = Message(Cra.COMMAND, 9_000, SUPPLIER, ESME, message_code=code, payload=cs04.Command(PPMID).encode())
    run.carry("CS04", read.time + SECOND, ESME, run.with_mac(run.signed(unjoin)).encode(), upward=False)
    answer = Message(Cra.RESPONSE, 9_000, ESME, SUPPLIER, message_code=code, payload=cs04.Response().encode())
    run.carry("CS04 response", read.time + 2 * SECOND, ESME, run.signed(answer).encode(), upward=True)
    run.air["late read"] = replace(read, time=read.time + HOUR)


def reads_the_mirror_unjoined(story: Story) -> None:
    del story.run.mail["8.7.2 CS03"]


def reads_the_mirror_after_a_refusal(story: Story) -> None:
    content = content_of(story.run, "8.7.2 CS03")
    assert isinstance(content, GbcsPayload)
    message = Message.decode(content.octets)
    refused = replace(message, payload=cs03.Response(JoinCode.LOG_FULL).encode())
    put_content(story.run, "8.7.2 CS03", GbcsPayload(story.run.with_mac(refused).encode()))


def reads_the_mirror_beforehand(story: Story) -> None:
    read = story.run.air["gas read 0"]
    story.run.air["early gas read"] = replace(read, time=story.run.sent["8.7.2"].time - SECOND)


@pytest.mark.requirement("JOIN-5", planted=EVIDENCE)
@pytest.mark.parametrize(
    "plant", [reads_the_mirror_unjoined, reads_the_mirror_after_a_refusal, reads_the_mirror_beforehand]
)
def test_whoever_reads_the_mirror_without_a_join_is_found(plant: Callable[[Story], None], tmp_path: Path) -> None:
    story = told()
    plant(story)
    assert "not joined to the GPF" in failures(story, tmp_path)["JOIN-5"]


@pytest.mark.requirement("JOIN-2", planted=EVIDENCE)
@pytest.mark.parametrize(
    ("plant", "evidence"),
    [
        (talks_with_a_bridge, "are not joined"),
        (talks_beforehand, "are not joined"),
        (talks_after_a_failure, "are not joined"),
        (talks_under_the_hubs_key, "under a key of the hub"),
        (talks_unjoined, "after they were unjoined"),
    ],
)
def test_whoever_talks_without_a_join_is_found(plant: Callable[[Story], None], evidence: str, tmp_path: Path) -> None:
    story = told()
    plant(story)
    assert evidence in failures(story, tmp_path)["JOIN-2"]


# --- by certificates -------------------------------------------------------------------------------------------------


def joined_by_one_side(story: Story) -> None:
    del story.run.air[f"C CS03 response {GSME}"]


def brings_the_certificate_of_another(story: Story) -> None:
    message = message_of(story.run, f"C CS03 {PPMID}")
    command = cs03.Command.decode(message.payload)
    other = replace(command, certificate=story.run.parties[ESME].ka_certificate.der)
    put_octets(story.run, f"C CS03 {PPMID}", story.run.signed(replace(message, payload=other.encode())).encode())


def speaks_beforehand(story: Story) -> None:
    story.run.air["C asked"].time = story.run.air[f"C CS03 {GSME}"].time - SECOND


def speaks_to_a_stranger(story: Story) -> None:
    message = message_of(story.run, "C asked")
    story.run.carry("stray", story.run.air["C asked"].time, PPMID, replace(message, target=ESME).encode(), upward=True)


def handed_to_another(story: Story) -> None:
    story.run.air["C handed on"].device = ESME


def handed_on_altered(story: Story) -> None:
    message = message_of(story.run, "C handed on")
    put_octets(story.run, "C handed on", replace(message, counter=78).encode())


@pytest.mark.requirement("JOIN-6", planted=EVIDENCE)
@pytest.mark.parametrize(
    ("plant", "evidence"),
    [
        (joined_by_one_side, "without a join of both"),
        (brings_the_certificate_of_another, "took a certificate that is not of"),
        (speaks_beforehand, "without a join of both"),
        (speaks_to_a_stranger, "without a join of both"),
        (handed_to_another, "in the tunnel of another"),
        (handed_on_altered, "was never sent"),
    ],
)
def test_what_certificates_do_not_cover_is_found(plant: Callable[[Story], None], evidence: str, tmp_path: Path) -> None:
    story = told()
    plant(story)
    assert evidence in failures(story, tmp_path)["JOIN-6"]
