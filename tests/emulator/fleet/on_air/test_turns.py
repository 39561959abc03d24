"""What happens in a home depends on its own past alone: not on who shares its clock, nor on how long a turn is."""

from collections import defaultdict

import pytest

from emulator.clock import VirtualClock
from emulator.entropy import FleetEntropy, SmallRandom
from emulator.fleet.on_air import fleet as fleet_module
from emulator.fleet.on_air.fleet import Fleet
from emulator.fleet.on_air.merged import Merged
from emulator.fleet.on_air.turns import Turns
from protocols.errors import UsageError
from protocols.interfaces import HOUR, MINUTE, SECOND
from tests.support.han import FrameLog

HOMES, DEVICES, PERIOD = 5, 3, 7 * SECOND
TOO_LONG = 10**6 * HOUR

Frames = list[tuple[str, int, bytes]]


def _lived(homes: int = HOMES, *, first: int = 0, together: int = 1, turn: int = MINUTE) -> Frames:
    """Return the frames of 12 minutes, with an interruption, and assert that every report came."""
    log = FrameLog()
    fleet = Fleet(homes, DEVICES, seed=7, period=PERIOD, capture=log, first=first, together=together, turn=turn)
    fleet.run(5 * MINUTE + 123)
    fleet.run(7 * MINUTE - 123)
    tally = fleet.tally()
    assert tally.sent - tally.reports <= 1
    assert tally.reports >= homes * DEVICES * 12 * MINUTE // PERIOD - homes * DEVICES
    return log.frames


def _by_home(frames: Frames) -> dict[str, Frames]:
    homes = defaultdict(list)
    for frame in frames:
        homes[frame[0]].append(frame)
    return dict(homes)


@pytest.mark.parametrize("turn", [3 * SECOND, MINUTE, TOO_LONG])
@pytest.mark.parametrize("together", [1, 2])
def test_a_home_is_the_same_on_a_clock_of_its_own_and_among_others(together: int, turn: int) -> None:
    one_heap = _by_home(_lived(together=HOMES, turn=TOO_LONG))
    assert len(one_heap) == HOMES
    assert _by_home(_lived(together=together, turn=turn)) == one_heap


@pytest.mark.parametrize("number", [0, 3])
def test_a_home_is_the_same_alone(number: int) -> None:
    alone = _by_home(_lived(1, first=number))
    (name,) = alone
    assert alone[name] == _by_home(_lived())[name]


def test_homes_that_share_randomness_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison above fails where one stream of back-offs serves two homes."""
    shared = SmallRandom(1)

    class OneStream(FleetEntropy):
        def random(self, purpose: str) -> SmallRandom:
            return shared if purpose.startswith("csma") else super().random(purpose)

    monkeypatch.setattr(fleet_module, "FleetEntropy", OneStream)
    assert _by_home(_lived(together=HOMES, turn=TOO_LONG)) != _by_home(_lived())


def test_a_capture_is_in_order_of_time_and_does_not_depend_on_turns() -> None:
    frames = _lived(turn=MINUTE)
    times = [time for _, time, _ in frames]
    assert times == sorted(times)
    assert frames == _lived(turn=17 * SECOND) == _lived(turn=TOO_LONG)
    interleaved = _lived(together=HOMES)
    assert sorted(frames) == sorted(interleaved)
    assert len(set(times)) > HOMES * DEVICES * 12 * MINUTE // PERIOD  # of many moments, not of a few


def test_a_capture_has_all_frames_once_a_run_is_over() -> None:
    log = FrameLog()
    fleet = Fleet(2, 1, capture=log, turn=HOUR)
    before = len(log.frames)
    fleet.run(3 * MINUTE)
    assert len(log.frames) - before >= 2 * fleet.devices * 3  # a report a minute and its acknowledgement
    assert log.frames[-1][1] <= fleet.now


def test_a_large_fleet_keeps_no_more_of_a_capture_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = list[int]()

    class Watched(Merged):
        def pass_on(self, until: int) -> None:
            kept.append(len(self._kept))
            super().pass_on(until)

    monkeypatch.setattr(fleet_module, "Merged", Watched)
    monkeypatch.setattr(fleet_module, "_KEPT", 40)
    log = FrameLog()
    Fleet(HOMES, DEVICES, period=PERIOD, capture=log).run(10 * MINUTE)
    turns = len(kept)
    assert turns > 10 * MINUTE // PERIOD // 2
    assert sum(kept) == len(log.frames) > 2 * HOMES * DEVICES * 10 * MINUTE // PERIOD
    assert max(kept[turns // 2 :]) <= 2 * 40  # those settling down over


def test_all_clocks_end_at_one_time() -> None:
    fleet = Fleet(3, 1, turn=40 * SECOND)
    fleet.run(5 * MINUTE + 7)
    assert fleet.now == 6 * MINUTE + 7
    assert {home.hub.node._clock.now() for home in fleet.homes} == {fleet.now}


def test_each_clock_has_its_turn_and_the_edge_is_told_when_all_had_it() -> None:
    clocks = [VirtualClock(), VirtualClock()]
    told: list[object] = []
    for name, clock in zip("ab", clocks, strict=True):
        for second in (1, 9, 11):
            clock.call_at(second * SECOND, told.append, f"{name}{second}")
    turns = Turns(clocks, 10 * SECOND, told.append)
    turns.run_until(15 * SECOND)
    assert told == ["a1", "a9", "b1", "b9", 10 * SECOND, "a11", "b11", 15 * SECOND]
    assert [clock.now() for clock in clocks] == [15 * SECOND] * 2


def test_after_an_error_the_rest_of_the_turn_can_be_run() -> None:
    clocks = [VirtualClock(), VirtualClock()]
    told: list[object] = []
    clocks[1].call_at(3 * SECOND, lambda: 1 // 0)
    clocks[1].call_at(4 * SECOND, told.append, "after")
    turns = Turns(clocks, 10 * SECOND, told.append)
    with pytest.raises(ZeroDivisionError):
        turns.run_until(10 * SECOND)
    assert not told
    turns.run_until(10 * SECOND)
    assert told == ["after", 10 * SECOND]


@pytest.mark.parametrize(
    "wrong",
    [
        {"homes": 0},
        {"devices": 0},
        {"devices": 256},
        {"together": 0},
        {"first": -1},
        {"period": 0},
        {"turn": 0},
        {"turn": -MINUTE},
    ],
)
def test_a_fleet_of_nothing_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=r"no fleet|a turn of"):
        Fleet(**{"homes": 1, **wrong})  # type: ignore[arg-type]
