"""What a supplier sends, and what it refuses to sign."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from emulator.clock import VirtualClock
from gateway.users.errors import PreCommandError
from gateway.users.supplier import Supplier
from gateway.users.user import UserRole
from protocols.addresses import Eui64
from protocols.duis.bodies import (
    DevicePrenotification,
    ReadInventory,
    RequestType,
    SignedPreCommand,
    UpdateFirmware,
    UpdateHanDeviceLog,
    UpdatePpmidFirmware,
)
from protocols.duis.inventory import DeviceType, PpmidVariant
from protocols.duis.requests import CommandVariant, parse_request
from protocols.errors import IntegrityError
from protocols.gbcs import security
from protocols.gbcs.envelope import Category, Cra, Message
from protocols.gbcs.use_cases import cs03, cs04, cs06
from protocols.interfaces import DAY, MILLISECOND, SECOND
from tests.support.dcc_responder import ACB, ESME, PPMID, SUPPLIER, DccResponder

CHF = Eui64(0x00DB1234567890A2)
HASH = bytes(range(32))


def test_an_activation_at_once_is_signed_with_the_suppliers_key(supplier: Supplier, dcc: DccResponder) -> None:
    activation = supplier.activate(ESME, HASH)
    assert activation.accepted
    assert activation.code == "I99"
    (message,) = dcc.signed
    assert message.category is Category.SIGNED_COMMAND
    assert (message.originator, message.target) == (SUPPLIER, ESME)
    assert cs06.Command.decode(message.payload) == cs06.Command(HASH, activation.request_id.counter)


def test_the_signed_pre_command_repeats_the_request_id_of_its_transform(supplier: Supplier, dcc: DccResponder) -> None:
    supplier.activate(ESME, HASH)
    transform, command = dcc.requests
    assert transform.request_id == command.request_id
    assert (transform.command_variant, command.command_variant) == (
        CommandVariant.TRANSFORM,
        CommandVariant.SIGNED_TO_DEVICE,
    )
    assert command.service == "11.3"
    assert isinstance(command.body, SignedPreCommand)


@pytest.mark.requirement("MP102B-G7")
def test_a_dated_activation_is_signed_for_that_second(
    supplier: Supplier, dcc: DccResponder, clock: VirtualClock
) -> None:
    """MP102B-G7: the date stands in the request and in the command that is signed."""
    at = clock.now() + 2 * DAY
    dcc.spoil = lambda message: replace(message, payload=cs06.Command(HASH, message.counter, at - at % SECOND).encode())
    assert supplier.activate(ESME, HASH, at).accepted
    assert cs06.Command.decode(dcc.signed[0].payload).execution_time == at - at % SECOND


def test_a_cancellation_carries_the_date_that_cancels(supplier: Supplier, dcc: DccResponder) -> None:
    assert supplier.cancel(ESME, HASH).accepted
    assert b"3000-12-31T00:00:00.000Z" in supplier.sent[0].octets
    assert cs06.Command.decode(dcc.signed[0].payload).execution_time == cs06.CANCEL


def test_a_refused_transform_ends_it_with_nothing_signed(supplier: Supplier, dcc: DccResponder) -> None:
    dcc.code = "E5"
    activation = supplier.activate(ESME, HASH)
    assert (activation.code, activation.accepted, activation.command) == ("E5", False, None)
    assert dcc.signed == []
    assert len(supplier.sent) == 1


def with_payload(**changes: object) -> Callable[[Message], Message]:
    def spoil(message: Message) -> Message:
        command = replace(cs06.Command.decode(message.payload), **changes)  # type: ignore[arg-type]
        return replace(message, payload=command.encode())

    return spoil


@pytest.mark.parametrize(
    ("what", "spoil"),
    [
        ("target", lambda m: replace(m, target=PPMID)),
        ("originator", lambda m: replace(m, originator=ACB)),
        ("counter", lambda m: replace(m, counter=m.counter + 1)),
        ("message code", lambda m: replace(m, message_code=0x00AB)),
        ("supplementary party", lambda m: replace(m, supplementary_party=ACB, supplementary_counter=1)),
        ("category", lambda m: replace(m, signature=bytes(64))),
        ("category", lambda m: replace(m, cra=Cra.RESPONSE, signature=bytes(64))),
        ("hash", with_payload(image_hash=bytes(32))),
        ("execution time", with_payload(execution_time=1_800_000_000 * SECOND)),
        ("execution time", with_payload(execution_time=cs06.CANCEL)),
        ("originator counter", with_payload(originator_counter=1)),
    ],
)
def test_a_pre_command_that_says_something_else_is_not_signed(
    supplier: Supplier, dcc: DccResponder, what: str, spoil: Callable[[Message], Message]
) -> None:
    dcc.spoil = spoil
    with pytest.raises(PreCommandError, match=f"pre-command has {what} "):
        supplier.activate(ESME, HASH)
    assert dcc.signed == []
    assert len(supplier.sent) == 1


def test_a_join_is_signed_with_the_certificate_of_the_other_device(supplier: Supplier, dcc: DccResponder) -> None:
    assert supplier.join_critical(ESME, PPMID).accepted
    (message,) = dcc.signed
    assert (message.target, message.message_code) == (ESME, cs03.MESSAGE_CODE_C)
    command = cs03.Command.decode(message.payload)
    assert (command.device, command.certificate) == (PPMID, dcc.pki.device(PPMID).ka_certificate.der)
    assert dcc.requests[0].service == dcc.requests[1].service == "8.7.1"


def with_join(**changes: object) -> Callable[[Message], Message]:
    def spoil(message: Message) -> Message:
        command = replace(cs03.Command.decode(message.payload), **changes)  # type: ignore[arg-type]
        return replace(message, payload=command.encode())

    return spoil


@pytest.mark.parametrize(
    ("what", "spoil"),
    [
        ("message code", lambda m: replace(m, message_code=cs03.MESSAGE_CODE_B)),
        ("method", lambda m: replace(m, message_code=cs03.MESSAGE_CODE_A1)),
        ("method", with_join(method_and_role=cs03.MethodAndRole.A_INITIATOR)),
        ("other device", with_join(device=ACB)),
        ("certificate", with_join(certificate=None)),
    ],
)
def test_a_join_that_says_something_else_is_not_signed(
    supplier: Supplier, dcc: DccResponder, what: str, spoil: Callable[[Message], Message]
) -> None:
    dcc.spoil = spoil
    with pytest.raises(PreCommandError, match=f"pre-command has {what} "):
        supplier.join_critical(ESME, PPMID)
    assert dcc.signed == []


def test_a_join_with_the_certificate_of_another_is_not_signed(supplier: Supplier, dcc: DccResponder) -> None:
    dcc.spoil = with_join(certificate=dcc.pki.device(ESME).ka_certificate.der)
    with pytest.raises(PreCommandError, match="pre-command has certificate "):
        supplier.join_critical(ESME, PPMID)
    assert dcc.signed == []


def test_an_unjoin_is_signed_if_it_names_the_device_that_was_asked_for(supplier: Supplier, dcc: DccResponder) -> None:
    assert supplier.unjoin_critical(ESME, PPMID).accepted
    (message,) = dcc.signed
    assert (message.message_code, cs04.Command.decode(message.payload).device) == (cs04.MESSAGE_CODE_AC, PPMID)
    assert dcc.requests[0].service == dcc.requests[1].service == "8.8.1"
    dcc.spoil = lambda asked: replace(asked, payload=cs04.Command(ACB).encode())
    with pytest.raises(PreCommandError, match="pre-command has other device "):
        supplier.unjoin_critical(ESME, PPMID)
    assert len(dcc.signed) == 1


def test_a_dropped_date_is_noticed(supplier: Supplier, dcc: DccResponder, clock: VirtualClock) -> None:
    dcc.spoil = with_payload(execution_time=None)
    with pytest.raises(PreCommandError, match="execution time None"):
        supplier.activate(ESME, HASH, clock.now() + DAY)
    assert dcc.signed == []


def test_octets_that_are_no_pre_command_are_not_signed(supplier: Supplier, dcc: DccResponder) -> None:
    dcc.spoil = lambda message: replace(message, payload=b"\x05\x00")
    with pytest.raises(PreCommandError, match="not the pre-command asked for"):
        supplier.activate(ESME, HASH)
    assert dcc.signed == []


def test_the_signature_covers_what_was_asked_for(supplier: Supplier, dcc: DccResponder) -> None:
    supplier.activate(ESME, HASH)
    altered = replace(dcc.signed[0], target=PPMID)
    with pytest.raises(IntegrityError):
        security.verify_signature(altered, dcc.supplier.ds_certificate.public_key)


def test_counters_are_milliseconds_and_rise_for_a_target(supplier: Supplier, clock: VirtualClock) -> None:
    first = supplier.read_version(PPMID).request_id
    second = supplier.read_version(PPMID).request_id
    other = supplier.read_version(ESME).request_id
    now = clock.now() // MILLISECOND
    assert (first.counter, second.counter, other.counter) == (now, now + 1, now)
    clock.run_for(SECOND)
    assert supplier.read_version(PPMID).request_id.counter == now + 1000


def test_each_service_goes_to_its_target_in_its_form(supplier: Supplier, dcc: DccResponder) -> None:
    notification = DevicePrenotification(
        device_id=PPMID,
        device_manufacturer="AB01",
        device_model="010A030B",
        device_type=DeviceType.PPMID,
        smets_chts_version="SMETS V2.0",
        firmware_version="00000001",
        ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_1,
    )
    supplier.pre_notify(notification)
    supplier.add_to_log(CHF, PPMID, bytes(16), 90)
    supplier.remove_from_log(CHF, PPMID)
    supplier.read_inventory(CHF)
    supplier.update_firmware([ESME], b"image", 0x0002012F)
    supplier.update_ppmid_firmware([PPMID], b"image", 2)
    supplier.read_version(PPMID)
    seen = [(r.service, r.request_id.target, int(r.command_variant)) for r in dcc.requests]
    assert seen == [
        ("12.2", ACB, 8),
        ("8.11", CHF, 1),
        ("8.11", CHF, 1),
        ("8.2", ACB, 8),
        ("11.1", ACB, 8),
        ("11.4", ACB, 8),
        ("11.2", PPMID, 1),
    ]
    bodies = [r.body for r in dcc.requests]
    assert bodies[0] == notification
    added, removed = bodies[1], bodies[2]
    assert isinstance(added, UpdateHanDeviceLog)
    assert isinstance(removed, UpdateHanDeviceLog)
    assert added.add is not None
    assert (added.add.join_time_period, added.add.install_code) == (90, bytes(16))
    assert (removed.request_type, removed.add) == (RequestType.REMOVE, None)
    assert bodies[3] == ReadInventory(device_id=CHF)
    assert bodies[4] == UpdateFirmware(firmware_image=b"image", firmware_version="0002012F", device_ids=(ESME,))
    assert bodies[5] == UpdatePpmidFirmware(firmware_image=b"image", firmware_version="00000002", device_ids=(PPMID,))


def test_what_was_sent_and_answered_is_kept_as_octets(supplier: Supplier, clock: VirtualClock) -> None:
    supplier.read_inventory(CHF)
    clock.run_for(SECOND)
    exchange = supplier.read_version(PPMID)
    assert [(s.number, s.time) for s in supplier.sent] == [(1, clock.now() - SECOND), (2, clock.now())]
    assert [parse_request(s.octets) for s in supplier.sent] == [s.request for s in supplier.sent]
    assert [d.number for d in supplier.mailbox.deliveries] == [1, 2]
    assert exchange.delivery is supplier.mailbox.deliveries[1]
    assert exchange.delivery.synchronous
    assert exchange.accepted


def test_the_same_seed_signs_and_sends_the_same_octets(supplier: Supplier, clock: VirtualClock) -> None:
    again = DccResponder(VirtualClock(clock.now()))
    twin = Supplier(
        SUPPLIER,
        UserRole.IMPORT_SUPPLIER,
        again.supplier,
        again.submit,
        clock,
        entropy=again.entropy,
        certificates=again.repository,
        dsp=ACB,
        xml=again.xml[SUPPLIER],
    )
    for one in (supplier, twin):
        one.activate(ESME, HASH)
    assert [s.octets for s in supplier.sent] == [s.octets for s in twin.sent]
    assert len(supplier.sent) == 2
