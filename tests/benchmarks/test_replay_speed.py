"""Speed of a replay: events a second through one set of rules, as a ratio to parsing their JSON in one process."""

import json
from pathlib import Path
from random import Random
from time import process_time

import pytest

from gateway.campaigns.replay.replay import replay
from gateway.campaigns.replay.rules import Rules
from gateway.campaigns.replay.stream import OutageReceived, read_stream
from gateway.dsp.tracked import TrackedList
from protocols.addresses import Eui64
from protocols.interfaces import DAY, MINUTE
from tests.benchmarks.table import record

START = 1_772_442_000_000_000_000  # 2026-03-02T09:00:00Z
ROUNDS = 3
RATIO = 12.0


@pytest.fixture
def meters(request: pytest.FixtureRequest) -> int:
    return 20_000 if request.config.getoption("benchmark_enable") else 1_000


def written(path: Path, meters: int) -> TrackedList:
    """Write a month of meters: each activated once, its false outage, two real ones. Half of them are tracked."""
    random = Random(2)
    lines: list[tuple[int, dict[str, object]]] = []
    esmes = random.sample(range(1 << 40), meters)
    for number, esme in enumerate(esmes):
        hub, at = f"{number + 1:016x}", START + random.randrange(30 * DAY)
        lines.append((0, {"event": "device", "esme": f"{esme:016x}", "hub": hub, "mpxn": f"12{number:011d}"}))
        lines.append((at, {"event": "activation", "esme": f"{esme:016x}", "request": f"r{number}"}))
        for cause in ("activation", "mains", "mains"):
            lines.append((at, {"event": "outage", "hub": hub, "started": at - 3 * MINUTE, "cause": cause}))
            at = START + random.randrange(30 * DAY)
    lines.sort(key=lambda line: line[0])
    path.write_text("".join(json.dumps({"time": time} | event) + "\n" for time, event in lines))
    return TrackedList(esmes[::2])


def test_events_a_second(meters: int, tmp_path: Path) -> None:
    path = tmp_path / "stream.jsonl"
    tracked = written(path, meters)
    lines, events = path.read_text().splitlines(), read_stream(path)
    best = {"parse": float("inf"), "read": float("inf"), "replay": float("inf")}
    for _ in range(ROUNDS):
        for name, step in (
            ("parse", lambda: [json.loads(line) for line in lines]),
            ("read", lambda: read_stream(path)),
            ("replay", lambda: replay(events, Rules(), tracked)),
        ):
            begun = process_time()
            step()
            best[name] = min(best[name], process_time() - begun)
    fates = replay(events, Rules(), tracked).fates
    assert len(fates) == len({(e.hub, e.started) for e in events if isinstance(e, OutageReceived)})
    suppressed = sum(1 for fate in fates.values() if fate.told is None and fate.cause == "activation")
    assert suppressed == len(tracked)
    assert all(isinstance(key.hub, Eui64) for key in fates)
    rates = ", ".join(f"{name} {len(events) / seconds:,.0f}/s" for name, seconds in best.items())
    ratio = best["replay"] / best["parse"]
    record("a replay of outages against parsing their JSON", ratio, RATIO, rates, most=True)
    assert ratio <= RATIO
