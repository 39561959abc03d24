"""`hanlab dsp` and `hanlab supplier`: a served process, commands to it, golden lines; it is killed and goes on."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.northbound.client import LineClient
from protocols.interfaces import SECOND
from protocols.wan import smwan
from protocols.wan.line import CSP

ROOT = Path(__file__).resolve().parents[3]
GOLDEN = Path(__file__).parent / "golden"
BRIDGE, ESME, GPF, HUB, PPMID = (f"00db1234567811{end}" for end in ("b1", "a0", "a3", "a2", "a4"))
NEW = "00db1234567899b1"


def hanlab(*arguments: str | Path) -> tuple[int, str, str]:
    """Run the command as a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *map(str, arguments)], capture_output=True, text=True, env=environment,
        cwd=ROOT, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


class Served:
    """`hanlab dsp serve` on an estate."""

    def __init__(self, estate: Path) -> None:
        self.estate = estate
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "dsp", "serve", str(self.estate), "--test-keys"], text=True,
            stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=ROOT,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert "serving at" in self.process.stdout.readline()

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        self.process.communicate(timeout=60)
        return self.process.returncode

    def supplier(self, *arguments: str | Path) -> tuple[int, str, str]:
        return hanlab("supplier", "--estate", self.estate, *arguments)


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("estate") / "lab"
    code, out, err = hanlab("dsp", "init", folder)
    assert (code, err) == (0, "")
    assert "images in images" in out
    return folder


@pytest.fixture
def served(estate: Path) -> Iterator[Served]:
    served = Served(estate)
    yield served
    if served.process.poll() is None:
        served.end(signal.SIGTERM)


def _without_counters(text: str) -> str:
    return re.sub(r":\d{13,}", ":N", text)


def test_commands_and_what_is_answered(served: Served) -> None:
    images = served.estate / "images"
    told = []
    for arguments in (
        ("inventory", ESME),
        ("pre-notify", NEW, "--type", "PPMID", "--manufacturer", "1A0B", "--model", "B1010100", "--version", "0B100000",
         "--variant", "AltHAN Bridge 1"),
        ("inventory", NEW),
        ("update-firmware", BRIDGE, NEW, "--image", images / "bridge1-0B100100.ota"),
        ("update-firmware", BRIDGE, "--image", images / "bridge1-0B100100.ota"),
        ("read-version", BRIDGE),
        ("join", PPMID, ESME),
        ("join", ESME, PPMID, "--critical"),
        ("unjoin", PPMID, ESME),
        ("unjoin", ESME, PPMID, "--critical"),
        ("activate", ESME, "--image", images / "esme-01000100.ota"),
        ("activate", ESME, "--image", images / "esme-01000100.ota", "--at", "2001-01-01T00:00:00Z"),
        ("cancel", ESME, "--image", images / "esme-01000100.ota"),
        ("watch",),
    ):  # fmt: skip
        code, out, err = served.supplier(*arguments)
        line = " ".join(arg.name if isinstance(arg, Path) else arg for arg in arguments)
        told.append(f"$ hanlab supplier {line}\n{_without_counters(out)}{err}exit {code}\n")
    golden = GOLDEN / "supplier.txt"
    if os.environ.get("HANLAB_WRITE_GOLDEN"):
        golden.write_text("\n".join(told), encoding="utf-8")
    assert "\n".join(told) == golden.read_text(encoding="utf-8")


def test_json_is_one_object_a_line(served: Served) -> None:
    code, out, _ = served.supplier("--json", "inventory", GPF)
    (told,) = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert told["code"] == "I0"
    assert GPF in {device["device"].replace("-", "").lower() for device in told["devices"]}


