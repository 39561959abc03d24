"""What devices send: verified before it is believed, relayed under the user's RequestID, refused otherwise."""

from dataclasses import replace

import pytest

from firmware_images import product
from gateway.dsp.effects import Value
from gateway.dsp.rows import Version
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceStatus
from protocols.duis.requests import CommandVariant
from protocols.duis.responses import FutureDatedDeviceAlertMessage, GbcsPayload, Response, ResponseMessage
from protocols.duis.times import CANCELLATION_DATE_TIME
from protocols.gbcs import security
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.envelope import Category, Cra, Message
from protocols.gbcs.use_cases import cs06, cs08, cs09, ecs52, ecs80, fdra
from protocols.interfaces import DAY, HOUR, SECOND
from protocols.ota.image import Kind
from protocols.wan import smwan
from tests.support.dsp_bench import (
    BRIDGE,
    ESME,
    HCALCS,
    HUB,
    OTHER_ESME,
    OTHER_HUB,
    PPMID,
    Bench,
    Outcome,
    estate,
    image,
)
from tests.support.parties import BROKER, NETWORK_OPERATOR, OTHER_SUPPLIER, START, SUPPLIER

V0, V1 = product(Kind.BRIDGE1).versions[:2]
E0, E1, E2 = product(Kind.ESME).versions[:3]
DATE = START + 2 * DAY


def read(bench: Bench, target: Eui64, user: Eui64 = SUPPLIER) -> Outcome:
    outcome = bench.request(bodies.ReadFirmwareVersion(), target, CommandVariant.TO_DEVICE, user=user)
    assert outcome.code == "I99"
    return outcome


def relayed(outcome: Outcome) -> tuple[Response, Message]:
    """Return the one response to the supplier and the GBCS message it carries."""
    ((user, response),) = outcome.to_users
    assert user == SUPPLIER
    assert isinstance(response.body, ResponseMessage)
    assert isinstance(response.body.content, GbcsPayload)
    return response, Message.decode(response.body.content.octets)


def nothing_happens(bench: Bench, send: "smwan.SmWanMessage", table: str) -> dict[str, Value]:
    """Assert that a message adds one row to `table` and changes nothing else; return the row."""
    before, count = bench.store.dump().splitlines(), len(bench.rows(table))
    outcome = bench.from_csp(send)
    assert outcome.to_users == []
    assert outcome.to_csp == []
    (row,) = bench.rows(table)[count:]
    added = [line for line in bench.store.dump().splitlines() if line not in before]
    assert len(added) == 1
    assert added[0].startswith(f"{table} ")
    return row


# --- alerts that are not believed ----------------------------------------------------------------------------------


def report(bench: Bench) -> Message:
    return bench.alert_message(BRIDGE, cs09.MESSAGE_CODE, BROKER, cs09.Alert(bench.now, V1).encode())


def signed(bench: Bench, message: Message, signer: Eui64 | None = None) -> bytes:
    own = bench.parties.pki.device(signer or message.originator)
    return security.sign(message, own.ds_key, bench.parties.entropy).encode()


@pytest.mark.requirement("SM7-R3")
def test_an_alert_signed_by_another_device_is_refused() -> None:
    bench = Bench()
    octets = signed(bench, report(bench), signer=PPMID)
    row = nothing_happens(bench, smwan.GbcsFromHub(HUB, BRIDGE, octets), "alerts")
    assert (row["code"], row["decision"], row["signature"]) == ("8F8B", "refused", "invalid")
    assert (row["originator"], row["recipient"], row["counter"]) == (str(BRIDGE), None, 2001)


def test_every_altered_octet_of_an_alert_is_refused() -> None:
    bench = Bench()
    octets = signed(bench, report(bench))
    for place in range(len(octets)):
        altered = octets[:place] + bytes([octets[place] ^ 0x01]) + octets[place + 1 :]
        outcome = bench.from_csp(smwan.GbcsFromHub(HUB, BRIDGE, altered))
        assert outcome.to_users == [], f"octet {place}"
    assert bench.inventory_row(BRIDGE)["firmware_version"] == f"{V0:08X}"
    assert {row["decision"] for row in bench.rows("alerts")} == {"refused"}
    assert bench.from_csp(smwan.GbcsFromHub(HUB, BRIDGE, octets)).dcc_alerts() == [(SUPPLIER, "N39")]


