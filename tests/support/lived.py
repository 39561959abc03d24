"""Lives of shipped homes, each lived once in a test session by `hanlab home run`."""

from functools import partial
from pathlib import Path

import pytest

from tests.support.demo_run import hanlab
from tests.support.once import once


def _live(home: str, length: str, place: Path) -> None:
    done = hanlab("home", "run", home, "--for", length, "--out", place / "run", "--json")
    (place / "exit").write_text(f"{done.returncode} {done.stderr}", encoding="utf-8")
    (place / "stdout").write_text(done.stdout, encoding="utf-8")


def two_days(factory: pytest.TempPathFactory) -> Path:
    """Return the folder that has `run` of home 1, and what the command said: `exit` and `stdout`."""
    return once(factory, "two-days-of-home-1", partial(_live, "home-1", "2d"))


def one_day(factory: pytest.TempPathFactory, home: str) -> Path:
    """Return the same of one day of another home."""
    return once(factory, f"one-day-of-{home}", partial(_live, home, "1d"))
