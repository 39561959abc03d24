"""Devices that join, show themselves, and live quietly."""

from collections.abc import Sequence

from emulator.parts.attributes import Identity, serve_plain
from emulator.parts.gbcs_entity import GbcsEntity
from emulator.parts.han_application import DeviceId, HanApplication, descriptor
from emulator.parts.home_automation import HomeAutomationEndpoint
from firmware_images import Product
from protocols.addresses import Eui64
from protocols.interfaces import Clock, Entropy, LinkKey, Recorder, Storage, WallClock
from protocols.ota.client import DownloadStatistics
from protocols.stack.node import Node


class QuietDevice:
    """Base of IHD and CAD, with the outer face of an updatable device."""

    shown: DeviceId
    servers: tuple[int, ...] = ()
    clients: tuple[int, ...] = ()
    battery = False

    def __init__(
        self,
        *,
        name: str,
        node: Node,
        clock: Clock,
        wall: WallClock,
        storage: Storage,
        entropy: Entropy,
        recorder: Recorder,
        entity: GbcsEntity | None = None,
        product: Product | None = None,
        running_version: int | None = None,
        home_automation: bool = False,
    ) -> None:
        """home_automation: a second endpoint for foreign hosts, without OTA, since these devices have none."""
        self.name, self.node, self.clock, self.wall = name, node, clock, wall
        self.storage, self.entropy, self.recorder = storage, entropy, recorder
        self.entity, self.product = entity, product
        self.powered = False
        factory = 0 if product is None else product.versions[0]
        self.firmware_version = factory if running_version is None else running_version
        self.statistics = DownloadStatistics()
        self.hub: Eui64 | None = None  # once joined
        endpoint = descriptor(self.shown, servers=self.servers, clients=self.clients)
        self.application = HanApplication(node, endpoint, self._joined)
        if home_automation:
            HomeAutomationEndpoint(self.application, ota=False)
        maker, model, hardware = ("hanlab", type(self).__name__, 1)
        if product is not None:
            maker, model, hardware = f"{product.manufacturer:04X}", product.model_text, product.hardware_version >> 8
        serve_plain(self.application, Identity(maker, model, hardware, self.battery), clock, self._identify)
        self.application.attach()

    def start(self, key: LinkKey | None = None, channels: Sequence[int] = (11,)) -> None:
        """Switch on for the first time; with `key` also look for a network under that install-code link key."""
        self.powered = True
        if key is not None:
            self.node.join(key, channels)

    def power_off(self) -> None:
        if self.powered:
            self.powered = False
            self.application.forget()
            self.node.power_off()

    def power_on(self) -> None:
        if not self.powered:
            self.powered = True
            self.node.power_on()

    def _identify(self, seconds: int) -> None:
        self.recorder.note(self.name, "identify", seconds=seconds)

    def _joined(self, hub: Eui64) -> None:
        self.hub = hub
