"""A real node that plays the hub towards one device: joins it, serves images, asks for its tunnel, keeps what comes."""

from collections.abc import Callable, Sequence

from emulator.air.medium import Capture, Medium
from emulator.air.radio import SimulatedRadio
from emulator.clock import OffsetWallClock, VirtualClock
from emulator.parts.gbcs_entity import GbcsEntity, TrustAnchors
from emulator.parts.updatable import DeviceParts, DeviceSettings
from emulator.storage import MemoryStorage
from firmware_images import Product
from protocols.addresses import Eui64
from protocols.gbcs.envelope import Cra, Message
from protocols.interfaces import (
    SECOND,
    ApsData,
    Discovered,
    HanEvent,
    Joined,
    LinkKey,
    MatchDescriptor,
    Received,
    Rejoined,
    SimpleDescriptor,
)
from protocols.ota import server as hub_side
from protocols.ota.client import OtaClientSettings
from protocols.ota.server import OtaServer
from protocols.pcapng import CaptureKey
from protocols.stack.node import Node
from protocols.stack.settings import NodeRole
from protocols.zcl.clusters import ota, tunneling
from protocols.zcl.clusters.tunneling import RequestTunnel, RequestTunnelResponse, TransferData
from protocols.zcl.frame import ZclFrame
from tests.support.parties import START, Parties
from tests.support.timeline import Timeline

HUB = Eui64(0x00DB1234567890A3)
KEY = LinkKey(bytes(range(16)))
SMART_ENERGY = 0x0109
HUB_ENDPOINT = 0x7B
PAN, CHANNEL = 0x1A62, 11


