"""What a user makes of a GBCS message: it decodes it and checks signature and MAC with the certificates it has."""

from dataclasses import dataclass
from typing import Protocol

from protocols.addresses import Eui64
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs.envelope import Message
from protocols.gbcs.security import SharedSecrets, check_mac, verify_signature
from protocols.gbcs.smki import DIGITAL_SIGNING, KEY_AGREEMENT, Certificate, Credentials

VALID = "valid"
INVALID = "invalid"
ABSENT = "absent"


class Repository(Protocol):
    """The SMKI repository as a user sees it; `protocols.gbcs.keystore.Keystore` is one."""

    def certificate(self, eui: Eui64, usage: str) -> Certificate | None: ...


@dataclass(frozen=True, slots=True)
class CheckedMessage:
    """A message of a device. signature, mac: `valid`, `invalid`, `absent` or `unchecked: why`."""

    message: Message
    signature: str
    mac: str

    @property
    def trusted(self) -> bool:
        """Nothing is invalid and at least one protection was checked."""
        verdicts = (self.signature, self.mac)
        return VALID in verdicts and INVALID not in verdicts


class Checker:
    """Checks what devices sent with the repository's certificates and the user's own key agreement key."""

    def __init__(self, credentials: Credentials, certificates: Repository) -> None:
        self._me = credentials.eui
        self._secrets = SharedSecrets(credentials.ka_key)
        self._certificates = certificates

    def check(self, octets: bytes) -> CheckedMessage:
        """Decode and check one message; DecodeError if it is none."""
        message = Message.decode(octets)
        return CheckedMessage(message, self._signature(message), self._mac(message))

    def _signature(self, message: Message) -> str:
        if not message.signature:
            return ABSENT
        certificate = self._certificates.certificate(message.originator, DIGITAL_SIGNING)
        if certificate is None:
            return f"unchecked: no certificate of {message.originator}"
        try:
            verify_signature(message, certificate.public_key)
        except IntegrityError:
            return INVALID
        return VALID

    def _mac(self, message: Message) -> str:
        if message.mac is None:
            return ABSENT
        if message.target != self._me:
            return f"unchecked: between {message.originator} and {message.target}"
        certificate = self._certificates.certificate(message.originator, KEY_AGREEMENT)
        if certificate is None:
            return f"unchecked: no certificate of {message.originator}"
        try:
            check_mac(message, self._secrets.with_(certificate.public_key))
        except IntegrityError:
            return INVALID
        return VALID


def describe(error: DecodeError) -> str:
    """Return why a payload is no message, on one line."""
    return f"GBCS payload: {error}"
