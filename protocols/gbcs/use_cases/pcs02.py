"""PCS02, a PPMID asks a GSME it is joined to for emergency credit. The MAC is of the two devices' own keys.

The payload is inferred: one component with the command of the Prepayment cluster, answered by a Default Response.
"""

from dataclasses import dataclass
from typing import Self

from protocols.errors import DecodeError
from protocols.gbcs import gbz
from protocols.gbcs.gbz import Component
from protocols.octets import Reader
from protocols.zcl.clusters import prepayment
from protocols.zcl.clusters.prepayment import SelectAvailableEmergencyCredit
from protocols.zcl.frame import ZclStatus

MESSAGE_CODE = 0x0090
_SELECT, _DEFAULT_RESPONSE = 0x00, 0x0B  # ZCL commands
_CLUSTER_SPECIFIC = 0x01  # frame control, to the server


@dataclass(frozen=True, slots=True)
class Command:
    selected: SelectAvailableEmergencyCredit

    def encode(self) -> bytes:
        return gbz.components(Component(prepayment.CLUSTER, _CLUSTER_SPECIFIC, 0, _SELECT, self.selected.encode()))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        listed = gbz.parse_components(octets)
        if len(listed) != 1 or listed[0][:4] != (prepayment.CLUSTER, _CLUSTER_SPECIFIC, 0, _SELECT):
            raise DecodeError("not the component of PCS02", data=octets)
        return cls(SelectAvailableEmergencyCredit.decode(listed[0].payload))


@dataclass(frozen=True, slots=True)
class Response:
    status: ZclStatus | int = ZclStatus.SUCCESS

    def encode(self) -> bytes:
        answer = bytes((_SELECT, self.status))
        return gbz.components(Component(prepayment.CLUSTER, gbz.TO_CLIENT, 0, _DEFAULT_RESPONSE, answer))

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        listed = gbz.parse_components(octets)
        if len(listed) != 1 or listed[0][:4] != (prepayment.CLUSTER, gbz.TO_CLIENT, 0, _DEFAULT_RESPONSE):
            raise DecodeError("not the component of the answer to PCS02", data=octets)
        reader = Reader(listed[0].payload)
        if reader.uint8() != _SELECT:
            raise DecodeError("an answer to another command", data=octets)
        response = cls(ZclStatus.named(reader.uint8()))
        reader.finish("octets after the status")
        return response
