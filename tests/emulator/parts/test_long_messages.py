"""Blocks as they come through a tunnel: joined, given up after a time, and never more than a few messages at once."""

from collections.abc import Callable

import pytest

from emulator.clock import VirtualClock
from emulator.parts.journal import Journal
from emulator.parts.long_messages import KEPT, MOST, Assembly
from emulator.parts.timers import Timers
from emulator.storage import MemoryStorage
from protocols.addresses import Eui64
from protocols.gbcs.blocks import split
from protocols.gbcs.envelope import Cra, Message
from protocols.interfaces import MINUTE, SECOND, Timer

DEVICE, BROKER = Eui64(0x00DB1234567890A0), Eui64(0x90B3D51F30000002)


class Bench:
    """An assembly on a clock; `named`: timers that are set again move, else each of them rings."""

    def __init__(self, *, named: bool) -> None:
        self.clock, self.notes = VirtualClock(0), list[tuple[str, dict[str, str | int | bool | None]]]()
        self.timers, self.ringing = Timers(self.clock), list[Timer]()

        def ring(name: str, delay: int, callback: Callable[[], None]) -> object:
            self.ringing.append(self.clock.call_at(self.clock.now() + delay, callback))
            return self.ringing[-1]

        self.storage, self.after = Journal(MemoryStorage()), self.timers.after if named else ring
        self.reboot()

    def reboot(self) -> None:
        self.timers.clear()
        for timer in self.ringing:
            timer.cancel()
        self.storage.restart()
        self.assembly = Assembly(self.storage, self.after, self._note)
        self.assembly.start()

    def take(self, octets: bytes) -> bytes | None:
        """Return the message that octets are or complete."""
        found = list[bytes]()
        self.assembly.take(octets, found.append)
        return found[0] if found else None

    def _note(self, event: str, **fields: str | int | bool | None) -> None:
        self.notes.append((event, fields))


def message(counter: int, size: int = 3000) -> bytes:
    alert = Message(Cra.ALERT, counter, DEVICE, BROKER, message_code=0x1000, payload=bytes(size), signature=bytes(64))
    return alert.encode()


@pytest.fixture(params=[True, False], ids=["of a device", "of a hub"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(named=request.param)


def test_what_is_short_passes_and_what_is_long_is_joined(bench: Bench) -> None:
    assert bench.take(message(1, 10)) == message(1, 10)
    blocks = split(message(2))
    assert len(blocks) == 3
    assert [bench.take(block) for block in blocks] == [None, None, message(2)]
    bench.clock.run_for(2 * KEPT)
    assert bench.notes == []


def test_each_block_gives_its_message_a_new_time_and_no_other_one(bench: Bench) -> None:
    dead, slow = split(message(1)), split(message(2))
    bench.take(dead[0])
    for block in slow[:2]:
        bench.take(block)
        bench.clock.run_for(KEPT - SECOND)
    assert bench.notes == [("blocks-dropped", {"counter": 1})]
    assert bench.take(slow[2]) == message(2)


def test_a_message_that_comes_again_is_not_given_up_by_the_time_of_the_first(bench: Bench) -> None:
    blocks = split(message(1))
    for block in blocks:
        bench.take(block)
    bench.clock.run_for(KEPT - MINUTE)
    bench.take(blocks[0])
    bench.clock.run_for(2 * MINUTE)
    assert bench.notes == []
    assert [bench.take(block) for block in blocks[1:]] == [None, message(1)]


def test_a_flood_of_beginnings_displaces_the_oldest_and_takes_no_more_room(bench: Bench) -> None:
    for counter in range(100):
        bench.take(split(message(counter))[0])
    assert [fields["counter"] for _, fields in bench.notes] == list(range(100 - MOST))
    rest = [bench.take(block) for block in split(message(99))[1:]]
    assert rest == [None, message(99)]


def test_a_block_that_contradicts_is_refused_with_its_message(bench: Bench) -> None:
    first, other = split(message(1)), split(message(1, 3001))
    bench.take(first[0])
    assert bench.take(first[0][:-1] + b"\1") is None
    assert [event for event, _ in bench.notes] == ["block-refused"]
    assert [bench.take(block) for block in other] == [None, None, message(1, 3001)]
    assert bench.take(b"\xdd\x09\x00") is None
    assert [event for event, _ in bench.notes] == ["block-refused"] * 2


def test_blocks_outlive_a_power_cut_and_go_with_their_message(bench: Bench) -> None:
    blocks = split(message(1))
    for block in blocks[:2]:
        bench.take(block)
    assert len(bench.storage.cells()) == 2
    bench.reboot()
    bench.clock.run_for(KEPT - SECOND)
    assert bench.take(blocks[2]) == message(1)
    assert bench.storage.cells() == []


def test_blocks_kept_over_a_power_cut_are_given_up_in_their_time(bench: Bench) -> None:
    bench.take(split(message(1))[0])
    bench.reboot()
    bench.clock.run_for(KEPT + SECOND)
    assert bench.notes == [("blocks-dropped", {"counter": 1})]
    assert bench.storage.cells() == []


def test_the_last_block_is_taken_again_when_its_message_was_not_stored(bench: Bench) -> None:
    """Whoever takes the message fails: nothing of it is forgotten."""
    blocks = split(message(1))
    for block in blocks[:2]:
        bench.take(block)

    def cut(octets: bytes) -> None:
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        bench.assembly.take(blocks[2], cut)
    bench.reboot()
    assert bench.take(blocks[2]) == message(1)
    assert bench.storage.cells() == []
