"""Tunnels between a real hub and a node over the air: asked for, lost, asked for again; nothing is lost with them."""

import pytest

from emulator.devices.communications_hub import HubSettings
from protocols.interfaces import HOUR, MINUTE, SECOND
from protocols.wan.envelope import GbcsCarried
from protocols.zcl.clusters import tunneling
from protocols.zcl.clusters.tunneling import (
    CloseTunnel,
    RequestTunnel,
    RequestTunnelResponse,
    TransferData,
    TransferDataError,
    TransferStatus,
    TunnelClosureNotification,
    TunnelStatus,
)
from tests.support.hub_bench import IHD_TYPE, PPMID_TYPE, DrivenDevice, HubBench, eui

DEVICE = eui(1)
BUSY = RequestTunnelResponse(0xFFFF, TunnelStatus.BUSY)
NO_MORE = RequestTunnelResponse(0xFFFF, TunnelStatus.NO_MORE_TUNNEL_IDS)
LONG_MESSAGE = bytes(range(256)) * 4


def opened(number: int) -> RequestTunnelResponse:
    return RequestTunnelResponse(number, TunnelStatus.SUCCESS)


def with_device(*answers: RequestTunnelResponse, type_code: int = PPMID_TYPE) -> tuple[HubBench, DrivenDevice]:
    """Return a hub and a device that has just joined."""
    bench = HubBench()
    bench.hub.start()
    bench.add_to_log(DEVICE, type_code)
    device = bench.driven(DEVICE, *answers)
    bench.run_till(lambda: device.node.joined)
    bench.run(5)
    return bench, device


def requests(device: DrivenDevice) -> list[int]:
    """Return when the device was asked for a tunnel, s since the first time."""
    times = [when for when, command in device.heard if isinstance(command, RequestTunnel)]
    return [round((when - times[0]) / SECOND) for when in times]


def test_a_device_that_joined_is_asked_for_a_tunnel_as_gbcs_wants_it() -> None:
    bench, device = with_device(opened(7))
    (request,) = device.heard_of(RequestTunnel)
    assert request == RequestTunnel(protocol=6, manufacturer_code=0xFFFF, flow_control=False, maximum_incoming=1500)
    assert bench.notes.of("tunnel-open") == [{"device": str(DEVICE)}]


def test_gbcs_goes_through_the_tunnel_both_ways_in_fragments() -> None:
    bench, device = with_device(opened(7))
    bench.down(GbcsCarried(DEVICE, LONG_MESSAGE))
    bench.run(20)
    assert device.data() == [LONG_MESSAGE]
    device.tell(TransferData(7, LONG_MESSAGE[::-1]))
    bench.run(20)
    assert [message for _, message in bench.up if message == GbcsCarried(DEVICE, LONG_MESSAGE[::-1])] != []


def test_a_device_of_a_type_without_tunnel_is_never_asked() -> None:
    bench, device = with_device(opened(7), type_code=IHD_TYPE)
    bench.down(GbcsCarried(DEVICE, b"message"))
    bench.run(100)
    assert device.heard == []
    bench.run(24 * 3600)
    assert bench.notes.of("gbcs-expired") == [{"device": str(DEVICE)}]


def test_the_endpoint_is_found_wherever_it_is() -> None:
    """A device that hides its tunnel on 0x7B, and a hub on 0x7C."""
    bench = HubBench(HubSettings(endpoint=0x7C))
    bench.hub.start()
    bench.add_to_log(DEVICE, PPMID_TYPE)
    device = bench.driven(DEVICE, opened(1), endpoint=0x7B)
    bench.down(GbcsCarried(DEVICE, b"message"))
    bench.run_till(lambda: device.data() == [b"message"])
    device.tell(TransferData(1, b"answer"))
    bench.run(10)
    assert bench.up[-1][1] == GbcsCarried(DEVICE, b"answer")


def test_a_busy_device_is_asked_again_after_three_minutes() -> None:
    bench, device = with_device(BUSY, BUSY, opened(7))
    bench.down(GbcsCarried(DEVICE, b"message"))
    bench.run(400)
    assert requests(device) == [0, 180, 360]
    assert device.data() == [b"message"]


def test_a_device_without_free_ids_is_told_to_close_the_old_one_and_asked_again() -> None:
    bench, device = with_device(opened(7))
    device.tell(TunnelClosureNotification(7))
    device.answers += [NO_MORE, opened(9)]
    bench.run(10)
    kinds = [type(command) for _, command in device.heard]
    assert kinds == [RequestTunnel, RequestTunnel, CloseTunnel, RequestTunnel]
    assert device.heard_of(CloseTunnel) == [CloseTunnel(7)]


def test_a_device_that_never_has_a_free_id_is_not_pestered() -> None:
    bench, device = with_device(*[NO_MORE] * 20)
    bench.run(600)
    assert requests(device) == [0, 0, 180, 180, 360, 360, 540, 540]


