"""CCS01, add a device to the hub's device log and let it join (service request 8.11)."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from protocols.addresses import Eui64
from protocols.gbcs import dlms
from protocols.gbcs.codes import AccessResult, named
from protocols.gbcs.device_log import ATTRIBUTE_JOIN_TIMEOUT, ATTRIBUTE_OPEN_JOINING, REGISTER, descriptor
from protocols.gbcs.dlms import ACTION, SET

MESSAGE_CODE = 0x0001

_DESCRIPTORS = (
    descriptor(ACTION, REGISTER),
    descriptor(SET, ATTRIBUTE_JOIN_TIMEOUT),
    descriptor(SET, ATTRIBUTE_OPEN_JOINING),
)
_INSTALL_CODE = 1  # MAC address and install code
INSTALL_CODE_LENGTHS = (6, 8, 12, 16)  # the vector's has 16; shorter ones travel with their own length [inferred]
_CHOICES = (ACTION, SET, SET)


class LogDeviceType(IntEnum):
    """Device types of the hub's device log; other payloads number them otherwise."""

    ESME = 0
    GSME = 1
    HCALCS = 13
    IHD = 128
    CAD = 130
    PPMID = 132  # Alt HAN bridges too
    GPF = 254


@dataclass(frozen=True, slots=True)
class Command:
    device: Eui64
    install_code: bytes  # 6, 8, 12 or 16 octets, without its CRC
    device_type: LogDeviceType | int
    join_timeout: int  # seconds, 16 bits
    open_joining: bool = True
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        entry = dlms.structure(
            dlms.octet_string(self.device.big),
            dlms.enum(_INSTALL_CODE),
            dlms.octet_string(self.install_code),
            dlms.enum(self.device_type),
        )
        data = (entry, dlms.uint16(self.join_timeout), dlms.boolean(self.open_joining))
        return dlms.access_request(self.counter, _DESCRIPTORS, data)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        request = dlms.parse_access_request(octets, _DESCRIPTORS)
        data = request.data
        dlms.expect(data, bytes((dlms.STRUCTURE, 4)), "structure of the device")
        device = Eui64.from_big(dlms.read_octet_string(data, 8))
        dlms.expect(data, dlms.enum(_INSTALL_CODE), "kind of key")
        code, kind = dlms.read_octet_string(data, *INSTALL_CODE_LENGTHS), named(LogDeviceType, dlms.read_enum(data))
        timeout, joining = dlms.read_uint16(data), dlms.read_boolean(data)
        data.finish()
        return cls(device, code, kind, timeout, joining, request.counter)


@dataclass(frozen=True, slots=True)
class Response:
    register: AccessResult | int = AccessResult.SUCCESS
    join_timeout: AccessResult | int = AccessResult.SUCCESS
    open_joining: AccessResult | int = AccessResult.SUCCESS
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    @property
    def success(self) -> bool:
        return (self.register, self.join_timeout, self.open_joining) == (AccessResult.SUCCESS,) * 3

    def encode(self) -> bytes:
        results = (self.register, self.join_timeout, self.open_joining)
        return dlms.access_response(self.counter, (dlms.NULL,) * 3, tuple(zip(_CHOICES, results, strict=True)))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        response = dlms.parse_access_response(octets, _CHOICES)
        dlms.expect_nulls(response.data)
        register, timeout, joining = response.codes
        return cls(register, timeout, joining, response.counter)
