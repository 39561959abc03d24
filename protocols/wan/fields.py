"""Field forms shared by the formats of this package. All numbers big-endian."""

from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.octets import Reader


def put_text(text: str) -> bytes:
    """Encode UTF-8 with one length octet; UsageError above 255 octets."""
    octets = text.encode()
    if len(octets) > 0xFF:
        raise UsageError(f"text of {len(octets)} octets does not fit one length octet")
    return bytes((len(octets),)) + octets


def take_text(reader: Reader) -> str:
    offset = reader.offset
    octets = reader.octets(reader.uint8())
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        raise DecodeError("text is not UTF-8", offset=offset, data=reader.data) from error


def put_block(octets: bytes) -> bytes:
    """Encode octets with a length of 32 bits."""
    return len(octets).to_bytes(4, "big") + octets


def take_block(reader: Reader) -> bytes:
    return reader.octets(reader.uint_be(4))


def take_eui(reader: Reader) -> Eui64:
    return Eui64(reader.uint_be(8))


def take_flag(reader: Reader) -> bool:
    """Read one octet that is 0 or 1."""
    octet = reader.uint8()
    if octet > 1:
        raise DecodeError(f"flag octet is {octet:#04x}", offset=reader.offset - 1, data=reader.data)
    return octet == 1


def take_header(octets: bytes, magic: bytes, version: int, what: str) -> Reader:
    """Check magic and version octet and return a reader behind them; DecodeError for another."""
    reader = Reader(octets)
    if reader.octets(len(magic)) != magic:
        raise DecodeError(f"not {what}", data=octets)
    found = reader.uint8()
    if found > version:
        raise DecodeError(f"{what} has version {found}, newer than {version}", offset=len(magic), data=octets)
    if found != version:
        raise DecodeError(f"{what} has unknown version {found}", offset=len(magic), data=octets)
    return reader
