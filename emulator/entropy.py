"""Randomness: seeded, so that every stream and key follows from the seed and a purpose; or the system's."""

import hashlib
import random

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class SeededEntropy:
    """`protocols.interfaces.Entropy` of virtual runs: SHA-256 of seed and purpose; RFC 6979 signatures."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def _digest(self, purpose: str) -> bytes:
        return hashlib.sha256(f"hanlab {self._seed} {purpose}".encode()).digest()

    def random(self, purpose: str) -> random.Random:
        return random.Random(int.from_bytes(self._digest(purpose), "big"))

    def private_key(self, purpose: str) -> ec.EllipticCurvePrivateKey:
        number = int.from_bytes(self._digest("p256 " + purpose), "big") % (_P256_ORDER - 1) + 1
        return ec.derive_private_key(number, ec.SECP256R1())

    def sign(self, key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class SystemEntropy:
    """`protocols.interfaces.Entropy` of what is served to the outside: the operating system's, which never repeats.

    A key is made once for its purpose and kept as long as the object.
    """

    def __init__(self) -> None:
        self._random = random.SystemRandom()
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}

    def random(self, purpose: str) -> random.Random:
        return self._random

    def private_key(self, purpose: str) -> ec.EllipticCurvePrivateKey:
        if purpose not in self._keys:
            self._keys[purpose] = ec.generate_private_key(ec.SECP256R1())
        return self._keys[purpose]

    def sign(self, key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
