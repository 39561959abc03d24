"""The state machine of the inventory: the whole matrix of types, statuses and triggers, on the table and on octets."""

from dataclasses import replace
from itertools import product

import pytest

from gateway.dsp import inventory_services, statuses
from gateway.dsp.effects import Turn
from gateway.dsp.inventory import Inventory
from gateway.dsp.records import Device
from gateway.dsp.statuses import GPF_FOLLOWS, TRANSITIONS, WITH_STATUS, Trigger, allowed
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.inventory import DeviceStatus as Status
from protocols.duis.inventory import DeviceType as Type
from protocols.duis.inventory import PpmidVariant
from protocols.errors import InputError, UsageError
from tests.support.dsp_bench import (
    ESME,
    ESME_2,
    GPF,
    GSME,
    HCALCS,
    HUB,
    IHD,
    OTHER_ESME,
    OTHER_HUB,
    PPMID,
    Bench,
    estate,
)
from tests.support.parties import OTHER_SUPPLIER, SUPPLIER
from tests.support.requirements import patched

EUIS = {Type.ESME: ESME, Type.GSME: GSME, Type.HCALCS: HCALCS, Type.PPMID: PPMID, Type.CHF: HUB, Type.GPF: GPF}
SETTLED = [status for status in Status if status is not Status.RECOVERED]
P, W, I, C = Status.PENDING, Status.WHITELISTED, Status.INSTALLED_NOT_COMMISSIONED, Status.COMMISSIONED  # noqa: E741


class Everything(frozenset[object]):
    """A table in which every change stands."""

    def __contains__(self, row: object) -> bool:
        return True


ANYTHING_GOES = patched(statuses, "_ALLOWED", Everything())
GPF_STAYS = patched(inventory_services, "GPF_FOLLOWS", {change: {} for change in GPF_FOLLOWS})


def bench_with(eui: Eui64, status: Status, **changes: Status) -> Bench:
    return Bench(devices=[replace(d, status=status, **changes) if d.device == eui else d for d in estate()])  # type: ignore[arg-type]


# --- the table -----------------------------------------------------------------------------------------------------


def test_the_table_is_what_the_inventory_obeys() -> None:
    """Every change of every type by every trigger: carried out if the table has the row, a UsageError otherwise."""
    wanted = {(row.trigger, k, s, row.target) for row in TRANSITIONS for k in row.types for s in row.sources}
    bench = Bench()
    inventory: Inventory = bench.dsp.inventory
    base = {each.type: each for each in estate()}
    seen = 0
    for trigger, kind, source, target in product(Trigger, WITH_STATUS, SETTLED, Status):
        device = replace(base[kind], status=source, hub=None, mpxn=None)
        inventory.watchers.clear()
        inventory.add(Turn(0), device, "test")
        if (trigger, kind, source, target) in wanted:
            changed = inventory.set_status(Turn(0), device, trigger, target, "test")
            assert changed.status is target
            seen += 1
        else:
            with pytest.raises(UsageError, match="does not make"):
                inventory.set_status(Turn(0), device, trigger, target, "test")
    assert seen == len([row for row in wanted if row[2] in SETTLED])


def test_types_without_a_status_stand_in_no_row() -> None:
    assert {kind for row in TRANSITIONS for kind in row.types} == set(Type) - {Type.IHD, Type.CAD}


def test_what_a_hub_does_to_its_gpf_is_in_the_table_too() -> None:
    hub_rows = [row for row in TRANSITIONS if row.trigger is Trigger.HUB_STATUS_UPDATE]
    assert set(GPF_FOLLOWS) == {(source, row.target) for row in hub_rows for source in row.sources}
    for follows in GPF_FOLLOWS.values():
        assert all(allowed(Trigger.WITH_ITS_HUB, Type.GPF, old, new) for old, new in follows.items())


def test_every_row_leads_somewhere_else() -> None:
    assert all(row.target not in row.sources for row in TRANSITIONS)


