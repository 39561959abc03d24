"""What makes an ESME a meter: elements with registers and profile, tariff, account, messages, load calendar, clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from emulator.consumption.flow import ConstantFlow, Flow, PhasedFlow, SwitchedLoad
from emulator.consumption.tariff import FLAT, Tariff
from emulator.consumption.voltage import Voltage
from emulator.parts.account import Account, AccountSettings, Happening
from emulator.parts.auxiliary_switches import AuxiliarySwitch, AuxiliarySwitches
from emulator.parts.clock_keeper import ClockKeeper, ClockSettings
from emulator.parts.cluster_server import ClusterServer
from emulator.parts.day_rows import DayRows, Fields, Tally
from emulator.parts.displays import Listeners
from emulator.parts.event_log import EventLog
from emulator.parts.load_control import LoadControlServer, OnTime
from emulator.parts.message_server import MessageServer
from emulator.parts.meter_parts import MeterParts
from emulator.parts.metering_server import electricity_server
from emulator.parts.price_server import PriceServer
from emulator.parts.registers import HALF_HOUR, Registers, set_clock
from emulator.parts.switch_commands import Controlled
from emulator.parts.voltage_log import VoltageLog, VoltageSettings
from protocols.addresses import Eui64
from protocols.errors import UsageError
from protocols.gbcs.codes import AlertCode
from protocols.interfaces import HOUR
from protocols.zcl.clusters import metering
from protocols.zcl.clusters.prepayment import CreditStatus

WATT_HOUR = HOUR  # W ns
_HALF_HOURS = "half-hours"
_SECOND = "second/"  # in the cells of the second element
_ALERTS = {
    Happening.LOW: AlertCode.CREDIT_LOW,
    Happening.EMERGENCY_AVAILABLE: AlertCode.EMERGENCY_CREDIT_AVAILABLE,
    Happening.EMERGENCY_ACTIVATED: AlertCode.EMERGENCY_CREDIT_ACTIVATED,
    Happening.EMERGENCY_USED_UP: AlertCode.EMERGENCY_CREDIT_USED_UP,
    Happening.ADDED: AlertCode.CREDIT_ADDED_LOCALLY,
}

Elements = Literal["single", "twin", "polyphase"]
_ELEMENTS: Final[Mapping[str, Elements]] = {"A": "single", "B": "twin", "C": "polyphase"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricitySettings:
    """variant: letters of the DUIS ESMEVariant: A single, B twin element, C polyphase; D ALCS, E boost, ...."""

    variant: str = "A"
    tariff: Tariff = FLAT
    second_tariff: Tariff = FLAT  # of the second element of a twin
    account: AccountSettings = field(default_factory=AccountSettings)
    load_calendar: tuple[OnTime, ...] = ()
    voltage: VoltageSettings = field(default_factory=VoltageSettings)
    clock: ClockSettings = field(default_factory=ClockSettings)

    @property
    def elements(self) -> Elements:
        return _ELEMENTS[self.variant[0]]

    @property
    def auxiliary_switches(self) -> bool:
        """Whether it has switches built in (ALCS)."""
        return "D" in self.variant

    @property
    def boost(self) -> bool:
        return "E" in self.variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """What flows through the meter; of a polyphase one through its phases."""

    flow: Flow = field(default_factory=ConstantFlow)
    second: Flow | None = None  # of the second element of a twin
    loads: tuple[SwitchedLoad, ...] = ()
    auxiliary: tuple[AuxiliarySwitch, ...] = ()  # the meter's own, with variants of D; then there is one at least
    voltage: Voltage | None = None


class ElectricityMeter:
    """The parts of an ESME that measure and tell; alert(code) queues one for the supplier."""

    def __init__(
        self,
        parts: MeterParts,
        connected: Connected,
        settings: ElectricitySettings,
        *,
        serial: bytes,
        supply: Callable[[], bool],
        alert: Callable[[AlertCode], object],
    ) -> None:
        """supply(): whether the mains are on."""
        self._parts, self.settings, self._alert, self._supply = parts, settings, alert, supply
        clock, wall, storage = parts.clock, parts.wall, parts.storage
        tier_of = settings.tariff.tier
        switches = _built_in(settings, connected)
        self.auxiliary = AuxiliarySwitches(parts, switches, boost=settings.boost)
        self.registers = Registers(
            connected.flow, clock, wall, storage, unit=WATT_HOUR, tier_of=tier_of,
            loads=(*connected.loads, *(switch.load for switch in switches)),
        )  # fmt: skip
        self._phased = connected.flow if isinstance(connected.flow, PhasedFlow) else None
        if self._phased is not None:
            self._phased.attach(self.registers.settle)
        self.voltage: VoltageLog | None = None
        if connected.voltage is not None:
            self.voltage = VoltageLog(connected.voltage, clock, wall, storage, settings.voltage)
        self.second: Registers | None = None
        if connected.second is not None:
            self.second = Registers(
                connected.second,
                clock,
                wall,
                storage,
                unit=WATT_HOUR,
                tier_of=settings.second_tariff.tier,
                name=_SECOND,
            )
        self.listeners, self.switches = Listeners(storage, "displays"), Listeners(storage, "switches")
        self.tally = Tally("alerts", "messages")
        second = None if self.second is None else (self.second, settings.second_tariff)
        self.account = Account(parts, self.registers, settings.tariff, settings.account, self._happened, second)
        self.prices = PriceServer(parts, settings.tariff, self.listeners, unit=metering.Unit.KILOWATT_HOURS)
        self.messages = MessageServer(parts, self.listeners, confirmed=self._confirmed)
        self.loads = LoadControlServer(parts, self.switches, settings.load_calendar)
        self.log = EventLog(storage, wall, parts.note)
        self.clock = ClockKeeper(
            parts.client, parts.application, parts.timers, storage, wall, note=parts.note, set_clock=self._set_clock,
            adjusted=lambda _: self.log.add(AlertCode.CLOCK_ADJUSTED), refused=self._clock_refused,
            settings=settings.clock,
        )  # fmt: skip
        self.rows = DayRows("esme", parts.timers, wall, parts.note, self._row)
        self._metering = electricity_server(
            self.registers, wall, serial=serial, supply=self._supply_status, status=lambda: 0
        )
        self.second_server: ClusterServer | None = None
        if self.second is not None:
            self.second_server = electricity_server(
                self.second, wall, serial=serial, supply=self._supply_status, status=lambda: 0, name=_SECOND
            )

    @property
    def servers(self) -> tuple[ClusterServer, ...]:
        return (self._metering, self.prices.server, self.account.server, self.messages.server, self.loads.server)

    # --- power -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Measure and tell: the meter has (again) power."""
        for each in self._measuring():
            each.resume()
        self.account.start()
        self.prices.start()
        self.loads.start()
        self.auxiliary.start()
        self.rows.start()
        self._watch_account()

    def joined(self, hub: Eui64) -> None:
        self.clock.start(hub)

    def unjoined(self, device: Eui64) -> None:
        """Tell a display or switch nothing more: there is no key with it any more."""
        self.listeners.forget(device)
        self.switches.forget(device)

    def stop(self) -> None:
        """Keep what was measured: the supply goes."""
        for each in self._measuring():
            each.pause()
        self.auxiliary.stop()

    def phase_switched(self, phase: int, on: bool) -> None:
        """A phase of the supply goes or comes; they count from 1."""
        if self._phased is not None:
            self._phased.switch(phase, on)
        if self.voltage is not None:
            self.voltage.switch(phase, on)

    def _measuring(self) -> tuple[Registers | VoltageLog, ...]:
        return tuple(each for each in (self.registers, self.second, self.voltage) if each is not None)

    def _watch_account(self) -> None:
        if self.settings.account.prepaid:
            self.account.look()
            following = self.registers.read().interval_begin + HALF_HOUR
            self._parts.timers.at(_HALF_HOURS, self._parts.wall.when(following), self._watch_account)

    def _set_clock(self, utc: int) -> None:
        set_clock(self._parts.wall, utc, self._measuring())
        self.start()

    # --- what others see ---------------------------------------------------------------------------------------

    def _supply_status(self) -> int:
        return metering.SupplyStatus.ON if self._supply() else metering.SupplyStatus.OFF

    def controlled(self) -> tuple[Controlled, ...]:
        """Return the switches it controls: its own, and the HCALCS that asked for its events."""
        own = (Controlled(None, switch.on, switch.load.on) for switch in self.auxiliary.switches)
        event = self.loads.current() is not None
        others = (Controlled(each.device, self.settings.load_calendar, event) for each in self.switches.all())
        return (*own, *others)

    def show_message(self, text: str, *, confirm: bool = False) -> int:
        """Have all displays show a text, as the supplier's command does; return its number."""
        self.tally.add("messages")
        return self.messages.show(text, confirm=confirm)

    def _happened(self, what: Happening) -> None:
        self._parts.note(what.value, balance=self.account.balance)
        self._tell(_ALERTS[what])

    def _confirmed(self, number: int) -> None:
        self._tell(AlertCode.MESSAGE_CONFIRMED)

    def _clock_refused(self, off: int) -> None:
        self.log.add(AlertCode.CLOCK_NOT_ADJUSTED)
        self._tell(AlertCode.CLOCK_NOT_ADJUSTED)

    def _tell(self, code: AlertCode) -> None:
        self.tally.add("alerts")
        self._alert(code)

    # --- the day -----------------------------------------------------------------------------------------------

    def _row(self, day: int) -> Fields:
        """Return the registers at midnight and what the day took; Wh, hundred-thousandths of a pound, volts / 10."""
        standing, cost = self.registers.at_end_of(day), self.account.cost_at_end_of(day)
        profile = self.registers.day_profile(day)
        row: dict[str, str | int | bool | None] = {
            "import_wh": standing.taken,
            "export_wh": standing.given,
            "tier_1_wh": standing.tiers[0],
            "tier_2_wh": standing.tiers[1],
            "day_import_wh": sum(entry[0] for entry in profile if entry),
            "day_export_wh": sum(entry[1] for entry in profile if entry),
            "profile": _told(profile),
            "cost": cost,
            "displays": len(self.listeners.all()),
        }
        if self.settings.account.prepaid:
            row["balance"] = self.account.credit - cost
            row["emergency"] = bool(self.account.status & CreditStatus.EMERGENCY_CREDIT_SELECTED)
        if self.second is not None:
            profile = self.second.day_profile(day)
            row["second_wh"] = self.second.at_end_of(day).taken
            row["day_second_wh"] = sum(entry[0] for entry in profile if entry)
            row["second_profile"] = _told(profile)
        if self.voltage is not None and (averages := [phase for phase in self.voltage.day(day) if phase]):
            row["voltage_least"] = min(min(phase) for phase in averages)
            row["voltage_most"] = max(max(phase) for phase in averages)
        row.update(self.auxiliary.row())
        return row | self.tally.take()


def _built_in(settings: ElectricitySettings, connected: Connected) -> tuple[AuxiliarySwitch, ...]:
    """Return the meter's own switches; UsageError for some with a variant that has none."""
    if not settings.auxiliary_switches:
        if connected.auxiliary:
            raise UsageError(f"an ESME of variant {settings.variant} has no auxiliary switches")
        return ()
    return connected.auxiliary or (AuxiliarySwitch(SwitchedLoad(0)),)  # that nothing hangs on


def _told(profile: list[tuple[int, int] | None]) -> str:
    """Return what each half-hour of a day took; a dash where there is no entry."""
    return " ".join("-" if entry is None else str(entry[0]) for entry in profile)
