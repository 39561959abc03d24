"""Classic capture files, and captures without FCS."""

import io
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import DecodeError, TruncatedError
from protocols.mac.frame import acknowledgement, fcs
from protocols.pcap import NETWORK, read_any, read_frames
from protocols.pcapng import CapturedFrame, PcapngWriter
from tests.support.tools import require_tool

START = 1_772_442_000_123_456_789
BARE = acknowledgement(7, pending=False)
FRAME = BARE + fcs(BARE)


def classic(
    magic: int = 0xA1B2C3D4, order: str = "<", link_type: int = 195, frame: bytes = FRAME, original: int | None = None
) -> bytes:
    """Return a file of two frames, 1 s and 5 units apart."""
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
    size = len(frame) if original is None else original
    records = [struct.pack(order + "IIII", 100 + n, 5 * n, len(frame), size) + frame for n in range(2)]
    return head + b"".join(records)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "unit"), [(0xA1B2C3D4, 1_000), (0xA1B23C4D, 1)], ids=["us", "ns"])
def test_frames_come_back_in_either_order_and_resolution(order: str, magic: int, unit: int) -> None:
    assert list(read_any(io.BytesIO(classic(magic, order)))) == [
        CapturedFrame(1, NETWORK, 100 * 10**9, FRAME, ""),
        CapturedFrame(2, NETWORK, 101 * 10**9 + 5 * unit, FRAME, ""),
    ]


def test_a_frame_without_fcs_gets_it() -> None:
    frames = list(read_any(io.BytesIO(classic(link_type=230, frame=BARE))))
    assert [frame.octets for frame in frames] == [FRAME, FRAME]


def test_a_pcapng_file_without_fcs_gets_it() -> None:
    file = io.BytesIO()
    writer = PcapngWriter(file)
    writer.frame(writer.interface("sniffer"), START, BARE)
    octets = file.getvalue().replace(struct.pack("<HHI", 195, 0, 0), struct.pack("<HHI", 230, 0, 0))
    assert [frame.octets for frame in read_any(io.BytesIO(octets))] == [FRAME]


@pytest.mark.parametrize(
    ("octets", "error", "what"),
    [
        (b"not a capture at all, by no means", DecodeError, "not a pcap"),
        (classic(link_type=127), DecodeError, "link type 127"),
        (classic(original=200), DecodeError, "frame 1 is cut short"),
        (classic()[:20], TruncatedError, "file header"),
        (classic()[:30], TruncatedError, "inside a record"),
        (classic()[:-1], TruncatedError, "inside a frame"),
    ],
)
def test_what_is_no_capture_is_refused(octets: bytes, error: type[DecodeError], what: str) -> None:
    with pytest.raises(error, match=what):
        list(read_frames(io.BytesIO(octets)))


@settings(deadline=None, database=None)
@given(st.integers(0, 100), st.binary(min_size=1, max_size=4))
def test_damage_is_read_or_refused_never_a_crash(at: int, damage: bytes) -> None:
    octets = classic()
    try:
        frames = list(read_any(io.BytesIO(octets[:at] + damage + octets[at + len(damage) :])))
    except DecodeError:
        return
    assert len(frames) <= 3


@pytest.mark.judge("tshark")
def test_a_file_that_tshark_converted_reads_the_same(tmp_path: Path) -> None:
    source, converted = tmp_path / "source.pcapng", tmp_path / "converted.pcap"
    with source.open("wb") as file:
        writer = PcapngWriter(file)
        han = writer.interface("home-1 2.4 GHz")
        for number in range(5):
            writer.frame(han, START + number, FRAME)
    command = [require_tool("tshark"), "-r", str(source), "-F", "nsecpcap", "-w", str(converted)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with converted.open("rb") as file:
        assert [(frame.time, frame.octets) for frame in read_any(file)] == [(START + n, FRAME) for n in range(5)]
