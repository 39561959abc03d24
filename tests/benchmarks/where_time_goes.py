"""Prints where a block of a download goes: `python -m tests.benchmarks.where_time_goes`.

Bytecodes and Python calls a block are counted by layer, which no load of the machine changes (they differ a little
between Python versions); the processor time of a block is measured and shared out by them, AES-CCM taken off first.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import process_time
from types import CodeType, FrameType
from typing import TYPE_CHECKING

from protocols.crypto.ccm import ccm_star
from tests.support.ota_bench import Fetched, OtaBench

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
}
CIPHERS = 8  # AES-CCM operations a block: two frames, NWK and APS, both ends
_BLOCK = 50  # octets
_HERE = str(Path(__file__).parents[2]) + "/"


def layer_of(code: CodeType) -> str:
    """Return the layer of a function, by the longest path that names it."""
    path = code.co_filename.removeprefix(_HERE)
    named = [prefix for prefix in LAYERS if path.startswith(prefix)]
    return LAYERS[max(named, key=len)] if named else "else: the bench, the standard library"


def count() -> tuple[Counter[str], Counter[str], int]:
    """Return bytecodes and calls by layer, and the blocks they brought."""
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

    fetched = _download(40_000, lambda bench: _traced(bench, tracer))
    return bytecodes, calls, fetched.blocks


def _traced(bench: OtaBench, tracer: TraceFunction) -> Fetched:
    sys.settrace(tracer)
    try:
        return bench.run()
    finally:
        sys.settrace(None)


def _download(size: int, run: Callable[[OtaBench], Fetched]) -> Fetched:
    with tempfile.TemporaryDirectory() as folder:
        return run(OtaBench(Path(folder), devices=1, size=size, block_size=_BLOCK))


def _cipher_time() -> float:
    """Return the processor time of one AES-CCM operation, in s."""
    cipher, best = ccm_star(bytes(16)), 1.0
    for _ in range(9):
        started = process_time()
        for _ in range(5000):
            cipher.encrypt(bytes(13), bytes(80), bytes(22))
        best = min(best, (process_time() - started) / 5000)
    return best


def main() -> None:
    """Print the table."""
    bytecodes, calls, blocks = count()
    runs = [_download(400_000, OtaBench.run) for _ in range(5)]
    block = min(run.seconds / run.blocks for run in runs) * 1e6
    ciphers, total = CIPHERS * _cipher_time() * 1e6, sum(bytecodes.values())
    lines = ["| layer | bytecodes a block | calls a block | us a block |", "|---|---|---|---|"]
    for layer, number in bytecodes.most_common():
        share = number / total * (block - ciphers)
        lines.append(f"| {layer} | {number / blocks:.0f} | {calls[layer] / blocks:.0f} | {share:.1f} |")
    lines.append(f"| AES-CCM, {CIPHERS} operations | | | {ciphers:.1f} |")
    lines.append(f"| all | {total / blocks:.0f} | {sum(calls.values()) / blocks:.0f} | {block:.1f} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
