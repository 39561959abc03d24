"""What a user makes of what it receives, and how it waits."""

import asyncio
from dataclasses import replace

import pytest

from emulator.clock import VirtualClock, run
from gateway.users.errors import NotReceivedError
from gateway.users.mailbox import Delivery, answers, dcc_alert, device_alert
from gateway.users.network_operator import NetworkOperator
from gateway.users.supplier import Supplier
from protocols.addresses import Eui64
from protocols.duis.alerts import PowerOutageEvent, UpdateHanDeviceLogResult
from protocols.duis.responses import DccAlertMessage, GbcsPayload
from protocols.gbcs import security
from protocols.gbcs.use_cases import cs08, ecs52
from protocols.interfaces import HOUR, SECOND
from tests.support.dcc_responder import ESME, OPERATOR, PPMID, SUPPLIER, DccResponder
from tests.support.xmldsig import unsigned

CHF = Eui64(0x00DB1234567890A2)


# --- signatures and MACs -------------------------------------------------------------------------------------------


def test_a_signed_answer_is_checked_with_the_devices_certificate(supplier: Supplier, dcc: DccResponder) -> None:
    activation = supplier.activate(ESME, bytes(32))
    good = dcc.cs06_response(activation.request_id, 2)
    delivery = supplier.receive(dcc.deliver(activation.request_id, "11.3", good))
    assert delivery.gbcs is not None
    assert (delivery.gbcs.signature, delivery.gbcs.mac, delivery.gbcs.trusted) == ("valid", "absent", True)
    assert delivery.fault == ""


@pytest.mark.requirement("SM7-R3")
def test_an_answer_signed_by_another_device_is_invalid(supplier: Supplier, dcc: DccResponder) -> None:
    """SM7-R3: who signed is checked, not only that someone did."""
    activation = supplier.activate(ESME, bytes(32))
    message = dcc.cs06_response(activation.request_id, 2)
    wrong = security.sign(message, dcc.pki.device(PPMID).ds_key, dcc.entropy)
    delivery = supplier.receive(dcc.deliver(activation.request_id, "11.3", wrong))
    assert delivery.gbcs is not None
    assert (delivery.gbcs.signature, delivery.gbcs.trusted) == ("invalid", False)


def test_the_mac_of_an_answer_to_us_is_checked(supplier: Supplier, dcc: DccResponder) -> None:
    exchange = supplier.read_version(ESME)
    message = dcc.ecs52_response(exchange.request_id, 0x0002012F)
    delivery = supplier.receive(dcc.deliver(exchange.request_id, "11.2", message))
    assert delivery.gbcs is not None
    assert (delivery.gbcs.signature, delivery.gbcs.mac, delivery.gbcs.trusted) == ("absent", "valid", True)
    assert ecs52.Response.decode(delivery.gbcs.message.payload).firmware_version == 0x0002012F


def test_a_flipped_bit_makes_the_mac_invalid(supplier: Supplier, dcc: DccResponder) -> None:
    exchange = supplier.read_version(ESME)
    message = dcc.ecs52_response(exchange.request_id, 2)
    assert message.mac is not None
    wrong = replace(message, mac=bytes([message.mac[0] ^ 1]) + message.mac[1:])
    delivery = supplier.receive(dcc.deliver(exchange.request_id, "11.2", wrong))
    assert delivery.gbcs is not None
    assert (delivery.gbcs.mac, delivery.gbcs.trusted) == ("invalid", False)


@pytest.mark.requirement("SM7-R8", "MP170-R7")
def test_the_mac_for_the_access_control_broker_is_not_ours_to_check(supplier: Supplier, dcc: DccResponder) -> None:
    """SM7-R8, MP170-R7: a PPMID or bridge answers the broker, the answer is relayed as it came."""
    exchange = supplier.read_version(PPMID)
    message = dcc.cs08_response(exchange.request_id, 2)
    delivery = supplier.receive(dcc.deliver(exchange.request_id, "11.2", message))
    assert delivery.gbcs is not None
    assert delivery.gbcs.mac == "unchecked: between 00db1234567890a4 and 90b3d51f30000002"
    assert not delivery.gbcs.trusted
    assert cs08.Response.decode(delivery.gbcs.message.payload).firmware_version == 2
    assert delivery.content == GbcsPayload(message.encode())


