"""CCS03, restore the device log of a hub that replaces another (service request 8.12.1)."""

from dataclasses import dataclass
from typing import Self

from protocols.addresses import Eui64
from protocols.gbcs import dlms
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.device_log import RESTORE, HashedKey, descriptor, encode_keys, read_keys
from protocols.gbcs.dlms import ACTION

MESSAGE_CODE = 0x0003

_DESCRIPTORS = (descriptor(ACTION, RESTORE),)


@dataclass(frozen=True, slots=True)
class Command:
    """It says who is in the log and the hashes of their link keys, not what kind of device each is."""

    extended_pan_id: Eui64
    keys: tuple[HashedKey, ...]
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        data = dlms.structure(dlms.octet_string(self.extended_pan_id.big), encode_keys(self.keys))
        return dlms.access_request(self.counter, _DESCRIPTORS, (data,))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        request = dlms.parse_access_request(octets, _DESCRIPTORS)
        dlms.read_structure(request.data, 2)
        command = cls(Eui64.from_big(dlms.read_octet_string(request.data, 8)), read_keys(request.data), request.counter)
        request.data.finish()
        return command


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
