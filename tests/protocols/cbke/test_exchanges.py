"""Whole exchanges: the published ones octet by octet, both suites, suite choice, two partners at once."""

from typing import Any

import pytest

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.cbke.exchange import offered
from protocols.cbke.initiator import Initiator
from protocols.cbke.responder import Responder
from protocols.cbke.types import Cause, CbkeSettings, Effect, Established, Failed, Send
from protocols.crypto import ecqv
from protocols.crypto.ecqv import Credentials
from protocols.crypto.suites import Suite
from protocols.errors import UsageError
from protocols.interfaces import LinkKey
from protocols.zcl.clusters.key_establishment import TerminateStatus
from tests.support.cbke import (
    BOTH,
    DEVICE,
    HUB,
    START,
    Network,
    Scripted,
    credentials,
    failures,
    frames,
    initiator,
    keys,
    outcomes,
    published,
    responder,
)
from tests.support.security_vectors import cases

ONE, TWO = Suite.SUITE_1, Suite.SUITE_2


@pytest.mark.judge("security")
@pytest.mark.parametrize("vector", cases("key_establishment"))
def test_machines_send_the_published_messages_and_get_the_published_key(vector: dict[str, Any]) -> None:
    secrets = [int(vector[side]["ephemeral_private"], 16) for side in ("initiator", "responder")]
    names = [Eui64.parse(vector[side]["id"]) for side in ("initiator", "responder")]
    client = Initiator(published(vector, "initiator"), Scripted(0x41, secrets[0]))
    server = Responder(published(vector, "responder"), Scripted(secrets[1]))
    sent: list[bytes] = []
    effects = client.start(names[1], 1, START)
    while frames(effects):
        (request,) = frames(effects)
        at_server = server.frame(names[0], 2, request, START)
        (response,) = frames(at_server)
        sent += [request, response]
        effects = client.frame(names[1], response, START)
    key, suite = LinkKey(bytes.fromhex(vector["key_data"])), Suite(vector["suite"])
    assert effects == [Established(names[1], key, suite)]
    assert outcomes(at_server) == [Established(names[0], key, suite)]
    assert [frame[3:].hex() for frame in sent] == list(vector["messages"].values())
    headers = [frame[:3].hex() for frame in sent]
    assert headers == ["014200", "094200", "014301", "094301", "014402", "094402"]


@pytest.mark.judge("security")
@pytest.mark.parametrize("vector", cases("certificate_negative"))
def test_tampered_published_certificate_is_refused(vector: dict[str, Any]) -> None:
    """At once if its fields are wrong or it reconstructs to no point, else when the keys are confirmed."""
    suite = Suite(vector["suite"])
    genuine = next(
        c.values[0] for c in cases("certificates") if c.values[0]["public_key"] == vector["genuine_public_key"]
    )
    exchange = next(c.values[0] for c in cases("key_establishment") if c.values[0]["suite"] == suite)
    own = published(exchange, "responder")[suite]
    tampered = ecqv.decode(bytes.fromhex(vector["certificate"]), suite)
    held = Credentials(tampered, int(genuine["private_key"], 16), own.authority)
    anchor = own.authority._replace(public_key=bytes.fromhex(vector["ca_public_key"]))
    client = Initiator({suite: held}, SeededEntropy(1).random("client"))
    server = Responder({suite: own._replace(authority=anchor)}, SeededEntropy(1).random("server"))
    who, effects = own.certificate.subject, client.start(own.certificate.subject, 1, START)
    at_server: list[Effect] = []
    while not outcomes(at_server):
        at_server = server.frame(tampered.subject, 2, frames(effects)[0], START)
        effects = client.frame(who, frames(at_server)[0], START)
    # One has no point; the other is for signatures only, which is looked at before its issuer.
    early = vector["id"] in ("neg-cs1-recon-byte", "neg-cs2-issuer-byte")
    status = TerminateStatus.INVALID_CERTIFICATE if early else TerminateStatus.BAD_KEY_CONFIRM
    assert outcomes(at_server) == [Failed(tampered.subject, suite, Cause.REFUSED, status)]
    (failed,) = failures(outcomes(effects))
    assert (failed.cause, failed.status) == (Cause.TERMINATED, status)


