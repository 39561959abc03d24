"""Trust anchor cells: how a device names the places where it holds the credentials of remote parties."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.errors import DecodeError
from protocols.gbcs import der
from protocols.gbcs.codes import named
from protocols.gbcs.der import DerReader
from protocols.gbcs.smki import CERTIFICATE_SIGNING, DIGITAL_SIGNING, KEY_AGREEMENT, RemotePartyRole


class KeyUsage(IntEnum):
    """The one octet of the BIT STRING."""

    DIGITAL_SIGNATURE = 0x80
    KEY_AGREEMENT = 0x08
    KEY_CERT_SIGN = 0x04


USAGES = {
    DIGITAL_SIGNING: KeyUsage.DIGITAL_SIGNATURE,
    KEY_AGREEMENT: KeyUsage.KEY_AGREEMENT,
    CERTIFICATE_SIGNING: KeyUsage.KEY_CERT_SIGN,
}  # by `Certificate.usage`


class CellUsage(IntEnum):
    MANAGEMENT = 0
    PREPAYMENT_TOP_UP = 1


def encode_key_usage(usage: KeyUsage | int) -> bytes:
    """Return the BIT STRING of a usage, one octet that is not zero, its trailing zero bits unused."""
    return der.bit_string(bytes((usage,)), _unused(usage))


def read_key_usage(reader: DerReader) -> KeyUsage | int:
    content = reader.content(der.BIT_STRING)
    if len(content) != 2 or not content[1] or content[0] != _unused(content[1]):
        raise DecodeError("not the BIT STRING of a key usage", data=content)
    return named(KeyUsage, content[1])


def encode_cell_usage(usage: CellUsage | int) -> bytes:
    """Return the INTEGER, nothing for the default."""
    return b"" if usage == CellUsage.MANAGEMENT else der.integer(usage)


def read_cell_usage(reader: DerReader) -> CellUsage | int:
    """Read the INTEGER if one stands next; DecodeError for the default written out."""
    if reader.next_tag() != der.INTEGER:
        return CellUsage.MANAGEMENT
    usage = named(CellUsage, reader.unsigned(8))
    if usage == CellUsage.MANAGEMENT:
        raise DecodeError("a cell usage that is the default, which is left out")
    return usage


def _unused(usage: int) -> int:
    return (usage & -usage).bit_length() - 1


@dataclass(frozen=True, slots=True)
class CellIdentifier:
    """One cell: whose credentials, for which kind of key, and whether for prepayment top-ups."""

    role: RemotePartyRole | int
    key_usage: KeyUsage | int
    cell_usage: CellUsage | int = CellUsage.MANAGEMENT

    def content(self) -> bytes:
        """Return what stands inside its SEQUENCE, or inside an implicit tag."""
        return der.integer(self.role) + encode_key_usage(self.key_usage) + encode_cell_usage(self.cell_usage)

    def encode(self) -> bytes:
        return der.sequence(self.content())

    @classmethod
    def read(cls, reader: DerReader, tag: int = der.SEQUENCE) -> Self:
        """Read the identifier as the next element."""
        inner = reader.sequence(tag)
        role = named(RemotePartyRole, inner.unsigned(8))
        cell = cls(role, read_key_usage(inner), read_cell_usage(inner))
        inner.finish()
        return cell
