"""Messages too long for one transfer: split into blocks and joined again.

A block has a routing header, which repeats the identities of the message, and a DLMS general-block-transfer header. It
has no protection of its own; the joined octets are a message with signature and MAC. Source: GBCS section on block
transfer as public dissectors have it; no reference message shows one, and `window` and the largest block are inferred.
"""

import struct
from dataclasses import dataclass, field
from typing import Self

from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.lengths import encode_length, read_length
from protocols.octets import Reader

LARGEST = 1200  # octets of a block, and of a message that goes in one piece
OVERHEAD = 51  # octets around 256 or more octets of data

_TAG = b"\xdd\x09"
_ROUTING = struct.Struct(">BQBQBQ")
_FIXED = bytes.fromhex("0002")  # no date-time; two octets of other information
_SECURITY_HEADER = bytes.fromhex("1100000000")
_GENERAL_BLOCK_TRANSFER = 0xE0
_LAST, _STREAMING, _WINDOW = 0x80, 0x40, 0x3F
_MOST_BLOCKS = 0xFFFF
_LARGEST_MESSAGE = 1 << 16  # octets a receiver keeps of one message


def is_block(octets: bytes) -> bool:
    """Tell a block from a whole message."""
    return octets.startswith(_TAG)


@dataclass(frozen=True, slots=True)
class Route:
    """What a block's routing header repeats of its message."""

    cra: Cra
    counter: int  # 64 bits, originator counter
    originator: Eui64
    target: Eui64
    message_code: int  # 16 bits

    @classmethod
    def of(cls, message: Message) -> Self:
        return cls(message.cra, message.counter, message.originator, message.target, message.message_code)


