"""Fleets without radio, judged from their folders: MP105 after lost responses, false outages, all in one run (X-1)."""

import re
from pathlib import Path

import pytest

from gateway.assembly.fleet.plan import FleetPlan, Repair, homes_of
from gateway.assembly.fleet.run import fleet
from gateway.campaigns.verify import verify
from gateway.csp.machine import Csp
from gateway.dsp.departures import Departures
from gateway.dsp.inventory import Inventory
from gateway.dsp.settings import BEFORE_MP105, DspSettings
from gateway.dsp.suppression import Suppression
from gateway.dsp.tracking import Tracking
from protocols.errors import InputError
from protocols.ota.image import Kind
from tests.support.requirements import patched

HOMES = 12
LOSS = 0.4
BRIDGES = {Kind.BRIDGE1: 4, Kind.BRIDGE2: 3, Kind.BRIDGE4: 2}

without_mp105 = patched(FleetPlan, "dsp_settings", DspSettings(use_activation_retry=False, eligible=BEFORE_MP105))
without_suppression = patched(Suppression, "window_for", lambda self, outage, on_hub: None)
reads_ignored = patched(Inventory, "version_reported", lambda self, turn, device, version, cause: device)


def mp105(**changes: object) -> FleetPlan:
    return FleetPlan(**({"homes": HOMES, "lost_responses": LOSS, "gas_share": 0.5} | changes))  # type: ignore[arg-type]


def mixed() -> FleetPlan:
    return mp105(tracked_share=0.7, dated_share=0.3, mains_cuts=25, bridges=BRIDGES, downloads=2)


def verdicts(plan: FleetPlan, folder: Path, seed: int = 1) -> dict[str, tuple[bool, str]]:
    """Run a fleet and let its folder be judged; return verdict and evidence by requirement."""
    fleet(plan, folder, seed=seed)
    found: dict[str, tuple[bool, str]] = {}
    for check in verify(folder):
        passed, evidence = found.get(check.requirement, (True, ""))
        found[check.requirement] = passed and check.passed, f"{evidence}{check.evidence}\n"
    return found


def holds(plan: FleetPlan, folder: Path, *requirements: str) -> str:
    """Assert that checks of these requirements pass; return their evidence."""
    found = verdicts(plan, folder)
    assert {one: found.get(one, (False, ""))[0] for one in requirements} == dict.fromkeys(requirements, True), found
    return "".join(found[one][1] for one in requirements)


@pytest.mark.requirement("MP105-R7", planted=patched(Csp, "_vanishes", lambda self, settings, message: False))
def test_a_lost_response_leaves_the_old_version_suspended(tmp_path: Path) -> None:
    assert "responses of 11.3 lost" in holds(mp105(), tmp_path / "run", "MP105-R7")


@pytest.mark.requirement("MP105-R1", planted=without_mp105)
@pytest.mark.requirement("MP105-R2", planted=reads_ignored)
@pytest.mark.requirement("MP105-R4")
def test_11_2_repairs_suspended_meters_of_both_kinds(tmp_path: Path) -> None:
    holds(mp105(), tmp_path / "run", "MP105-R1", "MP105-R2", "MP105-R10")


@pytest.mark.requirement(
    "MP105-R3", planted=patched(Departures, "status_changed", lambda self, turn, device, why: None)
)
def test_the_status_comes_back_by_itself_and_n29_tells(tmp_path: Path) -> None:
    assert "restored, an N29 each" in holds(mp105(), tmp_path / "run", "MP105-R3")


@pytest.mark.requirement("MP105-R8", "MP105-R16", planted=without_mp105)
def test_repeated_11_3_repairs_suspended_meters(tmp_path: Path) -> None:
    holds(mp105(repair=Repair.RETRY), tmp_path / "run", "MP105-R8", "MP105-R10")


@pytest.mark.requirement("MP105-R9", planted=without_mp105)
def test_repeated_11_3_corrects_meters_that_are_not_suspended(tmp_path: Path) -> None:
    told = holds(mp105(repair=Repair.RETRY, removed=False), tmp_path / "run", "MP105-R9")
    assert "Commissioned device" in told


def test_without_a_repair_the_records_stay_wrong(tmp_path: Path) -> None:
    found = verdicts(mp105(repair=Repair.NONE), tmp_path / "run")
    passed, evidence = found["MP105-R10"]
    assert not passed
    told = re.search(r"18 devices: (\d+) records wrong before the repair, (\d+) after", evidence)
    assert told is not None
    assert int(told[1]) == int(told[2]) > 0


