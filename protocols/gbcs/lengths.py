"""Lengths as ASN.1 and DLMS write them: one octet below 80, else 8n and n octets. The shortest form is the only one."""

from protocols.errors import DecodeError
from protocols.octets import Reader

_LONGEST = 3  # octets after the first


def encode_length(length: int) -> bytes:
    """Return the shortest form of a length."""
    if length < 0x80:
        return bytes((length,))
    size = (length.bit_length() + 7) // 8
    return bytes((0x80 | size,)) + length.to_bytes(size, "big")


def read_length(reader: Reader) -> int:
    """Read a length; DecodeError if it is not in its shortest form."""
    start = reader.offset
    length, size = read_any_length(reader)
    if size != len(encode_length(length)):
        raise DecodeError("a length longer than necessary", offset=start, data=reader.data)
    return length


def read_any_length(reader: Reader) -> tuple[int, int]:
    """Read a length in any form; return it and the octets it took."""
    start = reader.offset
    first = reader.uint8()
    if first < 0x80:
        return first, 1
    size = first & 0x7F
    if not 1 <= size <= _LONGEST:
        raise DecodeError(f"a length of {size} octets", offset=start, data=reader.data)
    return reader.uint_be(size), 1 + size
