"""NWK header, commands and security by properties; captured frames are in `test_captured_frames.py`."""

import pytest
from hypothesis import strategies as st

from protocols.addresses import COORDINATOR, Eui64, ShortAddress
from protocols.errors import DecodeError, IntegrityError, TruncatedError
from protocols.mac.commands import Capability
from protocols.nwk import commands
from protocols.nwk.frame import NwkHeader, SourceRoute, decode_header, with_radius
from protocols.nwk.security import OVERHEAD, NwkSecurity, read_auxiliary
from tests.support.codec_property import assert_codec, uint8, uint16, uint64

shorts = uint16.map(ShortAddress)
euis = st.builds(Eui64, uint64)
routes = st.builds(SourceRoute, uint8, st.lists(shorts, max_size=5).map(tuple))
headers = st.builds(
    NwkHeader,
    st.integers(0, 1),
    shorts,
    shorts,
    uint8,
    uint8,
    st.booleans(),
    st.integers(0, 3),
    st.booleans(),
    st.none() | euis,
    st.none() | euis,
    st.none() | routes,
)
cost = st.integers(0, 7)
entries = st.lists(st.builds(commands.LinkStatusEntry, shorts, cost, cost), max_size=31).map(tuple)
COMMANDS: list[st.SearchStrategy[commands.NwkCommand]] = [
    st.builds(commands.NetworkStatus, uint8, shorts),
    st.builds(commands.Leave, st.booleans(), st.booleans(), st.booleans()),
    st.builds(commands.RouteRecord, st.lists(shorts, max_size=6).map(tuple)),
    st.builds(commands.RejoinRequest, st.builds(Capability, *[st.booleans()] * 6)),
    st.builds(commands.RejoinResponse, shorts, uint8),
    st.builds(commands.LinkStatus, entries, st.booleans(), st.booleans()),
    st.builds(commands.EndDeviceTimeoutRequest, uint8, uint8),
    st.builds(commands.EndDeviceTimeoutResponse, uint8, uint8),
    st.builds(commands.RouteRequest, uint8, shorts, uint8, st.none() | euis, st.integers(0, 3)),
    st.builds(commands.RouteReply, uint8, shorts, shorts, uint8, st.none() | euis, st.none() | euis),
    st.builds(commands.Unparsed, st.just(0x0A), st.binary(max_size=10)),
]
HEADER = NwkHeader(0, COORDINATOR, ShortAddress(0x1234), 30, 7)
SOURCE = Eui64(0x00DB1234567890A0)


def test_header_survives_the_wire() -> None:
    assert_codec(headers, NwkHeader.encode, lambda octets: decode_header(octets)[0], examples=300)


@pytest.mark.parametrize("values", COMMANDS)
def test_command_survives_the_wire(values: st.SearchStrategy[commands.NwkCommand]) -> None:
    assert_codec(values, lambda command: command.encode(), commands.decode_command, examples=50)


def test_offset_after_the_header_is_told() -> None:
    octets = b"??" + HEADER.encode() + b"payload"
    header, end = decode_header(octets, 2)
    assert header == HEADER
    assert octets[end:] == b"payload"


def test_relay_changes_the_radius_only() -> None:
    octets = HEADER._replace(source_ieee=SOURCE).encode()
    assert decode_header(with_radius(octets, 29))[0] == HEADER._replace(source_ieee=SOURCE, radius=29)


def test_multicast_and_other_versions_are_refused() -> None:
    octets = HEADER.encode()
    with pytest.raises(DecodeError, match="multicast"):
        decode_header(octets[:1] + bytes((octets[1] | 1,)) + octets[2:])
    for first in (0x04, 0x0B, 0x0A):
        with pytest.raises(DecodeError, match="version 2"):
            decode_header(bytes((first,)) + octets[1:])


def test_protected_frame_opens_with_its_key_only() -> None:
    security = NwkSecurity(bytes(range(16)), 3)
    frame = security.protect(HEADER.encode(), SOURCE, 0x01020304, b"payload")
    assert len(frame) == 8 + OVERHEAD + 7
    assert frame[8] == 0x28
    assert security.unprotect(frame, 8) == (b"payload", SOURCE, 0x01020304)
    with pytest.raises(IntegrityError, match="MIC"):
        NwkSecurity(bytes(16), 3).unprotect(frame, 8)
    with pytest.raises(IntegrityError, match="network key 3"):
        NwkSecurity(bytes(range(16)), 4).unprotect(frame, 8)


def test_every_altered_octet_is_noticed() -> None:
    security = NwkSecurity(bytes(range(16)), 3)
    frame = security.protect(HEADER.encode(), SOURCE, 7, b"payload")
    for at in range(len(frame)):
        altered = frame[:at] + bytes((frame[at] ^ 0x40,)) + frame[at + 1 :]
        with pytest.raises(DecodeError):
            security.unprotect(altered, 8)
    with pytest.raises(TruncatedError):
        security.unprotect(frame[: 8 + OVERHEAD - 1], 8)


def test_level_bits_on_the_air_do_not_count() -> None:
    """A sender that leaves level 5 in the security control is understood too."""
    security = NwkSecurity(bytes(range(16)), 3)
    frame = security.protect(HEADER.encode(), SOURCE, 7, b"payload")
    assert security.unprotect(frame[:8] + b"\x2d" + frame[9:], 8)[0] == b"payload"


@pytest.mark.parametrize("control", [0x08, 0x20, 0x30])
def test_nwk_security_needs_network_key_and_source(control: int) -> None:
    with pytest.raises(DecodeError, match="security control"):
        read_auxiliary(bytes((control,)) + bytes(30), 0)
