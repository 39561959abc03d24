"""8.11 Remove and its effects, metering points of 8.11 Add, 8.12.1, and what CS14 adds to them."""

from dataclasses import replace

import pytest

from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.alerts import PpmidRemoval
from protocols.duis.bodies import RequestType
from protocols.duis.inventory import DeviceStatus
from protocols.duis.requests import CommandVariant
from protocols.duis.responses import DccAlertMessage
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.device_log import HashedKey, LogBackup
from protocols.gbcs.use_cases import ccs01, ccs02, ccs03, cs14
from protocols.interfaces import DAY, MINUTE
from tests.support.dsp_bench import (
    BRIDGE,
    ESME,
    GPF,
    GSME,
    HCALCS,
    HUB,
    IHD,
    MPAN,
    MPAN_2,
    OTHER_HUB,
    OTHER_MPAN,
    PPMID,
    Bench,
    Outcome,
    estate,
)
from tests.support.parties import BROKER, OTHER_SUPPLIER, SUPPLIER

TO_DEVICE = CommandVariant.TO_DEVICE
PAN = Eui64(0x0001020304050607)


def remove(bench: Bench, eui: Eui64) -> Outcome:
    return bench.request(bodies.UpdateHanDeviceLog(device_id=eui, request_type=RequestType.REMOVE), HUB, TO_DEVICE)


def tell_log(bench: Bench, keys: dict[Eui64, bytes], hub: Eui64 = HUB) -> Outcome:
    """Send CS14 of a hub."""
    log = LogBackup(bench.now, PAN, tuple(HashedKey(eui, key_hash) for eui, key_hash in keys.items()))
    counter = bench.alert_message(hub, cs14.MESSAGE_CODE, BROKER, b"").counter
    payload = cs14.Alert(bench.now, log, counter=counter).encode()
    message = bench.alert_message(hub, cs14.MESSAGE_CODE, BROKER, payload)
    return bench.device_message(replace(message, counter=counter), hub, mac=True)


def removed(bench: Bench, sent: Outcome, result: AccessResult = AccessResult.SUCCESS) -> Outcome:
    command = bench.command_of(sent)
    return bench.respond(command, ccs02.Response(result, command.counter).encode(), mac=True)


# --- Remove --------------------------------------------------------------------------------------------------------


def test_a_device_is_removed_on_behalf_of_its_supplier() -> None:
    bench = Bench()
    command = bench.command_of(remove(bench, PPMID))
    assert (command.originator, command.target, command.message_code) == (BROKER, HUB, 0x0002)
    assert command.supplementary_party == SUPPLIER
    assert ccs02.Command.decode(command.payload).device == PPMID


@pytest.mark.parametrize(
    ("eui", "before", "after"),
    [
        (PPMID, DeviceStatus.WHITELISTED, "Pending"),
        (PPMID, DeviceStatus.COMMISSIONED, "Commissioned"),
        (ESME, DeviceStatus.COMMISSIONED, "Commissioned"),
        (HCALCS, DeviceStatus.INSTALLED_NOT_COMMISSIONED, "InstalledNotCommissioned"),
        (IHD, None, None),
    ],
)
def test_what_the_hub_removed_loses_its_hub(eui: Eui64, before: DeviceStatus | None, after: str | None) -> None:
    bench = Bench(devices=[replace(d, status=before) if d.device == eui else d for d in estate()])
    answered = removed(bench, remove(bench, eui))
    assert (SUPPLIER, "N24") in answered.dcc_alerts()
    row = bench.inventory_row(eui)
    assert (row["status"], row["hub"]) == (after, None)
    assert ((SUPPLIER, "N43") in answered.dcc_alerts()) is (eui == PPMID)
    assert bench.request(bodies.ReadFirmwareVersion(), PPMID, TO_DEVICE).code in ("I99", "E5", "E20")


def test_a_removed_ppmid_is_told_once() -> None:
    bench = Bench()
    answered = removed(bench, remove(bench, PPMID))
    removals = [r.body.alert for _, r in answered.to_users if isinstance(r.body, DccAlertMessage)]
    assert PpmidRemoval(ppmid_device_id=PPMID, chf_device_id=HUB) in removals
    rest = {d.device: b"" for d in estate() if d.hub == HUB and d.device not in (PPMID, GPF)}
    assert tell_log(bench, rest).dcc_alerts() == []


def test_a_removal_that_failed_or_is_not_answered_changes_nothing() -> None:
    bench = Bench()
    assert removed(bench, remove(bench, PPMID), AccessResult.OTHER_REASON).dcc_alerts() == [(SUPPLIER, "N25")]
    remove(bench, PPMID)
    bench.now += bench.settings.response_timeout
    outcome = bench.run(bench.dsp.wake(bench.now))
    assert [response.response_code for _, response in outcome.to_users] == ["E21", "I0"]
    assert outcome.dcc_alerts() == [(SUPPLIER, "N25")]
    assert bench.inventory_row(PPMID)["hub"] == str(HUB)


def test_a_dated_removal_is_held() -> None:
    bench = Bench()
    body = bodies.UpdateHanDeviceLog(
        execution_date_time=bench.now + DAY, device_id=PPMID, request_type=RequestType.REMOVE
    )
    assert bench.request(body, HUB, TO_DEVICE).to_csp == []
    bench.at(bench.now + DAY)
    assert [row["held"] for row in bench.rows("commands")] == [None]


# --- Add -----------------------------------------------------------------------------------------------------------


