"""The tracked list of full length (MP102B-G2): memory, and time to load as a ratio to decoding its lines."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from time import process_time

import pytest

from gateway.dsp.tracked import TrackedList
from gateway.dsp.tracked_file import read_tracked
from protocols.addresses import Eui64
from tests.benchmarks.table import record
from tests.support.demo_run import PROJECT

FULL, SHORT = 1_400_000, 50_000
ROUNDS = 5
MEMORY = 16 << 20  # octets
RATIO = 2.0
OUI = 0x00DB12


@pytest.fixture(scope="module")
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a list in random order, with separators: 34 MB in full, short in an ordinary test run."""
    count = FULL if request.config.getoption("benchmark_enable") else SHORT
    identifiers = Random(1).sample(range(OUI << 40, (OUI + 1) << 40), count)
    path = tmp_path_factory.mktemp("tracked") / "list.txt"
    path.write_text("".join(f"{Eui64(one).hyphenated}\n" for one in identifiers))
    return path


def decoded_lines(path: Path) -> int:
    """Read and decode line by line, nothing else: the reference."""
    octets = 0
    with path.open("rb") as file:
        for line in file:
            octets += len(bytes.fromhex(line.replace(b"-", b"").decode("ascii")))
    return octets


def best_of(functions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the least processor time of each, measured in turns."""
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(ROUNDS):
        for name, function in functions.items():
            begun = process_time()
            function()
            best[name] = min(best[name], process_time() - begun)
    return best


def test_loading_takes_at_most_twice_the_time_of_decoding_the_lines(path: Path) -> None:
    tracked = read_tracked(path, 0)
    assert decoded_lines(path) == tracked.packed_octets
    lines = path.read_text().split()
    assert all(Eui64.parse(line) in tracked for line in lines[:: len(lines) // 500])
    assert not any(Eui64(Eui64.parse(line) ^ 1 << 60) in tracked for line in lines[:: len(lines) // 500])
    found = best_of({"decode": lambda: decoded_lines(path), "load": lambda: read_tracked(path, 0)})
    ratio = found["load"] / found["decode"]
    absolute = f"{len(tracked):,} identifiers in {found['load']:.2f} s, lines decoded in {found['decode']:.2f} s"
    record("the tracked list loaded, against decoding its lines", ratio, RATIO, absolute, most=True)
    assert ratio <= RATIO


_MEASURE = """
import sys
from pathlib import Path
from gateway.dsp.tracked_file import read_tracked
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
before = resident()
tracked = read_tracked(Path(sys.argv[1]), 0)
print(resident() - before, len(tracked))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
def test_the_list_takes_at_most_16_mb(path: Path) -> None:
    """What the process has more than before it loaded the list, measured from outside in a process of its own."""
    command = [sys.executable, "-c", _MEASURE, str(path)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    grown, count = map(int, done.stdout.split())
    assert count == len(TrackedList.read([path.read_bytes()], 0))
    record("MB the tracked list takes", grown / 1e6, MEMORY / 1e6, f"{count:,} identifiers", most=True)
    assert 8 * count <= grown <= MEMORY
