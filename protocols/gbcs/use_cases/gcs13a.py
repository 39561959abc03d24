"""GCS13a, read the consumption register of a GSME (service request 4.1.1). The answer is for the user alone.

It comes as an encrypted component; that this use case has one is inferred.
"""

from dataclasses import dataclass
from typing import Self

from protocols.errors import DecodeError
from protocols.gbcs import encryption, gbz
from protocols.gbcs.gbz import Component
from protocols.octets import Reader

MESSAGE_CODE = 0x0074

_METERING = 0x0702
_ATTRIBUTES = bytes.fromhex("0203 0103 0003 0000")  # divisor, multiplier, unit, total delivered; little-endian
_UINT24, _UINT48, _ENUM8 = 0x22, 0x25, 0x30
_TYPES = (_UINT24, _UINT24, _ENUM8, _UINT48)
_SIZES = (3, 3, 1, 6)  # octets
_HEADER = bytes((gbz.TO_CLIENT, 0, gbz.READ_ATTRIBUTES_RESPONSE))
_REQUEST = Component(_METERING, gbz.TO_SERVER, 0, gbz.READ_ATTRIBUTES, _ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Command:
    def encode(self) -> bytes:
        return gbz.components(_REQUEST)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        gbz.expect_components(octets, _REQUEST)
        return cls()


@dataclass(frozen=True, slots=True)
class Registers:
    """What is sealed in the answer: the records of a ZCL read attributes response. `total` counts unit * m / d."""

    divisor: int  # 24 bits
    multiplier: int  # 24 bits
    unit: int  # 8 bits, of the Metering cluster
    total: int  # 48 bits

    def encode(self) -> bytes:
        values = (self.divisor, self.multiplier, self.unit, self.total)
        return b"".join(
            _ATTRIBUTES[2 * number : 2 * number + 2] + bytes((0, kind)) + value.to_bytes(size, "little")
            for number, (kind, size, value) in enumerate(zip(_TYPES, _SIZES, values, strict=True))
        )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader, values = Reader(octets), list[int]()
        for number, (kind, size) in enumerate(zip(_TYPES, _SIZES, strict=True)):
            head = _ATTRIBUTES[2 * number : 2 * number + 2] + bytes((0, kind))
            if reader.octets(len(head)) != head:
                raise DecodeError("not the records of GCS13a", offset=reader.offset - len(head), data=octets)
            values.append(reader.uint(size))
        reader.finish()
        return cls(*values)


@dataclass(frozen=True, slots=True)
class Response:
    sealed: bytes  # as of `encryption.seal`

    def encode(self) -> bytes:
        return gbz.PROFILE + b"\x01" + encryption.gbz_component(_METERING, _HEADER, self.sealed, last=True)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = Reader(octets)
        if reader.octets(3) != gbz.PROFILE + b"\x01":
            raise DecodeError("not one component", data=octets)
        response = cls(encryption.read_gbz_component(reader, _METERING, _HEADER))
        reader.finish()
        return response
