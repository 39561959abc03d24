"""ZCL header, global commands, tunnelling cluster, time."""

import pytest
from hypothesis import strategies as st

from protocols.errors import DecodeError, UsageError
from protocols.interfaces import SECOND
from protocols.octets import Reader
from protocols.zcl import data_types, foundation
from protocols.zcl.clusters import basic, keep_alive, time, tunneling
from protocols.zcl.frame import ZclFrame, ZclStatus
from tests.support.codec_property import assert_codec, uint8, uint16, uint32

frames = st.builds(ZclFrame, uint8.map(lambda c: c & ~4), uint8, uint8, st.binary(max_size=20), st.none()) | st.builds(
    ZclFrame, uint8.map(lambda c: c | 4), uint8, uint8, st.binary(max_size=20), uint16
)
typed = st.one_of(
    st.tuples(st.sampled_from((0x20, 0x30, 0x18, 0x10)), uint8),
    st.tuples(st.just(data_types.UTC_TIME), uint32),
    st.tuples(st.just(data_types.INT16), st.integers(-0x8000, 0x7FFF)),
    st.tuples(st.sampled_from((0x41, 0x42)), st.none() | st.binary(max_size=30)),
    st.tuples(st.just(data_types.KEY128), st.binary(min_size=16, max_size=16)),
)
read = st.builds(lambda a, tv: foundation.AttributeRead(a, 0, *tv), uint16, typed) | st.tuples(
    uint16, st.integers(1, 255)
).map(lambda fields: foundation.AttributeRead(*fields))
report = st.builds(lambda a, tv: foundation.AttributeReport(a, *tv), uint16, typed)
GLOBAL: list[st.SearchStrategy[foundation.GlobalCommand]] = [
    st.builds(foundation.ReadAttributes, st.lists(uint16, max_size=5).map(tuple)),
    st.builds(foundation.ReadAttributesResponse, st.lists(read, max_size=5).map(tuple)),
    st.builds(foundation.ReportAttributes, st.lists(report, max_size=5).map(tuple)),
    st.builds(foundation.DefaultResponse, uint8, uint8),
]
TUNNEL: list[tuple[st.SearchStrategy[tunneling.TunnelingCommand], bool]] = [
    (st.builds(tunneling.RequestTunnel, uint8, uint16, st.booleans(), uint16), False),
    (st.builds(tunneling.RequestTunnelResponse, uint16, uint8, uint16), True),
    (st.builds(tunneling.CloseTunnel, uint16), False),
    (st.builds(tunneling.TransferData, uint16, st.binary(max_size=50)), False),
    (st.builds(tunneling.TransferData, uint16, st.binary(max_size=50)), True),
    (st.builds(tunneling.TransferDataError, uint16, uint8), False),
    (st.builds(tunneling.TransferDataError, uint16, uint8), True),
    (st.builds(tunneling.TunnelClosureNotification, uint16), True),
]


def test_frame_survives_the_wire() -> None:
    assert_codec(frames, ZclFrame.encode, ZclFrame.decode)


@pytest.mark.parametrize("commands", GLOBAL)
def test_global_command_survives_the_wire(commands: st.SearchStrategy[foundation.GlobalCommand]) -> None:
    assert_codec(
        commands,
        lambda command: foundation.encode(command, 3, from_server=True),
        lambda octets: foundation.decode(ZclFrame.decode(octets)),
        examples=60,
    )


@pytest.mark.parametrize(("commands", "from_server"), TUNNEL)
def test_tunnelling_command_survives_the_wire(
    commands: st.SearchStrategy[tunneling.TunnelingCommand], from_server: bool
) -> None:
    assert_codec(
        st.tuples(st.just(from_server), commands),
        lambda sent: tunneling.encode(sent[1], 3, from_server=sent[0]),
        _tunnelled,
        noise=st.binary(max_size=30).map(lambda tail: bytes((0x09 if from_server else 0x01, 3)) + tail),
        examples=60,
    )


def _tunnelled(octets: bytes) -> tuple[bool, tunneling.TunnelingCommand]:
    frame = ZclFrame.decode(octets)
    return frame.from_server, tunneling.decode(frame)


def test_tunnel_for_gbcs_is_asked_for_as_published() -> None:
    """Protocol 6, manufacturer 0xFFFF, no flow control, 1500 octets."""
    assert tunneling.encode(tunneling.RequestTunnel(), 1, from_server=False).hex() == "11010006ffff00dc05"


def test_a_side_sends_only_its_own_tunnelling_commands() -> None:
    with pytest.raises(UsageError, match="RequestTunnel is not sent by a server"):
        tunneling.encode(tunneling.RequestTunnel(), 1, from_server=True)
    with pytest.raises(DecodeError, match="no tunneling command"):
        tunneling.decode(ZclFrame.decode(bytes.fromhex("090106")[:2] + b"\x03" + bytes(4)))


def test_default_response_goes_back_the_other_way() -> None:
    request = ZclFrame.decode(bytes.fromhex("010303021d128400dcacdcac000000003f0000"))
    answer = ZclFrame.decode(foundation.default_response_to(request, ZclStatus.MALFORMED_COMMAND))
    assert answer.from_server
    assert answer.default_response_disabled
    assert not answer.cluster_specific
    assert answer.transaction == 3
    assert foundation.decode(answer) == foundation.DefaultResponse(3, 0x80)


def test_unknown_status_is_kept_as_number() -> None:
    assert ZclStatus.named(0x96) is ZclStatus.INVALID_IMAGE
    assert ZclStatus.named(0xC3) == 0xC3


def test_value_that_does_not_fit_its_type_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        data_types.write_value(data_types.UINT8, b"x")
    with pytest.raises(DecodeError):
        data_types.read_value(Reader(b"\0\0\0\0"), 0x48)


def test_utc_time_counts_whole_seconds_since_2000() -> None:
    assert time.from_nanoseconds(946_684_801 * SECOND + 5) == 1
    assert time.to_nanoseconds(1) == 946_684_801 * SECOND
    assert time.HUB_STATUS == 0x09


@pytest.mark.parametrize("types", [basic.TYPES, keep_alive.TYPES, time.TYPES])
def test_every_attribute_has_a_type_that_is_built(types: dict[int, int]) -> None:
    assert all(data_types.read_value(Reader(bytes(20)), data_type) in (0, b"") for data_type in types.values())
