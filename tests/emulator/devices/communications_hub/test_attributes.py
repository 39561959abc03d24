"""What the hub's other clusters tell, over the air and as values."""

import pytest

from emulator.devices.communications_hub.attributes import SERVED, HubAttributes
from protocols.interfaces import SECOND
from protocols.zcl import data_types, foundation
from protocols.zcl.clusters import basic, keep_alive, time
from protocols.zcl.foundation import AttributeRead, ReadAttributes, ReadAttributesResponse
from protocols.zcl.frame import ZclFrame, ZclStatus
from tests.support.hub_bench import IHD_TYPE, START, HubBench, eui

UTC = START - 946_684_800 * SECOND


class Wall:
    def utc(self) -> int:
        return START


def answer(cluster: int, octets: bytes) -> bytes | None:
    return HubAttributes(Wall()).answer(cluster, octets, START)


def read(cluster: int, *attributes: int) -> tuple[AttributeRead, ...]:
    told = answer(cluster, foundation.encode(ReadAttributes(attributes), 5, from_server=False))
    assert told is not None
    frame = ZclFrame.decode(told)
    assert (frame.transaction, frame.from_server) == (5, True)
    response = foundation.decode(frame)
    assert isinstance(response, ReadAttributesResponse)
    return response.records


def test_the_values_gbcs_wants() -> None:
    """GBCS 9.1.3 and 10.2.2."""
    assert read(time.CLUSTER, 0x0000, 0x0001) == (
        AttributeRead(0x0000, 0, data_types.UTC_TIME, UTC // SECOND),
        AttributeRead(0x0001, 0, data_types.BITMAP8, 0x09),
    )
    assert read(basic.CLUSTER, 0x0011) == (AttributeRead(0x0011, 0, data_types.ENUM8, 0x01),)
    assert read(keep_alive.CLUSTER, 0x0000, 0x0001) == (
        AttributeRead(0x0000, 0, data_types.UINT8, 10),
        AttributeRead(0x0001, 0, data_types.UINT16, 300),
    )


@pytest.mark.parametrize("cluster", SERVED)
def test_an_attribute_that_is_not_served_is_said_to_be_unsupported(cluster: int) -> None:
    assert read(cluster, 0x7777) == (AttributeRead(0x7777, ZclStatus.UNSUPPORTED_ATTRIBUTE),)


@pytest.mark.parametrize("octets", [b"", b"\x00\x01", b"\x09\x01\x00", b"\x08\x01\x0a", b"\x00\x01\x0b\x00\x00"])
def test_answers_and_scraps_are_not_answered(octets: bytes) -> None:
    assert answer(time.CLUSTER, octets) is None


def test_every_general_command_is_answered() -> None:
    """ZCL 2.5: no attribute of the hub is written or reported, all are discovered."""
    asked = {
        "0001020000e200000000": "180104880000",
        "000106000000e200003c0000000000": "1801078c000000",
        "00010c0000ff": "18010d010000e2010018",
        "00010001": "18010b0080",
        "010100": "18010b0081",
    }
    for question, expected in asked.items():
        told = answer(time.CLUSTER, bytes.fromhex(question))
        assert told is not None
        assert told.hex() == expected


@pytest.mark.parametrize("secured", [True, False])
def test_a_device_of_the_log_reads_the_time_under_the_protection_it_asked_with(*, secured: bool) -> None:
    bench = HubBench()
    bench.hub.start()
    bench.add_to_log(eui(1), IHD_TYPE)
    device = bench.driven(eui(1))
    bench.run_till(lambda: device.node.joined)
    bench.run(5)
    request = foundation.encode(ReadAttributes((0x0000,)), 5, from_server=False)
    device.send_zcl(time.CLUSTER, request, secured=secured)
    bench.run(2)
    (answer,) = [event for event in device.other if event.aps.cluster == time.CLUSTER]
    assert answer.secured is secured
    response = foundation.decode(ZclFrame.decode(answer.aps.payload))
    assert isinstance(response, ReadAttributesResponse)
    (record,) = response.records
    assert isinstance(record.value, int)
    assert 0 <= (bench.clock.now() - time.to_nanoseconds(record.value)) // SECOND <= 4
