"""`hanlab ota explain`: page, verdict, JSON, exit codes."""

import csv
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


def test_every_block_has_a_row_that_says_what_its_time_went_to(folder: Path, tmp_path: Path) -> None:
    """Requirement SM7-R11: the record of a transfer, block by block."""
    table = tmp_path / "blocks.csv"
    assert hanlab("ota", "explain", folder, "--blocks", table).returncode == 0
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert [int(row["offset"]) for row in rows] == list(range(0, 5_000, 48))
    assert {(row["device"], row["version"], row["blocks"]) for row in rows} == {(str(DEVICE), f"{NEW:08X}", "1")}
    for row in rows:
        spent = [float(row[f"{who}_ms"]) for who in ("device", "radio", "queue", "hub")]
        assert sum(spent) == pytest.approx(float(row["duration_ms"]), abs=0.01)
    (cut,) = [row for row in rows if float(row["duration_ms"]) > 1_000]
    assert (cut["most_by"], int(cut["requests"])) == ("radio", 2)
    assert float(cut["radio_ms"]) > 2_000


def test_a_capture_file_is_explained_with_its_keys(folder: Path, tmp_path: Path) -> None:
    page = hanlab("ota", "explain", folder).stdout
    assert hanlab("ota", "explain", folder / "capture.pcapng").stdout == page
    moved, keys = tmp_path / "lab.pcapng", tmp_path / "lab.keys"
    moved.write_bytes((folder / "capture.pcapng").read_bytes())
    keys.write_bytes((folder / "keys.txt").read_bytes())
    assert hanlab("ota", "explain", moved, "--keys", keys).stdout == page
    assert hanlab("ota", "explain", moved).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "says"), [(("--keys", "k"), "--keys: goes with a capture"), (("--blocks", "/"), "--blocks: /: ")]
)
def test_what_cannot_be_done_is_said_in_one_line(folder: Path, arguments: tuple[str, str], says: str) -> None:
    done = hanlab("ota", "explain", folder, *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert says in done.stderr
