"""CCS02, remove a device from the hub's device log (service request 8.11 or 8.3)."""

from dataclasses import dataclass
from typing import Self

from protocols.addresses import Eui64
from protocols.gbcs import dlms
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.device_log import UNREGISTER, descriptor
from protocols.gbcs.dlms import ACTION

MESSAGE_CODE = 0x0002

_DESCRIPTORS = (descriptor(ACTION, UNREGISTER),)


@dataclass(frozen=True, slots=True)
class Command:
    device: Eui64
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        return dlms.access_request(self.counter, _DESCRIPTORS, (dlms.octet_string(self.device.big),))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        request = dlms.parse_access_request(octets, _DESCRIPTORS)
        device = Eui64.from_big(dlms.read_octet_string(request.data, 8))
        request.data.finish()
        return cls(device, request.counter)


@dataclass(frozen=True, slots=True)
class Response:
    result: AccessResult | int = AccessResult.SUCCESS
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    @property
    def success(self) -> bool:
        return self.result == AccessResult.SUCCESS

    def encode(self) -> bytes:
        return dlms.access_response(self.counter, (dlms.NULL,), ((ACTION, self.result),))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        response = dlms.parse_access_response(octets, (ACTION,))
        dlms.expect_nulls(response.data)
        (result,) = response.codes
        return cls(result, response.counter)
