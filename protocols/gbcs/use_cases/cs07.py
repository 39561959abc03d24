"""CS07, read which devices a device is joined to (service request 8.9)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.gbcs import der
from protocols.gbcs.codes import named
from protocols.gbcs.der import DerReader
from protocols.gbcs.device_log import LogEntry

MESSAGE_CODE = 0x0013


class ReadCode(IntEnum):
    READ = 0
    FAILED = 1


@dataclass(frozen=True, slots=True)
class Command:
    def encode(self) -> bytes:
        return der.ENCODED_NULL

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = DerReader(octets)
        reader.null()
        reader.finish()
        return cls()


@dataclass(frozen=True, slots=True)
class Response:
    entries: tuple[LogEntry, ...] | None  # None on failure
    code: ReadCode | int = ReadCode.READ

    def encode(self) -> bytes:
        parts = [der.integer(self.code)]
        if self.entries is not None:
            parts.append(der.sequence(*(entry.encode() for entry in self.entries)))
        return der.sequence(*parts)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        code = named(ReadCode, inner.unsigned(8))
        response = cls(inner.each(LogEntry.read) if inner.more else None, code)
        inner.finish()
        outer.finish()
        return response
