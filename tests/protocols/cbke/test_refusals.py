"""What either side refuses, with which status, and what it makes of a partner that refuses."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.cbke.initiator import Initiator
from protocols.cbke.responder import Responder
from protocols.cbke.types import Cause, CbkeSettings, Effect, Failed
from protocols.crypto import ecqv
from protocols.crypto.suites import Suite
from protocols.errors import DecodeError
from protocols.interfaces import SECOND
from protocols.zcl import foundation
from protocols.zcl.clusters import key_establishment
from protocols.zcl.clusters.key_establishment import (
    ConfirmKey,
    EphemeralData,
    InitiateKeyEstablishment,
    KeyEstablishmentCommand,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from protocols.zcl.frame import ZclFrame, ZclStatus
from tests.support.cbke import (
    BOTH,
    DEVICE,
    ENDPOINT,
    HUB,
    START,
    Network,
    authority,
    credentials,
    failures,
    frames,
    initiator,
    issued,
    keys,
    outcomes,
    responder,
)

ONE, TWO = Suite.SUITE_1, Suite.SUITE_2
BAD_MESSAGE, INVALID = TerminateStatus.BAD_MESSAGE, TerminateStatus.INVALID_CERTIFICATE


def identity(eui: Eui64, suite: Suite, altered: dict[str, Any] | None = None) -> bytes:
    return issued(eui, suite).certificate._replace(**(altered or {})).encode()


def message(suite: int, octets: bytes, times: tuple[int, int] = (3, 6)) -> InitiateKeyEstablishment:
    return InitiateKeyEstablishment(suite, *times, octets)


def sent_by(device: Initiator, command: KeyEstablishmentCommand, effects: list[Effect]) -> list[Effect]:
    """Answer the request in `effects` with `command`."""
    transaction = frames(effects)[0][1]
    return device.frame(HUB, key_establishment.encode(command, transaction, from_server=True), START)


def asked(hub: Responder, command: KeyEstablishmentCommand, transaction: int = 9) -> list[Effect]:
    octets = key_establishment.encode(command, transaction, from_server=False)
    return hub.frame(DEVICE, ENDPOINT, octets, START)


def terminate_in(effects: list[Effect]) -> TerminateKeyEstablishment:
    """Return the Terminate that is the only frame sent."""
    (octets,) = frames(effects)
    command = key_establishment.decode(ZclFrame.decode(octets))
    assert isinstance(command, TerminateKeyEstablishment)
    return command


# --- the first message ---------------------------------------------------------------------------------------------


def _wrong_first_messages(eui: Eui64) -> dict[str, tuple[InitiateKeyEstablishment, TerminateStatus]]:
    good_1, good_2 = identity(eui, ONE), identity(eui, TWO)
    signer = authority(TWO).issue(eui, START, key_usage=ecqv.DIGITAL_SIGNATURE).certificate.encode()
    return {
        "no suite": (message(0, good_1), BAD_MESSAGE),
        "two suites": (message(3, good_1), BAD_MESSAGE),
        "unknown suite": (message(4, good_1), TerminateStatus.UNSUPPORTED_SUITE),
        "short certificate": (message(ONE, good_1[:-1]), BAD_MESSAGE),
        "long certificate": (message(ONE, good_1 + b"\0"), BAD_MESSAGE),
        "certificate of the other suite": (message(TWO, good_1), BAD_MESSAGE),
        "time out of range": (message(ONE, good_1, (255, 6)), BAD_MESSAGE),
        "other time out of range": (message(ONE, good_1, (3, 255)), BAD_MESSAGE),
        "type": (message(TWO, identity(eui, TWO, {"type": 1})), INVALID),
        "curve": (message(TWO, identity(eui, TWO, {"curve": 0x0C})), INVALID),
        "hash": (message(TWO, identity(eui, TWO, {"hash": 0x07})), INVALID),
        "signatures only": (message(TWO, signer), INVALID),
        "no usage": (message(TWO, identity(eui, TWO, {"key_usage": 0})), INVALID),
        "issuer": (message(ONE, identity(eui, ONE, {"issuer": Eui64(1)})), TerminateStatus.UNKNOWN_ISSUER),
        "issuer, suite 2": (message(TWO, identity(eui, TWO, {"issuer": Eui64(1)})), TerminateStatus.UNKNOWN_ISSUER),
        "another's certificate": (message(ONE, identity(Eui64(1), ONE)), INVALID),
        "another's certificate, suite 2": (message(TWO, identity(Eui64(1), TWO)), INVALID),
        "no point": (message(ONE, identity(eui, ONE, {"reconstruction": bytes(22)})), INVALID),
        "no point, suite 2": (message(TWO, b"".join((good_2[:37], b"\4", good_2[38:]))), INVALID),
    }


@pytest.mark.parametrize("case", _wrong_first_messages(DEVICE))
def test_responder_refuses_a_wrong_first_message(case: str) -> None:
    command, status = _wrong_first_messages(DEVICE)[case]
    hub = responder()
    effects = asked(hub, command)
    assert terminate_in(effects) == (status, 0, 3)
    suite = Suite(command.suite) if command.suite in BOTH else None
    assert outcomes(effects) == [Failed(DEVICE, suite, Cause.REFUSED, status)]
    assert hub.deadline is None


@pytest.mark.parametrize("case", _wrong_first_messages(HUB))
def test_initiator_refuses_a_wrong_first_answer(case: str) -> None:
    """A suite it did not ask for is out of order to it, whatever the certificate."""
    command, status = _wrong_first_messages(HUB)[case]
    asked_for = Suite(command.suite) if command.suite in BOTH else ONE
    device = initiator(credentials(DEVICE, (asked_for,)))
    effects = sent_by(device, command, device.start(HUB, 1, START))
    if command.suite not in BOTH:
        status = BAD_MESSAGE
    assert terminate_in(effects).status == status
    (failed,) = failures(outcomes(effects))
    assert (failed.cause, failed.status) == (Cause.REFUSED, status)
    assert (failed.retry_at is None) == device.idle == (status == TerminateStatus.UNKNOWN_ISSUER)


def test_suite_not_offered_is_unsupported_and_the_offer_told() -> None:
    hub = responder(credentials(HUB, (ONE,)))
    assert terminate_in(asked(hub, message(TWO, identity(DEVICE, TWO)))) == (TerminateStatus.UNSUPPORTED_SUITE, 0, 1)


@pytest.mark.parametrize("first", [identity(DEVICE, ONE), None])
def test_first_message_cut_short_is_bad(first: bytes | None) -> None:
    hub = responder()
    assert first is None or frames(asked(hub, message(ONE, first)))
    effects = hub.frame(DEVICE, ENDPOINT, bytes.fromhex("010900010003"), START)
    assert terminate_in(effects).status == BAD_MESSAGE
    assert hub.deadline is None
    device = initiator()
    octets = frames(device.start(HUB, 1, START))[0]
    effects = device.frame(HUB, bytes((9, octets[1], 0, 1, 0, 3)), START)
    assert terminate_in(effects).status == BAD_MESSAGE


# --- out of sequence -----------------------------------------------------------------------------------------------

SOME_POINT = EphemeralData(ONE.curve.compress(ONE.curve.generator))
SOME_MAC = ConfirmKey(bytes(16))


@pytest.mark.parametrize("early", [SOME_POINT, SOME_MAC])
def test_responder_refuses_what_comes_before_the_first_message(early: KeyEstablishmentCommand) -> None:
    hub = responder()
    effects = asked(hub, early, transaction=77)
    assert terminate_in(effects).status == BAD_MESSAGE
    assert frames(effects)[0][:2] == bytes((9, 77))
    assert outcomes(effects) == []


def test_responder_refuses_a_confirmation_before_the_point() -> None:
    hub = responder()
    asked(hub, message(ONE, identity(DEVICE, ONE)))
    effects = asked(hub, SOME_MAC, 10)
    assert terminate_in(effects).status == BAD_MESSAGE
    assert outcomes(effects) == [Failed(DEVICE, ONE, Cause.REFUSED, BAD_MESSAGE)]
    assert hub.deadline is None


def test_responder_refuses_a_second_point() -> None:
    hub = responder()
    asked(hub, message(ONE, identity(DEVICE, ONE)))
    asked(hub, SOME_POINT, 10)
    assert terminate_in(asked(hub, SOME_POINT, 11)).status == BAD_MESSAGE


@pytest.mark.parametrize("wrong", [SOME_POINT, SOME_MAC])
def test_initiator_refuses_another_answer_to_its_request(wrong: KeyEstablishmentCommand) -> None:
    device = initiator()
    effects = sent_by(device, wrong, device.start(HUB, 1, START))
    assert terminate_in(effects).status == BAD_MESSAGE
    assert failures(outcomes(effects))[0].retry_at == START + 10 * SECOND


def test_an_answered_request_that_comes_again_is_ignored() -> None:
    hub, first = responder(), message(ONE, identity(DEVICE, ONE))
    assert len(frames(asked(hub, first, 9))) == 1
    assert asked(hub, first, 9) == []
    assert len(frames(asked(hub, SOME_POINT, 10))) == 1
    assert asked(hub, first, 9) == asked(hub, SOME_POINT, 10) == []


def test_answers_to_other_requests_and_frames_of_others_are_ignored() -> None:
    device = initiator(credentials(DEVICE, (ONE,)))
    transaction = frames(device.start(HUB, 1, START))[0][1]
    good = message(ONE, identity(HUB, ONE))
    stale = key_establishment.encode(good, transaction ^ 1, from_server=True)
    answer = key_establishment.encode(good, transaction, from_server=True)
    assert device.frame(HUB, stale, START) == []
    assert device.frame(Eui64(5), answer, START) == []
    assert len(frames(device.frame(HUB, answer, START))) == 1
    assert device.frame(HUB, answer, START) == []
    device.stop()
    assert device.frame(HUB, answer, START) == []
    assert device.idle


def test_a_partner_that_begins_anew_supersedes_its_exchange() -> None:
    hub = responder()
    asked(hub, message(TWO, identity(DEVICE, TWO)), 9)
    effects = asked(hub, message(ONE, identity(DEVICE, ONE)), 10)
    assert outcomes(effects) == [Failed(DEVICE, TWO, Cause.SUPERSEDED)]
    assert len(frames(effects)) == 1
    hub.forget(DEVICE)
    assert hub.deadline is None


# --- points and confirmations --------------------------------------------------------------------------------------

BAD_POINTS = {
    "short": SOME_POINT.point[:-1],
    "long": SOME_POINT.point + b"\0",
    "empty": b"",
    "x is zero": b"\2" + bytes(21),
    "x too large": b"\2\x08" + bytes(20),
    "prefix": b"\4" + SOME_POINT.point[1:],
}


@pytest.mark.parametrize("case", BAD_POINTS)
def test_both_sides_refuse_what_is_no_ephemeral_point(case: str) -> None:
    hub = responder()
    asked(hub, message(ONE, identity(DEVICE, ONE)))
    assert terminate_in(asked(hub, EphemeralData(BAD_POINTS[case]), 10)).status == BAD_MESSAGE
    device = initiator(credentials(DEVICE, (ONE,)))
    effects = sent_by(device, message(ONE, identity(HUB, ONE)), device.start(HUB, 1, START))
    assert terminate_in(sent_by(device, EphemeralData(BAD_POINTS[case]), effects)).status == BAD_MESSAGE


def test_a_point_of_small_order_is_refused() -> None:
    hub = responder()
    asked(hub, message(TWO, identity(DEVICE, TWO)))
    small = EphemeralData(TWO.curve.compress((1, 0)))
    assert terminate_in(asked(hub, small, 10)).status == BAD_MESSAGE


@pytest.mark.parametrize(("mac", "status"), [(bytes(16), TerminateStatus.BAD_KEY_CONFIRM), (bytes(15), BAD_MESSAGE)])
def test_a_wrong_confirmation_leaves_no_key_on_either_side(mac: bytes, status: TerminateStatus) -> None:
    hub = responder()
    asked(hub, message(ONE, identity(DEVICE, ONE)))
    asked(hub, SOME_POINT, 10)
    effects = asked(hub, ConfirmKey(mac), 11)
    assert terminate_in(effects).status == status
    assert outcomes(effects) == [Failed(DEVICE, ONE, Cause.REFUSED, status)]
    assert terminate_in(asked(hub, ConfirmKey(mac), 11)).status == BAD_MESSAGE

    device = initiator(credentials(DEVICE, (ONE,)))
    effects = sent_by(device, message(ONE, identity(HUB, ONE)), device.start(HUB, 1, START))
    effects = sent_by(device, SOME_POINT, effects)
    effects = sent_by(device, ConfirmKey(mac), effects)
    assert terminate_in(effects).status == status
    assert keys(outcomes(effects)) == []


@settings(max_examples=25, deadline=None, database=None)
@given(st.sampled_from(BOTH), st.booleans(), st.integers(0, 73), st.integers(1, 255))
def test_an_altered_certificate_leaves_no_key(suite: Suite, at_hub: bool, place: int, change: int) -> None:
    octets = bytearray(identity(HUB if at_hub else DEVICE, suite))
    octets[place % len(octets)] ^= change
    altered = ecqv.decode(bytes(octets), suite)
    held = {HUB: credentials(HUB, (suite,)), DEVICE: credentials(DEVICE, (suite,))}
    own = held[HUB if at_hub else DEVICE]
    own[suite] = own[suite]._replace(certificate=altered)
    network = Network(initiator(held[DEVICE], CbkeSettings(attempts=2)), responder(held[HUB]))
    network.start()
    network.run()
    assert keys(network.at_device) == keys(network.at_hub) == []
    assert failures(network.at_device)
    assert network.device.idle
    assert network.hub.deadline is None


# --- refusals by the partner ---------------------------------------------------------------------------------------


def test_busy_hub_tells_when_to_come_back() -> None:
    hub = responder(settings=CbkeSettings(sessions=1, wait_time=45))
    asked(hub, message(ONE, identity(DEVICE, ONE)))
    other = initiator(credentials(Eui64(7), (ONE,)))
    effects = hub.frame(Eui64(7), ENDPOINT, frames(other.start(HUB, 1, START))[0], START)
    assert terminate_in(effects) == (TerminateStatus.NO_RESOURCES, 45, 3)
    (failed,) = failures(outcomes(other.frame(HUB, frames(effects)[0], START)))
    assert (failed.cause, failed.status) == (Cause.TERMINATED, TerminateStatus.NO_RESOURCES)
    assert failed.retry_at == other.deadline == START + 45 * SECOND


def test_who_is_not_admitted_gets_no_resources() -> None:
    random = SeededEntropy(1).random("hub")
    hub = Responder(credentials(HUB), random, admits=lambda who: who != DEVICE)
    assert terminate_in(asked(hub, message(ONE, identity(DEVICE, ONE)))).status == TerminateStatus.NO_RESOURCES
    octets = key_establishment.encode(message(ONE, identity(Eui64(7), ONE)), 9, from_server=False)
    assert frames(hub.frame(Eui64(7), ENDPOINT, octets, START))[0][2] == 0


@pytest.mark.parametrize(
    ("status", "wait", "pause"),
    [
        (TerminateStatus.BAD_KEY_CONFIRM, 0, 10),
        (TerminateStatus.BAD_KEY_CONFIRM, 4, 10),
        (TerminateStatus.BAD_KEY_CONFIRM, 40, 40),
        (TerminateStatus.NO_RESOURCES, 0, 10),
        (TerminateStatus.NO_RESOURCES, 4, 4),
        (0x77, 0, 10),
    ],
)
def test_initiator_comes_back_when_the_partner_wants(status: int, wait: int, pause: int) -> None:
    device = initiator()
    effects = sent_by(device, TerminateKeyEstablishment(status, wait, 3), device.start(HUB, 1, START))
    assert effects == [Failed(HUB, TWO, Cause.TERMINATED, status, START + pause * SECOND)]
    assert device.wake(START + pause * SECOND - 1) == []
    assert len(frames(device.wake(START + pause * SECOND))) == 1


def test_unknown_issuer_ends_the_matter() -> None:
    device = initiator()
    refusal = TerminateKeyEstablishment(TerminateStatus.UNKNOWN_ISSUER, 0, 3)
    effects = sent_by(device, refusal, device.start(HUB, 1, START))
    assert effects == [Failed(HUB, TWO, Cause.TERMINATED, TerminateStatus.UNKNOWN_ISSUER)]
    assert device.idle
    assert device.deadline is None


def test_responder_takes_a_terminate() -> None:
    hub, refusal = responder(), TerminateKeyEstablishment(INVALID, 0, 3)
    assert asked(hub, refusal) == []
    asked(hub, message(ONE, identity(DEVICE, ONE)))
    assert asked(hub, refusal, 10) == [Failed(DEVICE, ONE, Cause.TERMINATED, INVALID)]
    assert hub.deadline is None


def test_default_response_with_an_error_ends_the_exchange() -> None:
    refusal = foundation.DefaultResponse(0, ZclStatus.UNSUP_CLUSTER_COMMAND)
    device = initiator()
    transaction = frames(device.start(HUB, 1, START))[0][1]
    success = foundation.encode(foundation.DefaultResponse(0, 0), transaction, from_server=True)
    stale = foundation.encode(refusal, transaction ^ 1, from_server=True)
    assert device.frame(HUB, success, START) == device.frame(HUB, stale, START) == []
    effects = device.frame(HUB, foundation.encode(refusal, transaction, from_server=True), START)
    assert effects == [Failed(HUB, TWO, Cause.UNSUPPORTED, None, START + 10 * SECOND)]

    hub = responder()
    octets = [
        foundation.encode(command, 9, from_server=False)
        for command in (foundation.DefaultResponse(0, 0), foundation.ReadAttributes((0,)), refusal)
    ]
    assert [hub.frame(DEVICE, ENDPOINT, frame, START) for frame in octets] == [[], [], []]
    asked(hub, message(ONE, identity(DEVICE, ONE)), 9)
    assert hub.frame(DEVICE, ENDPOINT, octets[0], START) == hub.frame(DEVICE, ENDPOINT, octets[1], START) == []
    assert hub.frame(DEVICE, ENDPOINT, octets[2], START) == [Failed(DEVICE, ONE, Cause.UNSUPPORTED)]


# --- noise ---------------------------------------------------------------------------------------------------------

shaped = st.builds(
    lambda control, transaction, command, payload: bytes((control, transaction, command)) + payload,
    st.sampled_from((0x00, 0x01, 0x08, 0x09)),
    st.integers(0, 255),
    st.integers(0, 4),
    st.binary(max_size=85),
)


def _fed(device: Initiator, hub: Responder, octets: bytes) -> None:
    effects: list[Effect] = []
    with suppress(DecodeError):
        effects += device.frame(HUB, octets, START)
    with suppress(DecodeError):
        effects += hub.frame(DEVICE, ENDPOINT, octets, START)
    assert keys(outcomes(effects)) == []


@settings(max_examples=60, deadline=None, database=None)
@given(st.integers(0, 3), st.lists(st.binary(max_size=90) | shaped, max_size=8), st.data())
def test_noise_raises_only_decode_errors_and_makes_no_key(steps: int, noise: list[bytes], data: st.DataObject) -> None:
    """At every stage of an exchange; also under the transaction number the initiator waits for."""
    device, hub = initiator(credentials(DEVICE, (ONE,))), responder()
    request = frames(device.start(HUB, 1, START))[0]
    for _ in range(steps):
        answer = frames(hub.frame(DEVICE, ENDPOINT, request, START))[0]
        request = next(iter(frames(device.frame(HUB, answer, START))), request)
    for octets in noise:
        if len(octets) > 2 and data.draw(st.booleans()):
            octets = bytes((octets[0], request[1])) + octets[2:]
        _fed(device, hub, octets)
    assert device.idle or device.deadline is not None


@pytest.mark.parametrize("octets", ["", "01", "0901"])
def test_a_frame_without_header_is_a_decode_error(octets: str) -> None:
    with pytest.raises(DecodeError):
        initiator().frame(HUB, bytes.fromhex(octets), START)
    with pytest.raises(DecodeError):
        responder().frame(DEVICE, ENDPOINT, bytes.fromhex(octets), START)


def test_frames_of_the_wrong_side_are_decode_errors() -> None:
    octets = key_establishment.encode(SOME_MAC, 1, from_server=False)
    with pytest.raises(DecodeError, match="of a client"):
        initiator().frame(HUB, octets, START)
    octets = key_establishment.encode(SOME_MAC, 1, from_server=True)
    with pytest.raises(DecodeError, match="of a server"):
        responder().frame(DEVICE, ENDPOINT, octets, START)