class HubSide:
    """One HAN in virtual time: the node of a hub, and the parts of one device beside it."""

    def __init__(self, seed: int = 7, capture: Capture | None = None) -> None:
        self.clock = VirtualClock(START)
        self.parties = Parties(seed)
        self.entropy = self.parties.entropy
        self.timeline = Timeline()
        self.medium = Medium(self.clock, self.entropy, capture)
        self.radio = self.medium.radio("home-1 2.4 GHz", "hub")
        self.storage = MemoryStorage()
        self.node = Node(
            NodeRole.COORDINATOR, HUB, [self.radio], self.clock, self.storage, self.entropy, recorder=self.timeline
        )
        self.server = OtaServer()
        self.ota_effects: list[hub_side.Effect] = []
        self.messages: list[Message] = []
        self.octets: list[bytes] = []
        self.arrivals: list[HanEvent] = []
        self.tunnels: dict[Eui64, int] = {}
        self.unsecured = 0
        self.watch: Callable[[Received], None] = lambda event: None  # hears every frame first
        self._endpoints: dict[Eui64, int] = {}
        self._transaction = 0
        self.node.attach(self._event)
        self.node.register(
            [SimpleDescriptor(HUB_ENDPOINT, SMART_ENERGY, 0x0500, 0, (0x0000, ota.CLUSTER), (tunneling.CLUSTER,))]
        )
        self.node.form(PAN, CHANNEL)

    # --- the device --------------------------------------------------------------------------------------------

    def device_node(self, eui: Eui64, role: NodeRole, storage: MemoryStorage, *, loss: float = 0.0) -> Node:
        """Return a node in reach of the hub."""
        radio: SimulatedRadio = self.medium.radio("home-1 2.4 GHz", str(eui))
        self.medium.link(self.radio, radio, loss=loss)
        return Node(role, eui, [radio], self.clock, storage, self.entropy, recorder=self.timeline, name="home-1/device")

    def parts(
        self,
        eui: Eui64,
        role: NodeRole,
        product: Product,
        *,
        storage: MemoryStorage | None = None,
        anchors: TrustAnchors | None = None,
        loss: float = 0.0,
        offset: int = 0,
    ) -> DeviceParts:
        """Return the keyword arguments of a device; offset: of its own clock, ns."""
        held = storage if storage is not None else MemoryStorage()
        known = anchors if anchors is not None else self.parties.anchors()
        return DeviceParts(
            name="home-1/device",
            node=self.device_node(eui, role, held, loss=loss),
            clock=self.clock,
            wall=OffsetWallClock(self.clock, offset),
            storage=held,
            entropy=self.entropy,
            recorder=self.timeline,
            entity=GbcsEntity(self.parties.pki.device(eui), known, held, self.entropy),
            product=product,
            settings=DeviceSettings(ota=OtaClientSettings(start_delay=5 * SECOND)),
        )

    def keys_of(self, device: Eui64) -> list[CaptureKey]:
        """Return network key and link key, as the key file of a run has them."""
        network = self.entropy.random(f"network key {self.node.eui}").randbytes(16)
        return [CaptureKey(network, "network key"), CaptureKey(KEY, f"link key {device}")]

    def admit(self, eui: Eui64, seconds: int = 250) -> None:
        self.node.allow_join(eui, KEY, seconds)

    # --- what the hub does -------------------------------------------------------------------------------------

    def offer(self, device: Eui64, image: bytes, *, activate_now: bool) -> None:
        """Offer an image and notify the device."""
        self.server.offer(image, [device], activate_now=activate_now)
        if device in self._endpoints:
            self._ota(self.server.notify(device))

    def send(self, device: Eui64, message: bytes) -> None:
        """Send a GBCS message through the tunnel of `device`."""
        self._tunnelling(device, TransferData(self.tunnels[device], message))

    def request_tunnel(self, device: Eui64) -> None:
        """Ask for a tunnel, again every half minute until it is there."""
        if device not in self.tunnels and self.node.powered:
            self.node.discover(device, MatchDescriptor(SMART_ENERGY, (tunneling.CLUSTER,)))
            self.clock.call_at(self.clock.now() + 30 * SECOND, self.request_tunnel, device)

    def run(self, duration: int) -> None:
        self.clock.run_for(duration)

    def of(self, cra: Cra, message_code: int) -> list[Message]:
        """Return the messages of a kind that came, in order."""
        return [each for each in self.messages if (each.cra, each.message_code) == (cra, message_code)]

    # --- events ------------------------------------------------------------------------------------------------

    def _event(self, event: HanEvent) -> None:
        match event:
            case Joined(who) | Rejoined(who):
                self.arrivals.append(event)
                self.tunnels.pop(who, None)
                self.request_tunnel(who)
            case Discovered(_, who, endpoints) if endpoints:
                self._endpoints[who] = endpoints[0]
                self._tunnelling(who, RequestTunnel())
            case Received():
                self._received(event)
            case _:
                pass

    def _received(self, event: Received) -> None:
        self.watch(event)
        self.unsecured += not event.secured
        if event.aps.cluster == ota.CLUSTER:
            self._ota(self.server.frame(event.who, event.aps.payload, self.clock.now()), event.aps.source_endpoint)
        elif event.aps.cluster == tunneling.CLUSTER:
            command = tunneling.decode(ZclFrame.decode(event.aps.payload))
            if isinstance(command, RequestTunnelResponse):
                self.tunnels[event.who] = command.tunnel
            elif isinstance(command, TransferData):
                self.octets.append(command.data)
                self.messages.append(Message.decode(command.data))

    def _ota(self, effects: Sequence[hub_side.Effect], endpoint: int = 1) -> None:
        for effect in effects:
            if isinstance(effect, hub_side.Send):
                self._put(effect.device, ota.CLUSTER, endpoint, effect.frame)
            else:
                self.ota_effects.append(effect)

    def _tunnelling(self, device: Eui64, command: tunneling.TunnelingCommand) -> None:
        self._transaction = (self._transaction + 1) & 0xFF
        frame = tunneling.encode(command, self._transaction, from_server=False)
        self._put(device, tunneling.CLUSTER, self._endpoints[device], frame)

    def _put(self, device: Eui64, cluster: int, endpoint: int, frame: bytes) -> None:
        aps = ApsData(SMART_ENERGY, cluster, HUB_ENDPOINT, endpoint, frame)
        acknowledged = not (cluster == ota.CLUSTER and frame[2] == 0x05)
        self.node.send(device, aps, secured=True, acknowledged=acknowledged)
