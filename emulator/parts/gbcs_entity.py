"""One GBCS entity of a device: its keys, its trust anchors, its counters; commands in, responses and alerts out.

Who may command what stands in one table, `protocols.gbcs.use_cases.table`.
"""

from dataclasses import replace
from enum import Enum, auto
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

from emulator.parts.journal import Journal
from emulator.parts.trust_anchors import CredentialStore, Party, TrustAnchors
from protocols.addresses import Eui64
from protocols.errors import DecodeError, HanlabError, IntegrityError, UsageError
from protocols.gbcs import encryption, security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import DIGITAL_SIGNING, KEY_AGREEMENT, Certificate, Credentials, RemotePartyRole
from protocols.gbcs.use_cases import cs02b
from protocols.gbcs.use_cases.table import USE_CASES, Access, DeviceKind, UseCase
from protocols.interfaces import Entropy, Storage

__all__ = ["DeviceKind", "GbcsEntity", "GbcsRefused", "Grounds", "Rule", "TrustAnchors", "rule_of"]

_COUNTER_OCTETS = 8
_ACB = RemotePartyRole.ACCESS_CONTROL_BROKER

_AUTHORISING_ROLE = {
    cs02b.Mode.ROOT_BY_SUPPLIER: RemotePartyRole.SUPPLIER,
    cs02b.Mode.ROOT_BY_WAN_PROVIDER: RemotePartyRole.WAN_PROVIDER,
    cs02b.Mode.SUPPLIER_BY_SUPPLIER: RemotePartyRole.SUPPLIER,
    cs02b.Mode.NETWORK_OPERATOR_BY_NETWORK_OPERATOR: RemotePartyRole.NETWORK_OPERATOR,
    cs02b.Mode.ACB_BY_ACB: _ACB,
    cs02b.Mode.WAN_PROVIDER_BY_WAN_PROVIDER: RemotePartyRole.WAN_PROVIDER,
    cs02b.Mode.TCOS_BY_TCOS: RemotePartyRole.TRANSITIONAL_COS,
    cs02b.Mode.SUPPLIER_BY_TCOS: RemotePartyRole.TRANSITIONAL_COS,
    cs02b.Mode.ANY_EXCEPT_ABNORMAL_ROOT_BY_RECOVERY: RemotePartyRole.RECOVERY,
    cs02b.Mode.ANY_BY_CONTINGENCY: RemotePartyRole.ROOT,
    cs02b.Mode.LOAD_CONTROLLER_BY_LOAD_CONTROLLER: RemotePartyRole.LOAD_CONTROLLER,
    cs02b.Mode.LOAD_CONTROLLER_BY_SUPPLIER: RemotePartyRole.SUPPLIER,
}
AUTHORISING_ROLES = {cs02b.MESSAGE_CODES[mode]: role for mode, role in _AUTHORISING_ROLE.items()}
"""The cells that must name the originator of a CS02b, by message code; its counter is theirs."""


class Grounds(Enum):
    """Why a command is refused, as far as a device may tell of it."""

    UNPROVEN = auto()  # not shown to come from a known party: no answer
    NO_AUTHORITY = auto()
    NOT_SUPPORTED = auto()
    REPLAYED = auto()


class GbcsRefused(HanlabError):  # noqa: N818 - a refusal, not a fault
    """A message the entity does not obey; `reason` says why in a few words."""

    def __init__(self, reason: str, grounds: Grounds = Grounds.UNPROVEN, message: Message | None = None) -> None:
        super().__init__(reason)
        self.reason, self.grounds, self.message = reason, grounds, message


class Rule(NamedTuple):
    """How one command is judged at one kind of device."""

    use_case: UseCase
    access: Access
    party: Party

    @property
    def signed(self) -> bool:
        """Whether the originator must have signed."""
        return bool(self.use_case.critical) if self.access.signed is None else self.access.signed

    @property
    def answer_signed(self) -> bool:
        """Whether the response is signed, in place of a MAC."""
        return bool(self.use_case.critical) or self.signed


def rule_of(message: Message, parties: tuple[Party, ...], kind: DeviceKind) -> Rule | None:
    """Return the rule under which one of the originator's parties may send the command, None if none may."""
    use_case = USE_CASES.get(message.message_code)
    if use_case is None:
        return None
    needed = AUTHORISING_ROLES.get(message.message_code)
    on_behalf = message.supplementary_party is not None
    for party in sorted(parties, key=lambda party: party.cell_role != party.role):
        access = use_case.access_of(party.role, kind, on_behalf=on_behalf)
        if access is not None and needed in (None, party.cell_role):
            return Rule(use_case, access, party)
    return None


