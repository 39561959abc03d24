"""Messages that wait to leave, kept over a power cut."""

from protocols.interfaces import Storage

_DIGITS = 8
_MIDDLE = 50_000_000  # where numbering starts, so that a message can be put in front


class Outbox:
    """A queue in storage: one cell a message, named by a running number."""

    def __init__(self, storage: Storage, prefix: str = "outbox/") -> None:
        self._storage, self._prefix = storage, prefix
        self._numbers: list[int] = []
        self.reload()

    def reload(self) -> None:
        """Look at the storage again: the power was away."""
        prefix = self._prefix
        self._numbers = [int(cell[len(prefix) :]) for cell in self._storage.cells() if cell.startswith(prefix)]

    def put(self, message: bytes) -> None:
        number = self._numbers[-1] + 1 if self._numbers else _MIDDLE
        self._storage.put(self._cell(number), message)
        self._numbers.append(number)

    def put_first(self, message: bytes) -> None:
        """Put a message in front of all others."""
        number = self._numbers[0] - 1 if self._numbers else _MIDDLE
        self._storage.put(self._cell(number), message)
        self._numbers.insert(0, number)

    def first(self) -> tuple[int, bytes] | None:
        """Return number and octets of the oldest message."""
        if not self._numbers:
            return None
        number = self._numbers[0]
        return number, self._storage.get(self._cell(number)) or b""

    def remove(self, number: int) -> None:
        if number in self._numbers:
            self._numbers.remove(number)
            self._storage.delete(self._cell(number))

    def __len__(self) -> int:
        return len(self._numbers)

    def _cell(self, number: int) -> str:
        return f"{self._prefix}{number:0{_DIGITS}}"
