"""CS02a and CS02b: who may replace what, when, and what is told of it. MP170-R8, MP170-C7."""

from collections.abc import Sequence

import pytest

from emulator.parts.credential_commands import CredentialSettings
from emulator.parts.gbcs_entity import DeviceKind
from emulator.parts.trust_anchors import TrustAnchors, cell_of
from protocols.gbcs import security
from protocols.gbcs.cells import CellIdentifier, KeyUsage
from protocols.gbcs.codes import AlertCode, CredentialStatus
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Certificate, Credentials, RemotePartyRole
from protocols.gbcs.use_cases import cs02a, cs02b, cs06, cs08
from protocols.gbcs.use_cases.cs02b import CounterChange, Mode, TimeChecks
from protocols.interfaces import DAY, SECOND
from tests.support.offline import DEVICE, Offline
from tests.support.parties import BROKER, LOAD_CONTROLLER, START, SUPPLIER, Parties
from tests.support.replacements import cells_of, replacement

PARTIES = Parties()
NEW = PARTIES.renewed()
R = RemotePartyRole

CASES = {
    Mode.SUPPLIER_BY_SUPPLIER: (DeviceKind.ESME, PARTIES.supplier, (NEW.supplier,)),
    Mode.NETWORK_OPERATOR_BY_NETWORK_OPERATOR: (DeviceKind.ESME, PARTIES.operator, (NEW.operator,)),
    Mode.ACB_BY_ACB: (DeviceKind.PPMID, PARTIES.broker, (NEW.broker,)),
    Mode.WAN_PROVIDER_BY_WAN_PROVIDER: (DeviceKind.CHF, PARTIES.wan_provider, (NEW.wan_provider,)),
    Mode.TCOS_BY_TCOS: (DeviceKind.HCALCS, PARTIES.tcos, (NEW.tcos,)),
    Mode.SUPPLIER_BY_TCOS: (DeviceKind.GSME, PARTIES.tcos, (PARTIES.other_supplier,)),
    Mode.ANY_EXCEPT_ABNORMAL_ROOT_BY_RECOVERY: (
        DeviceKind.ESME, PARTIES.recovery, (NEW.recovery, NEW.supplier, NEW.operator, NEW.broker, NEW.tcos),
    ),
    Mode.ANY_BY_CONTINGENCY: (DeviceKind.ESME, PARTIES.contingency, (NEW.supplier, NEW.operator, NEW.broker)),
    Mode.LOAD_CONTROLLER_BY_LOAD_CONTROLLER: (DeviceKind.SAPC, PARTIES.load_controller, (NEW.load_controller,)),
    Mode.LOAD_CONTROLLER_BY_SUPPLIER: (DeviceKind.SAPC, PARTIES.supplier, (NEW.load_controller,)),
}  # fmt: skip


def outcome_of(response: Message | None) -> cs02b.Outcome:
    assert response is not None
    security.verify_signature(response, PARTIES.pki.device(DEVICE).ds_certificate.public_key)
    assert len(response.date_time) == 12
    outcome = cs02b.Response.decode(response.payload).outcome
    assert outcome is not None
    return outcome


def statuses(outcome: cs02b.Outcome) -> set[int]:
    return {int(cell.status) for cell in outcome.cells}


def held(device: Offline, cells: dict[CellIdentifier, Certificate]) -> bool:
    now = device.entity.anchors.cells()
    return all(now.get(cell) == certificate for cell, certificate in cells.items())


def supplier_replacement(
    counter: int = 1000,
    when: int | None = None,
    *,
    path: Sequence[Certificate] | None = None,
    time_checks: TimeChecks = TimeChecks.APPLY,
) -> bytes:
    return replacement(
        PARTIES, PARTIES.supplier, DEVICE, Mode.SUPPLIER_BY_SUPPLIER, cells_of(NEW.supplier),
        counter=counter, when=when, path=path, time_checks=time_checks,
    )  # fmt: skip


