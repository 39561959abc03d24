"""The integrity warning of a meter (81A0)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.gbcs import dlms, gbz
from protocols.gbcs.codes import AlertCode, named
from protocols.gbcs.times import Instant
from protocols.octets import Reader

MESSAGE_CODE = 0x00F0  # of an ESME, DLMS
GSME_MESSAGE_CODE = 0x00F2  # of a GSME, ZigBee


class Cause(IntEnum):
    OTHER = 0
    MEMORY = 1
    EXECUTION = 2
    STORAGE = 3
    RAM = 4
    UNEXPECTED_RESET = 5
    WATCHDOG = 6
    METROLOGY_FIRMWARE = 7
    MEASUREMENT = 8
    UNSPECIFIED = 9


@dataclass(frozen=True, slots=True)
class Alert:
    """The form of an ESME."""

    time: Instant
    cause: Cause | int  # 16 bits
    alert_code: AlertCode | int = AlertCode.INTEGRITY_WARNING
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        cause = dlms.octet_string(self.cause.to_bytes(2, "big"))
        return dlms.data_notification(self.counter, self.alert_code, self.time, cause)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        alert = dlms.parse_data_notification(octets, more=1)
        cause = int.from_bytes(dlms.read_octet_string(alert.more, 2), "big")
        alert.more.finish()
        return cls(alert.time, named(Cause, cause), named(AlertCode, alert.alert_code), alert.counter)


@dataclass(frozen=True, slots=True)
class GsmeAlert:
    """The form of a GSME."""

    time: Instant
    cause: Cause | int  # 16 bits
    alert_code: AlertCode | int = AlertCode.INTEGRITY_WARNING

    def encode(self) -> bytes:
        return gbz.alert(self.alert_code, self.time, self.cause.to_bytes(2, "big"))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        alert = gbz.parse_alert(octets)
        content = Reader(alert.content)
        cause = named(Cause, content.uint_be(2))
        content.finish("octets after the cause")
        return cls(alert.time, cause, named(AlertCode, alert.alert_code))
