"""ECS17b, read the total import registers of an ESME (service request 4.1.1). The answer is for the user alone.

The request asks for protected attributes: what comes back is encrypted between the ESME and the originator, or the
supplementary remote party if there is one. Source: GBCS V3.1 mapping table; RTDS 4.5.0, whose answers open to it.
"""

from dataclasses import dataclass
from typing import Self

from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.gbcs import dlms
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.dlms import ACTION, Descriptor
from protocols.gbcs.encryption import Protected
from protocols.octets import Reader

MESSAGE_CODE = 0x0027

_DESCRIPTORS = (Descriptor(ACTION, 0x001E, bytes.fromhex("00002B0208FF"), 1),)
_BEFORE = bytes.fromhex(  # one object: class 1, 0-0:94.44.34.10, attribute 2; then how it is protected
    "0202 0101 0205 120001 0906 00005E2C220A 0F02 120000 0202 1600 00 0101 0202 1602 0205"
)
_AFTER = bytes.fromhex("0900 0202 1602 0202 0901 02 0900")
_WATT_HOURS, _REACTIVE = dlms.scaler_unit(0, 30), dlms.scaler_unit(0, 32)  # Wh, varh
_ATTRIBUTES = 1  # that were asked for
_SINGLE, _TWIN = 4, 5  # items of a collection


@dataclass(frozen=True, slots=True)
class Command:
    counter: int  # originator counter, 64 bits
    originator: Eui64
    target: Eui64

    def encode(self) -> bytes:
        transaction = bytes((dlms.OCTET_STRING, 9, 4)) + self.counter.to_bytes(8, "big")
        parties = dlms.octet_string(self.originator.big) + dlms.octet_string(self.target.big)
        return dlms.access_request(self.counter, _DESCRIPTORS, (_BEFORE + transaction + parties + _AFTER,))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        data = dlms.parse_access_request(octets, _DESCRIPTORS).data
        dlms.expect(data, _BEFORE, "object and protection")
        transaction = dlms.read_octet_string(data, 9)
        if transaction[0] != 4:
            raise DecodeError("not a transaction of the use case", data=octets)
        originator, target = (Eui64.from_big(dlms.read_octet_string(data, 8)) for _ in range(2))
        dlms.expect(data, _AFTER, "key of the protection")
        data.finish()
        return cls(int.from_bytes(transaction[1:], "big"), originator, target)


@dataclass(frozen=True, slots=True)
class Registers:
    """What is sealed in the answer: the import register collection."""

    active: int  # Wh, 32 bits; of a twin element meter that of the primary element, else of all phases together
    reactive: int  # varh, 32 bits
    secondary: int | None = None  # Wh, 32 bits: of the second element of a twin element meter

    def encode(self) -> bytes:
        items = [dlms.uint32(self.active), _WATT_HOURS, dlms.uint32(self.reactive), _REACTIVE]
        if self.secondary is not None:
            items.append(dlms.uint32(self.secondary))
        return dlms.structure(dlms.structure(*items))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = Reader(octets)
        dlms.read_structure(reader, _ATTRIBUTES)
        twin = dlms.read_one_structure(reader, (_SINGLE, _TWIN)) == _TWIN
        active = dlms.read_uint32(reader)
        dlms.expect(reader, _WATT_HOURS, "scaler and unit of active energy")
        reactive = dlms.read_uint32(reader)
        dlms.expect(reader, _REACTIVE, "scaler and unit of reactive energy")
        secondary = dlms.read_uint32(reader) if twin else None
        reader.finish()
        return cls(active, reactive, secondary)


@dataclass(frozen=True, slots=True)
class Response:
    protected: Protected | None  # None on failure
    result: AccessResult | int = AccessResult.SUCCESS
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        data = dlms.NULL if self.protected is None else self.protected.encode()
        return dlms.access_response(self.counter, (data,), ((ACTION, self.result),))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        response = dlms.parse_access_response(octets, (ACTION,))
        (result,), (data,) = response.codes, response.data
        if (data == dlms.NULL) == (result == AccessResult.SUCCESS):
            raise DecodeError("a value and a failure, or neither", data=octets)
        if data == dlms.NULL:
            return cls(None, result, response.counter)
        reader = Reader(data)
        protected = Protected.read(reader)
        reader.finish()
        return cls(protected, result, response.counter)