def _no_field(bench: Bench) -> bytes:
    return b"\xdf" + report(bench).signed_octets()


def _empty_field(bench: Bench) -> bytes:
    return _no_field(bench) + b"\x00"


def _mac_instead(bench: Bench) -> bytes:
    own = bench.parties.pki.device(BRIDGE)
    z = security.shared_secret(own.ka_key, bench.parties.broker.ka_certificate.public_key)
    return security.add_mac(report(bench), z).encode()


@pytest.mark.requirement("MP170-C16")
@pytest.mark.parametrize("make", [_no_field, _empty_field, _mac_instead])
def test_an_alert_without_the_signature_it_must_bear_is_refused(make: object) -> None:
    assert callable(make)
    bench = Bench()
    row = nothing_happens(bench, smwan.GbcsFromHub(HUB, BRIDGE, make(bench)), "alerts")
    assert (row["code"], row["decision"], row["signature"]) == ("8F8B", "refused", "absent")


def test_an_alert_of_a_device_without_certificate_is_refused() -> None:
    bench = Bench()
    stranger = Eui64(0x00DB1234567890E7)
    message = bench.alert_message(stranger, cs09.MESSAGE_CODE, BROKER, cs09.Alert(bench.now, V1).encode())
    row = nothing_happens(bench, smwan.GbcsFromHub(HUB, stranger, signed(bench, message)), "alerts")
    assert (row["decision"], row["signature"]) == ("refused", "invalid")


def test_an_alert_of_a_device_that_is_not_in_the_inventory_is_refused() -> None:
    bench = Bench(devices=[device for device in estate() if device.device != BRIDGE])
    row = nothing_happens(bench, smwan.GbcsFromHub(HUB, BRIDGE, signed(bench, report(bench))), "alerts")
    assert (row["decision"], row["signature"]) == ("refused", "valid")


@pytest.mark.parametrize(
    ("originator", "code", "payload"),
    [
        (ESME, cs09.MESSAGE_CODE, cs09.Alert(START, E1).encode()),
        (BRIDGE, cs09.MESSAGE_CODE, cs09.Alert(START, V1, alert_code=0x8F72).encode()),
        (BRIDGE, cs09.MESSAGE_CODE, cs09.Alert(START, V1).encode() + b"\0"),
        (BRIDGE, 0x0128, cs09.Alert(START, V1).encode()),
    ],
    ids=["8F8B of an ESME", "CS09 with another code", "octets left over", "CCS08 with the payload of CS09"],
)
def test_a_payload_that_does_not_fit_is_refused(originator: Eui64, code: int, payload: bytes) -> None:
    bench = Bench()
    octets = signed(bench, bench.alert_message(originator, code, BROKER, payload))
    row = nothing_happens(bench, smwan.GbcsFromHub(HUB, originator, octets), "alerts")
    assert (row["decision"], row["signature"]) == ("refused", "valid")


@pytest.mark.parametrize("octets", [b"", b"\xdf", b"\xdd" + bytes(80), b"\x00" * 5])
def test_what_is_no_gbcs_message_is_recorded(octets: bytes) -> None:
    row = nothing_happens(Bench(), smwan.GbcsFromHub(HUB, BRIDGE, octets), "refused_messages")
    assert (row["hub"], row["device"]) == (str(HUB), str(BRIDGE))


def test_what_is_no_message_of_the_csp_is_recorded() -> None:
    bench = Bench()
    assert bench.run(bench.dsp.from_csp(b"nonsense", bench.now)).to_users == []
    assert bench.from_csp(smwan.GbcsToHub(HUB, BRIDGE, b"")).to_users == []
    assert len(bench.rows("refused_messages")) == 2


