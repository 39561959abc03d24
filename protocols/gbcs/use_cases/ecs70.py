"""ECS70, set the clock of an ESME (service request 8.1.1), which commissions it."""

from dataclasses import dataclass
from typing import Self

from protocols.gbcs import dlms
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.dlms import ACTION, GET, SET, Descriptor
from protocols.gbcs.times import Instant
from protocols.octets import Reader

MESSAGE_CODE = 0x0062

_CLOCK = 0x0008, bytes.fromhex("0000010000FF")
_DESCRIPTORS = (
    Descriptor(SET, *_CLOCK, 9),  # clock base
    Descriptor(ACTION, *_CLOCK, 5),  # preset adjusting time
    Descriptor(ACTION, *_CLOCK, 4),  # adjust to preset time
    Descriptor(GET, *_CLOCK, 2),  # time
    Descriptor(GET, *_CLOCK, 4),  # status
)
_CLOCK_BASE = dlms.enum(5)
_NO_PRESET = dlms.octet_string(bytes.fromhex("FFFFFFFFFFFFFFFFFF8000FF"))
_CHOICES = tuple(descriptor.choice for descriptor in _DESCRIPTORS)


@dataclass(frozen=True, slots=True)
class Command:
    start: Instant  # the clock is set if its own idea of time lies between these two
    end: Instant
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        preset = dlms.structure(_NO_PRESET, dlms.date_time(self.start), dlms.date_time(self.end))
        data = (_CLOCK_BASE, preset, dlms.int8(0), dlms.NULL, dlms.NULL)
        return dlms.access_request(self.counter, _DESCRIPTORS, data)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        request = dlms.parse_access_request(octets, _DESCRIPTORS)
        dlms.expect(request.data, _CLOCK_BASE, "clock base")
        dlms.read_structure(request.data, 3)
        dlms.expect(request.data, _NO_PRESET, "preset time")
        command = cls(dlms.read_date_time(request.data), dlms.read_date_time(request.data), request.counter)
        dlms.expect(request.data, dlms.int8(0) + 2 * dlms.NULL, "data of the other requests")
        request.data.finish()
        return command


@dataclass(frozen=True, slots=True)
class Response:
    time: Instant | None  # of the clock now; None on failure
    status: int = 0  # of the clock, 0 if it is set
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    @property
    def success(self) -> bool:
        return self.time is not None and self.status == 0

    def encode(self) -> bytes:
        if self.time is None:
            results = [0, 0, 0, 1, int(AccessResult.OTHER_REASON)]
            data = (dlms.NULL,) * 5
        else:
            results = [0] * 5
            data = (dlms.NULL,) * 3 + (dlms.date_time(self.time), dlms.uint8(self.status))
        return dlms.access_response(self.counter, data, tuple(zip(_CHOICES, results, strict=True)))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        response = dlms.parse_access_response(octets, _CHOICES)
        dlms.expect_nulls(response.data[:3])
        if any(code != AccessResult.SUCCESS for code in response.codes):
            return cls(None, 0, response.counter)
        time, status = Reader(response.data[3]), Reader(response.data[4])
        return cls(dlms.read_date_time(time), dlms.read_uint8(status), response.counter)
