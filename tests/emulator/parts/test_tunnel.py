"""The tunnel of a PPMID on a real node, against a real node that plays the hub."""

import pytest

from emulator.devices.ppmid import Ppmid
from emulator.parts.outbox import Outbox
from emulator.parts.tunnel import TunnelServer
from emulator.storage import MemoryStorage
from firmware_images import product
from protocols.addresses import Eui64
from protocols.gbcs.envelope import Cra
from protocols.gbcs.use_cases import cs09
from protocols.interfaces import DAY, MINUTE, SECOND, ApsData, Received, Rejoined
from protocols.ota.image import Kind
from protocols.stack.settings import NodeRole
from protocols.zcl.clusters import tunneling
from protocols.zcl.clusters.tunneling import (
    CloseTunnel,
    RequestTunnel,
    RequestTunnelResponse,
    TransferData,
    TransferDataError,
    TransferStatus,
    TunnelStatus,
)
from protocols.zcl.frame import ZclFrame
from tests.support.hub_side import HUB_ENDPOINT, KEY, SMART_ENERGY, HubSide

DEVICE = Eui64(0x00DB1234567890A4)


class Tunnelled:
    """A hub's node and a PPMID with its tunnel; what the PPMID answers is kept."""

    def __init__(self) -> None:
        self.hub = HubSide()
        self.device = Ppmid(**self.hub.parts(DEVICE, NodeRole.ROUTER, product(Kind.PPMID)))
        self.answers: list[tunneling.TunnelingCommand] = []
        self.hub.admit(DEVICE)
        self.device.start(KEY)
        self.hub.run(MINUTE)
        self.hub.watch = self._watch

    @property
    def server(self) -> TunnelServer:
        assert isinstance(self.device.tunnel, TunnelServer)
        return self.device.tunnel

    def _watch(self, event: Received) -> None:
        if event.aps.cluster == tunneling.CLUSTER:
            self.answers.append(tunneling.decode(ZclFrame.decode(event.aps.payload)))

    def say(self, command: tunneling.TunnelingCommand, *, secured: bool = True) -> list[tunneling.TunnelingCommand]:
        """Send a command and return what came back."""
        self.answers.clear()
        frame = tunneling.encode(command, 7, from_server=False)
        aps = ApsData(SMART_ENERGY, tunneling.CLUSTER, HUB_ENDPOINT, 1, frame)
        self.hub.node.send(DEVICE, aps, secured=secured, acknowledged=True)
        self.hub.run(5 * SECOND)
        return list(self.answers)

    def alert(self) -> None:
        self.device.activated(0x04000100)

    def alerts(self) -> list[int]:
        return [alert.counter for alert in self.hub.of(Cra.ALERT, cs09.MESSAGE_CODE)]


def test_a_second_request_gets_another_tunnel_and_ends_the_first() -> None:
    pair = Tunnelled()
    first = pair.hub.tunnels[DEVICE]
    (answer,) = pair.say(RequestTunnel())
    assert isinstance(answer, RequestTunnelResponse)
    assert (answer.status, answer.maximum_incoming) == (TunnelStatus.SUCCESS, 1500)
    assert answer.tunnel != first
    assert pair.say(TransferData(first, b"x")) == [TransferDataError(first, TransferStatus.NO_SUCH_TUNNEL)]


def test_a_device_that_nobody_asks_for_a_tunnel_announces_itself_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that missed the announcement of a restart; the pause doubles as long as nothing changes."""
    pair = Tunnelled()
    monkeypatch.setattr(pair.hub, "request_tunnel", lambda device: None)
    pair.device.power_off()
    pair.device.power_on()
    pair.alert()

    def announced() -> int:
        return sum(isinstance(event, Rejoined) for event in pair.hub.arrivals)

    pair.hub.run(19 * MINUTE)
    before = announced()
    pair.hub.run(2 * MINUTE)
    assert announced() == before + 1
    pair.hub.run(38 * MINUTE)
    assert announced() == before + 1
    monkeypatch.undo()
    pair.hub.run(4 * MINUTE)
    assert announced() == before + 2
    assert len(pair.alerts()) == 1
    pair.hub.run(DAY)
    assert announced() == before + 2


def test_a_tunnel_id_is_not_used_again_after_a_restart() -> None:
    pair = Tunnelled()
    first = pair.hub.tunnels[DEVICE]
    pair.device.power_off()
    pair.hub.run(SECOND)
    pair.device.power_on()
    pair.hub.run(MINUTE)
    assert pair.hub.tunnels[DEVICE] != first


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (RequestTunnel(protocol=5), TunnelStatus.PROTOCOL_NOT_SUPPORTED),
        (RequestTunnel(flow_control=True), TunnelStatus.FLOW_CONTROL_NOT_SUPPORTED),
    ],
)
def test_a_tunnel_it_cannot_serve_is_refused(request_: RequestTunnel, status: TunnelStatus) -> None:
    pair = Tunnelled()
    assert pair.say(request_) == [RequestTunnelResponse(0xFFFF, status)]
    assert pair.server.open


def test_a_request_without_aps_security_is_dropped() -> None:
    pair = Tunnelled()
    assert pair.say(RequestTunnel(), secured=False) == []


def test_messages_leave_in_order() -> None:
    pair = Tunnelled()
    for _ in range(5):
        pair.alert()
    pair.hub.run(MINUTE)
    assert pair.alerts() == [1, 2, 3, 4, 5]
    assert pair.server.waiting == 0


def test_messages_wait_while_the_tunnel_is_closed() -> None:
    pair = Tunnelled()
    pair.say(CloseTunnel(pair.hub.tunnels[DEVICE]))
    assert not pair.server.open
    pair.alert()
    pair.hub.run(MINUTE)
    assert pair.alerts() == []
    pair.say(RequestTunnel())
    assert pair.alerts() == [1]


def test_what_a_hub_without_the_tunnel_took_is_sent_again_in_the_next_one() -> None:
    pair = Tunnelled()
    pair.alert()
    pair.hub.run(5 * SECOND)
    assert pair.alerts() == [1]
    pair.say(TransferDataError(pair.hub.tunnels[DEVICE], TransferStatus.NO_SUCH_TUNNEL))
    pair.alert()
    pair.say(RequestTunnel())
    assert pair.alerts() == [1, 1, 2]


def test_noise_in_the_cluster_is_dropped() -> None:
    pair = Tunnelled()
    for noise in ("", "01", "010199", "010102", "0c0102030405"):
        aps = ApsData(SMART_ENERGY, tunneling.CLUSTER, HUB_ENDPOINT, 1, bytes.fromhex(noise))
        pair.hub.node.send(DEVICE, aps, secured=True, acknowledged=True)
    pair.hub.run(MINUTE)
    assert pair.answers == []
    assert pair.server.open


def test_an_outbox_keeps_its_order_over_a_restart() -> None:
    storage = MemoryStorage()
    outbox = Outbox(storage)
    for message in (b"one", b"two"):
        outbox.put(message)
    outbox.put_first(b"zero")
    again = Outbox(storage)
    seen = []
    while (first := again.first()) is not None:
        again.remove(first[0])
        seen.append(first[1])
    assert seen == [b"zero", b"one", b"two"]
    assert storage.cells() == []