def test_a_repeated_alert_is_not_told_twice_even_after_a_restart() -> None:
    bench = Bench()
    carried = smwan.GbcsFromHub(HUB, BRIDGE, signed(bench, report(bench)))
    assert bench.from_csp(carried).dcc_alerts() == [(SUPPLIER, "N39")]
    before = bench.store.dump()
    assert bench.from_csp(carried).to_users == []
    assert bench.store.dump() == before
    bench.restart()
    assert bench.from_csp(carried).to_users == []


@pytest.mark.requirement("X-2")
def test_restore_alerts_go_to_the_network_operator_alone() -> None:
    bench = Bench()
    payload = ecs80.Alert(0x8F36, bench.now, bench.now - 300 * SECOND, bench.now).encode()
    outcome = bench.alert(ESME, ecs80.MESSAGE_CODE, NETWORK_OPERATOR, payload)
    assert [user for user, _ in outcome.to_users] == [NETWORK_OPERATOR]
    assert outcome.to_users[0][1].response_id == RequestId(ESME, NETWORK_OPERATOR, 2001)
    row = bench.rows("alerts")[-1]
    assert (row["code"], row["decision"], row["recipient"]) == ("8F36", "delivered", str(NETWORK_OPERATOR))


def test_an_alert_to_nobody_known_is_kept_and_goes_nowhere() -> None:
    bench = Bench()
    payload = ecs80.Alert(0x8F36, bench.now, bench.now, bench.now).encode()
    assert bench.alert(ESME, ecs80.MESSAGE_CODE, Eui64(0x90B3D51F30990000), payload).to_users == []
    assert bench.rows("alerts")[-1]["decision"] == "unmapped"


# --- 11.2 ----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("SM7-R8", "MP170-R7", "MP170-C14", "MP170-C15")
@pytest.mark.parametrize(("target", "version"), [(BRIDGE, V1), (PPMID, 0x04000100), (HCALCS, 0x03000100)])
def test_a_read_of_a_ppmid_class_device_goes_by_the_broker_and_back_to_the_user(target: Eui64, version: int) -> None:
    bench = Bench()
    asked = read(bench, target)
    assert asked.reply is not None
    assert asked.reply.request_id is not None
    command = bench.command_of(asked)
    assert command.category is Category.NON_CRITICAL_COMMAND
    assert (command.originator, command.message_code) == (BROKER, cs08.MESSAGE_CODE)
    assert (command.supplementary_party, command.supplementary_counter) == (SUPPLIER, asked.reply.request_id.counter)
    response, message = relayed(bench.respond(command, cs08.Response(version).encode(), mac=True))
    assert response.request_id == asked.reply.request_id
    assert response.response_id == RequestId(target, SUPPLIER, asked.reply.request_id.counter)
    assert cs08.Response.decode(message.payload).firmware_version == version
    assert bench.inventory_row(target)["firmware_version"] == f"{version:08X}"


def test_the_mac_of_a_command_is_the_brokers() -> None:
    bench = Bench()
    for command in (bench.command_of(read(bench, BRIDGE)), bench.command_of(bench.activate())):
        own = bench.parties.pki.device(command.target)
        z = security.shared_secret(own.ka_key, bench.parties.broker.ka_certificate.public_key)
        security.check_mac(command, z)
        assert command.mac is not None


def test_a_failed_read_is_relayed_and_changes_nothing() -> None:
    bench = Bench()
    command = bench.command_of(read(bench, BRIDGE))
    relayed(bench.respond(command, cs08.Response(0, cs08.ReadCode.FAILED).encode(), mac=True))
    assert bench.inventory_row(BRIDGE)["firmware_version"] == f"{V0:08X}"


def test_an_esme_is_read_directly_by_its_supplier_and_the_answer_believed() -> None:
    bench = Bench()
    command = bench.command_of(read(bench, ESME))
    assert (command.originator, command.supplementary_party) == (SUPPLIER, None)
    relayed(bench.respond(command, ecs52.Response(E1, counter=command.counter).encode(), mac=True))
    assert bench.inventory_row(ESME)["firmware_version"] == f"{E1:08X}"


