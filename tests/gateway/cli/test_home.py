"""`hanlab home show` as a user runs it, against what it printed when it was looked at."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.home import app
from protocols.errors import InputError
from tests.support.demo_run import EXIT_BAD_INPUT, hanlab

GOLDEN = Path(__file__).parent / "golden"
HOUSE = str(GOLDEN / "house.yaml")
RUNNER = CliRunner()


def shown(*arguments: str) -> str:
    """Return what is printed, the time of the run taken out."""
    result = RUNNER.invoke(app, ["show", *arguments])
    assert (result.exit_code, result.stderr) == (0, "")
    return re.sub(r"after [\d,]+ virtual", "after N virtual", result.stdout)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("home-1.txt", ["home-1"]),
        ("house.txt", [HOUSE]),
        ("home-2.mmd", ["home-2", "--mermaid"]),
        ("house.mmd", [HOUSE, "--mermaid"]),
    ],
)
def test_tables_and_flowcharts(name: str, arguments: list[str]) -> None:
    assert shown(*arguments) == (GOLDEN / name).read_text(encoding="utf-8")


def test_json_says_what_the_tables_say() -> None:
    found = json.loads(shown(HOUSE, "--json"))
    assert set(found) == {"home", "pan_id", "channel", "backhaul_channel", "seconds", "nodes", "links", "routes"}
    routes = {route["device"]: route for route in found["routes"]}
    assert routes["gsme"]["hops"] == ["bridge-1", "hub"]
    assert (routes["ihd"]["hops"], routes["ihd"]["joined"]) == ([], False)
    (weak,) = [link for link in found["links"] if "gsme" in (link["one"], link["other"])]
    assert (weak["rssi"], weak["lqi"]) == (-99, 4)
    assert weak["loss"] == pytest.approx(0.013, abs=0.001)
    assert found["nodes"][0] == {
        "name": "hub", "kind": "hub", "place": "hall", "eui": "00db1234567811a3", "power": 8.0
    }  # fmt: skip
    assert found["seconds"] > 0


def test_a_seed_shows_the_same_home_again() -> None:
    assert shown("home-1", "--json", "--seed", "5") == shown("home-1", "--json", "--seed", "5")


def test_without_a_terminal_there_is_no_colour() -> None:
    done = hanlab("home", "show", "home-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "bridge-3 > bridge-1 > hub" in done.stdout


def test_what_cannot_be_shown_is_told_in_one_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(Path(HOUSE).read_text(encoding="utf-8").replace("place: shed", "place: moon"), encoding="utf-8")
    none = tmp_path / "none.yaml"
    for argument, says in ((str(bad), "place 'moon'"), (str(none), "no such file"), ("home-9", "home-1")):
        done = hanlab("home", "show", argument)
        assert done.returncode == EXIT_BAD_INPUT
        (line,) = done.stderr.splitlines()
        assert says in line
        assert done.stdout == ""
    result = RUNNER.invoke(app, ["show", "home-1", "--mermaid", "--json"])
    assert isinstance(result.exception, InputError)
