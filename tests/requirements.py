"""Writes docs/requirements.md, each requirement with the tests that show it: `python -m tests.requirements [--check]`.

With --check nothing is written: exit 1 if the file is not what the tests say, or a row of the DSP's side lacks a test.
"""

import contextlib
import io
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.requirements import EVIDENCE, Requirement, catalogue, marks_of, name_of, titles

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "requirements.md"
SHOWN = 3  # tests named in a row; the rest is counted

_COLUMNS = "| id | kind | side | requirement | shown by | planted defect | judge |\n|---|---|---|---|---|---|---|\n"
_HEAD = """\
# Requirements

Generated from `docs/requirements.toml` and the marks of the tests by `python -m tests.requirements`.

Kinds: F functional, N non-functional, C constraint or scope, X a duty of somebody other than the DSP. A row F of the
DSP's side counts when its observation is recomputed from what was recorded (octets, rows of the store, a run's folder)
and the planted defect named here turns it red; in `evidence` the test plants it and `hanlab verify` names the row. Each
such test runs twice, once under its defect. `verify` in the last column: the judge is a check of `hanlab verify`;
elsewhere it is the test itself, from octets that left the DSP and rows of its store.
"""
_VERIFY = ("tests/gateway/campaigns/verify/", "tests/gateway/assembly/fleet/", "tests/end_to_end/test_sabotage")


class Use(NamedTuple):
    """A test that shows a requirement."""

    test: str  # path::name, without parameters
    defect: str  # name of the planted defect, empty where there is none


class _Collector:
    """Takes the marks of all tests that there are."""

    def __init__(self) -> None:
        self.uses: dict[str, dict[Use, None]] = defaultdict(dict)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            test = item.nodeid.partition("[")[0]
            for shown in marks_of(item):
                for one in shown.ids:
                    self.uses[one][Use(test, name_of(shown.planted) if shown.planted else "")] = None


def collect() -> Mapping[str, Sequence[Use]]:
    """Return the tests by requirement. Raises SystemExit if the tests cannot be collected."""
    collector, said = _Collector(), io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", str(ROOT / "tests")], plugins=[collector])
    if code != pytest.ExitCode.OK:
        raise SystemExit(f"the tests cannot be collected:\n{said.getvalue()[-4000:]}")
    return {one: list(uses) for one, uses in collector.uses.items()}


def lacking(uses: Mapping[str, Sequence[Use]]) -> dict[str, str]:
    """Return by id what a row of the DSP's side lacks."""
    found = {}
    for one, row in catalogue().items():
        shown = uses.get(one, ())
        if row.wants_defect and not any(use.defect for use in shown):
            found[one] = "no observation with a planted defect"
        elif row.side == "dsp" and not shown:
            found[one] = "no test"
    return found


def written(uses: Mapping[str, Sequence[Use]]) -> str:
    """Return the text of docs/requirements.md."""
    missing = lacking(uses)
    parts = [_HEAD, _count(missing, uses)]
    for family, title in titles().items():
        parts.append(f"\n## {title}\n\n{_COLUMNS}")
        rows = [row for row in catalogue().values() if row.id.startswith(f"{family}-")]
        parts += [_line(row, uses.get(row.id, ()), missing.get(row.id, "")) for row in rows]
    return "".join(parts)


def _by_verify(uses: Sequence[Use]) -> bool:
    return any(use.defect and use.test.startswith(_VERIFY) for use in uses)


def _count(missing: Mapping[str, str], uses: Mapping[str, Sequence[Use]]) -> str:
    wanted = [row for row in catalogue().values() if row.wants_defect]
    by_verify = sum(1 for row in wanted if _by_verify(uses.get(row.id, ())))
    done = len(wanted) - sum(1 for row in wanted if row.id in missing)
    rest = f" Open: {', '.join(missing)}." if missing else ""
    told = f"{done} of {len(wanted)} rows F of the DSP's side have observation and planted defect"
    return f"\n{told}, {by_verify} of them judged by `hanlab verify`.{rest}\n"


def _line(row: Requirement, uses: Sequence[Use], missing: str) -> str:
    ordered = sorted(uses, key=lambda use: (not use.defect, use.defect == EVIDENCE, use.test))
    tests = list(dict.fromkeys(_short(use.test) for use in ordered))
    told = [f"`{test}`" for test in tests[:SHOWN]] + ([f"{len(tests) - SHOWN} more"] if len(tests) > SHOWN else [])
    defects = list(dict.fromkeys(use.defect for use in ordered if use.defect))
    named = ", ".join(f"`{defect}`" for defect in defects[:SHOWN])
    judge = "verify" if _by_verify(uses) else "test" if named else "-"
    cells = (row.id, row.kind, row.side, row.text, ", ".join(told) or missing or "-", named or missing or "-", judge)
    return "| " + " | ".join(cells) + " |\n"


def _short(test: str) -> str:
    """Return the test without the folder all tests share and without the suffix of its file."""
    path, _, name = test.partition("::")
    return f"{path.removeprefix('tests/').removesuffix('.py')}::{name}"


def main(arguments: Sequence[str]) -> int:
    uses = collect()
    text = written(uses)
    if "--check" not in arguments:
        TABLE.write_text(text, encoding="utf-8")
        return 0
    faults = [f"{one}: {what}" for one, what in lacking(uses).items()]
    if not TABLE.is_file() or TABLE.read_text(encoding="utf-8") != text:
        faults.append(f"{TABLE.relative_to(ROOT)} is not what the tests say: run python -m tests.requirements")
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
