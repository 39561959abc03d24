"""GCS13a, read the consumption register of a GSME (service request 4.1.1). The answer is for the user alone."""

from dataclasses import dataclass
from typing import Self

from protocols.errors import DecodeError
from protocols.gbcs import gbz
from protocols.gbcs.gbz import Component

MESSAGE_CODE = 0x0074

_METERING = 0x0702
_ATTRIBUTES = bytes.fromhex("0203 0103 0003 0000")  # formatting, divisor, multiplier, total delivered; little-endian
_REQUEST = Component(_METERING, gbz.TO_SERVER, 0, gbz.READ_ATTRIBUTES, _ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Command:
    def encode(self) -> bytes:
        return gbz.components(_REQUEST)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        if gbz.parse_components(octets) != (_REQUEST,):
            raise DecodeError("not the request of GCS13a", data=octets)
        return cls()
