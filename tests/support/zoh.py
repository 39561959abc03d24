"""Serves the home of `tests/clients/zoh` and drives it by zigbee-herdsman's zoh adapter, in real time."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

from firmware_images import product
from protocols.ota.image import Kind, build_image

CLIENT = Path(__file__).parents[1] / "clients/zoh"
ROOT = Path(__file__).parents[2]
SPEED = 8  # the host keeps up, and its own pauses in real time pass for long ones at the devices
PATIENCE = 300  # seconds for one phase of the client, on a busy machine


class Served:
    """`hanlab dongle serve` as a process."""

    def __init__(self, rcp: str, capture: Path) -> None:
        command = [sys.executable, "-c", "from gateway.cli import main; main()", "dongle", "serve", "--test-keys"]
        command += ["--speed", str(SPEED), "--rcp", rcp, "--home", "zoh-home", "--capture", str(capture)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            bufsize=1, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        self.capture, self.lines = capture, list[str]()
        self.lines.append(_output(self.process).readline().rstrip())
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def where(self) -> str:
        return self.lines[0].split(" RCP at ")[1].split(",")[0]

    def eui_of(self, name: str) -> str:
        """Return the EUI-64 of a device as the events have it."""
        line = next(line for line in self.lines if line.startswith(f"  {name}: "))
        return line.split()[2].rstrip(",").replace("-", "").lower()

    def _read(self) -> None:
        for line in _output(self.process):
            self.lines.append(line.rstrip())

    def command(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        status = self.process.wait(10)
        self._reader.join(5)
        return status

    def close(self) -> None:
        with self.process:  # closes its pipes
            self.process.kill()
            self._reader.join(5)


def _output(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdout is not None
    return process.stdout


def run_client(node: str, client: Path, served: Served, phase: str, data: Path) -> list[str]:
    """Run one phase of the client, its commands handed to the served home; return its lines.

    `node`: the program. `data`: holds the host's state, and the images of `write_images`. AssertionError if it fails.
    """
    images = [data / name for name in IMAGES]
    command = [node, "client.js", phase, served.where, str(data), *map(str, images)]
    lines = []
    complaints = data / f"{phase}.txt"
    with (
        complaints.open("w") as errors,
        subprocess.Popen(command, cwd=client, stdout=subprocess.PIPE, stderr=errors, text=True, bufsize=1) as process,
    ):
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        for line in _output(process):
            lines.append(line.rstrip())
            if line.startswith("! "):
                served.command(line[2:].strip())
        process.wait()
        watchdog.cancel()
    if process.returncode:
        raise AssertionError("\n".join([*lines, complaints.read_text(), *served.lines[-40:]]))
    return lines


def firmware(kind: Kind, size: int, path: Path, *, spoilt: bool = False) -> None:
    """Write the second release of `kind`; a spoilt one has an octet altered in its payload."""
    made = product(kind)
    image = build_image(
        kind, version=made.versions[1], size=size, manufacturer=made.manufacturer, model=made.model,
        image_type=made.image_type,
    )  # fmt: skip
    octets = bytearray(image.encode())
    if spoilt:
        octets[size // 2] ^= 1
    path.write_bytes(octets)


IMAGES = ("bridge.ota", "far.ota", "bad.ota")


def write_images(data: Path, size: int) -> None:
    """Write the images of the client: one of `size` octets for the bridge, a short and a spoilt one for PPMIDs."""
    bridge, far, bad = (data / name for name in IMAGES)
    firmware(Kind.BRIDGE1, size, bridge)
    firmware(Kind.PPMID, 10_000, far)
    firmware(Kind.PPMID, 1_500, bad, spoilt=True)