@pytest.mark.parametrize("suites", [(ONE,), (TWO,), BOTH])
def test_two_machines_establish_one_key(suites: tuple[Suite, ...]) -> None:
    device, hub = initiator(credentials(DEVICE, suites)), responder(credentials(HUB, suites))
    network = Network(device, hub)
    network.start()
    network.run()
    (key,) = keys(network.at_device)
    assert len(key) == 16
    assert network.at_device == [Established(HUB, key, max(suites))]
    assert network.at_hub == [Established(DEVICE, key, max(suites))]
    assert len(network.air) == 6
    assert (device.idle, device.deadline, hub.deadline) == (True, None, None)


@pytest.mark.parametrize(("ours", "theirs"), [(BOTH, (ONE,)), (BOTH, (TWO,)), ((ONE,), BOTH), ((TWO,), BOTH)])
@pytest.mark.parametrize("told", [True, False])
def test_the_highest_common_suite_is_used(ours: tuple[Suite, ...], theirs: tuple[Suite, ...], told: bool) -> None:
    """Where the partner's suites are not known, its UNSUPPORTED_SUITE tells them, and the exchange begins anew."""
    network = Network(initiator(credentials(DEVICE, ours)), responder(credentials(HUB, theirs)))
    network.start(offered(credentials(HUB, theirs)) if told else None)
    network.run()
    suite = max(set(ours) & set(theirs))
    assert [entry.suite for entry in network.at_device] == [suite]
    assert keys(network.at_device) == keys(network.at_hub)
    guessed = not told and max(ours) not in theirs
    assert [failure.status for failure in failures(network.at_hub)] == (
        [TerminateStatus.UNSUPPORTED_SUITE] if guessed else []
    )
    assert len(network.air) == (8 if guessed else 6)


def test_no_common_suite_ends_the_matter() -> None:
    device = initiator(credentials(DEVICE, (ONE,)))
    assert device.start(HUB, 1, START, suites=0x0002) == [
        Failed(HUB, None, Cause.REFUSED, TerminateStatus.UNSUPPORTED_SUITE)
    ]
    assert device.idle
    assert device.deadline is None


def test_partner_that_names_no_other_suite_is_asked_again_later() -> None:
    network = Network(
        initiator(credentials(DEVICE, (ONE,)), CbkeSettings(attempts=2)), responder(credentials(HUB, (TWO,)))
    )
    network.start()
    network.run()
    assert [failure.status for failure in failures(network.at_device)] == [TerminateStatus.UNSUPPORTED_SUITE] * 2
    assert keys(network.at_device) == keys(network.at_hub) == []


def test_a_second_run_gives_another_key() -> None:
    network = Network(initiator(), responder())
    for _ in range(2):
        network.start()
        network.run()
    first, second = keys(network.at_device)
    assert first != second
    assert keys(network.at_hub) == [first, second]


def test_same_seed_same_octets() -> None:
    airs = []
    for _ in range(2):
        network = Network(initiator(), responder())
        network.start()
        network.run()
        airs.append(network.air)
    assert airs[0] == airs[1]


def test_a_hub_serves_partners_at_once_and_answers_each_at_its_endpoint() -> None:
    hub = responder()
    others = [Eui64(DEVICE + number) for number in range(3)]
    devices = [initiator(credentials(who, (ONE,))) for who in others]
    sent = [device.start(HUB, 1, START) for device in devices]
    at_hub: list[Established | Failed] = []
    at_devices: list[Established | Failed] = []
    for _ in range(3):
        for index, who in enumerate(others):
            effects = hub.frame(who, 10 + index, frames(sent[index])[0], START)
            (send,) = [effect for effect in effects if isinstance(effect, Send)]
            assert (send.partner, send.endpoint) == (who, 10 + index)
            at_hub += outcomes(effects)
            sent[index] = devices[index].frame(HUB, send.frame, START)
            at_devices += outcomes(sent[index])
    assert [entry.partner for entry in at_hub] == others
    assert keys(at_hub) == keys(at_devices)
    assert len(set(keys(at_hub))) == 3


def test_a_side_without_certificate_is_a_usage_error() -> None:
    random = SeededEntropy(1).random("none")
    with pytest.raises(UsageError, match="needs a certificate"):
        Initiator({}, random)
    with pytest.raises(UsageError, match="needs a certificate"):
        Responder({}, random)


def test_keys_are_not_shown() -> None:
    network = Network(initiator(credentials(DEVICE, (ONE,))), responder())
    network.start()
    network.run()
    assert repr(network.at_device[0]) == f"Established({HUB}, SUITE_1)"


def test_the_attribute_tells_the_suites() -> None:
    assert offered(credentials(HUB)) == 3
    assert offered(credentials(HUB, (TWO,))) == 2
