"""Builds one HAN from its description: radios, nodes, hub, devices, supplies and keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from emulator.air.medium import Medium
from emulator.air.radio import SimulatedRadio
from emulator.clock import OffsetWallClock, VirtualClock
from emulator.devices.alt_han_bridge import AltHanBridge, BridgeSettings
from emulator.devices.cad import Cad
from emulator.devices.communications_hub import CommunicationsHub
from emulator.devices.communications_hub.own_firmware import OwnFirmware, OwnVersion
from emulator.devices.communications_hub.settings import HubSettings, InstalledDevice
from emulator.devices.esme import Esme
from emulator.devices.gsme import Gsme
from emulator.devices.hcalcs import Hcalcs
from emulator.devices.ihd import Ihd
from emulator.devices.ppmid import Ppmid
from emulator.home.consumption import Message
from emulator.home.description import DeviceDescription, HomeDescription, HubDescription
from emulator.home.living import Life
from emulator.home.prejoined import join_beforehand
from emulator.home.siting import HUB, REPLACEMENT, Siting
from emulator.parts.gbcs_entity import GbcsEntity, TrustAnchors
from emulator.parts.joined_devices import JoinedLog, log_prefix
from emulator.parts.journal import Journal
from emulator.parts.key_establishment import SuiteCredentials
from emulator.power import Mains, Supply
from emulator.storage import MemoryStorage
from emulator.wan import Wan, WanSettings, wan_pair
from firmware_images import Product, product
from protocols.addresses import Eui64
from protocols.crypto.install_code import link_key
from protocols.errors import InputError
from protocols.gbcs.smki import Credentials
from protocols.interfaces import HOUR, MINUTE, SECOND, Entropy, LinkKey, Recorder, Storage
from protocols.ota.client import DownloadStatistics
from protocols.ota.image import Kind
from protocols.ota.server import OtaServer, OtaServerSettings
from protocols.stack.node import Node
from protocols.stack.settings import KeyLog, NodeRole, StackSettings

CCS01_TYPES = {"esme": 0, "gsme": 1, "hcalcs": 13, "ihd": 128, "cad": 130, "ppmid": 132}
"""Device type of CCS01 by kind; a bridge is a PPMID to the hub."""

WELL_KNOWN_LINK_KEY = LinkKey(b"ZigBeeAlliance09")

_CLASSES: dict[str, Callable[..., Any]] = {
    "esme": Esme, "gsme": Gsme, "hcalcs": Hcalcs, "ppmid": Ppmid, "ihd": Ihd, "cad": Cad,
    "bridge1": AltHanBridge, "bridge2": AltHanBridge, "bridge3": AltHanBridge, "bridge4": AltHanBridge,
}  # fmt: skip
_ROLES = {"gsme": NodeRole.SLEEPY_END_DEVICE} | {f"bridge{n}": NodeRole.ROUTER for n in range(1, 5)}
_BATTERY = ("gsme", "bridge4")
_TRUSTS_SUPPLIER = ("esme", "gsme", "hcalcs")


class EmulatedDevice(Protocol):
    """What a home needs of a device, whatever it is."""

    node: Node

    @property
    def firmware_version(self) -> int: ...
    @property
    def statistics(self) -> DownloadStatistics: ...
    def start(self, key: LinkKey | None = None, channels: tuple[int, ...] = ()) -> None: ...
    def power_off(self) -> None: ...
    def power_on(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all homes of a run share."""

    clock: VirtualClock
    entropy: Entropy
    medium: Medium
    recorder: Recorder
    key_log: KeyLog | None
    credentials: Callable[[Eui64], Credentials]  # of a device or organisation, made once
    meter_anchors: TrustAnchors  # supplier, network operator, ACB: what meters and HCALCS trust
    broker_anchors: TrustAnchors  # the ACB: what PPMIDs, bridges and the hub trust
    key_establishment: Callable[[Eui64], SuiteCredentials] | None = None
    """Of a node, for the link key with its hub; None: link keys stay those of the install codes."""
    wan_provider: Credentials | None = None  # whose images for themselves hubs take; None: they take none


