"""When the supply of a meter, or one phase of it, went and came back: kept over power cuts until it was told."""

from typing import NamedTuple

from protocols.gbcs.use_cases.ecs80 import WHOLE
from protocols.interfaces import Storage

_NS = 8  # octets


class Interruption(NamedTuple):
    phase: int  # from 1; 0: the whole supply
    lost: int  # ns since 1970 UTC, of the meter's clock
    restored: int


class SupplyRecord:
    def __init__(self, storage: Storage, phases: int) -> None:
        self._storage, self._numbers = storage, (WHOLE, *range(1, phases + 1))

    def lost(self, phase: int, utc: int) -> None:
        """Note that it went; what went again before that was told has been away all the time."""
        if self._read(phase, "lost") is None:
            self._put(phase, "lost", utc)
        if self._read(phase, "restored") is not None:
            self._storage.delete(_cell(phase, "restored"))

    def restored(self, phase: int, utc: int) -> None:
        self._put(phase, "restored", utc)

    def over(self) -> list[Interruption]:
        """Return the interruptions that are over and not told, the whole supply's first.

        A phase that went and came with the whole supply is part of that one.
        """
        found = [each for phase in self._numbers if (each := self._whole(phase)) is not None]
        supply = [each[1:] for each in found if each.phase == WHOLE]
        return [each for each in found if each.phase == WHOLE or each[1:] not in supply]

    def forget(self) -> None:
        """Drop all that are over: they are told."""
        for phase in self._numbers:
            if self._whole(phase) is not None:
                for what in ("lost", "restored"):
                    self._storage.delete(_cell(phase, what))

    def _whole(self, phase: int) -> Interruption | None:
        lost, restored = (self._read(phase, what) for what in ("lost", "restored"))
        return None if lost is None or restored is None else Interruption(phase, lost, restored)

    def _read(self, phase: int, what: str) -> int | None:
        octets = self._storage.get(_cell(phase, what))
        return None if octets is None else int.from_bytes(octets, "big")

    def _put(self, phase: int, what: str, utc: int) -> None:
        self._storage.put(_cell(phase, what), utc.to_bytes(_NS, "big"))


def _cell(phase: int, what: str) -> str:
    return f"supply/{what}" if phase == WHOLE else f"supply/phase-{phase}/{what}"
