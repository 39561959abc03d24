"""Signature and MAC of a GBCS message.

NIST P-256, SHA-256 and AES-128-GCM throughout. Nothing here decides which keys apply; callers pass them in:

* signature: digital signing key of the business originator;
* MAC of a command: key agreement keys of the access control broker and of the target, whoever the originator is;
* MAC of a response or alert: key agreement keys of its originator and its target.

Source: GBCS, worked values of RTDS 4.5.0.
"""

import hashlib
import hmac
import struct
from dataclasses import replace
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDH, ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from protocols.addresses import Eui64
from protocols.errors import IntegrityError, UsageError
from protocols.gbcs.envelope import MAC_OCTETS, SIGNATURE_OCTETS, Message
from protocols.gbcs.smki import Certificate
from protocols.interfaces import Entropy

_ALGORITHM = bytes.fromhex("60857406080300")  # in OtherInfo: AES-GCM-128 as DLMS names it
_OTHER_INFO = struct.Struct(">7sQBBQQ")
_IV = struct.Struct(">QI")
_KDF_COUNTER = bytes.fromhex("00000001")
_AAD_PREFIX = bytes.fromhex("110000000000")  # security control and the empty general-ciphering fields
_ECDSA: Final = ECDSA(SHA256())


def public_key(certificate: Certificate | bytes) -> EllipticCurvePublicKey:
    """Return the P-256 key of a certificate (or of its DER octets); DecodeError if it holds none."""
    return (certificate if isinstance(certificate, Certificate) else Certificate(certificate)).public_key


def shared_secret(private: EllipticCurvePrivateKey, public: EllipticCurvePublicKey) -> bytes:
    """Return Z: the x coordinate of the ECDH point, 32 octets."""
    return private.exchange(ECDH(), public)


class SharedSecrets:
    """The Z of one private key with every public key met, computed once each."""

    def __init__(self, private_key: EllipticCurvePrivateKey) -> None:
        self._private_key = private_key
        # By identity: an entry holds its key object, so an id is never that of another key.
        self._secrets: dict[int, tuple[EllipticCurvePublicKey, bytes]] = {}

    def with_(self, public: EllipticCurvePublicKey) -> bytes:
        """Return Z with `public`. Pass the same key object again to profit, e.g. `certificate.public_key`."""
        held = self._secrets.get(id(public))
        if held is None:
            held = self._secrets[id(public)] = (public, shared_secret(self._private_key, public))
        return held[1]


def sign(message: Message, key: EllipticCurvePrivateKey, entropy: Entropy) -> Message:
    """Return the message with its signature, made with the originator's digital signing key."""
    return replace(message, signature=entropy.sign(key, message.signed_octets()))


def verify_signature(message: Message, key: EllipticCurvePublicKey) -> None:
    """Raise IntegrityError unless the message bears a signature of `key` over its octets."""
    signature = message.signature
    if signature is None or len(signature) != SIGNATURE_OCTETS:
        raise IntegrityError("message without a signature")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), message.signed_octets(), _ECDSA)
    except InvalidSignature:
        raise IntegrityError(f"signature does not verify (originator {message.originator})") from None


def other_info(originator: Eui64, flag: int, counter: int, recipient: Eui64) -> bytes:
    """Return the 33 octets that bind a key to algorithm, parties and transaction.

    flag: the CRA flag for a MAC, 4 for encrypted content.
    """
    return _OTHER_INFO.pack(_ALGORITHM, originator, 9, flag, counter, recipient)


def derived_key(z: bytes, info: bytes) -> bytes:
    """Return an AES key, 16 octets: one step of the concatenation KDF over SHA-256."""
    return hashlib.sha256(_KDF_COUNTER + z + info).digest()[:16]


def mac_key(message: Message, z: bytes) -> bytes:
    """Return the AES key of the MAC, 16 octets."""
    return derived_key(z, other_info(message.originator, message.cra, message.counter, message.target))


def mac(message: Message, z: bytes) -> bytes:
    """Return the 12-octet MAC of the message; it needs its final signature, empty or not."""
    if message.signature is None:
        raise UsageError("a MAC covers the signature field, and the message has none")
    iv = _IV.pack(message.originator, 0)
    return AESGCM(mac_key(message, z)).encrypt(iv, b"", _AAD_PREFIX + message.grouping_octets())[:MAC_OCTETS]


def add_mac(message: Message, z: bytes) -> Message:
    """Return the message with MAC header and MAC. A message without a signature field gets an empty one."""
    whole = message if message.signature is not None else replace(message, signature=b"")
    return replace(whole, mac=mac(whole, z))


def check_mac(message: Message, z: bytes) -> None:
    """Raise IntegrityError unless the message bears the MAC that Z gives."""
    if message.mac is None:
        raise IntegrityError("message without a MAC")
    if not hmac.compare_digest(mac(message, z), message.mac):
        raise IntegrityError(f"MAC does not verify (originator {message.originator}, target {message.target})")
