"""PPMID: the prepayment display; firmware by 11.4, version read by CS08, activation told by CS09."""

from dataclasses import dataclass
from typing import Unpack

from emulator.parts.display import Display, DisplaySettings
from emulator.parts.han_application import MESSAGING, METERING, OTA_UPGRADE, PREPAYMENT, PRICE, TIME
from emulator.parts.self_activating import SelfActivatingDevice
from emulator.parts.updatable import DeviceParts
from protocols.addresses import Eui64
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import pcs02
from protocols.zcl.clusters import prepayment, time
from protocols.zcl.clusters.prepayment import (
    ConsumerTopUp,
    ConsumerTopUpResponse,
    CreditStatus,
    Originator,
    SelectAvailableEmergencyCredit,
    TopUpResult,
)
from protocols.zcl.command_set import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidSettings:
    """display: None for one that shows nothing.

    vouchers: top-up codes that the household types in, one each time its credit is used up.
    """

    display: DisplaySettings | None = None
    vouchers: tuple[bytes, ...] = ()


class Ppmid(SelfActivatingDevice):
    """A prepayment interface device: it reads the meters and the balance, and has its buttons pressed.

    The household takes emergency credit as soon as it can be had, asking the gas meter too, and tops up once the credit
    is gone. [I]
    """

    clients = (OTA_UPGRADE, TIME, PRICE, METERING, MESSAGING, PREPAYMENT)

    def __init__(self, *, ppmid_settings: PpmidSettings | None = None, **parts: Unpack[DeviceParts]) -> None:
        super().__init__(**parts)
        self.ppmid_settings = settings = ppmid_settings if ppmid_settings is not None else PpmidSettings()
        self.display: Display | None = None
        self.messages.on_answer(pcs02.MESSAGE_CODE, self._gas_answered)
        self._vouchers = list(settings.vouchers)
        if settings.display is not None:
            self.display = Display(
                "ppmid", self.meter_parts, settings.display, balance=True, looked=self._press_buttons
            )

    def _run(self) -> None:
        super()._run()
        if self.display is not None:
            self.display.start()

    def _joined(self, hub: Eui64) -> None:
        super()._joined(hub)
        if self.powered and self.display is not None:
            self.display.joined(hub)

    def _stop(self) -> None:
        super()._stop()
        if self.display is not None:
            self.display.stop()

    # --- buttons -----------------------------------------------------------------------------------------------

    def _press_buttons(self) -> None:
        if self.display is None:
            return
        values = self.display.reader.shown.values
        if values.get("credit_status", 0) & CreditStatus.EMERGENCY_CREDIT_AVAILABLE:
            self.select_emergency_credit()
            self.select_gas_emergency_credit()
        elif values.get("balance", 0) < 0 and self._vouchers:
            self.top_up(self._vouchers[0])

    def select_emergency_credit(self) -> None:
        """Press the button for emergency credit."""
        command = SelectAvailableEmergencyCredit(time.from_nanoseconds(self.wall.utc()), Originator.IN_HOME_DISPLAY)
        self.note("emergency-credit-asked")
        self._ask(command)

    def select_gas_emergency_credit(self) -> None:
        """Press the button for emergency credit of the gas meter: PCS02 to each one joined by method C."""
        asked = SelectAvailableEmergencyCredit(time.from_nanoseconds(self.wall.utc()), Originator.IN_HOME_DISPLAY)
        for entry in self.joins.log.entries():
            if self.messages.command(pcs02.MESSAGE_CODE, entry.device, pcs02.Command(asked).encode()):
                self.note("gas-emergency-credit-asked", of=str(entry.device))

    def _gas_answered(self, message: Message) -> None:
        self.note("gas-emergency-credit-answered", status=int(pcs02.Response.decode(message.payload).status))

    def top_up(self, code: bytes) -> None:
        """Type in a top-up code."""
        self.note("top-up-entered")
        self._ask(ConsumerTopUp(Originator.IN_HOME_DISPLAY, code))

    def _ask(self, command: Command) -> None:
        place = None if self.display is None else self.display.reader.meter.place
        if place is not None:
            self.client.ask(place[0], prepayment.CLUSTER, place[1], prepayment.COMMANDS, command, self._topped_up)

    def _topped_up(self, command: Command | None) -> None:
        if isinstance(command, ConsumerTopUpResponse):
            self.note("top-up-answered", result=command.result, amount=command.amount)
            if command.result in (TopUpResult.ACCEPTED, TopUpResult.REJECTED_DUPLICATE) and self._vouchers:
                del self._vouchers[0]
