"""Whom the devices of a home trust, as it is built."""

import pytest

from emulator.home.builder import Home
from emulator.parts.updatable import UpdatableDevice
from protocols.gbcs.smki import RemotePartyRole
from tests.support.keyed_home import KeyedHome
from tests.support.requirements import patched

ACB, SUPPLIER, OPERATOR = (
    RemotePartyRole.ACCESS_CONTROL_BROKER, RemotePartyRole.SUPPLIER, RemotePartyRole.NETWORK_OPERATOR,
)  # fmt: skip


def trusted(home: KeyedHome) -> dict[str, set[RemotePartyRole]]:
    """Return the roles of the cells of each device that has any, but the root's."""
    found = {}
    for device in home.home.devices:
        if isinstance(device.device, UpdatableDevice):
            cells = device.device.entity.anchors.cells()
            found[device.name] = {RemotePartyRole(cell.role) for cell in cells} - {RemotePartyRole.ROOT}
    return found


def trusting_all(home: Home, *arguments: object) -> object:
    """Build a bridge as a meter is built."""
    eui, storage, _ = arguments
    return _entity(home, eui, storage, home._around.meter_anchors)  # type: ignore[arg-type]


_entity = Home._entity


@pytest.mark.requirement("MP170-A13", planted=patched(Home, "_entity", trusting_all))
def test_bridges_and_ppmid_hold_the_brokers_anchors_and_no_others() -> None:
    roles = trusted(KeyedHome())
    assert {name for name, held in roles.items() if held == {ACB}} == {"ppmid", "bridge-1", "bridge-3"}
    assert all(held >= {SUPPLIER, OPERATOR, ACB} for name, held in roles.items() if name in ("esme", "gsme"))
