"""Clusters of a device that need no link key: Basic and Identify, served on any of its endpoints."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from protocols.errors import DecodeError
from protocols.interfaces import SECOND, Clock
from protocols.zcl import data_types, foundation
from protocols.zcl.clusters import basic
from protocols.zcl.data_types import Value
from protocols.zcl.foundation import AttributeRead, ReadAttributes, ReadAttributesResponse
from protocols.zcl.frame import SERVER_RESPONSE, ZclFrame, ZclStatus

if TYPE_CHECKING:
    from emulator.parts.han_application import HanApplication

IDENTIFY: Final = 0x0003

_READ_ATTRIBUTES, _DEFAULT_RESPONSE = 0x00, 0x0B
_ANSWERS: Final = (0x01, 0x04, 0x07, 0x09, 0x0A, 0x0D)  # global commands that answer or report: nothing to say to them
_ZCL_VERSION = 8  # library revision 8
_MAINS, _BATTERY = 0x01, 0x03  # PowerSource
_IDENTIFY, _IDENTIFY_QUERY = 0x00, 0x01
_IDENTIFY_TIME = 0x0000


class Attribute(NamedTuple):
    data_type: int
    value: Value


class Identity(NamedTuple):
    """What Basic tells of a device."""

    manufacturer: str
    model: str
    hardware_version: int  # 8 bits
    battery: bool


def basic_attributes(identity: Identity) -> dict[int, Attribute]:
    values: dict[basic.Attribute, Value] = {
        basic.Attribute.ZCL_VERSION: _ZCL_VERSION,
        basic.Attribute.HARDWARE_VERSION: identity.hardware_version,
        basic.Attribute.MANUFACTURER_NAME: identity.manufacturer.encode(),
        basic.Attribute.MODEL_IDENTIFIER: identity.model.encode(),
        basic.Attribute.POWER_SOURCE: _BATTERY if identity.battery else _MAINS,
    }
    return {number: Attribute(basic.TYPES[number], value) for number, value in values.items()}


class ClusterServer:
    """Answers what a client asks of one cluster: its attributes, and that it serves nothing else."""

    def __init__(self, attributes: Callable[[], Mapping[int, Attribute]]) -> None:
        self._attributes = attributes

    def answer(self, octets: bytes) -> bytes | None:
        """Return the answer to a ZCL frame, None where none is due."""
        try:
            frame = ZclFrame.decode(octets)
            if frame.from_server:
                return None
            return self.specific(frame) if frame.cluster_specific else self._global(frame)
        except DecodeError:
            return None

    def specific(self, frame: ZclFrame) -> bytes | None:
        """Answer a command of the cluster. Raises DecodeError for one that stops early."""
        return foundation.default_response_to(frame, ZclStatus.UNSUP_CLUSTER_COMMAND)

    def _global(self, frame: ZclFrame) -> bytes | None:
        if frame.command == _DEFAULT_RESPONSE or frame.command in _ANSWERS:
            return None
        if frame.command != _READ_ATTRIBUTES or frame.manufacturer is not None:
            return foundation.default_response_to(frame, ZclStatus.UNSUP_GENERAL_COMMAND)
        held, records = self._attributes(), []
        for wanted in ReadAttributes.decode(frame.payload).attributes:
            attribute = held.get(wanted)
            if attribute is None:
                records.append(AttributeRead(wanted, ZclStatus.UNSUPPORTED_ATTRIBUTE))
            else:
                records.append(AttributeRead(wanted, ZclStatus.SUCCESS, attribute.data_type, attribute.value))
        return foundation.encode(ReadAttributesResponse(tuple(records)), frame.transaction, from_server=True)


class IdentifyServer(ClusterServer):
    """Identify: a device that shows itself for some seconds, here by telling so. Source: ZCL 07-5123-08 3.5."""

    def __init__(self, clock: Clock, shown: Callable[[int], object]) -> None:
        """`shown` hears for how many seconds the device shall show itself; 0 ends it."""
        super().__init__(lambda: {_IDENTIFY_TIME: Attribute(data_types.UINT16, self.left)})
        self._clock, self._shown = clock, shown
        self._until = 0

    @property
    def left(self) -> int:
        """Seconds that are left, begun ones included."""
        return max(0, -(-(self._until - self._clock.now()) // SECOND))

    def specific(self, frame: ZclFrame) -> bytes | None:
        if frame.command == _IDENTIFY:
            if len(frame.payload) < 2:
                return foundation.default_response_to(frame, ZclStatus.MALFORMED_COMMAND)
            seconds = int.from_bytes(frame.payload[:2], "little")
            self._until = self._clock.now() + seconds * SECOND
            self._shown(seconds)
            if frame.default_response_disabled:
                return None
            return foundation.default_response_to(frame, ZclStatus.SUCCESS)
        if frame.command == _IDENTIFY_QUERY:
            if not self.left:
                return None
            return bytes((SERVER_RESPONSE, frame.transaction, 0)) + self.left.to_bytes(2, "little")
        return super().specific(frame)


def serve_plain(
    application: "HanApplication", identity: Identity, clock: Clock, identify: Callable[[int], object]
) -> None:
    """Serve Basic and Identify where endpoints have them: Smart Energy asks for no link key there (ZSE 5.4.6)."""
    held = basic_attributes(identity)
    application.serve(basic.CLUSTER, ClusterServer(lambda: held).answer)
    application.serve(IDENTIFY, IdentifyServer(clock, identify).answer)
