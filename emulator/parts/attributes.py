"""Clusters of a device that need no link key: Basic and Identify, served on any of its endpoints."""

from collections.abc import Callable
from typing import NamedTuple

from emulator.parts.cluster_server import ClusterServer
from emulator.parts.han_application import IDENTIFY, HanApplication
from protocols.interfaces import SECOND, Clock, Received, Storage
from protocols.octets import Reader
from protocols.zcl import data_types
from protocols.zcl.attribute_server import Attribute, constant
from protocols.zcl.clusters import basic
from protocols.zcl.data_types import Value
from protocols.zcl.frame import SERVER_RESPONSE, ZclFrame, ZclStatus

_ZCL_VERSION = 8  # library revision 8
_MAINS, _BATTERY = 0x01, 0x03  # PowerSource
_IDENTIFY, _IDENTIFY_QUERY, _IDENTIFY_QUERY_RESPONSE = 0x00, 0x01, 0x00
_IDENTIFY_TIME = 0x0000
_LOCATION_CELL, _LOCATION_OCTETS = "basic/location", 16


class Identity(NamedTuple):
    """What Basic tells of a device."""

    manufacturer: str
    model: str
    hardware_version: int  # 8 bits
    battery: bool


def basic_server(identity: Identity, storage: Storage) -> ClusterServer:
    """Return Basic: what the factory wrote, and the location, which others may write and the device keeps."""
    fixed: dict[basic.Attribute, Value] = {
        basic.Attribute.ZCL_VERSION: _ZCL_VERSION,
        basic.Attribute.HARDWARE_VERSION: identity.hardware_version,
        basic.Attribute.MANUFACTURER_NAME: identity.manufacturer.encode(),
        basic.Attribute.MODEL_IDENTIFIER: identity.model.encode(),
        basic.Attribute.POWER_SOURCE: _BATTERY if identity.battery else _MAINS,
    }
    attributes = {int(number): constant(basic.TYPES[number], value) for number, value in fixed.items()}

    def place(value: Value) -> int:
        if not isinstance(value, bytes) or len(value) > _LOCATION_OCTETS:
            return ZclStatus.INVALID_VALUE
        storage.put(_LOCATION_CELL, value)
        return ZclStatus.SUCCESS

    location = basic.Attribute.LOCATION_DESCRIPTION
    attributes[location] = Attribute(basic.TYPES[location], lambda: storage.get(_LOCATION_CELL) or b"", place, False)
    return ClusterServer(basic.CLUSTER, attributes)


class Identify:
    """Identify: a device that shows itself for some seconds, here by telling so. Source: ZCL 07-5123-08 3.5."""

    def __init__(self, clock: Clock, shown: Callable[[int], object]) -> None:
        """`shown` hears for how many seconds the device shall show itself; 0 ends it."""
        self._clock, self._shown = clock, shown
        self._until = 0
        left = Attribute(data_types.UINT16, lambda: self.left, self._written)
        self.server = ClusterServer(
            IDENTIFY,
            {_IDENTIFY_TIME: left},
            commands={_IDENTIFY: self._identify, _IDENTIFY_QUERY: self._query},
            generated=(_IDENTIFY_QUERY_RESPONSE,),
        )

    @property
    def left(self) -> int:
        """Seconds that are left, begun ones included."""
        return max(0, -(-(self._until - self._clock.now()) // SECOND))

    def _written(self, value: Value) -> int:
        if not isinstance(value, int):
            return ZclStatus.INVALID_VALUE
        self._show(value)
        return ZclStatus.SUCCESS

    def _show(self, seconds: int) -> None:
        self._until = self._clock.now() + seconds * SECOND
        self._shown(seconds)

    def _identify(self, frame: ZclFrame, event: Received) -> int:
        self._show(Reader(frame.payload).uint(2))
        return ZclStatus.SUCCESS

    def _query(self, frame: ZclFrame, event: Received) -> bytes | None:
        if not self.left:
            return None
        payload = self.left.to_bytes(2, "little")
        return ZclFrame(SERVER_RESPONSE, frame.transaction, _IDENTIFY_QUERY_RESPONSE, payload).encode()


def serve_plain(
    application: HanApplication, identity: Identity, storage: Storage, clock: Clock, identify: Callable[[int], object]
) -> None:
    """Serve Basic and Identify where endpoints have them: Smart Energy asks for no link key there (ZSE 5.4.6)."""
    application.serve(basic_server(identity, storage))
    application.serve(Identify(clock, identify).server)