# --- 8.4 on octets: the matrix -------------------------------------------------------------------------------------


@pytest.mark.requirement("MP170-L15", "MP170-L19", planted=ANYTHING_GOES)
@pytest.mark.parametrize("kind", [Type.ESME, Type.GSME, Type.HCALCS, Type.PPMID])
def test_8_4_changes_other_devices_by_two_rows_alone(kind: Type) -> None:
    eui = EUIS[kind]
    for source, target in product(SETTLED, (P, I)):
        bench = bench_with(eui, source)
        change = bodies.UpdateInventory(device_id=eui, change=bodies.UpdateDeviceStatusExceptCh(target))
        passes = (source, target) in ((P, I), (W, P))
        assert bench.request(change).code == ("I99" if passes else "E080406"), (source, target)
        assert bench.inventory_row(eui)["status"] == (target if passes else source)


def applies_to_all(trigger: Trigger, kind: Type) -> bool:
    return True


@pytest.mark.requirement("MP170-L19", planted=patched(inventory_services, "applies", applies_to_all))
def test_8_4_tells_of_types_it_does_not_apply_to() -> None:
    bench = Bench()
    for eui in (HUB, GPF, IHD):
        body = bodies.UpdateInventory(device_id=eui, change=bodies.UpdateDeviceStatusExceptCh(P))
        assert bench.request(body).code == "E080405"
    for eui in (ESME, GPF, PPMID, IHD):
        body = bodies.UpdateInventory(device_id=eui, change=bodies.UpdateDeviceStatusCh(C))
        assert bench.request(body).code == "E080411"


HUB_MATRIX = {(P, I): I, (P, C): I, (I, C): None, (C, Status.WITHDRAWN): Status.WITHDRAWN}
"""From, to: what becomes of the GPF that was Pending, or Commissioned at the end; None: nothing."""


@pytest.mark.requirement("MP170-L16", planted=GPF_STAYS)
@pytest.mark.requirement("MP170-L19")
def test_8_4_changes_a_hub_and_its_gpf_by_four_rows_alone() -> None:
    for source, target in product(SETTLED, (C, I, Status.WITHDRAWN)):
        gpf = P if source is P else C
        devices = [
            replace(d, status=source) if d.device == HUB else replace(d, status=gpf) if d.device == GPF else d
            for d in estate()
        ]
        bench = Bench(devices=devices)
        change = bodies.UpdateInventory(device_id=HUB, change=bodies.UpdateDeviceStatusCh(target))
        passes = (source, target) in HUB_MATRIX
        assert bench.request(change).code == ("I99" if passes else "E080412"), (source, target)
        assert bench.inventory_row(HUB)["status"] == (target if passes else source)
        expected = HUB_MATRIX.get((source, target)) or gpf
        assert bench.inventory_row(GPF)["status"] == expected, (source, target)


def no_gpf(self: inventory_services.InventoryServices, device: Device) -> list[Device]:
    """Forget the GPF of a hub."""
    return []


@pytest.mark.requirement("MP170-L13", planted=patched(inventory_services.InventoryServices, "_gpf_of", no_gpf))
def test_what_changes_a_hub_changes_its_gpf() -> None:
    devices = [replace(d, status=P, model="C0010101") if d.device in (HUB, GPF) else d for d in estate()]
    bench = Bench(devices=devices)
    bench.list_hub_products()
    details = bodies.UpdateDeviceDetails(firmware_version="0C000001")
    assert bench.request(bodies.UpdateInventory(device_id=HUB, change=details)).code == "I99"
    assert {bench.inventory_row(eui)["firmware_version"] for eui in (HUB, GPF)} == {"0C000001"}
    assert bench.request(bodies.UpdateInventory(device_id=HUB, change=bodies.DeleteDevice())).code == "I99"
    assert not {row["device"] for row in bench.rows("inventory")} & {str(HUB), str(GPF)}


