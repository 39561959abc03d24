"""GCS38, read the firmware version of a GSME (service request 11.2)."""

from dataclasses import dataclass
from typing import Self

from protocols.errors import DecodeError
from protocols.gbcs import gbz
from protocols.gbcs.codes import Version, ZclStatus, named
from protocols.gbcs.gbz import Component
from protocols.octets import Reader

MESSAGE_CODE = 0x0084

_METERING = 0x0702
_ATTRIBUTE = bytes.fromhex("0602")  # 0206, little-endian
_REQUEST = Component(_METERING, gbz.TO_SERVER, 0, gbz.READ_ATTRIBUTES, _ATTRIBUTE)


@dataclass(frozen=True, slots=True)
class Command:
    def encode(self) -> bytes:
        return gbz.components(_REQUEST)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        gbz.expect_components(octets, _REQUEST)
        return cls()


@dataclass(frozen=True, slots=True)
class Response:
    firmware_version: Version | None  # 32 bits; None on failure
    status: ZclStatus | int = ZclStatus.SUCCESS

    def encode(self) -> bytes:
        version = self.firmware_version
        value = b"" if version is None else bytes((gbz.OCTET_STRING, 4)) + version.to_bytes(4, "big")
        record = _ATTRIBUTE + bytes((self.status,)) + value
        return gbz.components(Component(_METERING, gbz.TO_CLIENT, 0, gbz.READ_ATTRIBUTES_RESPONSE, record))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        listed = gbz.parse_components(octets)
        expected = (_METERING, gbz.TO_CLIENT, 0, gbz.READ_ATTRIBUTES_RESPONSE)
        if len(listed) != 1 or listed[0][:4] != expected:
            raise DecodeError("not the response of GCS38", data=octets)
        record = Reader(listed[0].payload)
        if record.octets(2) != _ATTRIBUTE:
            raise DecodeError("another attribute than the firmware version", data=octets)
        status = named(ZclStatus, record.uint8())
        version = _read_version(record) if status == ZclStatus.SUCCESS else None
        record.finish("octets after the attribute")
        return cls(version, status)


def _read_version(record: Reader) -> Version:
    if record.octets(2) != bytes((gbz.OCTET_STRING, 4)):
        raise DecodeError("a firmware version that is not an octet string of 4", data=record.data)
    return record.uint_be(4)