def test_a_device_without_certificate_stays_unchecked(supplier: Supplier, dcc: DccResponder) -> None:
    alert = dcc.receipt_alert(bytes(32), 5)
    stranger = replace(alert, originator=Eui64(1))
    delivery = supplier.receive(dcc.alert(0x8F72, stranger))
    assert delivery.gbcs is not None
    assert delivery.gbcs.signature == "unchecked: no certificate of 0000000000000001"
    reading = supplier.read_version(ESME)
    stranger = replace(dcc.ecs52_response(reading.request_id, 2), originator=Eui64(1))
    delivery = supplier.receive(dcc.alert(0x8F72, stranger))
    assert delivery.gbcs is not None
    assert delivery.gbcs.mac == "unchecked: no certificate of 0000000000000001"


def test_an_answer_announced_as_another_devices_is_a_fault(supplier: Supplier, dcc: DccResponder) -> None:
    exchange = supplier.read_version(PPMID)
    message = dcc.ecs52_response(exchange.request_id, 2)  # of the ESME
    delivery = supplier.receive(dcc.deliver(exchange.request_id, "11.2", message))
    assert delivery.gbcs is None
    assert "from 00db1234567890a0, announced as from 00db1234567890a4" in delivery.fault


@pytest.mark.parametrize("octets", [b"", b"<a/>", b"\xff" * 40])
def test_an_unreadable_document_is_kept_with_its_fault(supplier: Supplier, octets: bytes) -> None:
    delivery = supplier.receive(octets)
    assert (delivery.response, delivery.code, delivery.content, delivery.dcc_alert) == (None, "", None, None)
    assert delivery.fault != ""
    assert supplier.mailbox.deliveries == [delivery]
    assert delivery.octets == octets
    assert not answers(supplier.next_id(ESME))(delivery)
    assert not device_alert(0x8F72)(delivery)
    assert not dcc_alert("AD1")(delivery)


def test_an_unreadable_payload_is_kept_with_its_fault(supplier: Supplier, dcc: DccResponder) -> None:
    good = dcc.alert(0x8F72, dcc.receipt_alert(bytes(32), 5))
    start = good.index(b"<sr:GBCSPayload>") + len("<sr:GBCSPayload>")
    altered = good[:start] + b"AAAA" + good[good.index(b"</sr:GBCSPayload>") :]
    delivery = supplier.receive(dcc.signer.sign(unsigned(altered)))
    assert delivery.response is not None
    assert delivery.gbcs is None
    assert delivery.fault.startswith("GBCS payload: ")


# --- waiting -------------------------------------------------------------------------------------------------------


def test_an_answer_wakes_who_waits_for_it_at_its_instant(
    supplier: Supplier, dcc: DccResponder, clock: VirtualClock
) -> None:
    async def story() -> tuple[Delivery, int]:
        exchange = supplier.read_version(ESME)
        other = supplier.read_version(ESME)
        for delay, asked in ((3, other), (5, exchange)):
            octets = dcc.deliver(asked.request_id, "11.2", dcc.ecs52_response(asked.request_id, 2))
            clock.call_at(clock.now() + delay * SECOND, supplier.receive, octets)
        return await supplier.answer_to(exchange), clock.now()

    start = clock.now()
    delivery, ended = run(clock, story)
    assert ended == delivery.time == start + 5 * SECOND
    assert delivery.response is not None
    assert delivery.response.request_id == supplier.sent[0].request.request_id


def test_waiting_costs_no_callbacks(supplier: Supplier, dcc: DccResponder, clock: VirtualClock) -> None:
    async def story() -> int:
        clock.call_at(clock.now() + 48 * HOUR, supplier.receive, dcc.alert(0x8F72, dcc.receipt_alert(bytes(32), 5)))
        before = clock.callbacks
        await supplier.wait_for(device_alert(0x8F72, ESME), what="8F72")
        return clock.callbacks - before

    assert run(clock, story) <= 2


def test_the_dcc_itself_may_answer_for_a_device(supplier: Supplier, dcc: DccResponder, clock: VirtualClock) -> None:
    async def story() -> str:
        exchange = supplier.read_version(PPMID)
        octets = dcc.refuse(exchange.request_id, "11.2", "E21")
        clock.call_at(clock.now() + HOUR, supplier.receive, octets)
        return (await supplier.answer_to(exchange)).code

    assert run(clock, story) == "E21"


