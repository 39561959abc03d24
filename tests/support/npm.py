"""Clients that npm installs, as their lock files pin them."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.tools import require_tool, required


def install(client: Path, folder: Path, npm: str) -> str | None:
    """Put a client with its packages into `folder`, which must not be there; return why that failed."""
    shutil.copytree(client, folder)
    done = subprocess.run([npm, "ci"], cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    return f"npm ci failed: {done.stderr.strip()[-500:]}" if done.returncode else None


def installed(client: Path, folder: Path) -> Path:
    """Install, or skip the test; with HANLAB_REQUIRE_TOOLS=1 fail it."""
    npm = require_tool("npm")
    require_tool("node")
    reason = install(client, folder, npm)
    if reason is not None:
        (pytest.fail if required() else pytest.skip)(reason)
    return folder
