"""The CHF's device log, one storage cell a device, and the historic log of devices that were removed."""

import struct
from typing import NamedTuple

from emulator.devices.communications_hub.settings import DEVICE_TYPES, DeviceType, HubSettings
from protocols.addresses import Eui64
from protocols.interfaces import Storage

_PREFIX = "log/"
_HISTORIC_PREFIX = "historic/"
_FIXED = struct.Struct(">BBBQB")
_NO_SERVICE = DeviceType("unknown")


class LogEntry(NamedTuple):
    """One device of the log."""

    device: Eui64
    type_code: int  # 8 bits, of CCS01
    install_code: bytes  # without CRC
    join_until: int = 0  # ns since 1970 UTC: joining is allowed till then
    joined: bool = False
    port: int = 0  # the HAN port it was heard on
    key_hash: bytes = b""  # AES-MMO of its link key, 16 octets once there is one

    @property
    def type(self) -> DeviceType:
        return DEVICE_TYPES.get(self.type_code, _NO_SERVICE)

    def encode(self) -> bytes:
        fixed = _FIXED.pack(self.type_code, self.joined, self.port, self.join_until, len(self.key_hash))
        return self.device.big + fixed + self.key_hash + self.install_code

    @classmethod
    def decode(cls, octets: bytes) -> "LogEntry":
        type_code, joined, port, join_until, hashed = _FIXED.unpack_from(octets, 8)
        rest = octets[8 + _FIXED.size :]
        return cls(Eui64.from_big(octets[:8]), type_code, rest[hashed:], join_until, bool(joined), port, rest[:hashed])


class DeviceLog:
    """Entries in order of their identifiers."""

    def __init__(self, storage: Storage, settings: HubSettings) -> None:
        self._storage, self._settings = storage, settings
        self._entries: dict[Eui64, LogEntry] = {}
        for cell in storage.cells():
            if cell.startswith(_PREFIX) and (octets := storage.get(cell)) is not None:
                entry = LogEntry.decode(octets)
                self._entries[entry.device] = entry

    def __contains__(self, device: Eui64) -> bool:
        return device in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> tuple[LogEntry, ...]:
        return tuple(self._entries[device] for device in sorted(self._entries))

    def get(self, device: Eui64) -> LogEntry | None:
        return self._entries.get(device)

    def put(self, entry: LogEntry) -> None:
        """Add an entry or replace the device's present one."""
        self._storage.put(f"{_PREFIX}{entry.device}", entry.encode())
        self._entries[entry.device] = entry

    def remove(self, device: Eui64) -> None:
        self._storage.delete(f"{_PREFIX}{device}")
        self._entries.pop(device, None)

    def has_room(self, type_code: int) -> bool:
        """Return whether one more device of this type fits: 16 in all, 6 PPMID and HCALCS."""
        if len(self._entries) >= self._settings.log_capacity:
            return False
        wanted = DEVICE_TYPES.get(type_code, _NO_SERVICE)
        counted = sum(entry.type.counted for entry in self._entries.values())
        return not wanted.counted or counted < self._settings.type_1_capacity


class HistoricEntry(NamedTuple):
    """A device that was removed from the log."""

    device: Eui64
    key_hash: bytes  # 16 octets, of the link key it had


class HistoricLog:
    """The latest removals of devices that had a link key, oldest first; the oldest makes room."""

    def __init__(self, storage: Storage, capacity: int) -> None:
        self._storage, self._capacity = storage, capacity

    def entries(self) -> tuple[HistoricEntry, ...]:
        return tuple(entry for _, entry in self._numbered())

    def __contains__(self, device: Eui64) -> bool:
        return any(entry.device == device for entry in self.entries())

    def drop(self, device: Eui64) -> None:
        """Take out a device that is a member again."""
        for cell, entry in self._numbered():
            if entry.device == device:
                self._storage.delete(cell)

    def put(self, device: Eui64, key_hash: bytes) -> None:
        """Add a removal; an earlier one of the same device goes."""
        numbered = self._numbered()
        kept = [cell for cell, entry in numbered if entry.device != device]
        for cell in [cell for cell, entry in numbered if entry.device == device] + kept[: 1 - self._capacity]:
            self._storage.delete(cell)
        number = int(numbered[-1][0].removeprefix(_HISTORIC_PREFIX)) + 1 if numbered else 0
        self._storage.put(f"{_HISTORIC_PREFIX}{number:010}", device.big + key_hash)

    def _numbered(self) -> list[tuple[str, HistoricEntry]]:
        return [
            (cell, HistoricEntry(Eui64.from_big(octets[:8]), octets[8:]))
            for cell in self._storage.cells()
            if cell.startswith(_HISTORIC_PREFIX) and (octets := self._storage.get(cell)) is not None
        ]
