"""GCS28, set the clock of a GSME (service request 8.1.1), which commissions it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.gbcs import der
from protocols.gbcs.codes import named
from protocols.gbcs.der import DerReader
from protocols.gbcs.times import Instant

MESSAGE_CODE = 0x007F


class ClockStatus(IntEnum):
    """Of the clock after the command; that 0 means set is inferred, a published failure bears 2."""

    RELIABLE = 0
    INVALID = 1
    UNRELIABLE = 2


@dataclass(frozen=True, slots=True)
class Command:
    start: Instant  # the clock is set if its own idea of time lies between these two
    end: Instant

    def encode(self) -> bytes:
        return der.sequence(der.generalized_time(self.start), der.generalized_time(self.end))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        command = cls(inner.generalized_time(), inner.generalized_time())
        inner.finish()
        outer.finish()
        return command


@dataclass(frozen=True, slots=True)
class Response:
    time: Instant
    status: ClockStatus | int = ClockStatus.RELIABLE

    @property
    def success(self) -> bool:
        return self.status == ClockStatus.RELIABLE

    def encode(self) -> bytes:
        return der.sequence(der.generalized_time(self.time), der.integer(self.status))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        response = cls(inner.generalized_time(), named(ClockStatus, inner.unsigned(8)))
        inner.finish()
        outer.finish()
        return response