def test_what_does_not_come_is_named_at_the_deadline(supplier: Supplier, clock: VirtualClock) -> None:
    async def story() -> None:
        exchange = supplier.read_version(ESME)
        await supplier.answer_to(exchange, within=HOUR)

    start = clock.now()
    with pytest.raises(NotReceivedError, match=r"supplier: answer to 11\.2 90-B3-.* not received by") as caught:
        run(clock, story)
    assert caught.value.deadline == clock.now() == start + HOUR


def test_a_message_at_the_very_deadline_counts(supplier: Supplier, dcc: DccResponder, clock: VirtualClock) -> None:
    async def story() -> Delivery:
        octets = dcc.alert(0x8F72, dcc.receipt_alert(bytes(32), 5))
        waiting = asyncio.ensure_future(supplier.wait_for(device_alert(0x8F72), what="8F72", within=HOUR))
        await asyncio.sleep(0)
        clock.call_at(clock.now() + HOUR, supplier.receive, octets)
        return await waiting

    assert run(clock, story).number == 1


def test_what_is_there_already_is_found_unless_told_after_which(
    supplier: Supplier, dcc: DccResponder, clock: VirtualClock
) -> None:
    async def story() -> list[int]:
        first = supplier.receive(dcc.alert(0x8F72, dcc.receipt_alert(bytes(32), 5)))
        found = await supplier.wait_for(device_alert(0x8F72))
        assert found is first
        mark = supplier.mailbox.mark
        octets = dcc.alert(0x8F72, dcc.receipt_alert(bytes(32), 6))
        clock.call_at(clock.now() + SECOND, supplier.receive, octets)
        later = await supplier.wait_for(device_alert(0x8F72), after=mark)
        return [found.number, later.number]

    assert run(clock, story) == [1, 2]


def test_a_cancelled_wait_leaves_nothing_behind(supplier: Supplier, dcc: DccResponder, clock: VirtualClock) -> None:
    seen: list[Delivery] = []

    def watching(delivery: Delivery) -> bool:
        seen.append(delivery)
        return False

    async def story() -> None:
        waiting = asyncio.ensure_future(supplier.wait_for(watching, within=HOUR))
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.sleep(1)
        supplier.receive(dcc.alert(0x8F72, dcc.receipt_alert(bytes(32), 5)))
        await asyncio.sleep(2 * 3600)

    run(clock, story)
    assert seen == []


# --- predicates ----------------------------------------------------------------------------------------------------


def outage(start: int) -> DccAlertMessage:
    event = PowerOutageEvent(comms_hub_device_id=CHF, start_date_time=start, mpxn="1312345678111")
    return DccAlertMessage(dcc_alert_code="AD1", alert=event)


@pytest.mark.requirement("MP102B-G9")
def test_the_operator_lists_the_outages_it_was_told_of(
    operator: NetworkOperator, dcc: DccResponder, clock: VirtualClock
) -> None:
    start = clock.now() - clock.now() % SECOND
    told = operator.receive(dcc.dcc_message(OPERATOR, outage(start)))
    other = UpdateHanDeviceLogResult(request_id=operator.next_id(CHF))
    operator.receive(dcc.dcc_message(OPERATOR, DccAlertMessage(dcc_alert_code="N24", alert=other)))
    assert operator.outages == [told]
    assert told.time == clock.now()


def test_predicates_tell_alerts_apart(supplier: Supplier, dcc: DccResponder) -> None:
    receipt = supplier.receive(dcc.alert(0x8F72, dcc.receipt_alert(bytes(32), 5)))
    ad1 = supplier.receive(dcc.dcc_message(SUPPLIER, outage(0)))
    assert device_alert(0x8F72)(receipt)
    assert device_alert(0x8F72, ESME)(receipt)
    assert not device_alert(0x8F72, PPMID)(receipt)
    assert not device_alert(0x8F1C, ESME)(receipt)
    assert not device_alert(0x8F72)(ad1)
    assert dcc_alert("AD1")(ad1)
    assert dcc_alert(["N60", "AD1"], comms_hub_device_id=CHF)(ad1)
    assert not dcc_alert("AD1", comms_hub_device_id=ESME)(ad1)
    assert not dcc_alert("AD1", no_such_attribute=1)(ad1)
    assert not dcc_alert("N60")(ad1)
    assert not dcc_alert("AD1")(receipt)


def test_the_synchronous_answer_is_not_the_devices(supplier: Supplier) -> None:
    exchange = supplier.read_version(ESME)
    assert not answers(exchange.request_id)(exchange.delivery)
