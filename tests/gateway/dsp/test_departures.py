"""How devices and hubs leave: 8.3, 8.5, a withdrawn hub, and what ends with them."""

from dataclasses import replace

import pytest

from gateway.dsp.broker_credentials import BrokerCredentials, NewCredentials
from gateway.dsp.departures import Departures
from gateway.dsp.effects import ToCsp, Turn
from gateway.dsp.records import Schedule
from protocols.addresses import Eui64
from protocols.duis import alerts, bodies
from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.duis.requests import CommandVariant
from protocols.duis.responses import DccAlertMessage, Response
from protocols.errors import InputError
from protocols.gbcs.cells import CellIdentifier, KeyUsage
from protocols.gbcs.codes import CredentialStatus
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import cs02b, cs08, ecs70, gcs28
from protocols.interfaces import DAY, HOUR
from protocols.wan.smwan import GbcsToHub
from tests.support.dsp_bench import (
    BRIDGE,
    ESME,
    GPF,
    GSME,
    HUB,
    IHD,
    OTHER_ESME,
    PPMID,
    Bench,
    Outcome,
    estate,
)
from tests.support.parties import BROKER, NETWORK_OPERATOR, OTHER_SUPPLIER, SUPPLIER
from tests.support.requirements import patched

TO_DEVICE = CommandVariant.TO_DEVICE


def decommission(bench: Bench, eui: Eui64, *, user: Eui64 = SUPPLIER) -> Outcome:
    return bench.request(bodies.DecommissionDevice(device_id=eui), user=user)


def alert_of(response: Response) -> alerts.DccAlert:
    assert isinstance(response.body, DccAlertMessage)
    return response.body.alert


def withdraw(bench: Bench) -> Outcome:
    change = bodies.UpdateDeviceStatusCh(DeviceStatus.WITHDRAWN)
    return bench.request(bodies.UpdateInventory(device_id=HUB, change=change))


# --- a hub withdrawn -----------------------------------------------------------------------------------------------


def nothing_ends(self: Departures, *_: object) -> None:
    """Leave schedules and dated requests as they are."""


@pytest.mark.requirement("MP170-L17", planted=patched(Departures, "_end", nothing_ends))
def test_withdrawing_a_hub_ends_schedules_and_dated_requests_of_all_behind_it() -> None:
    schedules = [
        Schedule(1, SUPPLIER, ESME, "4.1.1", 0),
        Schedule(2, NETWORK_OPERATOR, ESME, "4.1.1", 0),
        Schedule(3, SUPPLIER, GSME, "4.1.1", 0),
        Schedule(4, SUPPLIER, OTHER_ESME, "4.1.1", 0),
    ]
    bench = Bench(schedules=schedules)
    later = bodies.ReadFirmwareVersion(execution_date_time=bench.now + DAY)
    who = ((BRIDGE, SUPPLIER), (ESME, NETWORK_OPERATOR))
    dated = [bench.request(later, eui, TO_DEVICE, user=user) for eui, user in who]
    elsewhere = bench.request(later, OTHER_ESME, TO_DEVICE)
    assert [outcome.code for outcome in (*dated, elsewhere)] == ["I99"] * 3
    bench.restart()
    outcome = withdraw(bench)
    assert sorted(outcome.dcc_alerts()) == sorted(
        [(SUPPLIER, "N37"), (NETWORK_OPERATOR, "N37"), (SUPPLIER, "N37"), (SUPPLIER, "N36"), (NETWORK_OPERATOR, "N36")]
    )
    removals = [a for _, r in outcome.to_users if isinstance(a := alert_of(r), alerts.DspScheduleRemoval)]
    assert {(each.device_id, each.dsp_schedule_id) for each in removals} == {(ESME, 1), (ESME, 2), (GSME, 3)}
    cancelled = [a for _, r in outcome.to_users if isinstance(a := alert_of(r), alerts.CommandFailure)]
    ids = {each.reply.request_id for each in dated if each.reply is not None}
    assert {each.command_request_id for each in cancelled} == ids
    assert [row["schedule_id"] for row in bench.rows("schedules")] == [4]
    assert [row["device"] for row in bench.rows("commands")] == [str(OTHER_ESME)]
    assert bench.inventory_row(GPF)["status"] == "Withdrawn"
    bench.later(2 * DAY)
    assert not [row for row in bench.rows("commands") if row["device"] == str(BRIDGE)]


def test_what_was_sent_before_the_withdrawal_is_still_answered() -> None:
    bench = Bench()
    command = bench.command_of(bench.request(bodies.ReadFirmwareVersion(), BRIDGE, TO_DEVICE))
    withdraw(bench)
    answer = cs08.Response(0x0B100100, cs08.ReadCode.READ).encode()
    assert [user for user, _ in bench.respond(command, answer, mac=True).to_users] == [SUPPLIER]


