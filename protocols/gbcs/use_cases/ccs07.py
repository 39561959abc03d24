"""CCS07, read the hub's device log and historic log with their link key hashes (service request 8.9)."""

from dataclasses import dataclass
from typing import Self

from protocols.errors import DecodeError
from protocols.gbcs import dlms
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.device_log import BACKUP, HISTORIC_LOG, LogBackup, descriptor
from protocols.gbcs.dlms import ACTION
from protocols.octets import Reader

MESSAGE_CODE = 0x00FE

_DESCRIPTORS = (descriptor(ACTION, BACKUP), descriptor(ACTION, BACKUP, HISTORIC_LOG))


@dataclass(frozen=True, slots=True)
class Command:
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        return dlms.access_request(self.counter, _DESCRIPTORS, (dlms.NULL, dlms.NULL))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        request = dlms.parse_access_request(octets, _DESCRIPTORS)
        dlms.expect(request.data, 2 * dlms.NULL, "data of the two actions")
        request.data.finish()
        return cls(request.counter)


@dataclass(frozen=True, slots=True)
class Response:
    log: LogBackup | None  # None on failure
    historic_log: LogBackup | None  # None on failure
    log_result: AccessResult | int = AccessResult.SUCCESS
    historic_log_result: AccessResult | int = AccessResult.SUCCESS
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        data = tuple(dlms.NULL if log is None else log.encode() for log in (self.log, self.historic_log))
        results = ((ACTION, self.log_result), (ACTION, self.historic_log_result))
        return dlms.access_response(self.counter, data, results)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        response = dlms.parse_access_response(octets, (ACTION, ACTION))
        (log, historic_log), (result, historic_result) = response.data, response.codes
        return cls(_log(log, result), _log(historic_log, historic_result), result, historic_result, response.counter)


def _log(data: bytes, result: AccessResult | int) -> LogBackup | None:
    if (data == dlms.NULL) == (result == AccessResult.SUCCESS):
        raise DecodeError("a device log and a failure, or neither", data=data)
    return None if data == dlms.NULL else LogBackup.read(Reader(data))
