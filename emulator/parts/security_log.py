"""A meter's security log: what happened and when, the newest last, kept over power cuts."""

import struct
from typing import NamedTuple

from emulator.parts.gbcs_application import Note
from protocols.interfaces import AdjustableClock, Storage

CAPACITY = 100  # entries; the oldest is overwritten (SMETS2)
_ENTRY = struct.Struct(">QH")
_CELL = "security-log"


class LogEntry(NamedTuple):
    time: int  # ns since 1970 UTC, of the meter's clock
    code: int  # 16 bits, as of alerts and events


class SecurityLog:
    def __init__(self, storage: Storage, wall: AdjustableClock, note: Note) -> None:
        self._storage, self._wall, self._note = storage, wall, note

    def add(self, code: int) -> None:
        held = (self._storage.get(_CELL) or b"") + _ENTRY.pack(self._wall.utc(), code)
        self._storage.put(_CELL, held[-CAPACITY * _ENTRY.size :])
        self._note("logged", code=f"{code:04X}")

    def entries(self) -> list[LogEntry]:
        return [LogEntry(*fields) for fields in _ENTRY.iter_unpack(self._storage.get(_CELL) or b"")]
