"""ZDP messages."""

import pytest
from hypothesis import strategies as st

from protocols.addresses import Eui64, ShortAddress
from protocols.errors import DecodeError
from protocols.interfaces import SimpleDescriptor
from protocols.mac.commands import Capability
from protocols.zdp import messages as zdp
from tests.support.codec_property import check_codec, uint8, uint16, uint64

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
MESSAGES: list[st.SearchStrategy[zdp.ZdpMessage]] = [
    st.builds(zdp.DeviceAnnounce, shorts, euis, capabilities),
    st.builds(zdp.NwkAddressRequest, euis, uint8, uint8),
    st.builds(zdp.NwkAddressResponse, uint8, euis, shorts),
    st.builds(zdp.IeeeAddressRequest, shorts, uint8, uint8),
    st.builds(zdp.IeeeAddressResponse, uint8, euis, shorts),
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
    check_codec(values, _encode, _decode, noise=noise.map(lambda n: n[0].to_bytes(2, "big") + n[1]), examples=40)


def test_response_has_the_cluster_of_its_request_with_bit_15() -> None:
    assert zdp.encode(zdp.MatchDescriptorRequest(ShortAddress(0xFFFD), 0x0109, (0x0704,)), 5)[0] == 0x0006
    assert zdp.encode(zdp.MatchDescriptorResponse(0, ShortAddress(1), (1,)), 5) == (
        0x8006,
        bytes.fromhex("050001000101"),
    )


def test_other_clusters_are_refused() -> None:
    with pytest.raises(DecodeError, match="0x0031"):
        zdp.decode(0x0031, b"\x01\x00")
