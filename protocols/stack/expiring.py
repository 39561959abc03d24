"""A table whose entries all live equally long; it empties itself, so that an idle node holds none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

    from protocols.stack.timers import Timers

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


class Expiring(Generic[K, V]):
    """Entries by key, the oldest first."""

    __slots__ = ("_entries", "_life", "_sweeping", "_timers")

    def __init__(self, timers: Timers, life: int) -> None:
        """life: ns."""
        self._timers, self._life = timers, life
        self._entries: dict[K, tuple[int, V]] = {}  # until when, and what
        self._sweeping = False

    def get(self, key: K) -> V | None:
        """Return the entry if it still lives."""
        entry = self._entries.get(key)
        return None if entry is None or entry[0] <= self._timers.now() else entry[1]

    def put(self, key: K, value: V) -> None:
        """Enter `value`, with a whole life before it."""
        self._entries.pop(key, None)
        self._entries[key] = (self._timers.now() + self._life, value)
        if not self._sweeping:
            self._sweeping = True
            self._timers.after(self._life, self._sweep)

    def _sweep(self) -> None:
        """Drop what has lived, and come back when the next is due."""
        entries, now = self._entries, self._timers.now()
        while entries:
            oldest = next(iter(entries))
            until = entries[oldest][0]
            if until > now:
                self._timers.after(max(until - now, self._life // 2), self._sweep)
                return
            del entries[oldest]
        self._entries, self._sweeping = {}, False  # an emptied dict keeps its room