@dataclass(frozen=True, slots=True)
class Defects:
    """Planted faults, by name of home and device; none in an honest run."""

    classes: Mapping[str, Callable[..., Any]] = field(default_factory=dict)  # by kind
    ota_server: Callable[[OtaServerSettings], OtaServer] = OtaServer
    key_establishment: Callable[[Eui64, SuiteCredentials], SuiteCredentials | None] = lambda _, own: own
    signing: Callable[[Eui64, Credentials], Credentials] = lambda _, own: own
    own_firmware: Callable[..., OwnFirmware] = OwnFirmware
    own_version: Callable[..., OwnVersion] = OwnVersion


@dataclass(frozen=True, slots=True)
class HomeDevice:
    """A device of a home, described and built."""

    name: str
    description: DeviceDescription
    product: Product | None  # None: no image is made for its kind
    device: EmulatedDevice

    @property
    def eui(self) -> Eui64:
        return self.description.eui

    @property
    def key(self) -> LinkKey:
        return link_key(self.description.install_code)

    @property
    def tunnelled(self) -> bool:
        """Whether the hub opens a tunnel to it."""
        return self.description.kind not in ("gsme", "ihd", "cad") and self.description.tunnelling != "never"


class Household:
    """The devices of one HAN and the place of a hub, which subclasses fill. Nothing runs before `switch_on`."""

    _joins = False  # whether devices are joined to each other

    def __init__(self, description: HomeDescription, around: Surroundings, defects: Defects | None = None) -> None:
        self.description, self.name = description, description.name
        self._around, self._defects = around, defects if defects is not None else Defects()
        self.mains = Mains(around.clock, description.phases)
        self.life = Life(description, around.entropy, joins=self._joins)
        self.dc = Supply()
        self.siting = Siting(description, around.medium)
        self._fill_hub_place()
        self.devices = tuple(self._build(device) for device in description.devices)
        self.siting.link()

    def _fill_hub_place(self) -> None:
        """Make the radio "hub" and what stands behind it."""
        self.siting.radio(HUB)

    def device(self, name: str) -> HomeDevice:
        self.description.device(name)  # InputError for a name it does not have
        return next(device for device in self.devices if device.name == name)

    def switch_on(self, device: HomeDevice) -> None:
        """Let a device look for the hub's network."""
        well_known = self.description.trust == "well_known"
        device.device.start(WELL_KNOWN_LINK_KEY if well_known else device.key, (self.description.channel,))
        if device.description.kind not in (*_BATTERY, "esme"):
            socket = self.mains.phases[device.description.phase - 1]
            socket.attach(lambda on: device.device.power_on() if on else device.device.power_off())
        if device.description.powers_hub:
            self._begin_messages(device.device)

    def _begin_messages(self, meter: EmulatedDevice) -> None:
        """Have the meter show the messages of the description in their time."""
        if isinstance(meter, Esme):
            for message in self.description.consumption.messages:
                self._around.clock.call_at(
                    self._around.clock.now() + message.after * SECOND, self._show, meter, message
                )

    def _show(self, meter: Esme, message: Message) -> None:
        """Show a message, as soon as the meter has power."""
        if meter.powered:
            meter.meter.show_message(message.text, confirm=message.confirm)
        else:
            self._around.clock.call_at(self._around.clock.now() + MINUTE, self._show, meter, message)

    # --- building ----------------------------------------------------------------------------------------------

    def _stack_settings(self) -> StackSettings:
        settings = StackSettings(backhaul_channel=self.description.backhaul_channel)
        if self.description.trust == "well_known":  # foreign routers count on link status every 15 s
            return settings
        strict = self._keys(self.description.hub.gpf) is not None  # else the link keys of the install codes serve all
        return replace(settings, link_status_most=HOUR, established_keys_only=strict)

    def _keys(self, eui: Eui64) -> SuiteCredentials | None:
        issue = self._around.key_establishment
        return None if issue is None else self._defects.key_establishment(eui, issue(eui))

    def _node(
        self,
        name: str,
        eui: Eui64,
        role: NodeRole,
        radio: SimulatedRadio,
        backhauls: tuple[SimulatedRadio, ...] = (),
        settings: StackSettings | None = None,
    ) -> Node:
        around = self._around
        return Node(
            role, eui, (radio, *backhauls), around.clock, MemoryStorage(), around.entropy,
            self._stack_settings() if settings is None else settings,
            around.key_log, around.recorder, f"{self.name}/{name}",
        )  # fmt: skip

    def _device_node(self, described: DeviceDescription, backhauls: tuple[SimulatedRadio, ...]) -> Node:
        settings = replace(self._stack_settings(), poll_period=described.polls_every * SECOND)
        role = _ROLES.get(described.kind, NodeRole.END_DEVICE)
        radio = self.siting.radio(described.name)
        return self._node(described.name, described.eui, role, radio, backhauls, settings)

    def _entity(self, eui: Eui64, storage: Storage, anchors: TrustAnchors) -> GbcsEntity:
        credentials = self._defects.signing(eui, self._around.credentials(eui))
        return GbcsEntity(credentials, anchors, storage, self._around.entropy)

    def _build(self, described: DeviceDescription) -> HomeDevice:
        around, storage = self._around, MemoryStorage()
        backhauls: tuple[SimulatedRadio, ...] = ()
        if described.is_bridge:
            backhauls = (self.siting.backhaul_radio(described.name),)
        kind = described.kind
        made = product(Kind(kind)) if kind not in ("ihd", "cad") else None
        arguments: dict[str, Any] = {
            "name": f"{self.name}/{described.name}",
            "node": self._device_node(described, backhauls),
            "clock": around.clock,
            "wall": OffsetWallClock(around.clock, drift_ppb=described.clock_drift),
            "storage": storage,
            "entropy": around.entropy,
            "recorder": around.recorder,
            "home_automation": described.home_automation,
            "key_establishment": self._keys(described.eui),
        }
        if made is not None:
            trusted = around.meter_anchors if kind in _TRUSTS_SUPPLIER else around.broker_anchors
            arguments |= {"entity": self._entity(described.eui, storage, trusted), "product": made}
        if described.is_bridge:
            charge = None if described.battery is None else 1000 * described.battery
            arguments |= {"tunnelling": described.tunnelling, "bridge_settings": BridgeSettings(charge=charge)}
        if kind == "esme":
            arguments |= {"mains": self.mains.supply, "dc_out": self.dc}
            if described.polyphase:
                arguments["phases"] = self.mains.phases
        arguments |= self.life.arguments(described)
        device = self._defects.classes.get(kind, _CLASSES[kind])(**arguments)
        return HomeDevice(described.name, described, made, device)


