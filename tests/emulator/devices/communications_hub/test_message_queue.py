from emulator.clock import VirtualClock
from emulator.devices.communications_hub.alarms import Alarms
from emulator.devices.communications_hub.message_queue import MessageQueue
from emulator.storage import MemoryStorage
from protocols.addresses import Eui64
from protocols.interfaces import DAY, HOUR
from tests.support.hub_bench import START, eui


class Bench:
    def __init__(self) -> None:
        self.clock, self.storage, self.expired = VirtualClock(START), MemoryStorage(), list[Eui64]()
        self.boot()

    def boot(self) -> None:
        self.queue = MessageQueue(self.storage, Alarms(self.clock), lambda device, _: self.expired.append(device))

    def drain(self, device: Eui64) -> list[bytes]:
        found = []
        while (message := self.queue.first(device)) is not None:
            self.queue.take(message)
            self.queue.done(message)
            found.append(message.octets)
        return found


def test_messages_leave_in_order_for_each_device_also_after_a_power_cut() -> None:
    bench = Bench()
    for number in range(12):
        bench.queue.put(eui(number % 2), bytes((number,)), DAY)
    bench.boot()
    bench.queue.put(eui(0), b"\x0c", DAY)
    assert bench.drain(eui(0)) == [bytes((number,)) for number in (0, 2, 4, 6, 8, 10, 12)]
    assert bench.drain(eui(1)) == [bytes((number,)) for number in (1, 3, 5, 7, 9, 11)]
    assert bench.storage.cells() == []


def test_a_message_expires_after_its_lifetime() -> None:
    bench = Bench()
    bench.queue.put(eui(1), b"old", DAY)
    bench.clock.run_for(HOUR)
    bench.queue.put(eui(1), b"new", DAY)
    bench.clock.run_for(23 * HOUR - 1)
    assert bench.expired == []
    bench.clock.run_for(1)
    assert bench.expired == [eui(1)]
    assert bench.drain(eui(1)) == [b"new"]


def test_a_message_that_expired_while_the_power_was_away_is_dropped_at_boot() -> None:
    bench = Bench()
    bench.queue.put(eui(1), b"old", HOUR)
    bench.clock = VirtualClock(START + 2 * HOUR)
    bench.boot()
    bench.clock.run_for(1)
    assert bench.expired == [eui(1)]
    assert bench.storage.cells() == []


def test_what_is_put_back_keeps_its_place_and_its_cell() -> None:
    bench = Bench()
    for octets in (b"1", b"2", b"3"):
        bench.queue.put(eui(1), octets, DAY)
    taken = []
    for _ in range(2):
        message = bench.queue.first(eui(1))
        assert message is not None
        bench.queue.take(message)
        taken.append(message)
    assert len(bench.storage.cells()) == 3
    bench.queue.put_back(taken)
    assert bench.drain(eui(1)) == [b"1", b"2", b"3"]


def test_a_message_that_expires_while_it_is_taken_is_dropped_when_it_is_put_back() -> None:
    bench = Bench()
    bench.queue.put(eui(1), b"1", HOUR)
    message = bench.queue.first(eui(1))
    assert message is not None
    bench.queue.take(message)
    bench.clock.run_for(HOUR)
    assert bench.expired == []
    bench.queue.put_back([message])
    assert bench.expired == [eui(1)]
    assert bench.queue.first(eui(1)) is None
    assert bench.storage.cells() == []
