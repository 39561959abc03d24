"""CCS08, the hub tells what came of a firmware transfer to a device."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.addresses import Eui64
from protocols.gbcs import der
from protocols.gbcs.codes import AlertCode, Version, named
from protocols.gbcs.der import DerReader
from protocols.gbcs.times import Instant

MESSAGE_CODE = 0x0128


class TransferCode(IntEnum):
    TRANSFERRED = 0
    IMAGE_DISCARDED = 1  # by the hub
    HARDWARE_VERSION_MISMATCH = 2
    TRANSFER_FAILED = 3


@dataclass(frozen=True, slots=True)
class Alert:
    alert_code: AlertCode | int  # FIRMWARE_TRANSFERRED or FIRMWARE_TRANSFER_FAILED
    time: Instant
    device: Eui64
    firmware_version: Version  # 32 bits, of the image
    code: TransferCode | int

    def encode(self) -> bytes:
        return der.sequence(
            der.integer(self.alert_code),
            der.generalized_time(self.time),
            der.octet_string(self.device.big),
            der.octet_string(self.firmware_version.to_bytes(4, "big")),
            der.integer(self.code),
        )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        alert_code = named(AlertCode, inner.unsigned(16))
        time, device = inner.generalized_time(), Eui64.from_big(inner.octet_string(8))
        version, code = int.from_bytes(inner.octet_string(4), "big"), named(TransferCode, inner.unsigned(8))
        inner.finish()
        outer.finish()
        return cls(alert_code, time, device, version, code)