def test_such_an_answer_is_relayed_only_where_it_is_not_believed() -> None:
    bench = Bench(settings=DspSettings(believe_relayed_reads=False))
    command = bench.command_of(read(bench, ESME))
    relayed(bench.respond(command, ecs52.Response(E1, counter=command.counter).encode(), mac=True))
    assert bench.inventory_row(ESME)["firmware_version"] == f"{E0:08X}"


def test_such_an_answer_over_another_hub_is_refused() -> None:
    bench = Bench()
    command = bench.command_of(read(bench, ESME))
    response = ecs52.Response(E1, counter=command.counter).encode()
    assert bench.respond(command, response, mac=True, hub=OTHER_HUB).to_users == []
    assert bench.inventory_row(ESME)["firmware_version"] == f"{E0:08X}"
    assert len(bench.rows("refused_messages")) == 1


def test_an_answer_with_a_wrong_mac_is_refused_and_the_right_one_still_taken() -> None:
    bench = Bench()
    command = bench.command_of(read(bench, BRIDGE))
    payload = cs08.Response(V1).encode()
    good = bench.respond(command, payload, mac=True)
    _, message = relayed(good)
    bench = Bench()
    read(bench, BRIDGE)
    assert message.mac is not None
    forged = replace(message, mac=bytes([message.mac[0] ^ 1]) + message.mac[1:])
    nothing_happens(bench, smwan.GbcsFromHub(HUB, BRIDGE, forged.encode()), "refused_messages")
    assert bench.from_csp(smwan.GbcsFromHub(HUB, BRIDGE, message.encode())).to_users != []


def test_an_answer_to_nothing_asked_is_refused() -> None:
    bench = Bench()
    command = bench.command_of(read(bench, BRIDGE))
    other = replace(command, counter=command.counter + 1)
    assert bench.respond(other, cs08.Response(V1).encode(), mac=True).to_users == []
    payload = cs08.Response(V1).encode()
    relayed(bench.respond(command, payload, mac=True))
    assert bench.respond(command, payload, mac=True).to_users == [], "answered once"


def test_a_network_operator_and_a_hub_are_read_as_the_parties_require() -> None:
    bench = Bench()
    assert bench.command_of(read(bench, ESME, NETWORK_OPERATOR)).originator == NETWORK_OPERATOR
    command = bench.command_of(read(bench, HUB))
    assert (command.originator, command.message_code) == (BROKER, ecs52.MESSAGE_CODE)
    bench.respond(command, ecs52.Response(0x0C000001, counter=command.counter).encode(), mac=True)
    assert bench.inventory_row(HUB)["firmware_version"] == "0C000001"


def test_a_failed_read_of_an_esme_changes_nothing() -> None:
    bench = Bench()
    command = bench.command_of(read(bench, ESME))
    response = ecs52.Response(None, AccessResult.HARDWARE_FAULT, command.counter)
    relayed(bench.respond(command, response.encode(), mac=True))
    assert bench.inventory_row(ESME)["firmware_version"] == f"{E0:08X}"


def test_no_answer_is_told_as_e21() -> None:
    bench = Bench()
    asked = read(bench, BRIDGE)
    bench.now += 25 * HOUR
    ((user, response),) = bench.run(bench.dsp.wake(bench.now)).to_users
    assert asked.reply is not None
    assert (user, response.response_code, response.request_id) == (SUPPLIER, "E21", asked.reply.request_id)


@pytest.mark.requirement("MP105-R1", "MP105-R2", "MP105-R3")
def test_a_suspended_device_is_read_and_restored_by_the_answer() -> None:
    suspended = DeviceStatus.SUSPENDED
    devices = [
        replace(d, status=suspended, firmware_version=Version(0x01009999)) if d.device == ESME else d for d in estate()
    ]
    bench = Bench(devices=devices)
    command = bench.command_of(read(bench, ESME))
    bench.respond(command, ecs52.Response(E1, counter=command.counter).encode(), mac=True)
    row = bench.inventory_row(ESME)
    assert (row["status"], row["firmware_version"]) == ("Commissioned", f"{E1:08X}")


