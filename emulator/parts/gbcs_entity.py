"""One GBCS entity of a device: its keys, its trust anchors, its counters; commands in, responses and alerts out."""

from collections.abc import Iterable
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

from protocols.addresses import Eui64
from protocols.errors import DecodeError, HanlabError, IntegrityError, UsageError
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.smki import Certificate, Credentials, RemotePartyRole
from protocols.interfaces import Entropy, Storage

_COUNTER_OCTETS = 8


class GbcsRefused(HanlabError):  # noqa: N818 - a refusal, not a fault
    """A message the entity does not obey; `reason` says why in a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class CommandRule(NamedTuple):
    """Who may send a command, and how it is protected."""

    roles: tuple[RemotePartyRole, ...]
    signed: bool  # by the originator's digital signing key
    replay_protected: bool  # the counter must be above the highest one accepted from this role


_SUPPLIER = RemotePartyRole.SUPPLIER
_ACB = RemotePartyRole.ACCESS_CONTROL_BROKER

# By message code. Replay protection: yes for CS06 and CCS01, no for the reads.
COMMAND_RULES: dict[int, CommandRule] = {
    0x0001: CommandRule((_ACB,), signed=False, replay_protected=True),  # CCS01 add to device log
    0x0012: CommandRule((_SUPPLIER,), signed=True, replay_protected=True),  # CS06 activate firmware
    0x0059: CommandRule((_SUPPLIER, _ACB), signed=False, replay_protected=False),  # ECS52 read firmware version
    0x0129: CommandRule((_ACB,), signed=False, replay_protected=False),  # CS08 read firmware version
}


class TrustAnchors:
    """The certificates of remote parties that a device holds, one a role and key usage."""

    def __init__(self, certificates: Iterable[Certificate]) -> None:
        self._cells: dict[tuple[RemotePartyRole, str], Certificate] = {}
        for certificate in certificates:
            if certificate.role is None:
                raise UsageError(f"a device certificate is no trust anchor: {certificate.eui}")
            self._cells[RemotePartyRole(certificate.role), certificate.usage] = certificate

    @classmethod
    def of(cls, *parties: Credentials) -> "TrustAnchors":
        """Return the anchors made of both certificates of each party."""
        return cls(c for party in parties for c in (party.ds_certificate, party.ka_certificate))

    def role_of(self, eui: Eui64) -> RemotePartyRole | None:
        """Return the role whose cell names `eui`, None for an unknown party."""
        for (role, _), certificate in self._cells.items():
            if certificate.eui == eui:
                return role
        return None

    def eui(self, role: RemotePartyRole) -> Eui64:
        """Return who holds `role`; UsageError if the device has no such anchor."""
        for usage in ("ds", "ka"):
            if (role, usage) in self._cells:
                return self._cells[role, usage].eui
        raise UsageError(f"no trust anchor for role {role.name}")

    def public_key(self, role: RemotePartyRole, usage: str) -> EllipticCurvePublicKey | None:
        """Return the key of `role` for "ds" (signatures) or "ka" (MACs), None if there is no such anchor."""
        certificate = self._cells.get((role, usage))
        return None if certificate is None else certificate.public_key


class GbcsEntity:
    """A device's side of GBCS.

    `accept` checks a command against the anchors; `respond` and `alert` make octets ready to send. Counters live in
    `storage` in cells of their own, named after the entity, so that two entities may share one storage.
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
        self.credentials, self.anchors = credentials, anchors
        self._storage, self._entropy = storage, entropy
        self._first_alert_counter = first_alert_counter
        self._secrets = security.SharedSecrets(credentials.ka_key)

    @property
    def eui(self) -> Eui64:
        return self.credentials.eui

    # --- commands ----------------------------------------------------------------------------------------------

    def accept(self, octets: bytes) -> Message:
        """Return the command in `octets` after every check, its counter noted against replay.

        Raises GbcsRefused: malformed, not for this entity, unknown or wrong party, signature, MAC, counter.
        """
        try:
            message = Message.decode(octets)
        except DecodeError as error:
            raise GbcsRefused(f"malformed: {error.what}") from error
        rule, role = self._rule_for(message)
        self._check_signature(message, rule, role)
        self._check_mac(message)
        if rule.replay_protected:
            self._advance(role, message.counter)
        return message

    def _rule_for(self, message: Message) -> tuple[CommandRule, RemotePartyRole]:
        if message.cra != Cra.COMMAND:
            raise GbcsRefused("not a command")
        if message.target != self.eui:
            raise GbcsRefused(f"for another entity: {message.target}")
        rule = COMMAND_RULES.get(message.message_code)
        if rule is None:
            raise GbcsRefused(f"use case {message.message_code:04X} not supported")
        role = self.anchors.role_of(message.originator)
        if role is None:
            raise GbcsRefused(f"unknown originator: {message.originator}")
        if role not in rule.roles:
            raise GbcsRefused(f"use case {message.message_code:04X} not allowed to {role.name}")
        return rule, role

    def _check_signature(self, message: Message, rule: CommandRule, role: RemotePartyRole) -> None:
        if not rule.signed:
            if message.signature != b"":
                raise GbcsRefused("signature where none belongs")
            return
        key = self.anchors.public_key(role, "ds")
        if not message.signature or key is None:
            raise GbcsRefused("signature missing" if key else f"no signing key of {role.name}")
        try:
            security.verify_signature(message, key)
        except IntegrityError as error:
            raise GbcsRefused("signature invalid") from error

    def _check_mac(self, message: Message) -> None:
        """Check the MAC of the access control broker, whoever the originator is."""
        key = self.anchors.public_key(_ACB, "ka")
        if message.mac is None or key is None:
            raise GbcsRefused("MAC missing" if key else "no key of the access control broker")
        try:
            security.check_mac(message, self._secrets.with_(key))
        except IntegrityError as error:
            raise GbcsRefused("MAC invalid") from error

    def _advance(self, role: RemotePartyRole, counter: int) -> None:
        cell = f"gbcs/{self.eui}/floor/{role.name.lower()}"
        held = self._storage.get(cell)
        if held is not None and counter <= int.from_bytes(held, "big"):
            raise GbcsRefused(f"counter {counter} not above the last one of {role.name}")
        self._storage.put(cell, counter.to_bytes(_COUNTER_OCTETS, "big"))

    # --- responses and alerts ----------------------------------------------------------------------------------

    def respond(self, command: Message, payload: bytes, *, date_time: bytes = b"", signed: bool) -> bytes:
        """Return the response to `command`: signed, or with a MAC for its originator.

        date_time: b"" or a DLMS date-time of 12 octets.
        """
        return self._protect(
            Message(
                cra=Cra.RESPONSE,
                counter=command.counter,
                originator=command.target,
                target=command.originator,
                date_time=date_time,
                message_code=command.message_code,
                supplementary_party=command.supplementary_party,
                supplementary_counter=command.supplementary_counter,
                supplementary_originator_counter=None,
                certificate=b"",
                payload=payload,
                signature=b"",
                mac=None,
            ),
            signed=signed,
        )

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
        held = self._storage.get(cell)
        counter = self._first_alert_counter if held is None else int.from_bytes(held, "big") + 1
        self._storage.put(cell, counter.to_bytes(_COUNTER_OCTETS, "big"))
        return counter

    def _protect(self, message: Message, *, signed: bool) -> bytes:
        if signed:
            return security.sign(message, self.signing_key(message), self._entropy).encode()
        role = self.anchors.role_of(message.target)
        key = None if role is None else self.anchors.public_key(role, "ka")
        if key is None:
            raise UsageError(f"no key agreement key of {message.target}")
        return security.add_mac(message, self._secrets.with_(key)).encode()

    def signing_key(self, message: Message) -> EllipticCurvePrivateKey:
        """Return the key that signs `message`: the entity's own, whatever the message."""
        return self.credentials.ds_key