# --- 8.3 -----------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("MP170-L21")
def test_a_device_moves_by_decommissioning_and_a_new_pre_notification() -> None:
    bench = Bench()
    again = bodies.DevicePrenotification(
        device_id=PPMID, device_manufacturer="1A0A", device_model="A0010100", device_type=DeviceType.PPMID,
        smets_chts_version="5.0", firmware_version=str(bench.inventory_row(PPMID)["firmware_version"]),
    )  # fmt: skip
    row = bench.inventory_row(PPMID)
    again = replace(again, device_manufacturer=str(row["manufacturer"]), device_model=str(row["model"]))
    assert bench.request(again, schema_version="5.4").code == "E120201"
    assert decommission(bench, PPMID).code == "I99"
    assert bench.inventory_row(PPMID)["status"] == "Decommissioned"
    assert bench.request(again, schema_version="5.4", user=OTHER_SUPPLIER).code == "I99"
    row = bench.inventory_row(PPMID)
    assert (row["status"], row["hub"], row["owner"]) == ("Pending", None, str(OTHER_SUPPLIER))
    assert PPMID not in [device.device for device in bench.dsp.inventory.on_hub(HUB)]


def test_a_decommissioned_meter_is_told_with_the_small_devices_around_it() -> None:
    bench = Bench()
    outcome = decommission(bench, ESME)
    assert sorted(outcome.dcc_alerts()) == sorted([(SUPPLIER, "N1"), (NETWORK_OPERATOR, "N1")])
    event = alert_of(outcome.to_users[0][1])
    assert isinstance(event, alerts.DeviceStatusChangeEvent)
    assert isinstance(event.change, alerts.MeterDecommissioningOrWithdrawal)
    assert {each.device_id for each in event.change.associated} >= {PPMID, BRIDGE}


def test_a_hub_takes_its_gpf_along() -> None:
    bench = Bench()
    outcome = decommission(bench, HUB)
    assert {code for _, code in outcome.dcc_alerts()} == {"N8"}
    assert {str(bench.inventory_row(eui)["status"]) for eui in (HUB, GPF)} == {"Decommissioned"}


def test_an_ihd_which_has_no_status_is_deleted() -> None:
    bench = Bench()
    assert {code for _, code in decommission(bench, IHD).dcc_alerts()} == {"N9"}
    assert str(IHD) not in {row["device"] for row in bench.rows("inventory")}


@pytest.mark.parametrize(("eui", "user", "code"), [
    (Eui64(1), SUPPLIER, "E19"), (GPF, SUPPLIER, "E11"), (ESME, OTHER_SUPPLIER, "E4"), (ESME, NETWORK_OPERATOR, "E2"),
])  # fmt: skip
def test_a_wrong_decommissioning_is_refused(eui: Eui64, user: Eui64, code: str) -> None:
    bench = Bench()
    before = bench.store.dump()
    assert decommission(bench, eui, user=user).code == code
    assert bench.store.dump() == before


def test_a_suspended_device_may_go_and_one_that_is_gone_may_not_again() -> None:
    suspended = DeviceStatus.SUSPENDED
    bench = Bench(devices=[replace(d, status=suspended) if d.device == ESME else d for d in estate()])
    assert decommission(bench, ESME).code == "I99"
    assert decommission(bench, ESME).code == "E5"


def test_a_device_that_leaves_ends_what_was_on_its_way() -> None:
    bench = Bench()
    bench.accept(bench.activate(execution=bench.now + DAY))
    bench.request(bodies.ReadFirmwareVersion(execution_date_time=bench.now + HOUR), ESME, TO_DEVICE)
    assert (SUPPLIER, "N7") in decommission(bench, ESME).dcc_alerts()
    assert [row["state"] for row in bench.rows("suppression_windows")] == ["removed"]
    assert bench.rows("commands") == []


# --- 8.5 -----------------------------------------------------------------------------------------------------------


def opt_out(bench: Bench, target: Eui64 = ESME, **changes: object) -> Outcome:
    pki = bench.parties.pki
    other = pki.organisation(Eui64(0x90B3D51F300000FF), RemotePartyRole.ACCESS_CONTROL_BROKER)
    body = bodies.ServiceOptOut(
        acb_floor_seq_number=0,
        replacement_certificates=bodies.ReplacementCertificates(key_agreement=other.ka_certificate.der),
        certification_path=bodies.CertificationPath(certificates=(pki.root.der,)),
        apply_time_based_checks=True,
    )
    return bench.request(replace(body, **changes), target, TO_DEVICE)  # type: ignore[arg-type]


def outcome_of(command: cs02b.Command, status: CredentialStatus) -> bytes:
    cell = CellIdentifier(RemotePartyRole.ACCESS_CONTROL_BROKER, KeyUsage.KEY_AGREEMENT)
    cells = (cs02b.CellOutcome(cell, status, BROKER, bytes(8), BROKER, bytes(8)),)
    return cs02b.Response(cs02b.Outcome(command.control.counter, cs02b.Mode.ACB_BY_ACB, (), cells)).encode()


