"""A hub tells of a message it did not hand over: to the ESME (8F84), or to whomever in a sub-GHz band (DBCH10, 8F2C).

RTDS shows the form of DBCH10; that 8F84 has the same is inferred.
"""

from dataclasses import dataclass
from typing import Self

from protocols.addresses import Eui64
from protocols.gbcs import dlms
from protocols.gbcs.codes import AlertCode, named
from protocols.gbcs.envelope import Cra
from protocols.gbcs.times import Instant
from protocols.octets import Reader

MESSAGE_CODE = 0x00D5  # to the ESME
SUB_GHZ_MESSAGE_CODE = 0x0114  # DBCH10

_MESSAGE_OCTETS = 25  # originator, target, CRA flag, counter


@dataclass(frozen=True, slots=True)
class Alert:
    time: Instant
    originator: Eui64  # of the message that was not delivered, and so on
    target: Eui64
    cra: Cra | int
    message_counter: int  # 64 bits
    alert_code: AlertCode | int = AlertCode.MESSAGE_NOT_DELIVERED
    counter: int = 0  # the alert's own originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        message = self.originator.big + self.target.big + bytes((self.cra,)) + self.message_counter.to_bytes(8, "big")
        return dlms.data_notification(self.counter, self.alert_code, self.time, dlms.octet_string(message))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        alert = dlms.parse_data_notification(octets, more=1)
        message = Reader(dlms.read_octet_string(alert.more, _MESSAGE_OCTETS))
        alert.more.finish()
        originator, target = Eui64.from_big(message.octets(8)), Eui64.from_big(message.octets(8))
        cra, counter = named(Cra, message.uint8()), message.uint_be(8)
        return cls(alert.time, originator, target, cra, counter, named(AlertCode, alert.alert_code), alert.counter)
