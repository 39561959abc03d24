"""Randomness that repeats: every stream and key follows from the seed and a purpose."""

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
