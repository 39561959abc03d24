"""Prints how zigbee-herdsman's zoh adapter, a Zigbee stack that is not ours, forms and uses a network of our devices.

    python -m tests.clients.transcript

Takes about a minute. Needs node, npm with a registry, and tshark for the last line.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from tests.support.npm import install
from tests.support.tshark import faults, fields
from tests.support.zoh import CLIENT, Served, run_client, write_images


def main() -> int:
    """Run both phases of the client on a served home; return 0 if all went well."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        print("needs node and npm")
        return 2
    with tempfile.TemporaryDirectory(prefix="hanlab-zoh-") as made:
        return _run(Path(made), npm, node)


def _run(folder: Path, npm: str, node: str) -> int:
    reason = install(CLIENT, folder / "client", npm)
    if reason is not None:
        print(reason)
        return 2
    data, capture = folder / "data", folder / "air.pcapng"
    data.mkdir()
    write_images(data, 100_000)
    served = Served("tcp://127.0.0.1:0", capture)
    try:
        for phase, title in (("first", "The host starts"), ("second", "The host starts again")):
            print(title)
            for line in run_client(node, folder / "client", served, phase, data):
                print(f"  {line}")
        served.interrupt()
    finally:
        served.close()
    print("The devices meanwhile")
    for line in served.lines:
        print(f"  {line}")
    return _judge(capture)


def _judge(capture: Path) -> int:
    if shutil.which("tshark") is None:
        print("tshark is missing: the capture is not judged")
        return 0
    keys = capture.with_suffix(".keys.txt")
    wrong, frames = faults(capture, keys), len(fields(capture, keys, ["frame.number"]))
    print(f"tshark: {frames} frames, {len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
