"""Homes in each other's hearing, a jammer and bursts of interference: updates come through, only later."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from emulator.home import HomeDescription, shipped_homes
from emulator.home.site import SiteDescription
from gateway.assembly import images
from gateway.assembly.lab import Lab
from gateway.assembly.story.steps import update_ppmid
from gateway.assembly.world import World
from gateway.campaigns.evidence.capture import CaptureEvidence, read_capture
from protocols.interfaces import MILLISECOND, SECOND
from protocols.ota.image import Kind

SIZE = 32_768  # octets of an image
STREET = {
    "home-1": {
        "band": "street",
        "places": {"flat": {"x": 0, "y": 0}, "cellar": {"x": 0, "y": 0, "z": -40}},
        "floors": [{"height": 0, "loss": 60}],
    },
    "home-2": {
        "band": "street",
        "origin": {"x": 12, "y": 0, "z": 0},
        "places": {"hall": {"x": 0, "y": 0}, "attic": {"x": 0, "y": 0, "z": 60}, "garden": {"x": 0, "y": 400}},
        "floors": [{"height": 50, "loss": 60}],
    },
}


class Run(NamedTuple):
    updated: list[bool]
    seconds: list[float]  # of each download
    retries: list[int]  # block requests repeated
    no_access: int  # channel access failures of the hubs
    parents: dict[str, str]  # trust centre by device
    capture: CaptureEvidence


def described(name: str, site: dict[str, Any], **changes: object) -> HomeDescription:
    home = next(home for home in shipped_homes() if home.name == name)
    return home.model_copy(update={"site": SiteDescription.model_validate(site), **changes})


def run(folder: Path, *homes: HomeDescription) -> Run:
    """Let everybody join and update bridge 1 of all homes at once."""

    async def together(world: World) -> list[bool]:
        image = world.images.release(Kind.BRIDGE1, 1)
        bridges = [home.device("bridge-1").eui for home in world.homes]
        return list(await asyncio.gather(*(update_ppmid(world, bridge, image) for bridge in bridges)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(images.SIZES, Kind.BRIDGE1, SIZE)
        with Lab(folder, homes=homes, seed=3) as lab:
            lab.run(lab.everybody_joins)
            updated = lab.run(together)
            built = lab.world.homes
            statistics = [home.device("bridge-1").device.statistics for home in built]
            no_access = sum(home.siting.radios["hub"].statistics.no_access for home in built)
            parents = {f"{home.name}/{d.name}": str(d.device.node.trust_centre) for home, d in lab.world.devices}
    seconds = [(each.ended - each.started) / SECOND for each in statistics]
    capture = read_capture(folder / "capture.pcapng", folder / "keys.txt")
    return Run(updated, seconds, [each.retries for each in statistics], no_access, parents, capture)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Run]:
    """Two homes 12 m apart, home 2 on channel 15, which is that of home 1, and on channel 20."""
    return {
        channel: run(
            tmp_path_factory.mktemp("street") / "run",
            described("home-1", STREET["home-1"]),
            described("home-2", STREET["home-2"], channel=channel),
        )
        for channel in (15, 20)
    }


def test_everybody_joins_its_own_hub_beside_an_open_network_of_the_neighbours(street: dict[int, Run]) -> None:
    hubs = {home.name: str(home.hub.gpf) for home in shipped_homes()}
    for found in street.values():
        assert all(centre == hubs[name.split("/")[0]] for name, centre in found.parents.items())


def test_neighbours_on_one_channel_cost_each_other_time_and_nothing_else(street: dict[int, Run]) -> None:
    shared, apart = street[15], street[20]
    assert shared.updated == apart.updated == [True, True]
    assert all(one > 1.2 * other for one, other in zip(shared.seconds, apart.seconds, strict=True))
    assert shared.no_access > apart.no_access == 0
    assert shared.capture.defects == apart.capture.defects == []


def test_each_home_keeps_its_interfaces_in_the_capture(street: dict[int, Run]) -> None:
    for found in street.values():
        names = [f"home-{number} {air}" for number in (1, 2) for air in ("2.4 GHz", "backhaul")]
        assert sorted(found.capture.networks) == names
        assert all(found.capture.networks[name] for name in names)


def test_a_jammer_in_the_flat_stops_the_transfer_for_its_time(tmp_path: Path) -> None:
    quiet = run(tmp_path / "quiet", described("home-1", {}))
    (begun,) = [transfer.started for transfer in quiet.capture.transfers]
    start = (begun - quiet.capture.first) / SECOND + 3
    jammer = {"name": "oven", "place": "flat", "channels": [15], "start": start, "duration": 20}
    jammed = run(tmp_path / "jammed", described("home-1", {"jammers": [jammer]}))
    assert (quiet.updated, jammed.updated) == ([True], [True])
    assert 18 < jammed.seconds[0] - quiet.seconds[0] < 30
    assert jammed.retries[0] >= 3
    times = [
        event.time for event in jammed.capture.ota if jammed.capture.transfers[0].started <= event.time
    ]  # fmt: skip
    assert max(later - earlier for earlier, later in pairwise(times)) > 15 * SECOND


def test_bursts_of_interference_are_outlived(tmp_path: Path) -> None:
    site = {"bursts": {"every": 4, "longest": 2}}
    found = run(tmp_path / "bursts", described("home-1", site, loss=0.1))
    assert found.updated == [True]
    assert found.retries[0] >= 1
    (transfer,) = found.capture.transfers
    assert transfer.complete
    assert transfer.ended - transfer.started > 9_000 * MILLISECOND