@dataclass(frozen=True, slots=True)
class Block:
    """One block. Without data it acknowledges."""

    route: Route
    number: int  # 16 bits, from 1
    acknowledged: int  # 16 bits, the highest number up to which all were received
    data: bytes
    last: bool = False
    streaming: bool = False  # more blocks follow without waiting for an acknowledgement
    window: int = 1  # 6 bits, blocks the sender of this one can take at once

    def encode(self) -> bytes:
        route = self.route
        control = (_LAST if self.last else 0) | (_STREAMING if self.streaming else 0) | self.window
        transfer = struct.pack(">BBHH", _GENERAL_BLOCK_TRANSFER, control, self.number, self.acknowledged)
        body = _SECURITY_HEADER + transfer + encode_length(len(self.data)) + self.data
        routing = _ROUTING.pack(route.cra, route.counter, 8, route.originator, 8, route.target)
        code = _FIXED + route.message_code.to_bytes(2, "big") + b"\x00"
        return _TAG + routing + code + encode_length(len(body)) + body

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read one block; DecodeError for a wrong fixed value or length, and for anything left over."""
        reader = Reader(octets)
        _expect(reader, _TAG, "tag of a block")
        route = _read_route(reader)
        length = read_length(reader)
        if length != reader.remaining:
            raise DecodeError(
                f"{length} octets announced, {reader.remaining} follow", offset=reader.offset, data=octets
            )
        _expect(reader, _SECURITY_HEADER, "security header")
        _expect(reader, bytes((_GENERAL_BLOCK_TRANSFER,)), "tag of a general block transfer")
        control, number, acknowledged = reader.uint8(), reader.uint_be(2), reader.uint_be(2)
        data = reader.octets(read_length(reader))
        reader.finish("octets after the data of a block")
        last, streaming = bool(control & _LAST), bool(control & _STREAMING)
        return cls(route, number, acknowledged, data, last, streaming, control & _WINDOW)


def split(octets: bytes, largest: int = LARGEST) -> list[bytes]:
    """Return a message as it goes out: itself if it is short enough, else blocks of at most `largest` octets each."""
    if len(octets) <= largest:
        return [octets]
    size = largest - OVERHEAD
    if size <= 0:
        raise UsageError(f"a block of {largest} octets holds no data")
    parts = [octets[start : start + size] for start in range(0, len(octets), size)]
    if len(parts) > _MOST_BLOCKS:
        raise UsageError(f"a message of {len(parts)} blocks")
    route = Route.of(Message.decode(octets))
    last = len(parts)
    return [
        Block(route, number, 0, part, last=number == last, streaming=number != last).encode()
        for number, part in enumerate(parts, 1)
    ]


@dataclass(slots=True)
class _Begun:
    """What is held of one message."""

    parts: dict[int, bytes] = field(default_factory=dict)  # data by block number
    octets: int = 0
    highest: int = 0  # block number
    last: int | None = None  # number of the last block, once it came

    def add(self, block: Block, largest: int) -> None:
        """Take a block; DecodeError if it contradicts an earlier one or makes the message longer than `largest`."""
        held, last = self.parts.get(block.number), self.last
        if not block.number or (held is not None and (held, block.number == last) != (block.data, block.last)):
            raise DecodeError(f"block {block.number} contradicts an earlier one")
        if held is not None:
            return
        if self.octets + len(block.data) > largest:
            raise DecodeError(f"blocks of more than {largest} octets")
        end = block.number if block.last else last
        highest = max(self.highest, block.number)
        if (block.last and last is not None) or (end is not None and highest > end):
            raise DecodeError(f"block {highest} after the last one, {end}")
        self.parts[block.number] = block.data
        self.octets, self.highest, self.last = self.octets + len(block.data), highest, end

    @property
    def is_whole(self) -> bool:
        return len(self.parts) == self.last


class Joiner:
    """Joins the blocks of any number of messages; blocks may come in any order and more than once.

    It keeps what it has until a message is whole or forgotten, so its driver calls `forget` after a time of its own.
    """

    def __init__(self, largest_message: int = _LARGEST_MESSAGE) -> None:
        self._largest_message = largest_message
        self._begun: dict[Route, _Begun] = {}

    @property
    def routes(self) -> list[Route]:
        """The messages begun, in the order they were begun."""
        return list(self._begun)

    def receive(self, octets: bytes) -> bytes | None:
        """Take a block; return the message once it is whole, None before.

        Raises DecodeError for a block that is malformed, contradicts an earlier one, or makes the message too long,
        and for a whole message that is none or not the one the blocks were routed as; what was held of it is dropped.
        """
        block = Block.decode(octets)
        if not block.data:
            return None
        begun = self._begun.setdefault(block.route, _Begun())
        try:
            begun.add(block, self._largest_message)
        except DecodeError:
            self.forget(block.route)
            raise
        if not begun.is_whole:
            return None
        self.forget(block.route)
        whole = b"".join(begun.parts[number] for number in sorted(begun.parts))
        if Route.of(Message.decode(whole)) != block.route:
            raise DecodeError("a message that is not the one its blocks were routed as", data=whole)
        return whole

    def acknowledgement(self, route: Route, back: Route) -> bytes:
        """Return the block that acknowledges what was received of `route` without a gap; `back` is its own route."""
        parts, number = self._begun.get(route, _Begun()).parts, 0
        while number + 1 in parts:
            number += 1
        return Block(back, 1, number, b"", last=True).encode()

    def forget(self, route: Route) -> None:
        """Drop what is held of a message."""
        self._begun.pop(route, None)


def _read_route(reader: Reader) -> Route:
    start = reader.offset
    cra, counter, eight, originator, eight_too, target = _ROUTING.unpack(reader.octets(_ROUTING.size))
    if (eight, eight_too) != (8, 8) or not Cra.COMMAND <= cra <= Cra.ALERT:
        raise DecodeError("wrong length or CRA flag in a routing header", offset=start, data=reader.data)
    _expect(reader, _FIXED, "date-time and length of the message code")
    code = reader.uint_be(2)
    _expect(reader, b"\x00", "key information")
    return Route(Cra(cra), counter, Eui64(originator), Eui64(target), code)


def _expect(reader: Reader, octets: bytes, what: str) -> None:
    start = reader.offset
    if reader.octets(len(octets)) != octets:
        raise DecodeError(f"{what} is not {octets.hex().upper()}", offset=start, data=reader.data)
