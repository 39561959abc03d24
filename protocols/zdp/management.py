"""ZDP messages that manage nodes: bindings, neighbours, routes, energy scans, channels, parents' announcements.

Source: Zigbee 05-3474 2.4.3.2, 2.4.3.3 and their responses in 2.4.4.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Self

from protocols.addresses import Eui64, ShortAddress
from protocols.errors import DecodeError
from protocols.octets import Reader
from protocols.zdp.fields import RESPONSE, Cluster, read_eui, read_short, uint16

_GROUP, _UNICAST = 1, 3  # address modes of a binding
ENERGY_SCAN_MOST = 5  # scan durations up to it ask for a scan
CHANGE_CHANNEL, CHANGE_MANAGER = 0xFE, 0xFF  # scan durations that mean something else


class Binding(NamedTuple):
    """A source endpoint's cluster bound to a node's endpoint, or to a group."""

    source: Eui64
    source_endpoint: int  # 8 bits
    cluster: int  # 16 bits
    destination: Eui64 | None  # None: a group
    destination_endpoint: int  # 8 bits; the group's 16 bits with no destination

    def encode(self) -> bytes:
        head = self.source.wire + bytes((self.source_endpoint,)) + uint16(self.cluster)
        if self.destination is None:
            return head + bytes((_GROUP,)) + uint16(self.destination_endpoint)
        return head + bytes((_UNICAST,)) + self.destination.wire + bytes((self.destination_endpoint,))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        source, endpoint, cluster, mode = read_eui(reader), reader.uint8(), reader.uint(2), reader.uint8()
        if mode == _GROUP:
            return cls(source, endpoint, cluster, None, reader.uint(2))
        if mode != _UNICAST:
            raise DecodeError(f"binding of address mode {mode}", offset=reader.offset - 1, data=reader.data)
        return cls(source, endpoint, cluster, read_eui(reader), reader.uint8())


class _Bound(NamedTuple):
    binding: Binding


class BindRequest(_Bound):
    __slots__ = ()

    def encode(self) -> bytes:
        return self.binding.encode()

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(Binding.read(reader))


class UnbindRequest(BindRequest):
    __slots__ = ()


class StatusResponse(NamedTuple):
    status: int  # ZdpStatus

    def encode(self) -> bytes:
        return bytes((self.status,))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8())


class BindResponse(StatusResponse):
    __slots__ = ()


class UnbindResponse(StatusResponse):
    __slots__ = ()


class TableRequest(NamedTuple):
    """Asks for the rows of a table from `start` on."""

    start: int  # 8 bits

    def encode(self) -> bytes:
        return bytes((self.start,))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8())


class ManagementLqiRequest(TableRequest):
    __slots__ = ()


class ManagementRoutingRequest(TableRequest):
    __slots__ = ()


class ManagementBindRequest(TableRequest):
    __slots__ = ()


class NeighbourRow(NamedTuple):
    extended_pan_id: Eui64
    eui: Eui64
    short: ShortAddress
    device_type: int  # 0 coordinator, 1 router, 2 end device, 3 unknown
    receiver_on_when_idle: int  # 0, 1, 2 unknown
    relationship: int  # 0 parent, 1 child, 2 sibling, 3 none, 4 previous child
    permit_joining: int  # 0, 1, 2 unknown
    depth: int  # 8 bits
    lqi: int  # 8 bits

    def encode(self) -> bytes:
        kinds = self.device_type | self.receiver_on_when_idle << 2 | self.relationship << 4
        tail = bytes((kinds, self.permit_joining, self.depth, self.lqi))
        return self.extended_pan_id.wire + self.eui.wire + uint16(self.short) + tail

    @classmethod
    def read(cls, reader: Reader) -> Self:
        epid, eui, short = read_eui(reader), read_eui(reader), read_short(reader)
        kinds, permit, depth, lqi = reader.uint8(), reader.uint8() & 3, reader.uint8(), reader.uint8()
        return cls(epid, eui, short, kinds & 3, kinds >> 2 & 3, kinds >> 4 & 7, permit, depth, lqi)


class RoutingRow(NamedTuple):
    destination: ShortAddress
    status: int  # 3 bits: 0 active, 1 discovery underway, 2 failed, 3 inactive
    next_hop: ShortAddress
    many_to_one: bool = False
    route_record_required: bool = False

    def encode(self) -> bytes:
        flags = self.status | self.many_to_one << 4 | self.route_record_required << 5
        return uint16(self.destination) + bytes((flags,)) + uint16(self.next_hop)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        destination, flags, hop = read_short(reader), reader.uint8(), read_short(reader)
        return cls(destination, flags & 7, hop, bool(flags & 0x10), bool(flags & 0x20))


class _Rows(NamedTuple):
    status: int  # ZdpStatus
    total: int = 0  # rows of the table
    start: int = 0  # index of the first row given
    rows: tuple[NeighbourRow | RoutingRow | Binding, ...] = ()


class ManagementLqiResponse(_Rows):
    """Its rows are `NeighbourRow`."""

    __slots__ = ()

    def encode(self) -> bytes:
        if self.status:
            return bytes((self.status,))
        head = bytes((self.status, self.total, self.start, len(self.rows)))
        return head + b"".join(row.encode() for row in self.rows)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(*_read_rows(reader, NeighbourRow.read))


class ManagementRoutingResponse(ManagementLqiResponse):
    """Its rows are `RoutingRow`."""

    __slots__ = ()

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(*_read_rows(reader, RoutingRow.read))


class ManagementBindResponse(ManagementLqiResponse):
    """Its rows are `Binding`."""

    __slots__ = ()

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(*_read_rows(reader, Binding.read))


def _read_rows(
    reader: Reader, read: Callable[[Reader], NeighbourRow | RoutingRow | Binding]
) -> tuple[int, int, int, tuple[NeighbourRow | RoutingRow | Binding, ...]]:
    status = reader.uint8()
    if status:
        return status, 0, 0, ()
    total, start, count = reader.uint8(), reader.uint8(), reader.uint8()
    return status, total, start, tuple(read(reader) for _ in range(count))


class ManagementNwkUpdateRequest(NamedTuple):
    """Asks for an energy scan, a channel change, or names the network manager, by `duration`."""

    channels: int  # 32 bits, bit n is channel n
    duration: int  # 8 bits: 0 to 5 a scan, CHANGE_CHANNEL, CHANGE_MANAGER
    scans: int = 1
    update_id: int = 0  # 8 bits, with the changes
    manager: ShortAddress = ShortAddress(0)  # with CHANGE_MANAGER

    def encode(self) -> bytes:
        head = self.channels.to_bytes(4, "little") + bytes((self.duration,))
        if self.duration <= ENERGY_SCAN_MOST:
            return head + bytes((self.scans,))
        head += bytes((self.update_id,))
        return head + uint16(self.manager) if self.duration == CHANGE_MANAGER else head

    @classmethod
    def read(cls, reader: Reader) -> Self:
        channels, duration = reader.uint(4), reader.uint8()
        if duration <= ENERGY_SCAN_MOST:
            return cls(channels, duration, reader.uint8())
        if duration == CHANGE_MANAGER:
            return cls(channels, duration, 1, reader.uint8(), read_short(reader))
        return cls(channels, duration, 1, reader.uint8())


class ManagementNwkUpdateNotify(NamedTuple):
    status: int  # ZdpStatus
    channels: int = 0  # 32 bits, those scanned
    transmissions: int = 0  # 16 bits
    failures: int = 0  # 16 bits
    energies: bytes = b""  # an octet a channel

    def encode(self) -> bytes:
        counts = uint16(self.transmissions) + uint16(self.failures)
        head = bytes((self.status,)) + self.channels.to_bytes(4, "little") + counts
        return head + bytes((len(self.energies),)) + self.energies

    @classmethod
    def read(cls, reader: Reader) -> Self:
        status, channels = reader.uint8(), reader.uint(4)
        sent, failed = reader.uint(2), reader.uint(2)
        return cls(status, channels, sent, failed, reader.octets(reader.uint8()))


class ParentAnnounce(NamedTuple):
    """A router that restarted tells which end devices it has."""

    children: tuple[Eui64, ...]

    def encode(self) -> bytes:
        return bytes((len(self.children),)) + b"".join(child.wire for child in self.children)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(tuple(read_eui(reader) for _ in range(reader.uint8())))


class ParentAnnounceResponse(NamedTuple):
    """Which of them are somebody else's children by now."""

    status: int  # ZdpStatus
    children: tuple[Eui64, ...]

    def encode(self) -> bytes:
        return bytes((self.status, len(self.children))) + b"".join(child.wire for child in self.children)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8(), tuple(read_eui(reader) for _ in range(reader.uint8())))