# --- every mode --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", CASES)
def test_an_authorised_party_replaces_credentials_at_once(mode: Mode) -> None:
    kind, sender, new = CASES[mode]
    device, wanted = Offline(PARTIES, kind), cells_of(*new)
    old = dict(device.entity.anchors.cells())
    outcome = outcome_of(device.obey(replacement(PARTIES, sender, DEVICE, mode, wanted, counter=5000)))
    assert statuses(outcome) == {CredentialStatus.SUCCESS}
    assert (outcome.mode, outcome.counter) == (mode, 5000)
    for told in outcome.cells:
        before, after = old[told.cell], wanted[told.cell]
        assert (told.old_entity, told.old_key_id) == (before.eui, before.key_id)
        assert (told.new_entity, told.new_key_id) == (after.eui, after.key_id)
    assert held(device, wanted)
    device.restart()
    assert held(device, wanted)
    assert dict(device.entity.anchors.cells()) == {**old, **wanted}


@pytest.mark.requirement("MP170-C7")
@pytest.mark.parametrize("mode", CASES)
def test_another_party_of_the_device_is_refused_and_nothing_changes(mode: Mode) -> None:
    """MP170-C7: an unauthorised party replaces nothing."""
    kind, sender, new = CASES[mode]
    for other in PARTIES.known:
        device = Offline(PARTIES, kind)
        if other.eui == sender.eui or (other is PARTIES.broker and mode in (2, 3)):
            continue
        before = device.contents()
        octets = replacement(PARTIES, other, DEVICE, mode, cells_of(*new), counter=5000)
        assert device.obey(octets) is None
        assert (anchors_and_floors(device.contents()), len(device.refusals)) == (anchors_and_floors(before), 1)


def anchors_and_floors(contents: dict[str, bytes | None]) -> dict[str, bytes | None]:
    return {cell: value for cell, value in contents.items() if "alert-counter" not in cell}


@pytest.mark.parametrize("mode", CASES)
def test_a_mode_reaches_no_cell_but_its_own(mode: Mode) -> None:
    """A party that may replace its own credentials may not put itself into another's cell."""
    kind, sender, _ = CASES[mode]
    if mode in (Mode.ANY_EXCEPT_ABNORMAL_ROOT_BY_RECOVERY, Mode.ANY_BY_CONTINGENCY):
        return
    device = Offline(PARTIES, kind)
    foreign = NEW.operator if mode is not Mode.NETWORK_OPERATOR_BY_NETWORK_OPERATOR else NEW.supplier
    before = anchors_and_floors(device.contents())
    assert device.obey(replacement(PARTIES, sender, DEVICE, mode, cells_of(foreign), counter=5000)) is None
    assert anchors_and_floors(device.contents()) == before


@pytest.mark.parametrize("kind", [kind for kind in DeviceKind if kind is not DeviceKind.SAPC])
def test_the_broker_replaces_its_own_credentials_on_every_kind_of_device(kind: DeviceKind) -> None:
    device, wanted = Offline(PARTIES, kind), cells_of(NEW.broker)
    octets = replacement(PARTIES, PARTIES.broker, DEVICE, Mode.ACB_BY_ACB, wanted, counter=7)
    if kind is DeviceKind.CHF:  # there it signs too
        message = Message.decode(octets)
        octets = PARTIES.command(PARTIES.broker, DEVICE, 0x0104, message.payload, counter=7, signed=True)
    assert statuses(outcome_of(device.obey(octets))) == {CredentialStatus.SUCCESS}
    assert held(device, wanted)


@pytest.mark.parametrize(
    ("mode", "new"),
    [(Mode.SUPPLIER_BY_SUPPLIER, PARTIES.supplier), (Mode.NETWORK_OPERATOR_BY_NETWORK_OPERATOR, PARTIES.operator)],
)
def test_before_handover_the_broker_puts_in_supplier_and_operator(mode: Mode, new: Credentials) -> None:
    device = Offline(PARTIES, DeviceKind.GPF, TrustAnchors.before_handover(PARTIES.broker, PARTIES.pki.root))
    wanted = cells_of(new)
    outcome = outcome_of(device.obey(replacement(PARTIES, PARTIES.broker, DEVICE, mode, wanted, counter=1300)))
    assert statuses(outcome) == {CredentialStatus.SUCCESS}
    assert {cell.old_entity for cell in outcome.cells} == {BROKER}
    assert {cell.new_entity for cell in outcome.cells} == {new.eui}
    again = replacement(PARTIES, PARTIES.broker, DEVICE, mode, wanted, counter=1400)
    assert device.obey(again) is None
    assert device.entity.anchors.floor(R.ACCESS_CONTROL_BROKER) is None


