"""Rules of 8.2, 8.4, 8.7 and 12.2, refereed by `hanlab verify` from the octets and rows of a recording."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.campaigns.verify import verify
from gateway.dsp import joins, variants
from gateway.dsp.answers import Answers
from gateway.dsp.effects import Turn
from gateway.dsp.inventory import Inventory
from gateway.dsp.inventory_reading import InventoryReading
from gateway.dsp.inventory_services import InventoryServices
from gateway.dsp.products import ProductsList
from gateway.dsp.records import Device
from gateway.dsp.services import RefusedError
from protocols.duis.inventory import DeviceStatus, PpmidVariant
from tests.support.requirements import patched
from tests.support.services_story import recorded


def holds(requirement: str, folder: Path) -> None:
    checks = [check for check in verify(recorded(folder)) if check.requirement == requirement]
    assert checks
    assert [check.evidence for check in checks if not check.passed] == []


def test_every_rule_is_shown_and_held(tmp_path: Path) -> None:
    assert [check for check in verify(recorded(tmp_path / "run")) if not check.passed] == []


def not_for_suspended(self: InventoryReading, *arguments: object) -> None:
    raise RefusedError("E5", "not now")


add = Inventory.add


def unpending(self: Inventory, turn: Turn, device: Device, cause: str) -> None:
    status = DeviceStatus.WHITELISTED if device.status is DeviceStatus.PENDING else device.status
    add(self, turn, replace(device, status=status), cause)


anybody = patched(InventoryServices, "_check_owner", staticmethod(lambda user, device: None))
any_status = patched(InventoryServices, "_check_supplier", lambda self, user, device: None)
bridges_join = patched(variants, "is_bridge", lambda device: False)


@pytest.mark.requirement("MP170-L2", planted=patched(InventoryReading, "read", not_for_suspended))
def test_8_2_answers_everybody(tmp_path: Path) -> None:
    holds("MP170-L2", tmp_path / "run")


@pytest.mark.requirement("MP170-L6", planted=patched(variants, "shown", lambda device, schema: None))
def test_8_2_has_the_variant_of_ppmids_alone(tmp_path: Path) -> None:
    holds("MP170-L6", tmp_path / "run")


@pytest.mark.requirement("MP170-L4")
def test_8_2_has_the_fields_of_each_type(tmp_path: Path) -> None:
    holds("MP170-L4", tmp_path / "run")


@pytest.mark.requirement("MP170-L11", planted=anybody)
def test_details_are_the_owners(tmp_path: Path) -> None:
    holds("MP170-L11", tmp_path / "run")


@pytest.mark.requirement("MP170-L14", planted=anybody)
def test_deletion_is_the_owners(tmp_path: Path) -> None:
    holds("MP170-L14", tmp_path / "run")


@pytest.mark.requirement("MP170-L15", planted=any_status)
def test_statuses_change_by_the_responsible_supplier(tmp_path: Path) -> None:
    holds("MP170-L15", tmp_path / "run")


@pytest.mark.requirement("MP170-L16", planted=any_status)
def test_statuses_of_hubs_change_by_the_responsible_supplier(tmp_path: Path) -> None:
    holds("MP170-L16", tmp_path / "run")


@pytest.mark.requirement("MP170-L25", planted=bridges_join)
def test_no_bridge_is_joined_to_a_meter(tmp_path: Path) -> None:
    holds("MP170-L25", tmp_path / "run")


@pytest.mark.requirement("MP170-L29", planted=bridges_join)
def test_no_meter_is_joined_to_a_bridge(tmp_path: Path) -> None:
    holds("MP170-L29", tmp_path / "run")


@pytest.mark.requirement("MP170-L30", planted=patched(variants, "prenotified", lambda kind, variant, schema: variant))
def test_12_2_has_the_variant_of_ppmids_alone(tmp_path: Path) -> None:
    holds("MP170-L30", tmp_path / "run")


@pytest.mark.requirement("MP170-L18", planted=patched(Answers, "dcc_alert", lambda self, *arguments: None))
def test_an_mpxn_is_changed_by_its_supplier_and_told_to_the_operator(tmp_path: Path) -> None:
    holds("MP170-L18", tmp_path / "run")


@pytest.mark.requirement("MP170-L19", planted=anybody)
def test_each_code_of_8_4_tells_its_fault(tmp_path: Path) -> None:
    holds("MP170-L19", tmp_path / "run")


@pytest.mark.requirement("MP170-L22", planted=patched(joins, "CRITICAL_PAIRS", {}))
def test_8_7_1_joins_its_pairs_and_no_others(tmp_path: Path) -> None:
    holds("MP170-L22", tmp_path / "run")


@pytest.mark.requirement("MP170-L31", planted=patched(ProductsList, "lists", lambda self, *product: True))
def test_12_2_is_of_a_product_on_the_list(tmp_path: Path) -> None:
    holds("MP170-L31", tmp_path / "run")


@pytest.mark.requirement("MP170-L32", planted=patched(Inventory, "device", lambda self, eui: None))
def test_12_2_of_an_identifier_in_use_is_refused(tmp_path: Path) -> None:
    holds("MP170-L32", tmp_path / "run")


@pytest.mark.requirement("MP170-L33", planted=patched(Inventory, "add", unpending))
def test_12_2_makes_devices_of_any_user_pending(tmp_path: Path) -> None:
    holds("MP170-L33", tmp_path / "run")


@pytest.mark.requirement("MP170-C6", planted=bridges_join)
def test_bridges_are_neither_joined_nor_unjoined(tmp_path: Path) -> None:
    holds("MP170-C6", tmp_path / "run")


@pytest.mark.requirement(
    "MP170-C2", "MP170-C4", "MP170-P1", planted=patched(variants, "prenotified", lambda *_: PpmidVariant.PPMID)
)
def test_8_2_tells_the_variant_of_12_2(tmp_path: Path) -> None:
    holds("MP170-C4", tmp_path / "run")


@pytest.mark.requirement("MP170-C5", planted=patched(variants, "amended", lambda device, variant: device.variant))
def test_8_2_tells_the_variant_of_8_4(tmp_path: Path) -> None:
    holds("MP170-C5", tmp_path / "run")
