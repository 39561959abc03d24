"""The published values and captured frames of `se-security*.json`, as parameters of tests."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.tools import required
from tests.support.vectors import vectors_dir

FOLDER = Path(os.environ.get("HANLAB_VECTORS", Path(__file__).parents[2].parent / "shared" / "vectors"))
FILES = ("se-security.json", "se-security-more.json")


def cases(section: str) -> list[Any]:
    """Return one parameter, a dict, for each entry of a section of both files.

    Without the files: one that is skipped, or that fails with HANLAB_REQUIRE_TOOLS=1 as it has no fields.
    """
    if not all((FOLDER / name).is_file() for name in FILES):
        skip = pytest.mark.skip(reason=f"no security vectors in {FOLDER}")
        return [pytest.param({}, id="absent", marks=() if required() else skip)]
    found = [case for name in FILES for case in json.loads((FOLDER / name).read_text()).get(section, [])]
    return [pytest.param(case, id=case["id"]) for case in found]


def table(section: str) -> dict[str, Any]:
    """Return a section of the first file that is no list; skip the test, or fail it, without the file."""
    path = vectors_dir() / FILES[0]
    found: dict[str, Any] = json.loads(path.read_text())[section]
    return found
