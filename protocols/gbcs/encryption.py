"""Encrypted parts of payloads: personal data in some responses and alerts.

AES-128-GCM with a 12-octet tag, under a key agreed between the device and the party the data is for: the target of the
message, or its supplementary remote party if it has one. Source: GBCS, RTDS 4.5.0.
"""

from dataclasses import dataclass
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from protocols.addresses import Eui64
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs import dlms, gbz
from protocols.gbcs.envelope import Message
from protocols.gbcs.security import derived_key, other_info
from protocols.octets import Reader

SECURITY_HEADER = bytes.fromhex("3100000000")  # authenticated and encrypted, suite 1; invocation counter 0
TAG_OCTETS = 12

_FLAG = 4  # in place of the CRA flag
_AAD = SECURITY_HEADER[:1]
_AUTHENTICATION_AND_ENCRYPTION, _AGREED_KEY = 2, 2
_KEY_PARAMETERS = b"\x02"  # C(0e, 2s, ECC CDH)
_ADDITIONAL_HEADER = bytes(2)  # control and frame counter
_KEY_INFO = dlms.structure(
    dlms.enum(_AGREED_KEY), dlms.structure(dlms.octet_string(_KEY_PARAMETERS), dlms.octet_string(b""))
)
_BEFORE_PARTIES = bytes.fromhex("0202 0101 0202 1602 0205")


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


@dataclass(frozen=True, slots=True)
class Protected:
    """A protected DLMS value: for whom it is sealed by whom, and the sealed octets."""

    counter: int  # 64 bits, of the transaction the key is bound to
    originator: Eui64
    recipient: Eui64
    sealed: bytes  # as of `seal`

    @classmethod
    def of(cls, message: Message, sealed: bytes) -> Self:
        """Return what stands in the payload of a message; of that only the envelope counts."""
        return cls(transaction_counter(message), message.originator, recipient(message), sealed)

    def parts(self) -> tuple[bytes, bytes]:
        """Return the two elements: protection parameters and the sealed octets."""
        transaction = bytes((_FLAG,)) + self.counter.to_bytes(8, "big")
        options = dlms.structure(
            dlms.octet_string(transaction),
            dlms.octet_string(self.originator.big),
            dlms.octet_string(self.recipient.big),
            dlms.octet_string(b""),
            _KEY_INFO,
        )
        parameters = dlms.array(dlms.structure(dlms.enum(_AUTHENTICATION_AND_ENCRYPTION), options))
        return parameters, dlms.octet_string(self.sealed)

    def encode(self) -> bytes:
        """Return the structure of both elements, as a response has it."""
        return dlms.structure(*self.parts())

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the structure; DecodeError for any other."""
        dlms.expect(reader, _BEFORE_PARTIES, "protection of a value")
        transaction = dlms.read_octet_string(reader, 9)
        if transaction[0] != _FLAG:
            raise DecodeError("not the transaction of a protected value", offset=reader.offset, data=reader.data)
        originator, reader_of_it = (Eui64.from_big(dlms.read_octet_string(reader, 8)) for _ in range(2))
        dlms.expect(reader, dlms.octet_string(b"") + _KEY_INFO, "key of a protection")
        counter = int.from_bytes(transaction[1:], "big")
        return cls(counter, originator, reader_of_it, dlms.read_octet_string(reader))


def dlms_parts(sealed: bytes, message: Message) -> tuple[bytes, bytes]:
    """Return the two elements of a protected DLMS value; an alert has them among the elements of its own structure."""
    return Protected.of(message, sealed).parts()


def dlms_value(sealed: bytes, message: Message) -> bytes:
    """Return a protected DLMS value as a response has it: the structure of both elements."""
    return Protected.of(message, sealed).encode()


def gbz_component(cluster: int, header: bytes, sealed: bytes, *, last: bool) -> bytes:
    """Return a component whose ZCL payload is encrypted.

    header: the three octets of the ZCL header (frame control, sequence, command), which stay readable.
    """
    content = _ADDITIONAL_HEADER + header + len(sealed).to_bytes(2, "big") + sealed
    control = gbz.ENCRYPTED | (gbz.LAST if last else 0)
    return bytes((control,)) + cluster.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


def read_gbz_component(reader: Reader, cluster: int, header: bytes) -> bytes:
    """Read the last component, encrypted, of a payload; return the sealed octets. DecodeError for any other."""
    dlms.expect(reader, bytes((gbz.ENCRYPTED | gbz.LAST,)) + cluster.to_bytes(2, "big"), "an encrypted component")
    content = Reader(reader.octets(reader.uint_be(2)))
    dlms.expect(content, _ADDITIONAL_HEADER + header, "headers of an encrypted component")
    sealed = content.octets(content.uint_be(2))
    content.finish("octets after an encrypted payload")
    return sealed


def _key(message: Message, z: bytes) -> bytes:
    info = other_info(message.originator, _FLAG, transaction_counter(message), recipient(message))
    return derived_key(z, info)


def _iv(message: Message) -> bytes:
    return message.originator.big + bytes(4)
