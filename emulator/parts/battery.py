"""The battery of a device that has nothing else: what is left in it, and whether that is enough for an update."""

import struct
from dataclasses import dataclass

from protocols.interfaces import DAY, HOUR, Storage, WallClock

_CELL = "battery/charge"
_HELD = struct.Struct(">QQ")  # charge in uAh, when in ns since 1970 UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class BatterySettings:
    """Charges in uAh, currents in uA. No source tells any of them: all inferred."""

    full: int = 13_000_000  # two D cells of lithium
    standing: int = 100  # of a bridge that listens in short slots
    thousand_octets: int = 20  # of an image taken: receiver on, answers, writing to memory
    activation: int = 5_000
    reserve: int = 90 * DAY  # ns that it must still last after an update: until somebody comes with a new one


class Battery:
    """Drains by itself; `spend` takes what work costs."""

    def __init__(self, storage: Storage, wall: WallClock, settings: BatterySettings, charge: int | None = None) -> None:
        """charge: uAh at the beginning, full by default; what the storage says wins."""
        self._storage, self._wall, self.settings = storage, wall, settings
        if storage.get(_CELL) is None:
            self._keep(settings.full if charge is None else charge)

    @property
    def charge(self) -> int:
        """What is left, uAh."""
        held: tuple[int, int] = _HELD.unpack(self._storage.get(_CELL) or _HELD.pack(0, self._wall.utc()))
        charge, when = held
        return max(0, charge - self.settings.standing * max(0, self._wall.utc() - when) // HOUR)

    def cost(self, size: int) -> int:
        """Return what an update with an image of `size` octets takes, uAh."""
        return -(-size * self.settings.thousand_octets // 1000) + self.settings.activation

    @property
    def kept_back(self) -> int:
        """What must be left after an update, uAh."""
        return self.settings.standing * self.settings.reserve // HOUR

    def affords(self, size: int) -> bool:
        """Return whether the device still lasts long enough after an update with an image of `size` octets."""
        return self.charge - self.cost(size) >= self.kept_back

    def spend(self, charge: int) -> None:
        self._keep(max(0, self.charge - charge))

    def replace(self) -> None:
        """Somebody puts a new one in."""
        self._keep(self.settings.full)

    def _keep(self, charge: int) -> None:
        self._storage.put(_CELL, _HELD.pack(charge, self._wall.utc()))
