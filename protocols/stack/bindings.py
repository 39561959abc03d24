"""The binding table of a node; it outlives power cuts. Source: Zigbee 05-3474 2.4.3.2."""

from protocols.interfaces import Storage
from protocols.octets import Reader
from protocols.zdp.fields import ZdpStatus
from protocols.zdp.management import Binding

_CELL = "bindings"
_MOST = 32  # rows [I]


class Bindings:
    """Where an application's reports and requests go."""

    __slots__ = ("_rows", "_storage")

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._rows: list[Binding] = []
        reader = Reader(storage.get(_CELL) or b"")
        while reader.remaining:
            self._rows.append(Binding.read(reader))

    @property
    def rows(self) -> tuple[Binding, ...]:
        """In the order in which they were made."""
        return tuple(self._rows)

    def of(self, endpoint: int, cluster: int) -> list[Binding]:
        """Return what `cluster` of the own `endpoint` is bound to."""
        return [row for row in self._rows if (row.source_endpoint, row.cluster) == (endpoint, cluster)]

    def bind(self, row: Binding) -> ZdpStatus:
        """Add a row; one that is there already stays as it is."""
        if row not in self._rows:
            if len(self._rows) >= _MOST:
                return ZdpStatus.TABLE_FULL
            self._rows.append(row)
            self._save()
        return ZdpStatus.SUCCESS

    def unbind(self, row: Binding) -> ZdpStatus:
        """Take a row out."""
        if row not in self._rows:
            return ZdpStatus.NO_ENTRY
        self._rows.remove(row)
        self._save()
        return ZdpStatus.SUCCESS

    def clear(self) -> None:
        """Forget all: the node has left its network."""
        self._rows.clear()
        self._storage.delete(_CELL)

    def _save(self) -> None:
        self._storage.put(_CELL, b"".join(row.encode() for row in self._rows))
