"""A device with a cluster more than its kind has, beside a played hub that says what the test says."""

from emulator.air.medium import Capture
from emulator.devices.ppmid import Ppmid
from emulator.parts.cluster_server import ClusterServer
from emulator.parts.han_application import METERING
from emulator.parts.updatable import DeviceParts
from emulator.storage import MemoryStorage
from firmware_images import product
from protocols.addresses import Eui64
from protocols.interfaces import MINUTE, SECOND, ApsData, Received
from protocols.octets import Reader
from protocols.ota.image import Kind
from protocols.stack.settings import NodeRole
from protocols.zcl import data_types
from protocols.zcl.attribute_server import Attribute
from protocols.zcl.data_types import Value
from protocols.zcl.frame import ZclFrame, ZclStatus
from protocols.zdp.management import Binding, BindRequest
from tests.support.hub_side import HUB, HUB_ENDPOINT, KEY, SMART_ENERGY, HubSide

DEVICE = Eui64(0x00DB1234567890A7)
CONFIGURE = "000106" + "00" + "0000" + "25" + "0a00" + "3c00" + "030000000000"  # 10 to 60 s, a change of 3
"""Reports of the counter within 10 to 60 s, and of a change of 3."""


class Meter(Ppmid):
    """A device with a cluster more: a counter that can be set, and a command that adds to it."""

    servers = (*Ppmid.servers, METERING)

    def __init__(self, **parts: object) -> None:
        super().__init__(**parts)  # type: ignore[arg-type]  # DeviceParts
        self.count = 0
        counter = Attribute(data_types.UINT48, lambda: self.count, self._set)
        self.application.serve(ClusterServer(METERING, {0x0000: counter}, commands={0x05: self._add}, generated=(6,)))

    def _set(self, value: Value) -> int:
        assert isinstance(value, int)
        self.count = value
        return ZclStatus.SUCCESS

    def _add(self, frame: ZclFrame, event: Received) -> bytes | int:
        amount = Reader(frame.payload).uint8()
        if amount > 9:
            return ZclStatus.INVALID_FIELD
        self.count += amount
        return ZclStatus.SUCCESS


class ClusterHome(HubSide):
    """The played hub and one such device, which has joined and has its tunnel."""

    def __init__(self, capture: Capture | None = None) -> None:
        super().__init__(capture=capture)
        self.storage_of_device = MemoryStorage()
        parts: DeviceParts = self.parts(DEVICE, NodeRole.ROUTER, product(Kind.PPMID), storage=self.storage_of_device)
        self.device = Meter(**parts)
        self.heard: list[Received] = []
        self.watch = self.heard.append
        self.admit(DEVICE)
        self.device.start(KEY)
        self.run(MINUTE)
        assert DEVICE in self.tunnels

    def say(self, cluster: int, frame: str, *, secured: bool = True) -> list[tuple[str, bool]]:
        """Send a ZCL frame; return what came back on the cluster, and whether under the link key."""
        self.heard.clear()
        aps = ApsData(SMART_ENERGY, cluster, HUB_ENDPOINT, 1, bytes.fromhex(frame))
        self.node.send(DEVICE, aps, secured=secured, acknowledged=True)
        self.run(2 * SECOND)
        return self.answers(cluster)

    def answers(self, cluster: int) -> list[tuple[str, bool]]:
        return [(each.aps.payload.hex(), each.secured) for each in self.heard if each.aps.cluster == cluster]

    def bind(self) -> None:
        row = Binding(DEVICE, 1, METERING, HUB, HUB_ENDPOINT)
        self.node.query(DEVICE, BindRequest(row), lambda _: None)
        self.run(2 * SECOND)
        assert self.device.node.bound(1, METERING) == [row]
