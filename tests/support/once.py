"""Work that all workers of a test session share: done by the first that needs it, waited for by the others."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

_PATIENCE = 300  # s
_DONE, _FAILED = "done", "failed"


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `name` of this session, which `make(folder)` has filled exactly once in all workers.

    Who makes its folder of marks does the work; whoever finds that there waits for the mark of the end.
    """
    base = factory.getbasetemp()
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, marks = root / name, root / f"{name}.marks"
    try:
        marks.mkdir()
    except FileExistsError:
        _wait(marks)
        return folder
    folder.mkdir()
    try:
        make(folder)
    except BaseException as error:
        (marks / _FAILED).write_text(repr(error), encoding="utf-8")
        raise
    (marks / _DONE).touch()
    return folder


def _wait(marks: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not (marks / _DONE).exists():
        if (marks / _FAILED).exists():
            pytest.fail(f"{marks.stem}: failed before: {(marks / _FAILED).read_text(encoding='utf-8')}")
        if time.monotonic() > deadline:
            pytest.fail(f"{marks.stem}: not done in {_PATIENCE} s")
        time.sleep(0.05)
