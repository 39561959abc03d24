"""Storage in which several cells change together: all of them or, after a power cut, none.

Inside `transaction` puts and deletes are held back. At its end one put writes them all to the journal cell, then they
go to their own cells, then the journal is deleted. Whoever finds a journal after a power cut finishes that work.
"""

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from protocols.interfaces import Storage
from protocols.octets import Reader

_JOURNAL = "journal"
_HEAD = struct.Struct(">HBI")  # length of the name, whether there is a value, length of the value

Change = tuple[str, bytes | None]


class Journal:
    """`protocols.interfaces.Storage` over another one, whose cells it keeps under their own names."""

    def __init__(self, below: Storage) -> None:
        self.below = below
        self._held: dict[str, bytes | None] | None = None  # inside a transaction
        self._later: list[Callable[[], object]] = []
        self._unfinished = True  # a journal may be waiting

    @classmethod
    def over(cls, storage: Storage, shared: "Journal | None" = None) -> "Journal":
        """Return `shared` if it stands over the same storage, else a journal of its own; a journal as it is."""
        if isinstance(storage, Journal):
            return storage
        return shared if shared is not None and shared.below is storage else cls(storage)

    def restart(self) -> None:
        """The power was away: a transaction that was under way is gone, one that was complete is finished."""
        self._held, self._later, self._unfinished = None, [], True

    # --- storage -----------------------------------------------------------------------------------------------

    def get(self, cell: str) -> bytes | None:
        self._finish()
        if self._held is not None and cell in self._held:
            return self._held[cell]
        return self.below.get(cell)

    def put(self, cell: str, value: bytes) -> None:
        self._finish()
        if self._held is not None:
            self._held[cell] = bytes(value)
        else:
            self.below.put(cell, value)

    def delete(self, cell: str) -> None:
        self._finish()
        if self._held is not None:
            self._held[cell] = None
        else:
            self.below.delete(cell)

    def cells(self) -> list[str]:
        self._finish()
        names = set(self.below.cells())
        for cell, value in (self._held or {}).items():
            if value is None:
                names.discard(cell)
            else:
                names.add(cell)
        return sorted(names)

    # --- transactions ------------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether a transaction is under way."""
        return self._held is not None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Let all changes inside happen together; inside another transaction they become part of that one.

        An exception drops them all, and what `afterwards` was given; of an outer transaction the part before stays.
        """
        if self._held is not None:
            with self._part(self._held):
                yield
            return
        self._finish()
        self._held, self._later = {}, []
        try:
            yield
            changes = list(self._held.items())
        except BaseException:
            self._later = []
            raise
        finally:
            self._held = None
        self._commit(changes)
        later, self._later = self._later, []
        for callback in later:
            callback()

    @contextmanager
    def _part(self, held: dict[str, bytes | None]) -> Iterator[None]:
        before, later = dict(held), list(self._later)
        try:
            yield
        except BaseException:
            self._held, self._later = before, later
            raise

    def afterwards(self, callback: Callable[[], object]) -> None:
        """Call `callback` once what is under way is in the storage: at once outside a transaction."""
        if self._held is None:
            callback()
        else:
            self._later.append(callback)

    def _commit(self, changes: list[Change]) -> None:
        if len(changes) > 1:
            self._unfinished = True  # should the power go now, the next access looks for a journal
            self.below.put(_JOURNAL, _encode(changes))
        self._apply(changes)
        self._unfinished = False

    def _finish(self) -> None:
        """Do what a power cut left of a transaction."""
        if not self._unfinished:
            return
        octets = self.below.get(_JOURNAL)
        if octets is not None:
            self._apply(_decode(octets))
        self._unfinished = False

    def _apply(self, changes: list[Change]) -> None:
        for cell, value in changes:
            if value is None:
                self.below.delete(cell)
            else:
                self.below.put(cell, value)
        self.below.delete(_JOURNAL)


def _encode(changes: list[Change]) -> bytes:
    parts = []
    for cell, value in changes:
        name = cell.encode()
        parts += [_HEAD.pack(len(name), value is not None, len(value or b"")), name, value or b""]
    return b"".join(parts)


def _decode(octets: bytes) -> list[Change]:
    reader, changes = Reader(octets), list[Change]()
    while reader.remaining:
        length, kept, size = _HEAD.unpack(reader.octets(_HEAD.size))
        cell, value = reader.octets(length).decode(), reader.octets(size)
        changes.append((cell, value if kept else None))
    return changes
