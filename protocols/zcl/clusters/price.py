"""Price cluster (0x0700): what a unit costs now; the meter is server. Source: ZSE 07-5356 D.4."""

import struct
from enum import IntEnum
from typing import Final, NamedTuple, Self

from protocols.octets import Reader
from protocols.zcl import data_types
from protocols.zcl.command_set import CommandSet, unpack

CLUSTER = 0x0700
GBP = 826  # ISO 4217
UNTIL_CHANGED = 0xFFFF  # duration
REQUESTOR_RX_ON = 0x01  # of Get Current Price

_U8 = struct.Struct("<B")
_SCHEDULED = struct.Struct("<IB")
_ACKNOWLEDGE = struct.Struct("<IIIB")
_GET_TARIFF = struct.Struct("<IIBB")
_PRICE = struct.Struct("<IIBHBBIHI")
_TARIFF_HEAD = struct.Struct("<IIIIB")
_TARIFF_TAIL = struct.Struct("<BBBHBIB")


class Attribute(IntEnum):
    """Of the server, those of two tiers without blocks."""

    TIER_1_PRICE_LABEL = 0x0000
    TIER_2_PRICE_LABEL = 0x0001
    STANDING_CHARGE = 0x0301
    TIER_1_BLOCK_1_PRICE = 0x0410
    TIER_2_BLOCK_1_PRICE = 0x0420
    TARIFF_LABEL = 0x0610
    NUMBER_OF_PRICE_TIERS_IN_USE = 0x0611
    UNIT_OF_MEASURE = 0x0615
    CURRENCY = 0x0616
    PRICE_TRAILING_DIGIT = 0x0617


TYPES: Final[dict[int, int]] = {
    Attribute.TIER_1_PRICE_LABEL: data_types.OCTET_STRING,
    Attribute.TIER_2_PRICE_LABEL: data_types.OCTET_STRING,
    Attribute.STANDING_CHARGE: data_types.UINT32,
    Attribute.TIER_1_BLOCK_1_PRICE: data_types.UINT32,
    Attribute.TIER_2_BLOCK_1_PRICE: data_types.UINT32,
    Attribute.TARIFF_LABEL: data_types.OCTET_STRING,
    Attribute.NUMBER_OF_PRICE_TIERS_IN_USE: data_types.UINT8,
    Attribute.UNIT_OF_MEASURE: data_types.ENUM8,
    Attribute.CURRENCY: data_types.UINT16,
    Attribute.PRICE_TRAILING_DIGIT: data_types.BITMAP8,
}


class GetCurrentPrice(NamedTuple):
    """Client to server, command 0x00."""

    options: int = REQUESTOR_RX_ON  # 8 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_U8, octets))

    def encode(self) -> bytes:
        return _U8.pack(*self)


class GetScheduledPrices(NamedTuple):
    """Client to server, command 0x01."""

    start_time: int  # UTCTime
    number_of_events: int  # 8 bits; 0: all

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_SCHEDULED, octets))

    def encode(self) -> bytes:
        return _SCHEDULED.pack(*self)


class PriceAcknowledgement(NamedTuple):
    """Client to server, command 0x02."""

    provider_id: int  # 32 bits
    issuer_event_id: int  # 32 bits
    acknowledged: int  # UTCTime
    control: int = 0  # 8 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_ACKNOWLEDGE, octets))

    def encode(self) -> bytes:
        return _ACKNOWLEDGE.pack(*self)


class GetTariffInformation(NamedTuple):
    """Client to server, command 0x06."""

    earliest_start_time: int  # UTCTime
    minimum_issuer_event_id: int = 0xFFFF_FFFF  # 32 bits
    number_of_commands: int = 1  # 8 bits
    tariff_type: int = 0  # 4 bits: 0 delivered, 1 received, 2 both

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_GET_TARIFF, octets))

    def encode(self) -> bytes:
        return _GET_TARIFF.pack(*self)


class PublishPrice(NamedTuple):
    """Server to client, command 0x00, without its optional tail."""

    provider_id: int  # 32 bits
    rate_label: bytes  # at most 12 octets
    issuer_event_id: int  # 32 bits
    current_time: int  # UTCTime
    unit_of_measure: int  # 8 bits, as of Metering
    currency: int  # 16 bits, ISO 4217
    trailing_digit_and_tier: int  # 8 bits: digits after the point 4-7, tier 0-3
    tiers_and_register_tier: int  # 8 bits: number of tiers 4-7, register tier 0-3
    start_time: int  # UTCTime; 0: now
    duration: int  # minutes
    price: int  # 32 bits, a unit

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = Reader(octets)
        provider, label = reader.uint(4), reader.octets(reader.uint8())
        return cls(provider, label, *unpack(_PRICE, octets[reader.offset :]))

    def encode(self) -> bytes:
        label = bytes((len(self.rate_label),)) + self.rate_label
        return self.provider_id.to_bytes(4, "little") + label + _PRICE.pack(*self[2:])

    @property
    def tier(self) -> int:
        return self.trailing_digit_and_tier & 0x0F

    @property
    def trailing_digits(self) -> int:
        return self.trailing_digit_and_tier >> 4


class PublishTariffInformation(NamedTuple):
    """Server to client, command 0x04."""

    provider_id: int  # 32 bits
    issuer_event_id: int  # 32 bits
    issuer_tariff_id: int  # 32 bits
    start_time: int  # UTCTime
    type_and_charging_scheme: int  # 8 bits: tariff type 0-3, scheme 4-7 (0: time of use tiers)
    label: bytes  # at most 24 octets
    tiers: int  # 8 bits
    block_thresholds: int  # 8 bits
    unit_of_measure: int  # 8 bits
    currency: int  # 16 bits
    trailing_digit: int  # 8 bits, in 4-7
    standing_charge: int  # 32 bits, a day
    tier_block_mode: int  # 8 bits; 0xFF: no blocks
    threshold_multiplier: int  # 24 bits
    threshold_divisor: int  # 24 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        provider, event, tariff, start, kind = unpack(_TARIFF_HEAD, octets)
        reader = Reader(octets[_TARIFF_HEAD.size :])
        label = reader.octets(reader.uint8())
        tiers, blocks, unit, currency, digit, standing, mode = _TARIFF_TAIL.unpack(reader.octets(_TARIFF_TAIL.size))
        return cls(
            provider, event, tariff, start, kind, label, tiers, blocks, unit, currency, digit, standing, mode,
            reader.uint(3), reader.uint(3),
        )  # fmt: skip

    def encode(self) -> bytes:
        label = bytes((len(self.label),)) + self.label
        scale = self.threshold_multiplier.to_bytes(3, "little") + self.threshold_divisor.to_bytes(3, "little")
        return _TARIFF_HEAD.pack(*self[:5]) + label + _TARIFF_TAIL.pack(*self[6:13]) + scale


COMMANDS: Final = CommandSet(
    "Price",
    from_client={
        0x00: GetCurrentPrice,
        0x01: GetScheduledPrices,
        0x02: PriceAcknowledgement,
        0x06: GetTariffInformation,
    },
    from_server={0x00: PublishPrice, 0x04: PublishTariffInformation},
)
