"""The verdict on one requirement, with the figures it rests on."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from protocols.interfaces import MILLISECOND, SECOND

SHOWN = 8  # facts or faults written out; the rest is counted


class Check(NamedTuple):
    requirement: str  # its id, e.g. "MP170-R6"
    name: str
    passed: bool
    evidence: str


def conclude(requirement: str, name: str, *, facts: Sequence[str], faults: Sequence[str], missing: str) -> Check:
    """Pass when there is at least one fact and no fault.

    facts: what was seen and agrees, a figure each. faults: what contradicts the requirement.
    missing: what the evidence lacks, told when there is neither fact nor fault.
    """
    if faults:
        return Check(requirement, name, False, _told(faults))
    if not facts:
        return Check(requirement, name, False, f"no evidence: {missing}")
    return Check(requirement, name, True, _told(facts))


def _told(lines: Sequence[str]) -> str:
    shown = "; ".join(lines[:SHOWN])
    return shown if len(lines) <= SHOWN else f"{shown}; and {len(lines) - SHOWN} more"


def utc(when: int) -> str:
    """Return nanoseconds since 1970 as date and time of day, cut to the millisecond."""
    seconds, rest = divmod(when, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{rest // MILLISECOND:03d}"


def count(number: int, thing: str) -> str:
    """Return e.g. "1 image" or "16,000 blocks"."""
    return f"{number:,} {thing}" + ("" if number == 1 else "s")
