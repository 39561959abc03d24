"""Attributes that the hub serves on the HAN: Basic, Time, Keep-Alive."""

from typing import NamedTuple

from protocols.errors import DecodeError
from protocols.zcl import data_types, foundation
from protocols.zcl.clusters import basic, keep_alive, time
from protocols.zcl.data_types import Value
from protocols.zcl.foundation import AttributeRead, ReadAttributes, ReadAttributesResponse
from protocols.zcl.frame import ZclFrame, ZclStatus

SERVED = (basic.CLUSTER, time.CLUSTER, keep_alive.CLUSTER)

_INSIDE_THE_HAN = 0x01  # PhysicalEnvironment of a hub, GBCS 10.2.2


class _Attribute(NamedTuple):
    data_type: int
    value: Value


def _attributes(cluster: int, utc: int) -> dict[int, _Attribute]:
    if cluster == time.CLUSTER:
        return {
            time.Attribute.TIME: _Attribute(data_types.UTC_TIME, time.from_nanoseconds(utc)),
            time.Attribute.TIME_STATUS: _Attribute(data_types.BITMAP8, time.HUB_STATUS),
        }
    if cluster == keep_alive.CLUSTER:
        return {
            keep_alive.Attribute.TC_KEEP_ALIVE_BASE: _Attribute(data_types.UINT8, keep_alive.DEFAULT_BASE),
            keep_alive.Attribute.TC_KEEP_ALIVE_JITTER: _Attribute(data_types.UINT16, keep_alive.DEFAULT_JITTER),
        }
    return {basic.Attribute.PHYSICAL_ENVIRONMENT: _Attribute(data_types.ENUM8, _INSIDE_THE_HAN)}


def answer_read(cluster: int, octets: bytes, utc: int) -> bytes | None:
    """Return the answer to a frame of a cluster in `SERVED`; None for any but a Read Attributes command.

    utc: ns since 1970 UTC.
    """
    try:
        frame = ZclFrame.decode(octets)
        command = foundation.decode(frame)
    except DecodeError:
        return None
    if not isinstance(command, ReadAttributes):
        return None
    served = _attributes(cluster, utc)
    records = []
    for wanted in command.attributes:
        attribute = served.get(wanted)
        if attribute is None:
            records.append(AttributeRead(wanted, ZclStatus.UNSUPPORTED_ATTRIBUTE))
        else:
            records.append(AttributeRead(wanted, ZclStatus.SUCCESS, attribute.data_type, attribute.value))
    return foundation.encode(ReadAttributesResponse(tuple(records)), frame.transaction, from_server=True)
