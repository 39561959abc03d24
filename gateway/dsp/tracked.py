"""The list of ESME whose activation cuts the hub's supply (MP102B): packed, replaced whole, never shown.

Its content is known to a few parties only, so nothing here logs, prints or returns an identifier of it.
"""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.errors import InputError

_DIGITS = frozenset("0123456789abcdefABCDEF")
_SEPARATORS = str.maketrans("", "", "-:")


class TrackedSummary(NamedTuple):
    """What may be told of a list."""

    identifiers: int  # distinct ones
    duplicates: int
    rejects: int  # lines that are no EUI-64
    version: str  # first 16 hex digits of the SHA-256 over the sorted identifiers


class TrackedList:
    """A set of EUI-64, 8 octets each, looked up by bisection."""

    __slots__ = ("_packed", "summary")

    def __init__(self, identifiers: Iterable[int] = (), *, rejects: int = 0) -> None:
        ordered = sorted(identifiers)
        self._packed = array("Q")
        last = -1
        for identifier in ordered:
            if identifier != last:
                self._packed.append(identifier)
            last = identifier
        count = len(self._packed)
        version = hashlib.sha256(self._packed.tobytes()).hexdigest()[:16]
        self.summary = TrackedSummary(count, len(ordered) - count, rejects, version)

    @classmethod
    def load(cls, lines: Iterable[str], bad_share: float) -> "TrackedList":
        """Read one EUI-64 a line, any case, with or without `-` or `:`; blank lines and `#` comments are skipped.

        bad_share: share of lines that may be something else. Raises InputError above it, without telling a line.
        """
        identifiers: list[int] = []
        rejects = 0
        for line in lines:
            digits = line.strip()
            if not digits or digits.startswith("#"):
                continue
            digits = digits.translate(_SEPARATORS)
            if len(digits) == 16 and _DIGITS.issuperset(digits):
                identifiers.append(int(digits, 16))
            else:
                rejects += 1
        if rejects > bad_share * (rejects + len(identifiers)):
            raise InputError(f"tracked list: {rejects} of {rejects + len(identifiers)} lines are not an EUI-64")
        return cls(identifiers, rejects=rejects)

    def __contains__(self, eui: Eui64) -> bool:
        place = bisect_left(self._packed, eui)
        return place < len(self._packed) and self._packed[place] == eui

    @property
    def packed_octets(self) -> int:
        """Size of the identifiers in memory."""
        return len(self._packed) * self._packed.itemsize

    def __len__(self) -> int:
        return len(self._packed)

    def __repr__(self) -> str:
        return f"TrackedList({self.summary.identifiers} identifiers, version {self.summary.version})"
