"""GBCS messages put together octet by octet from the layout, with the bare cryptography; no builder of ours is used."""

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import ECDH, ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from protocols.gbcs.smki import Credentials

COMMAND, RESPONSE, ALERT = 1, 2, 3


def shortest(number: int) -> bytes:
    """Return a length in its shortest form."""
    if number < 0x80:
        return bytes([number])
    return b"\x81" + bytes([number]) if number < 0x100 else b"\x82" + number.to_bytes(2, "big")


def agreed(one: Credentials, other: Credentials) -> bytes:
    """Return the shared secret of two entities."""
    return one.ka_key.exchange(ECDH(), other.ka_certificate.public_key)


@dataclass(frozen=True)
class Raw:
    """What stands in the header. `other` follows the message code in the other information."""

    cra: int
    counter: int
    sender: Credentials
    target: Credentials
    code: int
    other: bytes = b""
    date_time: bytes = b""

    def body(self, payload: bytes) -> bytes:
        """Return what a signature covers."""
        known = self.code.to_bytes(2, "big") + self.other
        head = b"\x09" + bytes([self.cra]) + self.counter.to_bytes(8, "big")
        head += b"\x08" + self.sender.eui.to_bytes(8, "big") + b"\x08" + self.target.eui.to_bytes(8, "big")
        head += bytes([len(self.date_time)]) + self.date_time + shortest(len(known)) + known
        return head + shortest(len(payload)) + payload

    def pre_command(self, payload: bytes) -> bytes:
        return b"\xdf" + self.body(payload)

    def unsigned(self, payload: bytes) -> bytes:
        """Return the message with an empty signature, which still needs a MAC."""
        return self.pre_command(payload) + b"\x00"

    def signed(self, payload: bytes) -> bytes:
        """Return the message with the sender's signature and no MAC."""
        r, s = decode_dss_signature(self.sender.ds_key.sign(self.body(payload), ECDSA(SHA256())))
        return self.pre_command(payload) + b"\x40" + r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def with_mac(self, grouping: bytes, z: bytes) -> bytes:
        """Return `signed` or `unsigned` octets with the MAC header and the MAC under the shared secret `z`."""
        key = self.key(z, self.cra, self.counter, self.target.eui)
        tag = AESGCM(key).encrypt(self.iv(), b"", b"\x11" + bytes(5) + grouping)
        inside = b"\x11" + bytes(4) + grouping + tag[:12]
        return b"\xdd" + bytes(6) + shortest(len(inside)) + inside

    def sealed(self, plaintext: bytes, recipient: Credentials, counter: int | None = None) -> bytes:
        """Return an encrypted part for `recipient`; counter: the supplementary originator counter if there is one."""
        bound = self.counter if counter is None else counter
        key = self.key(agreed(self.sender, recipient), 4, bound, recipient.eui)
        return b"\x31" + bytes(4) + AESGCM(key).encrypt(self.iv(), plaintext, b"\x31")[:-4]

    def key(self, z: bytes, flag: int, counter: int, recipient: int) -> bytes:
        info = bytes.fromhex("60857406080300") + self.sender.eui.to_bytes(8, "big") + b"\x09" + bytes([flag])
        info += counter.to_bytes(8, "big") + recipient.to_bytes(8, "big")
        return hashlib.sha256(b"\0\0\0\x01" + z + info).digest()[:16]

    def iv(self) -> bytes:
        return self.sender.eui.to_bytes(8, "big") + bytes(4)


def dlms_protected(raw: Raw, sealed: bytes, recipient: Credentials, counter: int | None = None) -> bytes:
    """Return protection parameters and the sealed octets: the two elements of a protected DLMS value."""
    bound = raw.counter if counter is None else counter
    return (
        bytes.fromhex("0101 0202 1602 0205 0909 04") + bound.to_bytes(8, "big")
        + b"\x09\x08" + raw.sender.eui.to_bytes(8, "big") + b"\x09\x08" + recipient.eui.to_bytes(8, "big")
        + bytes.fromhex("0900 0202 1602 0202 090102 0900") + b"\x09" + shortest(len(sealed)) + sealed
    )  # fmt: skip


def gbz_sealed(cluster: int, header: bytes, sealed: bytes, *, last: bool) -> bytes:
    """Return a component with an encrypted payload."""
    inside = b"\0\0" + header + len(sealed).to_bytes(2, "big") + sealed
    return bytes([2 + last]) + cluster.to_bytes(2, "big") + len(inside).to_bytes(2, "big") + inside
