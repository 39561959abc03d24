"""CCS05/CCS04 and CCS06, read the hub's device log (service request 8.9); CCS06 checks the HAN before it answers."""

from dataclasses import dataclass
from typing import Self

from protocols.errors import DecodeError
from protocols.gbcs import dlms
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.device_log import ATTRIBUTE_DEVICES, DeviceState, descriptor
from protocols.gbcs.dlms import GET
from protocols.octets import Reader

MESSAGE_CODE = 0x0004
CHECKING_MESSAGE_CODE = 0x010F  # of CCS06

_DESCRIPTORS = (descriptor(GET, ATTRIBUTE_DEVICES),)


@dataclass(frozen=True, slots=True)
class Command:
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        return dlms.access_request(self.counter, _DESCRIPTORS, (dlms.NULL,))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        request = dlms.parse_access_request(octets, _DESCRIPTORS)
        dlms.expect(request.data, dlms.NULL, "data of a get")
        request.data.finish()
        return cls(request.counter)


@dataclass(frozen=True, slots=True)
class Response:
    devices: tuple[DeviceState, ...] | None  # None on failure
    result: AccessResult | int = AccessResult.SUCCESS
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        data = dlms.NULL if self.devices is None else dlms.array(*(device.encode() for device in self.devices))
        return dlms.access_response(self.counter, (data,), ((GET, self.result),))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        response = dlms.parse_access_response(octets, (GET,))
        (result,), (data,) = response.codes, response.data
        if (data == dlms.NULL) == (result == AccessResult.SUCCESS):
            raise DecodeError("a device log and a failure, or neither", data=octets)
        if data == dlms.NULL:
            return cls(None, result, response.counter)
        reader = Reader(data)
        devices = tuple(DeviceState.read(reader) for _ in range(dlms.read_array(reader)))
        return cls(devices, result, response.counter)