def not_judged(device: Device) -> Status | None:
    return device.status


@pytest.mark.requirement("MP170-L20", planted=patched(Inventory, "judged", staticmethod(not_judged)))
def test_a_recovered_device_is_judged_by_its_status_before_recovery() -> None:
    bench = Bench()
    withdraw = bodies.UpdateInventory(device_id=HUB, change=bodies.UpdateDeviceStatusCh(Status.WITHDRAWN))
    bench.run(bench.dsp.recover([HUB], bench.now, complete=False))
    assert bench.inventory_row(HUB)["status"] == "Recovery"
    assert bench.request(withdraw).code == "E080412", "under recovery it has no such change"
    outcome = bench.run(bench.dsp.recover([HUB], bench.now, complete=True))
    assert "N31" in {code for _, code in outcome.dcc_alerts()}
    assert bench.inventory_row(HUB)["status"] == "Recovered"
    bench.restart()
    commission = bodies.UpdateInventory(device_id=HUB, change=bodies.UpdateDeviceStatusCh(C))
    assert bench.request(commission).code == "E080412", "it was Commissioned"
    assert bench.request(withdraw).code == "I99"
    assert bench.inventory_row(HUB)["status"] == "Withdrawn"


def test_a_recovery_of_a_device_that_cannot_be_is_refused_whole() -> None:
    bench = Bench()
    before = bench.store.dump()
    for euis in ([ESME, IHD], [ESME, Eui64(1)], [ESME, PPMID]):
        with pytest.raises(InputError, match="recovery: "):
            bench.dsp.recover(euis, bench.now, complete=False)
    with pytest.raises(InputError, match="Commissioned"):
        bench.dsp.recover([ESME], bench.now, complete=True)
    assert bench.store.dump() == before


# --- who -----------------------------------------------------------------------------------------------------------


def anybody(self: inventory_services.InventoryServices, user: Eui64, device: Device) -> None:
    """Let anybody change anything."""


@pytest.mark.requirement("MP170-L15", planted=patched(inventory_services.InventoryServices, "_check_supplier", anybody))
def test_only_the_responsible_supplier_changes_a_status() -> None:
    bench = bench_with(ESME, P)
    change = bodies.UpdateInventory(device_id=ESME, change=bodies.UpdateDeviceStatusExceptCh(I))
    assert bench.request(change, user=OTHER_SUPPLIER).code == "E4"
    hub = bodies.UpdateInventory(device_id=HUB, change=bodies.UpdateDeviceStatusCh(Status.WITHDRAWN))
    assert bench.request(hub, user=OTHER_SUPPLIER).code == "E4"
    assert bench.request(change, user=SUPPLIER).code == "I99"


def test_the_table_names_every_trigger() -> None:
    assert {row.trigger for row in TRANSITIONS} == set(Trigger)
    assert statuses.applies(Trigger.CLOCK_SET, Type.ESME)
    assert not statuses.applies(Trigger.CLOCK_SET, Type.PPMID)


def test_a_variant_older_than_the_schema_can_be_corrected_at_any_status() -> None:
    """MP170-D5, the administrator's way; test_inventory_rules has the owner's."""
    devices = [replace(d, variant=None) if d.device == PPMID else d for d in estate() if d.device != ESME_2]
    bench = Bench(devices=devices)
    bench.run(bench.dsp.correct_variant(PPMID, "AltHAN Bridge 2", bench.now))
    assert bench.inventory_row(PPMID)["variant"] == PpmidVariant.ALT_HAN_BRIDGE_2
    with pytest.raises(InputError, match="one of PPMID, AltHAN Bridge 1"):
        bench.dsp.correct_variant(PPMID, "Bridge 2", bench.now)
    for eui in (OTHER_ESME, OTHER_HUB, Eui64(1)):
        with pytest.raises(InputError, match="no PPMID"):
            bench.dsp.correct_variant(eui, "PPMID", bench.now)
