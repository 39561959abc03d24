"""ECS23 and ECS23b, read the voltage of an ESME by phase (service request 4.10): averages, and counters beyond limits.

Source: GBCS V3.1 mapping tables (SMETS 5.7.5.7 to 5.7.5.9, 5.19.2), RTDS 4.5.0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

from protocols.errors import DecodeError
from protocols.gbcs import dlms, dlms_logs
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.dlms import GET, Descriptor
from protocols.gbcs.times import Instant, from_zigbee_time, zigbee_time
from protocols.octets import Reader

MESSAGE_CODE = 0x0039
THREE_PHASES_MESSAGE_CODE = 0x00BC
MESSAGE_CODES: Final = {1: MESSAGE_CODE, 3: THREE_PHASES_MESSAGE_CODE}  # by number of phases

_REGISTER, _PROFILE = 0x0003, 0x0007  # classes
_QUANTITIES = (32, 52, 72)  # voltage of phase 1, 2, 3: third value of an OBIS code
_UNDER, _OVER, _AVERAGES = 32, 36, 24  # fourth value
_COUNT = dlms.scaler_unit(0, 255)  # no unit
_COLUMNS = bytes((dlms.UINT32, dlms.UINT32))
_PER_PHASE = 6


def _instance(phase: int, what: int) -> bytes:
    return bytes((1, 0, _QUANTITIES[phase], what, 0, 0xFF if what == _AVERAGES else 4))


def _requests(phases: int, logs: Iterator[Descriptor]) -> tuple[Descriptor, ...]:
    found = list[Descriptor]()
    for phase in range(phases):
        for counter in (_UNDER, _OVER):
            found += (Descriptor(GET, _REGISTER, _instance(phase, counter), member) for member in (2, 3))
        found += (next(logs), Descriptor(GET, _PROFILE, _instance(phase, _AVERAGES), 4))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Command:
    """The averages that end from `begin` to `end`, both included; counters and period as they are."""

    begin: Instant
    end: Instant
    phases: int = 1  # or 3
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        logs = (dlms_logs.log(_instance(phase, _AVERAGES), self.begin, self.end) for phase in range(self.phases))
        requests = _requests(self.phases, logs)
        return dlms.access_request(self.counter, requests, [dlms.NULL] * len(requests))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        phases = next((phases for phases in MESSAGE_CODES if octets[6:7] == bytes((_PER_PHASE * phases,))), 0)
        logs = (dlms_logs.any_log(_instance(phase, _AVERAGES)) for phase in range(phases))
        request = dlms.parse_access_request(octets, _requests(phases, logs))
        for _ in request.descriptors:
            dlms.expect(request.data, dlms.NULL, "data of a get")
        request.data.finish()
        ranges = {dlms_logs.range_of(each) for each in request.descriptors if each.selection}
        if len(ranges) != 1:
            raise DecodeError("another range for each phase", data=octets)
        ((begin, end),) = ranges
        return cls(begin, end, phases, request.counter)


@dataclass(frozen=True, slots=True)
class Average:
    end: Instant  # of the period
    volts: int  # 32 bits, root mean square


@dataclass(frozen=True, slots=True)
class Phase:
    under: int  # 32 bits: periods with an average under its threshold
    over: int  # 32 bits
    averages: tuple[Average, ...] | None  # None on failure
    period: int | None  # s; None on failure
    averages_result: AccessResult | int = AccessResult.SUCCESS
    period_result: AccessResult | int = AccessResult.SUCCESS

    def elements(self) -> Iterator[bytes]:
        for count in (self.under, self.over):
            yield dlms.uint32(count)
            yield _COUNT
        if self.averages is None:
            yield dlms.NULL
        else:
            rows = (zigbee_time(each.end).to_bytes(4, "big") + each.volts.to_bytes(4, "big") for each in self.averages)
            yield dlms_logs.compact_array(_COLUMNS, rows)
        yield dlms.NULL if self.period is None else dlms.uint32(self.period)

    def results(self) -> tuple[tuple[int, int], ...]:
        return (*((GET, AccessResult.SUCCESS),) * 4, (GET, self.averages_result), (GET, self.period_result))

    @classmethod
    def of(cls, data: tuple[bytes, ...], codes: tuple[AccessResult | int, ...]) -> Self:
        for counted in (data[1], data[3]):
            dlms.expect(Reader(counted), _COUNT, "scaler and unit of a counter")
        averages, period = None, None
        if data[4] != dlms.NULL:
            rows = dlms_logs.rows_of(data[4], _COLUMNS)
            averages = tuple(Average(from_zigbee_time(row.uint_be(4)), row.uint_be(4)) for row in rows)
        if data[5] != dlms.NULL:
            period = dlms.read_uint32(Reader(data[5]))
        failed = (averages is None, period is None)
        if any(codes[:4]) or failed != (codes[4] != AccessResult.SUCCESS, codes[5] != AccessResult.SUCCESS):
            raise DecodeError("a value and a failure, or neither", data=b"".join(data))
        under, over = (dlms.read_uint32(Reader(each)) for each in (data[0], data[2]))
        return cls(under, over, averages, period, codes[4], codes[5])


@dataclass(frozen=True, slots=True)
class Response:
    phases: tuple[Phase, ...]  # one or three
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        data = [element for phase in self.phases for element in phase.elements()]
        return dlms.access_response(self.counter, data, [each for phase in self.phases for each in phase.results()])

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        phases = next((phases for phases in MESSAGE_CODES if octets[7:8] == bytes((_PER_PHASE * phases,))), 0)
        response = dlms.parse_access_response(octets, (GET,) * _PER_PHASE * phases)
        parts = [slice(at, at + _PER_PHASE) for at in range(0, _PER_PHASE * phases, _PER_PHASE)]
        found = tuple(Phase.of(response.data[part], response.codes[part]) for part in parts)
        if not found:
            raise DecodeError("the voltage of no phase", data=octets)
        return cls(found, response.counter)
