"""MP170-C10: link keys established by certificates, and what goes under them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from protocols.addresses import Eui64
from protocols.interfaces import HOUR
from protocols.zcl.clusters import key_establishment
from protocols.zcl.clusters.key_establishment import (
    ConfirmKey,
    EphemeralData,
    InitiateKeyEstablishment,
    KeyEstablishmentCommand,
)
from protocols.zcl.frame import ZclFrame
from tests.support.honest_story import BRIDGE_1, ESME, PPMID, Story
from tests.support.planting import failures, told
from tests.support.requirements import EVIDENCE
from tests.support.told_run import START, install_code_key, node_certificate

STRANGER = Eui64.from_big(b"STRANGER")
INITIATE, POINT, CONFIRM = 0, 2, 4  # numbers of the device's messages


def put(story: Story, device: Eui64, number: int, command: KeyEstablishmentCommand) -> None:
    """Put another command in place of the n-th message of a device's exchange."""
    item = story.run.air[f"keys {device} {number}"]
    item.frame = key_establishment.encode(command, number // 2, from_server=bool(number % 2))


def said(story: Story, device: Eui64, number: int) -> KeyEstablishmentCommand:
    return key_establishment.decode(ZclFrame.decode(story.run.air[f"keys {device} {number}"].frame))


def put_certificate(story: Story, octets: bytes) -> None:
    put(story, PPMID, INITIATE, InitiateKeyEstablishment(2, 3, 6, octets))


def lose_message(number: int) -> Callable[[Story], None]:
    def lose(story: Story) -> None:
        del story.run.air[f"keys {PPMID} {number}"]

    return lose


def swap_confirmations(story: Story) -> None:
    point, confirmation = story.run.air[f"keys {PPMID} 2"], story.run.air[f"keys {PPMID} 4"]
    point.frame, confirmation.frame = confirmation.frame, point.frame


def change_transaction(story: Story) -> None:
    item = story.run.air[f"keys {PPMID} 3"]
    item.frame = item.frame[:1] + b"\x77" + item.frame[2:]


def foreign_certificate(story: Story) -> None:
    put_certificate(story, node_certificate(PPMID, STRANGER))


def certificate_of_another(story: Story) -> None:
    put_certificate(story, node_certificate(BRIDGE_1))


def certificate_for_signing(story: Story) -> None:
    octets = node_certificate(PPMID)
    put_certificate(story, octets[:36] + b"\x80" + octets[37:])


def certificate_off_the_curve(story: Story) -> None:
    put_certificate(story, node_certificate(PPMID)[:37] + b"\x02" + bytes(36))


def short_certificate(story: Story) -> None:
    put_certificate(story, node_certificate(PPMID)[:48])


def another_suite(story: Story) -> None:
    put(story, PPMID, INITIATE, InitiateKeyEstablishment(1, 3, 6, node_certificate(PPMID)))


def point_off_the_curve(story: Story) -> None:
    put(story, PPMID, POINT, EphemeralData(b"\x02" + bytes(36)))


def point_used_before(story: Story) -> None:
    put(story, PPMID, POINT, said(story, ESME, POINT))


def short_confirmation(story: Story) -> None:
    put(story, PPMID, CONFIRM, ConfirmKey(bytes(15)))


def encrypted_message(story: Story) -> None:
    story.run.air[f"keys {PPMID} {CONFIRM}"].secured = True


EXCHANGES: dict[str, tuple[Callable[[Story], None], str]] = {
    "no initiation": (lose_message(0), "completed no exchange"),
    "no answer to it": (lose_message(1), "completed no exchange"),
    "no last message": (lose_message(5), "completed no exchange"),
    "out of order": (swap_confirmations, "completed no exchange"),
    "an answer to something else": (change_transaction, "completed no exchange"),
    "an issuer nobody trusts": (foreign_certificate, f"a certificate of {STRANGER}"),
    "the certificate of another": (certificate_of_another, f"a certificate of {BRIDGE_1}, sent by {PPMID}"),
    "a certificate for signing": (certificate_for_signing, "not for key agreement"),
    "a certificate that is no point": (certificate_off_the_curve, "PPMID ..11a4: frame"),
    "a short certificate": (short_certificate, "a certificate of 48 octets"),
    "another suite": (another_suite, "suite 1, 2 is not one of the run"),
    "an ephemeral key that is no point": (point_off_the_curve, "PPMID ..11a4: frame"),
    "an ephemeral key used before": (point_used_before, "the ephemeral key of frame"),
    "a short confirmation": (short_confirmation, "a confirmation of 15 octets"),
    "a message under a link key": (encrypted_message, "is under a link key"),
}


@pytest.mark.requirement("MP170-C10", planted=EVIDENCE)
@pytest.mark.parametrize("defect", EXCHANGES)
def test_a_bad_exchange_is_found(defect: str, tmp_path: Path) -> None:
    story = told()
    plant, words = EXCHANGES[defect]
    plant(story)
    assert words in failures(story, tmp_path)["MP170-C10"]


@pytest.mark.requirement("MP170-C10", planted=EVIDENCE)
def test_a_message_under_the_key_of_the_install_code_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.air["ppmid query"].link_key = install_code_key(PPMID)
    assert "under the link key it joined with" in failures(story, tmp_path)["MP170-C10"]


@pytest.mark.requirement("MP170-C10", planted=EVIDENCE)
def test_a_message_without_a_link_key_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.air["ppmid query"].secured = False
    assert "cluster 0019 of PPMID ..11a4 without a link key" in failures(story, tmp_path)["MP170-C10"]


@pytest.mark.requirement("MP170-C10", planted=EVIDENCE)
def test_a_message_before_the_exchange_is_found(tmp_path: Path) -> None:
    story = told()
    for number in range(6):
        story.run.air[f"keys {PPMID} {number}"].time = START + 100 * HOUR
    assert "before its exchange was complete" in failures(story, tmp_path)["MP170-C10"]


@pytest.mark.requirement("MP170-C10", planted=EVIDENCE)
def test_a_key_that_no_exchange_made_is_found(tmp_path: Path) -> None:
    story = told()
    stray = install_code_key(STRANGER)
    story.run.stray_keys.append(stray)
    story.run.air["ppmid query"].link_key = stray
    assert "PPMID ..11a4 used 2 link keys after 1 exchange" in failures(story, tmp_path)["MP170-C10"]


@pytest.mark.requirement("MP170-C10", planted=EVIDENCE)
def test_a_key_of_two_devices_is_found(tmp_path: Path) -> None:
    story = told()
    story.run.stray_keys.append(key := install_code_key(STRANGER))
    for item in story.run.air.values():
        if item.device in (PPMID, BRIDGE_1):
            item.link_key = key
    assert "under the key of another device" in failures(story, tmp_path)["MP170-C10"]


def test_a_second_exchange_and_its_key_are_in_order(tmp_path: Path) -> None:
    story = told()
    story.run.stray_keys.append(key := install_code_key(STRANGER))
    last = max(item.time for item in story.run.air.values() if item.device == PPMID)
    story.run.establish(PPMID, last, "again")
    late = [item for item in story.run.air.values() if item.device == PPMID and item.time == last and item.secured]
    assert late
    for item in late:
        item.time, item.link_key = last + 1000, key
    assert failures(story, tmp_path) == {}
