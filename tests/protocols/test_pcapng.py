"""Capture files and key tables."""

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import DecodeError, InputError, TruncatedError
from protocols.mac.frame import acknowledgement, fcs
from protocols.pcapng import (
    BlockCutter,
    CapturedFrame,
    CaptureKey,
    PcapngWriter,
    key_row,
    read_frames,
    read_keys,
    write_keys,
)
from tests.support import tshark

START = 1_772_442_000_123_456_789
FRAME = acknowledgement(7, pending=False)
FRAME += fcs(FRAME)


def _written() -> bytes:
    file = io.BytesIO()
    writer = PcapngWriter(file)
    han, backhaul = writer.interface("home-1 2.4 GHz"), writer.interface("home-1 backhaul")
    writer.frame(han, START, FRAME)
    writer.comments.append("collided at bridge-3")
    writer.frame(backhaul, START + 1, FRAME)
    return file.getvalue()


def _read(octets: bytes) -> list[CapturedFrame]:
    return list(read_frames(io.BytesIO(octets)))


def test_frames_come_back_with_network_time_and_comment() -> None:
    assert _read(_written()) == [
        CapturedFrame(1, "home-1 2.4 GHz", START, FRAME, ""),
        CapturedFrame(2, "home-1 backhaul", START + 1, FRAME, "collided at bridge-3"),
    ]


@pytest.mark.judge("tshark")
def test_wireshark_reads_the_same(tmp_path: Path) -> None:
    capture = tmp_path / "capture.pcapng"
    capture.write_bytes(_written())
    names = ["frame.time_epoch", "frame.interface_name", "frame.comment", "wpan.fcs_ok", "wpan.seq_no"]
    assert tshark.fields(capture, "", names) == [
        ["1772442000.123456789", "home-1 2.4 GHz", "", "1", "7"],
        ["1772442000.123456790", "home-1 backhaul", "collided at bridge-3", "1", "7"],
    ]
    assert tshark.faults(capture, "") == []


@pytest.mark.judge("tshark")
def test_wrong_fcs_is_a_fault_to_wireshark(tmp_path: Path) -> None:
    """So that the helper's verdict of no faults means something."""
    file = io.BytesIO()
    writer = PcapngWriter(file)
    writer.interface("home-1 2.4 GHz")
    writer.frame(0, START, FRAME[:-1] + b"\0")
    capture = tmp_path / "capture.pcapng"
    capture.write_bytes(file.getvalue())
    assert [fault[0] for fault in tshark.faults(capture, "")] == ["1"]


def test_big_endian_files_and_microseconds_are_read() -> None:
    def block(kind: int, body: bytes) -> bytes:
        return struct.pack(">II", kind, len(body) + 12) + body + struct.pack(">I", len(body) + 12)

    octets = block(0x0A0D0D0A, struct.pack(">IHHq", 0x1A2B3C4D, 1, 0, -1))
    octets += block(1, struct.pack(">HHI", 195, 0, 0))
    octets += block(5, bytes(12))  # interface statistics, skipped
    octets += block(6, struct.pack(">IIIII", 0, 0, 12, 4, 4) + b"\1\2\3\4")
    assert _read(octets) == [CapturedFrame(1, "", 12_000, b"\1\2\3\4", "")]


def test_cut_file_is_truncated_at_every_octet() -> None:
    octets = _written()
    whole = 0
    for size in range(len(octets)):
        try:
            _read(octets[:size])
            whole += 1
        except TruncatedError:
            pass
    assert whole == 5  # empty, and after each block but the last


@pytest.mark.parametrize(
    ("altered", "what"),
    [
        (b"\xd4\xc3\xb2\xa1" + bytes(20), "not a pcapng"),
        (_written()[:8] + bytes(4) + _written()[12:], "magic"),
        (_written().replace(struct.pack("<HHI", 195, 0, 0), struct.pack("<HHI", 231, 0, 0)), "link type 231"),
        (_written()[:-4] + bytes(4), "lengths"),
    ],
)
def test_other_files_are_refused(altered: bytes, what: str) -> None:
    with pytest.raises(DecodeError, match=what):
        _read(altered)


@settings(deadline=None, database=None)
@given(st.integers(0, 400), st.binary(min_size=1, max_size=4))
def test_damage_is_read_or_refused_never_a_crash(at: int, damage: bytes) -> None:
    octets = _written()
    try:
        frames = _read(octets[:at] + damage + octets[at + len(damage) :])
    except DecodeError:
        return
    assert len(frames) <= 2


KEYS = [CaptureKey(bytes(range(16)), "nwk home-1"), CaptureKey(bytes(16), "link 00db1234567890a1")]


def test_key_table_comes_back() -> None:
    assert read_keys("# keys\n\n" + write_keys(KEYS)) == KEYS
    assert key_row(*KEYS[0]) == '"00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F","Normal","nwk home-1"\n'


def test_reversed_key_is_turned_round() -> None:
    assert read_keys('"0f0e0d0c0b0a09080706050403020100","Reverse","x"') == [CaptureKey(bytes(range(16)), "x")]


@pytest.mark.parametrize("row", ["key", '"00","Normal","x"', '"zz","Normal","x"', '"' + "00" * 16 + '","Other","x"'])
def test_row_that_is_none_is_named(row: str) -> None:
    with pytest.raises(InputError, match="line 2 of the key table"):
        read_keys("\n" + row)


def test_label_cannot_break_the_table() -> None:
    with pytest.raises(InputError, match="plain label"):
        key_row(bytes(16), 'a"b')


@given(st.lists(st.integers(1, 60), max_size=40))
def test_a_growing_file_is_cut_into_whole_blocks(sizes: list[int]) -> None:
    octets, cutter, at, got = _written(), BlockCutter(), 0, b""
    for size in [*sizes, len(octets)]:
        blocks = cutter.feed(octets[at : at + size])
        at += size
        got += blocks
        assert octets.startswith(got)
        if blocks:
            assert struct.unpack("<I", blocks[-4:])[0] <= len(blocks)
    assert got == octets


def test_a_growing_file_that_is_no_pcapng_is_refused() -> None:
    with pytest.raises(DecodeError, match="not a pcapng"):
        BlockCutter().feed(b"no capture, by no means")