class Home(Household):
    """A HAN with a hub of ours. Nothing runs before `start_hub` and `switch_on`.

    `hub`, `chf`, `gpf` and `wan` are those of the hub in place; `replace_hub` puts another one there.
    """

    _joins = True

    def __init__(self, description: HomeDescription, around: Surroundings, defects: Defects | None = None) -> None:
        """Raises InputError for a description that only suits a foreign host."""
        if description.trust != "install_code":
            raise InputError(f"{description.name}: a hub of ours admits by install code only, not {description.trust}")
        for device in description.devices:
            if device.home_automation:
                raise InputError(f"{description.name}: {device.name} has home_automation, which is for foreign hosts")
        super().__init__(description, around, defects)
        if description.joined:
            keys = around.entropy.random(f"partner keys {self.name}")
            devices = {device.name: device.device for device in self.devices}
            log = JoinedLog(self._hub_storage, log_prefix(self.gpf))
            join_beforehand(description, devices, log, keys, lambda eui: around.credentials(eui).ka_certificate.der)

    def _fill_hub_place(self) -> None:
        self._install(HUB, self.description.hub, self.siting.radio(HUB))
        self.dc.attach(lambda on: self._socket.switch(on))

    def start_hub(self) -> None:
        """Form the network; what was installed before is in the hub's log and may join."""
        self._hub_node.form(self.description.pan_id, self.description.channel)
        self.hub.start()
        self.hub.preload(
            InstalledDevice(device.eui, CCS01_TYPES.get(device.kind, CCS01_TYPES["ppmid"]), device.install_code)
            for device in self.description.devices
            if device.installed
        )

    def replace_hub(self) -> None:
        """Unplug the hub and put the described replacement in its place, with an empty log, on the air at once.

        Raises InputError for a home without one.
        """
        spare = self.description.replacement
        if spare is None:
            raise InputError(f"{self.name} has no replacement hub")
        self.hub.power_off()
        self.wan.hub.listening = False
        radio = self.siting.place_another(REPLACEMENT, spare.place, spare.power)
        self._install(REPLACEMENT, spare, radio)
        self._hub_node.form(spare.pan_id, self.description.channel)
        self.hub.start()

    def keyed(self, device: HomeDevice) -> bool:
        """Whether a device and the hub in place have both established a link key with the other."""
        here, there = self._hub_node, device.device.node
        return here.powered and there.powered and here.key_established(device.eui) and there.key_established(self.gpf)

    def _install(self, name: str, described: HubDescription, radio: SimulatedRadio) -> None:
        """Make a hub and let the supply and the WAN be its own."""
        around, self.hub_name = self._around, f"{self.name}/{name}"
        self.chf, self.gpf = described.chf, described.gpf
        stream = self.name if name == HUB else f"{self.name} {name}"
        self.wan: Wan = wan_pair(around.clock, around.entropy.random(f"wan {stream}"), WanSettings())
        self._socket = Supply(self.dc.on)
        self._hub_node = self._node(name, self.gpf, NodeRole.COORDINATOR, radio)
        self.hub = self._build_hub(described)

    def _build_hub(self, described: HubDescription) -> CommunicationsHub:
        around, storage = self._around, Journal(MemoryStorage())  # CHF, GPF and hub change together
        self._hub_storage = storage
        return CommunicationsHub(
            self.hub_name,
            (self._hub_node,),
            self.wan.hub,
            around.clock,
            OffsetWallClock(around.clock),
            storage,
            around.entropy,
            around.recorder,
            chf=self._entity(self.chf, storage, self._chf_anchors()),
            gpf=self._entity(self.gpf, storage, around.broker_anchors),
            dc_in=self._socket,
            settings=HubSettings(firmware_version=described.version, secmp0007=described.secmp0007),
            ota_server_factory=self._defects.ota_server,
            key_establishment=self._keys(self.gpf),
            product=_hub_product(described),
            own_firmware=self._defects.own_firmware,
            own_version=self._defects.own_version,
        )

    def _chf_anchors(self) -> TrustAnchors:
        around = self._around
        if around.wan_provider is None:
            return around.broker_anchors
        return around.broker_anchors.with_party(around.wan_provider)


