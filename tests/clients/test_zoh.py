"""A Zigbee stack that is not ours, zigbee-on-host in zigbee-herdsman's zoh adapter, uses the virtual RCP in real time.

It is the coordinator; a bridge, a PPMID and a sleepy GSME of ours join it over the emulated air.
"""

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from firmware_images import product
from protocols.ota.image import Kind, build_image
from tests.support.tools import require_tool, required
from tests.support.tshark import faults

CLIENT = Path(__file__).parent / "zoh"
ROOT = Path(__file__).parents[2]
IMAGE_SIZES = {"tcp": 100_000, "pty": 10_000}
SPEED = 8  # the host keeps up, and its own pauses in real time pass for long ones at the devices
PATIENCE = 120  # seconds for one phase of the client

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the server is ended by SIGINT")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client with its packages, as the lock file pins them."""
    npm = require_tool("npm")
    require_tool("node")
    folder = tmp_path_factory.mktemp("zoh") / "client"
    shutil.copytree(CLIENT, folder)
    installed = subprocess.run([npm, "ci"], cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    if installed.returncode:
        reason = f"npm ci failed: {installed.stderr.strip()[-500:]}"
        if required():
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


class Served:
    """`hanlab dongle serve` as a process."""

    def __init__(self, rcp: str, capture: Path) -> None:
        command = [sys.executable, "-c", "from gateway.cli import main; main()", "dongle", "serve", "--test-keys"]
        command += ["--speed", str(SPEED), "--rcp", rcp, "--home", str(CLIENT / "home.yaml"), "--capture", str(capture)]
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


@pytest.fixture(params=["tcp", "pty"])
def line(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def served(line: str, tmp_path: Path) -> Iterator[Served]:
    served = Served("tcp://127.0.0.1:0" if line == "tcp" else "pty", tmp_path / "air.pcapng")
    yield served
    served.close()


def run_client(client: Path, served: Served, phase: str, data: Path, *images: Path) -> list[str]:
    """Run one phase of the client, its commands handed to the served home; return its lines. Fails if it fails."""
    command = [require_tool("node"), "client.js", phase, served.where, str(data), *map(str, images)]
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
    transcript = "\n".join([*lines, complaints.read_text()])
    print(transcript)  # noqa: T201
    assert process.returncode == 0, "\n".join([transcript, *served.lines[-40:]])
    return lines


def firmware(kind: Kind, size: int, path: Path, *, spoilt: bool = False) -> Path:
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
    return path


@pytest.mark.judge("zoh")
def test_a_foreign_host_runs_a_network_of_our_devices(client: Path, served: Served, line: str, tmp_path: Path) -> None:
    """Start, form, permit, join, interview, read, silence, OTA, leave; then the host restarts and resumes.

    Wireshark, where it is, must find nothing wrong in what went over the air, and decrypt all of it.
    """
    data = tmp_path / "data"
    data.mkdir()
    image = firmware(Kind.BRIDGE1, IMAGE_SIZES[line], tmp_path / "bridge.ota")
    bad = firmware(Kind.PPMID, 1_500, tmp_path / "bad.ota", spoilt=True)
    lines = run_client(client, served, "first", data, image, bad)
    steps = [line.removeprefix("ok ").split(":")[0].split(" [")[0] for line in lines if line.startswith("ok ")]
    assert steps == [
        "start and form", "permit", *3 * ["join and interview"], *3 * ["read"], "identify", "silence", "return",
        "OTA of a spoilt image", "OTA", "leave", "stop",
    ]  # fmt: skip
    resumed = run_client(client, served, "second", data)
    assert sum(line.startswith("ok read after restart") for line in resumed) == 2
    assert served.interrupt() == 130
    told = "\n".join(served.lines)
    for name in ("bridge-1", "ppmid", "gsme"):
        assert f"{name} link-key-confirmed" in told
    assert "bridge-1 activated from_version=0B100000 to_version=0B100100" in told
    assert "ppmid image-refused" in told
    assert "esme joined" not in told  # it is out of reach
    if required() or shutil.which("tshark"):
        assert faults(served.capture, served.capture.with_suffix(".keys.txt")) == []
