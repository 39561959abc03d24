"""A shipped home as the access control broker sees it: commands go down its WAN, messages of its devices come up.

For looking at one exchange closely: there is neither CSP nor DSP, and the broker has two sets of keys of one authority.
"""

from collections.abc import Callable

from emulator.air.medium import Medium
from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from emulator.home import find_home
from emulator.home.builder import Home, HomeDevice, Surroundings
from emulator.home.description import HomeDescription
from emulator.parts.gbcs_entity import TrustAnchors
from emulator.parts.updatable import UpdatableDevice
from gateway.assembly.parties import ACB, NETWORK_OPERATOR, SUPPLIER, Parties
from protocols.addresses import Eui64
from protocols.errors import InputError, UsageError
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Certificate, Credentials, RemotePartyRole, TestPki
from protocols.interfaces import MINUTE, SECOND
from protocols.wan.envelope import GbcsCarried
from protocols.wan.session import WanSession

START = 1_772_442_000 * SECOND  # 2026-03-02T09:00:00Z
_PATIENCE = 30 * MINUTE  # for a device to join
_NEEDED = ("esme", "bridge-1", "bridge-3")  # the supply, and the way to the cellar

Note = tuple[str, str, dict[str, str | int | bool | None]]  # actor, event, fields


class BrokeredHome:
    """`old` and `new` are the broker's credentials; `up` holds what came up, `notes` what actors said."""

    def __init__(self, home: str, device: str, seed: int = 1) -> None:
        """Let the device join; InputError for one that the home does not have or that has no GBCS entity."""
        self.clock, self.entropy = VirtualClock(START), SeededEntropy(seed)
        described = _reduced(find_home(home), device)
        own, pki = Parties(self.entropy, START, [described]).credentials, TestPki(self.entropy, START)
        self.root, self.issuing = pki.root, pki.issuing
        self.old = own(ACB)
        self.new = pki.organisation(ACB, RemotePartyRole.ACCESS_CONTROL_BROKER, generation=1)
        self.notes, self.up = list[Note](), list[Message]()
        self.heard: Callable[[str, str, dict[str, str | int | bool | None]], None] = lambda *_: None
        self.arrived: Callable[[Message], None] = lambda _: None
        around = Surroundings(
            clock=self.clock,
            entropy=self.entropy,
            medium=Medium(self.clock, self.entropy),
            recorder=self,
            key_log=None,
            credentials=own,
            meter_anchors=TrustAnchors.of(own(SUPPLIER), own(NETWORK_OPERATOR), own(ACB), root=self.root),
            broker_anchors=TrustAnchors.of(own(ACB), root=self.root),
        )
        self.home, self._csp = Home(described, around), WanSession()
        self.home.wan.csp.attach(self._from_wan)
        self.home.start_hub()
        for each in self.home.devices:
            self.home.switch_on(each)
        self.target: HomeDevice = self.home.device(device)
        self._await_join()

    @property
    def device(self) -> UpdatableDevice:
        found = self.target.device
        if not isinstance(found, UpdatableDevice):
            raise UsageError(f"{self.target.name} has no GBCS entity")
        return found

    @property
    def certificate(self) -> Certificate:
        """The device's digital signing certificate."""
        return self.device.entity.credentials.ds_certificate

    def run(self, duration: int) -> None:
        self.clock.run_for(duration)

    def note(self, actor: str, event: str, **fields: str | int | bool | None) -> None:
        """Take what an actor says, as the recorder of the home."""
        self.notes.append((actor, event, fields))
        self.heard(actor, event, fields)

    def command(
        self, message_code: int, payload: bytes, counter: int, broker: Credentials, *, user: Eui64 | None = None
    ) -> bytes:
        """Return a command of the broker under the MAC of one of its key sets; `user`: for whom it speaks."""
        message = Message(
            Cra.COMMAND, counter, ACB, self.target.eui, message_code=message_code, payload=payload, signature=b"",
            supplementary_party=user, supplementary_counter=None if user is None else counter,
        )  # fmt: skip
        public = self.device.entity.credentials.ka_certificate.public_key
        return security.add_mac(message, security.shared_secret(broker.ka_key, public)).encode()

    def send(self, octets: bytes) -> None:
        """Give the hub a message for the device."""
        _, envelope = self._csp.send(GbcsCarried(self.target.eui, octets), self.clock.now())
        self.home.wan.csp.send(envelope)

    # --- inside ------------------------------------------------------------------------------------------------

    def _await_join(self) -> None:
        until = self.clock.now() + _PATIENCE
        while not self._reached() and self.clock.now() < until:
            self.run(SECOND)
        self.run(MINUTE)

    def _reached(self) -> bool:
        if not self.target.tunnelled:
            return self.target.device.node.joined
        return any(what == "tunnel-open" and said["device"] == str(self.target.eui) for _, what, said in self.notes)

    def _from_wan(self, octets: bytes) -> None:
        arrival = self._csp.received(octets)
        if isinstance(arrival.message, GbcsCarried):
            message = Message.decode(arrival.message.message)
            self.up.append(message)
            self.arrived(message)
        reply = self._csp.accept(arrival)
        if reply is not None:
            self.home.wan.csp.send(reply)


def _reduced(described: HomeDescription, device: str) -> HomeDescription:
    """Return the home with nothing but the device and what it needs, all of it in the hub's log."""
    kind = described.device(device).kind
    if kind in ("ihd", "cad"):
        raise InputError(f"{device} holds no credentials: a device of kind {kind}")
    kept = [each for each in described.devices if each.name in (*_NEEDED, device)]
    installed = tuple(each.model_copy(update={"installed": True, "polls_every": 60}) for each in kept)
    return described.model_copy(update={"devices": installed})
