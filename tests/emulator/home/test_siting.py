"""Homes with coordinates, walls, bands, bursts and jammers."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.air.medium import Medium
from emulator.air.radio import SimulatedRadio
from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from emulator.home.description import HomeDescription, read_home
from emulator.home.siting import HUB, Siting
from protocols.errors import InputError
from protocols.interfaces import SECOND

HOMES = Path(__file__).parents[3] / "emulator/home/homes"
PLACES = {"flat": {"x": 0, "y": 0}, "cellar": {"x": 3, "y": 0, "z": -2}}


def described(name: str = "home-1", **changes: object) -> HomeDescription:
    data = yaml.safe_load((HOMES / f"{name}.yaml").read_text(encoding="utf-8"))
    return HomeDescription.model_validate(data | changes)


def sited(*homes: HomeDescription, seed: int = 1) -> list[Siting]:
    """Make and link the radios of homes on one medium."""
    medium = Medium(VirtualClock(0), SeededEntropy(seed))
    sitings = []
    for home in homes:
        siting = Siting(home, medium)
        for name in (HUB, *(device.name for device in home.devices)):
            siting.radio(name)
        for device in home.devices:
            if device.is_bridge:
                siting.backhaul_radio(device.name)
        siting.link()
        sitings.append(siting)
    return sitings


def heard_by(siting: Siting, name: str) -> set[str]:
    return {radio.name for radio in siting.radios[name].links}


def level(one: SimulatedRadio, other: SimulatedRadio) -> int:
    return one.links[other].rssi


def test_without_coordinates_a_place_is_a_name() -> None:
    (siting,) = sited(described())
    assert heard_by(siting, "bridge-3") == {"gsme"}
    assert heard_by(siting, HUB) == {"esme", "ihd", "hcalcs", "ppmid", "bridge-1"}
    assert level(siting.radios[HUB], siting.radios["esme"]) == -55
    assert {radio.name for radio in siting.backhauls["bridge-1"].links} == {"bridge-3"}
    assert siting.radios[HUB].links[siting.radios["esme"]].loss == 0.001


def test_coordinates_walls_and_floors_decide_who_hears_whom() -> None:
    (open_,) = sited(described(site={"places": PLACES}))
    (walled,) = sited(
        described(site={"places": PLACES, "walls": [{"begin": [1, -9], "end": [1, 9], "loss": 12}],
                        "floors": [{"height": 0, "loss": 20}]})
    )  # fmt: skip
    (thick,) = sited(described(site={"places": PLACES, "floors": [{"height": 0, "loss": 60}]}))
    hub, gsme = open_.radios[HUB], open_.radios["gsme"]
    assert level(hub, gsme) - level(walled.radios[HUB], walled.radios["gsme"]) == 32
    assert level(hub, open_.radios["esme"]) == round(8 - 40.2)  # one place: a metre apart
    assert "gsme" not in heard_by(thick, HUB)
    assert heard_by(thick, "bridge-3") == {"gsme"}


def test_power_is_that_of_the_sender() -> None:
    data = yaml.safe_load((HOMES / "home-1.yaml").read_text(encoding="utf-8"))
    data["site"], data["hub"]["power"] = {"places": PLACES}, 20
    (siting,) = sited(HomeDescription.model_validate(data))
    hub, gsme = siting.radios[HUB], siting.radios["gsme"]
    assert level(hub, gsme) == level(gsme, hub) + 12


def test_homes_of_one_band_hear_each_other_others_do_not() -> None:
    places = {"hall": {"x": 0, "y": 0}, "attic": {"x": 0, "y": 0, "z": 6}, "garden": {"x": 9, "y": 0}}
    one = described(site={"places": PLACES, "band": "street"})
    two = described("home-2", site={"places": places, "band": "street", "origin": {"x": 20, "y": 0, "z": 0}})
    first, second = sited(one, two)
    here, there = first.radios[HUB], second.radios[HUB]
    assert level(here, there) == round(8 - 40.2 - 25 * 1.301)
    assert here.network.name != there.network.name
    assert all(not radio.links.keys() & second.backhauls.keys() for radio in first.backhauls.values())
    first, second = sited(one, described("home-2", site={"places": places}))
    assert second.radios[HUB] not in first.radios[HUB].links


@pytest.mark.parametrize("places", [{}, PLACES])
def test_a_jammer_stands_in_a_place(places: dict[str, Any]) -> None:
    jammer = {"name": "oven", "place": "flat", "channels": [15, 16], "start": 60, "duration": 5, "every": 20}
    (siting,) = sited(
        described(site={"places": places, "floors": [{"height": 0, "loss": 99}] if places else [], "jammers": [jammer]})
    )
    (made,) = siting.radios[HUB].band.jammers
    assert {radio.name for radio in made.levels} == {HUB, *heard_by(siting, HUB)}
    assert made.name == "home-1/oven"
    assert made.spans(0, 90 * SECOND) == [(60 * SECOND, 65 * SECOND), (80 * SECOND, 85 * SECOND)]


@pytest.mark.parametrize("sensed", [True, False])
def test_bridges_of_one_partner_hear_when_its_channel_is_taken_and_take_nothing_from_each_other(sensed: bool) -> None:
    (siting,) = sited(described("home-2", backhaul={"sensed": sensed}))
    one, other = siting.backhauls["bridge-2"], siting.backhauls["bridge-4"]
    assert (other in one.links) is (one in other.links) is sensed
    if sensed:
        assert one.links[other].expected_loss(20) == other.links[one].expected_loss(20) == 1.0
    assert {radio.name for radio in siting.backhauls["bridge-1"].links} == {"bridge-2", "bridge-4"}


def test_bursts_are_on_every_link_of_the_han_and_not_on_the_backhaul() -> None:
    (siting,) = sited(described(site={"bursts": {"every": 30, "longest": 2}}, backhaul={"rssi": -70, "loss": 0.25}))
    links = [link for radio in siting.radios.values() for link in radio.links.values()]
    assert links
    assert all(link.bursts is not None for link in links)
    (backhaul,) = siting.backhauls["bridge-1"].links.values()
    assert (backhaul.bursts, backhaul.rssi, backhaul.loss) == (None, -70, 0.25)


@pytest.mark.parametrize(
    ("site", "says"),
    [
        ({"places": {"flat": {"x": 0, "y": 0}}}, "place 'cellar' is not among the places"),
        ({"band": "street"}, "need places"),
        ({"walls": [{"begin": [0, 0], "end": [1, 1]}]}, "need places"),
        ({"places": PLACES, "walls": [{"begin": [0, 0]}]}, "end"),
        ({"jammers": [{"name": "j", "place": "flat", "channels": [9], "start": 0, "duration": 1}]}, "11 to 26"),
        ({"jammers": [{"name": "j", "place": "flat", "channels": [15], "start": 0, "duration": 2, "every": 1}]}, "go"),
        ({"places": PLACES, "propagation": {"exponent": 0}}, "exponent"),
        ({"bursts": {"every": 0}}, "every"),
        ({"roof": 1}, "roof"),
    ],
)
def test_a_mistake_in_a_site_is_named(tmp_path: Path, site: dict[str, Any], says: str) -> None:
    data = yaml.safe_load((HOMES / "home-1.yaml").read_text(encoding="utf-8")) | {"site": site}
    path = tmp_path / "home.yaml"
    for device in data["devices"]:
        device["install_code"] = str(device["install_code"])
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_home(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
