"""MAC frames, commands and beacons."""

import pytest
from hypothesis import strategies as st

from protocols.addresses import BROADCAST_ALL, Eui64, ShortAddress
from protocols.errors import DecodeError, TruncatedError, UsageError
from protocols.mac import commands
from protocols.mac.beacon import Beacon
from protocols.mac.frame import FrameType, MacFrame, acknowledgement, data_frame, fcs, has_good_fcs
from tests.support.codec_property import assert_codec, uint8, uint16, uint64

euis = st.builds(Eui64, uint64)
address = st.tuples(uint16, uint16.map(ShortAddress) | euis)
absent = st.just((None, None))


End = tuple[int | None, ShortAddress | Eui64 | None]


def _frame(kind: int, sequence: int, to: End, source: End, payload: bytes, ack: bool, pending: bool) -> MacFrame:
    return MacFrame(kind, sequence, to[0], to[1], source[0], source[1], payload, ack, pending)


frames = st.builds(
    _frame,
    st.sampled_from(FrameType).map(int),
    uint8,
    address | absent,
    address | absent,
    st.binary(max_size=30),
    st.booleans(),
    st.booleans(),
)
capabilities = st.builds(commands.Capability, *[st.booleans()] * 6)
COMMANDS: list[st.SearchStrategy[commands.MacCommand]] = [
    st.builds(commands.AssociationRequest, capabilities),
    st.builds(commands.AssociationResponse, uint16.map(ShortAddress), uint8),
    st.builds(commands.DisassociationNotification, uint8),
    st.just(commands.DataRequest()),
    st.just(commands.OrphanNotification()),
    st.just(commands.BeaconRequest()),
]


def test_frame_survives_the_wire_and_noise_is_harmless() -> None:
    assert_codec(frames, MacFrame.encode, MacFrame.decode, examples=300)


@pytest.mark.parametrize("values", COMMANDS)
def test_command_survives_the_wire(values: st.SearchStrategy[commands.MacCommand]) -> None:
    assert_codec(values, lambda command: command.encode(), commands.decode_command, examples=50)


def test_beacon_survives_the_wire() -> None:
    beacons = st.builds(
        Beacon,
        euis,
        *[st.booleans()] * 4,
        st.integers(0, 15),
        uint8,
        st.integers(0, 15),
        st.integers(0, 15),
    )
    assert_codec(beacons, Beacon.encode, Beacon.decode)


@pytest.mark.parametrize("ack_request", [True, False])
def test_fast_data_frame_is_the_general_one(ack_request: bool) -> None:
    octets = data_frame(7, 0x1A2B, ShortAddress(0x1234), ShortAddress(0), b"payload", ack_request=ack_request)
    frame = MacFrame(FrameType.DATA, 7, 0x1A2B, ShortAddress(0x1234), 0x1A2B, ShortAddress(0), b"payload", ack_request)
    assert octets == frame.encode()
    assert MacFrame.decode(octets) == frame


def test_fcs_is_the_crc_of_the_standard() -> None:
    """The acknowledgement of sequence number 0x6A is the example of IEEE 802.15.4-2006 7.2.1.9."""
    frame = acknowledgement(0x6A, pending=False)
    assert "".join(f"{octet:08b}"[::-1] for octet in frame) == "010000000000000001010110"
    assert "".join(f"{octet:08b}"[::-1] for octet in fcs(frame)) == "0010011110011110"
    assert has_good_fcs(frame + fcs(frame))
    assert not has_good_fcs(frame + b"\0\0")
    assert not has_good_fcs(b"")


def test_acknowledgement_tells_of_pending_data() -> None:
    assert MacFrame.decode(acknowledgement(3, pending=True)).frame_pending
    assert not MacFrame.decode(acknowledgement(3, pending=False)).frame_pending


def test_beacon_request_is_a_broadcast_without_source() -> None:
    frame = MacFrame(FrameType.COMMAND, 1, 0xFFFF, BROADCAST_ALL, None, None, commands.BeaconRequest().encode())
    assert frame.encode().hex() == "030801ffffffff07"


@pytest.mark.parametrize(
    ("octets", "what"),
    [
        ("0988000000", "MAC security"),
        ("0400000000", "reserved"),
        ("0120000000", "reserved"),
        ("0104000000", "addressing mode"),
        ("4108000000", "compression"),
    ],
)
def test_frame_that_zigbee_never_sends_is_refused(octets: str, what: str) -> None:
    with pytest.raises(DecodeError, match=what):
        MacFrame.decode(bytes.fromhex(octets))


def test_short_frames_are_truncated() -> None:
    whole = data_frame(7, 0x1A2B, ShortAddress(1), ShortAddress(0), b"", ack_request=True)
    for size in range(len(whole)):
        with pytest.raises(TruncatedError):
            MacFrame.decode(whole[:size])


def test_address_without_pan_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="PAN"):
        MacFrame(FrameType.DATA, 1, None, ShortAddress(1), None, None, b"").encode()


def test_other_networks_are_refused_by_their_beacon() -> None:
    beacon = Beacon(Eui64(1), True, True, True, True, 0, 0).encode()
    with pytest.raises(DecodeError, match="not the beacon of a Zigbee"):
        Beacon.decode(beacon[:4] + b"\x03" + beacon[5:])
    with pytest.raises(DecodeError, match="guaranteed"):
        Beacon.decode(beacon[:2] + b"\x01" + beacon[3:])
    assert Beacon.decode(beacon[:3] + b"\x01" + b"\x34\x12" + beacon[4:]) == Beacon.decode(beacon)
