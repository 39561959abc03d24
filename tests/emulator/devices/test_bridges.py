"""What only bridges do: bridge 4 minds its battery, and all of them activate when nobody needs them."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.clock import OffsetWallClock, VirtualClock
from emulator.devices.alt_han_bridge import AltHanBridge, BridgeSettings
from emulator.parts.battery import Battery, BatterySettings
from emulator.parts.self_activating import SelfActivatingDevice
from emulator.storage import MemoryStorage
from firmware_images import product
from gateway.assembly.images import FULL_SIZE
from protocols.addresses import Eui64
from protocols.gbcs.use_cases import cs09
from protocols.gbcs.use_cases.ccs08 import TransferCode
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND, ActiveEndpoints
from protocols.ota.image import Kind
from protocols.zcl.frame import ZclStatus
from tests.support.broker import Broker
from tests.support.hub_bench import PPMID_TYPE, HubBench, acb, delivery, eui, image_of
from tests.support.keyed_home import KeyedHome
from tests.support.requirements import patched

DEVICE = eui(1)
BRIDGES = (Kind.BRIDGE1, Kind.BRIDGE2, Kind.BRIDGE3, Kind.BRIDGE4)
CELL = BatterySettings()


def bench_with(
    charge: int | None, put_off_status: ZclStatus | None = ZclStatus.INSUFFICIENT_SPACE
) -> tuple[HubBench, AltHanBridge]:
    bench = HubBench()
    bench.hub.start()
    bench.add_to_log(DEVICE, PPMID_TYPE)
    parts = bench.parts(DEVICE, Kind.BRIDGE4, acb())
    bridge = AltHanBridge(bridge_settings=BridgeSettings(charge=charge, put_off_status=put_off_status), **parts)
    bridge.start()
    bench.run(60)
    return bench, bridge


# --- battery -------------------------------------------------------------------------------------------------------


def test_a_battery_drains_by_itself_and_by_work() -> None:
    clock = VirtualClock(DAY)
    battery = Battery(MemoryStorage(), OffsetWallClock(clock), CELL)
    clock.run_for(100 * HOUR)
    assert battery.charge == CELL.full - 100 * CELL.standing
    battery.spend(battery.cost(1_000))
    assert battery.charge == CELL.full - 100 * CELL.standing - CELL.thousand_octets - CELL.activation
    battery.replace()
    assert battery.charge == CELL.full


@given(st.integers(0, CELL.full), st.integers(0, FULL_SIZE))
def test_after_an_update_it_affords_a_device_lasts_its_reserve(charge: int, size: int) -> None:
    clock = VirtualClock(DAY)
    battery = Battery(MemoryStorage(), OffsetWallClock(clock), CELL, charge)
    if battery.affords(size):
        battery.spend(battery.cost(size))
        clock.run_for(CELL.reserve - HOUR)
        assert battery.charge > 0
    else:
        assert charge < battery.cost(size) + CELL.standing * CELL.reserve // HOUR


def test_a_full_bridge_4_affords_two_of_the_largest_images_a_year_for_ten_years() -> None:
    clock = VirtualClock(DAY)
    battery = Battery(MemoryStorage(), OffsetWallClock(clock), CELL)
    for _ in range(20):
        assert battery.affords(FULL_SIZE)
        battery.spend(battery.cost(FULL_SIZE))
        clock.run_for(182 * DAY)


@pytest.mark.parametrize("status", [ZclStatus.INSUFFICIENT_SPACE, None], ids=["told to the hub", "silent"])
def test_an_update_that_would_strand_bridge_4_is_put_off_and_told_until_there_is_a_new_battery(
    status: ZclStatus | None,
) -> None:
    """If the bridge answers the offer the supplier hears of it by 8F89, once, and sends again; else it comes later."""
    bench, bridge = bench_with(charge=CELL.standing * CELL.reserve // HOUR + 1_000, put_off_status=status)
    failed = [] if status is None else [TransferCode.TRANSFER_FAILED]
    old = bridge.firmware_version
    bench.down(delivery("a:b:1", image_of(Kind.BRIDGE4, size=6_000), DEVICE))
    bench.run(3 * 3600)
    assert (bridge.firmware_version, [alert.code for alert in bench.transfer_alerts()]) == (old, failed)
    (told,) = bench.notes.of("update-put-off", bridge.name)
    assert told["version"] == f"{bridge.product.versions[1]:08X}"
    assert isinstance(told["charge"], int)
    assert isinstance(told["cost"], int)
    assert told["charge"] - told["cost"] < told["kept_back"]  # type: ignore[operator]
    assert bridge.cell is not None
    bridge.cell.replace()
    if status is not None:
        bench.down(delivery("a:b:2", image_of(Kind.BRIDGE4, size=6_000), DEVICE))
    bench.run(2 * 3600)
    assert bridge.firmware_version == bridge.product.versions[1]
    assert [alert.code for alert in bench.transfer_alerts()] == [*failed, TransferCode.TRANSFERRED]
    assert [m.message_code for m in bench.messages_up(DEVICE)].count(cs09.MESSAGE_CODE) == 1


@pytest.mark.parametrize("kind", [Kind.BRIDGE1, Kind.BRIDGE2, Kind.BRIDGE3])
def test_the_other_bridges_live_on_the_mains(kind: Kind) -> None:
    bench = HubBench()
    bench.hub.start()
    bridge = bench.bridge(DEVICE, kind)
    assert (bridge.battery, bridge.cell) == (False, None)
    assert bridge.affords_update(1, FULL_SIZE)


@pytest.mark.requirement(
    "MP170-R1", "MP170-A1", planted=patched(AltHanBridge, "check_image", lambda self, version, file: None)
)
@pytest.mark.parametrize("kind", BRIDGES)
def test_each_of_the_four_products_takes_its_own_image_and_no_other(kind: Kind) -> None:
    bench = HubBench()
    bench.hub.start()
    bridge = bench.bridge(DEVICE, kind)
    files = {other: image_of(other) for other in BRIDGES}
    assert len({hashlib.sha256(file).digest() for file in files.values()}) == len(BRIDGES)
    taken = [other for other in BRIDGES if bridge.check_image(product(other).versions[1], files[other]) is None]
    assert taken == [kind]


# --- the quiet moment ----------------------------------------------------------------------------------------------


def updated_while(busy: int) -> tuple[int, int]:
    """Update bridge 1 while frames pass through it each second for `busy` seconds after its download.

    Returns how long after its download it went off, and for how long what hangs behind it was out of reach, in s.
    """
    home = KeyedHome("bridge-1", "bridge-3").run_till_keyed(within=600)
    home.run(60)
    broker, bridge = Broker(home), home.updatable("bridge-1")
    broker.deliver(image_of(Kind.BRIDGE1, size=4_000), bridge.node.eui)
    home.run_till(lambda: bool(home.notes.of("image-verified", "home-1/bridge-1")), within=300, step=0.25)
    ready = home.clock.now()
    for second in range(busy):
        home.clock.call_at(ready + second * SECOND, _call, home, home.device("bridge-3").eui)
    home.run_till(lambda: not bridge.powered, within=600, step=0.25)
    off = home.clock.now()
    far = home.node("bridge-3")
    home.run_till(lambda: bridge.powered, within=60, step=0.25)
    home.run_till(lambda: _answers(home, far.eui), within=120, step=1)
    return (off - ready) // SECOND, (home.clock.now() - off) // SECOND


def _call(home: KeyedHome, who: Eui64) -> None:
    home.hub.discover(who, ActiveEndpoints())


def _answers(home: KeyedHome, who: Eui64) -> bool:
    """Whether the hub hears the device within five seconds."""
    before = home.updatable("bridge-1").node.statistics.relayed
    _call(home, who)
    home.run(5)
    return home.updatable("bridge-1").node.statistics.relayed >= before + 2


@pytest.mark.requirement("MP170-R10", planted=patched(AltHanBridge, "activate", SelfActivatingDevice.activate))
def test_an_activation_waits_while_something_passes_through() -> None:
    idle, outage = updated_while(busy=0)
    assert idle <= 10
    assert 30 <= outage <= 60
    waited, outage = updated_while(busy=60)
    assert 60 <= waited <= 75
    assert 30 <= outage <= 60


@pytest.mark.requirement("MP170-R10")
def test_an_activation_waits_no_longer_than_it_may() -> None:
    longest = BridgeSettings().longest_wait // SECOND
    waited, outage = updated_while(busy=2 * longest)
    assert longest <= waited <= longest + MINUTE // SECOND
    assert outage <= 60
