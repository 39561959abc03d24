"""Attributes that the hub serves on the HAN: Basic, Time, Keep-Alive."""

from protocols.errors import DecodeError
from protocols.interfaces import WallClock
from protocols.zcl import data_types
from protocols.zcl.attribute_server import Attribute, AttributeServer, constant
from protocols.zcl.clusters import basic, keep_alive, time
from protocols.zcl.foundation import default_response_to
from protocols.zcl.frame import ZclFrame, ZclStatus

SERVED = (basic.CLUSTER, time.CLUSTER, keep_alive.CLUSTER)

_INSIDE_THE_HAN = 0x01  # PhysicalEnvironment of a hub, GBCS 10.2.2


class HubAttributes:
    """The tables of the clusters in `SERVED`. Nothing of them is reported: a hub has no bindings on its ports."""

    def __init__(self, wall: WallClock, keep_alive_base: int = keep_alive.DEFAULT_BASE) -> None:
        """keep_alive_base: minutes."""
        utc = Attribute(data_types.UTC_TIME, lambda: time.from_nanoseconds(wall.utc()), reportable=False)
        self._servers = {
            basic.CLUSTER: AttributeServer(
                {basic.Attribute.PHYSICAL_ENVIRONMENT: constant(data_types.ENUM8, _INSIDE_THE_HAN)}
            ),
            time.CLUSTER: AttributeServer(
                {time.Attribute.TIME: utc, time.Attribute.TIME_STATUS: constant(data_types.BITMAP8, time.HUB_STATUS)}
            ),
            keep_alive.CLUSTER: AttributeServer(
                {
                    keep_alive.Attribute.TC_KEEP_ALIVE_BASE: constant(data_types.UINT8, keep_alive_base),
                    keep_alive.Attribute.TC_KEEP_ALIVE_JITTER: constant(data_types.UINT16, keep_alive.DEFAULT_JITTER),
                }
            ),
        }

    def answer(self, cluster: int, octets: bytes, now: int) -> bytes | None:
        """Return the answer to a client's frame of a cluster in `SERVED`; None where none is due."""
        try:
            frame = ZclFrame.decode(octets)
        except DecodeError:
            return None
        if not frame.cluster_specific:
            return self._servers[cluster].answer(frame, now)
        return None if frame.from_server else default_response_to(frame, ZclStatus.UNSUP_CLUSTER_COMMAND)