@pytest.mark.requirement("MP105-R10")
def test_a_thousand_meters_a_fifth_of_their_responses_lost(tmp_path: Path) -> None:
    """The working scale: how many records were wrong is what the binomial allows, 20 % within five deviations."""
    summary = fleet(FleetPlan(homes=1000, lost_responses=0.2), tmp_path / "run", seed=1)
    (check,) = [check for check in summary["checks"] if check["requirement"] == "MP105-R10"]
    assert check["passed"], check
    assert check["evidence"].startswith("1,000 devices: ")
    before = int(check["evidence"].split(": ")[1].split(" ")[0])
    assert 137 <= before <= 263
    assert check["evidence"].endswith("before the repair, 0 after")
    assert all(check["passed"] for check in summary["checks"])


@pytest.mark.requirement("MP102B-R1", "MP102B-G13", planted=without_suppression)
def test_no_false_outage_reaches_the_operator_that_would_have_without(tmp_path: Path) -> None:
    told = holds(mp105(tracked_share=0.5), tmp_path / "run", "MP102B-R1", "MP102B-G13")
    assert "false AD1 delivered: 6, without the feature 12; 6 activations of tracked ESME reported" in told


@pytest.mark.requirement("X-3", planted=without_mp105)
def test_a_window_stays_whole_though_the_response_was_lost(tmp_path: Path) -> None:
    holds(mp105(), tmp_path / "run", "X-3")


@pytest.mark.requirement("X-1", planted=without_suppression)
def test_all_modifications_hold_together_in_one_run(tmp_path: Path) -> None:
    summary = fleet(mixed(), tmp_path / "run", seed=1)
    assert {c["requirement"]: c["evidence"] for c in summary["checks"] if not c["passed"]} == {}
    (together,) = [check["evidence"] for check in summary["checks"] if check["requirement"] == "X-1"]
    assert "updates of bridges activated: 18" in together


@pytest.mark.requirement("X-1", planted=reads_ignored)
def test_records_of_a_mixed_fleet_are_right_in_the_end(tmp_path: Path) -> None:
    holds(mixed(), tmp_path / "run", "X-1")


@pytest.mark.requirement("MP170-NF1", "MP170-NF2")
def test_bridges_get_two_images_a_year_and_their_number_is_a_parameter(tmp_path: Path) -> None:
    summary = fleet(mixed(), tmp_path / "run", seed=1)
    kinds = [device["kind"] for device in summary["devices"]]
    assert {kind: kinds.count(kind.value) for kind in BRIDGES} == BRIDGES
    assert {device["kind"] for device in summary["devices"] if device.get("battery")} == {"bridge4"}
    (evidence,) = [check["evidence"] for check in summary["checks"] if check["requirement"] == "MP170-NF1"]
    assert evidence == "9 bridges and years, at most 2 images each"


@pytest.mark.requirement(
    "SM7-R11", "MP170-C11", "MP170-C17", planted=patched(Tracking, "transferred", lambda self, turn, update: None)
)
def test_each_stage_of_a_bridges_update_is_tracked_and_told(tmp_path: Path) -> None:
    holds(mixed(), tmp_path / "run", "SM7-R11", "MP170-C11", "MP170-C17")


def test_the_same_seed_gives_the_same_octets(tmp_path: Path) -> None:
    for name, seed in (("one", 5), ("two", 5), ("other", 6)):
        fleet(mixed(), tmp_path / name, seed=seed)
    files = ("wan.jsonl", "timeline.jsonl", "mailboxes/supplier.jsonl", "requests/supplier.jsonl")
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert (tmp_path / "one/wan.jsonl").read_bytes() != (tmp_path / "other/wan.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"homes": 0}, "a fleet has at least one home"),
        ({"gas_share": 1.1}, "gas share: 1.1 is not from 0 to 1"),
        ({"downloads": 3}, "downloads: 3, but a bridge gets two images a year at most"),
        ({"homes": 2, "bridges": {Kind.BRIDGE1: 13}}, "13 bridges: a hub takes 6"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        mp105(**changes)


def test_shares_fall_on_the_first_homes_and_bridges_on_one_after_the_other() -> None:
    homes = homes_of(FleetPlan(homes=4, gas_share=0.5, tracked_share=0.25, bridges={Kind.BRIDGE1: 3, Kind.BRIDGE4: 2}))
    assert [home.gas for home in homes] == [True, True, False, False]
    assert [home.tracked for home in homes] == [True, False, False, False]
    assert [home.bridges for home in homes] == [
        (Kind.BRIDGE1, Kind.BRIDGE4), (Kind.BRIDGE1,), (Kind.BRIDGE1,), (Kind.BRIDGE4,),
    ]  # fmt: skip


def test_a_damaged_line_of_the_wan_is_told(tmp_path: Path) -> None:
    fleet(mp105(homes=1), tmp_path / "run", seed=1)
    wan = tmp_path / "run" / "wan.jsonl"
    wan.write_text(wan.read_text() + '{"ns": 1}\n')
    with pytest.raises(InputError, match=r"wan.jsonl: line [0-9]+: not a message: 'device'"):
        verify(tmp_path / "run")
