"""Two days of home 1, lived once in a test session by `hanlab home run`."""

from pathlib import Path

import pytest

from tests.support.demo_run import hanlab
from tests.support.once import once


def _live(place: Path) -> None:
    done = hanlab("home", "run", "home-1", "--for", "2d", "--out", place / "run", "--json")
    (place / "exit").write_text(f"{done.returncode} {done.stderr}", encoding="utf-8")
    (place / "stdout").write_text(done.stdout, encoding="utf-8")


def two_days(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that has `run`, and what the command said: `exit` and `stdout`."""
    return once(factory, "two-days-of-home-1", _live)
