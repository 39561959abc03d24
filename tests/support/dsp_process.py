"""A DSP in a process of its own, for tests of restarts: does one thing on a store and dies without a word of farewell.

python -m tests.support.dsp_process URL NOW activate [EXECUTION]
python -m tests.support.dsp_process URL NOW outage STARTED TAKEN RULE
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from gateway.dsp.settings import DspSettings, OutageTime
from protocols.wan.smwan import PowerOutage
from tests.support.dsp_bench import ESME_2, HUB, Bench, estate

ROOT = Path(__file__).parents[2]


def do(url: str, now: int, what: str, *arguments: str) -> None:
    """Run a process that does it, and wait for it to be killed."""
    command = [sys.executable, "-m", "tests.support.dsp_process", url, str(now), what, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def _activate(bench: Bench, execution: str | None = None) -> None:
    outcome = bench.activate(execution=None if execution is None else int(execution))
    if execution is not None:
        bench.accept(outcome)


def _main(url: str, now: str, what: str, *arguments: str) -> None:
    new = what == "activate"
    rule = OutageTime.RECEIPT if new else OutageTime(arguments[2])
    devices = [device for device in estate() if device.device != ESME_2]
    bench = Bench(url=url, restart=not new, devices=devices, settings=DspSettings(outage_time=rule))
    bench.now = int(now)
    if new:
        _activate(bench, *arguments)
    else:
        bench.run(bench.dsp.from_csp(PowerOutage(HUB, int(arguments[0]), int(arguments[1])).encode(), bench.now))
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    _main(*sys.argv[1:])
