"""The account of a meter: what its registers cost, and in prepayment mode what is left.

All of it follows from the registers, the tariff and the credit added, so that nothing is charged step by step.
Amounts are hundred-thousandths of a pound. Friendly credit and disconnection are not modelled: a balance below the
limit is told as exhausted, the supply stays on. [I]
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from emulator.consumption.tariff import Tariff
from emulator.parts.cluster_server import ClusterServer, Command
from emulator.parts.meter_parts import MeterParts
from emulator.parts.registers import Registers
from protocols.interfaces import DAY, Received
from protocols.zcl.attribute_server import Attribute
from protocols.zcl.clusters import prepayment, price, time
from protocols.zcl.clusters.prepayment import Attribute as Prepayment
from protocols.zcl.clusters.prepayment import (
    ConsumerTopUp,
    ConsumerTopUpResponse,
    CreditStatus,
    PaymentControl,
    SelectAvailableEmergencyCredit,
    TopUpResult,
)
from protocols.zcl.data_types import Value
from protocols.zcl.frame import ZclFrame, ZclStatus

POUND: Final = 100_000
_CELL, _SECOND, _USED = "account/state", "account/second", "account/used/"
_STATE = struct.Struct(">QQIqBB")
_TIERS = struct.Struct(">QQ")

Tiers: TypeAlias = tuple[int, int]  # whole units of tier 1 and 2


class Happening(Enum):
    """What an account tells its meter."""

    LOW = "credit-low"
    EMERGENCY_AVAILABLE = "emergency-credit-available"
    EMERGENCY_ACTIVATED = "emergency-credit-activated"
    EMERGENCY_USED_UP = "emergency-credit-used-up"
    ADDED = "credit-added"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """Hundred-thousandths of a pound."""

    prepaid: bool = False
    opening_credit: int = 0
    low: int = 2 * POUND  # from here on low credit is told, and emergency credit can be had
    emergency_limit: int = 5 * POUND
    vouchers: Mapping[bytes, int] = field(default_factory=dict)
    """Top-up codes that are good, each once, by what they are worth: how a UTRN proves itself is not public. [I]"""


class Account:
    def __init__(
        self, parts: MeterParts, registers: Registers, tariff: Tariff, settings: AccountSettings,
        happened: Callable[[Happening], object], second: tuple[Registers, Tariff] | None = None,
    ) -> None:  # fmt: skip
        """second: registers and tariff of the second element of a twin; its standing charge is not charged."""
        self._parts, self._registers, self._tariff, self._second = parts, registers, tariff, second
        self.settings, self._happened = settings, happened
        commands: dict[int, Command] = {0x00: self._select, 0x04: self._top_up}
        table = {int(number): Attribute(prepayment.TYPES[number], read) for number, read in self._attributes().items()}
        self.server = ClusterServer(prepayment.CLUSTER, table, commands=commands, generated=(0x03,))

    def start(self) -> None:
        """Open the account at the first start."""
        if self._parts.storage.get(_CELL) is None:
            day = self._parts.wall.utc() // DAY
            with self._parts.storage.transaction():
                self._put(self._registers.read().tiers, day, self.settings.opening_credit, selected=False, told=0)
                if self._second is not None:
                    self._parts.storage.put(_SECOND, _TIERS.pack(*self._second[0].read().tiers))

    # --- amounts -----------------------------------------------------------------------------------------------

    @property
    def credit(self) -> int:
        """All that was paid in, the opening credit included."""
        return self._state()[2]

    @property
    def cost(self) -> int:
        """What was used since the account was opened, with the standing charge of each midnight since."""
        second = None if self._second is None else self._second[0].read().tiers
        return self._cost(self._registers.read().tiers, second, self._parts.wall.utc() // DAY)

    def cost_at_end_of(self, number: int) -> int:
        """Return the cost as it stood when the day so many days after 1970-01-01 was over."""
        second = None if self._second is None else self._second[0].at_end_of(number).tiers
        return self._cost(self._registers.at_end_of(number).tiers, second, number + 1)

    def _cost(self, tiers: Tiers, second: Tiers | None, today: int) -> int:
        opened, day, *_ = self._state()
        used = (tiers[0] - opened[0], tiers[1] - opened[1])
        return self._tariff.cost(used, max(today - day, 0)) + self._cost_of_second(second)

    def _cost_of_second(self, tiers: Tiers | None) -> int:
        octets = self._parts.storage.get(_SECOND)
        if self._second is None or tiers is None or octets is None:
            return 0
        opened = _TIERS.unpack(octets)
        return self._second[1].cost((tiers[0] - opened[0], tiers[1] - opened[1]), 0)

    @property
    def balance(self) -> int:
        """Credit less cost; below 0 emergency credit is in use, or debt grows."""
        return self.credit - self.cost

    @property
    def emergency_left(self) -> int:
        if not self._state()[3]:
            return 0
        return max(0, min(self.settings.emergency_limit, self.settings.emergency_limit + self.balance))

    @property
    def status(self) -> CreditStatus:
        _, _, _, selected, _ = self._state()
        balance, low = self.balance, self.settings.low
        status = CreditStatus.LOW_CREDIT if balance <= low else CreditStatus.CREDIT_OK
        status |= CreditStatus.EMERGENCY_CREDIT_ENABLED
        if selected:
            status |= CreditStatus.EMERGENCY_CREDIT_SELECTED
            if balance < 0:
                status |= CreditStatus.EMERGENCY_CREDIT_IN_USE
        elif balance <= low:
            status |= CreditStatus.EMERGENCY_CREDIT_AVAILABLE
        if balance <= (-self.settings.emergency_limit if selected else 0):
            status |= CreditStatus.CREDIT_EXHAUSTED
        return status

    def look(self) -> None:
        """Tell what has come of the balance since the last look; called each half-hour."""
        if not self.settings.prepaid:
            return
        opened, day, credit, selected, told = self._state()
        status, now = self.status, 0
        if status & CreditStatus.LOW_CREDIT:
            now |= 1
        if selected and status & CreditStatus.CREDIT_EXHAUSTED:
            now |= 2
        if now == told:
            return
        with self._parts.storage.transaction():
            self._put(opened, day, credit, selected=selected, told=now)
            if now & ~told & 1:
                self._happened(Happening.LOW)
                if not selected:
                    self._happened(Happening.EMERGENCY_AVAILABLE)
            if now & ~told & 2:
                self._happened(Happening.EMERGENCY_USED_UP)

    def add(self, amount: int) -> None:
        """Add credit; enough of it pays emergency credit back, which must be selected anew."""
        opened, day, credit, selected, told = self._state()
        paid = self.balance + amount > self.settings.low
        with self._parts.storage.transaction():
            self._put(opened, day, credit + amount, selected=selected and not paid, told=0 if paid else told)
            self._happened(Happening.ADDED)

    def _state(self) -> tuple[tuple[int, int], int, int, bool, int]:
        """Return registers and day when it was opened, credit added, whether emergency credit is, what was told."""
        octets = self._parts.storage.get(_CELL)
        if octets is None:
            return self._registers.read().tiers, self._parts.wall.utc() // DAY, self.settings.opening_credit, False, 0
        one, two, day, credit, selected, told = _STATE.unpack(octets)
        return (one, two), day, credit, bool(selected), told

    def _put(self, opened: tuple[int, int], day: int, credit: int, *, selected: bool, told: int) -> None:
        self._parts.storage.put(_CELL, _STATE.pack(*opened, day, credit, selected, told))

    # --- cluster -----------------------------------------------------------------------------------------------

    def _attributes(self) -> dict[Prepayment, Callable[[], Value]]:
        control = PaymentControl.CREDIT_DISPLAY_ENABLED
        control |= PaymentControl.CREDIT_MANAGEMENT_ENABLED
        if self.settings.prepaid:
            control |= PaymentControl.PREPAYMENT_ENABLED | PaymentControl.EMERGENCY_CREDIT_ENABLED
        return {
            Prepayment.PAYMENT_CONTROL_CONFIGURATION: lambda: control,
            Prepayment.CREDIT_REMAINING: lambda: self.balance,
            Prepayment.EMERGENCY_CREDIT_REMAINING: lambda: self.emergency_left,
            Prepayment.CREDIT_STATUS: lambda: self.status,
            Prepayment.CREDIT_REMAINING_TIME_STAMP: lambda: time.from_nanoseconds(self._parts.wall.utc()),
            Prepayment.ACCUMULATED_DEBT: lambda: 0,
            Prepayment.EMERGENCY_CREDIT_LIMIT: lambda: self.settings.emergency_limit,
            Prepayment.EMERGENCY_CREDIT_THRESHOLD: lambda: self.settings.low,
            Prepayment.LOW_CREDIT_WARNING: lambda: self.settings.low,
            Prepayment.CUT_OFF_VALUE: lambda: 0,
            Prepayment.CURRENCY_SCALING_FACTOR: lambda: prepayment.HUNDRED_THOUSANDTHS,
            Prepayment.CURRENCY: lambda: price.GBP,
        }

    def _select(self, frame: ZclFrame, event: Received) -> int:
        SelectAvailableEmergencyCredit.decode(frame.payload)
        self.look()  # what made the credit available is told first
        opened, day, credit, selected, told = self._state()
        if selected or not self.status & CreditStatus.EMERGENCY_CREDIT_AVAILABLE or not self.settings.prepaid:
            return ZclStatus.INVALID_VALUE
        with self._parts.storage.transaction():
            self._put(opened, day, credit, selected=True, told=told)
            self._happened(Happening.EMERGENCY_ACTIVATED)
        return ZclStatus.SUCCESS

    def _top_up(self, frame: ZclFrame, event: Received) -> bytes:
        asked = ConsumerTopUp.decode(frame.payload)
        worth, used = self.settings.vouchers.get(asked.code), _USED + asked.code.hex()
        result, amount = TopUpResult.ACCEPTED, 0
        if worth is None or not self.settings.prepaid:
            result = TopUpResult.REJECTED_INVALID
        elif self._parts.storage.get(used) is not None:
            result = TopUpResult.REJECTED_DUPLICATE
        else:
            amount = worth
            with self._parts.storage.transaction():
                self._parts.storage.put(used, b"\x01")
                self.add(amount)
        response = ConsumerTopUpResponse(result, amount, asked.originator, self.balance)
        return prepayment.COMMANDS.encode(response, frame.transaction, from_server=True)
