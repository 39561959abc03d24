"""ESME: the electricity meter, which also feeds the hub."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Unpack

from emulator.parts.clock_commands import ClockCommands
from emulator.parts.command_activated import CommandActivatedDevice
from emulator.parts.electricity_meter import Connected, ElectricityMeter, ElectricitySettings
from emulator.parts.gbcs_application import Answer
from emulator.parts.gbcs_entity import DeviceKind
from emulator.parts.han_application import (
    LOAD_CONTROL,
    MESSAGING,
    METERING,
    METERING_DEVICE,
    OTA_UPGRADE,
    PREPAYMENT,
    PRICE,
    SECOND_ELEMENT,
    TIME,
    TUNNELING,
    descriptor,
)
from emulator.parts.log_commands import serve_logs, serve_voltages
from emulator.parts.register_commands import serve_electricity
from emulator.parts.supply_record import Interruption, SupplyRecord
from emulator.parts.switch_commands import serve_switches
from emulator.parts.updatable import DeviceParts
from emulator.power import Supply
from protocols.addresses import Eui64
from protocols.errors import UsageError
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.use_cases import ecs52, ecs80, miiwa
from protocols.gbcs.use_cases.ecs80 import WHOLE
from protocols.interfaces import MINUTE, SECOND, SimpleDescriptor

_CRITICAL = 0x8F
_BOOT = "boot"
_CUTTING = "activation/dc-cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class EsmeSettings:
    """Times in ns. dc_outage: how long an activation leaves the hub without supply, 12 to 15 minutes.

    hub_phase: of a polyphase meter the phase, from 1, that feeds the hub; None: any that is there. The meter itself
    lives on any. [I]
    """

    dc_outage: int = 13 * MINUTE
    boot: int = 5 * SECOND  # after the mains came back
    long_outage: int = 3 * MINUTE  # from here on 8F36 in place of 8F35, and so for a phase
    hub_phase: int | None = None
    metering: ElectricitySettings = field(default_factory=ElectricitySettings)

    def __post_init__(self) -> None:
        if not 12 * MINUTE <= self.dc_outage <= 15 * MINUTE:
            raise UsageError("an activation takes 12 to 15 minutes")


class Esme(CommandActivatedDevice):
    """An electricity meter. It measures its mains, and gives DC to the hub from it.

    An activation cuts the DC, not the mains: only a real loss of the mains leads to 8F35 or 8F36, and of one phase of a
    polyphase supply to 8F37 to 8F3C.
    """

    gbcs_kind = DeviceKind.ESME
    shown = METERING_DEVICE
    servers = (METERING, PRICE, PREPAYMENT, MESSAGING, LOAD_CONTROL, TUNNELING)
    clients = (OTA_UPGRADE, TIME)

    def __init__(
        self,
        *,
        mains: Supply,
        dc_out: Supply,
        phases: tuple[Supply, ...] = (),
        esme_settings: EsmeSettings | None = None,
        connected: Connected | None = None,
        **parts: Unpack[DeviceParts],
    ) -> None:
        """mains: what it measures and lives on; dc_out: what it gives the hub; `parts` as of `UpdatableDevice`.

        phases: of a polyphase supply; `mains` is then on while any of them is.
        connected: the household's flows through the meter; by default nothing flows.
        """
        self.mains, self.dc_out, self.phases = mains, dc_out, phases
        self.esme_settings = esme_settings if esme_settings is not None else EsmeSettings()
        self._connected = connected if connected is not None else Connected()
        super().__init__(**parts)
        self.meter = ElectricityMeter(
            self.meter_parts, self._connected, self.esme_settings.metering,
            serial=self.node.eui.big, supply=lambda: mains.on, alert=self._tell_supplier,
        )  # fmt: skip
        for server in self.meter.servers:
            self.application.serve(server)
        if self.meter.second_server is not None:
            self.application.serve(self.meter.second_server, SECOND_ELEMENT.endpoint)
        self.partners.listen(lambda _: None, self.meter.unjoined)
        self.gbcs.on(ecs52.MESSAGE_CODE, self._ecs52)
        self.clock_commands = ClockCommands(self.gbcs)
        serve_logs(self.gbcs, self.meter.log)
        serve_voltages(self.gbcs, self.meter.voltage)
        serve_switches(self.gbcs, self.meter.controlled)
        second = self.meter.second
        serve_electricity(
            self.gbcs,
            lambda: self.meter.registers.read().taken,
            None if second is None else lambda: second.read().taken,
        )
        feeding = self.esme_settings.hub_phase
        if feeding is not None and not 1 <= feeding <= len(phases):
            raise UsageError(f"phase {feeding} feeds the hub, of {len(phases)} phases")
        self._record = SupplyRecord(self.storage, len(phases))
        for number, phase in enumerate(phases, 1):
            phase.attach(partial(self._phase_changed, number))
        mains.attach(self._mains_changed)

    def further_endpoints(self) -> Sequence[SimpleDescriptor]:
        """Show the second element of a twin element meter on an endpoint of its own."""
        return () if self._connected.second is None else (descriptor(SECOND_ELEMENT, servers=(METERING,)),)

    # --- activation --------------------------------------------------------------------------------------------

    def activate(self) -> None:
        """Restart into the waiting image, the hub without supply meanwhile."""
        self.storage.put(_CUTTING, b"\x01")
        self.note("dc-supply-cut")
        self.dc_out.switch(False)
        self.restart_after(self.esme_settings.dc_outage)

    def _run(self) -> None:
        self._give_supply()
        super()._run()
        for number, phase in enumerate(self.phases, 1):
            self.meter.phase_switched(number, phase.on)
        self.meter.start()
        self._tell_outage()

    def power_off(self) -> None:
        self.meter.stop()
        super().power_off()

    def _joined(self, hub: Eui64) -> None:
        super()._joined(hub)
        if self.powered:
            self.meter.joined(hub)

    def activated(self) -> None:
        self.meter.log.add(AlertCode.FIRMWARE_CHANGED)

    def image_verified(self, version: int, file: bytes) -> None:
        super().image_verified(version, file)
        self.meter.log.add(AlertCode.FIRMWARE_VERIFIED)

    def note(self, event: str, **fields: str | int | bool | None) -> None:
        super().note(event, **fields)
        self.meter.log.tell(event, str(fields.get("reason")))

    def _give_supply(self) -> None:
        if self.storage.get(_CUTTING) is not None:
            self.storage.delete(_CUTTING)
            self.note("dc-supply-back")
        self._feed()

    # --- mains -------------------------------------------------------------------------------------------------

    def _feed(self) -> None:
        """Give the hub its DC, unless an activation cuts it or what feeds it is gone."""
        phase = self.esme_settings.hub_phase
        there = self.mains.on if phase is None else self.phases[phase - 1].on
        self.dc_out.switch(there and self.storage.get(_CUTTING) is None)

    def _mains_changed(self, on: bool) -> None:
        if on:
            self.timers.after(_BOOT, self.esme_settings.boot, self.power_on)
            self._record.restored(WHOLE, self.wall.utc())
            self._feed()
            return
        self._record.lost(WHOLE, self.wall.utc())
        self.note("supply-interrupted")
        self.meter.log.add(ecs80.CODES[WHOLE].interrupted)
        self._feed()
        self.power_off()

    def _phase_changed(self, phase: int, on: bool) -> None:
        self.meter.phase_switched(phase, on)
        if on:
            self._record.restored(phase, self.wall.utc())
        else:
            self._record.lost(phase, self.wall.utc())
            self.note("phase-interrupted", phase=phase)
            self.meter.log.add(ecs80.CODES[phase].interrupted)
        self._feed()
        if on and self.powered:
            self._tell_outage()

    def _tell_outage(self) -> None:
        """After a real loss of the mains or a phase, tell the network operator that it is back."""
        over = self._record.over()
        for each in over:
            duration = each.restored - each.lost
            if each.phase == WHOLE:
                self.note("supply-restored", duration=duration)
            else:
                self.note("phase-restored", phase=each.phase, duration=duration)
        if over:
            with self.storage.transaction():
                for each in over:
                    self.restore_alert(each)
                self._record.forget()

    def restore_alert(self, over: Interruption) -> None:
        """Queue 8F35 or 8F36, or what tells the same of a phase."""
        told = over.restored // SECOND - over.lost // SECOND  # as the alert says it: whole seconds
        codes = ecs80.CODES[over.phase]
        long = told >= self.esme_settings.long_outage // SECOND
        code = codes.restored_after_outage if long else codes.restored
        self.meter.log.add(code)
        operator = self.entity.anchors.eui(RemotePartyRole.NETWORK_OPERATOR)

        def payload(counter: int) -> bytes:
            return ecs80.Alert(code, self.wall.utc(), over.lost, over.restored, counter).encode()

        self.send_alert(ecs80.MESSAGE_CODE, operator, payload)

    # --- GBCS --------------------------------------------------------------------------------------------------

    def _tell_supplier(self, code: AlertCode) -> None:
        """Queue an alert of code and time alone: those of 8Fxx are critical."""
        self.gbcs.generic_alert(code, RemotePartyRole.SUPPLIER, critical=code >> 8 == _CRITICAL)

    def _ecs52(self, message: Message) -> Answer:
        ecs52.Command.decode(message.payload)
        return Answer(ecs52.Response(self.firmware_version, counter=message.counter).encode())

    def warn_of_integrity(self, cause: miiwa.Cause) -> None:
        """Tell the supplier that something is wrong with the meter itself (81A0)."""
        supplier = self.entity.anchors.eui(RemotePartyRole.SUPPLIER)

        def payload(counter: int) -> bytes:
            return miiwa.Alert(self.wall.utc(), cause, counter=counter).encode()

        self.send_alert(miiwa.MESSAGE_CODE, supplier, payload, signed=False)
