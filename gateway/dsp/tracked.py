"""The list of ESME whose activation cuts the hub's supply (MP102B): packed, replaced whole, never shown.

Its content is known to a few parties only, so nothing here logs, prints or returns an identifier of it: a line that is
none is told by its number.
"""

import hashlib
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from gateway.dsp.packed import SIZE, Sorter, pack
from protocols.addresses import Eui64
from protocols.errors import InputError

_LINE = 2 * SIZE  # characters of a line without separators
_DIGITS = frozenset(b"0123456789abcdefABCDEF")
_SEPARATORS = b"-:"
TOLD_LINES = 5  # bad lines told by number; the rest is counted


class TrackedSummary(NamedTuple):
    """What may be told of a list."""

    identifiers: int  # distinct ones
    duplicates: int
    rejects: int  # lines that are no EUI-64
    version: str  # first 16 hex digits of the SHA-256 over the sorted identifiers
    bad_lines: tuple[int, ...] = ()  # numbers of the first of them, from 1


class TrackedList:
    """A set of EUI-64, 8 octets each in memory, looked up by bisection."""

    __slots__ = ("_packed", "summary")

    def __init__(self, identifiers: Iterable[int] = ()) -> None:
        given = array("Q", identifiers)
        self._take(pack(given), len(given))

    def _take(self, packed: "memoryview[int]", taken: int, rejects: int = 0, bad_lines: tuple[int, ...] = ()) -> None:
        self._packed = packed
        version = hashlib.sha256(packed).hexdigest()[:16]
        self.summary = TrackedSummary(len(packed), taken - len(packed), rejects, version, bad_lines)

    @classmethod
    def load(cls, lines: Iterable[str], bad_share: float) -> "TrackedList":
        """Read one EUI-64 a line, any case, with or without `-` or `:`; blank lines and `#` comments are skipped.

        bad_share: share of lines that may be something else. Raises InputError above it, without telling a line.
        """
        return cls.read([b"\n".join(line.rstrip("\r\n").encode() for line in lines)], bad_share)

    @classmethod
    def read(cls, blocks: Iterable[bytes], bad_share: float) -> "TrackedList":
        """Read a list as `load` does, from the octets of its file, cut anywhere."""
        reader = _Reader()
        for block in blocks:
            reader.feed(block)
        reader.feed(b"\n")
        lines = reader.rejects + reader.sorter.taken
        if reader.rejects > bad_share * lines:
            first = ", ".join(map(str, reader.bad)) + (", ..." if reader.rejects > len(reader.bad) else "")
            raise InputError(f"tracked list: {reader.rejects} of {lines} lines are not an EUI-64: line {first}")
        tracked = cls()
        tracked._take(reader.sorter.finish(), reader.sorter.taken, reader.rejects, tuple(reader.bad))
        return tracked

    def __contains__(self, eui: Eui64) -> bool:
        place = bisect_left(self._packed, eui)
        return place < len(self._packed) and self._packed[place] == eui

    @property
    def packed_octets(self) -> int:
        """Size of the identifiers in memory."""
        return self._packed.nbytes

    def octets(self) -> bytes:
        """Return the identifiers in order, 8 octets each, little-endian: for a cache that only its owner may read."""
        return _little(array("Q", self._packed)).tobytes()

    @classmethod
    def from_octets(cls, octets: bytes) -> "TrackedList":
        """Take what `octets` returned. Raises InputError for part of an identifier."""
        if len(octets) % SIZE:
            raise InputError(f"tracked list: {len(octets)} octets are no multiple of {SIZE}")
        return cls(_little(array("Q", octets)))

    def __len__(self) -> int:
        return len(self._packed)

    def __repr__(self) -> str:
        return f"TrackedList({self.summary.identifiers} identifiers, version {self.summary.version})"


class _Reader:
    """Turns the octets of a list into identifiers, a block of whole lines at once where all of them are plain."""

    def __init__(self) -> None:
        self.sorter = Sorter()
        self._rest = b""
        self._lines = 0  # before `_rest`
        self.rejects = 0
        self.bad: list[int] = []  # the first of them

    def feed(self, block: bytes) -> None:
        whole, newline, rest = block.rpartition(b"\n")
        if not newline:
            self._rest += rest
            return
        lines = (self._rest + whole).replace(b"\r\n", b"\n").translate(None, _SEPARATORS).split(b"\n")
        self._rest = rest
        if not self._plain(lines):
            for number, line in enumerate(lines, self._lines + 1):
                self._line(number, line.strip())
        self._lines += len(lines)

    def _plain(self, lines: list[bytes]) -> bool:
        """Take the lines at once if each is 16 hexadecimal digits; return whether that was so."""
        if set(map(len, lines)) != {_LINE}:
            return False
        try:
            octets = bytes.fromhex(b"".join(lines).decode("ascii"))
        except ValueError:
            return False
        if len(octets) != SIZE * len(lines):  # white space within a line
            return False
        self.sorter.add(_big(octets))
        return True

    def _line(self, number: int, line: bytes) -> None:
        if not line or line.startswith(b"#"):
            return
        if len(line) == _LINE and _DIGITS.issuperset(line):
            self.sorter.add(_big(bytes.fromhex(line.decode("ascii"))))
            return
        self.rejects += 1
        if len(self.bad) < TOLD_LINES:
            self.bad.append(number)


def _big(octets: bytes) -> "array[int]":
    """Return big-endian octets as integers."""
    integers = array("Q", octets)
    if sys.byteorder == "little":
        integers.byteswap()
    return integers


def _little(integers: "array[int]") -> "array[int]":
    """Swap integers, on a big-endian machine, from little-endian octets or to them."""
    if sys.byteorder == "big":
        integers.byteswap()
    return integers
