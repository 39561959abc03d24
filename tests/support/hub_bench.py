"""A hub on simulated air in virtual time, with the CSP's side of its WAN and the ACB's keys in the test's hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial

from emulator.air.medium import Capture, Medium
from emulator.clock import OffsetWallClock, VirtualClock
from emulator.devices.alt_han_bridge import AltHanBridge
from emulator.devices.communications_hub import CommunicationsHub, HubSettings
from emulator.devices.esme import Esme
from emulator.devices.ppmid import Ppmid
from emulator.entropy import SeededEntropy
from emulator.parts.gbcs_entity import GbcsEntity, TrustAnchors
from emulator.parts.journal import Journal
from emulator.parts.updatable import DeviceParts
from emulator.power import Mains, Supply
from emulator.storage import MemoryStorage
from emulator.wan import WanSettings, wan_pair
from firmware_images import product
from protocols.addresses import Eui64
from protocols.crypto.install_code import link_key
from protocols.errors import DecodeError
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Credentials, RemotePartyRole, TestPki
from protocols.gbcs.use_cases import ccs01, ccs08
from protocols.interfaces import (
    SECOND,
    ApsData,
    HanEvent,
    Received,
    SimpleDescriptor,
)
from protocols.ota.image import Kind, build_image
from protocols.stack.node import Node
from protocols.stack.settings import NodeRole
from protocols.wan.envelope import FirmwareImageDelivery, GbcsCarried, WanMessage
from protocols.wan.session import WanSession
from protocols.zcl.clusters import ota, tunneling
from protocols.zcl.clusters.tunneling import TunnelingCommand
from protocols.zcl.frame import ZclFrame

START = 1_772_442_000 * SECOND  # 2026-03-02T09:00:00Z
CHF, GPF = Eui64(0x00DB1234567811A2), Eui64(0x00DB1234567811A3)
ACB, SUPPLIER = Eui64(0x90B3D51F30000002), Eui64(0x90B3D51F30010000)
NETWORK_OPERATOR = Eui64(0x90B3D51F30020000)
WAN_PROVIDER = Eui64(0x90B3D51F30000007)
PROFILE = 0x0109
CHANNEL = 15
PPMID_TYPE, ESME_TYPE, GSME_TYPE, HCALCS_TYPE, IHD_TYPE = 132, 0, 1, 13, 128


def eui(number: int) -> Eui64:
    """Return the identifier of the test's device `number`."""
    return Eui64(0x00DB123456781200 + number)


def code_of(device: Eui64) -> bytes:
    """Return the install code printed on a device, without CRC."""
    return device.big + device.wire


@cache
def credentials(who: Eui64, role: RemotePartyRole | None = None) -> Credentials:
    pki = TestPki(SeededEntropy(1), START)
    return pki.device(who) if role is None else pki.organisation(who, role)


def acb() -> Credentials:
    return credentials(ACB, RemotePartyRole.ACCESS_CONTROL_BROKER)


def supplier() -> Credentials:
    return credentials(SUPPLIER, RemotePartyRole.SUPPLIER)


def network_operator() -> Credentials:
    return credentials(NETWORK_OPERATOR, RemotePartyRole.NETWORK_OPERATOR)


def wan_provider() -> Credentials:
    return credentials(WAN_PROVIDER, RemotePartyRole.WAN_PROVIDER)


