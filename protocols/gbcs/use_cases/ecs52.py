"""ECS52, read the firmware version of an ESME or a hub (service request 11.2)."""

from dataclasses import dataclass
from typing import Self

from protocols.errors import DecodeError
from protocols.gbcs import dlms
from protocols.gbcs.codes import AccessResult, Version
from protocols.gbcs.dlms import GET, Descriptor
from protocols.octets import Reader

MESSAGE_CODE = 0x0059

_REQUEST = Descriptor(GET, 0x0001, bytes.fromhex("0000000201FF"), 2)  # 0-0:0.2.1.255, as RTDS has it
_OTHER_REQUEST = Descriptor(GET, 0x0001, bytes.fromhex("0100000201FF"), 2)  # 1-0:0.2.1.255, accepted as well


@dataclass(frozen=True, slots=True)
class Command:
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        return dlms.access_request(self.counter, (_REQUEST,), (dlms.NULL,))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        try:
            request = dlms.parse_access_request(octets, (_REQUEST,))
        except DecodeError:
            request = dlms.parse_access_request(octets, (_OTHER_REQUEST,))
        dlms.expect(request.data, dlms.NULL, "data of a get")
        request.data.finish()
        return cls(request.counter)


@dataclass(frozen=True, slots=True)
class Response:
    firmware_version: Version | None  # 32 bits; None on failure
    result: AccessResult | int = AccessResult.SUCCESS
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        version = self.firmware_version
        data = dlms.NULL if version is None else dlms.octet_string(version.to_bytes(4, "big"))
        return dlms.access_response(self.counter, (data,), ((GET, self.result),))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        response = dlms.parse_access_response(octets, (GET,))
        (result,), (data,) = response.codes, response.data
        version = None if data == dlms.NULL else int.from_bytes(dlms.read_octet_string(Reader(data), 4), "big")
        if (version is None) == (result == AccessResult.SUCCESS):
            raise DecodeError("a version and a failure, or neither", data=octets)
        return cls(version, result, response.counter)
