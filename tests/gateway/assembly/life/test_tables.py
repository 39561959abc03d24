"""Each device's day as a user reads it: amounts in units, what happened in words, totals that add up."""

import io

import pytest
from rich.console import Console

from gateway.assembly.life.days import DeviceDay, Life
from gateway.assembly.life.tables import COLUMNS, day_tables
from protocols.interfaces import MINUTE


def shown(*days: DeviceDay) -> list[list[str]]:
    """Return the cells of all tables, a list a line; titles are lists of one."""
    text = io.StringIO()
    for table in day_tables(Life(0, 0, days, (), (), {}, {})):
        Console(file=text, width=160).print(table)
    lines = [line.replace("┃", "│").strip() for line in text.getvalue().splitlines()]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines if line[:1] not in "┏┡└├"]


def esme(day: str, **told: int) -> DeviceDay:
    return DeviceDay(day, "home/esme", told={"kind": "esme", "date": day, **told})


def test_days_of_a_meter_add_up() -> None:
    first = esme("2026-03-02", day_import_wh=6_337, import_wh=6_337, cost=251_447, tier_1_wh=6_337, tier_2_wh=0)
    second = esme(
        "2026-03-03", day_import_wh=17_608, import_wh=23_945, cost=691_879, tier_1_wh=13_919, tier_2_wh=10_026
    )
    assert shown(first, second) == [
        ["home/esme: each day"],
        ["day", "used kWh", "tier 1", "tier 2", "register", "cost £", "what happened"],
        ["2026-03-02", "6.337", "6.337", "0.000", "6.337", "2.51", ""],
        ["2026-03-03", "17.608", "7.582", "10.026", "23.945", "4.40", ""],
        ["all", "23.945", "13.919", "10.026", "", "6.92", ""],
    ]


def test_what_happened_is_told_in_words_and_added_up() -> None:
    first = DeviceDay("2026-03-02", "home/bridge", 3 * MINUTE, 1, 20_480, "0B100100", ["8F12", "8F8B", "8F12"])
    second = DeviceDay("2026-03-04", "home/bridge", 30 * MINUTE, 0, 20_480, "0B100200", ["8F8B"])
    assert shown(first, second)[2:] == [
        ["2026-03-02", "joined, off 3.0 min, 20,480 octets, runs 0B100100, 8F12 x2 8F8B"],
        ["2026-03-04", "off 30.0 min, 20,480 octets, runs 0B100200, 8F8B"],
        ["all", "joined, off 33.0 min, 40,960 octets, runs 0B100200, 8F12 x2 8F8B x2"],
    ]


def test_days_and_columns_with_nothing_to_tell_are_left_out() -> None:
    days = [esme("2026-03-02", day_import_wh=5, day_export_wh=0, second_wh=0), DeviceDay("2026-03-03", "home/esme")]
    assert shown(*days, DeviceDay("2026-03-03", "home/hub")) == [
        ["home/esme: each day"],
        ["day", "used kWh", "what happened"],
        ["2026-03-02", "0.005", ""],
        ["all", "0.005", ""],
    ]


def test_a_day_without_a_row_leaves_its_cells_empty() -> None:
    rows = shown(esme("2026-03-02", cost=100_000), DeviceDay("2026-03-03", "home/esme", joined=1),
                 esme("2026-03-04", cost=250_000))  # fmt: skip
    assert [row[1] for row in rows[2:]] == ["1.00", "", "1.50", "2.50"]


@pytest.mark.parametrize("kind", COLUMNS)
def test_each_kind_names_each_column_once(kind: str) -> None:
    headings = [column.heading for column in COLUMNS[kind]]
    assert len(set(headings)) == len(headings)
    assert all(column.per > 0 for column in COLUMNS[kind])
