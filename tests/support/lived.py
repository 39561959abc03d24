"""Lives of shipped homes, each lived once in a test session by `hanlab home run`, and defects planted into them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.campaigns.verify.check import Check
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.folder import Event
from tests.support.demo_run import hanlab
from tests.support.once import once

Checks = Callable[[Evidence], Iterator[Check]]
Line = Callable[[Event], bool]


def _live(home: str, length: str, place: Path) -> None:
    done = hanlab("home", "run", home, "--for", length, "--out", place / "run", "--json")
    (place / "exit").write_text(f"{done.returncode} {done.stderr}", encoding="utf-8")
    (place / "stdout").write_text(done.stdout, encoding="utf-8")


def two_days(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that has `run` of home 1, and what the command said: `exit` and `stdout`."""
    return once(factory, "two-days-of-home-1", partial(_live, "home-1", "2d"))


def lived(factory: pytest.TempPathFactory, home: str, length: str) -> Path:
    """Return the same of another home and length, e.g. 1d."""
    return once(factory, f"{length}-of-{home}", partial(_live, home, length))


def verdict(check: Checks, evidence: Evidence) -> tuple[bool, str]:
    (found,) = check(evidence)
    return found.passed, found.evidence


def told(actor: str, name: str, **fields: object) -> Line:
    """Fit the events of an actor by name and fields."""
    return lambda e: (
        (e.actor, e.name) == (f"home-1/{actor}", name)
        and all(e.fields.get(field) == value for field, value in fields.items())
    )


def altered(evidence: Evidence, fits: Line, change: Callable[[Event], Event | None], which: int = -1) -> Evidence:
    """Change or drop one event of those that fit, the last by default."""
    lines = list(evidence.files.timeline)
    places = [place for place, event in enumerate(lines) if fits(event)]
    new = change(lines[places[which]])
    lines[places[which] : places[which] + 1] = [] if new is None else [new]
    return replace(evidence, files=replace(evidence.files, timeline=tuple(lines)))


def added(field: str, amount: int) -> Callable[[Event], Event]:
    def change(event: Event) -> Event:
        value = event.fields[field]
        assert isinstance(value, int)
        return event._replace(fields={**event.fields, field: value + amount})

    return change


def named(field: str, value: str) -> Callable[[Event], Event]:
    return lambda event: event._replace(fields={**event.fields, field: value})


def planned(evidence: Evidence, **changes: object) -> Evidence:
    plan = {**evidence.files.summary["plan"], **changes}
    return replace(evidence, files=replace(evidence.files, summary={**evidence.files.summary, "plan": plan}))


def stored(evidence: Evidence, table: str, rows: list[dict[str, Any]]) -> Evidence:
    return replace(evidence, files=replace(evidence.files, store={**evidence.files.store, table: tuple(rows)}))
