"""CS04AC and CS04B, let a device leave another (service requests 8.8.1 and 8.8.2)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.addresses import Eui64
from protocols.gbcs import der
from protocols.gbcs.codes import named
from protocols.gbcs.der import DerReader

MESSAGE_CODE_AC = 0x000F
MESSAGE_CODE_B = 0x0010


class UnjoinCode(IntEnum):
    SUCCESS = 0
    NOT_IN_LOG = 1
    OTHER_FAILURE = 2


@dataclass(frozen=True, slots=True)
class Command:
    device: Eui64  # the other one

    def encode(self) -> bytes:
        return der.octet_string(self.device.big)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = DerReader(octets)
        command = cls(Eui64.from_big(reader.octet_string(8)))
        reader.finish()
        return command


@dataclass(frozen=True, slots=True)
class Response:
    code: UnjoinCode | int = UnjoinCode.SUCCESS

    def encode(self) -> bytes:
        return der.integer(self.code)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = DerReader(octets)
        response = cls(named(UnjoinCode, reader.unsigned(8)))
        reader.finish()
        return response
