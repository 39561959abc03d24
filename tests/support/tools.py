"""Tools from outside that judge results."""

import os
import shutil

import pytest


def required() -> bool:
    """Tell whether a missing tool or vector fails a test instead of skipping it."""
    return os.environ.get("HANLAB_REQUIRE_TOOLS") == "1"


def require_tool(name: str) -> str:
    """Return the path of an executable; without it skip the test, or fail it with HANLAB_REQUIRE_TOOLS=1."""
    path = shutil.which(name)
    if path is None and required():
        pytest.fail(f"{name} is not installed, and HANLAB_REQUIRE_TOOLS=1 asks for it")
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path
