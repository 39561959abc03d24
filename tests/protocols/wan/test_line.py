"""Frames of a line between the DSP and a neighbour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import DecodeError
from protocols.wan.line import LARGEST, VERSION, Frame, FrameReader, Kind, hello, line_of

FRAMES = st.builds(Frame, st.sampled_from(Kind), st.integers(0, 2**64 - 1), st.binary(max_size=40))


@given(st.lists(FRAMES, max_size=8), st.data())
def test_frames_come_out_as_they_went_in_however_the_stream_is_cut(frames: list[Frame], data: st.DataObject) -> None:
    octets = b"".join(frame.encode() for frame in frames)
    reader, found = FrameReader(), list[Frame]()
    while octets:
        cut = data.draw(st.integers(1, len(octets)))
        found += reader.feed(octets[:cut])
        octets = octets[cut:]
    assert found == frames


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"\0\0\0\x09\x07" + bytes(8), "unknown kind 7"),
        (b"\0\0\0\x08\x03" + bytes(8), "frame of 8 octets"),
        ((LARGEST + 1).to_bytes(4, "big") + b"\x03" + bytes(8), f"frame of {LARGEST + 1} octets"),
    ],
)
def test_what_is_no_frame_is_refused_before_it_is_read(octets: bytes, said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        FrameReader().feed(octets)


def test_a_hello_names_its_line() -> None:
    (frame,) = FrameReader().feed(hello("csp"))
    assert line_of(frame) == "csp"


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (Frame(Kind.MESSAGE, 1, b"csp"), "not a hello"),
        (Frame(Kind.HELLO, VERSION + 1, b"csp"), f"version {VERSION + 1} of a line"),
        (Frame(Kind.HELLO, VERSION, b"\xff"), "not ASCII"),
    ],
)
def test_other_openings_are_refused(frame: Frame, said: str) -> None:
    with pytest.raises(DecodeError, match=said):
        line_of(frame)
