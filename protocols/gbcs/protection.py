"""The verdict on a message's signature and MAC with whatever keys a key store holds."""

from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.errors import IntegrityError
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.smki import DIGITAL_SIGNING, KEY_AGREEMENT, RemotePartyRole

VALID = "valid"
INVALID = "invalid"
ABSENT = "absent"
UNCHECKED = "unchecked: "


class Verdict(NamedTuple):
    """`valid`, `invalid`, `absent` or `unchecked: why`."""

    signature: str
    mac: str


def check(message: Message, keystore: Keystore | None) -> Verdict:
    """Check what the key store allows. The private key for the MAC may be that of either side."""
    return Verdict(_signature(message, keystore), _mac(message, keystore))


def _signature(message: Message, keystore: Keystore | None) -> str:
    if not message.signature:
        return ABSENT
    if keystore is None:
        return UNCHECKED + "no key store given"
    certificate = keystore.certificate(message.originator, DIGITAL_SIGNING)
    if certificate is None:
        return UNCHECKED + f"no signing certificate of {message.originator}"
    try:
        security.verify_signature(message, certificate.public_key)
    except IntegrityError:
        return INVALID
    return VALID


def _mac(message: Message, keystore: Keystore | None) -> str:
    if message.mac is None:
        return ABSENT
    if keystore is None:
        return UNCHECKED + "no key store given"
    if message.cra is not Cra.COMMAND:
        return _mac_between(message, keystore, message.originator)
    brokers = keystore.of_role(RemotePartyRole.ACCESS_CONTROL_BROKER, KEY_AGREEMENT)
    if not brokers:
        return UNCHECKED + "no key agreement certificate of an access control broker"
    verdicts = [_mac_between(message, keystore, broker.eui) for broker in brokers]
    return VALID if VALID in verdicts else verdicts[0]


def _mac_between(message: Message, keystore: Keystore, sender: Eui64) -> str:
    """Check the MAC between `sender` and the target."""
    for private, public in ((sender, message.target), (message.target, sender)):
        key, certificate = keystore.private_key(private, KEY_AGREEMENT), keystore.certificate(public, KEY_AGREEMENT)
        if key is not None and certificate is not None:
            try:
                security.check_mac(message, security.shared_secret(key, certificate.public_key))
            except IntegrityError:
                return INVALID
            return VALID
    return UNCHECKED + f"no key agreement key of {sender} or {message.target} with the other's certificate"
