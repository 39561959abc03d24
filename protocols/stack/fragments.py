"""Fragments of APS messages, window by window. Source: Zigbee 05-3474 2.2.8.4.5.

A sender transmits the blocks of a window and waits for one acknowledgement, which names the first block of the window
and has a bit for each; what is missing goes again. Both ends know the size of the window beforehand.
"""

from typing import NamedTuple

from protocols.aps.frame import ApsHeader, Fragmentation
from protocols.errors import DecodeError
from protocols.stack.settings import StackSettings
from protocols.stack.timers import Timers


def split(message: bytes, size: int) -> list[bytes]:
    """Return `message` in blocks of at most `size` octets."""
    return [message[at : at + size] for at in range(0, len(message), size)]


class Window:
    """The blocks on their way: which window of a message, and what of it the other end has not acknowledged."""

    __slots__ = ("_count", "_size", "cursor", "first", "missing")

    def __init__(self, count: int, size: int) -> None:
        self._count, self._size = count, size
        self.first = -size
        self.advance()

    def advance(self) -> bool:
        """Go on to the next window; False if that was the last."""
        self.first += self._size
        blocks = min(self._size, self._count - self.first)
        self.missing = (1 << max(blocks, 0)) - 1
        self.rewind()
        return blocks > 0

    def rewind(self) -> None:
        """Begin again with the first block that is missing."""
        self.cursor = 0

    def next_block(self) -> int:
        """Return the block to be sent now; its successor is the next missing one."""
        while not self.missing >> self.cursor & 1:
            self.cursor += 1
        self.cursor += 1
        return self.first + self.cursor - 1

    @property
    def sending(self) -> bool:
        """Whether blocks of this round are still to be sent."""
        return self.missing >> self.cursor != 0

    def acknowledged(self, block_number: int, bits: int) -> bool:
        """Take an acknowledgement; return whether it told anything new of this window."""
        if block_number != self.first:
            return False
        before = self.missing
        self.missing &= ~(bits | (self._size == 1))  # who knows of no windows may send any bits
        return self.missing != before


class Acknowledgement(NamedTuple):
    block_number: int  # first of the window
    bits: int  # 8 bits, bit n: block n of the window has come


class _Incoming:
    """A message of which blocks have come."""

    __slots__ = ("blocks", "count", "deadline", "first", "whole")

    def __init__(self, count: int, first: bytes) -> None:
        self.count, self.first = count, first
        self.blocks = {0: first}
        self.deadline = 0
        self.whole = False  # handed up


class Reassembler:
    """Messages coming in, by sender and APS counter."""

    __slots__ = ("_incoming", "_settings", "_timers")

    def __init__(self, timers: Timers, settings: StackSettings) -> None:
        self._timers, self._settings = timers, settings
        self._incoming: dict[tuple[int, int], _Incoming] = {}

    def take(self, source: int, header: ApsHeader, block: bytes) -> tuple[bytes | None, bool]:
        """Add a block; return the whole message with the last one missing, else None, and whether it came before.

        Raises DecodeError for a block that belongs to nothing or would make the message too long: it gets no
        acknowledgement.
        """
        key, now = (source, header.counter), self._timers.now()
        incoming = self._incoming.get(key)
        if incoming is not None and incoming.deadline < now:
            incoming = None
        repeated = False
        if header.fragmentation == Fragmentation.FIRST:
            repeated = incoming is not None and incoming.first == block
            if incoming is None or not repeated:
                incoming = self._begin(key, header.block_number, block)
        elif incoming is None or not 0 < header.block_number < incoming.count:
            raise DecodeError("a fragment of no message", data=block)
        else:
            repeated = header.block_number in incoming.blocks
            incoming.blocks.setdefault(header.block_number, block)
        incoming.deadline = now + self._settings.reassembly_wait
        if incoming.whole or len(incoming.blocks) < incoming.count:
            return None, repeated
        incoming.whole = True
        return b"".join(incoming.blocks[index] for index in range(incoming.count)), repeated

    def acknowledgement(self, source: int, header: ApsHeader, *, repeated: bool) -> Acknowledgement | None:
        """Return the answer to a block that was taken; None while more of its window is to come.

        It is due at the last block of a window, at the one that fills its last gap, and at one that came before.
        """
        incoming = self._incoming[source, header.counter]
        number = 0 if header.fragmentation == Fragmentation.FIRST else header.block_number
        size = self._settings.fragment_window
        if size == 1:
            return Acknowledgement(number, sum(1 << bit for bit in range(8) if number + bit in incoming.blocks))
        first = number - number % size
        window = range(first, min(first + size, incoming.count))
        bits = sum(1 << each - first for each in window if each in incoming.blocks)
        whole = (1 << len(window)) - 1
        if number != window[-1] and bits != whole and not repeated:
            return None
        return Acknowledgement(first, bits | 0xFF & ~whole)

    def _begin(self, key: tuple[int, int], count: int, block: bytes) -> _Incoming:
        if count < 1 or count * len(block) > self._settings.message_limit + len(block):
            raise DecodeError(f"a message of {count} fragments", data=block)
        for old in [old for old, held in self._incoming.items() if held.deadline < self._timers.now()]:
            del self._incoming[old]
        incoming = self._incoming[key] = _Incoming(count, block)
        return incoming
