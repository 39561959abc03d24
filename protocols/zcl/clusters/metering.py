"""Metering cluster (0x0702): registers, status and profile of a meter (server), and the mirror of a sleepy one.

A meter that sleeps asks a mirror of the hub (RequestMirror, from the server), reports its attributes to the mirror's
endpoint, and is told by Mirror Report Attribute Response what waits for it. Source: ZSE 07-5356 D.3.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple, Self

from protocols.octets import Reader
from protocols.zcl import data_types
from protocols.zcl.command_set import CommandSet, unpack

CLUSTER = 0x0702
NO_MIRROR = 0xFFFF  # endpoint of a refusal
LATEST = 0  # end time of Get Profile: the newest interval
UNKNOWN_INTERVAL = 0xFF_FFFF

_U16 = struct.Struct("<H")
_GET_PROFILE = struct.Struct("<BIB")
_PROFILE = struct.Struct("<IBBB")


class Attribute(IntEnum):
    """Of the server, those that GB meters here have."""

    CURRENT_SUMMATION_DELIVERED = 0x0000
    CURRENT_SUMMATION_RECEIVED = 0x0001
    READING_SNAPSHOT_TIME = 0x0007
    PROFILE_INTERVAL_PERIOD = 0x000F
    SUPPLY_STATUS = 0x0014
    ACTIVE_REGISTER_TIER_DELIVERED = 0x0020
    CURRENT_TIER_1_SUMMATION_DELIVERED = 0x0100
    CURRENT_TIER_2_SUMMATION_DELIVERED = 0x0102
    STATUS = 0x0200
    REMAINING_BATTERY_LIFE = 0x0201
    CURRENT_METER_ID = 0x0206
    UNIT_OF_MEASURE = 0x0300
    MULTIPLIER = 0x0301
    DIVISOR = 0x0302
    SUMMATION_FORMATTING = 0x0303
    DEMAND_FORMATTING = 0x0304
    METERING_DEVICE_TYPE = 0x0306
    METER_SERIAL_NUMBER = 0x0308
    INSTANTANEOUS_DEMAND = 0x0400
    CURRENT_DAY_CONSUMPTION_DELIVERED = 0x0401
    CURRENT_DAY_CONSUMPTION_RECEIVED = 0x0402
    PREVIOUS_DAY_CONSUMPTION_DELIVERED = 0x0403
    PREVIOUS_DAY_CONSUMPTION_RECEIVED = 0x0404
    PARTIAL_PROFILE_INTERVAL_START_DELIVERED = 0x0405
    PARTIAL_PROFILE_INTERVAL_VALUE_DELIVERED = 0x0407
    MAXIMUM_NUMBER_OF_PERIODS_DELIVERED = 0x0500


FIRMWARE_VERSION = Attribute.CURRENT_METER_ID
"""GBCS reads the firmware version of a gas meter under this number (GCS38)."""

TYPES: Final[dict[int, int]] = {
    Attribute.CURRENT_SUMMATION_DELIVERED: data_types.UINT48,
    Attribute.CURRENT_SUMMATION_RECEIVED: data_types.UINT48,
    Attribute.READING_SNAPSHOT_TIME: data_types.UTC_TIME,
    Attribute.PROFILE_INTERVAL_PERIOD: data_types.ENUM8,
    Attribute.SUPPLY_STATUS: data_types.ENUM8,
    Attribute.ACTIVE_REGISTER_TIER_DELIVERED: data_types.ENUM8,
    Attribute.CURRENT_TIER_1_SUMMATION_DELIVERED: data_types.UINT48,
    Attribute.CURRENT_TIER_2_SUMMATION_DELIVERED: data_types.UINT48,
    Attribute.STATUS: data_types.BITMAP8,
    Attribute.REMAINING_BATTERY_LIFE: data_types.UINT8,
    Attribute.CURRENT_METER_ID: data_types.OCTET_STRING,
    Attribute.UNIT_OF_MEASURE: data_types.ENUM8,
    Attribute.MULTIPLIER: data_types.UINT24,
    Attribute.DIVISOR: data_types.UINT24,
    Attribute.SUMMATION_FORMATTING: data_types.BITMAP8,
    Attribute.DEMAND_FORMATTING: data_types.BITMAP8,
    Attribute.METERING_DEVICE_TYPE: data_types.BITMAP8,
    Attribute.METER_SERIAL_NUMBER: data_types.OCTET_STRING,
    Attribute.INSTANTANEOUS_DEMAND: data_types.INT24,
    Attribute.CURRENT_DAY_CONSUMPTION_DELIVERED: data_types.UINT24,
    Attribute.CURRENT_DAY_CONSUMPTION_RECEIVED: data_types.UINT24,
    Attribute.PREVIOUS_DAY_CONSUMPTION_DELIVERED: data_types.UINT24,
    Attribute.PREVIOUS_DAY_CONSUMPTION_RECEIVED: data_types.UINT24,
    Attribute.PARTIAL_PROFILE_INTERVAL_START_DELIVERED: data_types.UTC_TIME,
    Attribute.PARTIAL_PROFILE_INTERVAL_VALUE_DELIVERED: data_types.UINT24,
    Attribute.MAXIMUM_NUMBER_OF_PERIODS_DELIVERED: data_types.UINT8,
}


class Unit(IntEnum):
    """UNIT_OF_MEASURE, binary numbers."""

    KILOWATT_HOURS = 0x00
    CUBIC_METRES = 0x01


class DeviceType(IntEnum):
    """METERING_DEVICE_TYPE; a mirror's is 127 more."""

    ELECTRIC = 0
    GAS = 1
    MIRRORED_GAS = 128