def test_what_a_hub_reports_comes_to_who_watches_also_after_a_kill(served: Served) -> None:
    image = served.estate / "images" / "bridge1-0B100100.ota"
    bridge = "00db1234567822b1"
    assert served.supplier("update-firmware", bridge, "--image", image)[0] == 0
    assert served.end(signal.SIGKILL) == -signal.SIGKILL
    served.start()
    with LineClient(served.estate / "dsp.sock", CSP) as csp:
        while not isinstance(message := smwan.decode((frame := csp.wait()).octets), smwan.FirmwareToHubs) or (
            str(message.targets[0][1]) != bridge
        ):
            csp.acknowledge(frame.number)
        (hub, device, _), *_ = message.targets
        status = smwan.FirmwareDeliveryStatus(message.request_id, hub, device, 0x0B100100, 1_772_442_000 * SECOND, True)
        csp.send(status.encode())
    code, out, err = served.supplier("--watch", "2", "watch")
    assert (code, err) == (0, "")
    assert "N60" in out
    assert served.supplier("--watch", "1", "watch") == (0, "", "")


def test_a_served_process_ends_cleanly(served: Served) -> None:
    assert served.end(signal.SIGTERM) == 0
    assert not (served.estate / "dsp.sock").exists()
    assert not list(served.estate.glob("store.db-*"))
    served.start()
    assert served.end(signal.SIGINT) == 130


def _refused(*arguments: str | Path) -> str:
    code, out, err = hanlab(*arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    return err


def test_bad_input_is_told_in_one_line(estate: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    assert "--test-keys" in _refused("dsp", "serve", estate)
    assert "no such key store" in _refused("dsp", "serve", nothing)
    assert "only sqlite and postgresql" in _refused("dsp", "serve", estate, "--test-keys", "--store", "mysql://x/y")
    supplier = ("supplier", "--estate", estate)
    assert "no DSP is served there" in _refused(*supplier, "inventory", ESME)
    assert "not an EUI-64" in _refused(*supplier, "read-version", "nonsense")
    assert "no key and certificate" in _refused("supplier", "--estate", estate, "--as", HUB, "inventory", ESME)
    assert "none of ESME" in _refused(
        *supplier, "pre-notify", NEW, "--type", "X", "--manufacturer", "1", "--model", "1", "--version", "1"
    )
    assert "--at" in _refused(
        *supplier, "activate", ESME, "--image", estate / "images/esme-01000100.ota", "--at", "soon"
    )
    assert "OTA file identifier" in _refused(*supplier, "update-firmware", BRIDGE, "--image", estate / "store.db")


def _listed(folder: Path, status: str, changed: Path) -> Path:
    """Write the estate's products list with another status for the running firmware of bridges of kind 1."""
    code, out, err = hanlab("cpl", "export", folder / "store.db")
    assert (code, err) == (0, "")
    with changed.open("w", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(out.splitlines()))
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        for row in rows:
            if row["model"] == "B1:01" and row["firmware_version"] == "0B:10:00:00":
                row["status"] = status
            writer.writerow(row)
    return changed


@pytest.mark.requirement("MP170-L7")
def test_a_new_products_list_suspends_and_restores_and_users_hear_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    assert hanlab("dsp", "init", folder)[0] == 0
    for status, alert, told in (
        ("Removed", "N28", "2 devices suspended, 0 restored"),
        ("Current", "N29", "0 devices suspended, 2 restored"),
    ):
        code, out, err = hanlab("cpl", "import", _listed(folder, status, tmp_path / "cpl.csv"), folder)
        assert (code, err) == (0, "")
        assert told in out
        served = Served(folder)
        try:
            code, out, _ = served.supplier("--watch", "1", "watch")
            assert out.count(alert) == 2
            code, _, err = hanlab("cpl", "import", tmp_path / "cpl.csv", folder)
            assert (code, err.count("\n")) == (2, 1)
            assert "serve" in err
        finally:
            served.end(signal.SIGTERM)


def test_of_a_wrong_products_list_nothing_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    assert hanlab("dsp", "init", folder)[0] == 0
    before = hanlab("cpl", "export", folder / "store.db")
    wrong = _listed(folder, "Gone", tmp_path / "cpl.csv")
    code, out, err = hanlab("cpl", "import", wrong, folder)
    assert (code, out) == (2, "")
    assert re.search(r"cpl\.csv line \d+, column status: ", err)
    assert hanlab("cpl", "export", folder / "store.db") == before