# --- certificates ------------------------------------------------------------------------------------------------


def test_a_certificate_of_a_foreign_root_is_bad_and_the_old_one_stays() -> None:
    foreign = Parties(8)
    device = Offline(PARTIES, DeviceKind.ESME)
    octets = replacement(
        PARTIES, PARTIES.supplier, DEVICE, Mode.SUPPLIER_BY_SUPPLIER, cells_of(foreign.supplier),
        counter=1, path=(foreign.pki.issuing, foreign.pki.root),
    )  # fmt: skip
    outcome = outcome_of(device.obey(octets))
    assert statuses(outcome) == {CredentialStatus.BAD_CERTIFICATE}
    assert all((c.old_entity, c.old_key_id) == (c.new_entity, c.new_key_id) for c in outcome.cells)
    assert outcome.changes == ()
    assert held(device, cells_of(PARTIES.supplier))


def test_a_certificate_of_another_role_or_usage_is_bad() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    signing = CellIdentifier(R.SUPPLIER, KeyUsage.DIGITAL_SIGNATURE)
    agreeing = CellIdentifier(R.SUPPLIER, KeyUsage.KEY_AGREEMENT)
    wrong = {signing: NEW.operator.ds_certificate, agreeing: NEW.supplier.ds_certificate}
    octets = replacement(PARTIES, PARTIES.supplier, DEVICE, Mode.SUPPLIER_BY_SUPPLIER, wrong, counter=1)
    assert statuses(outcome_of(device.obey(octets))) == {CredentialStatus.BAD_CERTIFICATE}


def test_a_certificate_without_its_path_is_bad() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    assert statuses(outcome_of(device.obey(supplier_replacement(path=())))) == {CredentialStatus.BAD_CERTIFICATE}


def test_a_good_certificate_is_taken_although_another_one_is_bad() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    cells = cells_of(NEW.supplier)
    bad = CellIdentifier(R.SUPPLIER, KeyUsage.KEY_AGREEMENT)
    cells[bad] = Parties(8).supplier.ka_certificate
    octets = replacement(PARTIES, PARTIES.supplier, DEVICE, Mode.SUPPLIER_BY_SUPPLIER, cells, counter=1)
    found = {cell.cell: cell.status for cell in outcome_of(device.obey(octets)).cells}
    assert found.pop(bad) == CredentialStatus.BAD_CERTIFICATE
    assert set(found.values()) == {CredentialStatus.SUCCESS}


def test_a_cell_the_device_does_not_have_and_a_missing_root_are_told() -> None:
    bridge = Offline(PARTIES, DeviceKind.ESME, TrustAnchors.of(PARTIES.supplier, PARTIES.broker, root=PARTIES.pki.root))
    found = {cell.cell: cell.status for cell in outcome_of(bridge.obey(supplier_replacement())).cells}
    top_up = next(cell for cell in found if cell.cell_usage)
    assert found.pop(top_up) == CredentialStatus.TRUST_ANCHOR_NOT_FOUND
    assert set(found.values()) == {CredentialStatus.SUCCESS}
    rootless = Offline(PARTIES, DeviceKind.ESME, TrustAnchors.of(PARTIES.supplier, PARTIES.broker, top_up=True))
    assert statuses(outcome_of(rootless.obey(supplier_replacement()))) == {CredentialStatus.NO_TRUST_ANCHOR}


