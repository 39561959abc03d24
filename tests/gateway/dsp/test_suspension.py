"""Suspended devices: what still passes, what repairs them, whom it is told to (MP105, SECMP0007)."""

from dataclasses import replace

import pytest

from firmware_images import product
from gateway.dsp import departures
from gateway.dsp.activation import Activations
from gateway.dsp.departures import Departures
from gateway.dsp.effects import Turn
from gateway.dsp.inventory import Inventory
from gateway.dsp.reads import Reads
from gateway.dsp.records import Activation, Device, Schedule
from gateway.dsp.rows import Version
from gateway.dsp.settings import BEFORE_MP105, DspSettings
from gateway.dsp.statuses import Trigger
from gateway.dsp.validation import Validation
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.alerts import FirmwareVersionMismatch
from protocols.duis.inventory import DeviceStatus, DeviceType, DspInventory
from protocols.duis.requests import CommandVariant
from protocols.duis.responses import DccAlertMessage
from protocols.gbcs.use_cases import cs06, ecs17b, ecs52, gcs38
from protocols.interfaces import DAY, HOUR, MINUTE
from protocols.ota.image import Kind
from tests.support.dsp_bench import (
    BRIDGE,
    ESME,
    GPF,
    GSME,
    HCALCS,
    HUB,
    IHD,
    PPMID,
    Bench,
    Outcome,
    entry,
    estate,
    image,
)
from tests.support.parties import NETWORK_OPERATOR, SUPPLIER
from tests.support.requirements import patched

TO_DEVICE = CommandVariant.TO_DEVICE
READ, REGISTERS = bodies.ReadFirmwareVersion(), bodies.ReadInstantaneousImportRegisters()
KINDS = {ESME: Kind.ESME, GSME: Kind.GSME}
SECOND_GENERATION, FIRST_GENERATION = "5.0", "1.2"


def suspended(eui: Eui64 = ESME, *, generation: str = SECOND_GENERATION, settings: DspSettings | None = None) -> Bench:
    """Return a bench in which the entry of the first release of a meter has been removed from the products list."""
    devices = [replace(d, smets_version=generation) if d.device == eui else d for d in estate()]
    bench = Bench(devices=devices, settings=settings)
    list_gsme(bench)
    remove(bench, eui)
    assert bench.inventory_row(eui)["status"] == "Suspended"
    return bench


def list_gsme(bench: Bench) -> None:
    """Put a second release of the GSME on the products list."""
    newer = replace(
        entry(Kind.GSME, 0, bench.parties), firmware_version=Version(release(GSME, 1)), hash=bytes(range(32))
    )
    bench.run(bench.dsp.update_products([newer], bench.now))


def remove(bench: Bench, eui: Eui64, number: int = 0, status: str = "Removed") -> Outcome:
    made = replace(entry(KINDS[eui], number, bench.parties), status=status)
    return bench.run(bench.dsp.update_products([made], bench.now))


def release(eui: Eui64, number: int) -> int:
    versions = product(KINDS[eui]).versions
    return versions[number] if eui == ESME else versions[0] + number


def answer_read(bench: Bench, sent: Outcome, eui: Eui64, version: int) -> Outcome:
    command = bench.command_of(sent)
    read = ecs52.Response(version, counter=command.counter) if eui == ESME else gcs38.Response(version)
    return bench.respond(command, read.encode(), mac=True)


def activate_unheard(bench: Bench, eui: Eui64) -> None:
    """Activate the next release; the device does, and its response never arrives."""
    bench.command_of(bench.activate(eui, number=1))
    bench.later(bench.settings.response_timeout)


def outcome_of(bench: Bench, sent: Outcome, eui: Eui64, number: int, code: cs06.OutcomeCode) -> Outcome:
    outcome = cs06.Outcome(code, release(eui, number))
    return bench.respond(bench.command_of(sent), cs06.Response(outcome).encode())


# --- MP105 ---------------------------------------------------------------------------------------------------------


def never(self: Inventory, turn: object, device: object, cause: str) -> object:
    """Neither suspend nor restore."""
    return device


def deaf(self: Reads, *_: object) -> None:
    """Forget what a read told."""


def all_pass(self: Validation, service: str, device: object) -> bool:
    return True


