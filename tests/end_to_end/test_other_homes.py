"""Lives of homes that a user describes: fewer devices, other bridges, another gas meter."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator.home import HomeDescription
from gateway.assembly import images
from gateway.assembly.life.run import live
from protocols.interfaces import DAY
from tests.support.demo_run import PROJECT

Description = dict[str, Any]
HOME = PROJECT / "emulator/home/homes/home-1.yaml"


def only(*names: str) -> Callable[[Description], None]:
    def change(home: Description) -> None:
        home["devices"] = [device for device in home["devices"] if device["name"] in names]

    return change


def each(kind: str, **changes: object) -> Callable[[Description], None]:
    def change(home: Description) -> None:
        for device in home["devices"]:
            if device["kind"].startswith(kind):
                device |= changes

    return change


def lived(folder: Path, change: Callable[[Description], None]) -> dict[str, Any]:
    """Let home 1 live for a day as changed, with small images; return its summary."""
    home = yaml.safe_load(HOME.read_text(encoding="utf-8"))
    change(home)
    with pytest.MonkeyPatch.context() as patch:
        for kind in images.SIZES:
            patch.setitem(images.SIZES, kind, 8_192)
        return live(HomeDescription.model_validate(home), folder / "run", duration=DAY, seed=1, drawn=False)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(only("esme"), id="an ESME alone"),
        pytest.param(only("esme", "ihd"), id="prepaid without a PPMID"),
        pytest.param(only("esme", "gsme", "ihd", "bridge-1", "bridge-3"), id="gas behind bridges, no PPMID"),
        pytest.param(each("bridge", tunnelling="always"), id="bridges that always serve tunnels"),
        pytest.param(each("gsme", polls_every=600), id="a gas meter that wakes every ten minutes"),
    ],
)
def test_a_home_is_judged_by_what_it_has(tmp_path: Path, change: Callable[[Description], None]) -> None:
    summary = lived(tmp_path, change)
    assert [check for check in summary["checks"] if not check["passed"]] == []
    assert summary["story_failures"] == []
    assert len(summary["checks"]) > 15


def test_bridges_without_tunnels_cannot_tell_of_their_update(tmp_path: Path) -> None:
    """X-7: they take and run their image, and nobody above the hub gets to know."""
    summary = lived(tmp_path, each("bridge", tunnelling="never"))
    failed = {check["requirement"] for check in summary["checks"] if not check["passed"]}
    assert failed == {"MP170-R2", "MP170-R5", "MP170-R7", "MP170-C16", "LIFE-4"}
    bridges = [device for device in summary["devices"] if device["kind"].startswith("bridge")]
    assert {device["to_version"][-4:] for device in bridges} == {"0100"}
