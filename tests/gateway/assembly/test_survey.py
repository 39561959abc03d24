"""A survey tells of a home what a run then finds."""

import pytest

from emulator.home import find_home, shipped_homes
from gateway.assembly.survey import BACKHAUL, survey


@pytest.mark.requirement("MP170-P14")
def test_the_tree_is_the_one_that_joining_builds() -> None:
    """MP170-P14: displays and meters behind one or two bridges."""
    one, two = (survey(home) for home in shipped_homes())
    assert {route.device: route.hops for route in one.routes}["gsme"] == ("bridge-3", "bridge-1", "hub")
    ways = {route.device: route for route in two.routes}
    assert ways["ihd"].hops == ("bridge-2", "bridge-1", "hub")
    assert ways["gsme"].hops == ("bridge-4", "bridge-1", "hub")
    assert [name for name, way in ways.items() if way.over_backhaul] == ["bridge-2", "bridge-4"]
    assert [(link.one, link.other) for link in two.links if link.band == BACKHAUL] == [
        ("bridge-1", "bridge-2"), ("bridge-1", "bridge-4")
    ]  # fmt: skip


def test_loss_is_of_the_worse_direction() -> None:
    home = next(home for home in shipped_homes() if home.name == "home-2")
    lossy = survey(home.model_copy(update={"loss": 0.25}))
    assert {link.loss for link in lossy.links} == {0.25}


def test_a_home_for_foreign_hosts_is_surveyed_like_any_other() -> None:
    home = shipped_homes()[0]
    assert survey(home.model_copy(update={"trust": "well_known"})).routes == survey(home).routes
    ways = {route.device: route.hops for route in survey(find_home("zoh-home")).routes}
    assert ways["far-ppmid"] == ("bridge-3", "bridge-1", "hub")