@pytest.mark.requirement("MP105-R1", "MP105-R15", planted=patched(Validation, "eligible", all_pass))
@pytest.mark.parametrize("eui", [ESME, GSME])
def test_a_suspended_meter_is_read_and_bars_what_is_not_on_the_list(eui: Eui64) -> None:
    bench = suspended(eui)
    assert bench.request(REGISTERS, eui, TO_DEVICE).code == "E5"
    join = bodies.JoinServiceCritical(other_device_id=PPMID)
    assert bench.request(join, eui, CommandVariant.TRANSFORM).code == "E5"
    assert bench.request(READ, eui, TO_DEVICE).code == "I99"
    assert bench.transform(eui).code == "I0"
    assert bench.request(bodies.ReadInventory(device_id=eui)).code == "I0"


@pytest.mark.requirement("MP105-R2", "MP105-R4", "MP105-R5", planted=patched(Reads, "version_read", deaf))
@pytest.mark.requirement("MP105-R3", planted=patched(Departures, "status_changed", lambda *_: None))
@pytest.mark.parametrize("generation", [SECOND_GENERATION, FIRST_GENERATION])
@pytest.mark.parametrize("eui", [ESME, GSME])
def test_the_answer_of_a_read_repairs_version_and_status_by_itself(eui: Eui64, generation: str) -> None:
    bench = suspended(eui, generation=generation)
    told = answer_read(bench, bench.request(READ, eui, TO_DEVICE), eui, release(eui, 1))
    row = bench.inventory_row(eui)
    assert (row["status"], row["firmware_version"]) == ("Commissioned", f"{release(eui, 1):08X}")
    assert (SUPPLIER, "N29") in told.dcc_alerts()
    shown = {d.device_id: d for d in bench.request(bodies.ReadInventory(device_id=eui)).content(DspInventory).devices}
    assert shown[eui].device_status is DeviceStatus.COMMISSIONED
    assert shown[eui].device_firmware_version == f"{release(eui, 1):08X}"
    assert bench.request(REGISTERS, eui, TO_DEVICE).code == "I99", "MP105-R15: barred no longer"


def mirrored_as_own(self: Reads, turn: object, gpf: object, version: int) -> None:
    """Take what a GPF tells for the GSME's own word."""
    gsme = self._inventory.device(GSME)
    assert gsme is not None
    self._inventory.version_reported(turn, gsme, version, "GPF")  # type: ignore[arg-type]


@pytest.mark.requirement("MP105-R5", "MP105-R6", planted=patched(Reads, "_mirrored", mirrored_as_own))
def test_a_read_of_the_gpf_raises_n52_and_repairs_nothing() -> None:
    bench = suspended(GSME)
    command = bench.command_of(bench.request(READ, GPF, TO_DEVICE))
    assert (command.target, command.message_code) == (GPF, gcs38.MESSAGE_CODE)
    told = bench.respond(command, gcs38.Response(release(GSME, 1)).encode(), mac=True)
    assert told.dcc_alerts() == [(SUPPLIER, "N52")]
    alert = told.to_users[-1][1].body
    assert isinstance(alert, DccAlertMessage)
    assert alert.alert == FirmwareVersionMismatch(
        device_id=GSME, device_type=DeviceType.GSME, firmware_version_smi=f"{release(GSME, 0):08X}",
        firmware_version_device=f"{release(GSME, 1):08X}",
    )  # fmt: skip
    row = bench.inventory_row(GSME)
    assert (row["status"], row["firmware_version"]) == ("Suspended", f"{release(GSME, 0):08X}")


def test_a_gpf_that_agrees_or_cannot_tell_raises_nothing() -> None:
    bench = Bench()
    for answer in (gcs38.Response(release(GSME, 0)), gcs38.Response(None, status=0x86)):
        command = bench.command_of(bench.request(READ, GPF, TO_DEVICE))
        assert bench.respond(command, answer.encode(), mac=True).dcc_alerts() == []


@pytest.mark.requirement("MP105-R7", planted=patched(Inventory, "review_suspension", never))
def test_the_cause_an_activated_meter_whose_response_is_lost_stays_suspended() -> None:
    bench = suspended(ESME)
    activate_unheard(bench, ESME)
    row = bench.inventory_row(ESME)
    assert (row["status"], row["firmware_version"]) == ("Suspended", f"{release(ESME, 0):08X}")
    assert bench.request(REGISTERS, ESME, TO_DEVICE).code == "E5"


APPLY = Activations._apply


