"""Randomness of the operating system, for keys that must not be guessed."""

import random

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


class SystemEntropy:
    """`protocols.interfaces.Entropy` outside virtual runs: nothing repeats, whatever the purpose."""

    def random(self, purpose: str) -> random.SystemRandom:
        return random.SystemRandom()

    def private_key(self, purpose: str) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    def sign(self, key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
