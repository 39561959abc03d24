"""What rules do to the alerts of a stream: lost, leaked, late.

Where the stream tells the true cause of an outage, that decides: lost is a real one nobody heard of, leaked one of an
activation that was told, late a real one told after its receipt. Elsewhere the first set of rules stands for the truth.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from gateway.campaigns.replay.replay import Fate, Key, Outcome
from protocols.interfaces import SECOND

ACTIVATION = "activation"


class Difference(NamedTuple):
    """One AD1 that did not go as it should."""

    what: str  # lost, leaked or late
    hub: str
    mpxn: str | None
    received: int  # ns UTC
    started: int  # ns UTC
    late_seconds: int | None


class Verdict(NamedTuple):
    """What one set of rules did."""

    rules: str
    list_version: str
    alerts: int
    delivered: int
    suppressed: int
    lost: int
    leaked: int
    late: int
    median_late_seconds: int | None
    judged_by: str  # "cause", "first rules" or both
    differences: tuple[Difference, ...]


def compare(outcomes: Sequence[Outcome]) -> list[Verdict]:
    """Return a verdict for each outcome; all are of one stream."""
    return [_verdict(outcome, outcomes[0]) for outcome in outcomes]


def _verdict(outcome: Outcome, first: Outcome) -> Verdict:
    differences = tuple(_differences(outcome, first))
    counted = Counter(difference.what for difference in differences)
    late = [difference.late_seconds for difference in differences if difference.late_seconds is not None]
    told = sum(1 for fate in outcome.fates.values() if fate.told is not None)
    judges = sorted({"first rules" if fate.cause is None else "cause" for fate in outcome.fates.values()})
    return Verdict(
        rules=outcome.rules.name, list_version=outcome.list_version, alerts=len(outcome.fates), delivered=told,
        suppressed=len(outcome.fates) - told, lost=counted["lost"], leaked=counted["leaked"], late=counted["late"],
        median_late_seconds=round(median(late)) if late else None, judged_by=" and ".join(judges) or "nothing",
        differences=differences,
    )  # fmt: skip


def _differences(outcome: Outcome, first: Outcome) -> Iterator[Difference]:
    for key, fate in outcome.fates.items():
        due = _due(fate, first.fates[key])
        if fate.told == due:
            continue
        if fate.told is None:
            yield _difference("lost", key, fate)
        elif due is None:
            yield _difference("leaked", key, fate)
        elif fate.told > due:
            yield _difference("late", key, fate, (fate.told - due) // SECOND)


def _due(fate: Fate, first: Fate) -> int | None:
    """Return when the network operator should have heard of an AD1, None for never."""
    if fate.cause is None:
        return first.told
    return None if fate.cause == ACTIVATION else fate.received


def _difference(what: str, key: Key, fate: Fate, late: int | None = None) -> Difference:
    return Difference(what, str(key.hub), key.mpxn, fate.received, key.started, late)
