"""CS03A1, CS03A2, CS03B and CS03C, let a device join another (service requests 8.7.1 and 8.7.2)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.addresses import Eui64
from protocols.gbcs import der
from protocols.gbcs.codes import DeviceType, JoinCode, named
from protocols.gbcs.der import DerReader

MESSAGE_CODE_A1 = 0x000D  # method A, to a meter
MESSAGE_CODE_A2 = 0x00AB  # method A, to another device
MESSAGE_CODE_B = 0x000E
MESSAGE_CODE_C = 0x00AF


class MethodAndRole(IntEnum):
    A_INITIATOR = 0
    A_RESPONDER = 1
    B = 2
    C = 3


@dataclass(frozen=True, slots=True)
class Command:
    method_and_role: MethodAndRole | int
    device: Eui64  # the other one
    device_type: DeviceType | int  # of the other one
    certificate: bytes | None = None  # DER, key agreement certificate of the other one, for method C

    def encode(self) -> bytes:
        return der.sequence(
            der.integer(self.method_and_role),
            der.octet_string(self.device.big),
            der.integer(self.device_type),
            self.certificate or b"",
        )

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        outer = DerReader(octets)
        inner = outer.sequence()
        method, device = named(MethodAndRole, inner.unsigned(8)), Eui64.from_big(inner.octet_string(8))
        kind = named(DeviceType, inner.unsigned(8))
        command = cls(method, device, kind, inner.element(der.SEQUENCE) if inner.more else None)
        inner.finish()
        outer.finish()
        return command


@dataclass(frozen=True, slots=True)
class Response:
    code: JoinCode | int = JoinCode.SUCCESS

    def encode(self) -> bytes:
        return der.integer(self.code)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = DerReader(octets)
        response = cls(named(JoinCode, reader.unsigned(8)))
        reader.finish()
        return response
