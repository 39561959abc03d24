"""CS02a, read which credentials of remote parties a device holds (service request 6.24.1); CS02f for load controllers.

Some devices write lengths longer than necessary here; they are accepted, ours are the shortest.
"""

from dataclasses import dataclass
from typing import Self

from protocols.addresses import Eui64
from protocols.gbcs import der
from protocols.gbcs.cells import (
    CellIdentifier,
    CellUsage,
    KeyUsage,
    encode_cell_usage,
    encode_key_usage,
    read_cell_usage,
    read_key_usage,
)
from protocols.gbcs.codes import CredentialStatus, named
from protocols.gbcs.der import DerReader
from protocols.gbcs.smki import RemotePartyRole

MESSAGE_CODE = 0x0008
LOAD_CONTROLLER_MESSAGE_CODE = 0x011B

_KEY_ID_OCTETS = 8


@dataclass(frozen=True, slots=True)
class Command:
    authorising_cell: CellIdentifier  # of the party that asks
    roles: tuple[RemotePartyRole | int, ...]  # whose credentials are asked for

    def encode(self) -> bytes:
        return der.sequence(self.authorising_cell.encode(), der.sequence(*(der.integer(role) for role in self.roles)))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets, long_lengths=True)
        inner = outer.sequence()
        command = cls(CellIdentifier.read(inner), inner.each(_read_role))
        inner.finish()
        outer.finish()
        return command


@dataclass(frozen=True, slots=True)
class CellContents:
    """What one cell holds."""

    key_usage: KeyUsage | int
    cell_usage: CellUsage | int
    entity: Eui64
    key_id: bytes  # 8 octets, subject key identifier

    def encode(self) -> bytes:
        return der.sequence(
            encode_key_usage(self.key_usage),
            encode_cell_usage(self.cell_usage),
            der.octet_string(self.entity.big),
            der.octet_string(self.key_id),
        )

    @classmethod
    def read(cls, reader: DerReader) -> Self:
        inner = reader.sequence()
        usage, cell_usage = read_key_usage(inner), read_cell_usage(inner)
        contents = cls(usage, cell_usage, Eui64.from_big(inner.octet_string(8)), inner.octet_string(_KEY_ID_OCTETS))
        inner.finish()
        return contents


@dataclass(frozen=True, slots=True)
class RemoteParty:
    """The answer for one role; on failure only role and status."""

    role: RemotePartyRole | int
    status: CredentialStatus | int
    counter: int | None = None  # 64 bits, the highest accepted so far
    cells: tuple[CellContents, ...] = ()

    def encode(self) -> bytes:
        parts = [der.integer(self.role), der.enumerated(self.status)]
        if self.counter is not None:
            parts += [der.integer(self.counter), der.sequence(*(cell.encode() for cell in self.cells))]
        return der.sequence(*parts)

    @classmethod
    def read(cls, reader: DerReader) -> Self:
        inner = reader.sequence()
        role, status = _read_role(inner), named(CredentialStatus, inner.enumerated())
        if not inner.more:
            return cls(role, status)
        party = cls(role, status, inner.unsigned(64), inner.each(CellContents.read))
        inner.finish()
        return party


@dataclass(frozen=True, slots=True)
class Response:
    parties: tuple[RemoteParty, ...]

    def encode(self) -> bytes:
        return der.sequence(*(party.encode() for party in self.parties))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = DerReader(octets, long_lengths=True)
        response = cls(reader.each(RemoteParty.read))
        reader.finish()
        return response


def _read_role(reader: DerReader) -> RemotePartyRole | int:
    return named(RemotePartyRole, reader.unsigned(8))
