"""Homes as users write them."""

from pathlib import Path

import pytest

from emulator.home.description import HomeDescription, read_home
from protocols.addresses import Eui64
from protocols.errors import InputError

HOMES = Path(__file__).parents[3] / "emulator/home/homes"


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = (HOMES / "home-1.yaml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "home.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def home(name: str) -> HomeDescription:
    return read_home(HOMES / f"{name}.yaml")


def test_home_1_has_a_gas_meter_behind_two_bridges() -> None:
    described = home("home-1")
    assert described.device("bridge-3").partner == "bridge-1"
    assert described.device("gsme").place == described.device("bridge-3").place != described.hub.place
    assert described.device("esme").eui == Eui64.parse("00DB1234567811A0")


def test_home_2_has_three_bridge_products() -> None:
    kinds = [device.kind for device in home("home-2").devices if device.is_bridge]
    assert kinds == ["bridge1", "bridge2", "bridge4"]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("kind: ppmid", "kind: toaster", 16, "kind"),
        ("00-DB-12-34-56-78-11-B1", "00-DB-12", 17, "not an EUI-64"),
        ("channel: 15", "channel: 9", 4, "channel"),
        ("partner: bridge-1", "partner: bridge-9", 2, "bridge-9"),
        ("83fed3407a939723a5c639b26916d505", "83fed3", 12, "install_code"),
        ("powers_hub: true, ", "", 2, "powers the hub"),
        ("name: ihd", "name: esme", 2, "given twice"),
        ("variant: AD", "variant: ADFG", 12, "no ESMEVariant 'ADFG'"),
        ("variant: AD", "variant: AEF, alcs: [{load: 500}]", 12, "has a D"),
        ("variant: AD", "variant: AD, alcs: [{on_times: [[1440, 5]]}]", 12, "minutes of the day"),
        ("variant: AD", "variant: AD, alcs: [{}, {}, {}, {}, {}, {}]", 12, "alcs"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(InputError) as caught:
        read_home(path)
    assert says in str(caught.value)
    assert f"line {line}:" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="format 2 is newer"):
        read_home(changed(tmp_path, "format: 1", "format: 2"))


def test_text_that_is_not_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line "):
        read_home(changed(tmp_path, "hub: {", "hub: {{"))
