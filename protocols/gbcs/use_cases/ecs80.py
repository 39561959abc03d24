"""ECS80, an ESME tells the network operator that its supply is back."""

from dataclasses import dataclass
from typing import Self

from protocols.gbcs import dlms
from protocols.gbcs.codes import AlertCode, named
from protocols.gbcs.times import Instant

MESSAGE_CODE = 0x0067


@dataclass(frozen=True, slots=True)
class Alert:
    alert_code: AlertCode | int  # SUPPLY_RESTORED or SUPPLY_RESTORED_AFTER_OUTAGE
    time: Instant
    interruption: Instant
    restoration: Instant
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        times = (dlms.date_time(self.interruption), dlms.date_time(self.restoration))
        return dlms.data_notification(self.counter, self.alert_code, self.time, *times)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        alert = dlms.parse_data_notification(octets, more=2)
        interruption, restoration = dlms.read_date_time(alert.more), dlms.read_date_time(alert.more)
        alert.more.finish()
        return cls(named(AlertCode, alert.alert_code), alert.time, interruption, restoration, alert.counter)
