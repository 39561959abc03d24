"""What makes a GSME a meter: registers in litres, profile, battery, and the mirror it fills when it wakes."""

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.consumption.flow import ConstantFlow, Flow
from emulator.consumption.tariff import FLAT, Tariff
from emulator.parts.clock_keeper import ClockKeeper, ClockSettings
from emulator.parts.cluster_server import ClusterServer, Command
from emulator.parts.day_rows import DayRows, Fields, Tally
from emulator.parts.event_log import EventLog
from emulator.parts.meter_parts import MeterParts
from emulator.parts.metering_server import constants, profile_command
from emulator.parts.mirror_client import MirrorClient
from emulator.parts.registers import Reading, Registers, set_clock
from protocols.addresses import Eui64
from protocols.gbcs.codes import AlertCode
from protocols.interfaces import DAY, HOUR
from protocols.zcl import data_types
from protocols.zcl.attribute_server import Attribute
from protocols.zcl.clusters import metering, time
from protocols.zcl.clusters.metering import Attribute as Metering
from protocols.zcl.data_types import Value

LITRE = 1_000 * HOUR  # ml/h ns
_BATTERY_START, _BATTERY_TOLD = "battery/start", "battery/told"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatterySettings:
    """A lithium cell and what draws on it; the figures are inferred."""

    capacity: int = 19_000_000  # microampere hours
    sleeping: int = 60  # microamperes, all the time
    wake: int = 9  # microampere hours
    low: int = 10  # percent, from here on 8F1F is told


@dataclass(frozen=True, slots=True, kw_only=True)
class GasSettings:
    tariff: Tariff = FLAT
    battery: BatterySettings = field(default_factory=BatterySettings)
    clock: ClockSettings = field(default_factory=ClockSettings)


