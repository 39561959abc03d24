"""ZDP messages."""

import pytest
from hypothesis import strategies as st

from protocols.addresses import Eui64, ShortAddress
from protocols.errors import DecodeError
from protocols.interfaces import SimpleDescriptor
from protocols.mac.commands import Capability
from protocols.zdp import management
from protocols.zdp import messages as zdp
from tests.support.codec_property import assert_codec, uint8, uint16, uint32, uint64

shorts = uint16.map(ShortAddress)
euis = st.builds(Eui64, uint64)
capabilities = st.builds(Capability, *[st.booleans()] * 6)
clusters = st.lists(uint16, max_size=6).map(tuple)
endpoints = st.lists(uint8, max_size=6).map(tuple)
simple = st.builds(SimpleDescriptor, uint8, uint16, uint16, st.integers(0, 15), clusters, clusters)
node = st.builds(
    zdp.NodeDescriptor,
    st.integers(0, 7),
    capabilities,
    uint16,
    uint8,
    uint16,
    uint16,
    uint16,
    st.integers(0, 31),
    uint8,
)
some_shorts = st.lists(shorts, max_size=6).map(tuple)
some_euis = st.lists(euis, max_size=6).map(tuple)
bindings = st.one_of(
    st.builds(management.Binding, euis, uint8, uint16, euis, uint8),
    st.builds(management.Binding, euis, uint8, uint16, st.none(), uint16),
)
NO_MANAGER = st.just(ShortAddress(0))
two, three = st.integers(0, 2), st.integers(0, 3)
neighbours = st.builds(management.NeighbourRow, euis, euis, shorts, three, three, st.integers(0, 7), two, uint8, uint8)
routes = st.builds(management.RoutingRow, shorts, st.integers(0, 7), shorts, st.booleans(), st.booleans())
TABLES = [
    (management.ManagementLqiResponse, st.lists(neighbours, max_size=3).map(tuple)),
    (management.ManagementRoutingResponse, st.lists(routes, max_size=3).map(tuple)),
    (management.ManagementBindResponse, st.lists(bindings, max_size=3).map(tuple)),
]
MESSAGES: list[st.SearchStrategy[zdp.ZdpMessage]] = [
    st.builds(zdp.DeviceAnnounce, shorts, euis, capabilities),
    st.builds(zdp.NwkAddressRequest, euis, uint8, uint8),
    st.builds(zdp.NwkAddressResponse, uint8, euis, shorts, st.none(), st.just(0)),
    st.builds(zdp.IeeeAddressRequest, shorts, uint8, uint8),
    st.builds(zdp.IeeeAddressResponse, uint8, euis, shorts, st.none(), st.just(0)),
    st.builds(zdp.NodeDescriptorRequest, shorts),
    st.builds(zdp.NodeDescriptorResponse, st.just(0), shorts, node),
    st.builds(zdp.NodeDescriptorResponse, st.integers(1, 255), shorts, st.none()),
    st.builds(zdp.SimpleDescriptorRequest, shorts, uint8),
    st.builds(zdp.SimpleDescriptorResponse, st.just(0), shorts, simple),
    st.builds(zdp.SimpleDescriptorResponse, st.integers(1, 255), shorts, st.none()),
    st.builds(zdp.ActiveEndpointsRequest, shorts),
    st.builds(zdp.ActiveEndpointsResponse, uint8, shorts, endpoints),
    st.builds(zdp.MatchDescriptorRequest, shorts, uint16, clusters, clusters),
    st.builds(zdp.MatchDescriptorResponse, uint8, shorts, endpoints),
    st.builds(zdp.ManagementLeaveRequest, euis, st.booleans(), st.booleans()),
    st.builds(zdp.ManagementLeaveResponse, uint8),
    st.builds(zdp.ManagementPermitJoiningRequest, uint8, st.booleans()),
    st.builds(zdp.ManagementPermitJoiningResponse, uint8),
    st.builds(zdp.NwkAddressResponse, uint8, euis, shorts, some_shorts, st.just(0)),
    st.builds(zdp.IeeeAddressResponse, uint8, euis, shorts, some_shorts.filter(bool), uint8),
    *(st.builds(kind, bindings) for kind in (management.BindRequest, management.UnbindRequest)),
    *(st.builds(kind, uint8) for kind in (management.BindResponse, management.UnbindResponse)),
    st.builds(management.ManagementLqiRequest, uint8),
    st.builds(management.ManagementRoutingRequest, uint8),
    st.builds(management.ManagementBindRequest, uint8),
    *(st.builds(kind, st.just(0), uint8, uint8, table) for kind, table in TABLES),
    *(st.builds(kind, st.integers(1, 255), st.just(0), st.just(0), st.just(())) for kind, _ in TABLES),
    st.builds(management.ManagementNwkUpdateRequest, uint32, st.integers(0, 5), uint8, st.just(0), NO_MANAGER),
    st.builds(management.ManagementNwkUpdateRequest, uint32, st.just(0xFE), st.just(1), uint8, NO_MANAGER),
    st.builds(management.ManagementNwkUpdateRequest, uint32, st.just(0xFF), st.just(1), uint8, shorts),
    st.builds(management.ManagementNwkUpdateNotify, uint8, uint32, uint16, uint16, st.binary(max_size=16)),
    st.builds(management.ParentAnnounce, some_euis),
    st.builds(management.ParentAnnounceResponse, uint8, some_euis),
    st.builds(management.PowerDescriptorRequest, shorts),
    st.builds(management.PowerDescriptorResponse, st.just(0), shorts, uint16),
    st.builds(management.SystemServerDiscoveryRequest, uint16),
    st.builds(management.SystemServerDiscoveryResponse, uint8, uint16),
]


def _encode(message: zdp.ZdpMessage) -> bytes:
    """Put the cluster in front of the payload."""
    cluster, payload = zdp.encode(message, 9)
    return cluster.to_bytes(2, "big") + payload


def _decode(octets: bytes) -> zdp.ZdpMessage:
    return zdp.decode(int.from_bytes(octets[:2], "big"), octets[2:])[1]


@pytest.mark.parametrize("values", MESSAGES)
def test_message_survives_the_wire(values: st.SearchStrategy[zdp.ZdpMessage]) -> None:
    noise = st.tuples(st.sampled_from(sorted(zdp.CLUSTER_OF.values())), st.binary(max_size=40))
    assert_codec(values, _encode, _decode, noise=noise.map(lambda n: n[0].to_bytes(2, "big") + n[1]), examples=40)


def test_response_has_the_cluster_of_its_request_with_bit_15() -> None:
    assert zdp.encode(zdp.MatchDescriptorRequest(ShortAddress(0xFFFD), 0x0109, (0x0704,)), 5)[0] == 0x0006
    assert zdp.encode(zdp.MatchDescriptorResponse(0, ShortAddress(1), (1,)), 5) == (
        0x8006,
        bytes.fromhex("050001000101"),
    )


def test_unknown_requests_are_told_apart_from_unknown_responses() -> None:
    assert zdp.decode(0x0010, b"\x01\x00") == (1, zdp.UnsupportedRequest(0x0010, b"\0"))
    with pytest.raises(DecodeError, match="0x8010"):
        zdp.decode(0x8010, b"\x01\x00")
