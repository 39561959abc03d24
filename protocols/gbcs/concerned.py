"""Alerts about a command: which one, by its message code and counter.

Future-dated alerts tell of an instruction that was carried out, ECS100 of one that the device does not know. The
length octet of the ZigBee form is inferred; an alert of another form just tells nothing here.
"""

from typing import NamedTuple

from protocols.errors import DecodeError
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases.names import name_of
from protocols.octets import Reader

FUTURE_DATED_DLMS, FUTURE_DATED_GBZ, NOT_SUPPORTED = 0x00CC, 0x00CD, 0x0120
_COMMAND = 10  # octets: message code, counter
_LENGTHS = {FUTURE_DATED_DLMS: _COMMAND + 9, FUTURE_DATED_GBZ: _COMMAND + 4, NOT_SUPPORTED: _COMMAND}
_BEFORE_ALERT_CODE, _ALERT_CODE, _TIME = 8, 3, 14  # octets of a data notification
_GBZ_HEAD = 9  # profile, number, alert code, time
_OCTET_STRING = b"\x09"


class Concerned(NamedTuple):
    """The command that an alert is about."""

    message_code: int
    counter: int  # 64 bits, its originator counter

    def __str__(self) -> str:
        return f"{name_of(self.message_code)} ({self.message_code:04X}), counter {self.counter} ({self.counter:X})"


def concerned(message: Message) -> Concerned | None:
    """Return what an alert is about, None for other messages and for an alert that does not say."""
    length = _LENGTHS.get(message.message_code)
    if message.cra is not Cra.ALERT or length is None:
        return None
    reader = Reader(message.payload)
    try:
        if message.message_code == FUTURE_DATED_GBZ:
            reader.octets(_GBZ_HEAD)
        else:
            reader.octets(_BEFORE_ALERT_CODE + _ALERT_CODE + _TIME)
            if reader.octets(1) != _OCTET_STRING:
                return None
        if reader.uint8() != length or reader.remaining != length:
            return None
        return Concerned(reader.uint_be(2), reader.uint_be(8))
    except DecodeError:
        return None
