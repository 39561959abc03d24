"""Randomness: seeded, so that every stream and key follows from the seed and a purpose; or the system's."""

import hashlib
import random

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

_WORD = 0xFFFF_FFFF_FFFF_FFFF
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class SeededEntropy:
    """`protocols.interfaces.Entropy` of virtual runs: SHA-256 of seed and purpose; RFC 6979 signatures."""

    __slots__ = ("_seed",)

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def digest(self, purpose: str) -> bytes:
        """Return the 32 octets that a purpose leads to."""
        return hashlib.sha256(f"hanlab {self._seed} {purpose}".encode()).digest()

    def random(self, purpose: str) -> random.Random:
        return random.Random(int.from_bytes(self.digest(purpose), "big"))

    def private_key(self, purpose: str) -> ec.EllipticCurvePrivateKey:
        number = int.from_bytes(self.digest("p256 " + purpose), "big") % (_P256_ORDER - 1) + 1
        return ec.derive_private_key(number, ec.SECP256R1())

    def sign(self, key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True)))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class SmallRandom:
    """`protocols.interfaces.Random` in 8 octets of state, where `random.Random` takes 2,500: SplitMix64.

    Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014.
    """

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed & _WORD

    def _next(self) -> int:
        """Return 64 bits."""
        self._state = mixed = (self._state + 0x9E3779B97F4A7C15) & _WORD
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _WORD
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _WORD
        return mixed ^ mixed >> 31

    def random(self) -> float:
        return (self._next() >> 11) * 2.0**-53

    def randrange(self, start: int, stop: int) -> int:
        if stop <= start:
            raise ValueError(f"nothing between {start} and {stop}")
        return start + (self._next() * (stop - start) >> 64)

    def randbytes(self, n: int) -> bytes:
        words = b"".join(self._next().to_bytes(8, "little") for _ in range(-(-n // 8)))
        return words[:n]


class FleetEntropy:
    """`protocols.interfaces.Entropy` of runs with so many nodes that the state of each stream counts."""

    __slots__ = ("_seeded", "private_key", "sign")

    def __init__(self, seed: int) -> None:
        self._seeded = SeededEntropy(seed)
        self.private_key, self.sign = self._seeded.private_key, self._seeded.sign

    def random(self, purpose: str) -> SmallRandom:
        return SmallRandom(int.from_bytes(self._seeded.digest(purpose)[:8], "big"))


class SystemEntropy:
    """`protocols.interfaces.Entropy` of what is served to the outside: the operating system's, which never repeats.

    A key is made once for its purpose and kept as long as the object.
    """

    __slots__ = ("_keys", "_random")

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
