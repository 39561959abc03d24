"""The CHF's device log, one storage cell a device."""

import struct
from typing import NamedTuple

from emulator.devices.communications_hub.settings import DEVICE_TYPES, DeviceType, HubSettings
from protocols.addresses import Eui64
from protocols.interfaces import Storage

_PREFIX = "log/"
_FIXED = struct.Struct(">BBBQ")
_NO_SERVICE = DeviceType("unknown")


class LogEntry(NamedTuple):
    """One device of the log."""

    device: Eui64
    type_code: int  # 8 bits, of CCS01
    install_code: bytes  # without CRC
    join_until: int = 0  # ns since 1970 UTC: joining is allowed till then
    joined: bool = False
    port: int = 0  # the HAN port it was heard on

    @property
    def type(self) -> DeviceType:
        return DEVICE_TYPES.get(self.type_code, _NO_SERVICE)

    def encode(self) -> bytes:
        fixed = _FIXED.pack(self.type_code, self.joined, self.port, self.join_until)
        return self.device.big + fixed + self.install_code

    @classmethod
    def decode(cls, octets: bytes) -> "LogEntry":
        type_code, joined, port, join_until = _FIXED.unpack_from(octets, 8)
        code = octets[8 + _FIXED.size :]
        return cls(Eui64.from_big(octets[:8]), type_code, code, join_until, bool(joined), port)


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

    def has_room(self, type_code: int) -> bool:
        """Return whether one more device of this type fits: 16 in all, 6 PPMID and HCALCS."""
        if len(self._entries) >= self._settings.log_capacity:
            return False
        wanted = DEVICE_TYPES.get(type_code, _NO_SERVICE)
        counted = sum(entry.type.counted for entry in self._entries.values())
        return not wanted.counted or counted < self._settings.type_1_capacity
