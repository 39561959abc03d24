"""`hanlab ota explain`: page, verdict, JSON, exit codes."""

import json
from pathlib import Path

import pytest

from gateway.campaigns.evidence.explanation import explain_folder
from protocols.interfaces import SECOND
from protocols.pcapng import PcapngWriter, write_keys
from tests.support.demo_run import hanlab
from tests.support.ota_homes import DEVICE, NEW, Played, image


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the capture of a transfer that the air cut for 2 s."""
    hub = Played()
    hub.offer(DEVICE, image(), activate_now=True)
    hub.run(SECOND // 2)
    hub.reach(1.0)
    hub.run(2 * SECOND)
    hub.reach(0.0)
    hub.run_until(NEW)
    place = tmp_path_factory.mktemp("run")
    with (place / "capture.pcapng").open("wb") as file:
        writer = PcapngWriter(file)
        interface = writer.interface("home-1 2.4 GHz")
        for _, time, octets in hub.log.frames:
            writer.frame(interface, time, octets)
    (place / "keys.txt").write_text(write_keys(hub.keys()), encoding="utf-8")
    return place


def test_the_page_names_the_transfer_its_figures_and_who_stalled(folder: Path) -> None:
    done = hanlab("ota", "explain", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{DEVICE}  version {NEW:08X}  5,000 octets: SUCCESS" in done.stdout
    assert "105 blocks of 48 in" in done.stdout
    assert "stalls: 1, " in done.stdout
    assert "radio: " in done.stdout
    verdict = done.stdout.splitlines()[-1]
    assert verdict.startswith("verdict: 1 transfers; time spent by device ")
    assert "dropped on the air at" in verdict


def test_json_has_every_stall_with_its_cause(folder: Path) -> None:
    done = hanlab("ota", "explain", folder, "--json")
    page = json.loads(done.stdout)
    (told,) = page["transfers"]
    assert page["verdict"].startswith("verdict: 1 transfers; ")
    assert (told["device"], told["size"], told["blocks"], told["status"]) == (str(DEVICE), 5_000, 105, "SUCCESS")
    (stall,) = told["stalls"]
    assert stall["who"] == "radio"
    assert stall["duration"] > 2
    assert stall["attempts"] >= 2
    assert sum(told["shares"].values()) == pytest.approx(1, abs=0.001)
    assert told["request_to_response"]["number"] >= 105


def test_the_threshold_of_a_stall_can_be_set(folder: Path) -> None:
    assert explain_folder(folder, stall=100 * SECOND)[0].stalls == []
    done = hanlab("ota", "explain", folder, "--stall", "100")
    assert done.stdout.splitlines()[-1].endswith("nobody stalled")


def test_a_folder_without_a_capture_exits_2_in_one_line(tmp_path: Path) -> None:
    done = hanlab("ota", "explain", tmp_path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith(f"hanlab: {tmp_path}")
