"""Where a device keeps what must survive a power cut."""

from collections.abc import Callable


class MemoryStorage:
    """`protocols.interfaces.Storage` in memory.

    `before_put` and `before_change` (of puts and deletes) are the hooks for power cuts between two of them: a hook may
    raise, or set `without_power`, and then neither that change nor any later one is kept.
    """

    __slots__ = ("_cells", "before_change", "before_put", "without_power")

    def __init__(self, before_put: Callable[[str], None] | None = None) -> None:
        self._cells: dict[str, bytes] = {}
        self.before_put = before_put
        self.before_change: Callable[[str], None] | None = None
        self.without_power = False

    def get(self, cell: str) -> bytes | None:
        return self._cells.get(cell)

    def put(self, cell: str, value: bytes) -> None:
        if self.before_put is not None:
            self.before_put(cell)
        if self.before_change is not None:
            self.before_change(cell)
        if not self.without_power:
            self._cells[cell] = bytes(value)

    def delete(self, cell: str) -> None:
        if cell not in self._cells:
            return
        if self.before_change is not None:
            self.before_change(cell)
        if not self.without_power:
            del self._cells[cell]

    def cells(self) -> list[str]:
        return sorted(self._cells)
