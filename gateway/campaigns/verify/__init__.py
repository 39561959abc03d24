"""Judges a run from its output folder alone. Start at `verify`."""

from pathlib import Path

from gateway.campaigns.verify.check import Check
from gateway.campaigns.verify.evidence import gather
from gateway.campaigns.verify.registry import run_checks

__all__ = ["Check", "verify"]


def verify(folder: Path) -> list[Check]:
    """Recompute every check of a run. Raises InputError, in one line, if the folder cannot be read."""
    return run_checks(gather(folder))
