"""HCALCS: switches a load on the supplier's behalf; firmware by 11.1 and CS06, version read by CS08."""

from dataclasses import dataclass
from typing import Unpack

from emulator.consumption.flow import SwitchedLoad
from emulator.parts.command_activated import CommandActivatedDevice
from emulator.parts.day_rows import DayRows, Fields, Tally
from emulator.parts.gbcs_application import Answer
from emulator.parts.gbcs_entity import DeviceKind
from emulator.parts.han_application import LOAD_CONTROL, LOAD_CONTROL_DEVICE, OTA_UPGRADE
from emulator.parts.load_control import LoadControlClient
from emulator.parts.updatable import DeviceParts
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import cs08
from protocols.interfaces import SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class HcalcsSettings:
    """controlled: follows the load control events of the ESME it is joined to; else it is switched by hand alone."""

    controlled: bool = False


class Hcalcs(CommandActivatedDevice):
    """A load switch. It opens when the power goes and stays open until told, by the meter or by its button."""

    gbcs_kind = DeviceKind.HCALCS
    shown = LOAD_CONTROL_DEVICE
    clients = (OTA_UPGRADE, LOAD_CONTROL)

    def __init__(
        self, *, load: SwitchedLoad | None = None, hcalcs_settings: HcalcsSettings | None = None,
        **parts: Unpack[DeviceParts],
    ) -> None:  # fmt: skip
        """load: what hangs behind the contact."""
        super().__init__(**parts)
        self.load = load if load is not None else SwitchedLoad(0)
        self.hcalcs_settings = hcalcs_settings if hcalcs_settings is not None else HcalcsSettings()
        self.tally, self._closed_at = Tally("switched", "seconds_on"), 0
        self.control: LoadControlClient | None = None
        self.rows: DayRows | None = None
        if self.hcalcs_settings.controlled:
            self.control = LoadControlClient(self.meter_parts, self.switch_load)
            self.rows = DayRows("hcalcs", self.timers, self.wall, self.note, self._row)
        self.gbcs.on(cs08.MESSAGE_CODE, self._cs08)

    @property
    def load_on(self) -> bool:
        return self.load.on

    def switch_load(self, on: bool) -> None:
        """Move the contact; without power it stays open."""
        on = on and self.powered
        if on != self.load.on:
            self._count()
            self.load.switch(on)
            self.tally.add("switched")
            self.note("load-switched", on=on)

    def _count(self) -> None:
        """Add the time that the contact has been closed up to now."""
        now = self.clock.now()
        if self.load.on:
            self.tally.add("seconds_on", (now - self._closed_at) // SECOND)
        self._closed_at = now

    def _run(self) -> None:
        super()._run()
        if self.rows is not None:
            self.rows.start()

    def _stop(self) -> None:
        self.switch_load(False)
        super()._stop()
        if self.control is not None:
            self.control.reset()

    def _row(self, day: int) -> Fields:
        self._count()
        return {"load_on": self.load.on} | self.tally.take()

    # --- GBCS --------------------------------------------------------------------------------------------------

    def _cs08(self, message: Message) -> Answer:
        cs08.Command.decode(message.payload)
        return Answer(cs08.Response(self.firmware_version).encode())
