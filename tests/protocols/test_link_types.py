"""Frames as the sniffers of a lab pack them: TAP headers, and ZEP over UDP."""

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import DecodeError
from protocols.link_types import unwrapping
from protocols.mac.frame import acknowledgement, fcs
from protocols.pcap import read_any
from tests.support import tshark

BARE = bytes.fromhex("61880762 1a111100 00") + bytes(range(30))
FRAME = BARE + fcs(BARE)
ACK = acknowledgement(7, pending=False)
CHIP = BARE + b"\xc4\xeb"  # level and "CRC good" in place of the FCS
SPOILT = BARE + b"\xc4\x6b"
ETHERNET, NO_FCS, TAP = 1, 230, 283


def field(kind: int, value: bytes) -> bytes:
    return struct.pack("<HH", kind, len(value)) + value + bytes(-len(value) % 4)


def tap(*fields: bytes, frame: bytes = FRAME) -> bytes:
    inner = b"".join(fields)
    return struct.pack("<BxH", 0, 4 + len(inner)) + inner + frame


CHANNEL = field(3, struct.pack("<HB", 15, 0))
LEVEL, FCS_16, FCS_32, NO_FCS_FIELD = (
    field(1, struct.pack("<f", -60)),
    field(0, b"\1"),
    field(0, b"\2"),
    field(0, b"\0"),
)


def zep(frame: bytes, *, version: int = 2, has_fcs: bool = True, kind: int = 1) -> bytes:
    about = struct.pack(">BHBB", 15, 1, has_fcs, 170)
    if version == 1:
        return b"EX\1" + about + bytes(7) + bytes((len(frame),)) + frame
    return b"EX\2" + bytes((kind,)) + about + struct.pack(">QI10xB", 0, 9, len(frame)) + frame


def datagram(payload: bytes, *, port: int = 17_754, protocol: int = 17, tag: bytes = b"") -> bytes:
    udp = struct.pack(">HHHH", port, port, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, protocol, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
    return bytes(12) + tag + b"\x08\0" + ip + udp


def capture(link_type: int, *packets: bytes) -> bytes:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    return head + b"".join(struct.pack("<IIII", 100, 0, len(each), len(each)) + each for each in packets)


PACKED = {
    "TAP with FCS": (TAP, tap(FCS_16, LEVEL, CHANNEL), FRAME),
    "TAP without FCS": (TAP, tap(CHANNEL, NO_FCS_FIELD, frame=BARE), FRAME),
    "TAP that does not say": (TAP, tap(CHANNEL, frame=BARE), FRAME),
    "ZEP 2 with FCS": (ETHERNET, datagram(zep(FRAME)), FRAME),
    "ZEP 1 with FCS": (ETHERNET, datagram(zep(FRAME, version=1)), FRAME),
    "ZEP 2 of a chip": (ETHERNET, datagram(zep(CHIP, has_fcs=False)), FRAME),
    "ZEP 1 of a chip": (ETHERNET, datagram(zep(CHIP, has_fcs=False, version=1)), FRAME),
    "ZEP in a VLAN": (ETHERNET, datagram(zep(FRAME), tag=b"\x81\0\0\5"), FRAME),
    "padded to the least of an Ethernet": (ETHERNET, datagram(zep(ACK + fcs(ACK))) + bytes(20), ACK + fcs(ACK)),
}


@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED)
def test_the_frame_comes_back_with_its_fcs(packed: tuple[int, bytes, bytes]) -> None:
    link_type, packet, frame = packed
    assert [each.octets for each in read_any(io.BytesIO(capture(link_type, packet)))] == [frame]


@pytest.mark.judge("tshark")
@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED)
def test_wireshark_finds_the_same_frame(packed: tuple[int, bytes, bytes], tmp_path: Path) -> None:
    link_type, packet, frame = packed
    (tmp_path / "lab.pcap").write_bytes(capture(link_type, packet))
    seen = tshark.fields(tmp_path / "lab.pcap", "", ["wpan.seq_no", "wpan.fcs_ok"])
    assert seen[0][0] == str(frame[2])
    assert seen[0][1] in ("1", "")


def test_a_frame_whose_fcs_a_chip_found_bad_stays_bad() -> None:
    (frame,) = read_any(io.BytesIO(capture(ETHERNET, datagram(zep(SPOILT, has_fcs=False)))))
    assert frame.octets[:-2] == BARE
    assert frame.octets[-2:] != fcs(BARE)


def test_other_traffic_is_passed_over_and_frames_keep_the_number_wireshark_gives_them() -> None:
    others = (
        bytes(12) + b"\x08\6" + bytes(28), datagram(b"a question", port=53), datagram(zep(FRAME), protocol=6),
        datagram(zep(b"", kind=2)[:8]), datagram(b"EX\3" + bytes(40)), bytes(12) + b"\x08\0" + b"\x45",
    )  # fmt: skip
    frames = list(read_any(io.BytesIO(capture(ETHERNET, *others, datagram(zep(FRAME))))))
    assert [(each.number, each.octets) for each in frames] == [(7, FRAME)]


@pytest.mark.parametrize(
    ("link_type", "packet", "what"),
    [
        (TAP, b"\0\0", "TAP header expected"),
        (TAP, b"\1\0\4\0" + FRAME, "version 1"),
        (TAP, b"\0\0\xff\0" + FRAME, "255 octets"),
        (TAP, tap(FCS_32), "FCS type 2"),
        (ETHERNET, datagram(zep(FRAME)[:20]), "ZEP header expected"),
        (ETHERNET, datagram(zep(FRAME) + b"\0"), "another length"),
        (127, FRAME, "link type 127; those with IEEE 802.15.4 frames: 1, 195, 230, 283"),
    ],
)
def test_what_contradicts_itself_is_refused(link_type: int, packet: bytes, what: str) -> None:
    with pytest.raises(DecodeError, match=what):
        list(read_any(io.BytesIO(capture(link_type, packet))))


@settings(deadline=None, database=None)
@given(st.sampled_from((ETHERNET, NO_FCS, TAP)), st.sampled_from(list(PACKED.values())), st.data())
def test_noise_is_a_frame_or_nothing_or_refused(
    link_type: int, packed: tuple[int, bytes, bytes], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(packed[1])))
    noise = packed[1][:at] + data.draw(st.binary(max_size=8)) + packed[1][at + 4 :]
    try:
        found = unwrapping(link_type, 0)(noise)
    except DecodeError:
        return
    assert found is None or len(found) <= len(noise) + 2
