"""CS14, the hub tells that its device log changed: a device came or went, or a link key is new."""

from dataclasses import dataclass
from typing import Self

from protocols.gbcs import dlms
from protocols.gbcs.codes import AlertCode, named
from protocols.gbcs.device_log import LogBackup
from protocols.gbcs.times import Instant

MESSAGE_CODE = 0x0018


@dataclass(frozen=True, slots=True)
class Alert:
    time: Instant
    log: LogBackup  # the whole log
    alert_code: AlertCode | int = AlertCode.CHF_DEVICE_LOG_CHANGED
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        return dlms.data_notification(self.counter, self.alert_code, self.time, self.log.encode())

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        alert = dlms.parse_data_notification(octets, more=1)
        log = LogBackup.read(alert.more)
        alert.more.finish()
        return cls(alert.time, log, named(AlertCode, alert.alert_code), alert.counter)
