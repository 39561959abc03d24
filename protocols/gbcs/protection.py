"""The verdict on a message's signature, MAC and encrypted parts with whatever keys a key store holds."""

from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.errors import IntegrityError
from protocols.gbcs import encryption, security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.json_fields import Json
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.smki import DIGITAL_SIGNING, KEY_AGREEMENT, RemotePartyRole
from protocols.gbcs.tree_encrypted import encrypted_nodes, sealed_octets, show_plaintext
from protocols.gbcs.use_cases.table import USE_CASES

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


def decrypt(message: Message, tree: dict[str, Json], keystore: Keystore | None) -> str:
    """Put the plaintext of encrypted parts into the payload's tree, as far as the key store allows; the verdict."""
    nodes = encrypted_nodes(tree)
    if not nodes:
        return ABSENT
    if keystore is None:
        return UNCHECKED + "no key store given"
    recipient = encryption.recipient(message)
    z = keystore.shared_secret(message.originator, recipient)
    if z is None:
        return UNCHECKED + _no_key(message.originator, recipient)
    verdict = VALID
    for node in nodes:
        try:
            show_plaintext(node, encryption.unseal(sealed_octets(node), message, z))
        except IntegrityError:
            verdict = INVALID
    return verdict


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
    if message.cra is not Cra.COMMAND or _is_between_devices(message):
        return _mac_between(message, keystore, message.originator)
    brokers = keystore.of_role(RemotePartyRole.ACCESS_CONTROL_BROKER, KEY_AGREEMENT)
    if not brokers:
        return UNCHECKED + "no key agreement certificate of an access control broker"
    verdicts = [_mac_between(message, keystore, broker.eui) for broker in brokers]
    return VALID if VALID in verdicts else verdicts[0]


def _is_between_devices(message: Message) -> bool:
    use_case = USE_CASES.get(message.message_code)
    return use_case is not None and use_case.between_devices


def _mac_between(message: Message, keystore: Keystore, sender: Eui64) -> str:
    """Check the MAC between `sender` and the target."""
    z = keystore.shared_secret(sender, message.target)
    if z is None:
        return UNCHECKED + _no_key(sender, message.target)
    try:
        security.check_mac(message, z)
    except IntegrityError:
        return INVALID
    return VALID


def _no_key(one: Eui64, other: Eui64) -> str:
    return f"no key agreement key of {one} or {other} with the other's certificate"