class SupplyStatus(IntEnum):
    OFF = 0
    OFF_ARMED = 1
    ON = 2


class Status(IntEnum):
    """Bits of STATUS of an electricity meter; 0 and 1 mean the same at a gas meter."""

    CHECK_METER = 0x01
    LOW_BATTERY = 0x02
    TAMPER_DETECT = 0x04
    POWER_FAILURE = 0x08
    SERVICE_DISCONNECT = 0x40


HALF_HOUR = 1
"""PROFILE_INTERVAL_PERIOD of 30 minutes."""


def formatting(before: int, after: int) -> int:
    """Return a number's format: digits before and after the point, leading zeros suppressed."""
    return 0x80 | before << 3 | after


class IntervalChannel(IntEnum):
    DELIVERED = 0
    RECEIVED = 1


class ProfileStatus(IntEnum):
    SUCCESS = 0
    UNDEFINED_CHANNEL = 1
    CHANNEL_NOT_SUPPORTED = 2
    INVALID_END_TIME = 3
    MORE_PERIODS_THAN_CAN_BE_RETURNED = 4
    NO_INTERVALS = 5


class GetProfile(NamedTuple):
    """Client to server, command 0x00."""

    channel: int  # IntervalChannel
    end_time: int  # UTCTime; 0: the newest
    number_of_periods: int  # 8 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_GET_PROFILE, octets))

    def encode(self) -> bytes:
        return _GET_PROFILE.pack(*self)


class GetProfileResponse(NamedTuple):
    """Server to client, command 0x00."""

    end_time: int  # UTCTime, of the newest interval given
    status: int  # ProfileStatus
    period: int  # 8 bits
    intervals: tuple[int, ...]  # 24 bits each, the newest first

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        end_time, status, period, number = unpack(_PROFILE, octets)
        reader = Reader(octets[_PROFILE.size :])
        return cls(end_time, status, period, tuple(reader.uint(3) for _ in range(number)))

    def encode(self) -> bytes:
        head = _PROFILE.pack(self.end_time, self.status, self.period, len(self.intervals))
        return head + b"".join(interval.to_bytes(3, "little") for interval in self.intervals)


class RequestMirror(NamedTuple):
    """Server to client, command 0x01."""

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls()

    def encode(self) -> bytes:
        return b""


class RequestMirrorResponse(NamedTuple):
    """Client to server, command 0x01."""

    endpoint: int  # 16 bits; 0xFFFF: none to be had

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_U16, octets))

    def encode(self) -> bytes:
        return _U16.pack(*self)


class MirrorReportAttributeResponse(NamedTuple):
    """Client to server, command 0x09: the flags of a scheme, the functional ones first."""

    scheme: int  # 8 bits
    flags: tuple[int, ...]  # 32 bits each

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = Reader(octets)
        scheme = reader.uint8()
        flags = []
        while reader.remaining >= 4:
            flags.append(reader.uint(4))
        return cls(scheme, tuple(flags))

    def encode(self) -> bytes:
        return bytes((self.scheme,)) + b"".join(flag.to_bytes(4, "little") for flag in self.flags)


COMMANDS: Final = CommandSet(
    "Metering",
    from_client={0x00: GetProfile, 0x01: RequestMirrorResponse, 0x09: MirrorReportAttributeResponse},
    from_server={0x00: GetProfileResponse, 0x01: RequestMirror},
)
