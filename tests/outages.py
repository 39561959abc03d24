"""Prints what each device of a home misses while one of three bridges restarts, in every order of their updates.

python -m tests.outages
"""

import sys
import tempfile
from itertools import permutations
from pathlib import Path

import pytest

from gateway.assembly import images
from protocols.interfaces import SECOND
from tests.end_to_end.test_bridges import BEHIND, KINDS, REBOOT, RECOVERY, SMALL, Story, tell
from tests.support.outages import EVERY


def main() -> int:
    """Print a row for each restart: the longest time without an answer of the hub, by device; return 1 if too long."""
    longest = 0.0
    print(f"each device reads the hub every {EVERY // SECOND} s; seconds without an answer; * behind the bridge")
    for order in permutations(KINDS):
        with tempfile.TemporaryDirectory(prefix="hanlab-outages-") as folder, pytest.MonkeyPatch.context() as patch:
            for kind in KINDS.values():
                patch.setitem(images.SIZES, kind, SMALL)
            longest = max(longest, _print(" ".join(order), tell(Path(folder) / "run", order)))
    bound = (REBOOT + RECOVERY) / SECOND
    print(f"the longest outage behind a bridge: {longest:.1f} s of at most {bound:.0f}, the restart {REBOOT // SECOND}")
    return 0 if longest <= bound else 1


def _print(order: str, story: Story) -> float:
    longest = 0.0
    for update in story.updates:
        gaps = {
            name: reads.longest_gap(update.off - EVERY, update.on + RECOVERY + EVERY) / SECOND
            for name, reads in story.reads.items() if name != update.bridge
        }  # fmt: skip
        behind = BEHIND[update.bridge]
        longest = max(longest, *(gap for name, gap in gaps.items() if name in behind))
        cells = (f"{name}{'*' if name in behind else ''} {gap:.1f}" for name, gap in gaps.items())
        print(f"{order:28} {update.bridge} restarts: {', '.join(cells)}")
    return longest


if __name__ == "__main__":
    sys.exit(main())
