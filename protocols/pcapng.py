"""Capture files of IEEE 802.15.4 frames with FCS (pcapng, link type 195), and the key table that Wireshark reads.

One section, an interface for each radio network, times in nanoseconds. Written little-endian, read either way, with
any link type of `protocols.link_types`.
Source: draft-ietf-opsawg-pcapng, Wireshark's `zigbee_pc_keys` table.
"""

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, Final, NamedTuple

from protocols.errors import DecodeError, InputError, TruncatedError
from protocols.link_types import WITH_FCS, Unwrap, unwrapping
from protocols.mac.frame import MAXIMUM_SIZE

_SECTION = 0x0A0D0D0A
_INTERFACE = 0x00000001
_ENHANCED_PACKET = 0x00000006
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_OPTION_COMMENT = 1
_OPTION_INTERFACE_NAME = 2
_OPTION_APPLICATION = 4  # of the section header
_OPTION_TIME_RESOLUTION = 9
_NANOSECONDS = 9  # as power of ten
_SNAP_LENGTH = 0  # no limit
_LENGTH = struct.Struct("<I")
_PADDING: Final = (b"", b"\0\0\0", b"\0\0", b"\0")


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + _PADDING[len(value) & 3]


def _block(block_type: int, body: bytes) -> bytes:
    length = _LENGTH.pack(len(body) + 12)
    return _LENGTH.pack(block_type) + length + body + length


def _packet(size: int) -> tuple[Callable[..., bytes], int]:
    """Return what packs the block of a frame of `size` octets, and the length of that block."""
    layout = struct.Struct(f"<7I{size}s{-size % 4}xI")
    return layout.pack, layout.size


_PACKETS: Final = tuple(_packet(size) for size in range(MAXIMUM_SIZE + 1))  # what the air can carry


def _commented(interface: int, time: int, octets: bytes, comment: str) -> bytes:
    """Return the block of a frame with a comment, or of one longer than the air can carry."""
    size = len(octets)
    options = _option(_OPTION_COMMENT, comment.encode()) + _option(0, b"") if comment else b""
    head = struct.pack("<5I", interface, time >> 32, time & 0xFFFFFFFF, size, size)
    return _block(_ENHANCED_PACKET, head + octets + _PADDING[size & 3] + options)


class PcapngWriter:
    """Writes to a binary file object as frames come; nothing is kept back."""

    def __init__(self, file: BinaryIO, application: str = "hanlab") -> None:
        self._write = file.write
        self._interfaces = 0
        self.frames = 0
        self.comments: list[str] = []  # lines of the comment of the next frame
        head = struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, -1)
        options = _option(_OPTION_APPLICATION, application.encode()) + _option(0, b"")
        file.write(_block(_SECTION, head + options))

    def interface(self, name: str) -> int:
        """Add an interface and return its number; all interfaces may be added before or between frames."""
        head = struct.pack("<HHI", WITH_FCS, 0, _SNAP_LENGTH)
        options = _option(_OPTION_INTERFACE_NAME, name.encode())
        options += _option(_OPTION_TIME_RESOLUTION, bytes((_NANOSECONDS,))) + _option(0, b"")
        self._write(_block(_INTERFACE, head + options))
        self._interfaces += 1
        return self._interfaces - 1

    def frame(self, interface: int, time: int, octets: bytes) -> None:
        """Write one frame with FCS. time: ns since 1970 UTC."""
        self.tap(interface)(time, octets)

    def tap(self, interface: int) -> Callable[[int, bytes], None]:
        """Return what writes the frames of one interface, called as `frame` is."""
        write, comments = self._write, self.comments

        def take(time: int, octets: bytes) -> None:
            self.frames += 1
            size = len(octets)
            if comments or size > MAXIMUM_SIZE:
                write(_commented(interface, time, octets, "\n".join(comments)))
                comments.clear()
                return
            pack, length = _PACKETS[size]
            write(pack(_ENHANCED_PACKET, length, interface, time >> 32, time & 0xFFFFFFFF, size, size, octets, length))

        return take


class BlockCutter:
    """Cuts the octets of a growing pcapng file into whole blocks."""

    def __init__(self) -> None:
        self._order, self._rest = "", b""

    def feed(self, octets: bytes) -> bytes:
        """Return the blocks that `octets` complete, joined; DecodeError for what is not pcapng."""
        data = self._rest + octets
        at = 0
        while at + 12 <= len(data):
            if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
                self._order = _byte_order(data[at : at + 12], at)
            elif not self._order:
                raise DecodeError("not a pcapng file", data=data)
            (length,) = struct.unpack_from(self._order + "I", data, at + 4)
            if length < 12 or length % 4:
                raise DecodeError(f"a block of {length} octets", offset=at)
            if at + length > len(data):
                break
            at += length
        self._rest = data[at:]
        return data[:at]


class CapturedFrame(NamedTuple):
    number: int  # from 1, as Wireshark counts
    network: str  # name of the interface
    time: int  # ns since 1970 UTC
    octets: bytes  # with FCS
    comment: str


class _Interface(NamedTuple):
    name: str
    tick: int  # ns, numerator
    per: int  # denominator
    unwrap: Unwrap


