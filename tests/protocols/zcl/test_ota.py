"""OTA cluster: frames built with zigpy's schemas and read by Wireshark, and the codec property."""

import pytest
from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.zcl.clusters import ota
from protocols.zcl.frame import ZclFrame
from tests.support.codec_property import assert_codec, uint8, uint16, uint32, uint64

MAKER, TYPE, VERSION = 0x121D, 0x0084, 0xACDCACDC
IDENTITY = (MAKER, TYPE, VERSION)
GOLDEN = [
    ("09010003641d128400dcacdcac", ota.ImageNotify(100, *IDENTITY)),
    ("010201011d128400dbacdcac1111", ota.QueryNextImageRequest(MAKER, TYPE, 0xACDCACDB, 0x1111)),
    ("190202001d128400dcacdcac69010000", ota.QueryNextImageResponse(0, *IDENTITY, 361)),
    ("19020298", ota.QueryNextImageResponse(0x98)),
    ("010303021d128400dcacdcac000000003f0000", ota.ImageBlockRequest(*IDENTITY, 0, 63, None, 0)),
    ("190305001d128400dcacdcac00000000041ef1ee0b", ota.ImageBlockResponse(*IDENTITY, 0, bytes.fromhex("1ef1ee0b"))),
    ("19030597000000003c000000f401", ota.ImageBlockWait(0, 60, 500)),
    ("010404001d128400dcacdcac000000003200026400", ota.ImagePageRequest(*IDENTITY, 0, 50, 512, 100)),
    ("010506001d128400dcacdcac", ota.UpgradeEndRequest(0, *IDENTITY)),
    ("1905071d128400dcacdcac00000000ffffffff", ota.UpgradeEndResponse(*IDENTITY, 0, ota.UPGRADE_WAIT)),
]

identity = (uint16, uint16, uint32)
nodes = st.none() | st.builds(Eui64, uint64)
COMMANDS: list[st.SearchStrategy[ota.OtaCommand]] = [
    st.one_of(
        uint8.map(ota.ImageNotify),
        st.tuples(uint8, uint16).map(lambda fields: ota.ImageNotify(*fields)),
        st.tuples(uint8, uint16, uint16).map(lambda fields: ota.ImageNotify(*fields)),
        st.builds(ota.ImageNotify, uint8, *identity),
    ),
    st.builds(ota.QueryNextImageRequest, *identity, st.none() | uint16),
    st.builds(ota.QueryNextImageResponse, st.just(0), *identity, uint32)
    | st.integers(1, 255).map(ota.QueryNextImageResponse),
    st.builds(ota.ImageBlockRequest, *identity, uint32, uint8, nodes, st.none() | uint16),
    st.builds(ota.ImagePageRequest, *identity, uint32, uint8, uint16, uint16, nodes),
    st.builds(ota.ImageBlockResponse, *identity, uint32, st.binary(max_size=255)),
    st.builds(ota.ImageBlockWait, uint32, uint32, st.none() | uint16),
    st.builds(ota.ImageBlockRefused, st.sampled_from((0x95, 0x98))),
    st.builds(ota.UpgradeEndRequest, uint8, *identity),
    st.builds(ota.UpgradeEndResponse, *identity, uint32, uint32),
    st.builds(ota.QuerySpecificFileRequest, st.builds(Eui64, uint64), *identity, uint16),
    st.builds(ota.QuerySpecificFileResponse, st.just(0), *identity, uint32),
]


@pytest.mark.judge("zigpy")
@pytest.mark.parametrize(("octets", "command"), GOLDEN, ids=[type(command).__name__ for _, command in GOLDEN])
def test_golden_frame_decodes_and_encodes(octets: str, command: ota.OtaCommand) -> None:
    frame = ZclFrame.decode(bytes.fromhex(octets))
    decoded = ota.decode(frame)
    assert decoded == command
    assert type(decoded) is type(command)
    assert ota.encode(command, frame.transaction).hex() == octets


@pytest.mark.parametrize("commands", COMMANDS)
def test_command_survives_the_wire_and_noise_is_harmless(commands: st.SearchStrategy[ota.OtaCommand]) -> None:
    assert_codec(
        commands,
        lambda command: ota.encode(command, 7),
        lambda octets: ota.decode(ZclFrame.decode(octets)),
        examples=60,
    )


def test_wait_of_an_older_server_has_no_block_period() -> None:
    frame = ZclFrame.decode(bytes.fromhex("19030597000000003c000000"))
    assert ota.decode(frame) == ota.ImageBlockWait(0, 60)


def test_image_notify_cannot_leave_out_a_field_before_another() -> None:
    with pytest.raises(UsageError, match="Image Notify"):
        ota.encode(ota.ImageNotify(100, None, TYPE), 1)


def test_command_in_the_wrong_direction_is_refused() -> None:
    with pytest.raises(DecodeError, match="no OTA command 0x05"):
        ota.decode(ZclFrame.decode(bytes.fromhex("010305001d128400dcacdcac00000000041ef1ee0b")))


def test_appended_octets_are_ignored() -> None:
    frame = ZclFrame.decode(bytes.fromhex("010506001d128400dcacdcac" + "77"))
    assert ota.decode(frame) == ota.UpgradeEndRequest(0, *IDENTITY)
