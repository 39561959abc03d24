"""ECS100, a device tells that it does not support a command (8F85)."""

from dataclasses import dataclass
from typing import Self

from protocols.gbcs import dlms
from protocols.gbcs.codes import AlertCode, named
from protocols.gbcs.times import Instant

MESSAGE_CODE = 0x0120

_COMMAND_OCTETS = 10  # message code and counter


@dataclass(frozen=True, slots=True)
class Alert:
    time: Instant
    command_message_code: int  # 16 bits, of the refused command
    command_counter: int  # 64 bits, of the refused command
    alert_code: AlertCode | int = AlertCode.COMMAND_NOT_SUPPORTED
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        command = self.command_message_code.to_bytes(2, "big") + self.command_counter.to_bytes(8, "big")
        return dlms.data_notification(self.counter, self.alert_code, self.time, dlms.octet_string(command))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        alert = dlms.parse_data_notification(octets, more=1)
        command = dlms.read_octet_string(alert.more, _COMMAND_OCTETS)
        alert.more.finish()
        code, counter = int.from_bytes(command[:2], "big"), int.from_bytes(command[2:], "big")
        return cls(alert.time, code, counter, named(AlertCode, alert.alert_code), alert.counter)
