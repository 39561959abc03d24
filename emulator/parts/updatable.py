"""What every updatable device is made of: endpoint, tunnel, firmware, GBCS entity, and its power."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NotRequired, TypedDict

from emulator.parts.attributes import Identity, serve_plain
from emulator.parts.cluster_server import ClusterServer
from emulator.parts.credential_commands import CredentialCommands, CredentialSettings
from emulator.parts.device_messages import DeviceMessages
from emulator.parts.firmware import FirmwareDownload, FirmwareStore
from emulator.parts.gbcs_application import GbcsApplication, RefusalAlerts
from emulator.parts.gbcs_entity import DeviceKind, GbcsEntity
from emulator.parts.han_application import (
    KEEP_ALIVE,
    KEY_ESTABLISHMENT,
    OTA_UPGRADE,
    TUNNELING,
    Carrier,
    DeviceId,
    HanApplication,
    descriptor,
)
from emulator.parts.home_automation import HomeAutomationEndpoint
from emulator.parts.image_checks import image_fault
from emulator.parts.joined_devices import JoinCommands, JoinSettings
from emulator.parts.journal import Journal
from emulator.parts.key_establishment import KeyEstablishment, SuiteCredentials
from emulator.parts.long_messages import KEPT, Assembly
from emulator.parts.meter_parts import MeterParts
from emulator.parts.partner_keys import PartnerKeys
from emulator.parts.reporting import Reporting, ReportingSettings
from emulator.parts.timers import Timers
from emulator.parts.trust_watch import TrustWatch, TrustWatchSettings
from emulator.parts.tunnel import TunnelServer, TunnelSettings
from emulator.parts.tunnel_client import TunnelClient
from emulator.parts.zcl_client import ZclClient
from firmware_images import Product
from protocols.addresses import Eui64
from protocols.cbke.types import CbkeSettings
from protocols.errors import DecodeError
from protocols.gbcs.blocks import is_block, split
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import alert_code_of
from protocols.interfaces import SECOND, AdjustableClock, Clock, Entropy, LinkKey, Recorder, SimpleDescriptor, Storage
from protocols.ota.client import DownloadStatistics, OtaClientSettings, OtaIdentity, ZclStatus
from protocols.ota.image import FirmwareImage, body_of, manufacturer_image_hash
from protocols.stack.node import Node

_RESTART = "restart"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """Times in ns."""

    reboot: int = 30 * SECOND  # an activation, for devices whose activation is a plain restart
    farewell: int = SECOND // 2  # from a command to the restart it causes: its acknowledgement leaves before
    ota: OtaClientSettings = field(default_factory=OtaClientSettings)
    tunnel: TunnelSettings = field(default_factory=TunnelSettings)
    credentials: CredentialSettings = field(default_factory=CredentialSettings)
    joins: JoinSettings = field(default_factory=JoinSettings)
    refusal_alerts: RefusalAlerts = field(default_factory=RefusalAlerts)
    cbke: CbkeSettings = field(default_factory=CbkeSettings)
    reporting: ReportingSettings = field(default_factory=ReportingSettings)
    trust_watch: TrustWatchSettings = field(default_factory=TrustWatchSettings)


class DeviceParts(TypedDict):
    """The keyword arguments of every updatable device."""

    name: str  # actor of the timeline, e.g. "home-1/esme"
    node: Node
    clock: Clock
    wall: AdjustableClock
    storage: Storage
    entropy: Entropy
    recorder: Recorder
    entity: GbcsEntity
    product: Product
    running_version: NotRequired[int | None]  # from the factory
    settings: NotRequired[DeviceSettings | None]
    key_establishment: NotRequired[SuiteCredentials | None]  # certificates; None: lives on its install-code link key
    home_automation: NotRequired[bool]  # a second endpoint for foreign hosts, and firmware from it alone


class UpdatableDevice:
    """Base of ESME, HCALCS, PPMID and bridges.

    It downloads images by OTA, takes GBCS commands from its tunnel, and queues responses and alerts until the hub has
    them. What is not in `storage` dies with `power_off`; what a command changes there changes together with the queued
    response. Subclasses say what to do with a good image, and add commands by `gbcs.on`.
    """

    gbcs_kind: DeviceKind
    shown: DeviceId  # on the HAN
    servers: tuple[int, ...] = (TUNNELING,)
    clients: tuple[int, ...] = (OTA_UPGRADE,)
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
        entity: GbcsEntity,
        product: Product,
        running_version: int | None = None,
        settings: DeviceSettings | None = None,
        key_establishment: SuiteCredentials | None = None,
        home_automation: bool = False,
    ) -> None:
        """running_version: from the factory, by default the product's first; an activated one in `storage` wins."""
        self.name, self.node, self.clock, self.wall = name, node, clock, wall
        self.storage, self.entropy, self.recorder = Journal.over(storage, entity.storage), entropy, recorder
        self.entity, self.product = entity, product
        self.settings = settings if settings is not None else DeviceSettings()
        self.powered = False
        self.timers = Timers(clock)
        self.store = FirmwareStore(self.storage, product.versions[0] if running_version is None else running_version)
        self._keyed = key_establishment is not None
        self.application = HanApplication(node, clock, self.endpoint(self.servers), self._joined)
        self.keys: KeyEstablishment | None = None
        self.watch: TrustWatch | None = None
        if key_establishment is not None:
            random = entropy.random(f"key establishment {node.eui}")
            self.keys = KeyEstablishment(
                self.application, node, clock, key_establishment, random, note=self.note, settings=self.settings.cbke
            )
            self.watch = TrustWatch(
                self.application, clock, entropy.random(f"trust watch {node.eui}"),
                lost=self._trust_centre_lost, settings=self.settings.trust_watch,
            )  # fmt: skip
        self.partners = self.partner_keys(node, self.application, self.keys)
        firmware_from: Carrier = self.application
        if home_automation:
            firmware_from = HomeAutomationEndpoint(self.application, ota=True)
        for further in self.further_endpoints():
            self.application.add(further)
        maker, hardware = f"{product.manufacturer:04X}", product.hardware_version >> 8
        identity = Identity(maker, product.model_text, hardware, self.battery)
        serve_plain(self.application, identity, self.storage, clock, self._identify)
        self.reporting = Reporting(self.application, node, clock, self.storage, self.settings.reporting)
        self.client = ZclClient(self.application, self.timers)
        self.tunnel = self._make_tunnel()
        self.gbcs = GbcsApplication(
            entity,
            self.gbcs_kind,
            wall,
            send=self.send_gbcs,
            note=self.note,
            refusal_alerts=self.settings.refusal_alerts,
            sign_alert=self.sign_alert,
        )
        self.assembly = Assembly(self.storage, self.timers.after, self.note, self.blocks_kept)
        self.credentials = CredentialCommands(self.gbcs, self.timers.after, self.settings.credentials)
        self.joins = JoinCommands(self.gbcs, self.settings.joins, keys=self.partners)
        self.messages = DeviceMessages(self.gbcs, self.joins.log, self.send_gbcs)
        self.download = FirmwareDownload(
            firmware_from,
            clock,
            self.timers,
            self.store,
            identity=OtaIdentity(product.manufacturer, product.image_type, product.hardware_version),
            random=entropy.random(f"ota {node.eui}"),
            settings=self.ota_settings(),
            started=self._download_started,
            complete=self._download_complete,
            activate=self._server_activates,
            affords=self.affords_update,
            kept=self._download_kept,
        )
        self.application.serve(ClusterServer(OTA_UPGRADE, self.download.attributes(), from_server=False))
        self.application.attach()

    def endpoint(self, servers: tuple[int, ...]) -> SimpleDescriptor:
        """Return what the device shows on the HAN when it serves these clusters."""
        both = (KEY_ESTABLISHMENT,) if self._keyed else ()
        asked = (KEEP_ALIVE,) if self._keyed else ()
        return descriptor(self.shown, servers=(*servers, *both), clients=(*self.clients, *both, *asked))

    def further_endpoints(self) -> Sequence[SimpleDescriptor]:
        """Return what else the device shows; asked once, while the base is made."""
        return ()

    def _make_tunnel(self) -> TunnelServer | TunnelClient:
        return TunnelServer(
            self.application,
            self.timers,
            self.storage,
            received=self.gbcs_received,
            delivered=self._gbcs_delivered,
            unheard=self.node.announce,
            settings=self.settings.tunnel,
        )

    # --- what others see ---------------------------------------------------------------------------------------

    @property
    def firmware_version(self) -> int:
        """32 bits, of the image that runs."""
        return self.store.running_version

    @property
    def statistics(self) -> DownloadStatistics:
        """Of the last download: blocks, retries, octets, started, ended (ns)."""
        return self.download.statistics

    @property
    def blocks_kept(self) -> int:
        """How long blocks of a message wait for the others, ns."""
        return KEPT

    @property
    def battery(self) -> bool:
        """Whether the product runs on a battery."""
        return False

    def start(self, key: LinkKey | None = None, channels: Sequence[int] = (11,)) -> None:
        """Switch on for the first time; with `key` also look for a network under that install-code link key."""
        self.powered = True
        if key is not None:
            self.node.join(key, channels)
        self._run()

    def power_off(self) -> None:
        """Lose the supply; also while a restart is under way."""
        if self.powered:
            self._stop()
        self.timers.clear()

    def power_on(self) -> None:
        """Have the supply again, and boot."""
        if not self.powered:
            self.powered = True
            self.storage.restart()
            self.tunnel.reset()
            self.node.power_on()
            self._run()

    @property
    def meter_parts(self) -> MeterParts:
        """What a meter or display is built on."""
        return MeterParts(
            self.node, self.application, self.client, self.timers, self.clock, self.wall, self.storage, self.note,
            self.partners,
        )  # fmt: skip

    def note(self, event: str, **fields: str | int | bool | None) -> None:
        self.recorder.note(self.name, event, **fields)

    def _identify(self, seconds: int) -> None:
        self.note("identify", seconds=seconds)

    # --- power -------------------------------------------------------------------------------------------------

    def _stop(self) -> None:
        self.powered = False
        self.timers.clear()
        self.download.stop()
        self.tunnel.reset()
        self.application.forget()
        self.client.reset()
        self.reporting.stop()
        self.partners.stop()
        self.joins.stop()
        if self.keys is not None:
            self.keys.stop()
        if self.watch is not None:
            self.watch.stop()
        self.node.power_off()

    def _run(self) -> None:
        """Begin to work: called at every start, after the node's. The download waits until the hub has answered."""
        self.assembly.start()
        self.credentials.start()
        self.reporting.start()

    def _joined(self, hub: Eui64) -> None:
        if self.powered:
            if self.watch is not None:
                self.watch.start(hub)
            self.download.start(hub)
            if isinstance(self.tunnel, TunnelServer):
                self.tunnel.start()
            self.joins.joined()

    def _trust_centre_lost(self) -> None:
        """Look for the network anew: the hub may be another one by now."""
        self.note("trust-centre-lost")
        self.node.rejoin(without_key=True)

    def restart_after(self, duration: int) -> None:
        """Be off for `duration` ns, then boot. A power cut meanwhile ends the wait: its end boots."""
        self._stop()
        self.timers.after(_RESTART, duration, self.power_on)

    # --- firmware ----------------------------------------------------------------------------------------------

    def ota_settings(self) -> OtaClientSettings:
        return self.settings.ota

    def _download_started(self, version: int, size: int) -> None:
        self.note("download-started", version=f"{version:08X}", size=size)

    def _download_kept(self, version: int, octets: int) -> None:
        self.note("download-kept", version=f"{version:08X}", octets=octets)

    def _download_complete(self, version: int, file: bytes) -> ZclStatus:
        """Check a downloaded file and keep it, or refuse it."""
        statistics = self.download.statistics
        self.note(
            "download-finished",
            version=f"{version:08X}",
            sha256=sha256(file).hexdigest(),
            blocks=statistics.blocks,
            retries=statistics.retries,
        )
        reason = self.check_image(version, file)
        if reason is not None:
            self.note("image-refused", version=f"{version:08X}", reason=reason)
            self.image_refused(version, file)
            return ZclStatus.INVALID_IMAGE
        with self.storage.transaction():  # the image and what is told of it
            self.store.put_pending(file)
            self.note("image-verified", version=f"{version:08X}", hash=self.image_hash(file).hex())
            self.image_verified(version, file)
        return ZclStatus.SUCCESS

    def affords_update(self, version: int, size: int) -> bool:
        """Return whether the device may take an image of `size` octets now; it is asked again at the next offer."""
        return True

    def check_image(self, version: int, file: bytes) -> str | None:
        """Return what is wrong with a downloaded file, None if it may run here."""
        return image_fault(file, self.product, version)

    def image_hash(self, file: bytes) -> bytes:
        """Return SHA-256 of what stands where the manufacturer image belongs, 32 octets."""
        try:
            return FirmwareImage.decode(file, signed=self.product.kind.signed).hash
        except DecodeError:
            return manufacturer_image_hash(body_of(file))

    def starts_well(self, version: int, file: bytes) -> bool:
        """Return whether the waiting image runs once it is booted; the device falls back from one that does not."""
        return self.check_image(version, file) is None

    def boot_pending(self) -> bool:
        """Let the waiting image run if it can; else forget it. Return whether it runs."""
        file, version = self.store.pending, self.store.pending_version_or_none
        if file is None or version is None or not self.starts_well(version, file):
            self.store.drop_pending()
            self.note("activation-failed", version="none" if version is None else f"{version:08X}")
            return False
        self.store.activate()
        return True

    def image_verified(self, version: int, file: bytes) -> None:
        """Hear of a good image, in the transaction that stores it."""

    def image_refused(self, version: int, file: bytes) -> None:
        """Hear of a bad image, forgotten already."""

    def _server_activates(self, version: int) -> None:
        """Hear that the server's upgrade time has come."""

    # --- GBCS --------------------------------------------------------------------------------------------------

    def gbcs_received(self, octets: bytes) -> None:
        """Take what comes through the tunnel: a message, or a block of one."""
        self.assembly.take(octets, self._gbcs_arrived)

    def _gbcs_arrived(self, octets: bytes) -> None:
        """Take a whole message: of a device joined by method C, else of a remote party."""
        if self.messages.concerns(octets):
            self.messages.take(octets)
        else:
            self.gbcs.obey(octets)

    def send_gbcs(self, octets: bytes) -> None:
        """Queue a response or alert until the hub has it; a long one in blocks."""
        for part in split(octets):
            self.tunnel.post(part)

    def send_alert(
        self, message_code: int, target: Eui64, payload: Callable[[int], bytes], *, signed: bool = True
    ) -> None:
        """Make an alert, its payload from the alert counter, and queue it."""
        self.gbcs.alert(message_code, target, payload, signed=signed)

    def sign_alert(self, message_code: int, target: Eui64, payload: bytes, counter: int) -> bytes:
        return self.entity.alert(message_code, target, payload, counter=counter)

    def _gbcs_delivered(self, octets: bytes) -> None:
        if is_block(octets):
            return
        message = Message.decode(octets)
        if message.cra is Cra.ALERT:
            code = alert_code_of(message)
            self.note("alert-sent", code="none" if code is None else f"{code:04X}", counter=message.counter)
