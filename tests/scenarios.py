"""Lists the scenarios of the suite with tshark's verdict on each capture, and our own, and the frames of every cluster.

python -m tests.scenarios
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from gateway.campaigns.lint import LintSettings, lint
from protocols.pcapng import read_frames, read_keys
from tests.support.counted import CLUSTERS, by_cluster, counted
from tests.support.scenarios import SCENARIOS, Scenario
from tests.support.tshark import faults

_LOSSY = LintSettings(unacknowledged=0.5)  # some of the homes lose frames


class Judged(NamedTuple):
    frames: int
    faults: list[list[str]]  # number, protocols, complaint
    broken: list[str]  # rules of `hanlab capture lint`, with what is wrong
    missing: dict[str, int]  # commands of which there are fewer than expected, and how many there are
    clusters: Counter[str]

    @property
    def verdict(self) -> str:
        if self.faults:
            return f"{len(self.faults)} faults"
        if self.broken:
            return f"{len(self.broken)} rules broken"
        return f"{len(self.missing)} commands missing" if self.missing else "no fault"


def judge(scenario: Scenario, folder: Path) -> Judged:
    """Run a scenario in `folder` and have tshark judge its capture."""
    capture, keys = scenario.make(folder)
    frames, found = counted(capture, keys)
    missing = {name: found[name] for name, least in scenario.expected.items() if found[name] < least}
    with capture.open("rb") as file:
        report = lint(read_frames(file), read_keys(keys), _LOSSY)
    broken = [f"{rule}: {what}" for rule, _, what in report.findings]
    return Judged(frames, faults(capture, keys), broken, missing, by_cluster(found))


def table(judged: Mapping[str, Judged]) -> list[list[str]]:
    """Return heading and rows: scenario, frames, verdict, frames of each cluster that any has."""
    shown = [label for label, _ in CLUSTERS.values() if any(found.clusters[label] for found in judged.values())]
    rows = [["scenario", "frames", "verdict", *shown]]
    for name, found in judged.items():
        counts = [f"{found.clusters[label]:,}" if found.clusters[label] else "" for label in shown]
        rows.append([name, f"{found.frames:,}", found.verdict, *counts])
    return rows


def main() -> int:
    """Print the table; return 1 if a verdict is not good."""
    runs = [Scenario(place, "a run's folder", _of_run, {}) for place in sys.argv[1:]]
    judged = {}
    for scenario in (*SCENARIOS, *runs):
        with tempfile.TemporaryDirectory(prefix="hanlab-scenario-") as folder:
            judged[scenario.name] = judge(scenario, Path(scenario.name) if scenario in runs else Path(folder))
    print("\n".join(_lines(table(judged))))
    for scenario in SCENARIOS:
        print(f"{scenario.name}: {scenario.what}")
    wrong = [name for name, found in judged.items() if found.verdict != "no fault"]
    for name in wrong:
        print(f"{name}: missing {judged[name].missing}, {judged[name].broken[:5]}, faults {judged[name].faults[:5]}")
    return 1 if wrong else 0


def _of_run(folder: Path) -> tuple[Path, str]:
    return folder / "capture.pcapng", (folder / "keys.txt").read_text(encoding="utf-8")


def _lines(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        padded = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        padded[0], padded[2] = row[0].ljust(widths[0]), row[2].ljust(widths[2])
        yield "  ".join(padded).rstrip()


if __name__ == "__main__":
    sys.exit(main())
