"""A Lab brings whole homes on the air for a Python program."""

import asyncio
import json
from pathlib import Path

import pytest

from emulator.home import shipped_homes
from gateway.assembly.happenings import DidNotHappenError
from gateway.assembly.lab import Lab
from gateway.assembly.world import World
from protocols.interfaces import HOUR, MINUTE, SECOND


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> World:
    with Lab(tmp_path_factory.mktemp("lab") / "run", seed=3) as lab:
        lab.run(lab.everybody_joins)
        return lab.world


def test_every_device_joins_under_the_parent_it_can_hear(joined: World) -> None:
    home_1, home_2 = joined.homes
    assert all(device.device.node.joined for _, device in joined.devices)
    assert home_1.device("bridge-3").device.node.parent == home_1.device("bridge-1").eui
    assert home_1.device("gsme").device.node.parent == home_1.device("bridge-3").eui
    assert home_2.device("ihd").device.node.parent == home_2.device("bridge-2").eui
    assert home_2.device("gsme").device.node.parent == home_2.device("bridge-4").eui
    assert {device.device.node.trust_centre for device in home_1.devices} == {home_1.gpf}


def test_the_timeline_is_written_while_the_world_runs(joined: World) -> None:
    lines = (joined.folder.path / "timeline.jsonl").read_text(encoding="utf-8").splitlines()
    assert sum('"event": "joined"' in line for line in lines) == len(joined.devices)


def test_waiting_for_what_does_not_happen_ends_with_its_name(tmp_path: Path) -> None:
    with Lab(tmp_path / "run", homes=shipped_homes()[:1]) as lab:
        began = lab.world.clock.now()
        with pytest.raises(DidNotHappenError, match="home-1/toaster: 'joined' did not happen"):
            lab.run(lambda world: world.happenings.event("home-1/toaster", "joined", within=MINUTE))
        assert lab.world.clock.now() == began + MINUTE


def test_time_stands_still_between_two_stories(tmp_path: Path) -> None:
    with Lab(tmp_path / "run", homes=shipped_homes()[:1]) as lab:
        lab.run(lambda world: world.clock.sleep(5 * SECOND))
        first = lab.world.clock.now()
        lab.run(lambda world: asyncio.sleep(1))
        assert lab.world.clock.now() == first + SECOND


def test_a_story_that_fails_still_leaves_a_whole_folder(tmp_path: Path) -> None:
    async def fails(world: World) -> None:
        await world.clock.sleep(SECOND)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), Lab(tmp_path / "run", homes=shipped_homes()[:1]) as lab:
        lab.run(fails)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"summary.json", "timeline.jsonl", "capture.pcapng", "keys.txt", "store.db"} <= names


def test_displays_read_meters_once_devices_are_joined_to_each_other(tmp_path: Path) -> None:
    with Lab(tmp_path / "run", homes=shipped_homes()[:1]) as lab:
        lab.run(lab.everybody_joins)
        lab.run(lambda world: world.clock.sleep(HOUR))
        alone_until = lab.world.clock.now()
        lab.run(lab.devices_are_joined)
        lab.run(lambda world: world.clock.sleep(HOUR))
    lines = (lab.world.folder.path / "timeline.jsonl").read_text(encoding="utf-8").splitlines()
    shown = [line["ns"] for line in map(json.loads, lines) if line["event"] == "shown"]
    assert len(shown) >= 2 * 3  # two displays, a reading each quarter of an hour
    assert min(shown) > alone_until
