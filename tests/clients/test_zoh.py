"""A Zigbee stack that is not ours, zigbee-on-host in zigbee-herdsman's zoh adapter, uses the virtual RCP in real time.

It is the coordinator; of ours a bridge, a PPMID and a sleepy GSME join it over the emulated air, a second bridge over
the backhaul of the first, and a PPMID behind that.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.npm import installed
from tests.support.tools import require_tool, required
from tests.support.tshark import faults
from tests.support.zoh import CLIENT, Served, run_client, write_images

IMAGE_SIZES = {"tcp": 100_000, "pty": 10_000}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the server is ended by SIGINT")


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(CLIENT, tmp_path_factory.mktemp("zoh") / "client")


@pytest.fixture(params=["tcp", "pty"])
def line(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def served(line: str, tmp_path: Path) -> Iterator[Served]:
    served = Served("tcp://127.0.0.1:0" if line == "tcp" else "pty", tmp_path / "air.pcapng")
    yield served
    served.close()


@pytest.mark.judge("zoh")
def test_a_foreign_host_runs_a_network_of_our_devices(client: Path, served: Served, line: str, tmp_path: Path) -> None:
    """Start, form, permit, join, interview, read, silence, OTA, leave; then the host restarts and resumes.

    Wireshark, where it is, must find nothing wrong in what went over the air, and decrypt all of it.
    """
    node, data = require_tool("node"), tmp_path / "data"
    data.mkdir()
    write_images(data, IMAGE_SIZES[line])
    lines = run_client(node, client, served, "first", data)
    steps = [line.removeprefix("ok ").split(":")[0].split(" [")[0] for line in lines if line.startswith("ok ")]
    assert steps == [
        "start and form", *3 * ["permit"], *5 * ["join and interview"], *5 * ["read"], "identify", "silence", "return",
        "OTA of a spoilt image", "OTA through two bridges", "OTA of the bridge", "leave", "stop",
    ]  # fmt: skip
    resumed = run_client(node, client, served, "second", data)
    assert sum(line.startswith("ok read after restart") for line in resumed) == 3
    assert served.interrupt() == 130
    told = "\n".join(served.lines)
    for name in ("bridge-1", "ppmid", "gsme", "bridge-3", "far-ppmid"):
        assert f"{name} link-key-confirmed" in told
    assert "bridge-1 activated from_version=0B100000 to_version=0B100100" in told
    assert "far-ppmid activated from_version=04000000 to_version=04000100" in told
    assert "/ppmid image-refused" in told
    assert "esme joined" not in told  # it is out of reach
    bridge = served.eui_of("bridge-3")
    assert f"far-ppmid joined device={served.eui_of('far-ppmid')} parent={bridge}" in told  # behind two bridges
    if required() or shutil.which("tshark"):
        assert faults(served.capture, served.capture.with_suffix(".keys.txt")) == []