class GasMeter:
    """The parts of a GSME that measure and tell; alert(code) queues one for the supplier."""

    def __init__(
        self,
        parts: MeterParts,
        flow: Flow | None,
        settings: GasSettings,
        *,
        serial: bytes,
        version: Callable[[], int],
        flagged: Callable[[int], object],
        alert: Callable[[AlertCode], object],
    ) -> None:
        """version(): of the firmware that runs, 32 bits; flagged(flags): hears what waits at the hub."""
        self._parts, self.settings, self._version, self._alert = parts, settings, version, alert
        self._serial = serial
        clock, wall, storage = parts.clock, parts.wall, parts.storage
        flow = flow if flow is not None else ConstantFlow()
        self.registers = Registers(flow, clock, wall, storage, unit=LITRE, tier_of=settings.tariff.tier)
        self.mirror = MirrorClient(
            parts.client, changing=self._changing, lasting=self._lasting, flagged=flagged, note=parts.note
        )
        self.log = EventLog(storage, wall, parts.note)
        self.clock = ClockKeeper(
            parts.client, parts.application, parts.timers, storage, wall, note=parts.note, set_clock=self._set_clock,
            adjusted=lambda _: self.log.add(AlertCode.CLOCK_ADJUSTED),
            refused=self._clock_refused, settings=settings.clock,
        )  # fmt: skip
        self.tally = Tally("wakes", "alerts")
        self.wakes = 0  # since the battery was put in
        self.rows = DayRows("gsme", parts.timers, wall, parts.note, self._row)
        table, take = self._changing() | self._lasting(), parts.client.take
        commands: dict[int, Command] = {0x00: profile_command(self.registers), 0x01: take, 0x09: take}
        self.server = ClusterServer(metering.CLUSTER, table, commands=commands, generated=(0x00, 0x01))

    def start(self) -> None:
        """Measure: the meter has a battery."""
        if self._parts.storage.get(_BATTERY_START) is None:
            self._parts.storage.put(_BATTERY_START, self._parts.clock.now().to_bytes(8, "big"))
        self.registers.resume()
        self.rows.start()

    def joined(self, hub: Eui64) -> None:
        self.mirror.reset()
        self.clock.start(hub)

    def stop(self) -> None:
        self.registers.pause()

    def wake(self, hub: Eui64, endpoint: int) -> None:
        """Bring the mirror up to date, and hear what waits."""
        self.wakes += 1
        self.tally.add("wakes")
        self.mirror.push(hub, endpoint)
        if self.battery_left <= self.settings.battery.low and self._parts.storage.get(_BATTERY_TOLD) is None:
            self._parts.storage.put(_BATTERY_TOLD, b"\x01")
            self.tally.add("alerts")
            self._alert(AlertCode.BATTERY_LOW)

    def _set_clock(self, utc: int) -> None:
        set_clock(self._parts.wall, utc, (self.registers,))
        self.rows.start()

    def _clock_refused(self, off: int) -> None:
        self.log.add(AlertCode.CLOCK_NOT_ADJUSTED)
        self._alert(AlertCode.CLOCK_NOT_ADJUSTED)

    # --- attributes --------------------------------------------------------------------------------------------

    @property
    def battery_left(self) -> int:
        """Percent."""
        battery, begun = self.settings.battery, self._parts.storage.get(_BATTERY_START)
        age = 0 if begun is None else self._parts.clock.now() - int.from_bytes(begun, "big")
        used = battery.sleeping * age // HOUR + battery.wake * self.wakes
        return max(0, 100 - 100 * used // battery.capacity)

    def _changing(self) -> dict[int, Attribute]:
        """Return what a waking pushes: it fits one frame."""
        read: dict[Metering, Callable[[Reading], Value]] = {
            Metering.CURRENT_SUMMATION_DELIVERED: lambda reading: reading.taken,
            Metering.CURRENT_DAY_CONSUMPTION_DELIVERED: lambda reading: reading.day_taken,
            Metering.PREVIOUS_DAY_CONSUMPTION_DELIVERED: lambda reading: reading.previous_day_taken,
        }
        table = {int(number): self._of(number, value) for number, value in read.items()}
        wall = self._parts.wall
        table[Metering.READING_SNAPSHOT_TIME] = Attribute(
            data_types.UTC_TIME, lambda: time.from_nanoseconds(wall.utc()), reportable=False
        )
        table[Metering.STATUS] = Attribute(data_types.BITMAP8, self._status)
        table[Metering.REMAINING_BATTERY_LIFE] = Attribute(data_types.UINT8, lambda: self.battery_left)
        table[metering.FIRMWARE_VERSION] = Attribute(
            data_types.OCTET_STRING, lambda: self._version().to_bytes(4, "big"), reportable=False
        )
        return table

    def _of(self, number: Metering, value: Callable[[Reading], Value]) -> Attribute:
        return Attribute(metering.TYPES[number], lambda: value(self.registers.read()))

    def _lasting(self) -> dict[int, Attribute]:
        return constants(metering.Unit.CUBIC_METRES, metering.DeviceType.GAS, self._serial)

    def _status(self) -> int:
        return metering.Status.LOW_BATTERY if self.battery_left <= self.settings.battery.low else 0

    # --- the day -----------------------------------------------------------------------------------------------

    def _row(self, day: int) -> Fields:
        """Return the register at midnight, what the day took in litres, and how often the meter woke."""
        standing, profile = self.registers.at_end_of(day), self.registers.day_profile(day)
        days = day + 1 - self._opened() // DAY
        return {
            "gas_l": standing.taken,
            "day_gas_l": sum(entry[0] for entry in profile if entry),
            "profile": " ".join("-" if entry is None else str(entry[0]) for entry in profile),
            "cost": self.settings.tariff.cost(standing.tiers, days),
            "battery": self.battery_left,
            **self.tally.take(),
        }

    def _opened(self) -> int:
        begun = self._parts.storage.get(_BATTERY_START)
        return self._parts.wall.utc() if begun is None else int.from_bytes(begun, "big")