def test_a_device_that_runs_an_unknown_version_is_suspended() -> None:
    bench = Bench()
    command = bench.command_of(read(bench, ESME))
    bench.respond(command, ecs52.Response(0x0100FFFF, counter=command.counter).encode(), mac=True)
    row = bench.inventory_row(ESME)
    assert (row["status"], row["firmware_version"], row["suspended_from"]) == ("Suspended", "0100FFFF", "Commissioned")


# --- 11.3 ----------------------------------------------------------------------------------------------------------


def activation_row(bench: Bench, number: int = -1) -> dict[str, Value]:
    return bench.rows("activations")[number]


def outcome_of(code: cs06.OutcomeCode, version: int) -> bytes:
    return cs06.Response(cs06.Outcome(code, version)).encode()


def test_the_device_gets_the_signed_octets_unchanged_under_the_brokers_mac() -> None:
    bench = Bench()
    transformed = bench.transform()
    octets = bench.sign(transformed)
    command = bench.command_of(bench.send_signed(transformed, octets=octets))
    assert command.category is Category.CRITICAL_COMMAND
    assert replace(command, mac=None).encode() == octets
    assert cs06.Command.decode(command.payload).image_hash == image(Kind.ESME, 1, bench.parties).hash


def test_success_updates_the_inventory_and_is_relayed() -> None:
    bench = Bench()
    command = bench.command_of(bench.activate())
    response, _ = relayed(bench.respond(command, outcome_of(cs06.OutcomeCode.SUCCESS, E1)))
    assert response.response_code == "I0"
    assert bench.inventory_row(ESME)["firmware_version"] == f"{E1:08X}"
    assert activation_row(bench)["state"] == "done"


def test_failure_takes_the_version_the_device_tells() -> None:
    bench = Bench()
    command = bench.command_of(bench.activate())
    bench.respond(command, outcome_of(cs06.OutcomeCode.HASH_MISMATCH, E2))
    assert activation_row(bench)["state"] == "failed"
    assert bench.inventory_row(ESME)["firmware_version"] == f"{E2:08X}"


@pytest.mark.requirement("MP105-R8", "MP105-R9")
def test_the_response_of_a_retry_corrects_the_inventory_unless_switched_off() -> None:
    for switch, version in ((True, E1), (False, E0)):
        bench = Bench(settings=DspSettings(use_activation_retry=switch))
        bench.activate()  # its response is lost
        command = bench.command_of(bench.activate())
        bench.respond(command, outcome_of(cs06.OutcomeCode.NO_IMAGE, E1))
        assert bench.inventory_row(ESME)["firmware_version"] == f"{version:08X}"


def test_a_response_signed_by_another_device_is_refused() -> None:
    bench = Bench()
    command = bench.command_of(bench.activate())
    response = replace(
        command, cra=Cra.RESPONSE, originator=ESME, target=SUPPLIER, signature=None, mac=None,
        payload=outcome_of(cs06.OutcomeCode.SUCCESS, E1),
    )  # fmt: skip
    octets = signed(bench, response, signer=OTHER_ESME)
    nothing_happens(bench, smwan.GbcsFromHub(HUB, ESME, octets), "refused_messages")
    assert bench.respond(command, outcome_of(cs06.OutcomeCode.SUCCESS, E1)).to_users != []


def test_a_response_with_a_mac_in_place_of_its_signature_is_refused() -> None:
    bench = Bench()
    command = bench.command_of(bench.activate())
    assert bench.respond(command, outcome_of(cs06.OutcomeCode.SUCCESS, E1), mac=True).to_users == []
    assert bench.inventory_row(ESME)["firmware_version"] == f"{E0:08X}"


