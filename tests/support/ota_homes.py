"""Homes for OTA tests: a played hub with one PPMID, and a real hub with devices behind two bridges; capture on."""

from emulator.air.radio import SimulatedRadio
from emulator.clock import OffsetWallClock
from emulator.devices.alt_han_bridge import AltHanBridge
from emulator.devices.ppmid import Ppmid
from emulator.parts.gbcs_entity import GbcsEntity, TrustAnchors
from emulator.parts.updatable import DeviceParts, DeviceSettings
from emulator.storage import MemoryStorage
from firmware_images import product
from protocols.addresses import BROADCAST_RX_ON, Eui64
from protocols.crypto.install_code import link_key
from protocols.interfaces import MINUTE, SECOND, ApsData, Received
from protocols.ota.client import OtaClientSettings
from protocols.ota.image import Kind, build_image
from protocols.ota.server import OtaServer
from protocols.pcapng import CapturedFrame, CaptureKey
from protocols.stack.node import Node
from protocols.stack.settings import NodeRole
from protocols.zcl.clusters import ota
from protocols.zcl.frame import ZclFrame
from tests.support.han import FrameLog
from tests.support.hub_bench import CHANNEL, PPMID_TYPE, HubBench, acb, code_of, credentials, eui
from tests.support.hub_side import HUB_ENDPOINT, KEY, SMART_ENERGY, HubSide

DEVICE = Eui64(0x00DB1234567890A4)
PRODUCT = product(Kind.PPMID)
OLD, NEW, NEWER = PRODUCT.versions[:3]
QUICK = OtaClientSettings(start_delay=5 * SECOND)


def image(version: int = NEW, size: int = 5_000) -> bytes:
    made = build_image(
        PRODUCT.kind, version=version, size=size, manufacturer=PRODUCT.manufacturer, model=PRODUCT.model,
        image_type=PRODUCT.image_type,
    )  # fmt: skip
    return made.encode()


class Played(HubSide):
    """The played hub and one PPMID, which has joined; every OTA frame that arrives at the hub is kept."""

    def __init__(
        self, client: OtaClientSettings = QUICK, *, role: NodeRole = NodeRole.ROUTER, server: OtaServer | None = None
    ) -> None:
        self.log = FrameLog()
        super().__init__(capture=self.log)
        if server is not None:
            self.server = server
        self.up: list[tuple[int, ZclFrame]] = []
        self.watch = self._keep
        parts = self.parts(DEVICE, role, PRODUCT, anchors=TrustAnchors.of(self.parties.broker))
        parts["settings"] = DeviceSettings(ota=client)
        self.device = Ppmid(**parts)
        self.air = next(iter(self.radio.links))
        self.admit(DEVICE)
        self.device.start(KEY)
        self.run(MINUTE)
        assert DEVICE in self.tunnels

    def _keep(self, event: Received) -> None:
        if event.aps.cluster == ota.CLUSTER:
            self.up.append((self.clock.now(), ZclFrame.decode(event.aps.payload)))

    def keys(self) -> list[CaptureKey]:
        return self.keys_of(DEVICE)

    def reach(self, loss: float) -> None:
        """Change the loss between hub and device."""
        self.medium.link(self.radio, self.air, loss=loss)

    def commands(self, identifier: int) -> list[int]:
        return [time for time, frame in self.up if frame.cluster_specific and frame.command == identifier]

    def run_until(self, version: int, within: int = 3600) -> int:
        """Run until the device runs `version`; return the seconds it took."""
        for second in range(within):
            if self.device.firmware_version == version:
                return second
            self.run(SECOND)
        raise AssertionError(f"not within {within} s")

    def put(self, frame: bytes) -> None:
        data = ApsData(SMART_ENERGY, ota.CLUSTER, HUB_ENDPOINT, 1, frame)
        self.node.send(DEVICE, data, secured=True, acknowledged=True)

    def broadcast(self, frame: bytes) -> None:
        data = ApsData(SMART_ENERGY, ota.CLUSTER, HUB_ENDPOINT, 1, frame)
        self.node._on().aps.broadcast(BROADCAST_RX_ON, data)


class Far:
    """A real hub with bridges B1 and B3 in between and devices behind B3; one of its own beside it."""

    def __init__(self, devices: int) -> None:
        self.log = FrameLog()
        self.bench = HubBench(capture=self.log)
        self.bench.hub.start()
        b1, b3 = self._radios("b1", "home", "backhaul"), self._radios("b3", "far", "backhaul")
        self.bench.medium.link(self.bench.radio, b1[0])
        self.backhaul = (b1[1], b3[1])
        self.bench.medium.link(*self.backhaul)
        self.bridges = [self._bridge(eui(10), Kind.BRIDGE1, b1), self._bridge(eui(11), Kind.BRIDGE3, b3)]
        self.far = [self._ppmid(eui(20 + number), "far", b3[0]) for number in range(devices)]
        self.near = self._ppmid(eui(30), "home", self.bench.radio)

    def _radios(self, name: str, *networks: str) -> list[SimulatedRadio]:
        return [self.bench.medium.radio(network, name) for network in networks]

    def _node(self, who: Eui64, radios: list[SimulatedRadio]) -> DeviceParts:
        bench = self.bench
        bench.add_to_log(who, PPMID_TYPE)
        bench.run(2)
        storage = MemoryStorage()
        node = Node(NodeRole.ROUTER, who, radios, bench.clock, MemoryStorage(), bench.entropy, name=str(who))
        node.join(link_key(code_of(who)), (CHANNEL,))
        return {
            "name": str(who), "node": node, "clock": bench.clock, "wall": OffsetWallClock(bench.clock),
            "storage": storage, "entropy": bench.entropy, "recorder": bench.notes,
            "entity": GbcsEntity(credentials(who), TrustAnchors.of(acb()), storage, bench.entropy),
            "product": PRODUCT,
        }  # fmt: skip

    def _bridge(self, who: Eui64, kind: Kind, radios: list[SimulatedRadio]) -> AltHanBridge:
        parts = self._node(who, radios)
        parts["product"] = product(kind)
        device = AltHanBridge(**parts)
        device.start()
        self.bench.run_till(lambda: device.node.joined)
        return device

    def _ppmid(self, who: Eui64, network: str, router: SimulatedRadio) -> Ppmid:
        radio = self.bench.medium.radio(network, str(who))
        self.bench.medium.link(radio, router)
        device = Ppmid(**self._node(who, [radio]))
        device.start()
        self.bench.run_till(lambda: device.node.joined)
        return device

    def keys(self) -> list[CaptureKey]:
        """Return the link keys of all devices; the network key is in the capture, under them."""
        devices = [*self.bridges, *self.far, self.near]
        return [CaptureKey(link_key(code_of(each.node.eui)), f"link key {each.node.eui}") for each in devices]


def captured(log: FrameLog) -> list[CapturedFrame]:
    """Return the frames as a capture file has them."""
    return [CapturedFrame(number, *frame, "") for number, frame in enumerate(log.frames, 1)]
