"""What a meter answers on the Metering and Price clusters, frame by frame."""

import pytest

from emulator.clock import OffsetWallClock, VirtualClock
from emulator.consumption.flow import ConstantFlow
from emulator.parts.journal import Journal
from emulator.parts.metering_server import MOST_INTERVALS, electricity_server
from emulator.parts.registers import Registers
from emulator.storage import MemoryStorage
from protocols.addresses import Eui64
from protocols.interfaces import DAY, HOUR, ApsData, Received
from protocols.zcl import foundation
from protocols.zcl.clusters import metering, time
from protocols.zcl.clusters.metering import Attribute, GetProfile, GetProfileResponse, IntervalChannel, ProfileStatus
from protocols.zcl.foundation import ReadAttributes, ReadAttributesResponse
from protocols.zcl.frame import ZclFrame, ZclStatus

START = 20_500 * DAY
EVENT = Received(Eui64(1), ApsData(0x0109, metering.CLUSTER, 1, 1, b""), True, 255)


class Meter:
    def __init__(self, watts: int) -> None:
        self.clock = VirtualClock(START)
        wall = OffsetWallClock(self.clock)
        self.registers = Registers(ConstantFlow(watts), self.clock, wall, Journal(MemoryStorage()), unit=HOUR)
        self.registers.resume()
        self.server = electricity_server(
            self.registers, wall, serial=b"12345678", supply=lambda: metering.SupplyStatus.ON, status=lambda: 0
        )

    def ask(self, octets: bytes) -> bytes:
        answer = self.server.answer(ZclFrame.decode(octets), EVENT, self.clock.now())
        assert answer is not None
        return answer

    def profile(self, asked: GetProfile) -> GetProfileResponse:
        answer = metering.COMMANDS.decode(
            ZclFrame.decode(self.ask(metering.COMMANDS.encode(asked, 9, from_server=False)))
        )
        assert isinstance(answer, GetProfileResponse)
        return answer

    def read(self, *attributes: int) -> dict[int, object]:
        answer = foundation.decode(
            ZclFrame.decode(self.ask(foundation.encode(ReadAttributes(attributes), 9, from_server=False)))
        )
        assert isinstance(answer, ReadAttributesResponse)
        return {record.attribute: record.value if not record.status else None for record in answer.records}


def test_attributes_follow_the_registers() -> None:
    meter = Meter(1_000)
    meter.clock.run_for(25 * HOUR)
    assert meter.read(
        Attribute.CURRENT_SUMMATION_DELIVERED, Attribute.CURRENT_SUMMATION_RECEIVED, Attribute.INSTANTANEOUS_DEMAND,
        Attribute.CURRENT_DAY_CONSUMPTION_DELIVERED, Attribute.PREVIOUS_DAY_CONSUMPTION_DELIVERED, 0x7777,
    ) == {0x0000: 25_000, 0x0001: 0, 0x0400: 1_000, 0x0401: 1_000, 0x0403: 24_000, 0x7777: None}  # fmt: skip
    assert meter.read(Attribute.UNIT_OF_MEASURE, Attribute.DIVISOR, Attribute.METER_SERIAL_NUMBER) == {
        0x0300: metering.Unit.KILOWATT_HOURS, 0x0302: 1_000, 0x0308: b"12345678",
    }  # fmt: skip


def test_a_profile_is_given_the_newest_first() -> None:
    meter = Meter(-500)
    meter.clock.run_for(3 * HOUR)
    given = meter.profile(GetProfile(IntervalChannel.RECEIVED, metering.LATEST, 4))
    assert given.intervals == (250,) * 4
    assert time.to_nanoseconds(given.end_time) == START + 3 * HOUR
    taken = meter.profile(GetProfile(IntervalChannel.DELIVERED, time.from_nanoseconds(START + HOUR), 9))
    assert (taken.intervals, taken.status) == ((0, 0), ProfileStatus.SUCCESS)


@pytest.mark.parametrize(
    ("asked", "status", "given"),
    [
        (GetProfile(7, metering.LATEST, 3), ProfileStatus.UNDEFINED_CHANNEL, 0),
        (GetProfile(0, time.from_nanoseconds(START), 3), ProfileStatus.NO_INTERVALS, 0),
        (GetProfile(0, metering.LATEST, 48), ProfileStatus.MORE_PERIODS_THAN_CAN_BE_RETURNED, MOST_INTERVALS),
    ],
)
def test_what_cannot_be_given_is_told(asked: GetProfile, status: ProfileStatus, given: int) -> None:
    meter = Meter(1_000)
    meter.clock.run_for(20 * HOUR)
    answer = meter.profile(asked)
    assert (answer.status, len(answer.intervals)) == (status, given)


def test_a_command_that_stops_early_or_is_none_is_refused() -> None:
    meter = Meter(0)
    assert meter.ask(b"\x01\x05\x00\x00")[3:] == bytes((0x00, ZclStatus.MALFORMED_COMMAND))
    assert meter.ask(b"\x01\x05\x77")[3:] == bytes((0x77, ZclStatus.UNSUP_CLUSTER_COMMAND))
