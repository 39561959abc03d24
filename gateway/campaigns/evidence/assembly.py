"""What a relayed or repeated frame adds nothing to: duplicates and fragments of APS data."""

from typing import NamedTuple

from protocols.aps.frame import ApsHeader, Fragmentation
from protocols.interfaces import SECOND

# A frame with the same counter and content is a repetition within this time, a new one after it. It covers the retries
# of an APS acknowledgement and the hold of a sleepy child's parent.
REPEATED_WITHIN = 20 * SECOND


class Ends(NamedTuple):
    """Originator and destination of a NWK frame within its address space."""

    space: int  # its number
    source: int
    destination: int


class Duplicates:
    """Tells first sightings from relays and retries."""

    def __init__(self) -> None:
        self._seen: dict[tuple[Ends, int, int], tuple[bytes, int]] = {}

    def is_new(self, ends: Ends, header: ApsHeader, plain: bytes, time: int) -> bool:
        key = (ends, header.cluster, header.counter)
        before = self._seen.get(key)
        self._seen[key] = (plain, time)
        return before is None or before[0] != plain or time - before[1] > REPEATED_WITHIN


class _Partial:
    __slots__ = ("blocks", "done", "expected", "frames", "time")

    def __init__(self, time: int) -> None:
        self.expected = 0  # number of blocks, 0 until the first is there
        self.blocks: dict[int, bytes] = {}
        self.frames: list[int] = []
        self.time = time
        self.done = False


class Reassembled(NamedTuple):
    payload: bytes
    frames: tuple[int, ...]  # first sighting of each fragment


class Reassembly:
    """Puts fragments of APS data together, each seen once or often, in any order."""

    def __init__(self) -> None:
        self._partial: dict[tuple[Ends, int, int], _Partial] = {}
        self.started = 0  # messages whose first or another fragment was seen

    def take(self, ends: Ends, header: ApsHeader, plain: bytes, time: int, frame: int) -> Reassembled | None:
        """Return the message that this fragment completes, once."""
        key = (ends, header.cluster, header.counter)
        block = 0 if header.fragmentation == Fragmentation.FIRST else header.block_number
        partial = self._partial.get(key)
        if partial is None or time - partial.time > REPEATED_WITHIN or partial.blocks.get(block, plain) != plain:
            partial = self._partial[key] = _Partial(time)
            self.started += 1
        partial.time = time
        if header.fragmentation == Fragmentation.FIRST:
            partial.expected = header.block_number
        if block not in partial.blocks:
            partial.blocks[block] = plain
            partial.frames.append(frame)
        if partial.done or not partial.expected or len(partial.blocks) < partial.expected:
            return None
        partial.done = True
        ordered = (partial.blocks.get(index, b"") for index in range(partial.expected))
        return Reassembled(b"".join(ordered), tuple(partial.frames))

    def unfinished(self) -> list[tuple[Ends, int, int]]:
        """Return ends, cluster and counter of what never became whole."""
        return [key for key, partial in self._partial.items() if not partial.done]
