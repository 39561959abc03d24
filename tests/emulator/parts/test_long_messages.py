"""Blocks as they come through a tunnel: joined, given up after a time, and never more than a few messages at once."""

from collections.abc import Callable

import pytest

from emulator.clock import VirtualClock
from emulator.parts.long_messages import KEPT, MOST, Assembly
from emulator.parts.timers import Timers
from protocols.addresses import Eui64
from protocols.gbcs.blocks import split
from protocols.gbcs.envelope import Cra, Message
from protocols.interfaces import MINUTE, SECOND

DEVICE, BROKER = Eui64(0x00DB1234567890A0), Eui64(0x90B3D51F30000002)


class Bench:
    """An assembly on a clock; `named`: timers that are set again move, else each of them rings."""

    def __init__(self, *, named: bool) -> None:
        self.clock, self.notes = VirtualClock(0), list[tuple[str, dict[str, str | int | bool | None]]]()
        timers = Timers(self.clock)

        def ring(name: str, delay: int, callback: Callable[[], None]) -> object:
            return self.clock.call_at(self.clock.now() + delay, callback)

        self.assembly = Assembly(timers.after if named else ring, self._note)

    def _note(self, event: str, **fields: str | int | bool | None) -> None:
        self.notes.append((event, fields))


def message(counter: int, size: int = 3000) -> bytes:
    alert = Message(Cra.ALERT, counter, DEVICE, BROKER, message_code=0x1000, payload=bytes(size), signature=bytes(64))
    return alert.encode()


@pytest.fixture(params=[True, False], ids=["of a device", "of a hub"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(named=request.param)


def test_what_is_short_passes_and_what_is_long_is_joined(bench: Bench) -> None:
    assert bench.assembly.take(message(1, 10)) == message(1, 10)
    blocks = split(message(2))
    assert len(blocks) == 3
    assert [bench.assembly.take(block) for block in blocks] == [None, None, message(2)]
    bench.clock.run_for(2 * KEPT)
    assert bench.notes == []


def test_each_block_gives_its_message_a_new_time_and_no_other_one(bench: Bench) -> None:
    dead, slow = split(message(1)), split(message(2))
    bench.assembly.take(dead[0])
    for block in slow[:2]:
        bench.assembly.take(block)
        bench.clock.run_for(KEPT - SECOND)
    assert bench.notes == [("blocks-dropped", {"counter": 1})]
    assert bench.assembly.take(slow[2]) == message(2)


def test_a_message_that_comes_again_is_not_given_up_by_the_time_of_the_first(bench: Bench) -> None:
    blocks = split(message(1))
    for block in blocks:
        bench.assembly.take(block)
    bench.clock.run_for(KEPT - MINUTE)
    bench.assembly.take(blocks[0])
    bench.clock.run_for(2 * MINUTE)
    assert bench.notes == []
    assert [bench.assembly.take(block) for block in blocks[1:]] == [None, message(1)]


def test_a_flood_of_beginnings_displaces_the_oldest_and_takes_no_more_room(bench: Bench) -> None:
    for counter in range(100):
        bench.assembly.take(split(message(counter))[0])
    assert [fields["counter"] for _, fields in bench.notes] == list(range(100 - MOST))
    rest = [bench.assembly.take(block) for block in split(message(99))[1:]]
    assert rest == [None, message(99)]


def test_a_block_that_contradicts_is_refused_with_its_message(bench: Bench) -> None:
    first, other = split(message(1)), split(message(1, 3001))
    bench.assembly.take(first[0])
    assert bench.assembly.take(first[0][:-1] + b"\1") is None
    assert [event for event, _ in bench.notes] == ["block-refused"]
    assert [bench.assembly.take(block) for block in other] == [None, None, message(1, 3001)]
    assert bench.assembly.take(b"\xdd\x09\x00") is None
    assert [event for event, _ in bench.notes] == ["block-refused"] * 2