@pytest.mark.parametrize(
    ("wrong_by", "checks", "setting", "status"),
    [
        (0, TimeChecks.APPLY, True, CredentialStatus.SUCCESS),
        (-400 * DAY, TimeChecks.APPLY, True, CredentialStatus.BAD_CERTIFICATE),
        (4000 * DAY, TimeChecks.APPLY, True, CredentialStatus.BAD_CERTIFICATE),
        (4000 * DAY, TimeChecks.DISAPPLY, True, CredentialStatus.SUCCESS),
        (4000 * DAY, TimeChecks.APPLY, False, CredentialStatus.SUCCESS),
    ],
)
def test_validity_is_judged_by_the_devices_own_clock(
    wrong_by: int, checks: TimeChecks, setting: bool, status: CredentialStatus
) -> None:
    settings = CredentialSettings(check_validity=setting)
    device = Offline(PARTIES, DeviceKind.ESME, settings=settings, wrong_by=wrong_by)
    assert statuses(outcome_of(device.obey(supplier_replacement(time_checks=checks)))) == {status}


# --- counters ----------------------------------------------------------------------------------------------------


def test_a_replacement_sets_the_floors_it_names() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    changes = (CounterChange(R.SUPPLIER, 77),)
    octets = replacement(
        PARTIES, PARTIES.tcos, DEVICE, Mode.SUPPLIER_BY_TCOS, cells_of(PARTIES.other_supplier),
        counter=6001, floor=None, changes=changes,
    )  # fmt: skip
    assert outcome_of(device.obey(octets)).changes == changes
    anchors = device.entity.anchors
    assert (anchors.floor(R.SUPPLIER), anchors.floor(R.TRANSITIONAL_COS)) == (77, 6001)
    for counter, obeyed in ((77, False), (78, True)):
        payload = cs06.Command(bytes(32), counter).encode()
        sender = PARTIES.other_supplier
        command = PARTIES.command(sender, DEVICE, cs06.MESSAGE_CODE, payload, counter=counter, signed=True)
        device.obey(command)
        assert (device.refusals[-1] == "use case 0012 not supported") is obeyed


def test_a_repeated_replacement_is_refused_by_the_new_keys() -> None:
    """The floor goes back to 0, and still the same octets do nothing a second time."""
    device, octets = Offline(PARTIES, DeviceKind.ESME), supplier_replacement()
    outcome_of(device.obey(octets))
    before = device.contents()
    assert device.obey(octets) is None
    assert device.refusals == ["signature invalid"]
    assert device.contents() == before


def test_a_replacement_below_the_counter_of_its_party_is_refused() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    device.entity.anchors.set_floor(R.SUPPLIER, 1000)
    assert device.obey(supplier_replacement(1000)) is None
    assert held(device, cells_of(PARTIES.supplier))


@pytest.mark.parametrize(
    ("control_counter", "cell", "changes"),
    [
        (999, None, None),
        (None, CellIdentifier(R.NETWORK_OPERATOR, KeyUsage.DIGITAL_SIGNATURE), None),
        (None, None, (CounterChange(R.NETWORK_OPERATOR, 5),)),
    ],
)
def test_a_replacement_that_contradicts_itself_is_refused(
    control_counter: int | None, cell: CellIdentifier | None, changes: tuple[CounterChange, ...] | None
) -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    before = anchors_and_floors(device.contents())
    octets = replacement(
        PARTIES, PARTIES.supplier, DEVICE, Mode.SUPPLIER_BY_SUPPLIER, cells_of(NEW.supplier), counter=1000,
        control_counter=control_counter, authorising_cell=cell, changes=changes,
    )  # fmt: skip
    assert device.obey(octets) is None
    assert anchors_and_floors(device.contents()) == before


# --- dated -------------------------------------------------------------------------------------------------------


def alerts(device: Offline) -> list[cs02b.Alert]:
    found = [m for m in device.sent if m.cra is Cra.ALERT and m.message_code == cs02b.ALERT_MESSAGE_CODE]
    for message in found:
        security.verify_signature(message, PARTIES.pki.device(DEVICE).ds_certificate.public_key)
        assert message.target == SUPPLIER
    return [cs02b.Alert.decode(message.payload) for message in found]


