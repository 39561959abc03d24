"""Noise and errors of the O-QPSK PHY, and how far signals reach."""

import pytest

from emulator.air.propagation import Floor, PathLoss, Point, Wall
from emulator.air.signal import bit_error_rate, error_rate, error_rates, level_of, link_quality
from emulator.entropy import SeededEntropy


@pytest.mark.parametrize(
    ("ratio", "expected"), [(0.0, 1.61e-4), (3.0, 8.6e-9), (-100.0, 0.5)]
)  # fmt: skip
def test_bit_errors_follow_the_formula_of_the_standard(ratio: float, expected: float) -> None:
    """IEEE 802.15.4-2006 annex E.4.1.8; with a strong signal only 4 e^(-10 s) is left of its sum."""
    assert bit_error_rate(ratio) == pytest.approx(expected, rel=0.05)


def test_longer_frames_are_lost_more_often_and_weak_links_more_than_strong_ones() -> None:
    rates = [[error_rate(octets, ratio) for octets in (5, 20, 127)] for ratio in (3.0, 1.0, 0.0, -2.0)]
    assert all(row == sorted(row) for row in rates)
    assert all(list(column) == sorted(column) for column in zip(*rates, strict=True))
    assert error_rates(-60) is None
    weak = error_rates(-101)
    assert weak is not None
    assert 0.6 < weak[127] < 0.8


def test_signals_add_by_power() -> None:
    assert level_of([-60.0, -60.0]) == pytest.approx(-57.0, abs=0.02)
    assert level_of([-60.0, -90.0]) == pytest.approx(-60.0, abs=0.01)


def test_link_quality_runs_from_noise_to_a_strong_signal() -> None:
    assert [link_quality(rssi) for rssi in (-120, -100, -85, -40, 0)] == [0, 0, 63, 255, 255]


def test_path_loss_grows_with_the_logarithm_of_the_distance() -> None:
    path = PathLoss(40.0, 3.0)
    here = Point(0, 0)
    assert [round(path.loss(here, Point(d, 0), ()), 3) for d in (0.2, 1, 10, 100)] == [40.0, 40.0, 70.0, 100.0]


def test_a_wall_counts_only_where_the_way_goes_through_it() -> None:
    wall, path = Wall((2, -1), (2, 1), 8.0, bottom=0.0, top=2.5), PathLoss(40.0, 2.0)
    a, b = Point(0, 0, 1), Point(4, 0, 1)
    assert wall.between(a, b)
    assert wall.between(b, a)
    assert not wall.between(a, Point(1, 0, 1))  # ends before it
    assert not wall.between(a, Point(4, 6, 1))  # passes beside it
    assert not wall.between(Point(0, 0, 3), Point(4, 0, 3))  # over it
    assert not wall.between(Point(0, 0, 1), Point(0, 5, 1))  # along it
    assert path.loss(a, b, [wall]) - path.loss(a, b, []) == 8.0
    moved = wall.moved(Point(10, 0, 0))
    assert moved.between(Point(11, 0), Point(13, 0))
    assert not moved.between(a, b)


def test_a_floor_lies_between_storeys() -> None:
    floor = Floor(2.4, 15.0)
    assert floor.between(Point(0, 0, 1), Point(0, 0, 3.5))
    assert not floor.between(Point(0, 0, 3), Point(5, 0, 4))
    assert floor.moved(Point(0, 0, 10)).height == 12.4


def test_entropy_is_all_the_chance_there_is() -> None:
    assert SeededEntropy(1).random("shadowing a").random() == SeededEntropy(1).random("shadowing a").random()
