"""Replay against what a started DSP did, and what other rules would lose, leak or tell late (MP102B-G13)."""

from pathlib import Path

import pytest

from gateway.campaigns.replay.comparison import compare
from gateway.campaigns.replay.recorded import recorded_events
from gateway.campaigns.replay.replay import Key, replay
from gateway.campaigns.replay.rules import Rules
from gateway.campaigns.replay.stream import Failed, OutageReceived, Placed
from gateway.campaigns.sources import read_source
from gateway.dsp.settings import DspSettings, OutageScope, OutageTime
from gateway.dsp.suppression import Suppression
from gateway.dsp.tracked import TrackedList
from protocols.duis.times import CANCELLATION_DATE_TIME
from protocols.errors import InputError
from protocols.interfaces import DAY, HOUR, MINUTE
from tests.support.dsp_bench import ESME, ESME_2, HUB, MPAN, MPAN_2, OTHER_ESME, OTHER_HUB, Bench
from tests.support.outage_stream import outage_stream
from tests.support.parties import START
from tests.support.requirements import patched

DATE = START + 2 * DAY


def recorded_story(url: str, settings: DspSettings) -> Bench:
    """Return a bench that went through activations at once, dated, replaced and cancelled, with outages around all."""
    bench = Bench(url=url, settings=settings, tracked=(ESME, OTHER_ESME))
    bench.outage()
    bench.later(1)  # a store does not tell which of two things of one instant came first
    bench.activate()
    for minutes in (4, 20, 29, 31):
        bench.at(START + minutes * MINUTE)
        bench.outage(started=bench.now - 5 * MINUTE)
        bench.outage(OTHER_HUB)
    bench.outage(started=bench.now - 5 * MINUTE)  # came again
    bench.accept(bench.activate(execution=DATE, number=2))
    bench.later(HOUR)
    bench.accept(bench.activate(execution=DATE + HOUR))
    bench.accept(bench.activate(ESME_2, execution=DATE))
    cancelled = bench.activate(execution=DATE + 3 * HOUR)
    bench.later(MINUTE)
    bench.activate(execution=CANCELLATION_DATE_TIME)
    bench.accept(cancelled)
    for minutes in (5, 65, 89, 91, 185):
        bench.at(DATE + minutes * MINUTE)
        bench.outage()
    return bench


@pytest.mark.parametrize("time", OutageTime)
@pytest.mark.parametrize("scope", OutageScope)
def test_under_the_rules_in_force_a_store_replays_to_its_own_audit(
    time: OutageTime, scope: OutageScope, tmp_path: Path
) -> None:
    path = tmp_path / "store.db"
    bench = recorded_story(f"sqlite:///{path}", DspSettings(outage_time=time, outage_scope=scope))
    audit = [row for row in bench.rows("power_outage_audit") if not row["duplicate"]]
    recorded = recorded_events(read_source(str(path)))
    assert recorded.tracked == [ESME]
    outcome = replay(recorded.events, Rules(time=time, scope=scope), TrackedList(recorded.tracked))
    decided = {(str(key.hub), key.mpxn, key.started): fate.told is None for key, fate in outcome.fates.items()}
    assert decided == {(row["hub"], row["mpxn"], row["started"]): row["decision"] == "suppressed" for row in audit}
    assert 0 < sum(decided.values()) < len(decided)


LISTED = TrackedList([ESME])


def _window(duration: str) -> Rules:
    return Rules.model_validate({"name": duration, "window": duration})


def test_the_true_cause_decides_what_is_lost_and_leaked() -> None:
    rules = [Rules(name="W30"), _window("10m"), Rules(name="off", suppression=False)]
    w30, w10, off = compare([replay(outage_stream(), one, LISTED) for one in rules])
    assert (w30.alerts, w30.delivered, w30.suppressed, w30.lost, w30.leaked) == (7, 3, 4, 2, 0)
    assert (w10.suppressed, w10.lost, w10.leaked) == (2, 0, 0)
    assert (off.suppressed, off.lost, off.leaked) == (0, 0, 2)
    assert {verdict.judged_by for verdict in (w30, w10, off)} == {"cause"}


@pytest.mark.requirement("MP102B-G13", planted=patched(Suppression, "window_for", lambda self, outage, on_hub: None))
def test_false_alerts_are_counted_with_and_without_the_feature() -> None:
    with_it, without = compare([replay(outage_stream(), Rules(suppression=on), LISTED) for on in (True, False)])
    assert (with_it.leaked, without.leaked) == (0, 2)


def test_per_mpxn_lets_the_alert_of_the_other_meter_leak() -> None:
    (verdict,) = compare([replay(outage_stream(), Rules(scope=OutageScope.PER_MPXN), LISTED)])
    assert [(one.what, one.mpxn) for one in verdict.differences] == [("leaked", MPAN_2), ("lost", MPAN)]


def test_what_is_released_at_the_end_of_the_window_is_late() -> None:
    (verdict,) = compare([replay(outage_stream(), Rules(suppressed="release"), LISTED)])
    assert (verdict.lost, verdict.leaked, verdict.late, verdict.median_late_seconds) == (0, 2, 2, 5 * 60)


def test_a_window_that_a_reported_failure_closes_loses_nothing_after_it() -> None:
    failed = Failed(event="failed", time=START + 10 * MINUTE, request="r1")
    events = sorted([*outage_stream(), failed], key=lambda event: event.time)
    kept, closed = compare([replay(events, Rules(close_on_failure=on), LISTED) for on in (False, True)])
    assert (kept.lost, closed.lost, closed.leaked) == (2, 0, 0)


@pytest.mark.parametrize(("minutes", "told"), [(29, False), (30, True)])
def test_the_time_of_the_csp_counts_where_rules_say_so(minutes: int, *, told: bool) -> None:
    late = OutageReceived(
        event="outage", time=START + 45 * MINUTE, hub=HUB, started=START, taken=START + minutes * MINUTE
    )
    fates = replay([*outage_stream(), late], Rules(time=OutageTime.CSP_RECEIPT), LISTED).fates
    assert (fates[Key(HUB, MPAN, START)].told is not None) is told


def test_without_causes_the_first_rules_stand_for_the_truth() -> None:
    unknown = [e.model_copy(update={"cause": None}) if isinstance(e, OutageReceived) else e for e in outage_stream()]
    rules = [Rules(), _window("10m"), _window("50m"), Rules(suppressed="release")]
    first, shorter, longer, released = compare([replay(unknown, one, LISTED) for one in rules])
    assert (first.differences, first.judged_by) == ((), "first rules")
    assert (shorter.leaked, shorter.lost) == (2, 0)
    assert (longer.leaked, longer.lost) == (0, 2)
    assert (released.leaked, released.late) == (4, 0)


def test_a_meter_that_moved_counts_where_it_is() -> None:
    moved = Placed(event="device", time=START + MINUTE, esme=ESME, hub=OTHER_HUB, mpxn=MPAN)
    events = sorted([*outage_stream(), moved], key=lambda event: event.time)
    fates = replay(events, Rules(), LISTED).fates
    assert fates[Key(HUB, MPAN_2, START + MINUTE)].told is not None
    assert fates[Key(OTHER_HUB, MPAN, START + 5 * MINUTE)].told is None
    gone = moved.model_copy(update={"hub": None})
    fates = replay(sorted([*outage_stream(), gone], key=lambda event: event.time), Rules(), LISTED).fates
    assert not [key for key in fates if key.mpxn == MPAN]


def test_an_event_that_refers_to_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="request r1: no device event of its ESME before it"):
        replay(outage_stream()[3:], Rules(), LISTED)
