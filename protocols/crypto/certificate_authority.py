"""A test certificate authority that issues implicit certificates. Source: SEC 4 2.4; ZSE 07-5356 annex C.4."""

from protocols.addresses import Eui64
from protocols.crypto import ecqv
from protocols.crypto.ecqv import Authority, Certificate, Credentials, Suite1Certificate, Suite2Certificate
from protocols.crypto.suites import Suite
from protocols.errors import UsageError
from protocols.interfaces import SECOND, Entropy, Random

TEST_ISSUER = Eui64.from_big(b"TESTSECA")  # the name the public test certificates of suite 1 use
_SMART_ENERGY = bytes.fromhex("0109") + bytes(8)


class CertificateAuthority:
    """Issues certificates of one suite: the same for the same entropy, issuer and subject, in any order."""

    def __init__(self, suite: Suite, entropy: Entropy, issuer: Eui64 = TEST_ISSUER) -> None:
        self._entropy = entropy
        self._purpose = f"{suite.name} {issuer}"
        self._private_key = suite.curve.private_key(entropy.random(f"certificate authority {self._purpose}"))
        point = suite.curve.multiply_generator(self._private_key)
        if point is None:
            raise UsageError("a private key of the order of the curve")
        self.authority = Authority(suite, issuer, suite.curve.compress(point))

    def issue(
        self, subject: Eui64, now: int, *, key_usage: int = ecqv.KEY_AGREEMENT | ecqv.DIGITAL_SIGNATURE
    ) -> Credentials:
        """Return a certificate with its private key.

        now: ns, start of the validity, which has no end; key_usage: 8 bits. Suite 1 has neither.
        """
        suite = self.authority.suite
        curve = suite.curve
        random = self._entropy.random(f"certificate {self._purpose} {subject}")
        secret = (curve.private_key(random) + curve.private_key(random)) % curve.order  # the device's and ours
        point = curve.multiply_generator(secret)
        if point is None:
            raise UsageError("two private keys that cancel each other")
        certificate = self._certificate(subject, now, key_usage, curve.compress(point), random)
        private_key = (ecqv.certificate_hash(certificate) * secret + self._private_key) % curve.order
        return Credentials(certificate, private_key, self.authority)

    def _certificate(self, subject: Eui64, now: int, key_usage: int, point: bytes, random: Random) -> Certificate:
        issuer = self.authority.issuer
        if self.authority.suite is Suite.SUITE_1:
            return Suite1Certificate(point, subject, issuer, _SMART_ENERGY)
        return Suite2Certificate(
            ecqv.TYPE_IMPLICIT,
            random.randbytes(8),
            ecqv.CURVE_SECT283K1,
            ecqv.HASH_AES_MMO,
            issuer,
            now // SECOND,
            ecqv.NO_END,
            subject,
            key_usage,
            point,
        )
