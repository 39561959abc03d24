"""ECS80, an ESME tells the network operator that its supply is back, or one phase of it.

Source: GBCS V3.1 7.2.3, alert codes 8F35 to 8F3C.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from protocols.gbcs import dlms
from protocols.gbcs.codes import AlertCode, named
from protocols.gbcs.times import Instant

MESSAGE_CODE = 0x0067


class Codes(NamedTuple):
    """What tells of the whole supply, or of one phase."""

    interrupted: AlertCode  # only logged
    restored: AlertCode  # after less than 3 minutes
    restored_after_outage: AlertCode  # after 3 minutes or more


WHOLE: Final = 0
CODES: Final = {  # by phase, from 1; the whole supply: 0
    WHOLE: Codes(AlertCode.SUPPLY_INTERRUPTED, AlertCode.SUPPLY_RESTORED, AlertCode.SUPPLY_RESTORED_AFTER_OUTAGE),
    1: Codes(AlertCode.PHASE_1_INTERRUPTED, AlertCode.PHASE_1_RESTORED, AlertCode.PHASE_1_RESTORED_AFTER_OUTAGE),
    2: Codes(AlertCode.PHASE_2_INTERRUPTED, AlertCode.PHASE_2_RESTORED, AlertCode.PHASE_2_RESTORED_AFTER_OUTAGE),
    3: Codes(AlertCode.PHASE_3_INTERRUPTED, AlertCode.PHASE_3_RESTORED, AlertCode.PHASE_3_RESTORED_AFTER_OUTAGE),
}


def phase_of(code: int) -> int | None:
    """Return the phase whose restoration a code tells, WHOLE for that of the supply, None for another code."""
    return next((phase for phase, codes in CODES.items() if code in codes[1:]), None)


@dataclass(frozen=True, slots=True)
class Alert:
    alert_code: AlertCode | int  # of `CODES`
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