def on_success_alone(
    self: Activations, turn: Turn, device: Device, activation: Activation | None, outcome: cs06.Outcome, cause: str
) -> None:
    """Take the version a device tells on success alone, as before MP105."""
    if outcome.code == cs06.OutcomeCode.SUCCESS:
        APPLY(self, turn, device, activation, outcome, cause)


@pytest.mark.requirement("MP105-R8", "MP105-R9", planted=patched(Activations, "_apply", on_success_alone))
@pytest.mark.parametrize("eui", [ESME, GSME])
@pytest.mark.parametrize("before", ["Suspended", "Commissioned"])
def test_the_response_of_a_repeated_activation_repairs(eui: Eui64, before: str) -> None:
    bench = suspended(eui) if before == "Suspended" else Bench()
    list_gsme(bench)
    activate_unheard(bench, eui)
    outcome_of(bench, bench.activate(eui, number=1), eui, 1, cs06.OutcomeCode.NO_IMAGE)
    row = bench.inventory_row(eui)
    assert (row["status"], row["firmware_version"]) == ("Commissioned", f"{release(eui, 1):08X}")


@pytest.mark.requirement("MP105-R8")
def test_with_the_switch_off_a_repeated_activation_repairs_nothing() -> None:
    bench = suspended(ESME, settings=DspSettings(use_activation_retry=False))
    activate_unheard(bench, ESME)
    outcome_of(bench, bench.activate(ESME, number=1), ESME, 1, cs06.OutcomeCode.NO_IMAGE)
    assert bench.inventory_row(ESME)["status"] == "Suspended"


@pytest.mark.requirement("MP105-R12")
def test_an_ihd_is_never_suspended_and_not_read() -> None:
    bench = Bench()
    assert bench.request(READ, IHD, TO_DEVICE).code == "E11"
    assert bench.inventory_row(IHD)["status"] is None


@pytest.mark.requirement("MP105-R13", "MP170-A3", "MP170-C27")
@pytest.mark.parametrize("eui", [PPMID, HCALCS, BRIDGE])
def test_without_secmp0007_small_devices_have_no_firmware_services(eui: Eui64) -> None:
    bench = Bench(settings=DspSettings(secmp0007=False))
    before = bench.store.dump()
    assert bench.request(READ, eui, TO_DEVICE).code == "E11"
    kind = Kind.BRIDGE1 if eui == BRIDGE else Kind.PPMID
    made = image(kind, 1, bench.parties)
    update = bodies.UpdatePpmidFirmware(
        firmware_image=made.encode(), firmware_version=f"{made.header.file_version:08X}", device_ids=(eui,)
    )
    assert bench.request(update).code == "E110403"
    if eui == HCALCS:
        assert bench.transform(HCALCS).code == "E11"
    assert bench.store.dump() == before
    assert Bench().request(READ, eui, TO_DEVICE).code == "I99"


@pytest.mark.requirement("MP105-R14", planted=patched(Validation, "eligible", all_pass))
def test_before_mp105_only_newer_firmware_recovers_a_meter() -> None:
    bench = suspended(ESME, settings=DspSettings(eligible=BEFORE_MP105, use_activation_retry=False))
    assert bench.request(READ, ESME, TO_DEVICE).code == "E5"
    activate_unheard(bench, ESME)
    outcome_of(bench, bench.activate(ESME, number=1), ESME, 1, cs06.OutcomeCode.NO_IMAGE)
    assert bench.inventory_row(ESME)["status"] == "Suspended"
    newer = image(Kind.ESME, 2, bench.parties)
    update = bodies.UpdateFirmware(
        firmware_image=newer.encode(), firmware_version=f"{newer.header.file_version:08X}", device_ids=(ESME,)
    )
    assert bench.request(update).code == "I99"
    outcome_of(bench, bench.activate(ESME, number=2), ESME, 2, cs06.OutcomeCode.SUCCESS)
    assert bench.inventory_row(ESME)["status"] == "Commissioned"


@pytest.mark.requirement("MP105-R16")
def test_any_number_of_repeated_activations_ends_in_one_state() -> None:
    bench = suspended(ESME)
    activate_unheard(bench, ESME)
    states = set()
    for _ in range(6):
        told = outcome_of(bench, bench.activate(ESME, number=1), ESME, 1, cs06.OutcomeCode.NO_IMAGE)
        row = bench.inventory_row(ESME)
        states.add((row["status"], row["firmware_version"], row["suspended_from"]))
        bench.later(MINUTE)
    assert states == {("Commissioned", f"{release(ESME, 1):08X}", None)}
    assert told.dcc_alerts() == [], "restored once, told once"
    changes = [r for r in bench.rows("inventory_history") if r["device"] == str(ESME) and r["field"] == "status"]
    assert [r["new"] for r in changes] == ["Commissioned", "Suspended", "Commissioned"]


