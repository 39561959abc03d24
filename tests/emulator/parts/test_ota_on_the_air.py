"""OTA in every case with real nodes on simulated air: a real hub or one played by the test, real devices."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulator.devices.communications_hub import HubSettings
from emulator.devices.ppmid import Ppmid
from emulator.parts.updatable import DeviceSettings
from protocols.addresses import Eui64
from protocols.gbcs.use_cases.ccs08 import TransferCode
from protocols.interfaces import MILLISECOND, MINUTE, SECOND
from protocols.ota import server as hub_side
from protocols.ota.client import OtaClientSettings
from protocols.ota.image import Kind
from protocols.ota.server import OtaServer, OtaServerSettings, TransferEnded
from protocols.stack.settings import NodeRole
from protocols.zcl import foundation
from protocols.zcl.clusters import ota
from protocols.zcl.clusters.ota import Attribute
from protocols.zcl.foundation import ReadAttributes, ReadAttributesResponse
from protocols.zcl.frame import ZclStatus
from tests.support.hub_bench import (
    PPMID_TYPE,
    HubBench,
    acb,
    delivery,
    eui,
    image_of,
)
from tests.support.ota_homes import DEVICE, NEW, NEWER, OLD, PRODUCT, Far, Played, image

# --- blocks that come late, twice or not at all ------------------------------------------------------------------


class _Doubling(OtaServer):
    """Answers every block request twice."""

    def frame(self, device: Eui64, octets: bytes, now: int) -> list[hub_side.Effect]:
        effects = super().frame(device, octets, now)
        return [*effects, effects[-1]] if octets[2] == 0x03 else effects


def test_doubled_block_responses_are_taken_once() -> None:
    hub = Played(server=_Doubling())
    hub.offer(DEVICE, image(), activate_now=True)
    hub.run_until(NEW)
    assert hub.device.statistics.blocks == 105
    assert len(hub.commands(0x03)) == 105


class _Late(Played):
    """Answers each 40th block request 4 s late, after the device has begun to ask again."""

    late = 0

    def _ota(self, effects: Sequence[hub_side.Effect], endpoint: int = 1) -> None:
        block = any(isinstance(effect, hub_side.Send) and effect.frame[2] == 0x05 for effect in effects)
        self.late += block
        if block and self.late % 40 == 0:
            self.clock.call_at(self.clock.now() + 4 * SECOND, super()._ota, effects, endpoint)
        else:
            super()._ota(effects, endpoint)


def test_late_block_responses_cost_time_and_nothing_else() -> None:
    hub = _Late()
    hub.offer(DEVICE, image(), activate_now=True)
    hub.run_until(NEW)
    assert hub.device.statistics.blocks == 105
    assert hub.device.statistics.retries == 2
    assert hub.ota_effects[-1] == TransferEnded(DEVICE, NEW, ZclStatus.SUCCESS)


def test_a_lost_image_notify_is_made_good_by_the_hubs_next() -> None:
    """The hub announces again every half hour what a device has not begun to fetch."""
    bench = HubBench()
    bench.hub.start()
    bench.add_to_log(eui(1), PPMID_TYPE)
    bench.run(3)
    device = bench.ppmid(eui(1))
    bench.run_till(lambda: bench.notes.of("tunnel-open") != [])
    bench.run(120)
    (air,) = bench.radio.links
    bench.medium.link(bench.radio, air, loss=1.0)
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), eui(1)))
    bench.run(60)
    bench.medium.link(bench.radio, air, loss=0.0)
    bench.run(1_500)
    assert bench.notes.of("ota-started") == []
    bench.run(600)
    assert device.firmware_version == NEW


# --- pages and periods -------------------------------------------------------------------------------------------


def bench_with(hub: HubSettings, client: OtaClientSettings) -> tuple[HubBench, Ppmid]:
    """Return a real hub and a PPMID with its tunnel, idle."""
    bench = HubBench(hub)
    bench.hub.start()
    bench.add_to_log(eui(1), PPMID_TYPE)
    bench.run(3)
    parts = bench.parts(eui(1), Kind.PPMID, acb())
    parts["settings"] = DeviceSettings(ota=client)
    device = Ppmid(**parts)
    device.start()
    bench.run_till(lambda: bench.notes.of("tunnel-open") != [])
    bench.run(60)
    return bench, device


def test_a_real_hub_serves_pages() -> None:
    client = OtaClientSettings(page_size=480, response_spacing=40 * MILLISECOND)
    bench, device = bench_with(HubSettings(ota=OtaServerSettings(pages=True)), client)
    bench.down(delivery("a:b:1", image_of(Kind.PPMID, size=9_600), eui(1)))
    bench.run_till(lambda: device.firmware_version == NEW)
    assert (device.statistics.pages, device.statistics.blocks, device.statistics.retries) == (20, 200, 0)
    took = device.statistics.ended - device.statistics.started
    assert 20 * 9 * 40 * MILLISECOND < took < 20 * 9 * 40 * MILLISECOND + 20 * 30 * MILLISECOND


def test_pages_broken_by_silence_are_made_whole() -> None:
    client = OtaClientSettings(page_size=480, response_spacing=40 * MILLISECOND)
    bench, device = bench_with(HubSettings(ota=OtaServerSettings(pages=True)), client)
    (air,) = bench.radio.links
    bench.down(delivery("a:b:1", image_of(Kind.PPMID, size=9_600), eui(1)))
    bench.run_till(lambda: bench.notes.of("ota-started") != [])
    for _ in range(3):
        bench.run(1.1)
        bench.medium.link(bench.radio, air, loss=1.0)
        bench.run(0.7)
        bench.medium.link(bench.radio, air, loss=0.0)
    bench.run_till(lambda: device.firmware_version == NEW, within=3_600)
    assert device.statistics.blocks == 200
    assert 1 <= device.statistics.retries <= 4
    assert device.statistics.pages > 20


def test_a_hub_without_pages_serves_blocks() -> None:
    bench, device = bench_with(HubSettings(), OtaClientSettings(page_size=480))
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), eui(1)))
    bench.run_till(lambda: device.firmware_version == NEW)
    assert (device.statistics.pages, device.statistics.blocks) == (1, 42)


@pytest.mark.parametrize(("unit", "period"), [(MILLISECOND, 250), (SECOND, 1)], ids=["ms", "s"])
def test_a_real_hub_sets_the_minimum_block_period(unit: int, period: int) -> None:
    hub = HubSettings(ota=OtaServerSettings(minimum_block_period=period))
    bench, device = bench_with(hub, OtaClientSettings(tell_block_period=True, block_period_unit=unit))
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), eui(1)))
    bench.run_till(lambda: device.firmware_version == NEW)
    took = device.statistics.ended - device.statistics.started
    assert 42 * period * unit <= took < 42 * (period * unit + 50 * MILLISECOND)


def test_wait_for_data_is_kept_on_the_air() -> None:
    hub = Played()
    hub.server.offer(image(), [DEVICE], activate_now=True)
    hub.server.hold(DEVICE, hub.clock.now() + 10 * MINUTE)
    hub._ota(hub.server.notify(DEVICE))
    hub.run(9 * MINUTE)
    assert (len(hub.commands(0x03)), hub.device.statistics.blocks) == (1, 0)
    assert hub.run_until(NEW) < 120


# --- ends --------------------------------------------------------------------------------------------------------


def test_a_displaced_image_is_aborted_and_the_new_one_fetched() -> None:
    bench, device = bench_with(HubSettings(), OtaClientSettings())
    bench.down(delivery("a:b:1", image_of(Kind.PPMID, size=100_000), eui(1)))
    bench.run_till(lambda: bench.notes.of("ota-started") != [])
    bench.run(3)
    bench.down(delivery("a:b:2", image_of(Kind.PPMID, release=2), eui(1)))
    bench.run_till(lambda: device.firmware_version == NEWER, within=1_000)
    codes = [(alert.firmware_version, alert.code) for alert in bench.transfer_alerts()]
    assert codes == [(NEW, TransferCode.IMAGE_DISCARDED), (NEWER, TransferCode.TRANSFERRED)]


def test_an_image_without_room_is_told_by_the_hub_as_a_failed_transfer() -> None:
    bench, device = bench_with(HubSettings(), OtaClientSettings(storage_limit=1_999))
    bench.down(delivery("a:b:1", image_of(Kind.PPMID, size=2_000), eui(1)))
    bench.run_till(lambda: bench.transfer_alerts() != [])
    (alert,) = bench.transfer_alerts()
    assert (alert.device, alert.firmware_version, alert.code) == (eui(1), NEW, TransferCode.TRANSFER_FAILED)
    assert bench.notes.of("ota-finished")[0]["status"] == "INSUFFICIENT_SPACE"
    assert (bench.notes.of("ota-started"), device.firmware_version) == ([], OLD)


def test_a_hub_may_set_the_upgrade_time_later() -> None:
    bench, device = bench_with(HubSettings(upgrade_delay=90 * MINUTE), OtaClientSettings())
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), eui(1)))
    bench.run_till(lambda: bench.notes.of("ota-finished") != [])
    bench.run(85 * 60)
    assert device.firmware_version == OLD
    bench.run(6 * 60 + 30)
    assert device.firmware_version == NEW


def test_a_reboot_in_the_countdown_keeps_the_upgrade_time() -> None:
    bench, device = bench_with(HubSettings(upgrade_delay=30 * MINUTE), OtaClientSettings(start_delay=5 * SECOND))
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), eui(1)))
    bench.run_till(lambda: bench.notes.of("ota-finished") != [])
    bench.run(600)
    device.power_off()
    bench.run(60)
    device.power_on()
    bench.run(18 * 60)
    assert device.firmware_version == OLD
    bench.run(3 * 60)
    assert device.firmware_version == NEW
    assert len(bench.transfer_alerts()) == 1


# --- what the hub may ask and tell -------------------------------------------------------------------------------


def test_the_attributes_are_read_over_the_air() -> None:
    hub = Played()
    hub.offer(DEVICE, image(), activate_now=True)
    hub.run_until(NEW)
    hub.run(2 * MINUTE)
    hub.up.clear()
    wanted = (Attribute.UPGRADE_SERVER_ID, Attribute.CURRENT_FILE_VERSION, Attribute.IMAGE_STAMP, 0x0666)
    hub.put(foundation.encode(ReadAttributes(wanted), 7, from_server=True))
    hub.run(SECOND)
    ((_, frame),) = hub.up
    response = foundation.decode(frame)
    assert isinstance(response, ReadAttributesResponse)
    server, version, stamp, unknown = response.records
    assert (server.value, version.value) == (hub.node.eui, NEW)
    assert stamp.value == hub.device.store.image_stamp is not None
    assert unknown.status == ZclStatus.UNSUPPORTED_ATTRIBUTE


@pytest.mark.parametrize(
    ("notify", "asks"),
    [
        (ota.ImageNotify(100), True),
        (ota.ImageNotify(100, PRODUCT.manufacturer, PRODUCT.image_type, NEW), True),
        (ota.ImageNotify(100, PRODUCT.manufacturer, PRODUCT.image_type, OLD), False),
        (ota.ImageNotify(100, 0x4321), False),
        (ota.ImageNotify(0), False),
    ],
    ids=["any", "new version", "version that runs", "other maker", "no jitter"],
)
def test_a_broadcast_notify_leads_to_a_query_of_those_it_concerns(notify: ota.ImageNotify, *, asks: bool) -> None:
    hub = Played()
    hub.server.offer(image(), [DEVICE], activate_now=True)
    hub.up.clear()
    hub.broadcast(ota.encode(notify, 3))
    hub.run(2 * SECOND)
    assert [frame.command for _, frame in hub.up if not frame.cluster_specific] == []
    assert (len(hub.commands(0x01)) == 1) is asks
    if asks:
        hub.run_until(NEW)


def test_nothing_but_image_notify_is_taken_from_a_broadcast() -> None:
    hub = Played()
    hub.up.clear()
    offer = ota.QueryNextImageResponse(0, PRODUCT.manufacturer, PRODUCT.image_type, NEW, 5_000)
    hub.put(ota.encode(ota.ImageNotify(100), 2))
    hub.broadcast(ota.encode(offer, 3))
    hub.broadcast(foundation.encode(ReadAttributes((0,)), 7, from_server=True))
    hub.run(5 * SECOND)
    assert hub.commands(0x03) == []
    assert [frame.command for _, frame in hub.up] == [0x0B, 0x01]


# --- sleepy, and many at once ------------------------------------------------------------------------------------


def test_a_sleepy_device_fetches_one_block_a_poll() -> None:
    hub = Played(role=NodeRole.SLEEPY_END_DEVICE)
    hub.offer(DEVICE, image(), activate_now=True)
    hub.run_until(NEW)
    statistics = hub.device.statistics
    assert (statistics.blocks, statistics.retries) == (105, 0)
    asked = hub.commands(0x03)
    gaps = sorted(later - earlier for earlier, later in pairwise(asked))
    assert 250 * MILLISECOND <= gaps[len(gaps) // 2] < 300 * MILLISECOND


@pytest.mark.requirement("MP170-R9")
def test_several_devices_fetch_at_once_through_one_hub_and_one_bridge() -> None:
    """MP170-R9: three devices behind two bridges and one at the hub share hub, bridge and air."""
    home = Far(3)
    devices = [*home.far, home.near]
    bench = home.bench
    bench.run_till(lambda: len(bench.notes.of("tunnel-open")) == 6)
    bench.run(60)
    assert home.far[0].node.parent == home.bridges[1].node.eui
    bench.down(delivery("a:b:1", image_of(Kind.PPMID, size=20_000), *(device.node.eui for device in devices)))
    bench.run_till(lambda: all(device.firmware_version == NEW for device in devices), within=1_200)
    assert [device.statistics.blocks for device in devices] == [417] * 4
    overlap = min(device.statistics.ended for device in devices) - max(device.statistics.started for device in devices)
    assert overlap > 0
    assert len([alert for alert in bench.transfer_alerts() if alert.code == TransferCode.TRANSFERRED]) == 4


@pytest.mark.requirement("MP170-R10")
def test_a_bridge_that_restarts_holds_the_devices_behind_it_up_and_no_more() -> None:
    """MP170-R10: the transfer behind a bridge goes on where it stood when the bridge is back."""
    home = Far(1)
    bench, device = home.bench, home.far[0]
    bench.run_till(lambda: len(bench.notes.of("tunnel-open")) == 4)
    bench.down(delivery("a:b:1", image_of(Kind.PPMID, size=60_000), device.node.eui))
    bench.run_till(lambda: device.statistics.blocks > 200)
    home.bridges[1].restart_after(15 * SECOND)
    bench.run_till(lambda: device.firmware_version == NEW, within=1_200)
    assert device.statistics.blocks == 1_250
    assert 1 <= device.statistics.retries < 10


# --- loss, bursts, reboots ---------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@example(loss=0.0, bursts=[], reboot=0, side="hub", size=5_000)
@example(loss=0.2, bursts=[(0, 2_000), (300, 2_000)], reboot=0, side="device", size=5_000)
@given(
    loss=st.floats(0, 0.2),
    bursts=st.lists(st.tuples(st.integers(0, 1_500), st.integers(1, 2_000)), max_size=3),
    reboot=st.integers(0, 8_000),
    side=st.sampled_from(["device", "hub"]),
    size=st.sampled_from([5_000, 20_000]),
)
def test_loss_bursts_and_one_reboot_on_either_side_end_with_the_right_image(
    loss: float, bursts: list[tuple[int, int]], reboot: int, side: str, size: int
) -> None:
    """A real hub: independent loss up to 20 % a frame, bursts of silence up to 2 s, one reboot of device or hub.

    bursts: ms of pause, ms of silence; reboot: ms after them.
    """
    bench, device = bench_with(HubSettings(), OtaClientSettings(start_delay=5 * SECOND, checkpoint=1_024))
    (air,) = bench.radio.links
    bench.medium.link(bench.radio, air, loss=loss)
    file = image_of(Kind.PPMID, size=size)
    bench.down(delivery("a:b:1", file, eui(1)))
    for pause, silence in bursts:
        bench.run(pause / 1_000)
        bench.medium.link(bench.radio, air, loss=1.0)
        bench.run(silence / 1_000)
        bench.medium.link(bench.radio, air, loss=loss)
    bench.run(reboot / 1_000)
    if side == "device":
        device.power_off()
        bench.run(5)
        device.power_on()
    else:
        bench.mains.cut(5 * MINUTE)
        bench.run(301)
        bench.resend()
    bench.run_till(lambda: device.firmware_version == NEW, within=7_200)
    bench.run_till(lambda: bench.transfer_alerts() != [])
    assert device.store.image_stamp == int.from_bytes(sha256(file).digest()[:4], "big")
    assert [alert.code for alert in bench.transfer_alerts()] == [TransferCode.TRANSFERRED]
    assert bench.notes.of("image-refused") == []


def test_an_image_announced_before_a_device_has_its_network_again_is_fetched_at_once() -> None:
    """The hub hears the announcement of a restarted device first, and tells of the image before the device is ready."""
    bench, device = bench_with(HubSettings(), OtaClientSettings(start_delay=MINUTE))
    device.power_off()
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), eui(1)))
    bench.run(60)
    device.power_on()
    began = bench.clock.now()
    bench.run_till(lambda: device.statistics.started != 0)
    assert device.statistics.started - began < 2 * SECOND


def test_a_device_that_has_moved_to_another_hub_takes_no_images_of_the_one_before() -> None:
    hub = Played()
    hub.device.download.start(Eui64(0x00DB1234567890FF))
    hub.run(MINUTE)
    hub.up.clear()
    hub.offer(DEVICE, image(), activate_now=True)
    hub.run(MINUTE)
    assert hub.up == []
    hub.device.download.start(hub.node.eui)
    hub.run_until(NEW, within=300)
