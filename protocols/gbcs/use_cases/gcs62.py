"""GCS62, the gas proxy function tells its device log after a change."""

from dataclasses import dataclass
from typing import Self

from protocols.gbcs import der
from protocols.gbcs.codes import AlertCode, named
from protocols.gbcs.der import DerReader
from protocols.gbcs.device_log import LogEntry
from protocols.gbcs.times import Instant

MESSAGE_CODE = 0x00B2


@dataclass(frozen=True, slots=True)
class Alert:
    time: Instant
    entries: tuple[LogEntry, ...]  # the whole log
    alert_code: AlertCode | int = AlertCode.GPF_DEVICE_LOG_CHANGED

    def encode(self) -> bytes:
        return der.sequence(
            der.integer(self.alert_code),
            der.generalized_time(self.time),
            der.sequence(*(entry.encode() for entry in self.entries)),
        )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        code, time = named(AlertCode, inner.unsigned(16)), inner.generalized_time()
        alert = cls(time, inner.each(LogEntry.read), code)
        inner.finish()
        outer.finish()
        return alert