class PowerDescriptorRequest(NamedTuple):
    short: ShortAddress

    def encode(self) -> bytes:
        return uint16(self.short)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(read_short(reader))


class PowerDescriptorResponse(NamedTuple):
    status: int  # ZdpStatus
    short: ShortAddress
    descriptor: int  # 16 bits from the low end: mode 4, sources available 4, source 4, level 4

    def encode(self) -> bytes:
        return bytes((self.status,)) + uint16(self.short) + (b"" if self.status else uint16(self.descriptor))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        status, short = reader.uint8(), read_short(reader)
        return cls(status, short, 0 if status else reader.uint(2))


class SystemServerDiscoveryRequest(NamedTuple):
    server_mask: int  # 16 bits, as in the node descriptor

    def encode(self) -> bytes:
        return uint16(self.server_mask)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint(2))


class SystemServerDiscoveryResponse(NamedTuple):
    status: int  # ZdpStatus
    server_mask: int  # 16 bits

    def encode(self) -> bytes:
        return bytes((self.status,)) + uint16(self.server_mask)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8(), reader.uint(2))


ManagementMessage = (
    BindRequest
    | StatusResponse
    | TableRequest
    | ManagementLqiResponse
    | ManagementNwkUpdateRequest
    | ManagementNwkUpdateNotify
    | ParentAnnounce
    | ParentAnnounceResponse
    | PowerDescriptorRequest
    | PowerDescriptorResponse
    | SystemServerDiscoveryRequest
    | SystemServerDiscoveryResponse
)

