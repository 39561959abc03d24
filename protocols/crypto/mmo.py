"""AES-MMO-128 hash, HMAC over it, and the keys derived from a link key.

Source: Zigbee 05-3474 annexes B.6, B.1.4 and 4.5.3; vectors in annexes C.5 and C.6.
"""

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

BLOCK = 16  # octets
_LONG_MESSAGE = 8192  # octets, from here on the length takes 32 bits


def _padded(message: bytes) -> bytes:
    bits = 8 * len(message)
    tail = bits.to_bytes(2, "big") if len(message) < _LONG_MESSAGE else bits.to_bytes(4, "big") + b"\0\0"
    started = message + b"\x80"
    return started + bytes(-(len(started) + len(tail)) % BLOCK) + tail


def aes_mmo(message: bytes) -> bytes:
    """Hash `message` (any length below 2^29 octets, in wire order) with AES-MMO-128.

    Returns the digest, 16 octets, in wire order.
    """
    padded = _padded(message)
    chained = bytes(BLOCK)
    for start in range(0, len(padded), BLOCK):
        block = padded[start : start + BLOCK]
        encrypted = Cipher(AES(chained), ECB()).encryptor().update(block)  # noqa: S305  the hash is built of single blocks
        chained = (int.from_bytes(encrypted, "big") ^ int.from_bytes(block, "big")).to_bytes(BLOCK, "big")
    return chained


def hmac_mmo(key: bytes, message: bytes) -> bytes:
    """Return the HMAC of `message` over AES-MMO, 16 octets; keys longer than 16 octets are hashed first."""
    if len(key) > BLOCK:
        key = aes_mmo(key)
    key = key.ljust(BLOCK, b"\0")
    inner = aes_mmo(bytes(octet ^ 0x36 for octet in key) + message)
    return aes_mmo(bytes(octet ^ 0x5C for octet in key) + inner)


def key_transport_key(link_key: bytes) -> bytes:
    """Return the key that protects a Transport-Key command carrying a network key."""
    return hmac_mmo(link_key, b"\x00")


def key_load_key(link_key: bytes) -> bytes:
    """Return the key that protects a Transport-Key command carrying a link key."""
    return hmac_mmo(link_key, b"\x02")


def verify_key_hash(link_key: bytes) -> bytes:
    """Return the hash that a Verify-Key command carries."""
    return hmac_mmo(link_key, b"\x03")
