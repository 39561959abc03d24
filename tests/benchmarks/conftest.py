"""Prints what the benchmarks recorded, at the end of their run."""

import os
from pathlib import Path

import pytest

from tests.benchmarks.table import ROWS, as_markdown


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not ROWS:
        return
    table = as_markdown(ROWS)
    terminalreporter.write_line("")
    terminalreporter.write_line(table)
    path = os.environ.get("HANLAB_BENCH_TABLE")
    if path:
        Path(path).write_text(table, encoding="utf-8")
