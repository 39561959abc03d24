"""The Price cluster of a meter: what a unit costs now, told to displays that ask and at each change of the tier."""

from typing import Final

from emulator.consumption.tariff import HALF_HOURS, TIERS, Tariff
from emulator.parts.cluster_server import ClusterServer, Command
from emulator.parts.displays import Listeners
from emulator.parts.meter_parts import MeterParts
from emulator.parts.registers import HALF_HOUR
from protocols.interfaces import DAY, MINUTE, Received
from protocols.zcl.attribute_server import Attribute, constant
from protocols.zcl.clusters import price, time
from protocols.zcl.clusters.price import Attribute as Price
from protocols.zcl.clusters.price import PriceAcknowledgement, PublishPrice, PublishTariffInformation
from protocols.zcl.data_types import Value
from protocols.zcl.frame import ZclFrame, ZclStatus

TRAILING_DIGITS: Final = 5  # prices are hundred-thousandths of a pound
PROVIDER: Final = 1
_TIMER = "tier"
_NO_BLOCKS = 0xFF
_LABEL = 12  # octets of a tier's


class PriceServer:
    def __init__(self, parts: MeterParts, tariff: Tariff, listeners: Listeners, *, unit: int) -> None:
        """unit: of measure, as of Metering."""
        self._parts, self.tariff, self._listeners, self._unit = parts, tariff, listeners, unit
        self.acknowledged = 0  # prices since the start
        commands: dict[int, Command] = {
            0x00: self._current,
            0x01: self._current,  # no price is laid down ahead of the one in force
            0x02: self._acknowledgement,
            0x06: self._tariff,
        }
        self.server = ClusterServer(price.CLUSTER, self._attributes(), commands=commands, generated=(0x00, 0x04))

    def start(self) -> None:
        """Wait for the next change: the meter has (again) power."""
        if self.tariff.next_switch(self._half_hour()) < HALF_HOURS:
            begun = self._parts.wall.utc() // HALF_HOUR * HALF_HOUR
            at = self._parts.wall.when(begun + self.tariff.next_switch(self._half_hour()) * HALF_HOUR)
            self._parts.timers.at(_TIMER, at, self._changed)

    def _changed(self) -> None:
        for listener in self._listeners.all():
            self._parts.client.tell(
                listener.device, price.CLUSTER, listener.endpoint, price.COMMANDS, self.current(), from_server=True
            )
        self._parts.note("price-published", tier=self.current().tier, to=len(self._listeners.all()))
        self.start()

    def current(self) -> PublishPrice:
        """Return the price in force; its event id is the time it began."""
        now, half = self._parts.wall.utc(), self._half_hour()
        tier, ahead = self.tariff.tier(half), self.tariff.next_switch(half)
        begun = time.from_nanoseconds(self._begun(now, half))
        ends = ahead * HALF_HOUR - now % HALF_HOUR
        minutes = price.UNTIL_CHANGED if ahead == HALF_HOURS else -(-ends // MINUTE)
        label = self.tariff.tier_labels[tier - 1].encode()[:_LABEL]
        return PublishPrice(
            PROVIDER, label, begun, time.from_nanoseconds(now), self._unit, price.GBP, TRAILING_DIGITS << 4 | tier,
            TIERS << 4 | tier, begun, minutes, self.tariff.prices[tier - 1],
        )  # fmt: skip

    def _half_hour(self) -> int:
        return self._parts.wall.utc() % DAY // HALF_HOUR

    def _begun(self, now: int, half: int) -> int:
        """Return when the tier in force began, ns UTC: at most a day ago."""
        tier, back = self.tariff.tier(half), 0
        while back < HALF_HOURS - 1 and self.tariff.tier((half - back - 1) % HALF_HOURS) == tier:
            back += 1
        return now // HALF_HOUR * HALF_HOUR - back * HALF_HOUR

    # --- commands ----------------------------------------------------------------------------------------------

    def _current(self, frame: ZclFrame, event: Received) -> bytes:
        self._listeners.hear(event)
        return price.COMMANDS.encode(self.current(), frame.transaction, from_server=True)

    def _acknowledgement(self, frame: ZclFrame, event: Received) -> int:
        PriceAcknowledgement.decode(frame.payload)
        self.acknowledged += 1
        return ZclStatus.SUCCESS

    def _tariff(self, frame: ZclFrame, event: Received) -> bytes:
        told = PublishTariffInformation(
            PROVIDER, 1, 1, 0, 0, self.tariff.label.encode(), TIERS, 0, self._unit, price.GBP, TRAILING_DIGITS << 4,
            self.tariff.standing_charge, _NO_BLOCKS, 1, 1,
        )  # fmt: skip
        return price.COMMANDS.encode(told, frame.transaction, from_server=True)

    def _attributes(self) -> dict[int, Attribute]:
        tariff = self.tariff
        values: dict[Price, Value] = {
            Price.TIER_1_PRICE_LABEL: tariff.tier_labels[0].encode()[:_LABEL],
            Price.TIER_2_PRICE_LABEL: tariff.tier_labels[1].encode()[:_LABEL],
            Price.STANDING_CHARGE: tariff.standing_charge,
            Price.TIER_1_BLOCK_1_PRICE: tariff.prices[0],
            Price.TIER_2_BLOCK_1_PRICE: tariff.prices[1],
            Price.TARIFF_LABEL: tariff.label.encode(),
            Price.NUMBER_OF_PRICE_TIERS_IN_USE: TIERS,
            Price.UNIT_OF_MEASURE: self._unit,
            Price.CURRENCY: price.GBP,
            Price.PRICE_TRAILING_DIGIT: TRAILING_DIGITS << 4,
        }
        return {int(number): constant(price.TYPES[number], value) for number, value in values.items()}
