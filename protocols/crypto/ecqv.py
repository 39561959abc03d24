"""Implicit certificates of both suites, and the public keys they stand for.

A certificate holds no signature: its public key is computed from it and from the authority's. One that was tampered
with gives another key, which shows when the keys are confirmed.
Source: SEC 4; ZSE 07-5356 annexes C.4.2.2.1.1 and C.4.2.3.1.1.
"""

import struct
from functools import lru_cache
from typing import NamedTuple, Self

from protocols.addresses import Eui64
from protocols.crypto.curves import Point
from protocols.crypto.mmo import aes_mmo
from protocols.crypto.suites import Suite
from protocols.errors import DecodeError

TYPE_IMPLICIT = 0x00  # no extensions
CURVE_SECT283K1 = 0x0D
HASH_AES_MMO = 0x08
KEY_AGREEMENT = 0x08  # bit of the key usage
DIGITAL_SIGNATURE = 0x80  # bit of the key usage
NO_END = 0xFFFF_FFFF

_SUITE_1 = struct.Struct(">22s8s8s10s")
_SUITE_2 = struct.Struct(">B8sBB8s5sI8sB37s")


class Suite1Certificate(NamedTuple):
    """48 octets, big-endian."""

    reconstruction: bytes  # compressed point, 22 octets
    subject: Eui64
    issuer: Eui64
    attributes: bytes  # 10 octets, the first two the profile id

    @property
    def suite(self) -> Suite:
        return Suite.SUITE_1

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read the fields; DecodeError for another length. What they say is checked by `serves_key_agreement`."""
        _check_length(octets, _SUITE_1.size)
        reconstruction, subject, issuer, attributes = _SUITE_1.unpack(octets)
        return cls(reconstruction, Eui64.from_big(subject), Eui64.from_big(issuer), attributes)

    def encode(self) -> bytes:
        return _SUITE_1.pack(self.reconstruction, self.subject.big, self.issuer.big, self.attributes)

    @property
    def serves_key_agreement(self) -> bool:
        """Always: the form has no field that says otherwise."""
        return True


class Suite2Certificate(NamedTuple):
    """74 octets, big-endian."""

    type: int  # 8 bits
    serial: bytes  # 8 octets
    curve: int  # 8 bits
    hash: int  # 8 bits
    issuer: Eui64
    valid_from: int  # s since 1970 UTC, 40 bits
    valid_to: int  # s after `valid_from`, 32 bits; NO_END
    subject: Eui64
    key_usage: int  # 8 bits
    reconstruction: bytes  # compressed point, 37 octets

    @property
    def suite(self) -> Suite:
        return Suite.SUITE_2

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read the fields; DecodeError for another length. What they say is checked by `serves_key_agreement`."""
        _check_length(octets, _SUITE_2.size)
        kind, serial, curve, digest, issuer, start, length, subject, usage, point = _SUITE_2.unpack(octets)
        since = int.from_bytes(start, "big")
        issuer, subject = Eui64.from_big(issuer), Eui64.from_big(subject)
        return cls(kind, serial, curve, digest, issuer, since, length, subject, usage, point)

    def encode(self) -> bytes:
        kind, serial, curve, digest, issuer, start, length, subject, usage, point = self
        since = start.to_bytes(5, "big")
        return _SUITE_2.pack(kind, serial, curve, digest, issuer.big, since, length, subject.big, usage, point)

    @property
    def serves_key_agreement(self) -> bool:
        """Whether type, curve, hash and key usage are those of a key agreement. The validity is not looked at."""
        form = (self.type, self.curve, self.hash) == (TYPE_IMPLICIT, CURVE_SECT283K1, HASH_AES_MMO)
        return form and bool(self.key_usage & KEY_AGREEMENT)


Certificate = Suite1Certificate | Suite2Certificate


def _check_length(octets: bytes, expected: int) -> None:
    if len(octets) != expected:
        raise DecodeError(f"a certificate of {len(octets)} octets, {expected} expected", data=octets)


def decode(octets: bytes, suite: Suite) -> Certificate:
    """Return the certificate; DecodeError for another length. Nothing in the octets tells the suite."""
    return Suite1Certificate.decode(octets) if suite is Suite.SUITE_1 else Suite2Certificate.decode(octets)


class Authority(NamedTuple):
    """Who is trusted to issue certificates of one suite."""

    suite: Suite
    issuer: Eui64
    public_key: bytes  # compressed point


class Credentials(NamedTuple):
    """One device's certificate and private key, and whom it trusts. The key is never shown or logged."""

    certificate: Certificate
    private_key: int
    authority: Authority

    def __repr__(self) -> str:
        return f"Credentials({self.certificate.suite.name}, {self.certificate.subject})"

    @property
    def consistent(self) -> bool:
        """Whether the private key belongs to the certificate: d G = Q. Source: SEC 4 2.5."""
        own = self.certificate.suite.curve.multiply_generator(self.private_key)
        return own == public_key(self.certificate, self.authority)


def certificate_hash(certificate: Certificate) -> int:
    """Return e: the AES-MMO hash of all octets as a number of 128 bits."""
    return int.from_bytes(aes_mmo(certificate.encode()), "big")


@lru_cache(maxsize=256)
def public_key(certificate: Certificate, authority: Authority) -> Point:
    """Return e P + Q_CA; remembered, as a hub's certificate is met once by every device of its home.

    Raises DecodeError if the reconstruction point is none, or if the sum is the point at infinity. Source: SEC 4 2.5.
    """
    curve = certificate.suite.curve
    reconstruction = curve.decompress(certificate.reconstruction)
    product = curve.multiply(certificate_hash(certificate), reconstruction)
    key = curve.add(product, curve.decompress(authority.public_key))
    if key is None:
        raise DecodeError("the certificate stands for the point at infinity", data=certificate.encode())
    return key