def test_metering_points_of_the_addition_are_recorded_once_the_hub_has_the_meter() -> None:
    new = {"status": DeviceStatus.PENDING, "hub": None, "mpxn": None}
    bench = Bench(devices=[replace(d, **new) if d.device == ESME else d for d in estate()])  # type: ignore[arg-type]
    add = bodies.AddDeviceToChfWhitelist(
        join_time_period=60, install_code=bytes(16), import_mpxn=MPAN, secondary_import_mpan=MPAN_2,
        export_mpan=OTHER_MPAN,
    )  # fmt: skip
    body = bodies.UpdateHanDeviceLog(device_id=ESME, request_type=RequestType.ADD, add=add)
    for wrong in (GSME, PPMID):
        other = [replace(d, status=DeviceStatus.PENDING) if d.device == wrong else d for d in estate()]
        assert Bench(devices=other).request(replace(body, device_id=wrong), HUB, TO_DEVICE).code == "E081108"
    command = bench.command_of(bench.request(body, HUB, TO_DEVICE))
    bench.restart()
    bench.respond(command, ccs01.Response(counter=command.counter).encode(), mac=True)
    row = bench.inventory_row(ESME)
    assert (row["mpxn"], row["secondary_mpan"], row["export_mpan"]) == (MPAN, MPAN_2, OTHER_MPAN)
    assert (row["status"], row["hub"]) == ("Whitelisted", str(HUB))


def test_a_lost_response_is_made_good_by_the_hubs_own_word() -> None:
    pending = DeviceStatus.PENDING
    bench = Bench(devices=[replace(d, status=pending, hub=None) if d.device == PPMID else d for d in estate()])
    tell_log(bench, {PPMID: b""})
    assert (bench.inventory_row(PPMID)["status"], bench.inventory_row(PPMID)["hub"]) == ("Whitelisted", str(HUB))
    bench.later(MINUTE)
    tell_log(bench, {PPMID: bytes(16)})
    row = bench.inventory_row(PPMID)
    assert (row["status"], row["joined"]) == ("InstalledNotCommissioned", bench.now)
    rows = [r for r in bench.rows("inventory_history") if r["device"] == str(PPMID) and r["field"] == "status"]
    history = [r["new"] for r in rows]
    assert history == ["Pending", "Whitelisted", "InstalledNotCommissioned"]


def test_another_key_is_another_join_and_changes_no_status() -> None:
    bench = Bench()
    tell_log(bench, {PPMID: bytes(16)})
    first = bench.inventory_row(PPMID)["joined"]
    bench.later(MINUTE)
    tell_log(bench, {PPMID: bytes(16)})
    assert bench.inventory_row(PPMID)["joined"] == first
    tell_log(bench, {PPMID: bytes(15) + b"\x01"})
    row = bench.inventory_row(PPMID)
    assert (row["joined"], row["status"]) == (bench.now, "InstalledNotCommissioned")


# --- 8.12.1 --------------------------------------------------------------------------------------------------------


def restore(bench: Bench, old: Eui64 = HUB, *, user: Eui64 = SUPPLIER) -> Outcome:
    return bench.request(bodies.RestoreHanDeviceLog(old_chf_id=old), OTHER_HUB, TO_DEVICE, user=user)


KEYS = {ESME: bytes(range(16)), PPMID: bytes(range(16, 32)), BRIDGE: b""}


def test_the_log_of_a_hub_goes_to_the_one_that_replaces_it() -> None:
    bench = Bench()
    tell_log(bench, KEYS)
    bench.restart()
    command = bench.command_of(restore(bench))
    assert (command.originator, command.target, command.message_code) == (BROKER, OTHER_HUB, 0x0003)
    asked = ccs03.Command.decode(command.payload)
    assert asked.extended_pan_id == PAN
    assert {key.device: key.key_hash for key in asked.keys} == KEYS
    bench.respond(command, ccs03.Response(counter=command.counter).encode(), mac=True, hub=OTHER_HUB)
    assert {str(bench.inventory_row(eui)["hub"]) for eui in KEYS} == {str(OTHER_HUB)}
    assert bench.inventory_row(GPF)["hub"] == str(HUB), "each hub has a GPF of its own"
    assert bench.inventory_row(ESME)["status"] == "Commissioned"


def test_a_restoration_that_failed_moves_nothing() -> None:
    bench = Bench()
    tell_log(bench, KEYS)
    command = bench.command_of(restore(bench))
    failed = ccs03.Response(AccessResult.OTHER_REASON, command.counter)
    bench.respond(command, failed.encode(), mac=True, hub=OTHER_HUB)
    assert bench.inventory_row(ESME)["hub"] == str(HUB)


def test_a_restoration_from_nowhere_is_refused() -> None:
    bench = Bench()
    tell_log(bench, KEYS)
    before = bench.store.dump()
    for old, user, code in (
        (Eui64(1), SUPPLIER, "E19"), (ESME, SUPPLIER, "E11"), (HUB, OTHER_SUPPLIER, "E4"), (OTHER_HUB, SUPPLIER, "E47"),
    ):  # fmt: skip
        assert restore(bench, old, user=user).code == code
    assert bench.store.dump() == before


def test_no_hash_of_a_key_is_told_in_notes() -> None:
    """It is what a device comes back under after a hub was replaced."""
    bench = Bench()
    turns = [tell_log(bench, KEYS).turn, restore(bench).turn]
    notes = [repr(effect) for turn in turns for effect in turn.effects if type(effect).__name__ == "Note"]
    assert not [note for note in notes if KEYS[PPMID].hex() in note or repr(KEYS[PPMID]) in note]
