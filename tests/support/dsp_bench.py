"""A started DSP with its store, users who send DUIS octets, and devices that send GBCS octets over the CSP.

One home: hub, a tracked ESME, a second ESME, GSME, HCALCS, PPMID and bridge, IHD. Nothing here calls into the DSP but
through `submit`, `from_csp`, `wake`, `start` and `restore`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeVar

from firmware_images import product
from gateway.dsp.effects import Note, Reply, ToCsp, ToUser, Turn, Value, WakeAt
from gateway.dsp.machine import Dsp
from gateway.dsp.records import Device, Premises, Product, Schedule, User
from gateway.dsp.rows import Version
from gateway.dsp.settings import DspSettings
from gateway.dsp.validation import WebService
from gateway.store import Store
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.alerts import DCC_ALERT_TABLE
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceStatus, DeviceType, PpmidVariant
from protocols.duis.requests import CommandVariant, Request
from protocols.duis.responses import DccAlertMessage, PreCommand, Response, ResponseMessage, parse_response
from protocols.duis.signature import Verdict, XmlSigner, judge
from protocols.gbcs import der, security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import XML_SIGNING, Certificate, Credentials, KeyPair, RemotePartyRole
from protocols.gbcs.use_cases import ccs08, cs06, cs09, fdra
from protocols.interfaces import MINUTE
from protocols.ota.image import FirmwareImage, Kind, build_image
from protocols.wan import smwan
from tests.support.parties import BROKER, NETWORK_OPERATOR, OTHER_SUPPLIER, START, SUPPLIER, Parties

HUB, GPF = Eui64(0x00DB1234567890A2), Eui64(0x00DB1234567890A3)
ESME, ESME_2 = Eui64(0x00DB1234567890A0), Eui64(0x00DB1234567890AA)
GSME, PPMID, HCALCS = Eui64(0x00DB1234567890A1), Eui64(0x00DB1234567890A4), Eui64(0x00DB1234567890A5)
BRIDGE, IHD = Eui64(0x00DB1234567890B1), Eui64(0x00DB1234567890C1)
OTHER_HUB, OTHER_ESME = Eui64(0x00DB1234567891A2), Eui64(0x00DB1234567891A0)
STRANGER = Eui64(0x90B3D51F30090000)  # nobody's user
OTHER_USER = Eui64(0x90B3D51F30050000)  # of role OU, where a test says so
CAD = Eui64(0x00DB1234567890C2)  # not in the estate

MPAN, MPAN_2, MPRN, OTHER_MPAN = "1012345678901", "1012345678902", "7012345601", "1012345678903"
OPERATOR_2 = Eui64(0x90B3D51F30040000)
USERS = (SUPPLIER, OTHER_SUPPLIER, NETWORK_OPERATOR, OPERATOR_2, OTHER_USER, STRANGER)  # whose requests are signed
ENTITIES = (HUB, GPF, ESME, ESME_2, GSME, PPMID, HCALCS, BRIDGE, OTHER_HUB, OTHER_ESME)

T = TypeVar("T")


@dataclass
class Outcome:
    """What one turn led to."""

    turn: Turn
    reply: Response | None = None
    to_users: list[tuple[Eui64, Response]] = field(default_factory=list)
    to_csp: list[smwan.SmWanMessage] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def code(self) -> str:
        assert self.reply is not None
        return self.reply.response_code

    def content(self, kind: type[T]) -> T:
        """Return the content of the synchronous answer."""
        assert self.reply is not None
        assert isinstance(self.reply.body, ResponseMessage)
        assert isinstance(self.reply.body.content, kind)
        return self.reply.body.content

    def dcc_alerts(self) -> list[tuple[Eui64, str]]:
        """Return (user, code) of the DCC alerts sent."""
        return [
            (user, response.body.dcc_alert_code)
            for user, response in self.to_users
            if isinstance(response.body, DccAlertMessage)
        ]


def image(kind: Kind, number: int, parties: Parties, *, size: int = 2048) -> FirmwareImage:
    """Return release `number` of the shipped product of a kind."""
    made = product(kind)
    return build_image(
        kind, version=made.versions[number], size=size, manufacturer=made.manufacturer, model=made.model,
        sign=parties.sign_image if kind.signed else None,
    )  # fmt: skip


_TYPES = {Kind.ESME: DeviceType.ESME, Kind.HCALCS: DeviceType.HCALCS, Kind.GSME: DeviceType.GSME}


def entry(kind: Kind, number: int, parties: Parties) -> Product:
    made = product(kind)
    return Product(
        type=_TYPES.get(kind, DeviceType.PPMID), manufacturer=f"{made.manufacturer:04X}", model=made.model_text,
        firmware_version=Version(made.versions[number]), smets_version="5.0", gbcs_version="4.1",
        hash=image(kind, number, parties).hash,
    )  # fmt: skip


def device(eui: Eui64, kind: Kind | None, device_type: DeviceType, status: DeviceStatus | None) -> Device:
    made = None if kind is None else product(kind)
    manufacturer = "1A00" if made is None else f"{made.manufacturer:04X}"
    return Device(
        device=eui, type=device_type, status=status, manufacturer=manufacturer,
        model="C0010101" if made is None else made.model_text, smets_version="5.0", owner=SUPPLIER,
        firmware_version=None if made is None else Version(made.versions[0]), added=START,
    )  # fmt: skip


def estate() -> list[Device]:
    """Return the devices installed before a test begins."""
    hub = replace(
        device(HUB, None, DeviceType.CHF, DeviceStatus.COMMISSIONED), mpxn=MPAN, associated_gpf=GPF,
        firmware_version=Version(0x0C000000), han_variant="Single Band",
    )  # fmt: skip
    gpf = replace(device(GPF, None, DeviceType.GPF, DeviceStatus.COMMISSIONED), hub=HUB)
    esme = replace(device(ESME, Kind.ESME, DeviceType.ESME, DeviceStatus.COMMISSIONED), hub=HUB, mpxn=MPAN, variant="A")
    second = replace(esme, device=ESME_2, mpxn=MPAN_2)
    gsme = replace(device(GSME, Kind.GSME, DeviceType.GSME, DeviceStatus.COMMISSIONED), hub=HUB, mpxn=MPRN)
    hcalcs = replace(device(HCALCS, Kind.HCALCS, DeviceType.HCALCS, DeviceStatus.WHITELISTED), hub=HUB)
    ppmid = replace(
        device(PPMID, Kind.PPMID, DeviceType.PPMID, DeviceStatus.WHITELISTED), hub=HUB, variant=PpmidVariant.PPMID
    )
    bridge = replace(
        device(BRIDGE, Kind.BRIDGE1, DeviceType.PPMID, DeviceStatus.WHITELISTED), hub=HUB,
        variant=PpmidVariant.ALT_HAN_BRIDGE_1,
    )  # fmt: skip
    ihd = replace(device(IHD, None, DeviceType.IHD, None), hub=HUB)
    other_hub = replace(hub, device=OTHER_HUB, mpxn=OTHER_MPAN, associated_gpf=None)
    other_esme = replace(esme, device=OTHER_ESME, hub=OTHER_HUB, mpxn=OTHER_MPAN)
    return [hub, gpf, esme, second, gsme, hcalcs, ppmid, bridge, ihd, other_hub, other_esme]


def premises() -> list[Premises]:
    return [
        Premises(MPAN, SUPPLIER, NETWORK_OPERATOR, "100023336956", "SW1A 2AA", "10 Downing Street"),
        Premises(MPRN, SUPPLIER, None, "100023336956", "SW1A 2AA", "10 Downing Street"),
        Premises(MPAN_2, SUPPLIER, OPERATOR_2, "100023336957", "SW1A 2AB", "11 Downing Street"),
        Premises(OTHER_MPAN, SUPPLIER, NETWORK_OPERATOR, "100023336958", "SW1A 2AC", "12 Downing Street"),
    ]


class Bench:
    """One DSP, its store and clock, and everybody around it. url: of its store; without it `new_store` makes one."""

    benches: ClassVar[list["Bench"] | None] = None  # takes every bench that is made, where somebody wants to know
    new_store: ClassVar[Callable[[], str]] = lambda: "sqlite://"

    def __init__(
        self,
        *,
        settings: DspSettings | None = None,
        tracked: Iterable[Eui64] = (ESME,),
        devices: Iterable[Device] | None = None,
        users: Iterable[User] = (),
        schedules: Iterable[Schedule] = (),
        url: str | None = None,
        restart: bool = False,
    ) -> None:
        if self.benches is not None:
            self.benches.append(self)
        self.parties = Parties()
        self.xml = {eui: self.parties.xml_user(eui) for eui in USERS} | {BROKER: self.parties.xml_dsp()}
        self.now = START
        self.transcript: list[tuple[str, Eui64, int, bytes]] = []  # "requests" or "mailboxes", whose, when, octets
        self.settings = settings or DspSettings()
        self.store = Store(type(self).new_store() if url is None else url)
        self._tracked = [eui.hyphenated for eui in tracked]
        self._alert_counters: dict[Eui64, int] = {}
        self._counter = 1000
        self.wake_at: int | None = None
        self.dsp = self._new_dsp()
        if restart:
            self.restart(self.settings)
            return
        known = [
            User(SUPPLIER, "IS GS"),
            User(OTHER_SUPPLIER, "IS GS"),
            User(NETWORK_OPERATOR, "ED"),
            User(OPERATOR_2, "ED"),
            *users,
        ]
        kinds = (Kind.ESME, Kind.HCALCS, Kind.PPMID, Kind.BRIDGE1, Kind.GSME)
        products = [entry(kind, n, self.parties) for kind in kinds for n in range(len(product(kind).versions))]
        installed = estate() if devices is None else devices
        self.run(
            self.dsp.provision(
                self.now, users=known, premises=premises(), products=products, devices=installed, schedules=schedules
            )
        )
        self.run(self.dsp.start(self.now))

    def _new_dsp(self) -> Dsp:
        repository: dict[tuple[Eui64, str], Certificate] = {}
        organisations = (self.parties.supplier, self.parties.other_supplier, self.parties.operator, self.parties.broker)
        for own in (*organisations, *(self.parties.pki.device(eui) for eui in ENTITIES)):
            repository[own.eui, "ds"], repository[own.eui, "ka"] = own.ds_certificate, own.ka_certificate
        repository |= {(eui, XML_SIGNING): self.xml[eui].certificate for eui in USERS}
        xml = self.xml[BROKER]
        return Dsp(self.settings, self.parties.broker, repository, self.parties.entropy, self._tracked, xml=xml)

    def restored(self) -> Dsp:
        """Return another DSP, made from the store alone."""
        dsp = self._new_dsp()
        dsp.restore(self.store.load())
        return dsp

    def restart(self, settings: DspSettings | None = None) -> Outcome:
        """Lose everything in memory and begin again from the store."""
        self.settings = settings or self.settings
        self.dsp = self.restored()
        return self.run(self.dsp.start(self.now))

    def list_hub_products(self) -> None:
        """Put two versions of the firmware of hubs on the products list, for CHF and GPF."""
        made = [
            Product(kind, "1A00", "C0010101", Version(version), "5.0", "4.1", bytes([version & 0xFF]) * 32)
            for kind in (DeviceType.CHF, DeviceType.GPF)
            for version in (0x0C000000, 0x0C000001)
        ]
        self.run(self.dsp.update_products(made, self.now))

    # --- time ---

    def at(self, moment: int) -> None:
        """Let time pass until `moment`; what is due is done on the way, what is due then too."""
        while self.wake_at is not None and self.wake_at <= moment:
            self.now, self.wake_at = max(self.now, self.wake_at), None
            self.run(self.dsp.wake(self.now))
        self.now = moment

    def later(self, duration: int) -> None:
        self.at(self.now + duration)

    # --- what goes in ---

    def run(self, turn: Turn) -> Outcome:
        self.store.commit(turn.rows)
        outcome = Outcome(turn)
        for effect in turn.effects:
            match effect:
                case Reply(octets):
                    outcome.reply = self._parsed(octets)
                case ToUser(user, octets):
                    self.transcript.append(("mailboxes", user, self.now, octets))
                    outcome.to_users.append((user, self._parsed(octets)))
                case ToCsp(octets):
                    outcome.to_csp.append(smwan.decode(octets))
                case WakeAt(when):
                    self.wake_at = when
                case Note():
                    outcome.notes.append(effect)
        return outcome

    def request(
        self,
        body: bodies.RequestBody,
        target: Eui64 = BROKER,
        variant: CommandVariant = CommandVariant.DCC_ONLY,
        *,
        user: Eui64 = SUPPLIER,
        counter: int | None = None,
        service: str = "",
        schema_version: str = "5.5",
        posted_to: WebService | None = None,
    ) -> Outcome:
        """Send a request as DUIS octets."""
        if counter is None:
            self._counter += 1
            counter = self._counter
        request = Request(
            request_id=RequestId(user, target, counter), command_variant=variant, body=body, service=service,
            schema_version=schema_version,
        )  # fmt: skip
        octets = self.signed(request.encode(), user)
        if posted_to is not None:
            return self.run(self.dsp.submit(user, octets, self.now, posted_to))
        return self.submit(octets, user)

    def signed(self, octets: bytes, user: Eui64 = SUPPLIER) -> bytes:
        """Sign a request as `user` does."""
        pair: KeyPair = self.xml[user]
        return XmlSigner(pair.key, pair.certificate, self.parties.entropy).sign(octets)

    def _parsed(self, octets: bytes) -> Response:
        """Read a response or alert, which the DSP must have signed."""
        response = parse_response(octets)
        role = RemotePartyRole.XML_SIGNING_DSP
        assert judge(response.signature, self.xml[BROKER].certificate, role, self.now).verdict is Verdict.VALID
        if isinstance(response.body, DccAlertMessage):
            assert isinstance(response.body.alert, DCC_ALERT_TABLE[response.body.dcc_alert_code].payload)
        return response

    def submit(self, octets: bytes, user: Eui64 = SUPPLIER) -> Outcome:
        """Send octets on the line of `user`, whatever they are."""
        self.transcript.append(("requests", user, self.now, octets))
        outcome = self.run(self.dsp.submit(user, octets, self.now))
        replies = [effect.octets for effect in outcome.turn.effects if isinstance(effect, Reply)]
        self.transcript += [("mailboxes", user, self.now, reply) for reply in replies]
        return outcome

    def from_csp(self, message: smwan.SmWanMessage) -> Outcome:
        return self.run(self.dsp.from_csp(message.encode(), self.now))

    # --- 11.3 ---

    def transform(self, target: Eui64 = ESME, *, execution: int | None = None, number: int = 1) -> Outcome:
        body = bodies.ActivateFirmware(execution_date_time=execution, firmware_hash=self.hash_of(target, number))
        return self.request(body, target, CommandVariant.TRANSFORM)

    def sign(self, transformed: Outcome, *, key: Credentials | None = None) -> bytes:
        """Return the signed pre-command, as the supplier makes it."""
        message = Message.decode(transformed.content(PreCommand).gbcs_payload)
        own = key or self.parties.supplier
        return security.sign(message, own.ds_key, self.parties.entropy).encode()

    def send_signed(
        self,
        transformed: Outcome,
        variant: CommandVariant = CommandVariant.SIGNED_TO_DEVICE,
        octets: bytes | None = None,
        *,
        execution: int | None = None,
        service: str | None = None,
    ) -> Outcome:
        """Send a Signed Pre-Command of the service that was transformed, or of another."""
        assert transformed.reply is not None
        assert transformed.reply.request_id is not None
        assert isinstance(transformed.reply.body, ResponseMessage)
        payload = self.sign(transformed) if octets is None else octets
        request = Request(
            request_id=transformed.reply.request_id, command_variant=variant,
            service=service or transformed.reply.body.service,
            body=bodies.SignedPreCommand(execution_date_time=execution, gbcs_payload=payload),
        )  # fmt: skip
        return self.submit(self.signed(request.encode()))

    def activate(
        self,
        target: Eui64 = ESME,
        *,
        execution: int | None = None,
        number: int = 1,
        variant: CommandVariant = CommandVariant.SIGNED_TO_DEVICE,
    ) -> Outcome:
        """Transform, sign and send; the outcome is that of the Signed Pre-Command."""
        outcome = self.send_signed(self.transform(target, execution=execution, number=number), variant)
        assert outcome.code in ("I99", "I0"), outcome.code
        return outcome

    def command_of(self, outcome: Outcome) -> Message:
        """Return the one GBCS command an outcome sent to a device."""
        (carried,) = [message for message in outcome.to_csp if isinstance(message, smwan.GbcsToHub)]
        return Message.decode(carried.message)

    def hash_of(self, target: Eui64, number: int) -> bytes:
        kinds = {HCALCS: Kind.HCALCS, GSME: Kind.GSME}
        kind = kinds.get(target, Kind.ESME)
        return image(kind, min(number, len(product(kind).versions) - 1), self.parties).hash

    # --- what devices send ---

    def device_message(
        self, message: Message, hub: Eui64 = HUB, *, signer: Credentials | None = None, mac: bool = False
    ) -> Outcome:
        """Send a message of a device, signed with its key or with the MAC between it and the target."""
        own = self.parties.pki.device(message.originator)
        if mac:
            broker = self.parties.broker if message.target == BROKER else self.parties.supplier
            z = security.shared_secret(own.ka_key, broker.ka_certificate.public_key)
            octets = security.add_mac(message, z).encode()
        else:
            octets = security.sign(message, (signer or own).ds_key, self.parties.entropy).encode()
        return self.from_csp(smwan.GbcsFromHub(hub, message.originator, octets))

    def respond(self, command: Message, payload: bytes, *, mac: bool = False, hub: Eui64 = HUB) -> Outcome:
        """Answer a command as its target does."""
        response = replace(
            command, cra=Cra.RESPONSE, originator=command.target, target=command.originator, payload=payload,
            signature=None, mac=None,
        )  # fmt: skip
        return self.device_message(response, hub, mac=mac)

    def accept(self, outcome: Outcome) -> Outcome:
        """Let the device accept a dated activation or a cancellation."""
        return self.respond(self.command_of(outcome), cs06.Response().encode())

    def alert(
        self, originator: Eui64, code: int, target: Eui64, payload: bytes, *, signer: Credentials | None = None
    ) -> Outcome:
        return self.device_message(self.alert_message(originator, code, target, payload), signer=signer)

    def alert_message(self, originator: Eui64, code: int, target: Eui64, payload: bytes) -> Message:
        counter = self._alert_counters[originator] = self._alert_counters.get(originator, 2000) + 1
        return Message(Cra.ALERT, counter, originator, target, message_code=code, payload=payload)

    def activation_report(self, originator: Eui64, version: int, *, success: bool = True) -> Outcome:
        """Send 8F8B."""
        code = cs09.ActivationCode.ACTIVATED if success else cs09.ActivationCode.FAILED
        payload = cs09.Alert(self.now, version, code).encode()
        return self.alert(originator, cs09.MESSAGE_CODE, BROKER, payload)

    def transfer_report(self, target: Eui64, version: int, code: ccs08.TransferCode) -> Outcome:
        """Send 8F8A or 8F89 of the hub."""
        alert_code = 0x8F8A if code is ccs08.TransferCode.TRANSFERRED else 0x8F89
        payload = ccs08.Alert(alert_code, self.now, target, version, code).encode()
        return self.alert(HUB, ccs08.MESSAGE_CODE, BROKER, payload)

    def receipt(self, originator: Eui64, image_hash: bytes, *, good: bool = True) -> Outcome:
        """Send 8F72 or 8F1C."""
        payload = fdra.Alert(0x8F72 if good else 0x8F1C, self.now, image_hash).encode()
        return self.alert(originator, fdra.MESSAGE_CODE, SUPPLIER, payload)

    def outage(self, hub: Eui64 = HUB, *, started: int | None = None) -> Outcome:
        """Let the CSP report a hub without supply, by default since three minutes."""
        begun = self.now - 3 * MINUTE if started is None else started
        return self.from_csp(smwan.PowerOutage(hub, begun))

    def joined(self, outcome: Outcome, code: int = 0, *, mac: bool = False) -> Outcome:
        """Let a device answer the join or unjoin that was sent to it."""
        return self.respond(self.command_of(outcome), der.integer(code), mac=mac)

    # --- looking ---

    def rows(self, table: str) -> list[dict[str, Value]]:
        return [dict(row) for row in self.store.load()[table]]

    def inventory_row(self, eui: Eui64) -> dict[str, Value]:
        (row,) = [row for row in self.rows("inventory") if row["device"] == str(eui)]
        return row