@pytest.mark.parametrize("restart", [False, True])
def test_a_dated_replacement_waits_for_its_time_and_is_told_by_00cb(restart: bool) -> None:
    device, when = Offline(PARTIES, DeviceKind.ESME), START + 2 * DAY
    response = device.obey(supplier_replacement(when=when))
    assert response is not None
    assert cs02b.Response.decode(response.payload).outcome is None
    device.run(DAY)
    if restart:
        device.restart()
    device.run(DAY - SECOND)
    assert held(device, cells_of(PARTIES.supplier))
    device.run(SECOND)
    assert held(device, cells_of(NEW.supplier))
    (alert,) = alerts(device)
    assert (alert.alert_code, alert.execution_time) == (AlertCode.FUTURE_DATED_COMMAND_DONE, when)
    assert statuses(alert.outcome) == {CredentialStatus.SUCCESS}


def test_a_date_that_passed_without_power_is_made_good_at_the_start() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    device.obey(supplier_replacement(when=START + DAY))
    device.timers.clear()
    device.run(3 * DAY)
    assert held(device, cells_of(PARTIES.supplier))
    device.restart()
    assert held(device, cells_of(NEW.supplier))
    assert len(alerts(device)) == 1


def test_a_dated_replacement_that_fails_is_told_as_failed() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    device.obey(supplier_replacement(when=START + DAY, path=()))
    device.run(2 * DAY)
    (alert,) = alerts(device)
    assert alert.alert_code == AlertCode.FUTURE_DATED_COMMAND_FAILED
    assert statuses(alert.outcome) == {CredentialStatus.BAD_CERTIFICATE}


def test_a_cancelled_replacement_never_happens() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    device.obey(supplier_replacement(1000, START + DAY))
    response = device.obey(supplier_replacement(1001, cs02b.CANCEL))
    assert response is not None
    assert cs02b.Response.decode(response.payload).outcome is None
    device.run(3 * DAY)
    assert alerts(device) == []
    assert held(device, cells_of(PARTIES.supplier))


def test_a_dated_replacement_of_a_party_that_is_gone_by_then_is_dropped() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    device.obey(supplier_replacement(when=START + 2 * DAY))
    octets = replacement(
        PARTIES, PARTIES.tcos, DEVICE, Mode.SUPPLIER_BY_TCOS, cells_of(PARTIES.other_supplier), counter=1, floor=None
    )
    outcome_of(device.obey(octets))
    device.run(3 * DAY)
    assert held(device, cells_of(PARTIES.other_supplier))
    assert alerts(device) == []


# --- the root ----------------------------------------------------------------------------------------------------


def test_a_root_nobody_vouches_for_is_bad_except_by_contingency() -> None:
    foreign = Parties(8)
    wanted = {cell_of(foreign.pki.root): foreign.pki.root} | cells_of(foreign.supplier)
    for mode, sender, good in (
        (Mode.ANY_EXCEPT_ABNORMAL_ROOT_BY_RECOVERY, PARTIES.recovery, False),
        (Mode.ANY_BY_CONTINGENCY, PARTIES.contingency, True),
    ):
        device = Offline(PARTIES, DeviceKind.ESME)
        path = (foreign.pki.issuing,)
        octets = replacement(PARTIES, sender, DEVICE, mode, wanted, counter=1, path=path)
        expected = CredentialStatus.SUCCESS if good else CredentialStatus.BAD_CERTIFICATE
        assert statuses(outcome_of(device.obey(octets))) == {expected}
        assert held(device, wanted) is good


# --- CS02a -------------------------------------------------------------------------------------------------------


def read(sender: Credentials, cell: CellIdentifier, *roles: RemotePartyRole, counter: int = 3) -> bytes:
    payload, direct = cs02a.Command(cell, roles).encode(), sender is not PARTIES.broker
    return PARTIES.command(sender, DEVICE, cs02a.MESSAGE_CODE, payload, counter=counter, signed=direct, mac=not direct)


ACB_CELL = CellIdentifier(R.ACCESS_CONTROL_BROKER, KeyUsage.KEY_AGREEMENT)


