"""Which requirement a test shows, and how the planted defect that must turn it red is kept honest.

`@pytest.mark.requirement("MP170-L11")` names the rows of docs/requirements.toml that a test shows. `planted` says that
the test is the row's observation, made from what was recorded (octets sent and received, rows of the store, the folder
of a run), and that a defect turns it red:

* `planted=patched(Owner, "name", replacement)`, or any callable that takes a `pytest.MonkeyPatch`: the test is run a
  second time with the defect in force while the test function runs, and must then fail by an assertion.
* `planted=EVIDENCE`: the test itself plants the defect into a run or its evidence and lets `hanlab verify` judge it;
  the requirement must be among those that failed.

A mark on a parametrized function is tried with its first parameter set; put it on a `pytest.param` to choose another.
"""

import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import pytest

CATALOGUE = Path(__file__).parents[2] / "docs" / "requirements.toml"
MARK = "requirement"
EVIDENCE: Literal["evidence"] = "evidence"

Defect: TypeAlias = Callable[[pytest.MonkeyPatch], None]
Planted: TypeAlias = Defect | Literal["evidence"] | None

found_by_verify: set[str] = set()
"""The requirements that `hanlab verify` called failed while the test at hand ran."""


class Requirement(NamedTuple):
    id: str
    kind: str  # F, N, C or X
    side: str  # dsp, hub, device, air or note
    text: str

    @property
    def wants_defect(self) -> bool:
        """Whether the row counts only with an observation and a planted defect."""
        return (self.kind, self.side) == ("F", "dsp")


class Shown(NamedTuple):
    """What one mark says."""

    ids: tuple[str, ...]
    planted: Planted


@cache
def catalogue() -> dict[str, Requirement]:
    """Return all requirements by id, in the order of the catalogue."""
    rows = (
        Requirement(f"{family}-{key}", row["kind"], row["side"], row["text"])
        for family, keys in tomllib.loads(CATALOGUE.read_text(encoding="utf-8")).items()
        for key, row in keys.items()
        if key != "title"
    )
    return {row.id: row for row in rows}


@cache
def titles() -> dict[str, str]:
    """Return the heading of each family."""
    families = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    return {family: rows["title"] for family, rows in families.items()}


def patched(owner: object, name: str, replacement: object) -> Defect:
    """Return the defect that puts `replacement` in the place of `owner.name`, which must exist."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(owner, name, replacement)

    plant.__name__ = f"{getattr(owner, '__name__', type(owner).__name__)}.{name}"
    return plant


def all_of(*defects: Defect) -> Defect:
    """Return the defect that plants each of `defects`."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        for defect in defects:
            defect(monkeypatch)

    plant.__name__ = ", ".join(name_of(defect) for defect in defects)
    return plant


def name_of(defect: Planted) -> str:
    return defect if isinstance(defect, str) else getattr(defect, "__name__", str(defect)).strip("_")


def marks_of(item: pytest.Item) -> list[Shown]:
    """Return what the marks of a test say. Raises UsageError for an unknown id, or none, or another argument."""
    shown = []
    for mark in item.iter_markers(MARK):
        unknown = [one for one in mark.args if one not in catalogue()]
        if unknown or not mark.args or set(mark.kwargs) - {"planted"}:
            raise pytest.UsageError(f"{item.nodeid}: requirement{mark.args}: {unknown or 'ids, and planted='}")
        shown.append(Shown(mark.args, mark.kwargs.get("planted")))
    return shown


def with_defects(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Return the tests, each observation followed by itself under its planted defect."""
    everything: list[pytest.Item] = []
    planted: set[tuple[str, Defect]] = set()
    for item in items:
        everything.append(item)
        for shown in marks_of(item):
            if not callable(shown.planted) or not isinstance(item, pytest.Function):
                continue
            key = item.nodeid.partition("[")[0], shown.planted
            if key not in planted:
                planted.add(key)
                everything.append(_twin(item, shown))
    return everything


class _UnderDefect(pytest.Function):
    """A test run with a defect in force: it passes if the test fails by an assertion."""

    shown: Shown

    def runtest(self) -> None:
        defect = self.shown.planted
        assert callable(defect)
        try:
            with pytest.MonkeyPatch.context() as monkeypatch:
                defect(monkeypatch)
                super().runtest()
        except AssertionError:
            return
        except ValueError as error:
            if "to unpack" in str(error):  # `(row,) = rows` asserts too
                return
            raise
        pytest.fail(f"{', '.join(self.shown.ids)}: nobody noticed the planted defect {name_of(defect)}", pytrace=False)


def _twin(item: pytest.Function, shown: Shown) -> pytest.Item:
    """Return the same test under its defect."""
    name = f"{item.originalname} with {name_of(shown.planted)}"
    twin: _UnderDefect = _UnderDefect.from_parent(
        item.parent,
        name=name,
        callspec=getattr(item, "callspec", None),
        callobj=item.obj,
        fixtureinfo=item._fixtureinfo,
        originalname=name,
    )
    twin.shown = shown
    twin.own_markers = [mark for mark in item.own_markers if mark.name != MARK]
    return twin


def hold_to_evidence(item: pytest.Item) -> None:
    """After a test: what it says `verify` found, it must have found. Raises the failure of a test."""
    for shown in marks_of(item):
        missed = [one for one in shown.ids if shown.planted == EVIDENCE and one not in found_by_verify]
        if missed:
            pytest.fail(f"{', '.join(missed)}: hanlab verify did not fail on what the test planted", pytrace=False)
