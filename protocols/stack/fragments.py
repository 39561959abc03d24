"""Fragments of APS messages: sent with a window of 1, taken with any. Source: Zigbee 05-3474 2.2.8.4.5."""

from protocols.aps.frame import ApsHeader, Fragmentation
from protocols.errors import DecodeError
from protocols.stack.settings import StackSettings
from protocols.stack.timers import Timers


def split(message: bytes, size: int) -> list[bytes]:
    """Return `message` in blocks of at most `size` octets."""
    return [message[at : at + size] for at in range(0, len(message), size)]


class _Incoming:
    """A message of which blocks have come."""

    __slots__ = ("blocks", "count", "deadline", "first")

    def __init__(self, count: int, first: bytes) -> None:
        self.count, self.first = count, first
        self.blocks = {0: first}
        self.deadline = 0


class Reassembler:
    """Messages coming in, by sender and APS counter."""

    def __init__(self, timers: Timers, settings: StackSettings) -> None:
        self._timers, self._settings = timers, settings
        self._incoming: dict[tuple[int, int], _Incoming] = {}

    def take(self, source: int, header: ApsHeader, block: bytes) -> bytes | None:
        """Add a block; the whole message with the last one missing, else None.

        Raises DecodeError for a block that belongs to nothing or would make the message too long: it gets no
        acknowledgement. A block that came before is taken again without effect.
        """
        key, now = (source, header.counter), self._timers.now()
        incoming = self._incoming.get(key)
        if incoming is not None and incoming.deadline < now:
            incoming = None
        if header.fragmentation == Fragmentation.FIRST:
            if incoming is None or incoming.first != block:
                incoming = self._begin(key, header.block_number, block)
        elif incoming is None or not 0 < header.block_number < incoming.count:
            raise DecodeError("a fragment of no message", data=block)
        elif header.block_number in incoming.blocks:
            return None
        else:
            incoming.blocks[header.block_number] = block
        incoming.deadline = now + self._settings.reassembly_wait
        if len(incoming.blocks) < incoming.count:
            return None
        whole, incoming.count = b"".join(incoming.blocks[index] for index in range(incoming.count)), 1 << 16
        return whole

    def arrived(self, source: int, header: ApsHeader) -> int:
        """Return the bit field of an acknowledgement: which of the eight blocks from that of `header` on have come."""
        incoming = self._incoming.get((source, header.counter))
        first = 0 if header.fragmentation == Fragmentation.FIRST else header.block_number
        if incoming is None:
            return 1
        return sum(1 << bit for bit in range(8) if first + bit in incoming.blocks)

    def _begin(self, key: tuple[int, int], count: int, block: bytes) -> _Incoming:
        if count < 1 or count * len(block) > self._settings.message_limit + len(block):
            raise DecodeError(f"a message of {count} fragments", data=block)
        for old in [old for old, held in self._incoming.items() if held.deadline < self._timers.now()]:
            del self._incoming[old]
        incoming = self._incoming[key] = _Incoming(count, block)
        return incoming
