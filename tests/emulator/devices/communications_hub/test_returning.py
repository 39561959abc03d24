"""CCS01 for a device of the historic log: first the link key it had, then its install code."""

import pytest

from emulator.devices.communications_hub.device_log import DeviceLog, HistoricLog
from emulator.devices.ppmid import Ppmid
from emulator.storage import MemoryStorage
from protocols.crypto.install_code import link_key
from protocols.gbcs.device_log import HashedKey
from protocols.gbcs.use_cases import ccs01, ccs02, cs14
from protocols.stack.node import Node
from protocols.stack.settings import NodeRole
from protocols.wan.envelope import GbcsCarried
from tests.support.hub_bench import CHANNEL, CHF, PPMID_TYPE, HubBench, code_of, eui

DEVICE = eui(1)
PERIOD = 600  # s


@pytest.fixture
def bench() -> HubBench:
    bench = HubBench()
    bench.hub.start()
    return bench


def joined(bench: HubBench) -> Ppmid:
    bench.add_to_log(DEVICE, PPMID_TYPE)
    bench.run(2)
    device = bench.ppmid(DEVICE)
    bench.run(30)
    assert len(logs(bench)[-1][0].key_hash) == 16
    return device


def logs(bench: HubBench) -> list[tuple[HashedKey, ...]]:
    alerts = [message for message in bench.messages_up(CHF) if message.message_code == cs14.MESSAGE_CODE]
    return [cs14.Alert.decode(message.payload).log.keys for message in alerts]


def remove(bench: HubBench) -> None:
    bench.down(GbcsCarried(CHF, bench.command(ccs02.MESSAGE_CODE, ccs02.Command(DEVICE, bench.counter + 1).encode())))
    bench.run(10)


def add(bench: HubBench, install_code: bytes) -> None:
    payload = ccs01.Command(DEVICE, install_code, PPMID_TYPE, PERIOD, counter=bench.counter + 1).encode()
    bench.down(GbcsCarried(CHF, bench.command(ccs01.MESSAGE_CODE, payload)))
    bench.run(5)


def historic(bench: HubBench) -> int:
    return len(HistoricLog(bench.storage, 15).entries())


def test_a_device_that_missed_its_removal_comes_back_under_the_key_it_had(bench: HubBench) -> None:
    """The install code given is a wrong one: it is not needed."""
    device = joined(bench)
    before = logs(bench)[-1]
    device.power_off()
    remove(bench)
    assert historic(bench) == 1
    add(bench, bytes(16))
    device.power_on()
    bench.run_till(lambda: logs(bench)[-1] == before, within=PERIOD // 2)
    bench.run_till(lambda: len(bench.notes.of("tunnel-open")) == 2, within=PERIOD // 2)
    assert historic(bench) == 0
    bench.run(3 * PERIOD)
    assert bench.notes.of("historic-key-unused") == []
    (entry,) = DeviceLog(bench.storage, bench.settings).entries()
    assert (entry.joined, logs(bench)[-1]) == (True, before)


def test_an_unused_historic_key_gives_way_to_the_install_code_for_a_second_period(bench: HubBench) -> None:
    joined(bench).power_off()
    remove(bench)
    add(bench, code_of(DEVICE))
    bench.run(PERIOD - 30)
    assert bench.notes.of("historic-key-unused") == []
    bench.run(60)
    assert bench.notes.of("historic-key-unused") == [{"device": str(DEVICE)}]
    device = with_its_label_only(bench)
    bench.run_till(lambda: device.joined, within=PERIOD - 60)
    bench.run_till(lambda: historic(bench) == 0, within=30)


def with_its_label_only(bench: HubBench) -> Node:
    """Return the device's node after its storage was wiped."""
    radio = bench.medium.radio("home", "wiped")
    bench.medium.link(bench.radio, radio)
    node = Node(NodeRole.ROUTER, DEVICE, (radio,), bench.clock, MemoryStorage(), bench.entropy, name="wiped")
    node.join(link_key(code_of(DEVICE)), (CHANNEL,))
    return node


def test_joining_ends_with_the_second_period(bench: HubBench) -> None:
    joined(bench).power_off()
    remove(bench)
    add(bench, code_of(DEVICE))
    bench.run(2 * PERIOD + 60)
    assert not with_its_label_only(bench).joined
    bench.run(PERIOD)
    assert [entry.joined for entry in DeviceLog(bench.storage, bench.settings).entries()] == [False]
    assert historic(bench) == 1


def test_a_reboot_of_the_hub_does_not_end_the_wait(bench: HubBench) -> None:
    device = joined(bench)
    before = logs(bench)[-1]
    device.power_off()
    remove(bench)
    add(bench, bytes(16))
    bench.hub.power_off()
    bench.run(30)
    bench.hub.power_on()
    bench.run(5)
    device.power_on()
    bench.run_till(lambda: logs(bench)[-1] == before, within=PERIOD // 2)


def test_a_device_removed_again_before_it_is_back_is_still_historic(bench: HubBench) -> None:
    device = joined(bench)
    before = logs(bench)[-1]
    device.power_off()
    for _ in range(3):
        remove(bench)
        assert historic(bench) == 1
        add(bench, bytes(16))
    device.power_on()
    bench.run_till(lambda: logs(bench)[-1] == before, within=PERIOD // 2)


def test_a_removed_device_that_is_not_added_again_stays_out(bench: HubBench) -> None:
    device = joined(bench)
    device.power_off()
    remove(bench)
    before = len(bench.up)
    device.power_on()
    bench.run(PERIOD)
    assert len(bench.notes.of("tunnel-open")) == 1
    assert len(bench.up) == before
