"""The DSP's driver stores before it tells, delivers later, and wakes the machine when it asked to be."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from emulator import clock as clocks
from emulator.home import shipped_homes
from gateway.assembly.folder import RunFolder
from gateway.assembly.parties import SUPPLIER
from gateway.assembly.world import USER_DELAY, World
from gateway.dsp.effects import Append, Note, Reply, ToCsp, ToUser, Turn, WakeAt
from protocols.errors import UsageError
from protocols.interfaces import SECOND

REFUSED = (1, None, None, None, "of a test")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world in which nothing is switched on yet."""
    world = World(shipped_homes(), seed=5, folder=RunFolder(tmp_path / "run"))
    yield world
    world.close()


def test_rows_are_stored_before_anything_is_told(world: World) -> None:
    seen: list[bool] = []
    world.dsp_host.to_csp = lambda octets: seen.append("of a test" in world.store.dump())
    turn = Turn(world.clock.now(), [ToCsp(b"tell"), Append("refused_messages", REFUSED)])
    world.dsp_host.begin(turn)
    assert seen == [True]


def test_what_cannot_be_stored_is_not_told(world: World) -> None:
    told: list[bytes] = []
    world.dsp_host.to_csp = told.append
    before = world.store.dump()
    turn = Turn(world.clock.now())
    turn.append("refused_messages", REFUSED)
    turn.append("refused_messages", (1, None, None, None, None))
    turn.to_csp(b"tell")
    with pytest.raises(SQLAlchemyError, match="reason"):
        world.dsp_host.begin(turn)
    assert told == []
    assert world.store.dump() == before


def test_users_get_messages_after_their_delay_and_in_order(world: World) -> None:
    got: list[tuple[int, bytes]] = []
    world.dsp_host.register(SUPPLIER, lambda octets: got.append((world.clock.now(), octets)))
    start = world.clock.now()
    world.dsp_host.begin(Turn(start, [ToUser(SUPPLIER, b"one"), ToUser(SUPPLIER, b"two")]))
    assert got == []
    world.clock.run_for(SECOND)
    assert got == [(start + USER_DELAY, b"one"), (start + USER_DELAY, b"two")]


def test_a_turn_without_an_answer_to_a_request_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.dsp.machine.Dsp.submit", lambda dsp, user, octets, now: Turn(now))
    with pytest.raises(UsageError, match="no answer"):
        world.dsp_host.submit(SUPPLIER, b"")
    monkeypatch.setattr("gateway.dsp.machine.Dsp.submit", lambda dsp, user, octets, now: Turn(now, [Reply(octets)]))
    assert world.dsp_host.submit(SUPPLIER, b"octets") == b"octets"


def test_the_latest_wish_to_be_woken_counts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []

    def wake(dsp: object, now: int) -> Turn:
        woken.append(now)
        return Turn(now, [Note("woken", {"times": len(woken)})])

    monkeypatch.setattr("gateway.dsp.machine.Dsp.wake", wake)
    start = world.clock.now()
    world.dsp_host.begin(Turn(start, [WakeAt(start + 5 * SECOND)]))
    world.dsp_host.begin(Turn(start, [WakeAt(start + 3 * SECOND)]))
    clocks.run(world.clock, lambda: world.clock.sleep(60 * SECOND))
    assert woken == [start + 3 * SECOND]
