"""CCM* at security level 5: encryption with a message integrity code of 4 octets, nonce of 13 octets.

At this level CCM* is the CCM of the `cryptography` package. An `AESCCM` object costs more to make than to use, so
whoever holds a key holds the object.

Source: Zigbee 05-3474 annexes A and B.1.
"""

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from protocols.errors import IntegrityError, UsageError

MIC_SIZE = 4  # octets
NONCE_SIZE = 13  # octets
LEVEL = 0x05  # encrypted, MIC of 4 octets; put into the security control field while computing, zero on the air
LEVEL_MASK = 0x07
_KEPT = 8192  # ciphers


@lru_cache(maxsize=_KEPT)
def ccm_star(key: bytes) -> AESCCM:
    """Return the cipher of `key` (16 octets): `.encrypt(nonce, plain, additional)` gives ciphertext with MIC.

    All who hold a key of late share one object: it has no state but the key.
    """
    if len(key) != 16:
        raise UsageError(f"a key of {len(key)} octets, 16 expected")
    return AESCCM(key, tag_length=MIC_SIZE)


def open_sealed(cipher: AESCCM, nonce: bytes, sealed: bytes, additional: bytes) -> bytes:
    """Return the plaintext of `sealed` (ciphertext and MIC); IntegrityError if the MIC is wrong or cut short."""
    try:
        return cipher.decrypt(nonce, sealed, additional)
    except InvalidTag:
        raise IntegrityError("the MIC does not verify", data=sealed) from None
