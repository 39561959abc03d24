"""Counts the tests that an outside judge decided, and holds them against the floors of `tests/judges.toml`.

Runs each observation of a requirement a second time under its planted defect (`tests/support/requirements.py`).
"""

import os
import tomllib
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import requirements

# In CI the same examples every time, so that a red run can be repeated; elsewhere new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

FLOORS = Path(__file__).parent / "judges.toml"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--floors", metavar="SECTION", help="hold the judges against this section of tests/judges.toml")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.user_properties.extend(("judge", str(mark.args[0])) for mark in item.iter_markers("judge"))
    items[:] = requirements.with_defects(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    requirements.found_by_verify.clear()
    yield
    requirements.hold_to_evidence(item)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what each judge passed."""
    passed = _passed_by_judge(terminalreporter)
    if passed:
        terminalreporter.write_line("judged from outside: " + ", ".join(f"{k} {n}" for k, n in sorted(passed.items())))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where every tool is required, a judge with fewer passed tests than its floor fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    section = session.config.getoption("floors")
    required = os.environ.get("HANLAB_REQUIRE_TOOLS") == "1"
    if section is None or not required or not isinstance(reporter, pytest.TerminalReporter):
        return
    passed = _passed_by_judge(reporter)
    for judge, floor in tomllib.loads(FLOORS.read_text(encoding="utf-8"))[section].items():
        if passed[judge] < floor:
            reporter.write_line(f"judge {judge}: {passed[judge]} tests passed, {floor} are the floor", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _passed_by_judge(reporter: pytest.TerminalReporter) -> Counter[str]:
    return Counter(
        str(value)
        for report in reporter.stats.get("passed", [])
        if report.when == "call"
        for key, value in report.user_properties
        if key == "judge"
    )