CLASSES: Final[dict[int, type[ManagementMessage]]] = {
    Cluster.POWER_DESCRIPTOR: PowerDescriptorRequest,
    Cluster.SYSTEM_SERVER_DISCOVERY: SystemServerDiscoveryRequest,
    Cluster.PARENT_ANNOUNCE: ParentAnnounce,
    Cluster.BIND: BindRequest,
    Cluster.UNBIND: UnbindRequest,
    Cluster.MANAGEMENT_LQI: ManagementLqiRequest,
    Cluster.MANAGEMENT_ROUTING: ManagementRoutingRequest,
    Cluster.MANAGEMENT_BIND: ManagementBindRequest,
    Cluster.MANAGEMENT_NWK_UPDATE: ManagementNwkUpdateRequest,
    RESPONSE | Cluster.POWER_DESCRIPTOR: PowerDescriptorResponse,
    RESPONSE | Cluster.SYSTEM_SERVER_DISCOVERY: SystemServerDiscoveryResponse,
    RESPONSE | Cluster.PARENT_ANNOUNCE: ParentAnnounceResponse,
    RESPONSE | Cluster.BIND: BindResponse,
    RESPONSE | Cluster.UNBIND: UnbindResponse,
    RESPONSE | Cluster.MANAGEMENT_LQI: ManagementLqiResponse,
    RESPONSE | Cluster.MANAGEMENT_ROUTING: ManagementRoutingResponse,
    RESPONSE | Cluster.MANAGEMENT_BIND: ManagementBindResponse,
    RESPONSE | Cluster.MANAGEMENT_NWK_UPDATE: ManagementNwkUpdateNotify,
}
