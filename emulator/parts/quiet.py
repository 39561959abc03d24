"""Devices that join, show themselves, and live quietly."""

from collections.abc import Sequence

from emulator.parts.attributes import Identity, serve_plain
from emulator.parts.display import Display, DisplaySettings
from emulator.parts.gbcs_entity import GbcsEntity
from emulator.parts.han_application import KEEP_ALIVE, KEY_ESTABLISHMENT, DeviceId, HanApplication, descriptor
from emulator.parts.home_automation import HomeAutomationEndpoint
from emulator.parts.journal import Journal
from emulator.parts.key_establishment import KeyEstablishment, SuiteCredentials
from emulator.parts.meter_parts import MeterParts
from emulator.parts.partner_keys import PartnerKeys
from emulator.parts.reporting import Reporting
from emulator.parts.timers import Timers
from emulator.parts.trust_watch import TrustWatch
from emulator.parts.zcl_client import ZclClient
from firmware_images import Product
from protocols.addresses import Eui64
from protocols.interfaces import AdjustableClock, Clock, Entropy, LinkKey, Recorder, Storage
from protocols.ota.client import DownloadStatistics
from protocols.stack.node import Node


class QuietDevice:
    """Base of IHD and CAD, with the outer face of an updatable device; with `settings` it reads a meter."""

    kind: str  # of its day rows

    shown: DeviceId
    servers: tuple[int, ...] = ()
    clients: tuple[int, ...] = ()
    battery = False
    partner_keys = PartnerKeys

    def __init__(
        self,
        *,
        name: str,
        node: Node,
        clock: Clock,
        wall: AdjustableClock,
        storage: Storage,
        entropy: Entropy,
        recorder: Recorder,
        entity: GbcsEntity | None = None,
        product: Product | None = None,
        running_version: int | None = None,
        key_establishment: SuiteCredentials | None = None,
        home_automation: bool = False,
        settings: DisplaySettings | None = None,
    ) -> None:
        """`DeviceParts` has the meaning of these.

        home_automation: a second endpoint for foreign hosts, without OTA, since these devices have none.
        """
        self.name, self.node, self.clock, self.wall = name, node, clock, wall
        self.storage, self.entropy, self.recorder = storage, entropy, recorder
        self.entity, self.product = entity, product
        self.powered = False
        factory = 0 if product is None else product.versions[0]
        self.firmware_version = factory if running_version is None else running_version
        self.statistics = DownloadStatistics()
        self.hub: Eui64 | None = None  # once joined
        keyed = key_establishment is not None
        both, asked = ((KEY_ESTABLISHMENT,), (KEEP_ALIVE,)) if keyed else ((), ())
        endpoint = descriptor(self.shown, servers=(*self.servers, *both), clients=(*self.clients, *both, *asked))
        self.application = HanApplication(node, clock, endpoint, self._joined)
        self.keys: KeyEstablishment | None = None
        self.watch: TrustWatch | None = None
        if key_establishment is not None:
            random = entropy.random(f"key establishment {node.eui}")
            self.keys = KeyEstablishment(self.application, node, clock, key_establishment, random, note=self.note)
            random = entropy.random(f"trust watch {node.eui}")
            self.watch = TrustWatch(self.application, clock, random, lost=self._trust_centre_lost)
        self.partners = self.partner_keys(node, self.application, self.keys)
        if home_automation:
            HomeAutomationEndpoint(self.application, ota=False)
        maker, model, hardware = ("hanlab", type(self).__name__, 1)
        if product is not None:
            maker, model, hardware = f"{product.manufacturer:04X}", product.model_text, product.hardware_version >> 8
        identity = Identity(maker, model, hardware, self.battery)
        serve_plain(self.application, identity, storage, clock, self._identify)
        self.reporting = Reporting(self.application, node, clock, storage)
        self.timers = Timers(clock)
        self.client = ZclClient(self.application, self.timers)
        self.display: Display | None = None
        if settings is not None:
            parts = MeterParts(
                node, self.application, self.client, self.timers, clock, wall, Journal.over(storage), self.note,
                self.partners,
            )  # fmt: skip
            self.display = self.make_display(parts, settings)
        self.application.attach()

    def make_display(self, parts: MeterParts, settings: DisplaySettings) -> Display:
        return Display(self.kind, parts, settings)

    def start(self, key: LinkKey | None = None, channels: Sequence[int] = (11,)) -> None:
        """Switch on for the first time; with `key` also look for a network under that install-code link key."""
        self.powered = True
        if key is not None:
            self.node.join(key, channels)
        self._run()

    def _run(self) -> None:
        self.reporting.start()
        if self.display is not None:
            self.display.start()

    def power_off(self) -> None:
        if self.powered:
            self.powered = False
            self.timers.clear()
            self.client.reset()
            if self.display is not None:
                self.display.stop()
            self.application.forget()
            self.reporting.stop()
            self.partners.stop()
            if self.keys is not None:
                self.keys.stop()
            if self.watch is not None:
                self.watch.stop()
            self.node.power_off()

    def power_on(self) -> None:
        if not self.powered:
            self.powered = True
            self.node.power_on()
            self._run()

    def note(self, event: str, **fields: str | int | bool | None) -> None:
        self.recorder.note(self.name, event, **fields)

    def _identify(self, seconds: int) -> None:
        self.note("identify", seconds=seconds)

    def _joined(self, hub: Eui64) -> None:
        self.hub = hub
        if self.watch is not None:
            self.watch.start(hub)
        if self.display is not None:
            self.display.joined(hub)
        self.partners.joined()

    def _trust_centre_lost(self) -> None:
        self.note("trust-centre-lost")
        self.node.rejoin(without_key=True)
