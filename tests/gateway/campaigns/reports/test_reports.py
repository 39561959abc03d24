"""Reports of a store that a DSP left: golden CSV, and what they say held against the answers of 8.2."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.campaigns.reports import bridges, devices, downloads, outages, repairs
from gateway.campaigns.reports.registry import REPORTS, report
from gateway.campaigns.reports.report import ALL, Period, month
from gateway.campaigns.sources import Source, read_source
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.inventory import DspInventory, InventoryDevice
from protocols.errors import InputError
from tests.support.databases import postgresql_server
from tests.support.dsp_bench import BRIDGE, HUB, OTHER_HUB, Bench
from tests.support.reported_store import BRIDGE_2, OTHER_BRIDGE, make, make_at
from tests.support.requirements import patched

GOLDEN = Path(__file__).parent / "golden"
MARCH = month("2026-03")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bench, Source]]:
    path = tmp_path_factory.mktemp("reports") / "store.db"
    bench = make(path)
    yield bench, read_source(str(path))
    bench.store.close()


def rows(source: Source, name: str, period: Period = ALL) -> list[dict[str, str]]:
    """Return the rows of a report as another program reads its CSV."""
    return list(csv.DictReader(io.StringIO(report(name, source, period).csv())))


@pytest.mark.parametrize("name", REPORTS)
def test_each_report_is_as_it_was(name: str, told: tuple[Bench, Source]) -> None:
    assert report(name, told[1], ALL).csv() == (GOLDEN / f"{name}.csv").read_text()


@pytest.mark.parametrize(("name", "period"), [("althanco", "2026-03"), ("esi-034i", "2026-04")])
def test_a_month_tells_what_was_so_at_its_end(name: str, period: str, told: tuple[Bench, Source]) -> None:
    assert report(name, told[1], month(period)).csv() == (GOLDEN / f"{name}-{period}.csv").read_text()


@pytest.mark.parametrize("name", REPORTS)
def test_json_says_what_csv_says(name: str, told: tuple[Bench, Source]) -> None:
    made = report(name, told[1], MARCH)
    read = json.loads(made.json())
    assert (read["report"], read["period"]) == (name, "2026-03")
    assert [list(row) for row in read["rows"]] == [list(made.columns)] * len(made.rows)
    assert [list(row.values()) for row in read["rows"]] == [list(row) for row in made.rows]


def test_json_is_as_it_was(told: tuple[Bench, Source]) -> None:
    assert report("althanco", told[1], MARCH).json() + "\n" == (GOLDEN / "althanco-2026-03.json").read_text()


def test_a_month_is_told_exactly() -> None:
    december = month("2026-12")
    assert december.start == 1_796_083_200_000_000_000
    assert december.end == 1_798_761_600_000_000_000
    assert december.start in december
    assert december.end not in december
    for text in ("2026-13", "2026-3", "March", ""):
        with pytest.raises(InputError, match="not a month such as 2026-03"):
            month(text)


# --- held against 8.2 ------------------------------------------------------------------------------------------------


def read_inventory(bench: Bench) -> dict[Eui64, InventoryDevice]:
    """Return what 8.2 tells a user of the devices of both homes."""
    found: dict[Eui64, InventoryDevice] = {}
    for one in (HUB, OTHER_HUB):
        answer = bench.request(bodies.ReadInventory(device_id=one)).content(DspInventory)
        found |= {device.device_id: device for device in answer.devices}
    return found


def bridges_told(bench: Bench) -> dict[str, InventoryDevice]:
    inventory = read_inventory(bench)
    return {str(one): device for one, device in inventory.items() if (device.ppmid_variant or "PPMID") != "PPMID"}


@pytest.mark.requirement(
    "MP170-R4", "MP170-P8", planted=patched(bridges, "is_bridge", lambda e: e["device"][-1] == "1")
)
def test_althanco_gets_every_bridge_with_its_version(told: tuple[Bench, Source]) -> None:
    bench, source = told
    wanted = {one: device.device_firmware_version for one, device in bridges_told(bench).items()}
    assert set(wanted) == {str(BRIDGE), str(BRIDGE_2), str(OTHER_BRIDGE)}
    assert {row["device_id"]: row["active_version"] for row in rows(source, "althanco")} == wanted


@pytest.mark.requirement("MP170-D1", planted=patched(bridges, "mpxn_of", lambda entries, hub, kind: None))
def test_another_program_reads_status_model_version_variant_hub_and_meters(told: tuple[Bench, Source]) -> None:
    bench, source = told
    meters = {str(HUB): ("1012345678901", "7012345601"), str(OTHER_HUB): ("1012345678903", "")}
    inventory = bridges_told(bench)
    read = rows(source, "althanco")
    assert len(read) == len(inventory)
    for row in read:
        device = inventory[row["device_id"]]
        assert (row["status"], row["manufacturer"]) == (device.device_status, device.device_manufacturer)
        assert (row["model"], row["variant"]) == (device.device_model, device.ppmid_variant)
        assert (row["mpan"], row["mprn"]) == meters[row["hub"]]


@pytest.mark.requirement("MP170-D2", planted=patched(bridges, "_mixed", lambda mine, behind: set()))
def test_versions_out_of_step_in_a_home_are_flagged(told: tuple[Bench, Source]) -> None:
    """All bridges here are of one product: a home is out of step where 8.2 tells more than one version."""
    bench, source = told
    inventory, homes = bridges_told(bench), defaultdict(set)
    read = rows(source, "althanco")
    for row in read:
        homes[row["hub"]].add(inventory[row["device_id"]].device_firmware_version)
    assert {row["hub"]: row["out_of_step"] == "true" for row in read} == {h: len(v) > 1 for h, v in homes.items()}
    assert set(map(len, homes.values())) == {1, 2}


@pytest.mark.requirement("MP170-R5", planted=patched(devices, "variant", lambda entry: "bridge"))
@pytest.mark.requirement("MP170-A12", "MP170-P3")
def test_reports_and_8_2_call_a_device_the_same_and_tell_one_version(told: tuple[Bench, Source]) -> None:
    bench, source = told
    wanted = {
        str(one): (device.ppmid_variant or device.esme_variant or "", device.device_firmware_version or "")
        for one, device in read_inventory(bench).items()
    }
    read = {row["device_id"]: (row["smets_variant_type"], row["firmware_version"]) for row in rows(source, "esi-034")}
    assert read == wanted
    for row in rows(source, "althanco"):
        assert read[row["device_id"]] == (row["variant"], row["active_version"])


@pytest.mark.requirement("MP170-C19", planted=patched(devices, "variant", lambda entry: None))
def test_esi_034_and_its_increment_have_the_variant_of_esme_and_ppmid(told: tuple[Bench, Source]) -> None:
    inventory = read_inventory(told[0])
    for name in ("esi-034", "esi-034i"):
        found = {row["device_id"]: row["smets_variant_type"] for row in rows(told[1], name)}
        assert set(found) <= {str(one) for one in inventory}
        for one, device in inventory.items():
            assert found[str(one)] == (device.ppmid_variant or device.esme_variant or ""), name


@pytest.mark.requirement("MP170-C23", planted=patched(bridges, "counted", lambda counts, names: [0] * len(names)))
def test_distribution_to_bridges_is_told_by_product_version_and_outcome(told: tuple[Bench, Source]) -> None:
    first, second = rows(told[1], "toc")
    assert (first["variant"], first["version"], first["activated"], first["failed"]) == (
        "AltHAN Bridge 1", "0B100100", "1", "1",
    )  # fmt: skip
    assert (second["version"], second["activated"], second["blocked"]) == ("0B100200", "1", "1")


@pytest.mark.requirement("MP170-C22")
def test_the_monthly_measure_counts_what_reached_a_hub(told: tuple[Bench, Source]) -> None:
    march, april = rows(told[1], "pm-2.2")
    assert (march["requested"], march["delivered"], march["not_delivered"]) == ("3", "2", "1")
    assert (april["delivered_percent"], april["median_minutes"]) == ("100.0", "20.0")


@pytest.mark.requirement("MP170-NF1")
def test_more_than_two_downloads_a_year_are_flagged(told: tuple[Bench, Source]) -> None:
    source = told[1]
    assert [(row["downloads"], row["over"]) for row in rows(source, "downloads")] == [("2", "false")]
    third = [dict(row, request_id="another") for row in source.rows("firmware_update_history")]
    more = source._replace(
        tables=dict(source.tables, firmware_update_history=[*source.rows("firmware_update_history"), *third])
    )
    assert [(row["downloads"], row["over"]) for row in rows(more, "downloads")] == [("3", "true")]


@pytest.mark.requirement("MP170-R3")
def test_each_supplier_has_its_outcomes(told: tuple[Bench, Source]) -> None:
    """Every update the store tracks, with the state it is in."""
    bench, source = told
    wanted = {(row["request_id"], row["device"], row["state"]) for row in bench.rows("firmware_updates")}
    read = rows(source, "outcomes")
    assert {(row["request_id"], row["device_id"], row["outcome"]) for row in read} == wanted
    assert {row["supplier"] for row in read} == {"90b3d51f30010000"}


@pytest.mark.requirement("MP102B-G13")
def test_without_the_feature_what_it_suppressed_reaches_operators(told: tuple[Bench, Source]) -> None:
    with_it, without = rows(told[1], "false-ad1")
    assert (with_it["false_delivered"], without["false_delivered"]) == ("0", "2")
    assert with_it["suppressed"] == without["false_delivered"]


def test_an_activation_whose_response_never_came_is_told_with_its_repair(told: tuple[Bench, Source]) -> None:
    (row,) = rows(told[1], "mp105")
    assert (row["version_before"], row["version_after"], row["repaired_by"]) == ("01000000", "01000100", "11.2")
    assert tuple(row) == repairs.COLUMNS


def test_an_unmapped_outage_has_no_operator(told: tuple[Bench, Source]) -> None:
    unmapped = [row for row in rows(told[1], "suppression") if row["unmapped"] != "0"]
    assert [(row["network_operator"], row["unmapped"]) for row in unmapped] == [("", "1")]


def test_reports_are_the_same_from_a_url_and_from_postgresql(told: tuple[Bench, Source]) -> None:
    own = read_source(f"sqlite:///{told[1].name}")
    with postgresql_server() as server:
        database = server.new_database()
        make_at(database).store.close()
        source = read_source(database)
    for name in REPORTS:
        assert report(name, source, ALL).csv() == report(name, own, ALL).csv() == report(name, told[1], ALL).csv(), name


def test_a_url_of_no_store_is_refused_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing"):
        read_source(f"sqlite:///{tmp_path / 'none.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_report_there_is_not_lists_those_there_are(told: tuple[Bench, Source]) -> None:
    with pytest.raises(InputError, match="no report 'althan'; there are: althanco, esi-034, "):
        report("althan", told[1], ALL)


def test_percentiles_and_shares_are_those_of_the_definition() -> None:
    minute = 60_000_000_000
    spans = [minute * n for n in range(1, 21)]
    assert (downloads._minutes(spans, 50), downloads._minutes(spans, 95), downloads._minutes([], 50)) == (10, 19, None)
    assert outages._DECISIONS == ("delivered", "suppressed", "unmapped")


# --- AltHANCo's own list ---------------------------------------------------------------------------------------------


@pytest.mark.requirement("MP170-D3")
def test_a_list_of_althancos_own_is_held_against_the_report(told: tuple[Bench, Source], tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    mine = f"{BRIDGE.hyphenated},0b100200,AltHAN Bridge 1\n{BRIDGE_2},0B100100,AltHAN Bridge 2\n{'0' * 16},1,x\n"
    path.write_text(f"device_id,active_version,variant\n{mine}", encoding="utf-8")
    found = bridges.compare(told[1], ALL, path)
    assert found.rows == [
        ("0" * 16, "missing here", None, None),
        (str(BRIDGE_2), "active_version", "0B100000", "0B100100"),
        (str(BRIDGE_2), "variant", "AltHAN Bridge 1", "AltHAN Bridge 2"),
        (str(OTHER_BRIDGE), "missing there", None, None),
    ]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("eui,version\n", "line 1: no column device_id"),
        ("device_id,active_version\n1234,1\n", "line 2: not a device with the cells of the header"),
        ("device_id,active_version\n0000000000000001\n", "line 2: not a device with the cells of the header"),
        ("device_id\n0000000000000001\n00-00-00-00-00-00-00-01\n", "line 3: 0000000000000001 stands there twice"),
    ],
)
def test_a_bad_list_is_told_with_its_line(text: str, wrong: str, told: tuple[Bench, Source], tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        bridges.compare(told[1], ALL, path)
    assert str(refused.value) == f"{path}: {wrong}"
