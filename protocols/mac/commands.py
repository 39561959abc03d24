"""MAC command payloads (the command id first). Source: IEEE 802.15.4-2006 7.3."""

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple, Self

from protocols.addresses import ShortAddress
from protocols.errors import DecodeError
from protocols.octets import Reader


class CommandId(IntEnum):
    ASSOCIATION_REQUEST = 0x01
    ASSOCIATION_RESPONSE = 0x02
    DISASSOCIATION_NOTIFICATION = 0x03
    DATA_REQUEST = 0x04
    ORPHAN_NOTIFICATION = 0x06
    BEACON_REQUEST = 0x07
    COORDINATOR_REALIGNMENT = 0x08


class AssociationStatus(IntEnum):
    SUCCESS = 0x00
    PAN_AT_CAPACITY = 0x01
    PAN_ACCESS_DENIED = 0x02


class Capability(NamedTuple):
    """Capability information octet; also in Device_annce and rejoin requests."""

    alternate_pan_coordinator: bool = False
    full_function_device: bool = False  # a router
    mains_powered: bool = False
    receiver_on_when_idle: bool = False
    security: bool = False
    allocate_address: bool = True

    @classmethod
    def decode(cls, octet: int) -> Self:
        return cls(*(bool(octet >> bit & 1) for bit in _CAPABILITY_BITS))

    def encode(self) -> int:
        return sum(1 << bit for bit, given in zip(_CAPABILITY_BITS, self, strict=True) if given)


_CAPABILITY_BITS = (0, 1, 2, 3, 6, 7)


class AssociationRequest(NamedTuple):
    capability: Capability

    def encode(self) -> bytes:
        return bytes((CommandId.ASSOCIATION_REQUEST, self.capability.encode()))


class AssociationResponse(NamedTuple):
    short: ShortAddress  # 0xFFFF if refused
    status: int  # AssociationStatus

    def encode(self) -> bytes:
        return bytes((CommandId.ASSOCIATION_RESPONSE, *self.short.to_bytes(2, "little"), self.status))


class DisassociationNotification(NamedTuple):
    reason: int  # 1 the coordinator wishes it, 2 the device wishes it

    def encode(self) -> bytes:
        return bytes((CommandId.DISASSOCIATION_NOTIFICATION, self.reason))


class DataRequest(NamedTuple):
    def encode(self) -> bytes:
        return b"\x04"


class OrphanNotification(NamedTuple):
    def encode(self) -> bytes:
        return b"\x06"


class BeaconRequest(NamedTuple):
    def encode(self) -> bytes:
        return b"\x07"


class CoordinatorRealignment(NamedTuple):
    """The answer to an orphan notification."""

    pan_id: int  # 16 bits
    coordinator: ShortAddress
    channel: int  # 8 bits
    short: ShortAddress  # the orphan's; 0xFFFF when broadcast

    def encode(self) -> bytes:
        return _REALIGNMENT.pack(CommandId.COORDINATOR_REALIGNMENT, *self)


_REALIGNMENT = struct.Struct("<BHHBH")

MacCommand = (
    AssociationRequest
    | AssociationResponse
    | DisassociationNotification
    | DataRequest
    | OrphanNotification
    | BeaconRequest
    | CoordinatorRealignment
)


def _association_response(reader: Reader) -> AssociationResponse:
    return AssociationResponse(ShortAddress(reader.uint(2)), reader.uint8())


def _coordinator_realignment(reader: Reader) -> CoordinatorRealignment:
    pan, coordinator, channel = reader.uint(2), ShortAddress(reader.uint(2)), reader.uint8()
    return CoordinatorRealignment(pan, coordinator, channel, ShortAddress(reader.uint(2)))


_DECODERS: Final[dict[int, Callable[[Reader], MacCommand]]] = {
    CommandId.ASSOCIATION_REQUEST: lambda reader: AssociationRequest(Capability.decode(reader.uint8())),
    CommandId.ASSOCIATION_RESPONSE: _association_response,
    CommandId.DISASSOCIATION_NOTIFICATION: lambda reader: DisassociationNotification(reader.uint8()),
    CommandId.DATA_REQUEST: lambda _: DataRequest(),
    CommandId.ORPHAN_NOTIFICATION: lambda _: OrphanNotification(),
    CommandId.BEACON_REQUEST: lambda _: BeaconRequest(),
    CommandId.COORDINATOR_REALIGNMENT: _coordinator_realignment,
}


def decode_command(payload: bytes) -> MacCommand:
    """Read the payload of a MAC command frame; DecodeError for ids Zigbee does not use and for octets left over."""
    reader = Reader(payload)
    command = reader.uint8()
    decoder = _DECODERS.get(command)
    if decoder is None:
        raise DecodeError(f"MAC command {command:#04x} is not used", data=payload)
    decoded = decoder(reader)
    reader.finish("octets after the MAC command")
    return decoded
