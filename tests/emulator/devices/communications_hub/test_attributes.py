"""What the hub's other clusters tell, over the air and as values."""

import pytest

from emulator.devices.communications_hub.attributes import SERVED, answer_read
from protocols.interfaces import SECOND
from protocols.zcl import data_types, foundation
from protocols.zcl.clusters import basic, keep_alive, time
from protocols.zcl.foundation import AttributeRead, ReadAttributes, ReadAttributesResponse
from protocols.zcl.frame import ZclFrame, ZclStatus
from tests.support.hub_bench import IHD_TYPE, START, HubBench, eui

UTC = START - 946_684_800 * SECOND


def read(cluster: int, *attributes: int) -> tuple[AttributeRead, ...]:
    answer = answer_read(cluster, foundation.encode(ReadAttributes(attributes), 5, from_server=False), START)
    assert answer is not None
    frame = ZclFrame.decode(answer)
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


@pytest.mark.parametrize("octets", [b"", b"\x00\x01", b"\x01\x01\x00", b"\x00\x01\x00\x01", b"\x08\x01\x0a"])
def test_other_frames_are_not_answered(octets: bytes) -> None:
    assert answer_read(time.CLUSTER, octets, START) is None


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
