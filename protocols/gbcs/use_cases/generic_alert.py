"""Generic critical (1000) and non-critical (1001) alerts: code and time only. Which code is which: `alert_names.py`."""

from dataclasses import dataclass
from typing import Self

from protocols.errors import DecodeError
from protocols.gbcs import dlms, gbz
from protocols.gbcs.codes import AlertCode, named
from protocols.gbcs.times import Instant

CRITICAL_MESSAGE_CODE = 0x1000  # signed
NON_CRITICAL_MESSAGE_CODE = 0x1001  # with a MAC


@dataclass(frozen=True, slots=True)
class Alert:
    """The form of all devices but a GSME."""

    alert_code: AlertCode | int
    time: Instant
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        return dlms.data_notification(self.counter, self.alert_code, self.time)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        alert = dlms.parse_data_notification(octets, more=0)
        alert.more.finish()
        return cls(named(AlertCode, alert.alert_code), alert.time, alert.counter)


@dataclass(frozen=True, slots=True)
class GsmeAlert:
    """The form of a GSME."""

    alert_code: AlertCode | int
    time: Instant

    def encode(self) -> bytes:
        return gbz.alert(self.alert_code, self.time)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        alert = gbz.parse_alert(octets)
        if alert.content:
            raise DecodeError("a generic alert with content", data=octets)
        return cls(named(AlertCode, alert.alert_code), alert.time)
