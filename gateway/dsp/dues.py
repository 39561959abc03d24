"""What falls due when: the earliest is known at once, however many wait."""

from collections.abc import Hashable
from heapq import heappop, heappush


class Dues:
    """Keys with the time each is due, ns UTC. Of keys due at one time the one set first comes first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Hashable]] = []  # entries a key has outlived are left to come up
        self._entries: dict[Hashable, tuple[int, int, Hashable]] = {}
        self._set = 0

    def set(self, key: Hashable, when: int | None) -> None:
        """Let a key be due at a time, or never."""
        known = self._entries.get(key)
        if when is None:
            self._entries.pop(key, None)
        elif known is None or known[0] != when:
            self._set += 1
            entry = self._entries[key] = (when, self._set, key)
            heappush(self._heap, entry)

    @property
    def first(self) -> int | None:
        """The earliest time anything is due."""
        heap = self._heap
        while heap and self._entries.get(heap[0][2]) is not heap[0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def until(self, now: int) -> list[Hashable]:
        """Return the keys due by now, the earliest first; they stay due."""
        found = []
        while (first := self.first) is not None and first <= now:
            found.append(heappop(self._heap))
        for entry in found:
            heappush(self._heap, entry)
        return [key for _, _, key in found]
