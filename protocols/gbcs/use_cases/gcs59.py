"""GCS59, restore the device log of the gas proxy function after a hub was replaced (service request 8.12.2)."""

from dataclasses import dataclass
from typing import Self

from protocols.gbcs import der
from protocols.gbcs.codes import JoinCode, named
from protocols.gbcs.der import DerReader
from protocols.gbcs.device_log import LogEntry

MESSAGE_CODE = 0x008C


@dataclass(frozen=True, slots=True)
class Command:
    entries: tuple[LogEntry, ...]

    def encode(self) -> bytes:
        return der.sequence(der.sequence(*(entry.encode() for entry in self.entries)))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        command = cls(inner.each(LogEntry.read))
        inner.finish()
        outer.finish()
        return command


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of one entry."""

    entry: LogEntry
    code: JoinCode | int = JoinCode.SUCCESS

    def encode(self) -> bytes:
        return der.sequence(self.entry.encode(), der.integer(self.code))

    @classmethod
    def read(cls, reader: DerReader) -> Self:
        inner = reader.sequence()
        restored = cls(LogEntry.read(inner), named(JoinCode, inner.unsigned(8)))
        inner.finish()
        return restored


@dataclass(frozen=True, slots=True)
class Response:
    outcomes: tuple[Restored, ...]

    def encode(self) -> bytes:
        return der.sequence(der.sequence(*(outcome.encode() for outcome in self.outcomes)))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        response = cls(inner.each(Restored.read))
        inner.finish()
        outer.finish()
        return response
