"""CS08, read the firmware version of a PPMID, HCALCS or Alt HAN bridge (service request 11.2)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.gbcs import der
from protocols.gbcs.codes import Version, named
from protocols.gbcs.der import DerReader

MESSAGE_CODE = 0x0129


class ReadCode(IntEnum):
    READ = 0
    FAILED = 1


@dataclass(frozen=True, slots=True)
class Command:
    def encode(self) -> bytes:
        return der.ENCODED_NULL

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = DerReader(octets)
        reader.null()
        reader.finish()
        return cls()


@dataclass(frozen=True, slots=True)
class Response:
    firmware_version: Version  # 32 bits; 0 on failure
    code: ReadCode | int = ReadCode.READ

    def encode(self) -> bytes:
        return der.sequence(der.octet_string(self.firmware_version.to_bytes(4, "big")), der.integer(self.code))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        response = cls(int.from_bytes(inner.octet_string(4), "big"), named(ReadCode, inner.unsigned(8)))
        inner.finish()
        outer.finish()
        return response
