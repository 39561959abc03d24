"""Runs of `hanlab demo` as a user makes them: another process, its output kept."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.support.once import once
from tests.support.requirements import found_by_verify

PROJECT = Path(__file__).parents[2]
EXIT_FAILED, EXIT_BAD_INPUT = 1, 2


@dataclass(frozen=True)
class DemoRun:
    """A finished run: where it left its evidence, how it ended, what it said."""

    folder: Path
    exit_code: int
    stdout: str
    stderr: str

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Everything of summary.json."""
        found: dict[str, Any] = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        return found

    @cached_property
    def timeline(self) -> list[dict[str, Any]]:
        """Every line of timeline.jsonl."""
        return [json.loads(line) for line in (self.folder / "timeline.jsonl").read_text(encoding="utf-8").splitlines()]

    @property
    def failed(self) -> list[str]:
        """Requirements of the checks that failed, in order, each once."""
        failed = list(dict.fromkeys(check["requirement"] for check in self.summary["checks"] if not check["passed"]))
        found_by_verify.update(failed)
        return failed


def hanlab(
    *arguments: str | Path, cwd: Path = PROJECT, prefix: Sequence[str] = (), env: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command line. prefix: in front of it, such as `nice`. env: what differs from ours."""
    command = [*prefix, sys.executable, "-m", "gateway", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **_PLAIN, **(env or {})}, capture_output=True, text=True, check=False,
        timeout=300,
    )  # fmt: skip


_PLAIN = {"PYTHONPATH": str(PROJECT), "NO_COLOR": "1", "COLUMNS": "250", "PYTHONWARNINGS": "default"}


def run_demo(
    place: Path,
    *arguments: str,
    cwd: Path = PROJECT,
    prefix: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> DemoRun:
    """Run the demo into `place`/run, and keep what it said beside it."""
    done = hanlab("demo", "--no-progress", *arguments, "--out", place / "run", cwd=cwd, prefix=prefix, env=env)
    (place / "exit").write_text(str(done.returncode), encoding="utf-8")
    (place / "stdout").write_text(done.stdout, encoding="utf-8")
    (place / "stderr").write_text(done.stderr, encoding="utf-8")
    return kept(place)


def kept(place: Path) -> DemoRun:
    """Return the run that `run_demo` left in `place`."""
    code, stdout, stderr = ((place / name).read_text(encoding="utf-8") for name in ("exit", "stdout", "stderr"))
    return DemoRun(place / "run", int(code), stdout, stderr)


def honest_run(factory: pytest.TempPathFactory) -> DemoRun:
    """Return the run of the first seed, made once in a test session."""

    def make(place: Path) -> None:
        run_demo(place)

    return kept(once(factory, "honest-demo", make))
