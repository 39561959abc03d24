"""What is drawn of a life, in the picture and in characters."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from gateway.assembly.life import plots, strips
from gateway.assembly.life.days import DeviceDay, Life, Point, Span, Transfer
from protocols.interfaces import DAY, HOUR, MINUTE

BEGIN = 20_514 * DAY
METER, HUB = "home/esme", "home/hub"


def transfer(begin: int, *kept: Point, device: str = METER) -> Transfer:
    return Transfer(device, "01000100", 100, tuple((BEGIN + begin + when, octets) for when, octets in ((0, 0), *kept)))


def life(**parts: object) -> Life:
    whole: dict[str, object] = {"outages": (), "transfers": (), "demand": {}, "lags": {}}
    days = tuple(DeviceDay("2026-03-02", name) for name in (METER, HUB))
    return Life(BEGIN, BEGIN + 10 * DAY, days, **whole | parts)  # type: ignore[arg-type]


def rows(lived: Life) -> dict[str, list[str]]:
    text = io.StringIO()
    Console(file=text, width=100).print(strips.in_terminal(lived, 10))
    cells = [[cell.strip(" ") for cell in line.split("│")[1:-1]] for line in text.getvalue().splitlines()]
    return {row[0]: row[1:] for row in cells if row}


def test_what_befell_a_device_is_a_character_a_stretch() -> None:
    off = (Span(METER, BEGIN, BEGIN + 2 * DAY + HOUR), Span(METER, BEGIN + 8 * DAY, BEGIN + 8 * DAY + 1))
    found = rows(life(outages=off, transfers=(transfer(2 * DAY, (DAY, 100)),)))
    assert found[METER] == ["", "XX#=····X·"]
    assert found[HUB] == ["", "··········"]


def test_a_stretch_without_a_value_is_no_bar_and_nought_the_lowest() -> None:
    points = ((BEGIN, 0), (BEGIN + DAY, 700), (BEGIN + 2 * DAY, 1_400), (BEGIN + 9 * DAY, 1_200), (BEGIN + 9 * DAY, 0))
    found = rows(life(demand={METER: points}))
    assert found[f"{METER} demand"] == ["1,400 W", "▁▄█      ▄"]


def test_the_age_of_gas_is_told_in_minutes_and_the_highest_of_a_stretch_counts() -> None:
    found = rows(life(lags={HUB: ((BEGIN, 60), (BEGIN + HOUR, 1_800), (BEGIN + DAY, 900))}))
    assert found[f"{HUB} gas age"] == ["30 min", "█▄"]


def test_the_highest_of_each_stretch_stands_at_its_own_time() -> None:
    points = ((BEGIN, 5), (BEGIN + HOUR, 9), (BEGIN + 2 * HOUR, 7), (BEGIN + 5 * DAY, 1), (BEGIN + 10 * DAY, 2))
    assert list(plots.highest(life(), points, 10)) == [points[1], points[3], points[4]]


def test_images_half_a_day_apart_are_two_rounds() -> None:
    first, second = transfer(0, (HOUR, 100)), transfer(12 * HOUR, (13 * HOUR, 100), device=HUB)
    third = transfer(38 * HOUR + MINUTE, (MINUTE, 100))
    assert plots.rounds(life(transfers=(third, second, first))) == [[first, second], [third]]
    assert plots.rounds(life()) == []


@pytest.mark.parametrize("transfers", [(), (transfer(0, (MINUTE, 50)), transfer(5 * DAY))])
def test_a_picture_is_drawn_of_any_life(tmp_path: Path, transfers: tuple[Transfer, ...]) -> None:
    pytest.importorskip("matplotlib")
    drawn = life(transfers=transfers, steps=((BEGIN + DAY, "power cut 1"),), outages=(Span(HUB, BEGIN, BEGIN + 1),))
    plots.write(drawn, tmp_path / "life.png")
    plots.write(drawn, tmp_path / "again.png")
    octets = (tmp_path / "life.png").read_bytes()
    assert octets.startswith(b"\x89PNG")
    assert octets == (tmp_path / "again.png").read_bytes()