def test_the_broker_reads_cells_and_counters_under_a_mac() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    device.entity.anchors.set_floor(R.NETWORK_OPERATOR, 9)
    response = device.obey(read(PARTIES.broker, ACB_CELL, R.SUPPLIER, R.NETWORK_OPERATOR, R.OTHER))
    assert response is not None
    z = security.shared_secret(PARTIES.broker.ka_key, PARTIES.pki.device(DEVICE).ka_certificate.public_key)
    security.check_mac(response, z)
    supplier, operator, nobody = cs02a.Response.decode(response.payload).parties
    assert (supplier.counter, operator.counter, nobody.counter) == (0, 9, None)
    assert nobody.status == CredentialStatus.TRUST_ANCHOR_NOT_FOUND
    told = {(cell.key_usage, cell.cell_usage, cell.key_id) for cell in supplier.cells}
    assert told == {
        (cell.key_usage, cell.cell_usage, certificate.key_id)
        for cell, certificate in cells_of(PARTIES.supplier).items()
    }


def test_another_party_reads_by_a_signed_command_and_gets_a_signed_answer() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    response = device.obey(read(PARTIES.supplier, CellIdentifier(R.SUPPLIER, KeyUsage.DIGITAL_SIGNATURE), R.SUPPLIER))
    assert response is not None
    assert response.mac is None
    security.verify_signature(response, PARTIES.pki.device(DEVICE).ds_certificate.public_key)


def test_a_load_controller_reads_by_cs02f_and_gets_a_signed_answer() -> None:
    device, own = Offline(PARTIES, DeviceKind.SAPC), CellIdentifier(R.LOAD_CONTROLLER, KeyUsage.DIGITAL_SIGNATURE)
    payload = cs02a.Command(own, (R.LOAD_CONTROLLER,)).encode()
    octets = PARTIES.command(
        PARTIES.load_controller, DEVICE, cs02a.LOAD_CONTROLLER_MESSAGE_CODE, payload, counter=3, signed=True, mac=False
    )
    response = device.obey(octets)
    assert response is not None
    security.verify_signature(response, PARTIES.pki.device(DEVICE).ds_certificate.public_key)
    (told,) = cs02a.Response.decode(response.payload).parties
    assert {cell.entity for cell in told.cells} == {LOAD_CONTROLLER}


def test_a_dated_replacement_of_a_load_controller_is_told_by_0124() -> None:
    device, when = Offline(PARTIES, DeviceKind.SAPC), START + DAY
    mode, wanted = Mode.LOAD_CONTROLLER_BY_LOAD_CONTROLLER, cells_of(NEW.load_controller)
    assert device.obey(replacement(PARTIES, PARTIES.load_controller, DEVICE, mode, wanted, counter=9, when=when))
    device.run(2 * DAY)
    assert held(device, wanted)
    (alert,) = [message for message in device.sent if message.cra is Cra.ALERT]
    assert (alert.message_code, alert.target) == (cs02b.LOAD_CONTROLLER_ALERT_MESSAGE_CODE, LOAD_CONTROLLER)
    assert cs02b.Alert.decode(alert.payload).outcome.mode == mode


def test_a_read_that_names_a_cell_of_another_party_is_refused() -> None:
    device = Offline(PARTIES, DeviceKind.ESME)
    assert device.obey(read(PARTIES.supplier, ACB_CELL, R.SUPPLIER)) is None
    assert device.refusals == ["the cell named is not the originator's"]


@pytest.mark.requirement("MP170-R8")
def test_after_a_replacement_the_old_keys_open_nothing() -> None:
    """MP170-R8: what was compromised is worthless at once; CS08 under the new keys is answered."""
    device = Offline(PARTIES, DeviceKind.PPMID, TrustAnchors.of(PARTIES.broker, root=PARTIES.pki.root))
    device.obey(replacement(PARTIES, PARTIES.broker, DEVICE, Mode.ACB_BY_ACB, cells_of(NEW.broker), counter=1))
    old = PARTIES.command(PARTIES.broker, DEVICE, cs08.MESSAGE_CODE, cs08.Command().encode(), counter=2, signed=False)
    assert device.obey(old) is None
    assert device.refusals[-1] == "MAC invalid"
