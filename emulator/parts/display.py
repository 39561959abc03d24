"""What IHD, CAD and PPMID have in common: a reader of the meters, a clock, and the row of a day."""

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.parts.clock_keeper import ClockKeeper, ClockSettings
from emulator.parts.day_rows import DayRows, Fields
from emulator.parts.meter_parts import MeterParts
from emulator.parts.meter_reader import MeterReader, ReaderSettings
from protocols.addresses import Eui64


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplaySettings:
    """What it shows of the electricity is that of the meter it was joined to last."""

    reader: ReaderSettings = field(default_factory=ReaderSettings)
    clock: ClockSettings = field(default_factory=ClockSettings)


class Display:
    """Built by a device with a screen; `looked` hears when a reading is complete."""

    def __init__(
        self,
        kind: str,
        parts: MeterParts,
        settings: DisplaySettings,
        *,
        balance: bool = False,
        looked: Callable[[], object] = lambda: None,
    ) -> None:
        self.reader = MeterReader(parts, settings.reader, balance=balance, looked=looked)
        self.clock = ClockKeeper(
            parts.client, parts.application, parts.timers, parts.storage, parts.wall, note=parts.note,
            settings=settings.clock,
        )  # fmt: skip
        self.rows = DayRows(kind, parts.timers, parts.wall, parts.note, self._row)

    def start(self) -> None:
        """Begin the day: the device has (again) power."""
        self.rows.start()

    def joined(self, hub: Eui64) -> None:
        self.clock.start(hub)
        self.reader.start(hub)

    def stop(self) -> None:
        """Show nothing: the power went."""
        self.reader.reset()

    def _row(self, day: int) -> Fields:
        return dict(self.reader.shown.values) | self.reader.tally.take()
