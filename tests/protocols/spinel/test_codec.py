"""Spinel and HDLC-lite: round trips, noise, and octets as another implementation writes them."""

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.octets import Reader
from protocols.spinel.frame import PropertyValue, SpinelFrame, last_status, value_is
from protocols.spinel.hdlc import FLAG, MAXIMUM_BODY, Deframer, check_sequence, enclose
from protocols.spinel.numbers import Command, Property, Status
from protocols.spinel.packed import MAXIMUM, read_packed, write_packed
from protocols.spinel.stream import FrameHeard, FrameToSend
from protocols.spinel.values import TYPES, read_value, write_value
from tests.support.codec_property import assert_codec, uint8, uint16, uint32, uint64

# Written by zigbee-on-host 0.3.0 (spinel.js: encodeSpinelFrame of a property command), read from its output.
FOREIGN = [
    ("7e810201c5b27e", SpinelFrame(1, Command.PROP_VALUE_GET, PropertyValue(Property.PROTOCOL_VERSION).encode())),
    ("7e8402b001033d7e", SpinelFrame(4, Command.PROP_VALUE_GET, PropertyValue(Property.RCP_API_VERSION).encode())),
    ("7e86010233267e", SpinelFrame(6, Command.RESET, b"\x02")),
    ("7e8803210b345f7e", SpinelFrame(8, Command.PROP_VALUE_SET, PropertyValue(Property.PHY_CHAN, b"\x0b").encode())),
    (
        "7e8903345a6f486f6e5a324df4a17e",
        SpinelFrame(9, Command.PROP_VALUE_SET, PropertyValue(Property.MAC_15_4_LADDR, b"ZoHonZ2M").encode()),
    ),
    ("7e83067d317d337d5e7d5d7dd829487e", SpinelFrame(3, Command.PROP_VALUE_IS, b"\x11\x13\x7e\x7d\xf8")),
]
# writePropertyStreamRaw of the same: the property's number, then its value.
FOREIGN_STREAM = "710a00030801ffffffff07abcd0b01040101000100000000000000000b"


@pytest.mark.judge("zoh")
@pytest.mark.parametrize(("octets", "frame"), FOREIGN)
def test_frames_are_those_of_another_implementation(octets: str, frame: SpinelFrame) -> None:
    assert enclose(frame.encode()).hex() == octets
    assert [SpinelFrame.decode(body) for body in Deframer().feed(bytes.fromhex(octets))] == [frame]


@pytest.mark.judge("zoh")
def test_a_foreign_frame_to_send_is_read_field_by_field() -> None:
    number, value = PropertyValue.decode(bytes.fromhex(FOREIGN_STREAM))
    request = FrameToSend.decode(value)
    assert number == Property.STREAM_RAW
    assert request.frame.hex() == "030801ffffffff07abcd"
    assert (request.channel, request.backoffs, request.retries, request.csma) == (11, 1, 4, True)
    assert (request.header_updated, request.is_retransmission, request.security_done) == (True, False, True)
    assert (request.delay, request.delay_base, request.channel_after) == (0, 0, 11)
    assert value == request.encode()


def test_a_host_may_leave_out_how_to_send() -> None:
    short = FrameToSend.decode(bytes.fromhex("0500" + "0300aa1234" + "14"))
    assert short == FrameToSend(bytes.fromhex("0300aa1234"), 20, channel_after=20)


def test_the_check_value_of_crc_16_x_25() -> None:
    assert check_sequence(b"123456789").hex() == "6e90"


frames = st.builds(SpinelFrame, st.integers(0, 15), uint32, st.binary(max_size=40), st.integers(0, 3))


def test_spinel_frames_survive_the_wire() -> None:
    assert_codec(frames, SpinelFrame.encode, SpinelFrame.decode)
    assert_codec(st.builds(PropertyValue, uint32, st.binary()), PropertyValue.encode, PropertyValue.decode)


def test_stream_values_survive_the_wire() -> None:
    flags = (st.booleans(),) * 4
    sent = st.builds(FrameToSend, st.binary(max_size=127), uint8, uint8, uint8, *flags, uint32, uint32, uint8)
    int8 = st.integers(-128, 127)
    heard = st.builds(FrameHeard, st.binary(max_size=127), int8, int8, uint16, uint8, uint8, uint64, uint8)
    assert_codec(sent, FrameToSend.encode, FrameToSend.decode)
    assert_codec(heard, FrameHeard.encode, FrameHeard.decode)


@pytest.mark.parametrize(("value", "octets"), [(0, "00"), (127, "7f"), (128, "8001"), (176, "b001"), (1337, "b90a")])
def test_packed_integers_put_seven_bits_in_an_octet(value: int, octets: str) -> None:
    assert write_packed(value).hex() == octets
    assert read_packed(Reader(bytes.fromhex(octets))) == value


