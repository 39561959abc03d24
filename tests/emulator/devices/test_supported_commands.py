"""Every command that the table of use cases allows to a kind of device is carried out by the device of that kind."""

import pytest

from emulator.devices.alt_han_bridge import AltHanBridge
from emulator.devices.esme import Esme
from emulator.devices.gsme import Gsme
from emulator.devices.hcalcs import Hcalcs
from emulator.devices.ppmid import Ppmid
from emulator.parts.gbcs_entity import AUTHORISING_ROLES, DeviceKind
from emulator.parts.updatable import UpdatableDevice
from emulator.power import Mains, Supply
from firmware_images import product
from protocols.addresses import Eui64
from protocols.gbcs.use_cases.table import USE_CASES
from protocols.ota.image import Kind
from protocols.stack.settings import NodeRole
from tests.support.hub_bench import CHF, GPF, HubBench
from tests.support.hub_side import HubSide

DEVICE = Eui64(0x00DB1234567890A0)
KINDS = [Kind.ESME, Kind.GSME, Kind.HCALCS, Kind.PPMID, Kind.BRIDGE1, Kind.BRIDGE4]
CLASSES: dict[Kind, type[UpdatableDevice]] = {Kind.GSME: Gsme, Kind.HCALCS: Hcalcs, Kind.PPMID: Ppmid}


def wanted(kind: DeviceKind) -> set[int]:
    return {
        code for code, row in USE_CASES.items() if row.module is not None and any(kind in a.devices for a in row.access)
    }


def made(kind: Kind) -> UpdatableDevice:
    hub = HubSide()
    parts = hub.parts(DEVICE, NodeRole.ROUTER, product(kind))
    if kind is Kind.ESME:
        return Esme(mains=Mains(hub.clock).supply, dc_out=Supply(), **parts)
    return CLASSES.get(kind, AltHanBridge)(**parts)


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_carries_out_what_its_kind_is_allowed(kind: Kind) -> None:
    device = made(kind)
    assert wanted(device.gbcs_kind) <= set(device.gbcs.supported)


@pytest.mark.requirement("MP170-C16")
def test_a_bridge_is_a_ppmid_to_gbcs() -> None:
    """MP170-C16: the bridge implements CS08 and CS09."""
    assert made(Kind.BRIDGE1).gbcs_kind is made(Kind.PPMID).gbcs_kind is DeviceKind.PPMID
    assert set(made(Kind.BRIDGE1).gbcs.supported) == set(made(Kind.PPMID).gbcs.supported)


def test_chf_and_gpf_carry_out_what_their_kinds_are_allowed() -> None:
    bench = HubBench(with_gpf=True)
    bench.hub.start()
    assert wanted(DeviceKind.CHF) <= set(bench.hub.supported[CHF])
    assert wanted(DeviceKind.GPF) <= set(bench.hub.supported[GPF])


def test_the_modes_of_cs02b_name_roles_of_the_table() -> None:
    for code, role in AUTHORISING_ROLES.items():
        originators = {access.originator for access in USE_CASES[code].access}
        assert role in originators
