"""`hanlab demo` as the command line's contract has it: exit code, tables, summary.json and the folder of evidence."""

import re
import sqlite3
import stat
from collections import Counter
from pathlib import Path

import pytest

from protocols.duis.alerts import CommsHubAlert, CspFirmwareDeliveryStatus, PowerOutageEvent, PpmidAlert
from protocols.duis.responses import (
    DccAlertMessage,
    DeviceAlertMessage,
    FutureDatedDeviceAlertMessage,
    ResponseMessage,
    parse_response,
)
from protocols.gbcs.envelope import Message
from tests.support.demo_run import EXIT_BAD_INPUT, DemoRun, hanlab, honest_run

DEVICE_KEYS = {
    "eui", "name", "kind", "variant", "tracked", "hub", "from_version", "to_version", "blocks", "retries", "octets",
    "virtual_seconds", "result",
}  # fmt: skip
KINDS = Counter(
    esme=2, gsme=2, ihd=2, cad=1, hcalcs=1, ppmid=1, bridge1=2, bridge2=1, bridge3=1, bridge4=1
)  # fmt: skip
UPDATED = {
    "home-1/esme", "home-1/hcalcs", "home-1/ppmid", "home-1/bridge-1", "home-1/bridge-3", "home-2/bridge-1",
    "home-2/bridge-2", "home-2/bridge-4",
}  # fmt: skip
# Requirements the demo itself must have evidence for.
SHOWN = {
    "MP102B-R1", "MP102B-R2", "MP102B-R3", "MP102B-G5", "MP102B-G6", "MP102B-G7", "MP102B-G8", "MP102B-G9",
    "MP102B-G10", "SM7-R1", "SM7-R2", "SM7-R3", "SM7-R4", "SM7-R5", "SM7-R8", "MP170-R2", "MP170-R2a", "MP170-R5",
    "MP170-R6", "MP170-R7", "MP170-R11", "MP170-R12", "MP170-A4", "MP170-C8", "MP170-C9", "MP170-C12", "MP170-C13",
    "MP170-C14", "MP170-C15", "MP170-C16", "X-2",
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    return honest_run(tmp_path_factory)


def _messages(run: DemoRun, user: str) -> list[object]:
    files = sorted((run.folder / "mailboxes" / user).iterdir())
    return [parse_response(file.read_bytes()).body for file in files]


def test_it_ends_well(run: DemoRun) -> None:
    """Every check passes, the story went as told, nothing was written to stderr."""
    assert (run.failed, run.summary["story_failures"], run.stderr, run.exit_code) == ([], [], "", 0)
    assert f"{len(run.summary['checks'])} of {len(run.summary['checks'])} checks passed" in run.stdout


def test_the_checks_show_every_requirement_of_the_demo(run: DemoRun) -> None:
    """SM7, MP170 and MP102B ids, each with figures as evidence."""
    checks = run.summary["checks"]
    assert SHOWN - {check["requirement"] for check in checks} == set()
    assert all(set(check) == {"requirement", "name", "passed", "evidence"} for check in checks)
    assert [check["name"] for check in checks if not re.search(r"\d", check["evidence"])] == []


def test_the_tables_are_printed(run: DemoRun) -> None:
    """Devices with their versions and results; the GSME as not in this demo; alerts; the speed-up."""
    for device in run.summary["devices"]:
        lines = [line for line in run.stdout.splitlines() if line.startswith(f"│ {device['name']} ")]
        assert len(lines) == 1
        assert device["result"] in lines[0]
        assert (device["to_version"] or "") in lines[0]
    assert "suppressed" in run.stdout
    assert "times real time" in run.stdout


def test_the_summary_has_its_keys(run: DemoRun) -> None:
    summary = run.summary
    assert set(summary) == {
        "format", "seed", "virtual_seconds", "wall_seconds", "repeatable", "xml_signature", "sabotage", "frames",
        "story_failures", "parties", "devices", "alerts", "suppression", "checks",
    }  # fmt: skip
    assert all(set(device) == DEVICE_KEYS for device in summary["devices"])
    alert_keys = {"time", "code", "origin", "decision", "recipient", "signature"}
    assert all(set(alert) == alert_keys for alert in summary["alerts"])
    assert set(summary["suppression"]) == {"windows", "suppressed", "delivered"}
    assert (summary["format"], summary["seed"], summary["sabotage"]) == (1, 1, None)
    assert summary["repeatable"] is True
    assert summary["xml_signature"] == "valid"
    assert summary["virtual_seconds"] > 3 * 86_400
    assert 0 < summary["wall_seconds"] < summary["virtual_seconds"] / 100


@pytest.mark.requirement("SM7-R1", "MP170-R2")
def test_the_devices_of_both_homes_and_what_became_of_them(run: DemoRun) -> None:
    """SM7-R1, MP170-R2: everything updatable has a new version; a device that was not updated says why."""
    devices = {device["name"]: device for device in run.summary["devices"]}
    assert Counter(device["kind"] for device in devices.values()) == KINDS
    assert {name for name, device in devices.items() if device["result"] == "updated"} == UPDATED
    for name, device in devices.items():
        changed = device["from_version"] != device["to_version"]
        assert changed is (name in UPDATED)
        assert (device["blocks"] > 0) is changed
        assert 48 * device["blocks"] >= device["octets"]
    assert {device["result"] for device in devices.values() if device["kind"] == "gsme"} == {"not in this demo"}
    assert {name for name, device in devices.items() if device["tracked"]} == {"home-1/esme"}
    assert devices["home-1/bridge-3"]["octets"] == 768_000
    assert devices["home-2/bridge-2"]["octets"] == 2 * 49_152  # twice: the first was altered on its way
    variants = {device["name"]: device["variant"] for device in devices.values() if device["kind"].startswith("b")}
    assert all(variant == f"AltHAN Bridge {name[-1]}" for name, variant in variants.items())


@pytest.mark.requirement("MP170-C13", "X-2")
def test_alerts_agree_with_the_mailboxes(run: DemoRun) -> None:
    """MP170-C13, X-2: what the summary calls delivered lies in that user's mailbox, as often, and nothing else does."""
    users = {"supplier": "90b3d51f30010000", "network-operator": "90b3d51f30020000"}
    for name, eui in users.items():
        alerts = [alert for alert in run.summary["alerts"] if alert["recipient"] == eui]
        delivered = Counter(
            (alert["code"], alert["origin"]) for alert in alerts if alert["decision"] == "delivered"
        )  # fmt: skip
        found = Counter(filter(None, (_alert_of(message) for message in _messages(run, name))))
        assert found == delivered
        assert sum(found.values()) > 5


def _alert_of(message: object) -> tuple[str, str] | None:
    """Return code and origin of an alert in a mailbox, None for another message."""
    if isinstance(message, ResponseMessage):
        message = message.content
    if isinstance(message, DeviceAlertMessage | FutureDatedDeviceAlertMessage):
        inner = Message.decode(message.gbcs_payload)
        return f"{message.alert_code:04X}", str(inner.originator)
    alert = message.alert if isinstance(message, DccAlertMessage) else None
    if isinstance(alert, PowerOutageEvent):
        return "AD1", str(alert.comms_hub_device_id)
    if isinstance(alert, PpmidAlert):
        return "8F8B", str(alert.device_id)
    if isinstance(alert, CommsHubAlert):
        return f"{alert.alert_code:04X}", str(alert.comms_hub_device_id)
    if isinstance(alert, CspFirmwareDeliveryStatus):
        return "N60" if alert.status == "Success" else "N61", str(alert.comms_hub_device_id)
    return None


@pytest.mark.requirement("MP102B-R1", "MP102B-R2", "MP102B-R3")
def test_decisions_and_windows(run: DemoRun) -> None:
    """MP102B-R1 to R3: AD1 of tracked activations are suppressed, others delivered; the counts agree with the store."""
    summary = run.summary
    outages = [alert for alert in summary["alerts"] if alert["code"] == "AD1"]
    decisions = Counter(alert["decision"] for alert in outages)
    assert decisions == {key: summary["suppression"][key] for key in ("suppressed", "delivered")}
    assert min(decisions.values()) >= 3
    assert {alert["signature"] for alert in outages} == {"none"}
    signed = [alert for alert in summary["alerts"] if alert["code"].startswith("8F")]
    assert {alert["signature"] for alert in signed} == {"valid"}
    windows = summary["suppression"]["windows"]
    assert Counter(window["kind"] for window in windows) == {"immediate": 1, "dated": 2}
    assert [window["state"] for window in windows].count("cancelled") == 1
    store = sqlite3.connect(f"{(run.folder / 'store.db').as_uri()}?immutable=1", uri=True)
    stored = Counter(row[0] for row in store.execute("SELECT decision FROM power_outage_audit"))
    store.close()
    assert stored == decisions


def test_the_folder_is_complete(run: DemoRun) -> None:
    for name in ("summary.json", "timeline.jsonl", "capture.pcapng", "keys.txt", "store.db"):
        assert (run.folder / name).stat().st_size > 0
    for name in ("mailboxes/supplier", "mailboxes/network-operator", "requests/supplier"):
        files = sorted((run.folder / name).iterdir())
        assert [int(file.name[:6]) for file in files] == list(range(1, len(files) + 1))
        assert all(file.stat().st_size for file in files)
    assert not list(run.folder.glob("store.db-*"))


def test_keys_are_readable_by_their_owner_only(run: DemoRun) -> None:
    """Private keys of test organisations and the keys of the air have mode 0600; no device's key is there."""
    private = [*run.folder.rglob("*.key"), run.folder / "keys.txt"]
    assert len(private) == 12
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
    pems = [file for file in run.folder.rglob("*.pem") if b"PRIVATE" in file.read_bytes()]
    assert pems == []
    owners = {file.name[:16] for file in run.folder.rglob("*.key")}
    assert owners.isdisjoint(device["eui"] for device in run.summary["devices"])


def test_key_rows_are_those_of_wireshark(run: DemoRun) -> None:
    rows = (run.folder / "keys.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r'"([0-9A-F]{2}:){15}[0-9A-F]{2}","Normal","[^"]+"', row) for row in rows)
    partners = sum('"partner key ' in row for row in rows)
    assert partners >= 5  # displays and switches with their meters
    assert len(set(rows)) == len(rows) == 2 + 28 + partners  # networks; 14 devices before and after key establishment


def test_the_timeline_is_in_order(run: DemoRun) -> None:
    times = [event["ns"] for event in run.timeline]
    assert times == sorted(times)
    first = ["time", "ns", "actor", "event"]
    assert all(list(event)[:4] == first and list(event)[4:] == sorted(list(event)[4:]) for event in run.timeline)
    assert [event["title"] for event in run.timeline if event["event"] == "step"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--sabotage", "hub-takes-a-nap"], "no sabotage 'hub-takes-a-nap'; there are: hub-skips-block"),
        (["--seed", "-1"], "--seed"),
        (["--sead", "1"], "--sead"),
    ],
)
def test_bad_options_are_named(arguments: list[str], told: str, tmp_path: Path) -> None:
    done = hanlab("demo", *arguments, "--out", tmp_path / "run")
    assert done.returncode == EXIT_BAD_INPUT
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    done = hanlab("demo", "--out", tmp_path)
    assert done.returncode == EXIT_BAD_INPUT
    assert done.stderr.splitlines() == [f"hanlab: {tmp_path}: not empty and not made by hanlab; choose another --out"]
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]
