"""CS09, a PPMID or Alt HAN bridge tells what came of the activation of its firmware."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.gbcs import der
from protocols.gbcs.codes import AlertCode, Version, named
from protocols.gbcs.der import DerReader
from protocols.gbcs.times import Instant

MESSAGE_CODE = 0x012B
ALERT_CODE = AlertCode.PPMID_FIRMWARE_ACTIVATION


class ActivationCode(IntEnum):
    ACTIVATED = 0
    FAILED = 1


@dataclass(frozen=True, slots=True)
class Alert:
    time: Instant
    firmware_version: Version  # 32 bits
    code: ActivationCode | int = ActivationCode.ACTIVATED
    alert_code: AlertCode | int = ALERT_CODE

    def encode(self) -> bytes:
        return der.sequence(
            der.integer(self.alert_code),
            der.generalized_time(self.time),
            der.octet_string(self.firmware_version.to_bytes(4, "big")),
            der.integer(self.code),
        )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        alert_code = named(AlertCode, inner.unsigned(16))
        time, version = inner.generalized_time(), int.from_bytes(inner.octet_string(4), "big")
        code = named(ActivationCode, inner.unsigned(8))
        inner.finish()
        outer.finish()
        return cls(time, version, code, alert_code)
