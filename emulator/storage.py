"""Where a device keeps what must survive a power cut."""

from collections.abc import Callable


class MemoryStorage:
    """`protocols.interfaces.Storage` in memory. `before_put` is the hook for power cuts between two puts."""

    def __init__(self, before_put: Callable[[str], None] | None = None) -> None:
        self._cells: dict[str, bytes] = {}
        self.before_put = before_put

    def get(self, cell: str) -> bytes | None:
        return self._cells.get(cell)

    def put(self, cell: str, value: bytes) -> None:
        if self.before_put is not None:
            self.before_put(cell)
        self._cells[cell] = bytes(value)

    def delete(self, cell: str) -> None:
        self._cells.pop(cell, None)

    def cells(self) -> list[str]:
        return sorted(self._cells)