# --- suspended, and told -------------------------------------------------------------------------------------------


def test_a_removed_entry_suspends_its_devices_and_tells_of_it() -> None:
    bench = Bench()
    told = remove(bench, ESME).dcc_alerts()
    assert [(user, code) for user, code in told if user == NETWORK_OPERATOR] == [(NETWORK_OPERATOR, "N28")] * 2
    assert bench.inventory_row(ESME)["suspended_from"] == "Commissioned"
    assert remove(bench, ESME, 1).dcc_alerts() == [], "nothing runs that version"
    back = remove(bench, ESME, status="Current")
    assert (SUPPLIER, "N29") in back.dcc_alerts()
    assert bench.inventory_row(ESME)["status"] == "Commissioned"


@pytest.mark.parametrize("eui", [ESME, GSME])
def test_a_suspended_device_that_leaves_keeps_no_status_to_return_to(eui: Eui64) -> None:
    bench = suspended(eui)
    assert bench.inventory_row(eui)["suspended_from"] == "Commissioned"
    assert bench.request(bodies.DecommissionDevice(device_id=eui)).code == "I99"
    row = bench.inventory_row(eui)
    assert (row["status"], row["suspended_from"]) == ("Decommissioned", None)


def test_a_status_before_commissioning_comes_back_too() -> None:
    installed = DeviceStatus.INSTALLED_NOT_COMMISSIONED
    bench = Bench(devices=[replace(d, status=installed) if d.device == ESME else d for d in estate()])
    remove(bench, ESME)
    bench.restart()
    remove(bench, ESME, status="Current")
    assert bench.inventory_row(ESME)["status"] == installed


def test_suspension_ends_what_was_to_come_but_not_what_may_restore() -> None:
    schedules = [Schedule(7, SUPPLIER, ESME, "4.1.1", 0), Schedule(8, NETWORK_OPERATOR, GSME, "4.1.1", 0)]
    bench = Bench(schedules=schedules)
    bench.request(bodies.ReadInstantaneousImportRegisters(execution_date_time=bench.now + DAY), ESME, TO_DEVICE)
    bench.accept(bench.activate(ESME, execution=bench.now + DAY))
    told = remove(bench, ESME).dcc_alerts()
    assert (SUPPLIER, "N5") in told
    assert (SUPPLIER, "N7") in told
    assert [row["schedule_id"] for row in bench.rows("schedules")] == [8]
    assert bench.rows("commands") == []
    assert [row["state"] for row in bench.rows("activations")] == ["scheduled"]
    assert [row["state"] for row in bench.rows("suppression_windows")] == ["armed"]


def test_what_a_table_says_of_the_codes_is_what_is_raised() -> None:
    """The codes stand in one table; another number there is another number on the line."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setitem(departures._ENDS, Trigger.PRODUCT_NOT_APPROVED, ("N4", "N36"))
        bench = Bench(schedules=[Schedule(7, SUPPLIER, ESME, "4.1.1", 0)])
        assert (SUPPLIER, "N4") in remove(bench, ESME).dcc_alerts()


# --- 4.1.1 ---------------------------------------------------------------------------------------------------------


def test_registers_are_read_and_the_answer_is_relayed_as_it_is() -> None:
    bench = Bench()
    command = bench.command_of(bench.request(REGISTERS, ESME, TO_DEVICE))
    asked = ecs17b.Command.decode(command.payload)
    assert (asked.originator, asked.target, asked.counter) == (SUPPLIER, ESME, command.counter)
    answered = bench.respond(command, b"\xda encrypted for the user", mac=True)
    assert [user for user, _ in answered.to_users] == [SUPPLIER]
    assert bench.rows("commands") == []


def test_a_hub_is_read_by_the_broker_and_a_dated_read_is_held() -> None:
    bench = Bench()
    dated = bodies.ReadFirmwareVersion(execution_date_time=bench.now + HOUR)
    assert bench.request(dated, HUB, TO_DEVICE).to_csp == []
    bench.later(HOUR)
    (row,) = bench.rows("commands")
    assert (row["held"], row["service"]) == (None, "11.2")
