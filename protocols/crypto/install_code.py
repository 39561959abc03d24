"""Install codes and the link keys they stand for.

A code has 6, 8, 12 or 16 octets and is printed with a CRC of 2 octets; CCS01 brings it without the CRC.
Source: ZSE 07-5356 5.4.8.1.
"""

from protocols.crypto.mmo import aes_mmo
from protocols.errors import InputError, IntegrityError
from protocols.interfaces import LinkKey

SIZES = (6, 8, 12, 16)  # octets, without CRC


def crc(code: bytes) -> bytes:
    """Return the CRC-16/X-25 of `code`, 2 octets, low octet first as printed."""
    value = 0xFFFF
    for octet in code:
        value ^= octet
        for _ in range(8):
            value = value >> 1 ^ 0x8408 if value & 1 else value >> 1
    return (value ^ 0xFFFF).to_bytes(2, "little")


def check(code_with_crc: bytes) -> bytes:
    """Return the code without its CRC.

    Raises InputError for a length no code has, IntegrityError for a wrong CRC.
    """
    code, given = code_with_crc[:-2], code_with_crc[-2:]
    if len(code) not in SIZES:
        raise InputError(f"an install code with CRC has 8, 10, 14 or 18 octets, not {len(code_with_crc)}")
    if crc(code) != given:
        raise IntegrityError("the CRC of the install code is wrong", offset=len(code), data=code_with_crc)
    return code


def parse(text: str) -> bytes:
    """Return the code without CRC of hexadecimal `text` with CRC; blanks, `-` and `:` between digits are ignored."""
    digits = text.translate(str.maketrans("", "", " -:\t\n"))
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        raise InputError(f"not an install code: {text!r}") from None
    return check(octets)


def link_key(code_without_crc: bytes) -> LinkKey:
    """Return the preconfigured link key: the AES-MMO hash of the code and its CRC."""
    if len(code_without_crc) not in SIZES:
        raise InputError(f"an install code has 6, 8, 12 or 16 octets, not {len(code_without_crc)}")
    return LinkKey(aes_mmo(code_without_crc + crc(code_without_crc)))
