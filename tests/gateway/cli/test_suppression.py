"""`hanlab suppression replay` as a user gives it: table, --json, one line for what is wrong."""

import json
from pathlib import Path

import pytest

from protocols.addresses import Eui64
from tests.support.demo_run import EXIT_BAD_INPUT, hanlab
from tests.support.dsp_bench import ESME, Bench
from tests.support.outage_stream import outage_stream

GOLDEN = Path(__file__).parent / "golden" / "suppression-replay.txt"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "list.txt").write_text(f"{ESME}\n")
    (tmp_path / "today.yaml").write_text("window: 30m\n")
    (tmp_path / "held.yaml").write_text("name: held back\nwindow: 30m\nsuppressed: release\ntracked: list.txt\n")
    (tmp_path / "off.yaml").write_text("suppression: false\n")
    lines = [json.dumps({name: _plain(cell) for name, cell in event.model_dump().items()}) for event in outage_stream()]
    (tmp_path / "stream.jsonl").write_text("\n".join(lines))
    return tmp_path


def _plain(cell: object) -> object:
    return str(cell) if isinstance(cell, Eui64) else cell


def test_a_table_and_the_alerts_that_differ(folder: Path) -> None:
    rules: list[str | Path] = [
        word for name in ("today", "held", "off") for word in ("--rules", str(folder / f"{name}.yaml"))
    ]
    given = (folder / "stream.jsonl", "--tracked", folder / "list.txt")
    told = hanlab("suppression", "replay", *given, *rules, "--show", "3")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == GOLDEN.read_text()


def test_json_holds_every_alert_that_differs(folder: Path) -> None:
    given = (folder / "stream.jsonl", "--rules", folder / "off.yaml", "--tracked", folder / "list.txt")
    told = hanlab("suppression", "replay", *given, "--json")
    (verdict,) = json.loads(told.stdout)
    assert (verdict["rules"], verdict["leaked"], len(verdict["differences"])) == ("off", 2, 2)


def test_a_store_brings_its_own_list(folder: Path) -> None:
    bench = Bench(url=f"sqlite:///{folder / 'store.db'}")
    bench.activate()
    bench.outage()
    told = hanlab("suppression", "replay", folder / "store.db", "--rules", folder / "today.yaml", "--json")
    (verdict,) = json.loads(told.stdout)
    assert (verdict["alerts"], verdict["suppressed"], verdict["judged_by"]) == (2, 2, "first rules")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("stream.jsonl", "--rules", "today.yaml"), "no list: give --tracked, or name one in each set of rules"),
        (("none.jsonl", "--rules", "held.yaml"), "none.jsonl: cannot be read: "),
        (("none", "--rules", "held.yaml"), "none: missing"),
        (("stream.jsonl", "--rules", "none.yaml"), "none.yaml: cannot be read: "),
    ],
)
def test_bad_input_is_told_in_one_line(arguments: tuple[str, ...], told: str, folder: Path) -> None:
    done = hanlab("suppression", "replay", *(folder / one if "." in one or one == "none" else one for one in arguments))
    assert (done.returncode, done.stdout) == (EXIT_BAD_INPUT, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