def test_packed_integers_are_bounded() -> None:
    assert_codec(uint32, write_packed, lambda octets: read_packed(Reader(octets)))
    for octets in (b"\xff\xff\xff\xff\x7f", b"\x80\x80\x80\x80\x80\x00"):
        with pytest.raises(DecodeError):
            read_packed(Reader(octets))
    with pytest.raises(UsageError):
        write_packed(MAXIMUM + 1)


VALUES = [
    (Property.PROTOCOL_VERSION, (4, 3), "0403"),
    (Property.NCP_VERSION, "RCP", "52435000"),
    (Property.INTERFACE_TYPE, 3, "03"),
    (Property.CAPS, (24, 513), "188104"),
    (Property.PHY_ENABLED, True, "01"),
    (Property.PHY_RSSI, -100, "9c"),
    (Property.MAC_15_4_LADDR, Eui64(0x5A6F486F6E5A324D), "5a6f486f6e5a324d"),
    (Property.MAC_15_4_PANID, 0x1A62, "621a"),
    (Property.MAC_SCAN_MASK, (11, 26), "0b1a"),
    (Property.MAC_ENERGY_SCAN_RESULT, (20, -58), "14c6"),
    (Property.MAC_SRC_MATCH_SHORT_ADDRESSES, (0x1234, 1), "34120100"),
]


@pytest.mark.parametrize(("number", "value", "octets"), VALUES)
def test_values_have_the_octets_of_their_type(number: int, value: int, octets: str) -> None:
    assert write_value(number, value).hex() == octets
    assert read_value(number, bytes.fromhex(octets)) == value


@settings(max_examples=200, deadline=None, database=None)
@given(st.sampled_from(sorted(TYPES)), st.binary(max_size=24))
def test_noise_in_values_decodes_to_a_fixed_point_or_raises(number: int, octets: bytes) -> None:
    try:
        value = read_value(number, octets)
    except DecodeError:
        return
    assert read_value(number, write_value(number, value)) == value


@pytest.mark.parametrize(
    ("number", "value"), [(Property.PHY_CHAN, "x"), (Property.CAPS, 1), (Property.NCP_VERSION, "a\0"), (9999, 1)]
)
def test_values_of_another_type_are_our_own_mistake(number: int, value: int) -> None:
    with pytest.raises(UsageError):
        write_value(number, value)


# --- framing ---------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(st.binary(min_size=1, max_size=30), max_size=5), st.data())
def test_bodies_survive_a_line_that_cuts_anywhere(bodies: list[bytes], data: st.DataObject) -> None:
    octets = b"".join(map(enclose, bodies))
    deframer, found = Deframer(), []
    while octets:
        cut = data.draw(st.integers(1, len(octets)))
        found += deframer.feed(octets[:cut])
        octets = octets[cut:]
    assert found == bodies
    assert deframer.bad == 0


def test_frames_may_share_a_flag() -> None:
    assert Deframer().feed(enclose(b"one")[:-1] + enclose(b"two")) == [b"one", b"two"]


@settings(max_examples=200, deadline=None, database=None)
@given(st.binary(max_size=80))
def test_noise_never_hides_the_next_good_frame(noise: bytes) -> None:
    deframer = Deframer()
    deframer.feed(noise)
    assert deframer.feed(bytes((FLAG,)) + enclose(b"good"))[-1:] == [b"good"]


@pytest.mark.parametrize(
    "octets",
    [
        b"\x7e\x81\x02\x01\xc5\xb3\x7e",  # wrong check sequence
        b"\x7e\x81\x02\x7e",  # no room for one
        b"\x7e\x81\x02\x01\xc5\xb2\x7d\x7e",  # cut by an escape
        b"\x7e" + bytes(MAXIMUM_BODY + 3) + b"\x7e",  # too long
    ],
)
def test_bad_frames_are_dropped_and_counted(octets: bytes) -> None:
    deframer = Deframer()
    assert deframer.feed(octets) == []
    assert deframer.bad == 1
    assert deframer.feed(enclose(b"next")) == [b"next"]


def test_what_stands_before_the_first_flag_is_skipped() -> None:
    deframer = Deframer()
    assert deframer.feed(b"\x02\x03" + enclose(b"x")) == [b"x"]
    assert deframer.bad == 0


def test_a_header_that_is_not_spinels_is_refused() -> None:
    with pytest.raises(DecodeError):
        SpinelFrame.decode(b"\x41\x02\x01")


def test_statuses_are_unsolicited_unless_they_answer() -> None:
    assert last_status(Status.RESET_SOFTWARE).encode().hex() == "80060072"
    assert last_status(Status.NO_ACK, 7).encode().hex() == "87060011"
    assert value_is(Property.PHY_RSSI, b"\x9c", 3).encode().hex() == "8306269c"