def test_a_tunnel_is_asked_for_again_after_ffff_seconds() -> None:
    bench, device = with_device(opened(7), opened(8))
    bench.run(0xFFFF + 60)
    assert requests(device) == [0, 0xFFFF]
    bench.down(GbcsCarried(DEVICE, b"message"))
    device.tell(TransferData(7, b"through the one before"))
    bench.run(20)
    assert [command.tunnel for command in device.heard_of(TransferData) if isinstance(command, TransferData)] == [8]
    assert bench.up[-1][1] == GbcsCarried(DEVICE, b"through the one before")


def test_a_message_refused_with_no_such_tunnel_goes_through_the_next_one() -> None:
    bench, device = with_device(opened(7))
    device.answers.append(opened(8))
    bench.down(GbcsCarried(DEVICE, b"first"))
    bench.run_till(lambda: device.data() == [b"first"])
    device.tell(TransferDataError(7, TransferStatus.NO_SUCH_TUNNEL))
    bench.down(GbcsCarried(DEVICE, b"second"))
    bench.run(20)
    assert device.data() == [b"first", b"first", b"second"]
    bench.run(60)
    assert [cell for cell in bench.storage.cells() if cell.startswith("queue/")] == []


def test_messages_wait_while_the_device_is_away_and_keep_their_order() -> None:
    bench, device = with_device(opened(7))
    device.node.power_off()
    for number in range(3):
        bench.down(GbcsCarried(DEVICE, bytes((number,))))
    bench.run(600)
    assert device.data() == []
    device.answers.append(opened(8))
    device.node.power_on()
    bench.run(120)
    assert device.data() == [b"\x00", b"\x01", b"\x02"]


def test_a_message_expires_after_a_day_without_a_tunnel() -> None:
    bench, device = with_device(opened(7))
    device.node.power_off()
    bench.down(GbcsCarried(DEVICE, b"late"))
    bench.run(24 * 3600 - 60)
    assert bench.notes.of("gbcs-expired") == []
    bench.run(120)
    assert bench.notes.of("gbcs-expired") == [{"device": str(DEVICE)}]


def test_a_device_that_does_not_answer_is_asked_at_growing_intervals() -> None:
    bench, device = with_device()
    bench.run(3600)
    pauses = [later - earlier for earlier, later in zip(requests(device), requests(device)[1:], strict=False)]
    assert 35 <= pauses[0] <= 60
    assert max(pauses) <= 615
    assert pauses == sorted(pauses)


def test_data_through_a_tunnel_nobody_opened_is_refused() -> None:
    bench, device = with_device(opened(7))
    before = len(bench.up)
    device.tell(TransferData(99, b"stray"))
    bench.run(10)
    assert device.heard_of(TransferDataError) == [TransferDataError(99, TransferStatus.NO_SUCH_TUNNEL)]
    assert len(bench.up) == before


def test_data_without_aps_security_is_dropped() -> None:
    bench, device = with_device(opened(7))
    before = len(bench.up)
    frame = tunneling.encode(TransferData(7, b"plain"), 1, from_server=True)
    device.send_zcl(tunneling.CLUSTER, frame, secured=False)
    bench.run(10)
    assert len(bench.up) == before


def test_after_a_boot_the_tunnel_is_asked_for_and_the_old_one_still_serves_what_comes_up() -> None:
    bench, device = with_device(opened(7))
    bench.hub.power_off()
    bench.run(60)
    bench.hub.power_on()
    device.tell(TransferData(7, b"alert"))
    device.answers.append(opened(8))
    bench.run(60)
    assert [message for _, message in bench.up if message == GbcsCarried(DEVICE, b"alert")] != []
    assert len(device.heard_of(RequestTunnel)) >= 2
    bench.down(GbcsCarried(DEVICE, b"down"))
    bench.run(30)
    assert device.data() == [b"down"]


def test_what_waits_survives_the_hubs_power_cut() -> None:
    bench, device = with_device(opened(7))
    device.node.power_off()
    bench.down(GbcsCarried(DEVICE, LONG_MESSAGE))
    bench.run(10)
    assert bench.csp.held == ()
    bench.mains.cut(13 * MINUTE)
    bench.run(14 * 60)
    device.answers += [opened(8), opened(9)]
    device.node.power_on()
    bench.run(300)
    assert device.data() == [LONG_MESSAGE]


@pytest.mark.parametrize("loss", [0.1, 0.3])
def test_a_lossy_air_delays_and_loses_nothing(loss: float) -> None:
    bench, device = with_device(opened(7))
    for other in list(bench.radio.links):
        bench.medium.link(bench.radio, other, loss=loss)
    device.answers += [opened(number) for number in range(8, 40)]
    sent = [bytes((number,)) * 200 for number in range(5)]
    for octets in sent:
        bench.down(GbcsCarried(DEVICE, octets))
    bench.run(2 * HOUR // SECOND)
    assert sorted(set(device.data())) == sent
