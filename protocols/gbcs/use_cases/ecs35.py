"""ECS35a, ECS35b and ECS35e, read the event, security or power event log of an ESME (service request 6.13).

Source: GBCS V3.1 mapping tables (SMETS 5.7.5.14, 5.7.5.25, 5.7.5.31), RTDS 4.5.0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from protocols.errors import DecodeError, UsageError
from protocols.gbcs import dlms, dlms_logs
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.dlms import GET
from protocols.gbcs.lengths import encode_length, read_length
from protocols.gbcs.times import Instant, from_zigbee_time, zigbee_time
from protocols.octets import Reader

EVENT_MESSAGE_CODE = 0x0048
SECURITY_MESSAGE_CODE = 0x0049
POWER_MESSAGE_CODE = 0x00B9


class Log(IntEnum):
    """Fifth value of its OBIS code, 0-0:99.98.n.255."""

    EVENT = 0
    SECURITY = 1
    POWER = 4


MESSAGE_CODES: Final = {
    Log.EVENT: EVENT_MESSAGE_CODE, Log.SECURITY: SECURITY_MESSAGE_CODE, Log.POWER: POWER_MESSAGE_CODE
}  # fmt: skip
_COLUMNS = {  # time, code, and what more there is
    Log.EVENT: bytes((dlms.UINT32, dlms.UINT16, dlms.OCTET_STRING)),
    Log.SECURITY: bytes((dlms.UINT32, dlms.UINT16)),
    Log.POWER: bytes((dlms.UINT32, dlms.UINT16, dlms.UINT32)),
}
_OTHER_OCTETS = {Log.SECURITY: 0, Log.POWER: 4}  # of an event: any


def _instance(log: Log) -> bytes:
    return bytes((0, 0, 99, 98, log, 0xFF))


@dataclass(frozen=True, slots=True)
class Command:
    """The entries from `begin` to `end`, both included."""

    log: Log
    begin: Instant
    end: Instant
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        request = dlms_logs.log(_instance(self.log), self.begin, self.end)
        return dlms.access_request(self.counter, (request,), (dlms.NULL,))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        log = next((log for log in Log if octets[10:16] == _instance(log)), Log.EVENT)
        request = dlms.parse_access_request(octets, (dlms_logs.any_log(_instance(log)),))
        dlms.expect(request.data, dlms.NULL, "data of a get")
        request.data.finish()
        return cls(log, *dlms_logs.range_of(request.descriptors[0]), request.counter)


@dataclass(frozen=True, slots=True)
class Entry:
    time: Instant
    code: int  # 16 bits, as of alerts
    other: bytes = b""  # of the event log any octets, of the power event log 4, of the security log none


@dataclass(frozen=True, slots=True)
class Response:
    log: Log | None  # None on failure
    entries: tuple[Entry, ...]  # the oldest first
    result: AccessResult | int = AccessResult.SUCCESS
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        data = dlms.NULL
        if self.log is not None:
            data = dlms_logs.compact_array(_COLUMNS[self.log], (_row(self.log, entry) for entry in self.entries))
        return dlms.access_response(self.counter, (data,), ((GET, self.result),))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        response = dlms.parse_access_response(octets, (GET,))
        (result,), (data,) = response.codes, response.data
        if (data == dlms.NULL) == (result == AccessResult.SUCCESS):
            raise DecodeError("a log and a failure, or neither", data=octets)
        if data == dlms.NULL:
            return cls(None, (), result, response.counter)
        columns = dlms_logs.columns_of(data, _COLUMNS.values())
        log = next(log for log, each in _COLUMNS.items() if each == columns)
        return cls(log, tuple(_read(log, dlms_logs.rows_of(data, columns))), result, response.counter)


def _row(log: Log, entry: Entry) -> bytes:
    if len(entry.other) != _OTHER_OCTETS.get(log, len(entry.other)):
        raise UsageError(f"{len(entry.other)} octets of other information in the {log.name.lower()} log")
    length = encode_length(len(entry.other)) if log is Log.EVENT else b""
    return zigbee_time(entry.time).to_bytes(4, "big") + entry.code.to_bytes(2, "big") + length + entry.other


def _read(log: Log, rows: Iterator[Reader]) -> Iterator[Entry]:
    for row in rows:
        time, code = from_zigbee_time(row.uint_be(4)), row.uint_be(2)
        size = _OTHER_OCTETS[log] if log in _OTHER_OCTETS else read_length(row)
        yield Entry(time, code, row.octets(size))
