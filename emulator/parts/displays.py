"""Who asked a meter to be told: the displays and switches of the HAN, kept over power cuts."""

import struct
from typing import NamedTuple

from protocols.addresses import Eui64
from protocols.interfaces import Received, Storage

_ENTRY = struct.Struct(">QB")
CAPACITY = 16  # as many as a device log


class Listener(NamedTuple):
    device: Eui64
    endpoint: int  # 8 bits


class Listeners:
    def __init__(self, storage: Storage, cell: str) -> None:
        self._storage, self._cell = storage, cell

    def hear(self, event: Received) -> None:
        """Note who sent a frame and from where, so that it is told from now on."""
        listener = Listener(event.who, event.aps.source_endpoint)
        held = self.all()
        if listener not in held:
            kept = [each for each in held if each.device != listener.device][-(CAPACITY - 1) :]
            self._storage.put(self._cell, b"".join(_ENTRY.pack(*each) for each in [*kept, listener]))

    def forget(self, device: Eui64) -> None:
        """Tell a device nothing more: it was unjoined."""
        held = self.all()
        kept = [each for each in held if each.device != device]
        if kept != held:
            self._storage.put(self._cell, b"".join(_ENTRY.pack(*each) for each in kept))

    def all(self) -> list[Listener]:
        octets = self._storage.get(self._cell) or b""
        return [Listener(Eui64(device), endpoint) for device, endpoint in _ENTRY.iter_unpack(octets)]