class GbcsEntity:
    """A device's side of GBCS.

    `accept` checks a command against the anchors; `respond` and `alert` make octets ready to send. Anchors and counters
    live in `storage` in cells of their own, named after the entity, so that two entities may share one storage.
    """

    def __init__(
        self,
        credentials: Credentials,
        anchors: TrustAnchors,
        storage: Storage,
        entropy: Entropy,
        *,
        first_alert_counter: int = 1,
    ) -> None:
        """anchors: the factory set, for the first start."""
        self.credentials = credentials
        self.storage = Journal.over(storage)
        self.anchors = CredentialStore(self.storage, f"gbcs/{credentials.eui}/", anchors)
        self._entropy = entropy
        self._first_alert_counter = first_alert_counter
        self._secrets = security.SharedSecrets(credentials.ka_key)

    @property
    def eui(self) -> Eui64:
        return self.credentials.eui

    # --- commands ----------------------------------------------------------------------------------------------

    def accept(self, octets: bytes, kind: DeviceKind) -> tuple[Message, Rule]:
        """Return the command in `octets` and its rule after every check, its counter noted against replay.

        kind: as what the entity is addressed.
        Raises GbcsRefused: malformed, not for this entity, unknown or wrong party, signature, MAC, counter.
        """
        try:
            message = Message.decode(octets)
        except DecodeError as error:
            raise GbcsRefused(f"malformed: {error.what}") from error
        if message.cra != Cra.COMMAND:
            raise GbcsRefused("not a command")
        if message.target != self.eui:
            raise GbcsRefused(f"for another entity: {message.target}")
        parties = self.anchors.parties(message.originator)
        if not parties:
            raise GbcsRefused(f"unknown originator: {message.originator}")
        rule = rule_of(message, parties, kind)
        if rule is None:
            raise self._not_allowed(message, parties, kind)
        self._check_protection(message, rule)
        if rule.use_case.replay_protected:
            self._advance(rule.party.cell_role, message)
        return message, rule

    def _not_allowed(self, message: Message, parties: tuple[Party, ...], kind: DeviceKind) -> GbcsRefused:
        """Return the refusal of a command that no rule allows; with grounds only if it is authentic."""
        grounds = Grounds.NO_AUTHORITY if _served(message.message_code, kind) else Grounds.NOT_SUPPORTED
        reason = f"use case {message.message_code:04X} not "
        reason += f"allowed to {parties[0].role.name}" if grounds is Grounds.NO_AUTHORITY else "supported"
        try:
            if message.mac is not None:
                self._check_mac(message)
            if message.signature:
                self._check_signature(message, parties[0])
        except GbcsRefused:
            grounds = Grounds.UNPROVEN
        return GbcsRefused(reason, grounds, message)

    def _check_protection(self, message: Message, rule: Rule) -> None:
        if rule.signed:
            self._check_signature(message, rule.party)
        elif message.signature != b"":
            raise GbcsRefused("signature where none belongs")
        if rule.access.mac:
            self._check_mac(message)
        elif message.mac is not None:
            raise GbcsRefused("MAC where none belongs")

    def _check_signature(self, message: Message, party: Party) -> None:
        key = self.anchors.public_key(party.cell_role, DIGITAL_SIGNING)
        if not message.signature or key is None:
            raise GbcsRefused("signature missing" if key else f"no signing key of {party.cell_role.name}")
        try:
            security.verify_signature(message, key)
        except IntegrityError as error:
            raise GbcsRefused("signature invalid") from error

    def _check_mac(self, message: Message) -> None:
        """Check the MAC of the access control broker, whoever the originator is."""
        key = self.anchors.public_key(_ACB, KEY_AGREEMENT)
        if message.mac is None or key is None:
            raise GbcsRefused("MAC missing" if key else "no key of the access control broker")
        try:
            security.check_mac(message, self._secrets.with_(key))
        except IntegrityError as error:
            raise GbcsRefused("MAC invalid") from error

    def _advance(self, role: RemotePartyRole, message: Message) -> None:
        floor = self.anchors.floor(role)
        if floor is not None and message.counter <= floor:
            reason = f"counter {message.counter} not above the last one of {role.name}"
            raise GbcsRefused(reason, Grounds.REPLAYED, message)
        self.anchors.set_floor(role, message.counter)

    # --- responses and alerts ----------------------------------------------------------------------------------

    def reply(self, command: Message) -> Message:
        """Return the envelope of a response, whose payload is still to come."""
        return Message(
            Cra.RESPONSE, command.counter, command.target, command.originator, message_code=command.message_code,
            supplementary_party=command.supplementary_party, supplementary_counter=command.supplementary_counter,
            signature=b"",
        )  # fmt: skip

    def respond(self, command: Message, payload: bytes, *, date_time: bytes = b"", signed: bool) -> bytes:
        """Return the response to `command`: signed, or with a MAC for its originator.

        date_time: b"" or a DLMS date-time of 12 octets.
        """
        return self.send_reply(replace(self.reply(command), payload=payload, date_time=date_time), signed=signed)

    def send_reply(self, response: Message, *, signed: bool) -> bytes:
        """Return a response ready to go: signed, or with a MAC for its target."""
        return self._protect(response, signed=signed)

    def seal(self, command: Message, plaintext: bytes) -> tuple[Message, bytes]:
        """Return the envelope of the response and `plaintext` sealed for who asked.

        That is the supplementary remote party, by the certificate it sent along, else the originator. Raises
        GbcsRefused if there is no key of theirs.
        """
        envelope = self.reply(command)
        if command.certificate:
            own = self.next_counter()  # the key of what is sealed is bound to a counter of the device
            envelope = replace(envelope, supplementary_originator_counter=own)
        key = self._reader_key(command)
        return envelope, encryption.seal(plaintext, envelope, self._secrets.with_(key))

    def _reader_key(self, command: Message) -> EllipticCurvePublicKey:
        """Return the key agreement key of whom the data of a response is for."""
        party = command.supplementary_party
        if party is not None and command.certificate:
            try:
                certificate = Certificate(command.certificate)
                if (certificate.eui, certificate.usage) == (party, KEY_AGREEMENT):
                    return certificate.public_key
            except DecodeError:
                pass
            raise GbcsRefused(f"a certificate that is not for key agreement with {party}")
        parties = self.anchors.parties(command.originator if party is None else party)
        key = self.anchors.public_key(parties[0].cell_role, KEY_AGREEMENT) if parties else None
        if key is None:
            raise GbcsRefused("no key of the party that the data is for")
        return key

    def alert(
        self,
        message_code: int,
        target: Eui64,
        payload: bytes,
        *,
        counter: int | None = None,
        signed: bool = True,
    ) -> bytes:
        """Return an alert to `target` with the next alert counter, or with one that `next_counter` gave before."""
        return self._protect(
            Message(
                cra=Cra.ALERT,
                counter=self.next_counter() if counter is None else counter,
                originator=self.eui,
                target=target,
                date_time=b"",
                message_code=message_code,
                supplementary_party=None,
                supplementary_counter=None,
                supplementary_originator_counter=None,
                certificate=b"",
                payload=payload,
                signature=b"",
                mac=None,
            ),
            signed=signed,
        )

    def next_counter(self) -> int:
        """Take the next alert counter; a payload that repeats it (DLMS alerts) needs it before `alert`."""
        cell = f"gbcs/{self.eui}/alert-counter"
        held = self.storage.get(cell)
        counter = self._first_alert_counter if held is None else int.from_bytes(held, "big") + 1
        self.storage.put(cell, counter.to_bytes(_COUNTER_OCTETS, "big"))
        return counter

    def _protect(self, message: Message, *, signed: bool) -> bytes:
        if signed:
            return security.sign(message, self.signing_key(message), self._entropy).encode()
        parties = self.anchors.parties(message.target)
        key = self.anchors.public_key(parties[0].cell_role, KEY_AGREEMENT) if parties else None
        if key is None:
            raise UsageError(f"no key agreement key of {message.target}")
        return security.add_mac(message, self._secrets.with_(key)).encode()

    def signing_key(self, message: Message) -> EllipticCurvePrivateKey:
        """Return the key that signs `message`: the entity's own, whatever the message."""
        return self.credentials.ds_key


def _served(message_code: int, kind: DeviceKind) -> bool:
    """Return whether devices of the kind obey the command at all, of whomever."""
    use_case = USE_CASES.get(message_code)
    return use_case is not None and any(kind in access.devices for access in use_case.access)
