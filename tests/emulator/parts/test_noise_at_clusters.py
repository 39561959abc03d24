"""Any ZCL frame to any cluster of hub and device, however protected: nobody falls over or answers answers."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.devices.ppmid import Ppmid
from protocols.addresses import BROADCAST_RX_ON, Eui64
from protocols.interfaces import ApsData
from protocols.stack.node import Node
from tests.support.han import FrameLog
from tests.support.hub_bench import GPF, PPMID_TYPE, PROFILE, HubBench, eui

CLUSTERS = (0x0000, 0x0003, 0x000A, 0x0019, 0x0025, 0x0700, 0x0702, 0x0703, 0x0704, 0x0705, 0x0800, 0x0B05)


class Pair(NamedTuple):
    bench: HubBench
    device: Ppmid
    log: FrameLog
    idle: int  # frames of 20 s without a question


@pytest.fixture(scope="module")
def pair() -> Pair:
    log = FrameLog()
    bench = HubBench(capture=log)
    bench.hub.start()
    bench.add_to_log(eui(1), PPMID_TYPE)
    bench.run(3)
    device = bench.ppmid(eui(1))
    bench.run_till(lambda: bench.notes.of("tunnel-open") != [])
    bench.run(120)
    before = len(log.frames)
    bench.run(20)
    return Pair(bench, device, log, len(log.frames) - before)


frames = st.builds(
    lambda control, number, command, payload: bytes((control, number, command)) + payload,
    st.sampled_from((0x00, 0x01, 0x08, 0x09, 0x10, 0x11, 0x18, 0x19, 0x04, 0x05, 0x0C, 0xFF)),
    st.integers(0, 255),
    st.integers(0, 0x20) | st.integers(0, 255),
    st.binary(max_size=30),
) | st.binary(max_size=4)


@settings(max_examples=100, deadline=None, database=None)
@given(
    said=st.lists(
        st.tuples(st.booleans(), st.sampled_from(CLUSTERS), frames, st.sampled_from(("secured", "plain", "broadcast"))),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_whatever_is_said_is_answered_at_most_once_and_then_there_is_quiet(
    pair: Pair, said: list[tuple[bool, int, bytes, str]]
) -> None:
    bench, device, log, idle = pair
    for upward, cluster, octets, how in said:
        node, to = (device.node, GPF) if upward else (bench.node, device.node.eui)
        _say(node, to, cluster, octets, how)
        bench.run(0.5)
    bench.run(60)
    before = len(log.frames)
    bench.run(20)
    assert len(log.frames) - before <= idle + 12  # a query, a tunnel or a read that was provoked, and no ping-pong
    assert device.powered
    assert device.node.joined
    assert bench.hub.running


def _say(node: Node, to: Eui64, cluster: int, octets: bytes, how: str) -> None:
    data = ApsData(PROFILE, cluster, 1, 1, octets)
    if how == "broadcast":
        node.broadcast(BROADCAST_RX_ON, data)
    else:
        node.send(to, data, secured=how == "secured", acknowledged=True)
