"""Encrypted parts of payloads: personal data in some responses and alerts.

AES-128-GCM with a 12-octet tag, under a key agreed between the device and the party the data is for: the target of the
message, or its supplementary remote party if it has one. Source: GBCS, RTDS 4.5.0.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from protocols.addresses import Eui64
from protocols.errors import IntegrityError
from protocols.gbcs import dlms, gbz
from protocols.gbcs.envelope import Message
from protocols.gbcs.security import derived_key, other_info

SECURITY_HEADER = bytes.fromhex("3100000000")  # authenticated and encrypted, suite 1; invocation counter 0
TAG_OCTETS = 12

_FLAG = 4  # in place of the CRA flag
_AAD = SECURITY_HEADER[:1]
_AUTHENTICATION_AND_ENCRYPTION, _AGREED_KEY = 2, 2
_KEY_PARAMETERS = b"\x02"  # C(0e, 2s, ECC CDH)
_ADDITIONAL_HEADER = bytes(2)  # control and frame counter


def recipient(message: Message) -> Eui64:
    """Return whom the encrypted data of a message is for."""
    return message.target if message.supplementary_party is None else message.supplementary_party


def transaction_counter(message: Message) -> int:
    """Return the counter its key is bound to: the supplementary originator counter if there is one."""
    supplementary = message.supplementary_originator_counter
    return message.counter if supplementary is None else supplementary


def seal(plaintext: bytes, message: Message, z: bytes) -> bytes:
    """Return security header, ciphertext and tag; of the message only the envelope counts.

    z: the shared secret of the originator and the recipient.
    """
    encryptor = Cipher(AES(_key(message, z)), GCM(_iv(message))).encryptor()
    encryptor.authenticate_additional_data(_AAD)
    ciphertext = encryptor.update(plaintext) + encryptor.finalize()
    return SECURITY_HEADER + ciphertext + encryptor.tag[:TAG_OCTETS]


def unseal(sealed: bytes, message: Message, z: bytes) -> bytes:
    """Return the plaintext; IntegrityError if the tag does not fit or the form is another."""
    body = sealed[len(SECURITY_HEADER) : -TAG_OCTETS]
    if not sealed.startswith(SECURITY_HEADER) or len(sealed) < len(SECURITY_HEADER) + TAG_OCTETS:
        raise IntegrityError("an encrypted part without its security header and tag", data=sealed)
    mode = GCM(_iv(message), sealed[-TAG_OCTETS:], min_tag_length=TAG_OCTETS)
    decryptor = Cipher(AES(_key(message, z)), mode).decryptor()
    decryptor.authenticate_additional_data(_AAD)
    try:
        return decryptor.update(body) + decryptor.finalize()
    except InvalidTag:
        raise IntegrityError(f"an encrypted part does not verify (originator {message.originator})") from None


def dlms_parts(sealed: bytes, message: Message) -> tuple[bytes, bytes]:
    """Return the two elements of a protected DLMS value: protection parameters and the sealed octets.

    An alert has them among the elements of its own structure.
    """
    transaction = bytes((_FLAG,)) + transaction_counter(message).to_bytes(8, "big")
    agreed_key = dlms.structure(dlms.octet_string(_KEY_PARAMETERS), dlms.octet_string(b""))
    options = dlms.structure(
        dlms.octet_string(transaction),
        dlms.octet_string(message.originator.big),
        dlms.octet_string(recipient(message).big),
        dlms.octet_string(b""),
        dlms.structure(dlms.enum(_AGREED_KEY), agreed_key),
    )
    parameters = dlms.array(dlms.structure(dlms.enum(_AUTHENTICATION_AND_ENCRYPTION), options))
    return parameters, dlms.octet_string(sealed)


def dlms_value(sealed: bytes, message: Message) -> bytes:
    """Return a protected DLMS value as a response has it: the structure of both elements."""
    return dlms.structure(*dlms_parts(sealed, message))


def gbz_component(cluster: int, header: bytes, sealed: bytes, *, last: bool) -> bytes:
    """Return a component whose ZCL payload is encrypted.

    header: the three octets of the ZCL header (frame control, sequence, command), which stay readable.
    """
    content = _ADDITIONAL_HEADER + header + len(sealed).to_bytes(2, "big") + sealed
    control = gbz.ENCRYPTED | (gbz.LAST if last else 0)
    return bytes((control,)) + cluster.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


def _key(message: Message, z: bytes) -> bytes:
    info = other_info(message.originator, _FLAG, transaction_counter(message), recipient(message))
    return derived_key(z, info)


def _iv(message: Message) -> bytes:
    return message.originator.big + bytes(4)
