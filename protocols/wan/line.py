"""Messages on a stream of octets between the DSP and a neighbour, a user or the CSP. The format is this project's own.

Each side numbers its messages, rising, and sends again what the other has not acknowledged; the receiver drops what it
has by number. An acknowledgement says that the message is stored, and carries the answer where there is one.
Frame: length of the rest (4 octets), kind (1), number (8), octets.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from protocols.errors import DecodeError

VERSION = 1
CSP = "csp"  # name of the CSP's line; a user's is its EUI-64, 16 lower hexadecimal digits
HIGHEST = (1 << 63) - 1  # number of a message; the lowest is 1
LARGEST = 32_000_000  # octets of a frame: the largest DUIS document, and room

_HEAD = struct.Struct(">IBQ")
_BEHIND_LENGTH = _HEAD.size - 4


class Kind(IntEnum):
    HELLO = 1  # first of the neighbour; number: VERSION, octets: the name of its line
    WELCOME = 2  # first of the DSP; number: of the last message it took from this line
    MESSAGE = 3
    ACKNOWLEDGEMENT = 4  # octets: the answer to a request, empty to anything else
    REFUSAL = 5  # last of the DSP; octets: why, UTF-8


class Frame(NamedTuple):
    kind: Kind
    number: int  # 64 bits
    octets: bytes = b""

    def encode(self) -> bytes:
        return _HEAD.pack(_BEHIND_LENGTH + len(self.octets), self.kind, self.number) + self.octets


def hello(line: str) -> bytes:
    """Return the frame that opens a line."""
    return Frame(Kind.HELLO, VERSION, line.encode()).encode()


def line_of(frame: Frame) -> str:
    """Return the line a first frame opens. Raises DecodeError if it is none, or one of a newer version."""
    if frame.kind is not Kind.HELLO:
        raise DecodeError("the first frame of a line is not a hello")
    if frame.number != VERSION:
        raise DecodeError(f"version {frame.number} of a line, {VERSION} is spoken here")
    try:
        return frame.octets.decode("ascii")
    except UnicodeDecodeError:
        raise DecodeError("the name of a line is not ASCII") from None


class FrameReader:
    """Cuts a stream into frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, octets: bytes) -> list[Frame]:
        """Take what came and return the frames that are whole now. Raises DecodeError, and nothing more can be read."""
        held = self._held
        held += octets
        frames, at = [], 0
        while len(held) - at >= _HEAD.size:
            length, kind, number = _HEAD.unpack_from(held, at)
            if not _BEHIND_LENGTH <= length <= LARGEST:
                raise DecodeError(f"frame of {length} octets on a line")
            end = at + 4 + length
            if len(held) < end:
                break
            try:
                frames.append(Frame(Kind(kind), number, bytes(held[at + _HEAD.size : end])))
            except ValueError:
                raise DecodeError(f"unknown kind {kind} of a frame on a line") from None
            at = end
        del held[:at]
        return frames