def read_frames(file: BinaryIO) -> Iterator[CapturedFrame]:
    """Yield the frames of a capture.

    Raises DecodeError for a file that is not pcapng, has another link type or contradicts itself, TruncatedError when
    it stops inside a block.
    """
    order, interfaces, number = "<", list[_Interface](), 0
    position = 0
    head = file.read(12)
    while head:
        if len(head) < 12:
            raise TruncatedError("a block header expected", offset=position, data=head)
        if head[:4] == b"\x0a\x0d\x0d\x0a":
            order, interfaces = _byte_order(head, position), []
        elif not position:
            raise DecodeError("not a pcapng file", data=head)
        block_type, length = struct.unpack_from(order + "II", head)
        body = _read_body(file, head, order, length, position)
        if block_type == _INTERFACE:
            interfaces.append(_read_interface(body, order, position))
        elif block_type == _ENHANCED_PACKET:
            number += 1
            frame = _read_packet(body, order, interfaces, number, position)
            if frame is not None:
                yield frame
        position += length
        head = file.read(12)


def _byte_order(head: bytes, position: int) -> str:
    for order in "<>":
        if struct.unpack_from(order + "I", head, 8)[0] == _BYTE_ORDER_MAGIC:
            return order
    raise DecodeError("no byte-order magic", offset=position + 8, data=head)


def _read_body(file: BinaryIO, head: bytes, order: str, length: int, position: int) -> bytes:
    """Return the body of a block whose first 12 octets are `head`, less both lengths."""
    if length < 12 or length % 4:
        raise DecodeError(f"a block of {length} octets", offset=position)
    data = head[8:] + file.read(length - 12)
    if len(data) < length - 8:
        raise TruncatedError("the file stops inside a block", offset=position + 8 + len(data))
    if struct.unpack_from(order + "I", data, len(data) - 4)[0] != length:
        raise DecodeError("the two lengths of a block differ", offset=position)
    return data[:-4]


def _options(body: bytes, at: int, order: str) -> Iterator[tuple[int, bytes]]:
    while at + 4 <= len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        if not code:
            return
        at += 4
        if at + size > len(body):
            raise TruncatedError("an option stops early", offset=at, data=body)
        yield code, body[at : at + size]
        at += size + -size % 4


def _read_interface(body: bytes, order: str, position: int) -> _Interface:
    if len(body) < 8:
        raise TruncatedError("interface description expected", offset=position)
    (link_type,) = struct.unpack_from(order + "H", body)
    unwrap = unwrapping(link_type, position)
    name, tick, per = "", 1000, 1
    for code, value in _options(body, 8, order):
        if code == _OPTION_INTERFACE_NAME:
            name = value.decode(errors="replace")
        elif code == _OPTION_TIME_RESOLUTION and value:
            power = value[0] & 0x7F
            tick, per = 1_000_000_000, 2**power if value[0] & 0x80 else 10**power
    return _Interface(name, tick, per, unwrap)


def _read_packet(
    body: bytes, order: str, interfaces: list[_Interface], number: int, position: int
) -> CapturedFrame | None:
    """Return the frame of a packet, None if it carries none."""
    if len(body) < 20:
        raise TruncatedError("enhanced packet expected", offset=position)
    index, high, low, captured, original = struct.unpack_from(order + "IIIII", body)
    if index >= len(interfaces):
        raise DecodeError(f"frame {number} of an interface not described", offset=position)
    if captured != original or 20 + captured > len(body):
        raise DecodeError(f"frame {number} is cut short", offset=position)
    octets, end = body[20 : 20 + captured], 20 + captured + -captured % 4
    comment = ""
    if end < len(body):
        comments = [value for code, value in _options(body, end, order) if code == _OPTION_COMMENT]
        comment = "\n".join(value.decode(errors="replace") for value in comments)
    network, tick, per, unwrap = interfaces[index]
    frame = unwrap(octets)
    return None if frame is None else CapturedFrame(number, network, (high << 32 | low) * tick // per, frame, comment)


class CaptureKey(NamedTuple):
    """A row of the key table. Labels of a run: `network key <extended PAN id>` and `link key <eui>`."""

    key: bytes  # 16 octets
    label: str


def key_row(key: bytes, label: str) -> str:
    """Return the line (with newline) of one key in transmission order."""
    if len(key) != 16 or any(character in '"\\\r\n' for character in label):
        raise InputError(f"not a key of 16 octets with a plain label: {label!r}")
    return f'"{key.hex(":").upper()}","Normal","{label}"\n'


def read_keys(text: str) -> list[CaptureKey]:
    """Read the rows of a key table; InputError names the line that is not one."""
    return [_read_key(line, number) for number, line in enumerate(text.splitlines(), 1) if _is_row(line)]


def write_keys(keys: Iterable[CaptureKey]) -> str:
    """Return the text of a key table."""
    return "".join(key_row(key, label) for key, label in keys)


def _is_row(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _read_key(line: str, number: int) -> CaptureKey:
    fields = line.strip().split(",")
    if len(fields) == 3 and all(len(field) >= 2 and field[0] == field[-1] == '"' for field in fields):
        digits, order, label = (field[1:-1] for field in fields)
        try:
            key = bytes.fromhex(digits.replace(":", ""))
        except ValueError:
            key = b""
        if len(key) == 16 and order in ("Normal", "Reverse"):
            return CaptureKey(key if order == "Normal" else key[::-1], label)
    raise InputError(f"line {number} of the key table is not a row of key, byte order and label")