@pytest.mark.parametrize(
    ("code", "alert_code", "version", "state"),
    [(cs06.OutcomeCode.SUCCESS, 0x8F66, E1, "done"), (cs06.OutcomeCode.ACTIVATION_FAILURE, 0x8F67, E0, "failed")],
)
def test_a_dated_activation_ends_with_its_alert(
    code: cs06.OutcomeCode, alert_code: int, version: int, state: str
) -> None:
    bench = Bench()
    activated = bench.activate(execution=DATE)
    command = bench.command_of(activated)
    bench.accept(activated)
    assert activation_row(bench)["state"] == "scheduled"
    bench.at(DATE + 900 * SECOND)
    alert = cs06.Alert(alert_code, DATE, command.counter, cs06.Outcome(code, version))
    ((user, response),) = bench.alert(ESME, cs06.ALERT_MESSAGE_CODE, SUPPLIER, alert.encode()).to_users
    assert user == SUPPLIER
    assert isinstance(response.body, ResponseMessage)
    content = response.body.content
    assert isinstance(content, FutureDatedDeviceAlertMessage)
    assert (content.alert_code, content.instruction_number, content.total_command_instructions) == (alert_code, 1, 1)
    assert activation_row(bench)["state"] == state
    assert bench.inventory_row(ESME)["firmware_version"] == f"{version:08X}"


def test_a_dated_activation_without_alert_is_overdue_after_a_day() -> None:
    bench = Bench()
    bench.accept(bench.activate(execution=DATE))
    bench.at(DATE + DAY - SECOND)
    assert activation_row(bench)["state"] == "scheduled"
    bench.later(SECOND)
    assert activation_row(bench)["state"] == "overdue"


def test_a_cancellation_is_the_last_second_in_the_command_and_ends_the_activation() -> None:
    bench = Bench()
    bench.accept(bench.activate(execution=DATE))
    cancelled = bench.activate(execution=CANCELLATION_DATE_TIME)
    assert cs06.Command.decode(bench.command_of(cancelled).payload).execution_time == cs06.CANCEL
    bench.accept(cancelled)
    assert [row["state"] for row in bench.rows("activations")] == ["cancelled", "confirmed"]


def test_a_transform_is_signed_once() -> None:
    bench = Bench()
    transformed = bench.transform()
    octets = bench.sign(transformed)
    assert bench.send_signed(transformed, octets=octets).code == "I99"
    before = bench.store.dump()
    assert bench.send_signed(transformed, octets=octets).code == "E44"
    assert bench.store.dump() == before


def test_a_signed_pre_command_must_be_what_was_transformed() -> None:
    bench = Bench()
    transformed = bench.transform()
    good = Message.decode(bench.sign(transformed))
    other_hash = cs06.Command(bytes(32), good.counter).encode()
    altered = {
        "payload": replace(good, payload=other_hash),
        "counter": replace(good, counter=good.counter + 1),
        "target": replace(good, target=OTHER_ESME),
        "originator": replace(good, originator=OTHER_SUPPLIER),
        "message code": replace(good, message_code=0x0013),
    }
    before = bench.store.dump()
    for name, message in altered.items():
        octets = security.sign(message, bench.parties.supplier.ds_key, bench.parties.entropy).encode()
        assert bench.send_signed(transformed, octets=octets).code == "E44", name
    assert bench.send_signed(transformed, octets=b"no message").code == "E44"
    assert bench.send_signed(transformed, octets=replace(good, signature=None).encode()).code == "E41"
    assert bench.store.dump() == before
    assert bench.send_signed(transformed, octets=good.encode()).code == "I99"


def test_a_signed_pre_command_without_transform_is_refused() -> None:
    bench = Bench()
    transformed = bench.transform()
    bench.later(8 * DAY)
    assert bench.send_signed(transformed).code == "E44", "the Transform is forgotten by then"


def test_8f72_is_told_with_the_message_as_it_came() -> None:
    bench = Bench()
    image_hash = image(Kind.ESME, 1, bench.parties).hash
    message = bench.alert_message(ESME, fdra.MESSAGE_CODE, SUPPLIER, fdra.Alert(0x8F72, bench.now, image_hash).encode())
    octets = signed(bench, message)
    ((_, response),) = bench.from_csp(smwan.GbcsFromHub(HUB, ESME, octets)).to_users
    assert response.body is not None
    assert getattr(response.body, "gbcs_payload", b"") == octets
