"""Devices added again to the log: at first they may come back under the link key that they had (CCS01).

For the join timeout such a device is let in under its historic key, with no new key establishment. After it joining is
open with the install code for a second, full period.
"""

from collections.abc import Callable

from emulator.devices.communications_hub.alarms import Alarms
from emulator.devices.communications_hub.device_log import LogEntry
from emulator.devices.communications_hub.han import Han
from emulator.parts.gbcs_application import Note
from protocols.addresses import Eui64
from protocols.interfaces import SECOND, Storage, WallClock

_PREFIX = "returning/"


class Returning:
    """over(entry) hears that a first period has ended without the device: its install code counts from then on."""

    def __init__(
        self, han: Han, storage: Storage, wall: WallClock, alarms: Alarms, *, over: Callable[[Eui64], None], note: Note
    ) -> None:
        self._han, self._storage, self._wall, self._alarms = han, storage, wall, alarms
        self._over, self._note = over, note

    def expect(self, device: Eui64, until: int) -> None:
        """Let `device` come back under its historic key until then (ns UTC), from the next `admit` on."""
        self._storage.put(_cell(device), until.to_bytes(8, "big"))

    def expected(self, device: Eui64) -> bool:
        """Return whether `device` may come back under its historic key, or has not done so in time."""
        return self._storage.get(_cell(device)) is not None

    def admit(self, entry: LogEntry) -> bool:
        """Open the network for a device that is expected; False if it is not, or if the time is over."""
        left = self._left(entry.device)
        if left <= 0:
            self.forget(entry.device)
            return False
        self._han.readmit(entry.device, -(-left // SECOND))
        self._alarms.after(left, self._end, entry.device)
        return True

    def forget(self, device: Eui64) -> None:
        """The device is back, or has left the log again."""
        if self.expected(device):
            self._storage.delete(_cell(device))

    def _left(self, device: Eui64) -> int:
        until = self._storage.get(_cell(device))
        return 0 if until is None else int.from_bytes(until, "big") - self._wall.utc()

    def _end(self, device: Eui64) -> None:
        if self.expected(device) and self._left(device) <= 0:
            self._note("historic-key-unused", device=str(device))
            self.forget(device)
            self._han.remove(device)
            self._over(device)


def _cell(device: Eui64) -> str:
    return f"{_PREFIX}{device}"
