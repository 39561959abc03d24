"""NWK command payloads (the command id first).

Commands without a class of their own are kept as `Unparsed`. Source: Zigbee 05-3474 3.4.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple, Self

from protocols.addresses import Eui64, ShortAddress
from protocols.errors import DecodeError
from protocols.mac.commands import Capability
from protocols.octets import Reader


class CommandId(IntEnum):
    ROUTE_REQUEST = 0x01
    ROUTE_REPLY = 0x02
    NETWORK_STATUS = 0x03
    LEAVE = 0x04
    ROUTE_RECORD = 0x05
    REJOIN_REQUEST = 0x06
    REJOIN_RESPONSE = 0x07
    LINK_STATUS = 0x08
    END_DEVICE_TIMEOUT_REQUEST = 0x0B
    END_DEVICE_TIMEOUT_RESPONSE = 0x0C


class StatusCode(IntEnum):
    """Codes of the network status command. Source: Zigbee 05-3474 table 3-42."""

    NO_ROUTE_AVAILABLE = 0x00
    TREE_LINK_FAILURE = 0x01
    NON_TREE_LINK_FAILURE = 0x02
    PARENT_LINK_FAILURE = 0x09
    SOURCE_ROUTE_FAILURE = 0x0B
    MANY_TO_ONE_ROUTE_FAILURE = 0x0C
    ADDRESS_CONFLICT = 0x0D


class NetworkStatus(NamedTuple):
    status: int  # 8 bits, StatusCode
    destination: ShortAddress

    def encode(self) -> bytes:
        return bytes((CommandId.NETWORK_STATUS, self.status)) + self.destination.to_bytes(2, "little")

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8(), ShortAddress(reader.uint(2)))


class Leave(NamedTuple):
    rejoin: bool = False
    request: bool = False  # the receiver shall leave; False: the sender leaves
    remove_children: bool = False

    def encode(self) -> bytes:
        return bytes((CommandId.LEAVE, self.rejoin << 5 | self.request << 6 | self.remove_children << 7))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        options = reader.uint8()
        return cls(bool(options & 0x20), bool(options & 0x40), bool(options & 0x80))


class RouteRecord(NamedTuple):
    relays: tuple[ShortAddress, ...]  # the one next to the originator first

    def encode(self) -> bytes:
        relays = b"".join(relay.to_bytes(2, "little") for relay in self.relays)
        return bytes((CommandId.ROUTE_RECORD, len(self.relays))) + relays

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(tuple(ShortAddress(reader.uint(2)) for _ in range(reader.uint8())))


class RejoinRequest(NamedTuple):
    capability: Capability

    def encode(self) -> bytes:
        return bytes((CommandId.REJOIN_REQUEST, self.capability.encode()))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(Capability.decode(reader.uint8()))


class RejoinResponse(NamedTuple):
    short: ShortAddress
    status: int  # protocols.mac.commands.AssociationStatus

    def encode(self) -> bytes:
        return bytes((CommandId.REJOIN_RESPONSE, *self.short.to_bytes(2, "little"), self.status))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(ShortAddress(reader.uint(2)), reader.uint8())


class LinkStatusEntry(NamedTuple):
    neighbour: ShortAddress
    incoming_cost: int  # 3 bits
    outgoing_cost: int  # 3 bits


class LinkStatus(NamedTuple):
    entries: tuple[LinkStatusEntry, ...]  # at most 31
    first_frame: bool = True
    last_frame: bool = True

    def encode(self) -> bytes:
        options = len(self.entries) | self.first_frame << 5 | self.last_frame << 6
        entries = b"".join(
            entry.neighbour.to_bytes(2, "little") + bytes((entry.incoming_cost | entry.outgoing_cost << 4,))
            for entry in self.entries
        )
        return bytes((CommandId.LINK_STATUS, options)) + entries

    @classmethod
    def read(cls, reader: Reader) -> Self:
        options = reader.uint8()
        entries = []
        for _ in range(options & 0x1F):
            neighbour, costs = ShortAddress(reader.uint(2)), reader.uint8()
            entries.append(LinkStatusEntry(neighbour, costs & 0x07, costs >> 4 & 0x07))
        return cls(tuple(entries), bool(options & 0x20), bool(options & 0x40))


class EndDeviceTimeoutRequest(NamedTuple):
    requested_timeout: int  # 0: 10 s, n: 2^n minutes
    configuration: int = 0

    def encode(self) -> bytes:
        return bytes((CommandId.END_DEVICE_TIMEOUT_REQUEST, self.requested_timeout, self.configuration))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8(), reader.uint8())


class EndDeviceTimeoutResponse(NamedTuple):
    status: int  # 0 success, 1 incorrect value
    parent_information: int  # bit 0: MAC data poll keeps alive, bit 1: timeout request does

    def encode(self) -> bytes:
        return bytes((CommandId.END_DEVICE_TIMEOUT_RESPONSE, self.status, self.parent_information))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8(), reader.uint8())


class RouteRequest(NamedTuple):
    route_request: int  # 8 bits, its identifier
    destination: ShortAddress
    path_cost: int  # 8 bits
    destination_ieee: Eui64 | None = None
    many_to_one: int = 0  # 2 bits

    def encode(self) -> bytes:
        options = self.many_to_one << 3 | (self.destination_ieee is not None) << 5
        head = bytes((CommandId.ROUTE_REQUEST, options, self.route_request, *self.destination.to_bytes(2, "little")))
        return head + bytes((self.path_cost,)) + (b"" if self.destination_ieee is None else self.destination_ieee.wire)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        options, identifier = reader.uint8(), reader.uint8()
        if options & 0x40:
            raise DecodeError("a multicast route request", offset=1, data=reader.data)
        destination, cost = ShortAddress(reader.uint(2)), reader.uint8()
        ieee = Eui64.from_wire(reader.octets(8)) if options & 0x20 else None
        return cls(identifier, destination, cost, ieee, options >> 3 & 3)


class RouteReply(NamedTuple):
    route_request: int  # 8 bits, the identifier of the request
    originator: ShortAddress
    responder: ShortAddress
    path_cost: int  # 8 bits
    originator_ieee: Eui64 | None = None
    responder_ieee: Eui64 | None = None

    def encode(self) -> bytes:
        options = (self.originator_ieee is not None) << 4 | (self.responder_ieee is not None) << 5
        head = bytes((CommandId.ROUTE_REPLY, options, self.route_request, *self.originator.to_bytes(2, "little")))
        tail = b"".join(eui.wire for eui in (self.originator_ieee, self.responder_ieee) if eui is not None)
        return head + self.responder.to_bytes(2, "little") + bytes((self.path_cost,)) + tail

    @classmethod
    def read(cls, reader: Reader) -> Self:
        options, identifier = reader.uint8(), reader.uint8()
        if options & 0x40:
            raise DecodeError("a multicast route reply", offset=1, data=reader.data)
        originator, responder = ShortAddress(reader.uint(2)), ShortAddress(reader.uint(2))
        cost = reader.uint8()
        originator_ieee = Eui64.from_wire(reader.octets(8)) if options & 0x10 else None
        responder_ieee = Eui64.from_wire(reader.octets(8)) if options & 0x20 else None
        return cls(identifier, originator, responder, cost, originator_ieee, responder_ieee)


class Unparsed(NamedTuple):
    """A command that this package knows no fields of."""

    command: int  # 8 bits
    payload: bytes

    def encode(self) -> bytes:
        return bytes((self.command,)) + self.payload


NwkCommand = (
    NetworkStatus
    | Leave
    | RouteRecord
    | RejoinRequest
    | RejoinResponse
    | LinkStatus
    | EndDeviceTimeoutRequest
    | EndDeviceTimeoutResponse
    | RouteRequest
    | RouteReply
    | Unparsed
)

_DECODERS: Final[dict[int, Callable[[Reader], NwkCommand]]] = {
    CommandId.ROUTE_REQUEST: RouteRequest.read,
    CommandId.ROUTE_REPLY: RouteReply.read,
    CommandId.NETWORK_STATUS: NetworkStatus.read,
    CommandId.LEAVE: Leave.read,
    CommandId.ROUTE_RECORD: RouteRecord.read,
    CommandId.REJOIN_REQUEST: RejoinRequest.read,
    CommandId.REJOIN_RESPONSE: RejoinResponse.read,
    CommandId.LINK_STATUS: LinkStatus.read,
    CommandId.END_DEVICE_TIMEOUT_REQUEST: EndDeviceTimeoutRequest.read,
    CommandId.END_DEVICE_TIMEOUT_RESPONSE: EndDeviceTimeoutResponse.read,
}


def decode_command(payload: bytes) -> NwkCommand:
    """Read the (decrypted) payload of a NWK command frame; octets appended by later revisions (TLVs) are ignored."""
    reader = Reader(payload)
    command = reader.uint8()
    decoder = _DECODERS.get(command)
    return Unparsed(command, reader.rest()) if decoder is None else decoder(reader)
