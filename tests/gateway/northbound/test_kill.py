"""Kill -9 between receipt and acknowledgement: nothing acknowledged is lost, nothing is done twice (X-4)."""

import sys
from itertools import chain
from pathlib import Path

import pytest

from gateway.store import Store
from protocols.interfaces import MINUTE
from tests.support.databases import PostgresqlServer
from tests.support.dsp_bench import HUB, OTHER_HUB
from tests.support.kill_judge import Verdict, judge
from tests.support.kill_server import BETWEEN, Phase
from tests.support.killing import KINDS, REQUEST, Run, Story, activation, outage, prenotification, update
from tests.support.parties import NETWORK_OPERATOR, START

STORIES = 25  # each a kill in every message, at one phase more than the one before
ROUNDS = list(Phase)


def tell_updates(run: Run, stories: int) -> Verdict:
    """Tell the story of an update again and again, killing in every message; then let everything arrive."""

    def all_of_them() -> Story:
        for number in range(1, stories + 1):
            yield from update(run, number)

    run.tell(all_of_them(), chain.from_iterable([ROUNDS[n % len(ROUNDS)]] * 11 for n in range(stories)))
    run.kill()
    return judge(run.url, run.ledger)


@pytest.mark.requirement("X-4")
def test_kills_at_every_phase_of_every_kind_of_message_lose_and_double_nothing(tmp_path: Path) -> None:
    with Run(f"sqlite:///{tmp_path / 'store.db'}", tmp_path) as run:
        verdict = tell_updates(run, STORIES)
    ledger = run.ledger
    sys.stdout.write(f"\n{sum(ledger.kills.values())} kills\n{verdict.table(ledger)}\n{ledger.repeated} repeated\n")
    assert verdict.faults == []
    assert sum(ledger.kills.values()) == STORIES * 11 >= 200
    for kind in KINDS:
        assert sum(ledger.kills[kind, phase] for phase in BETWEEN) >= 20
        assert verdict.acknowledged[kind] >= STORIES
    assert ledger.repeated > 0


@pytest.mark.judge("postgresql")
@pytest.mark.requirement("X-4")
def test_kills_lose_nothing_on_postgresql(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    with Run(postgresql.new_database(), tmp_path) as run:
        verdict = tell_updates(run, len(ROUNDS))
    assert verdict.faults == []
    assert sum(run.ledger.kills.values()) == len(ROUNDS) * 11
    assert not verdict.lost + verdict.duplicated


def test_kills_in_a_burst_lose_nothing(tmp_path: Path) -> None:
    with Run(f"sqlite:///{tmp_path / 'store.db'}", tmp_path) as run:
        for number in range(20):
            writer = run.writer
            messages = [prenotification(writer, 100 * number + n) for n in range(5)]
            messages += [outage(writer, OTHER_HUB, 100 * number + n) for n in range(15)]
            run.burst(messages, after=number)
        run.start()
        run.fetch(str(NETWORK_OPERATOR), 300 - len(run.ledger.inboxes[str(NETWORK_OPERATOR)]))
        run.kill()
    verdict = judge(run.url, run.ledger)
    assert verdict.faults == []
    assert sum(verdict.acknowledged.values()) == 400


def _independent(run: Run) -> Story:
    """Messages of which none needs another."""
    for number in range(1, 6):
        yield prenotification(run.writer, number)
        yield outage(run.writer, OTHER_HUB, number)


def test_the_same_kills_lose_messages_where_commits_come_after_acknowledgements(tmp_path: Path) -> None:
    with Run(f"sqlite:///{tmp_path / 'store.db'}", tmp_path, kind="acknowledging first") as run:
        run.tell(_independent(run), [Phase.RELEASED] * 10)
        run.kill()
    verdict = judge(run.url, run.ledger)
    assert verdict.lost[REQUEST] > 0
    assert any("in the journal: 0, not 1" in fault for fault in verdict.faults)


def _decisions(run: Run) -> list[tuple[int, str]]:
    """Return (received, decision) of every AD1, from the store of no process."""
    store = Store(run.url)
    rows = store.load()["power_outage_audit"]
    store.close()
    return [(int(row["received"] or 0), str(row["decision"])) for row in rows]


@pytest.mark.requirement("X-4")
@pytest.mark.parametrize(("minutes", "decision"), [(29, "suppressed"), (31, "delivered")])
def test_windows_hold_in_the_process_after_the_one_that_was_killed(
    store_url: str, tmp_path: Path, minutes: int, decision: str
) -> None:
    """Rows 37 and 38: windows are there before alerts are read; one that waited counts by when the DSP takes it."""
    with Run(store_url, tmp_path) as run:
        run.tell(activation(run), [Phase.COMMITTED] * 2)
        run.kill()
        run.now = START + minutes * MINUTE
        waiting = run.next(*outage(run.writer, HUB, 1))  # at the CSP, while no DSP runs
        run.start()
        run.deliver(waiting)
        run.kill()
    assert run.ledger.kills.total() == 2
    decided = _decisions(run)
    assert {each for _, each in decided} == {decision}
    assert all(received >= START + minutes * MINUTE for received, _ in decided)
