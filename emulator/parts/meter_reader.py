"""What a display does: it reads meters every so often and shows what they said, messages and prices included."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from emulator.parts.day_rows import Tally
from emulator.parts.meter_parts import MeterParts
from emulator.parts.partner import Partner
from emulator.parts.zcl_client import Values, command_of
from protocols.addresses import Eui64
from protocols.interfaces import MINUTE, SECOND, Discovered, MatchDescriptor, Received
from protocols.zcl.clusters import messaging, metering, prepayment, price, time
from protocols.zcl.clusters.messaging import DisplayMessage, GetLastMessage, MessageConfirmation
from protocols.zcl.clusters.metering import Attribute as Metering
from protocols.zcl.clusters.prepayment import Attribute as Prepayment
from protocols.zcl.clusters.price import (
    GetCurrentPrice,
    GetTariffInformation,
    PriceAcknowledgement,
    PublishPrice,
    PublishTariffInformation,
)
from protocols.zcl.command_set import Command
from protocols.zcl.frame import ZclFrame
from protocols.zcl.protection import SMART_ENERGY

Names = Mapping[Metering, str] | Mapping[Prepayment, str]
"""Attributes to be read, and what they are called on the display."""

_ELECTRICITY = {
    Metering.CURRENT_SUMMATION_DELIVERED: "import_wh",
    Metering.CURRENT_SUMMATION_RECEIVED: "export_wh",
    Metering.ACTIVE_REGISTER_TIER_DELIVERED: "tier",
    Metering.INSTANTANEOUS_DEMAND: "demand_w",
    Metering.CURRENT_DAY_CONSUMPTION_DELIVERED: "today_wh",
}
_SECOND = {  # of a twin element meter
    Metering.CURRENT_SUMMATION_DELIVERED: "second_wh",
    Metering.INSTANTANEOUS_DEMAND: "second_demand_w",
    Metering.CURRENT_DAY_CONSUMPTION_DELIVERED: "second_today_wh",
}
_PREPAYMENT = {
    Prepayment.CREDIT_REMAINING: "balance",
    Prepayment.EMERGENCY_CREDIT_REMAINING: "emergency",
    Prepayment.CREDIT_STATUS: "credit_status",
}
_GAS = {
    Metering.CURRENT_SUMMATION_DELIVERED: "gas_l",
    Metering.CURRENT_DAY_CONSUMPTION_DELIVERED: "gas_today_l",
    Metering.READING_SNAPSHOT_TIME: "gas_at",
}
_READ, _CONFIRM = "read meters", "confirm message"
_PATIENCE = 3  # reads in a row without an answer, then the partner is looked for anew


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderSettings:
    """Times in ns."""

    every: int = 30 * MINUTE
    first: int = 20 * SECOND  # after joining
    confirm_after: int = 10 * MINUTE  # somebody reads a message and presses the button [I]


@dataclass(slots=True)
class Shown:
    """What stands on the display."""

    values: dict[str, int] = field(default_factory=dict)  # Wh, W, litres, hundred-thousandths of a pound
    price: PublishPrice | None = None
    tariff: PublishTariffInformation | None = None
    message: DisplayMessage | None = None


class MeterReader:
    """Reads the electricity meter it is joined to, and the gas meter in the hub's mirror."""

    def __init__(
        self,
        parts: MeterParts,
        settings: ReaderSettings,
        *,
        balance: bool = False,
        looked: Callable[[], object] = lambda: None,
    ) -> None:
        """balance: read the account too; looked: hears when all answers of a reading are there."""
        self._parts, self.settings, self._balance, self._looked = parts, settings, balance, looked
        self.shown = Shown()
        self.tally = Tally("reads", "failed", "prices", "messages")
        self.meter = Partner(parts, metering.CLUSTER, self._ready)
        self._hub: Eui64 | None = None
        self._mirror: int | None = None  # endpoint
        self._unanswered = 0
        parts.client.on(price.CLUSTER, self._price_received)
        parts.client.on(messaging.CLUSTER, self._message_received)

    def start(self, hub: Eui64) -> None:
        """Begin: the device has (again) a network."""
        self._hub, self._mirror = hub, None
        self._parts.timers.after(_READ, self.settings.first, self._read)

    def reset(self) -> None:
        """Show nothing: the power went."""
        self.shown, self._unanswered = Shown(), 0
        self.meter.reset()

    # --- electricity -------------------------------------------------------------------------------------------

    def _ready(self) -> None:
        """The meter is found: be told prices and messages from now on."""
        if self.meter.place is not None:
            client, (who, endpoint) = self._parts.client, self.meter.place
            client.ask(who, price.CLUSTER, endpoint, price.COMMANDS, GetCurrentPrice(), self._price)
            client.ask(who, price.CLUSTER, endpoint, price.COMMANDS, GetTariffInformation(0), self._tariff)
            client.ask(who, messaging.CLUSTER, endpoint, messaging.COMMANDS, GetLastMessage(), self._message)

    def _read(self) -> None:
        self._parts.timers.after(_READ, self.settings.every, self._read)
        self._ask_meter("electricity", metering.CLUSTER, _ELECTRICITY, self._second_next)
        self._read_mirror()

    def _ask_meter(
        self, of: str, cluster: int, names: Names, then: Callable[[], object], endpoint: int | None = None
    ) -> None:
        if self.meter.place is None:
            return
        who, first = self.meter.place
        self.tally.add("reads")

        def answered(values: Values | None) -> None:
            if values is None:
                self._failed()
                return
            self._unanswered = 0
            self._show(of, names, values)
            then()

        self._parts.client.read(who, cluster, first if endpoint is None else endpoint, tuple(names), answered)

    def _second_next(self) -> None:
        if self.meter.others:
            self._ask_meter("second element", metering.CLUSTER, _SECOND, self._balance_next, self.meter.others[0])
        else:
            self._balance_next()

    def _balance_next(self) -> None:
        if self._balance:
            self._ask_meter("account", prepayment.CLUSTER, _PREPAYMENT, self._looked)
        else:
            self._looked()

    def _failed(self) -> None:
        self.tally.add("failed")
        self._unanswered += 1
        if self._unanswered >= _PATIENCE:
            self._unanswered = 0
            self.meter.find()

    # --- gas ---------------------------------------------------------------------------------------------------

    def _read_mirror(self) -> None:
        hub = self._hub
        if hub is None:
            return
        if self._mirror is None:
            self._parts.application.discover(hub, MatchDescriptor(SMART_ENERGY, (metering.CLUSTER,)), self._discovered)
            return
        self.tally.add("reads")

        def answered(values: Values | None) -> None:
            if values is None:
                self._mirror = None
                self.tally.add("failed")
            elif values:
                self._show("gas", _GAS, values)

        self._parts.client.read(hub, metering.CLUSTER, self._mirror, tuple(_GAS), answered)

    def _discovered(self, event: Discovered) -> None:
        if event.answered and event.endpoints:
            self._mirror = event.endpoints[0]
            self._read_mirror()

    def _show(self, of: str, names: Names, values: Values) -> None:
        told = {name: value for number, name in names.items() if isinstance(value := values.get(number), int)}
        self.shown.values.update(told)
        self._parts.note("shown", of=of, **told)

    # --- prices and messages -----------------------------------------------------------------------------------

    def _price_received(self, frame: ZclFrame, event: Received) -> None:
        if event.secured and event.who == self.meter.who:
            self._price(command_of(price.COMMANDS, frame))

    def _price(self, command: Command | None) -> None:
        if not isinstance(command, PublishPrice) or self.meter.place is None:
            return
        who, endpoint = self.meter.place
        self.shown.price = command
        self.tally.add("prices")
        self._parts.note("price-shown", price=command.price, tier=command.tier)
        now = time.from_nanoseconds(self._parts.wall.utc())
        done = PriceAcknowledgement(command.provider_id, command.issuer_event_id, now)
        self._parts.client.tell(who, price.CLUSTER, endpoint, price.COMMANDS, done, from_server=False)

    def _tariff(self, command: Command | None) -> None:
        if isinstance(command, PublishTariffInformation):
            self.shown.tariff = command

    def _message_received(self, frame: ZclFrame, event: Received) -> None:
        if event.secured and event.who == self.meter.who:
            self._message(command_of(messaging.COMMANDS, frame))

    def _message(self, command: Command | None) -> None:
        match command:
            case DisplayMessage():
                if self.shown.message is None or command.message_id != self.shown.message.message_id:
                    self._show_message(command)
            case messaging.CancelMessage(message_id=number):
                if self.shown.message is not None and self.shown.message.message_id == number:
                    self.shown.message = None
            case messaging.CancelAllMessages():
                self.shown.message = None
            case _:
                pass

    def _show_message(self, message: DisplayMessage) -> None:
        self.shown.message = message
        self.tally.add("messages")
        self._parts.note("message-shown", message=message.message_id, text=message.text.decode(errors="replace"))
        if message.wants_confirmation:
            self._parts.timers.after(_CONFIRM, self.settings.confirm_after, self._confirm, message)

    def _confirm(self, message: DisplayMessage) -> None:
        if self.meter.place is not None:
            who, endpoint = self.meter.place
            told = MessageConfirmation(message.message_id, time.from_nanoseconds(self._parts.wall.utc()))
            self._parts.client.tell(who, messaging.CLUSTER, endpoint, messaging.COMMANDS, told, from_server=False)
