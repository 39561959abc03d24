"""Zigbee Device Profile messages: payloads of APS data frames with profile 0 between endpoints 0.

A payload is a transaction number and then the fields; `decode` and `encode` handle whole payloads. A response has the
cluster of its request with bit 15 set. Source: Zigbee 05-3474 2.4.3 and 2.4.4.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Self

from protocols.addresses import Eui64, ShortAddress
from protocols.errors import DecodeError
from protocols.interfaces import SimpleDescriptor
from protocols.mac.commands import Capability
from protocols.octets import Reader
from protocols.zdp import management
from protocols.zdp.fields import RESPONSE as RESPONSE
from protocols.zdp.fields import Cluster as Cluster
from protocols.zdp.fields import ZdpStatus as ZdpStatus
from protocols.zdp.fields import read_eui, read_short, uint16
from protocols.zdp.management import StatusResponse as StatusResponse

PROFILE = 0x0000
ENDPOINT = 0


def _clusters(clusters: tuple[int, ...]) -> bytes:
    return bytes((len(clusters),)) + b"".join(map(uint16, clusters))


def _read_clusters(reader: Reader) -> tuple[int, ...]:
    return tuple(reader.uint(2) for _ in range(reader.uint8()))


class NodeDescriptor(NamedTuple):
    """What a node is. Source: Zigbee 05-3474 2.3.2.3."""

    logical_type: int  # 0 coordinator, 1 router, 2 end device
    capability: Capability
    manufacturer_code: int = 0  # 16 bits
    maximum_buffer_size: int = 82  # octets
    maximum_incoming_transfer: int = 1514  # octets
    server_mask: int = 0  # 16 bits
    maximum_outgoing_transfer: int = 1514  # octets
    frequency_band: int = 0x08  # 5 bits, 2.4 GHz
    descriptor_capability: int = 0  # 8 bits

    def encode(self) -> bytes:
        head = bytes((self.logical_type, self.frequency_band << 3, self.capability.encode()))
        sizes = bytes((self.maximum_buffer_size,)) + uint16(self.maximum_incoming_transfer) + uint16(self.server_mask)
        tail = uint16(self.maximum_outgoing_transfer) + bytes((self.descriptor_capability,))
        return head + uint16(self.manufacturer_code) + sizes + tail

    @classmethod
    def read(cls, reader: Reader) -> Self:
        logical_type, band = reader.uint8() & 0x07, reader.uint8() >> 3
        capability = Capability.decode(reader.uint8())
        manufacturer, buffer = reader.uint(2), reader.uint8()
        incoming, server, outgoing = reader.uint(2), reader.uint(2), reader.uint(2)
        return cls(logical_type, capability, manufacturer, buffer, incoming, server, outgoing, band, reader.uint8())


def encode_simple_descriptor(descriptor: SimpleDescriptor) -> bytes:
    """Source: Zigbee 05-3474 2.3.2.5."""
    head = bytes((descriptor.endpoint,)) + uint16(descriptor.profile) + uint16(descriptor.device)
    return (
        head
        + bytes((descriptor.version,))
        + _clusters(descriptor.input_clusters)
        + _clusters(descriptor.output_clusters)
    )


def read_simple_descriptor(reader: Reader) -> SimpleDescriptor:
    endpoint, profile, device, version = reader.uint8(), reader.uint(2), reader.uint(2), reader.uint8() & 0x0F
    return SimpleDescriptor(endpoint, profile, device, version, _read_clusters(reader), _read_clusters(reader))


class DeviceAnnounce(NamedTuple):
    """Broadcast by a device that joined or rejoined."""

    short: ShortAddress
    eui: Eui64
    capability: Capability

    def encode(self) -> bytes:
        return uint16(self.short) + self.eui.wire + bytes((self.capability.encode(),))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(read_short(reader), read_eui(reader), Capability.decode(reader.uint8()))


class NwkAddressRequest(NamedTuple):
    eui: Eui64
    request_type: int = 0  # 0 single device
    start: int = 0

    def encode(self) -> bytes:
        return self.eui.wire + bytes((self.request_type, self.start))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(read_eui(reader), reader.uint8(), reader.uint8())


class IeeeAddressRequest(NamedTuple):
    short: ShortAddress
    request_type: int = 0  # 0 single device
    start: int = 0

    def encode(self) -> bytes:
        return uint16(self.short) + bytes((self.request_type, self.start))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(read_short(reader), reader.uint8(), reader.uint8())


class NwkAddressResponse(NamedTuple):
    """Answer of one device; to request type 1 with the short addresses of its children."""

    status: int  # ZdpStatus
    eui: Eui64
    short: ShortAddress
    children: tuple[ShortAddress, ...] | None = None  # None: single device form
    start: int = 0

    def encode(self) -> bytes:
        head = bytes((self.status,)) + self.eui.wire + uint16(self.short)
        if self.children is None:
            return head
        if not self.children:
            return head + b"\0"
        return head + bytes((len(self.children), self.start)) + b"".join(map(uint16, self.children))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        status, eui, short = reader.uint8(), read_eui(reader), read_short(reader)
        if not reader.remaining:
            return cls(status, eui, short)
        count = reader.uint8()
        start = reader.uint8() if count else 0
        return cls(status, eui, short, tuple(read_short(reader) for _ in range(count)), start)


class IeeeAddressResponse(NwkAddressResponse):
    """The fields are those of the NWK address response."""

    __slots__ = ()


class NodeDescriptorRequest(NamedTuple):
    short: ShortAddress

    def encode(self) -> bytes:
        return uint16(self.short)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(read_short(reader))


class NodeDescriptorResponse(NamedTuple):
    status: int  # ZdpStatus
    short: ShortAddress
    descriptor: NodeDescriptor | None  # with SUCCESS

    def encode(self) -> bytes:
        tail = b"" if self.descriptor is None else self.descriptor.encode()
        return bytes((self.status,)) + uint16(self.short) + tail

    @classmethod
    def read(cls, reader: Reader) -> Self:
        status, short = reader.uint8(), read_short(reader)
        return cls(status, short, None if status else NodeDescriptor.read(reader))


class SimpleDescriptorRequest(NamedTuple):
    short: ShortAddress
    endpoint: int  # 8 bits

    def encode(self) -> bytes:
        return uint16(self.short) + bytes((self.endpoint,))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(read_short(reader), reader.uint8())


class SimpleDescriptorResponse(NamedTuple):
    status: int  # ZdpStatus
    short: ShortAddress
    descriptor: SimpleDescriptor | None  # with SUCCESS

    def encode(self) -> bytes:
        tail = b"" if self.descriptor is None else encode_simple_descriptor(self.descriptor)
        return bytes((self.status,)) + uint16(self.short) + bytes((len(tail),)) + tail

    @classmethod
    def read(cls, reader: Reader) -> Self:
        status, short, length = reader.uint8(), read_short(reader), reader.uint8()
        if status:
            reader.octets(length)
            return cls(status, short, None)
        inner = Reader(reader.octets(length))
        descriptor = read_simple_descriptor(inner)
        inner.finish("octets after the simple descriptor")
        return cls(status, short, descriptor)


class ActiveEndpointsRequest(NamedTuple):
    short: ShortAddress

    def encode(self) -> bytes:
        return uint16(self.short)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(read_short(reader))


class EndpointsResponse(NamedTuple):
    """Response to the active endpoints request."""

    status: int  # ZdpStatus
    short: ShortAddress
    endpoints: tuple[int, ...]  # 8 bits each

    def encode(self) -> bytes:
        return bytes((self.status,)) + uint16(self.short) + bytes((len(self.endpoints), *self.endpoints))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8(), read_short(reader), tuple(reader.octets(reader.uint8())))


class ActiveEndpointsResponse(EndpointsResponse):
    __slots__ = ()


class MatchDescriptorResponse(EndpointsResponse):
    __slots__ = ()


class MatchDescriptorRequest(NamedTuple):
    short: ShortAddress
    profile: int  # 16 bits
    input_clusters: tuple[int, ...]  # servers looked for
    output_clusters: tuple[int, ...] = ()  # clients looked for

    def encode(self) -> bytes:
        head = uint16(self.short) + uint16(self.profile)
        return head + _clusters(self.input_clusters) + _clusters(self.output_clusters)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(read_short(reader), reader.uint(2), _read_clusters(reader), _read_clusters(reader))


class ManagementLeaveRequest(NamedTuple):
    device: Eui64  # all zero: the receiver itself
    rejoin: bool = False
    remove_children: bool = False

    def encode(self) -> bytes:
        return self.device.wire + bytes((self.remove_children << 6 | self.rejoin << 7,))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        device, options = read_eui(reader), reader.uint8()
        return cls(device, bool(options & 0x80), bool(options & 0x40))


class ManagementLeaveResponse(StatusResponse):
    __slots__ = ()


class ManagementPermitJoiningResponse(StatusResponse):
    __slots__ = ()


class ManagementPermitJoiningRequest(NamedTuple):
    duration: int  # s, at most 254
    trust_centre_significance: bool = True

    def encode(self) -> bytes:
        return bytes((self.duration, self.trust_centre_significance))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        return cls(reader.uint8(), bool(reader.uint8()))


class UnsupportedRequest(NamedTuple):
    """A request that no class here is for."""

    cluster: int  # 16 bits
    payload: bytes  # after the transaction number

    def encode(self) -> bytes:
        return self.payload


ZdpMessage = (
    DeviceAnnounce
    | NwkAddressRequest
    | NwkAddressResponse
    | IeeeAddressRequest
    | NodeDescriptorRequest
    | NodeDescriptorResponse
    | SimpleDescriptorRequest
    | SimpleDescriptorResponse
    | ActiveEndpointsRequest
    | EndpointsResponse
    | MatchDescriptorRequest
    | ManagementLeaveRequest
    | ManagementPermitJoiningRequest
    | UnsupportedRequest
    | management.ManagementMessage
)

_CLASSES: Final[dict[int, Callable[[Reader], ZdpMessage]]] = {
    Cluster.NWK_ADDRESS: NwkAddressRequest.read,
    Cluster.IEEE_ADDRESS: IeeeAddressRequest.read,
    Cluster.NODE_DESCRIPTOR: NodeDescriptorRequest.read,
    Cluster.SIMPLE_DESCRIPTOR: SimpleDescriptorRequest.read,
    Cluster.ACTIVE_ENDPOINTS: ActiveEndpointsRequest.read,
    Cluster.MATCH_DESCRIPTOR: MatchDescriptorRequest.read,
    Cluster.DEVICE_ANNOUNCE: DeviceAnnounce.read,
    Cluster.MANAGEMENT_LEAVE: ManagementLeaveRequest.read,
    Cluster.MANAGEMENT_PERMIT_JOINING: ManagementPermitJoiningRequest.read,
    RESPONSE | Cluster.NWK_ADDRESS: NwkAddressResponse.read,
    RESPONSE | Cluster.IEEE_ADDRESS: IeeeAddressResponse.read,
    RESPONSE | Cluster.NODE_DESCRIPTOR: NodeDescriptorResponse.read,
    RESPONSE | Cluster.SIMPLE_DESCRIPTOR: SimpleDescriptorResponse.read,
    RESPONSE | Cluster.ACTIVE_ENDPOINTS: ActiveEndpointsResponse.read,
    RESPONSE | Cluster.MATCH_DESCRIPTOR: MatchDescriptorResponse.read,
    RESPONSE | Cluster.MANAGEMENT_LEAVE: ManagementLeaveResponse.read,
    RESPONSE | Cluster.MANAGEMENT_PERMIT_JOINING: ManagementPermitJoiningResponse.read,
}

_CLUSTER_OF: Final[dict[type, int]] = {
    NwkAddressRequest: Cluster.NWK_ADDRESS,
    IeeeAddressRequest: Cluster.IEEE_ADDRESS,
    NodeDescriptorRequest: Cluster.NODE_DESCRIPTOR,
    SimpleDescriptorRequest: Cluster.SIMPLE_DESCRIPTOR,
    ActiveEndpointsRequest: Cluster.ACTIVE_ENDPOINTS,
    MatchDescriptorRequest: Cluster.MATCH_DESCRIPTOR,
    DeviceAnnounce: Cluster.DEVICE_ANNOUNCE,
    ManagementLeaveRequest: Cluster.MANAGEMENT_LEAVE,
    ManagementPermitJoiningRequest: Cluster.MANAGEMENT_PERMIT_JOINING,
    NwkAddressResponse: RESPONSE | Cluster.NWK_ADDRESS,
    IeeeAddressResponse: RESPONSE | Cluster.IEEE_ADDRESS,
    NodeDescriptorResponse: RESPONSE | Cluster.NODE_DESCRIPTOR,
    SimpleDescriptorResponse: RESPONSE | Cluster.SIMPLE_DESCRIPTOR,
    ActiveEndpointsResponse: RESPONSE | Cluster.ACTIVE_ENDPOINTS,
    MatchDescriptorResponse: RESPONSE | Cluster.MATCH_DESCRIPTOR,
    ManagementLeaveResponse: RESPONSE | Cluster.MANAGEMENT_LEAVE,
    ManagementPermitJoiningResponse: RESPONSE | Cluster.MANAGEMENT_PERMIT_JOINING,
}


_READERS: Final[dict[int, Callable[[Reader], ZdpMessage]]] = {
    **_CLASSES,
    **{cluster: message.read for cluster, message in management.CLASSES.items()},
}
CLUSTER_OF: Final[dict[type, int]] = {
    **_CLUSTER_OF,
    **{message: cluster for cluster, message in management.CLASSES.items()},
}


def decode(cluster: int, payload: bytes) -> tuple[int, ZdpMessage]:
    """Return transaction number and message; DecodeError for responses that are not built.

    Octets after the last field (TLVs of later revisions) are ignored.
    """
    reader = Reader(payload)
    transaction = reader.uint8()
    read = _READERS.get(cluster)
    if read is None:
        if cluster & RESPONSE:
            raise DecodeError(f"ZDP cluster {cluster:#06x} is not handled", data=payload)
        return transaction, UnsupportedRequest(cluster, reader.rest())
    return transaction, read(reader)


def encode(message: ZdpMessage, transaction: int) -> tuple[int, bytes]:
    """Return cluster and payload."""
    cluster = message.cluster if isinstance(message, UnsupportedRequest) else CLUSTER_OF[type(message)]
    return cluster, bytes((transaction,)) + message.encode()