def _hub_product(described: HubDescription) -> Product | None:
    """Return the shipped product a hub is one of, None for another make: no image is made for it."""
    shipped = product(Kind.HUB)
    named = (f"{shipped.manufacturer:04X}", shipped.model_text)
    return shipped if named == (described.manufacturer, described.model) else None


class ForeignHome(Household):
    """A HAN whose coordinator is a host from outside: a bare radio stands at the hub's place."""

    def __init__(self, description: HomeDescription, around: Surroundings, *, host_delay: int = 0) -> None:
        """host_delay: ns that the host and its line may take to answer a frame; a radio's owner would take none."""
        self._host_delay = host_delay
        super().__init__(description, around)

    def _stack_settings(self) -> StackSettings:
        """Wait longer where the answer of a parent is due, and exchange the link key if the host is to give one."""
        settings = super()._stack_settings()
        return replace(
            settings,
            scan_wait=settings.scan_wait + self._host_delay,
            response_wait=settings.response_wait + self._host_delay,
            receive_window=settings.receive_window + self._host_delay,
            exchange_link_key=self.description.trust == "well_known",
            mend_source_routes=self.description.trust == "well_known",
        )

    @property
    def hub_radio(self) -> SimulatedRadio:
        """What the host gets, as a dongle."""
        return self.siting.radios[HUB]

    def switch(self, device: HomeDevice, *, on: bool) -> None:
        """Cut the power of one device, or give it back."""
        if on:
            device.device.power_on()
        else:
            device.device.power_off()
