"""DER as GBCS payloads and certificates use it: a few writers and a strict reader."""

from collections.abc import Callable
from typing import Self, TypeVar

from protocols.errors import DecodeError
from protocols.gbcs import times
from protocols.gbcs.lengths import encode_length, read_any_length, read_length
from protocols.octets import Reader

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
ENUMERATED = 0x0A
SEQUENCE = 0x30
SET = 0x31
UTF8_STRING = 0x0C
PRINTABLE_STRING = 0x13
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18

ENCODED_NULL = b"\x05\x00"

Item = TypeVar("Item")


def context(number: int, *, constructed: bool = False) -> int:
    """Return the context-specific tag of a number below 31."""
    return (0xA0 if constructed else 0x80) | number


def tlv(tag: int, content: bytes) -> bytes:
    """Return tag, shortest length and content."""
    return bytes((tag,)) + encode_length(len(content)) + content


def sequence(*parts: bytes) -> bytes:
    return tlv(SEQUENCE, b"".join(parts))


def integer_content(value: int) -> bytes:
    """Return the shortest two's complement form."""
    return value.to_bytes((value if value >= 0 else ~value).bit_length() // 8 + 1, "big", signed=True)


def integer(value: int, tag: int = INTEGER) -> bytes:
    return tlv(tag, integer_content(value))


def enumerated(value: int) -> bytes:
    return tlv(ENUMERATED, integer_content(value))


def octet_string(octets: bytes) -> bytes:
    return tlv(OCTET_STRING, octets)


def generalized_time(instant: int) -> bytes:
    """Return a GeneralizedTime of an instant in ns since 1970 UTC."""
    return tlv(GENERALIZED_TIME, times.generalized_time(instant))


def bit_string(octets: bytes, unused: int = 0) -> bytes:
    """Return a BIT STRING whose last `unused` bits do not count."""
    return tlv(BIT_STRING, bytes((unused,)) + octets)


def object_identifier(dotted: str) -> bytes:
    """Return the OBJECT IDENTIFIER written as `1.2.840.10045.2.1`."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    content = b""
    for arc in (40 * first + second, *rest):
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        content += bytes(reversed(septets))
    return tlv(OBJECT_IDENTIFIER, content)


class DerReader:
    """Reads one element after the other; any other tag, length form or rest raises DecodeError.

    long_lengths: lengths longer than necessary are accepted, as some devices send them in CS02a and CS02b.
    """

    __slots__ = ("_long_lengths", "_reader")

    def __init__(self, octets: bytes, *, long_lengths: bool = False) -> None:
        self._reader = Reader(octets)
        self._long_lengths = long_lengths

    @property
    def more(self) -> bool:
        return self._reader.remaining > 0

    def next_tag(self) -> int | None:
        """Return the tag that follows, None at the end."""
        return self._reader.data[self._reader.offset] if self.more else None

    def content(self, tag: int) -> bytes:
        """Return the content of the next element, which must have `tag`."""
        start = self._reader.offset
        found = self._reader.uint8()
        if found != tag:
            raise DecodeError(f"DER tag {found:02X} instead of {tag:02X}", offset=start, data=self._reader.data)
        length = read_any_length(self._reader)[0] if self._long_lengths else read_length(self._reader)
        return self._reader.octets(length)

    def element(self, tag: int) -> bytes:
        """Return the next element whole, tag and length included."""
        start = self._reader.offset
        self.content(tag)
        return self._reader.data[start : self._reader.offset]

    def sequence(self, tag: int = SEQUENCE) -> Self:
        """Return a reader of what is inside the next element."""
        return type(self)(self.content(tag), long_lengths=self._long_lengths)

    def each(self, read: "Callable[[Self], Item]", tag: int = SEQUENCE) -> tuple[Item, ...]:
        """Return what `read` makes of each element of a SEQUENCE OF."""
        inner, items = self.sequence(tag), list[Item]()
        while inner.more:
            items.append(read(inner))
        return tuple(items)

    def integer(self, tag: int = INTEGER) -> int:
        content = self.content(tag)
        value = int.from_bytes(content, "big", signed=True)
        if content != integer_content(value):
            raise DecodeError("an INTEGER that is not in its shortest form", data=content)
        return value

    def unsigned(self, bits: int, tag: int = INTEGER) -> int:
        """Return an INTEGER from 0 to 2**bits - 1."""
        value = self.integer(tag)
        if not 0 <= value < 1 << bits:
            raise DecodeError(f"INTEGER {value} does not fit {bits} bits")
        return value

    def enumerated(self) -> int:
        """Return an ENUMERATED from 0 to 255."""
        return self.unsigned(8, ENUMERATED)

    def octet_string(self, length: int) -> bytes:
        """Return an OCTET STRING of exactly `length` octets."""
        content = self.content(OCTET_STRING)
        if len(content) != length:
            raise DecodeError(f"an OCTET STRING of {len(content)} octets instead of {length}", data=content)
        return content

    def generalized_time(self) -> int:
        """Return the instant in ns since 1970 UTC."""
        return times.parse_generalized_time(self.content(GENERALIZED_TIME))

    def null(self) -> None:
        if self.content(NULL):
            raise DecodeError("a NULL that is not empty")

    def finish(self) -> None:
        """Raise DecodeError if anything is left."""
        self._reader.finish("octets after the end of a DER value")