class Notes:
    """The recorder: what each actor said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, str | int | bool | None]]] = []

    def note(self, actor: str, event: str, **fields: str | int | bool | None) -> None:
        self.lines.append((actor, event, fields))

    def of(self, event: str, actor: str = "hub") -> list[dict[str, str | int | bool | None]]:
        return [fields for who, what, fields in self.lines if (who, what) == (actor, event)]


@dataclass
class DrivenDevice:
    """A node whose application is the test: it serves tunnels as told and keeps what it hears."""

    node: Node
    endpoint: int = 1
    answers: list[TunnelingCommand] = field(default_factory=list)  # to the next tunnel requests
    heard: list[tuple[int, TunnelingCommand]] = field(default_factory=list)
    ota: list[bytes] = field(default_factory=list)  # ZCL frames of cluster 0x0019
    other: list[Received] = field(default_factory=list)
    servers: tuple[int, ...] = (tunneling.CLUSTER,)
    hub_endpoint: int = 1
    clock: VirtualClock | None = None

    def show(self) -> None:
        self.node.attach(self._event)
        descriptor = SimpleDescriptor(self.endpoint, PROFILE, 0x0506, 0, self.servers, (ota.CLUSTER,))
        self.node.register((descriptor,))

    def heard_of(self, kind: type[TunnelingCommand]) -> list[TunnelingCommand]:
        return [command for _, command in self.heard if isinstance(command, kind)]

    def data(self) -> list[bytes]:
        """Return the GBCS octets that came through tunnels."""
        return [command.data for _, command in self.heard if isinstance(command, tunneling.TransferData)]

    def send_zcl(self, cluster: int, frame: bytes, *, secured: bool = True) -> None:
        aps = ApsData(PROFILE, cluster, self.endpoint, self.hub_endpoint, frame)
        self.node.send(GPF, aps, secured=secured, acknowledged=True)

    def tell(self, command: TunnelingCommand) -> None:
        self.send_zcl(tunneling.CLUSTER, tunneling.encode(command, 1, from_server=True))

    def _event(self, event: HanEvent) -> None:
        if not isinstance(event, Received):
            return
        if event.aps.cluster == ota.CLUSTER:
            self.ota.append(event.aps.payload)
        elif event.aps.cluster == tunneling.CLUSTER:
            self._tunnelling(event)
        else:
            self.other.append(event)

    def _tunnelling(self, event: Received) -> None:
        frame = ZclFrame.decode(event.aps.payload)
        command = tunneling.decode(frame)
        assert event.secured
        self.heard.append((self.clock.now() if self.clock is not None else 0, command))
        if isinstance(command, tunneling.RequestTunnel) and self.answers:
            self.send_zcl(tunneling.CLUSTER, tunneling.encode(self.answers.pop(0), frame.transaction, from_server=True))


class HubBench:
    """One hub, its supply, its WAN, and devices as the test adds them.

    The hub is fed by `dc_in`: the mains themselves, or with `fed_by_esme` a line of its own for `esme()` to switch.
    """

    def __init__(
        self,
        settings: HubSettings | None = None,
        *,
        wan: WanSettings | None = None,
        capture: Capture | None = None,
        fed_by_esme: bool = False,
        with_gpf: bool = False,
    ) -> None:
        self.clock, self.entropy, self.notes = VirtualClock(START), SeededEntropy(1), Notes()
        self.medium = Medium(self.clock, self.entropy, capture)
        self.storage, self.mains = MemoryStorage(), Mains(self.clock)
        self.dc_in = Supply() if fed_by_esme else self.mains.supply
        self.settings = settings if settings is not None else HubSettings()
        self.radio = self.medium.radio("home", "hub")
        self.node = Node(
            NodeRole.COORDINATOR, GPF, (self.radio,), self.clock, MemoryStorage(), self.entropy, name="hub-node"
        )
        self.node.form(0x1A62, CHANNEL)
        self.wan = wan_pair(self.clock, self.entropy.random("wan"), wan)
        self.wan.csp.attach(self._up)
        self.csp = WanSession()
        self.up: list[tuple[int, WanMessage]] = []
        journal, root = Journal(self.storage), TestPki(SeededEntropy(1), START).root
        self.chf = GbcsEntity(
            credentials(CHF), TrustAnchors.of(acb(), wan_provider(), root=root), journal, self.entropy
        )
        before = TrustAnchors.before_handover(acb(), root)
        self.gpf = GbcsEntity(credentials(GPF), before, journal, self.entropy) if with_gpf else None
        self.hub = self.make_hub()
        self.counter = 1000

    def make_hub(self) -> CommunicationsHub:
        return CommunicationsHub(
            "hub", (self.node,), self.wan.hub, self.clock, OffsetWallClock(self.clock), self.storage, self.entropy,
            self.notes, self.chf, self.gpf, self.dc_in, self.settings, product=product(Kind.HUB),
        )  # fmt: skip

    # --- time --------------------------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        self.clock.run_for(int(seconds * SECOND))

    def run_till(self, condition: Callable[[], bool], within: int = 600) -> None:
        """Run second by second until `condition()`; fail after `within` seconds."""
        for _ in range(within):
            if condition():
                return
            self.run(1)
        raise AssertionError(f"not within {within} s")

    # --- the far end of the WAN --------------------------------------------------------------------------------

    def _up(self, octets: bytes) -> None:
        try:
            arrival = self.csp.received(octets)
        except DecodeError as error:
            raise AssertionError("the hub sent noise") from error
        if arrival.message is not None:
            self.up.append((self.clock.now(), arrival.message))
        reply = self.csp.accept(arrival)
        if reply is not None:
            self.wan.csp.send(reply)

    def down(self, message: WanMessage) -> bytes:
        _, octets = self.csp.send(message, self.clock.now())
        self.wan.csp.send(octets)
        return octets

    def resend(self) -> None:
        """Send again what the hub has not acknowledged, as the CSP does."""
        for octets in self.csp.resume(self.clock.now()):
            self.wan.csp.send(octets)

    def messages_up(self, device: Eui64) -> list[Message]:
        """Return the GBCS messages that came up for `device`."""
        carried = [message for _, message in self.up if isinstance(message, GbcsCarried) and message.device == device]
        return [Message.decode(message.message) for message in carried]

    def transfer_alerts(self) -> list[ccs08.Alert]:
        """Return the CCS08 alerts, each with a signature of the CHF that verifies."""
        alerts = [message for message in self.messages_up(CHF) if message.message_code == ccs08.MESSAGE_CODE]
        for message in alerts:
            security.verify_signature(message, credentials(CHF).ds_certificate.public_key)
            assert (message.originator, message.target) == (CHF, ACB)
        return [ccs08.Alert.decode(message.payload) for message in alerts]

    # --- the ACB -----------------------------------------------------------------------------------------------

    def command(self, message_code: int, payload: bytes, target: Eui64 = CHF, counter: int | None = None) -> bytes:
        """Return a command of the ACB on behalf of the supplier, with its MAC."""
        if counter is None:
            self.counter += 1
            counter = self.counter
        message = Message(
            Cra.COMMAND, counter, ACB, target, b"", message_code, SUPPLIER, counter, None, b"", payload, b"", None
        )
        z = security.shared_secret(acb().ka_key, credentials(target).ka_certificate.public_key)
        return security.add_mac(message, z).encode()

    def add_to_log(self, device: Eui64, type_code: int, *, seconds: int = 3600) -> None:
        payload = ccs01.Command(device, code_of(device), type_code, seconds, counter=self.counter + 1).encode()
        self.down(GbcsCarried(CHF, self.command(ccs01.MESSAGE_CODE, payload)))

    # --- the HAN -----------------------------------------------------------------------------------------------

    def join(self, who: Eui64, role: NodeRole = NodeRole.ROUTER) -> Node:
        """Put a node within reach of the hub and let it look for the network with the key on its label."""
        radio = self.medium.radio("home", str(who))
        self.medium.link(self.radio, radio)
        node = Node(role, who, (radio,), self.clock, MemoryStorage(), self.entropy, name=str(who))
        node.join(link_key(code_of(who)), (CHANNEL,))
        return node

    def driven(self, who: Eui64, *answers: TunnelingCommand, endpoint: int = 1) -> DrivenDevice:
        device = DrivenDevice(
            self.join(who), endpoint, list(answers), hub_endpoint=self.settings.endpoint, clock=self.clock
        )
        device.show()
        return device

    def parts(self, who: Eui64, kind: Kind, *parties: Credentials, anchors: TrustAnchors | None = None) -> DeviceParts:
        """Return what a real device of the product of `kind` is made of; it trusts `parties`, or has `anchors`."""
        known = TrustAnchors.of(*parties) if anchors is None else anchors
        storage = MemoryStorage()
        return {
            "name": str(who),
            "node": self.join(who),
            "clock": self.clock,
            "wall": OffsetWallClock(self.clock),
            "storage": storage,
            "entropy": self.entropy,
            "recorder": self.notes,
            "entity": GbcsEntity(credentials(who), known, storage, self.entropy),
            "product": product(kind),
        }

    def ppmid(self, who: Eui64) -> Ppmid:
        device = Ppmid(**self.parts(who, Kind.PPMID, acb()))
        device.start()
        return device

    def bridge(self, who: Eui64, kind: Kind) -> AltHanBridge:
        device = AltHanBridge(**self.parts(who, kind, acb()))
        device.start()
        return device

    def esme(self, who: Eui64) -> Esme:
        """Join a meter that lives on the mains and feeds the hub."""
        parts = self.parts(who, Kind.ESME, acb(), supplier(), network_operator())
        device = Esme(mains=self.mains.supply, dc_out=self.dc_in, **parts)
        device.start()
        return device


def image_of(kind: Kind, *, size: int = 2_000, release: int = 1) -> bytes:
    """Return the file of a product's release, signed by the supplier or, of a hub, by the WAN provider."""
    made, owner = product(kind), wan_provider() if kind is Kind.HUB else supplier()
    image = build_image(
        kind,
        version=made.versions[release],
        size=size,
        manufacturer=made.manufacturer,
        model=made.model,
        sign=partial(SeededEntropy(1).sign, owner.ds_key) if kind.signed else None,
    )
    return image.encode()


def delivery(request_id: str, image: bytes, *devices: Eui64, type_code: int = PPMID_TYPE) -> FirmwareImageDelivery:
    return FirmwareImageDelivery(request_id, tuple((device, type_code) for device in devices), image)
