"""Spinel's packed unsigned integers: 7 bits an octet, low ones first. Source: draft-rquattle-spinel-unified 3.2."""

from protocols.errors import DecodeError, UsageError
from protocols.octets import Reader

MAXIMUM = 0xFFFF_FFFF
_MORE = 0x80
_MOST_OCTETS = 5


def write_packed(value: int) -> bytes:
    """Return the shortest form of `value`, 0 to `MAXIMUM`."""
    if not 0 <= value <= MAXIMUM:
        raise UsageError(f"{value} is not a packed unsigned integer")
    octets = bytearray()
    while value >= _MORE:
        octets.append(value & 0x7F | _MORE)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def read_packed(reader: Reader) -> int:
    """Read one; DecodeError if it has more than 5 octets or exceeds `MAXIMUM`. Longer forms than needed are taken."""
    value = 0
    for place in range(_MOST_OCTETS):
        octet = reader.uint8()
        value |= (octet & 0x7F) << 7 * place
        if not octet & _MORE:
            if value > MAXIMUM:
                break
            return value
    raise DecodeError("a packed integer that is too large", offset=reader.offset, data=reader.data)
