"""Prints where a block of a download and a report of an idle home go: `python -m tests.benchmarks.where_time_goes`.

Bytecodes and Python calls of each are counted by layer, which no load of the machine changes (they differ a little
between Python versions); its processor time is measured and shared out by them, AES-CCM taken off first.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import process_time
from types import CodeType, FrameType
from typing import TYPE_CHECKING, NamedTuple

from emulator.fleet.on_air.fleet import Fleet
from protocols.crypto.ccm import ccm_star
from protocols.interfaces import MINUTE
from tests.support.ota_bench import OtaBench

if TYPE_CHECKING:
    from _typeshed import TraceFunction

LAYERS = {
    "emulator/clock": "clock: the heap of frames and timers",
    "emulator/air": "air: CSMA-CA, what overlaps, acknowledgements, address filter",
    "protocols/pcapng": "capture",
    "gateway/assembly/capture": "capture",
    "protocols/stack/mac": "MAC, next hops",
    "protocols/stack/hops": "MAC, next hops",
    "protocols/mac": "MAC, next hops",
    "protocols/stack": "NWK and APS: the short way, counters stored",
    "protocols/nwk": "NWK and APS: the short way, counters stored",
    "protocols/aps": "NWK and APS: the short way, counters stored",
    "emulator/storage": "NWK and APS: the short way, counters stored",
    "protocols/ota": "OTA client and server",
    "protocols/zcl": "OTA client and server",
    "emulator/fleet": "meters and hub",
}
_BLOCK = 50  # octets
_HERE = str(Path(__file__).parents[2]) + "/"


def layer_of(code: CodeType) -> str:
    """Return the layer of a function, by the longest path that names it."""
    path = code.co_filename.removeprefix(_HERE)
    named = [prefix for prefix in LAYERS if path.startswith(prefix)]
    return LAYERS[max(named, key=len)] if named else "else: the bench, the standard library"


class Done(NamedTuple):
    units: int  # blocks or reports
    seconds: float  # of processor time


Run = Callable[[Callable[[], object]], object]  # runs what it is given, watching it or not


class Subject(NamedTuple):
    """What is looked at, unit by unit."""

    unit: str
    ciphers: int  # AES-CCM operations a unit, each frame sealed and opened under NWK and APS security
    live: Callable[[int, Run], Done]  # how many units, about
    few: int  # units enough to count bytecodes
    many: int  # units enough to measure time


def _download(blocks: int, run: Run) -> Done:
    with tempfile.TemporaryDirectory() as folder:
        bench = OtaBench(Path(folder), devices=1, size=blocks * _BLOCK, block_size=_BLOCK)
        fetched = []
        run(lambda: fetched.append(bench.run()))
    return Done(fetched[0].blocks, fetched[0].seconds)


def _idle(reports: int, run: Run) -> Done:
    fleet = Fleet(10)
    before, started = fleet.tally().reports, process_time()
    run(lambda: fleet.run(reports // fleet.devices * MINUTE))
    return Done(fleet.tally().reports - before, process_time() - started)


SUBJECTS = (Subject("block", 8, _download, 800, 8000), Subject("report", 4, _idle, 3000, 50_000))


def count(subject: Subject) -> tuple[Counter[str], Counter[str], int]:
    """Return bytecodes and calls by layer, and the units they brought."""
    bytecodes, calls = Counter[str](), Counter[str]()
    layers: dict[CodeType, str] = {}

    def tracer(frame: FrameType, event: str, argument: object) -> TraceFunction:
        code = frame.f_code
        if event == "call":
            layers.setdefault(code, layer_of(code))
            calls[layers[code]] += 1
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif event == "opcode":
            bytecodes[layers[code]] += 1
        return tracer

    def traced(run: Callable[[], object]) -> None:
        sys.settrace(tracer)
        try:
            run()
        finally:
            sys.settrace(None)

    return bytecodes, calls, subject.live(subject.few, traced).units


def _cipher_time() -> float:
    """Return the processor time of one AES-CCM operation, in s."""
    cipher, best = ccm_star(bytes(16)), 1.0
    for _ in range(9):
        started = process_time()
        for _ in range(5000):
            cipher.encrypt(bytes(13), bytes(80), bytes(22))
        best = min(best, (process_time() - started) / 5000)
    return best


def table(subject: Subject) -> str:
    """Return the table of one subject, in Markdown."""
    bytecodes, calls, units = count(subject)
    runs = [subject.live(subject.many, lambda run: run()) for _ in range(5)]
    time = min(run.seconds / run.units for run in runs) * 1e6
    ciphers, total, unit = subject.ciphers * _cipher_time() * 1e6, sum(bytecodes.values()), subject.unit
    lines = [f"| layer | bytecodes a {unit} | calls a {unit} | us a {unit} |", "|---|---|---|---|"]
    for layer, number in bytecodes.most_common():
        share = number / total * (time - ciphers)
        lines.append(f"| {layer} | {number / units:.0f} | {calls[layer] / units:.0f} | {share:.1f} |")
    lines.append(f"| AES-CCM, {subject.ciphers} operations | | | {ciphers:.1f} |")
    lines.append(f"| all | {total / units:.0f} | {sum(calls.values()) / units:.0f} | {time:.1f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the tables."""
    sys.stdout.write("\n".join(map(table, SUBJECTS)))


if __name__ == "__main__":
    main()
