"""CS06, activate firmware (service request 11.3)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.gbcs import der, times
from protocols.gbcs.codes import AlertCode, Version, named
from protocols.gbcs.der import DerReader
from protocols.gbcs.times import Instant

MESSAGE_CODE = 0x0012
ALERT_MESSAGE_CODE = 0x00CA
CANCEL = times.LAST_SECOND  # as execution time it cancels what is future-dated


class OutcomeCode(IntEnum):
    """What came of an activation."""

    SUCCESS = 0
    NO_IMAGE = 1
    HASH_MISMATCH = 2
    ACTIVATION_FAILURE = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    code: OutcomeCode | int
    firmware_version: Version  # 32 bits, of the firmware that runs now

    def encode(self) -> bytes:
        return der.sequence(der.integer(self.code), der.octet_string(self.firmware_version.to_bytes(4, "big")))

    @classmethod
    def read(cls, reader: DerReader) -> Self:
        """Read the outcome as the next element."""
        inner = reader.sequence()
        code = named(OutcomeCode, inner.unsigned(8))
        version = int.from_bytes(inner.octet_string(4), "big")
        inner.finish()
        return cls(code, version)


@dataclass(frozen=True, slots=True)
class Command:
    image_hash: bytes  # 32 octets, SHA-256 of the manufacturer image
    originator_counter: int  # 64 bits, the same as in the grouping header
    execution_time: Instant | None = None  # None: at once; CANCEL: cancel

    def encode(self) -> bytes:
        parts = [der.octet_string(self.image_hash), der.integer(self.originator_counter)]
        if self.execution_time is not None:
            parts.append(der.generalized_time(self.execution_time))
        return der.sequence(*parts)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        command = cls(inner.octet_string(32), inner.unsigned(64), inner.generalized_time() if inner.more else None)
        inner.finish()
        outer.finish()
        return command


@dataclass(frozen=True, slots=True)
class Response:
    outcome: Outcome | None = None  # None: future-dated or cancelled, accepted

    def encode(self) -> bytes:
        return der.ENCODED_NULL if self.outcome is None else self.outcome.encode()

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = DerReader(octets)
        if reader.next_tag() == der.NULL:
            reader.null()
            outcome = None
        else:
            outcome = Outcome.read(reader)
        reader.finish()
        return cls(outcome)


@dataclass(frozen=True, slots=True)
class Alert:
    """What came of a future-dated activation. Its message code is ALERT_MESSAGE_CODE."""

    alert_code: AlertCode | int  # FUTURE_DATED_COMMAND_DONE or FUTURE_DATED_COMMAND_FAILED
    execution_time: Instant  # of the command
    originator_counter: int  # 64 bits, of the command
    outcome: Outcome

    def encode(self) -> bytes:
        return der.sequence(
            der.integer(self.alert_code),
            der.generalized_time(self.execution_time),
            der.integer(self.originator_counter),
            self.outcome.encode(),
        )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        code = named(AlertCode, inner.unsigned(16))
        alert = cls(code, inner.generalized_time(), inner.unsigned(64), Outcome.read(inner))
        inner.finish()
        outer.finish()
        return alert
