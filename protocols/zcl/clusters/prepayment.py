"""Prepayment cluster (0x0705): balances and credit; the meter is server. Source: ZSE 07-5356 D.7.

Amounts are whole units of the currency divided by `10 ** digits`, the digits of the currency scaling factor.
"""

import struct
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple, Self

from protocols.octets import Reader
from protocols.zcl import data_types
from protocols.zcl.command_set import CommandSet, unpack

CLUSTER = 0x0705

_SELECT = struct.Struct("<IB")
_TOP_UP_RESPONSE = struct.Struct("<BiBi")


class Attribute(IntEnum):
    PAYMENT_CONTROL_CONFIGURATION = 0x0000
    CREDIT_REMAINING = 0x0001
    EMERGENCY_CREDIT_REMAINING = 0x0002
    CREDIT_STATUS = 0x0003
    CREDIT_REMAINING_TIME_STAMP = 0x0004
    ACCUMULATED_DEBT = 0x0005
    EMERGENCY_CREDIT_LIMIT = 0x0010
    EMERGENCY_CREDIT_THRESHOLD = 0x0011
    TOTAL_CREDIT_ADDED = 0x0020
    LOW_CREDIT_WARNING = 0x0031
    CUT_OFF_VALUE = 0x0040
    CURRENCY_SCALING_FACTOR = 0x0502
    CURRENCY = 0x0503
    CURRENT_DAY_COST_DELIVERED = 0x051C
    PREVIOUS_DAY_COST_DELIVERED = 0x051E


TYPES: Final[dict[int, int]] = {
    Attribute.PAYMENT_CONTROL_CONFIGURATION: data_types.BITMAP16,
    Attribute.CREDIT_REMAINING: data_types.INT32,
    Attribute.EMERGENCY_CREDIT_REMAINING: data_types.INT32,
    Attribute.CREDIT_STATUS: data_types.BITMAP8,
    Attribute.CREDIT_REMAINING_TIME_STAMP: data_types.UTC_TIME,
    Attribute.ACCUMULATED_DEBT: data_types.INT32,
    Attribute.EMERGENCY_CREDIT_LIMIT: data_types.UINT32,
    Attribute.EMERGENCY_CREDIT_THRESHOLD: data_types.UINT32,
    Attribute.TOTAL_CREDIT_ADDED: data_types.UINT48,
    Attribute.LOW_CREDIT_WARNING: data_types.UINT32,
    Attribute.CUT_OFF_VALUE: data_types.INT32,
    Attribute.CURRENCY_SCALING_FACTOR: data_types.ENUM8,
    Attribute.CURRENCY: data_types.UINT16,
    Attribute.CURRENT_DAY_COST_DELIVERED: data_types.UINT48,
    Attribute.PREVIOUS_DAY_COST_DELIVERED: data_types.UINT48,
}
HUNDRED_THOUSANDTHS = 0x0B
"""Currency scaling factor 10 ** -5: a thousandth of a penny, with the currency in pounds."""


class PaymentControl(IntFlag):
    """Bits of PAYMENT_CONTROL_CONFIGURATION that are used."""

    DISCONNECTION_ENABLED = 0x0001
    PREPAYMENT_ENABLED = 0x0002
    CREDIT_MANAGEMENT_ENABLED = 0x0004
    CREDIT_DISPLAY_ENABLED = 0x0010
    EMERGENCY_CREDIT_ENABLED = 0x0800


class CreditStatus(IntFlag):
    """Bits of CREDIT_STATUS."""

    CREDIT_OK = 0x01
    LOW_CREDIT = 0x02
    EMERGENCY_CREDIT_ENABLED = 0x04
    EMERGENCY_CREDIT_AVAILABLE = 0x08
    EMERGENCY_CREDIT_SELECTED = 0x10
    EMERGENCY_CREDIT_IN_USE = 0x20
    CREDIT_EXHAUSTED = 0x40


class Originator(IntEnum):
    """Originating device of a command."""

    ENERGY_SERVICE_INTERFACE = 0
    METER = 1
    IN_HOME_DISPLAY = 2


class SelectAvailableEmergencyCredit(NamedTuple):
    """Client to server, command 0x00."""

    issued: int  # UTCTime
    originator: int  # 8 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_SELECT, octets))

    def encode(self) -> bytes:
        return _SELECT.pack(*self)


class ConsumerTopUp(NamedTuple):
    """Client to server, command 0x04."""

    originator: int  # 8 bits
    code: bytes  # at most 25 octets

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = Reader(octets)
        return cls(reader.uint8(), reader.octets(reader.uint8()))

    def encode(self) -> bytes:
        return bytes((self.originator, len(self.code))) + self.code


class TopUpResult(IntEnum):
    """Result of a top-up."""

    ACCEPTED = 0
    REJECTED_INVALID = 1
    REJECTED_DUPLICATE = 2
    REJECTED_ERROR = 3
    REJECTED_MAXIMUM_CREDIT = 4
    REJECTED_KEYPAD_LOCK = 5
    REJECTED_TOO_LARGE = 6


class ConsumerTopUpResponse(NamedTuple):
    """Server to client, command 0x03."""

    result: int  # TopUpResult
    amount: int  # signed, 32 bits
    source: int  # 8 bits
    credit_remaining: int  # signed, 32 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_TOP_UP_RESPONSE, octets))

    def encode(self) -> bytes:
        return _TOP_UP_RESPONSE.pack(*self)


COMMANDS: Final = CommandSet(
    "Prepayment",
    from_client={0x00: SelectAvailableEmergencyCredit, 0x04: ConsumerTopUp},
    from_server={0x03: ConsumerTopUpResponse},
)