@pytest.mark.parametrize(("status", "after"), [(CredentialStatus.SUCCESS, "Withdrawn"), (30, "Commissioned")])
def test_opting_out_replaces_the_broker_and_withdraws_the_meter(status: CredentialStatus, after: str) -> None:
    bench = Bench()
    sent = opt_out(bench)
    message = bench.command_of(sent)
    assert (message.originator, message.message_code, bool(message.signature)) == (BROKER, 0x0104, False)
    command = cs02b.Command.decode(message.payload)
    assert (command.control.mode, command.control.floor) == (cs02b.Mode.ACB_BY_ACB, 0)
    answered = bench.respond(message, outcome_of(command, status))
    assert ("N2" in {code for _, code in answered.dcc_alerts()}) is (after == "Withdrawn")
    assert bench.inventory_row(ESME)["status"] == after


def test_opting_out_with_no_certificate_or_with_noise_is_refused() -> None:
    bench = Bench()
    noise = bodies.ReplacementCertificates(key_agreement=b"noise")
    assert opt_out(bench, replacement_certificates=noise).code == "E12"
    assert opt_out(bench, replacement_certificates=bodies.ReplacementCertificates()).code == "E12"


# --- commissioning -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("eui", "code"), [(ESME, 0x0062), (GSME, 0x007F)])
def test_setting_its_clock_commissions_a_meter(eui: Eui64, code: int) -> None:
    installed = DeviceStatus.INSTALLED_NOT_COMMISSIONED
    bench = Bench(devices=[replace(d, status=installed, commissioned=None) if d.device == eui else d for d in estate()])
    body = bodies.CommissionDevice(current_date_time=bench.now, tolerance_period=60)
    for good in (False, True):
        sent = bench.send_signed(bench.request(body, eui, CommandVariant.TRANSFORM))
        assert bench.command_of(sent).message_code == code
        if eui == ESME:
            answer = ecs70.Response(bench.now if good else None, counter=bench.command_of(sent).counter).encode()
        else:
            answer = gcs28.Response(bench.now, gcs28.ClockStatus.RELIABLE if good else 2).encode()
        bench.respond(bench.command_of(sent), answer)
        assert bench.inventory_row(eui)["status"] == ("Commissioned" if good else installed)
    assert bench.inventory_row(eui)["commissioned"] == bench.now
    assert bench.request(body, eui, CommandVariant.TRANSFORM).code == "E5"


# --- the broker's credentials everywhere ---------------------------------------------------------------------------


def new_credentials(bench: Bench) -> NewCredentials:
    other = bench.parties.pki.organisation(Eui64(0x90B3D51F300000FF), RemotePartyRole.ACCESS_CONTROL_BROKER)
    return NewCredentials(other.ds_certificate.der, other.ka_certificate.der, (bench.parties.pki.root.der,))


EVERYWHERE = BrokerCredentials.replace_everywhere


def no_bridges(self: BrokerCredentials, turn: Turn, new: NewCredentials) -> None:
    """Leave bridges out."""
    EVERYWHERE(self, turn, new)
    turn.effects = [e for e in turn.effects if not isinstance(e, ToCsp) or BRIDGE.big not in e.octets]


@pytest.mark.requirement("MP170-C7", planted=patched(BrokerCredentials, "replace_everywhere", no_bridges))
def test_the_brokers_credentials_are_replaced_on_bridges_as_on_ppmids() -> None:
    bench = Bench()
    outcome = bench.run(bench.dsp.replace_credentials(new_credentials(bench), bench.now))
    sent = {m.device: Message.decode(m.message) for m in outcome.to_csp if isinstance(m, GbcsToHub)}
    assert {PPMID, BRIDGE, ESME, GSME} <= set(sent)
    assert not {IHD, HUB} & set(sent)
    assert {message.message_code for message in sent.values()} == {0x0104}
    shapes = {eui: cs02b.Command.decode(sent[eui].payload) for eui in (PPMID, BRIDGE)}
    assert shapes[PPMID].replacements == shapes[BRIDGE].replacements
    answered = bench.respond(sent[BRIDGE], outcome_of(shapes[BRIDGE], CredentialStatus.SUCCESS))
    assert answered.to_users == []
    assert [(n.event, n.fields["replaced"]) for n in answered.notes if n.event == "broker-credentials"] == [
        ("broker-credentials", True)
    ]
    assert bench.inventory_row(BRIDGE)["status"] == "Whitelisted", "no opt-out"


def test_a_job_nobody_answers_troubles_no_user() -> None:
    bench = Bench()
    bench.run(bench.dsp.replace_credentials(new_credentials(bench), bench.now))
    bench.now += bench.settings.response_timeout
    assert bench.run(bench.dsp.wake(bench.now)).to_users == []
    with pytest.raises(InputError, match="certificate"):
        bench.dsp.replace_credentials(NewCredentials(b"noise", None, ()), bench.now)
