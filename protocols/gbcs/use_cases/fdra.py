"""FDRA, a meter tells that it received a firmware image: verified (8F72) or not (8F1C).

The 8F1C form is inferred from that of 8F72; no reference message shows it.
"""

from dataclasses import dataclass
from typing import Self

from protocols.gbcs import dlms, times
from protocols.gbcs.codes import AlertCode, named
from protocols.gbcs.times import Instant
from protocols.octets import Reader

MESSAGE_CODE = 0x00CE  # of an ESME, DLMS
GSME_MESSAGE_CODE = 0x00CF  # of a GSME, ZigBee

_GBZ_HEAD = bytes.fromhex("010901")  # profile, one content


@dataclass(frozen=True, slots=True)
class Alert:
    """The form of an ESME."""

    alert_code: AlertCode | int  # FIRMWARE_VERIFIED or FIRMWARE_VERIFICATION_FAILED
    time: Instant
    image_hash: bytes  # 32 octets, the hash the device calculated
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        return dlms.data_notification(self.counter, self.alert_code, self.time, dlms.octet_string(self.image_hash))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        alert = dlms.parse_data_notification(octets, more=1)
        image_hash = dlms.read_octet_string(alert.more, 32)
        alert.more.finish()
        return cls(named(AlertCode, alert.alert_code), alert.time, image_hash, alert.counter)


@dataclass(frozen=True, slots=True)
class GsmeAlert:
    """The form of a GSME."""

    alert_code: AlertCode | int  # FIRMWARE_VERIFIED or FIRMWARE_VERIFICATION_FAILED
    time: Instant
    image_hash: bytes  # 32 octets, the hash the device calculated

    def encode(self) -> bytes:
        head = self.alert_code.to_bytes(2, "big") + times.zigbee_time(self.time).to_bytes(4, "big")
        return _GBZ_HEAD + head + dlms.octet_string(self.image_hash)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = Reader(octets)
        dlms.expect(reader, _GBZ_HEAD, "head of a ZigBee alert")
        code, time = named(AlertCode, reader.uint_be(2)), times.from_zigbee_time(reader.uint_be(4))
        image_hash = dlms.read_octet_string(reader, 32)
        reader.finish()
        return cls(code, time, image_hash)
