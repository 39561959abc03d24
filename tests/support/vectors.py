"""The reference messages and keys that are kept beside the project, never in it."""

import os
from functools import cache
from pathlib import Path

import pytest

from protocols.gbcs.keystore import Keystore
from tests.support.tools import required

ROOT = Path(__file__).parents[2]


def _folder() -> Path:
    return Path(os.environ.get("HANLAB_VECTORS") or ROOT.parent / "shared" / "vectors")


def vectors_dir() -> Path:
    """Return the folder of vectors, HANLAB_VECTORS or `../shared/vectors` beside the project.

    Without it skip the test, or fail it with HANLAB_REQUIRE_TOOLS=1.
    """
    folder = _folder()
    if not folder.is_dir() and required():
        pytest.fail(f"no vectors in {folder}, and HANLAB_REQUIRE_TOOLS=1 asks for them")
    if not folder.is_dir():
        pytest.skip(f"no vectors in {folder}; HANLAB_VECTORS names another folder")
    return folder


def rtds_names() -> list[str]:
    """Return the RTDS messages in order, each as `folder/file.HEX`; empty where there are none.

    For `parametrize`, at collection; a test that calls `vectors_dir` says what is missing.
    """
    folder = _folder() / "rtds"
    return [f"{file.parent.name}/{file.name}" for file in sorted(folder.glob("*/*.HEX"))]


def rtds_octets(name: str) -> bytes:
    """Return a message by its `folder/file.HEX`, or by a part of the name that only one file has."""
    folder = vectors_dir() / "rtds"
    if not name.endswith(".HEX"):
        found = [listed for listed in rtds_names() if name in listed]
        assert len(found) == 1, f"{name}: {len(found)} messages have this in their name"
        name = found[0]
    return bytes.fromhex((folder / name).read_text(encoding="ascii"))


@cache
def _loaded(folder: Path) -> Keystore:
    return Keystore.load(folder)


def rtds_keystore() -> Keystore:
    """Return the published test keys; read once, never change it."""
    return _loaded(vectors_dir() / "rtds" / "keystore")
