"""The Metering cluster of a meter: its registers as attributes, its profile by Get Profile."""

from collections.abc import Callable
from typing import Final

from emulator.parts.cluster_server import ClusterServer
from emulator.parts.registers import HALF_HOUR, Interval, Reading, Registers
from protocols.interfaces import AdjustableClock, Received
from protocols.zcl import data_types
from protocols.zcl.attribute_server import Attribute, constant
from protocols.zcl.clusters import metering, time
from protocols.zcl.clusters.metering import Attribute as Metering
from protocols.zcl.clusters.metering import DeviceType, GetProfile, GetProfileResponse, IntervalChannel, ProfileStatus
from protocols.zcl.data_types import Value
from protocols.zcl.frame import ZclFrame

MOST_INTERVALS: Final = 12
"""In one answer to Get Profile, so that it is one frame."""

_GET_PROFILE = 0x00
_THOUSAND = 1_000  # divisor: registers count Wh or litres, units are kWh or cubic metres
_LARGEST = 0xFF_FFFE  # of 24 bits; one more is the invalid value


def electricity_server(
    registers: Registers,
    wall: AdjustableClock,
    *,
    serial: bytes,
    supply: Callable[[], int],
    status: Callable[[], int],
    name: str = "",
) -> ClusterServer:
    """Serve an element of an electricity meter; `supply()` gives its SupplyStatus, `status()` its Status bits."""
    read: dict[Metering, Callable[[Reading], Value]] = {
        Metering.CURRENT_SUMMATION_DELIVERED: lambda reading: reading.taken,
        Metering.CURRENT_SUMMATION_RECEIVED: lambda reading: reading.given,
        Metering.ACTIVE_REGISTER_TIER_DELIVERED: lambda reading: reading.tier,
        Metering.CURRENT_TIER_1_SUMMATION_DELIVERED: lambda reading: reading.tiers[0],
        Metering.CURRENT_TIER_2_SUMMATION_DELIVERED: lambda reading: reading.tiers[1],
        Metering.CURRENT_DAY_CONSUMPTION_DELIVERED: lambda reading: min(reading.day_taken, _LARGEST),
        Metering.CURRENT_DAY_CONSUMPTION_RECEIVED: lambda reading: min(reading.day_given, _LARGEST),
        Metering.PREVIOUS_DAY_CONSUMPTION_DELIVERED: lambda reading: min(reading.previous_day_taken, _LARGEST),
        Metering.PREVIOUS_DAY_CONSUMPTION_RECEIVED: lambda reading: min(reading.previous_day_given, _LARGEST),
        Metering.PARTIAL_PROFILE_INTERVAL_START_DELIVERED: lambda reading: time.from_nanoseconds(
            reading.interval_begin
        ),
        Metering.PARTIAL_PROFILE_INTERVAL_VALUE_DELIVERED: lambda reading: min(reading.interval_taken, _LARGEST),
    }
    table = {int(number): _of(registers, number, value) for number, value in read.items()}
    table |= {
        Metering.INSTANTANEOUS_DEMAND: Attribute(data_types.INT24, registers.rate),
        Metering.READING_SNAPSHOT_TIME: Attribute(
            data_types.UTC_TIME, lambda: time.from_nanoseconds(wall.utc()), reportable=False
        ),
        Metering.SUPPLY_STATUS: Attribute(data_types.ENUM8, supply),
        Metering.STATUS: Attribute(data_types.BITMAP8, status),
    }
    table |= constants(metering.Unit.KILOWATT_HOURS, DeviceType.ELECTRIC, serial)
    return ClusterServer(
        metering.CLUSTER, table, commands={_GET_PROFILE: profile_command(registers)}, generated=(_GET_PROFILE,),
        name=name,
    )  # fmt: skip


def _of(registers: Registers, number: Metering, value: Callable[[Reading], Value]) -> Attribute:
    return Attribute(metering.TYPES[number], lambda: value(registers.read()))


def constants(unit: metering.Unit, kind: DeviceType, serial: bytes) -> dict[int, Attribute]:
    """Return what does not change of a meter that counts thousandths of its unit."""
    values: dict[Metering, Value] = {
        Metering.UNIT_OF_MEASURE: unit,
        Metering.MULTIPLIER: 1,
        Metering.DIVISOR: _THOUSAND,
        Metering.SUMMATION_FORMATTING: metering.formatting(6, 3),
        Metering.DEMAND_FORMATTING: metering.formatting(3, 3),
        Metering.METERING_DEVICE_TYPE: kind,
        Metering.METER_SERIAL_NUMBER: serial,
        Metering.PROFILE_INTERVAL_PERIOD: metering.HALF_HOUR,
        Metering.MAXIMUM_NUMBER_OF_PERIODS_DELIVERED: MOST_INTERVALS,
    }
    return {int(number): constant(metering.TYPES[number], value) for number, value in values.items()}


def profile_command(registers: Registers) -> Callable[[ZclFrame, Received], bytes]:
    """Return the handler of Get Profile."""

    def carry_out(frame: ZclFrame, event: Received) -> bytes:
        response = _profile(registers, GetProfile.decode(frame.payload))
        return metering.COMMANDS.encode(response, frame.transaction, from_server=True)

    return carry_out


def _profile(registers: Registers, asked: GetProfile) -> GetProfileResponse:
    end = time.to_nanoseconds(asked.end_time) if asked.end_time != metering.LATEST else 1 << 62
    found: list[Interval] = []
    status = ProfileStatus.SUCCESS
    if asked.channel not in (IntervalChannel.DELIVERED, IntervalChannel.RECEIVED):
        status = ProfileStatus.UNDEFINED_CHANNEL
    else:
        found = registers.profile(end, min(asked.number_of_periods, MOST_INTERVALS))
        if not found:
            status = ProfileStatus.NO_INTERVALS
        elif asked.number_of_periods > MOST_INTERVALS:
            status = ProfileStatus.MORE_PERIODS_THAN_CAN_BE_RETURNED
    received = asked.channel == IntervalChannel.RECEIVED
    amounts = tuple(min(each.given if received else each.taken, _LARGEST) for each in found)
    ended = time.from_nanoseconds(found[0].begin + HALF_HOUR) if found else asked.end_time
    return GetProfileResponse(ended, status, metering.HALF_HOUR, amounts)
