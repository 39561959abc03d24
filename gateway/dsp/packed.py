"""Sorts millions of 64-bit integers into eight octets each, in little more memory than that.

The order of integers below `_HIGH` is that of their octets read as doubles, and doubles sort twice as fast. Short
runs are sorted as they come, then merged a range of values at a time, so that few numbers are Python objects at once.
Runs and result lie in anonymous maps, which go back to the operating system whole.
"""

import mmap
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from itertools import chain, groupby, islice
from operator import eq, lt
from typing import TypeVar

_HIGH = 0x7F00_0000_0000_0000  # from a little above it on, doubles are infinite, no number, or negative
_LOW_TOPS = bytes(range(0x7F))  # first octets of what is below
_RUN = 1 << 15  # integers sorted at once
_RANGES = 64  # merged one after the other
_SAMPLED = 64  # every which integer of a run helps to choose the ranges

SIZE = 8  # octets of one
_TOP = SIZE - 1 if sys.byteorder == "little" else 0  # place of the first octet in memory

T = TypeVar("T", int, float)


class Sorter:
    """Takes integers from 0 to 2^64-1 and returns the distinct ones in order."""

    def __init__(self) -> None:
        self._waiting = array("Q")
        self._runs: list[memoryview[float]] = []
        self._high = array("Q")  # those that are no doubles
        self.taken = 0

    def add(self, integers: "array[int]") -> None:
        self.taken += len(integers)
        self._waiting.extend(integers)
        if len(self._waiting) >= _RUN:
            self._sort_run()

    def finish(self) -> "memoryview[int]":
        """Return the distinct integers in order; nothing can be added after it."""
        self._sort_run()
        high = array("Q", _distinct(sorted(self._high)))
        memory = mmap.mmap(-1, max(SIZE * (sum(map(len, self._runs)) + len(high)), 1))
        for piece in self._merged():
            memory.write(array("d", piece).tobytes())
        memory.write(high.tobytes())
        self._runs.clear()
        return memoryview(memory)[: memory.tell()].cast("Q")

    def _sort_run(self) -> None:
        waiting, self._waiting = self._waiting, array("Q")
        tops = waiting.tobytes()[_TOP::SIZE]
        if tops.translate(None, _LOW_TOPS):
            self._high.extend(one for one in waiting if one >= _HIGH)
            waiting = array("Q", (one for one in waiting if one < _HIGH))
        if waiting:
            doubles = sorted(memoryview(waiting).cast("B").cast("d"))
            self._runs.append(_mapped(array("d", doubles).tobytes()).cast("d"))

    def _merged(self) -> Iterator[list[float]]:
        """Yield the distinct doubles of all runs in order, a range of values at a time; equal ones fall in one."""
        sample = sorted(chain.from_iterable(run[::_SAMPLED] for run in self._runs))
        cuts = [sample[len(sample) * part // _RANGES] for part in range(1, _RANGES)] if sample else []
        begun = [0] * len(self._runs)
        for cut in (*cuts, None):
            ends = [len(run) if cut is None else bisect_left(run, cut) for run in self._runs]
            piece: list[float] = []
            for run, begin, end in zip(self._runs, begun, ends, strict=True):
                piece.extend(run[begin:end])
            piece.sort()
            yield _distinct(piece)
            begun = ends


def pack(integers: "array[int]") -> "memoryview[int]":
    """Return the distinct integers in order."""
    if all(map(lt, integers, islice(integers, 1, None))):
        return _mapped(integers.tobytes()).cast("Q")
    sorter = Sorter()
    sorter.add(integers)
    return sorter.finish()


def _distinct(ordered: list[T]) -> list[T]:
    if any(map(eq, ordered, islice(ordered, 1, None))):
        return [one for one, _ in groupby(ordered)]
    return ordered


def _mapped(octets: bytes) -> "memoryview[int]":
    """Return the octets in memory of their own."""
    if not octets:
        return memoryview(b"")
    memory = mmap.mmap(-1, len(octets))
    memory.write(octets)
    return memoryview(memory)
