"""Devices that join and live quietly."""

import pytest

from emulator.devices.cad import Cad
from emulator.devices.ihd import Ihd
from emulator.parts.quiet import QuietDevice
from emulator.storage import MemoryStorage
from firmware_images import product
from protocols.addresses import Eui64
from protocols.interfaces import HOUR, MINUTE, Joined, Rejoined
from protocols.ota.image import Kind
from protocols.stack.settings import NodeRole
from tests.support.hub_side import HUB, KEY, HubSide

DEVICE = Eui64(0x00DB1234567890B0)


def installed(hub: HubSide, make: type[QuietDevice]) -> QuietDevice:
    parts = hub.parts(DEVICE, NodeRole.END_DEVICE, product(Kind.GSME), storage=MemoryStorage())
    device = make(
        name=parts["name"],
        node=parts["node"],
        clock=parts["clock"],
        wall=parts["wall"],
        storage=parts["storage"],
        entropy=parts["entropy"],
        recorder=parts["recorder"],
    )
    hub.admit(DEVICE)
    device.start(KEY)
    hub.run(MINUTE)
    return device


@pytest.mark.parametrize(("make", "shown"), [(Ihd, 0x0502), (Cad, 0x0502)])
def test_it_joins_shows_itself_and_comes_back(make: type[QuietDevice], shown: int) -> None:
    hub = HubSide()
    device = installed(hub, make)
    assert device.hub == HUB
    assert (device.application.endpoint.device, device.firmware_version) == (shown, 0)
    device.power_off()
    hub.run(MINUTE)
    device.power_on()
    hub.run(HOUR)
    assert hub.arrivals == [Joined(DEVICE), Rejoined(DEVICE)]


@pytest.mark.requirement("SM7-R6")
def test_an_ihd_offers_no_tunnel_and_asks_for_no_image() -> None:
    hub = HubSide()
    installed(hub, Ihd)
    hub.run(HOUR)
    assert hub.tunnels == {}
    assert hub.ota_effects == []
