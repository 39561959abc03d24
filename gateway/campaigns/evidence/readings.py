"""What meters said of their registers on the air, read of them or of their mirror, and what they reported to it."""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.campaigns.evidence.dissector import ApsMessage
from protocols.addresses import Eui64
from protocols.zcl.clusters import metering, prepayment
from protocols.zcl.data_types import Value
from protocols.zcl.foundation import GlobalCommand, ReadAttributesResponse, ReportAttributes
from protocols.zcl.frame import ZclFrame

_CLUSTERS = (metering.CLUSTER, prepayment.CLUSTER)


class MeterReading(NamedTuple):
    """An answer to a read, or a report, its first sighting."""

    frame: int
    time: int  # ns UTC
    meter: Eui64  # who said it: the meter, or the hub for its mirror
    reader: Eui64
    cluster: int
    reported: bool  # to a mirror, without being asked
    values: Mapping[int, Value]
    endpoint: int = 1  # of the meter that said it


class ReadingLog:
    """Takes every application message that is a general command."""

    def __init__(self) -> None:
        self.found: list[MeterReading] = []

    def take(self, message: ApsMessage, frame: ZclFrame, command: GlobalCommand) -> None:
        meter, reader = message.source, message.destination
        if message.cluster not in _CLUSTERS or not frame.from_server or meter is None or reader is None:
            return
        if isinstance(command, ReadAttributesResponse):
            values = {record.attribute: record.value for record in command.records if not record.status}
        elif isinstance(command, ReportAttributes):
            values = {record.attribute: record.value for record in command.records}
        else:
            return
        reported = isinstance(command, ReportAttributes)
        self.found.append(
            MeterReading(
                message.frame, message.time, meter, reader, message.cluster, reported, values, message.endpoint
            )
        )
