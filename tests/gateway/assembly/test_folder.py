"""The output folder never destroys what somebody else made."""

import io
import json
from pathlib import Path

import pytest

from gateway.assembly.folder import MessageLog, RunFolder, Timeline, iso
from protocols.errors import InputError


class StoppedClock:
    """A clock that stands at one instant."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(InputError, match="not made by hanlab"):
        RunFolder(tmp_path)
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "years of work"


def test_a_folder_of_an_earlier_run_is_made_anew(tmp_path: Path) -> None:
    first = RunFolder(tmp_path / "run")
    first.write_json("summary.json", {"seed": 1})
    RunFolder(tmp_path / "run")
    assert not (tmp_path / "run/summary.json").exists()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="is not a folder"):
        RunFolder(tmp_path / "run")


def test_times_have_nine_decimals() -> None:
    assert iso(1_772_442_000_000_000_001) == "2026-03-02T09:00:00.000000001Z"


def test_a_timeline_line_has_time_actor_event_then_fields_in_order() -> None:
    stream = io.StringIO()
    Timeline(StoppedClock(5), stream).note("dsp", "request", user="supplier", code="I0")
    line = stream.getvalue()
    assert list(json.loads(line)) == ["time", "ns", "actor", "event", "code", "user"]


def test_messages_are_kept_in_order_with_their_time(tmp_path: Path) -> None:
    log = MessageLog(RunFolder(tmp_path / "run"), StoppedClock(7), "mailboxes/supplier")
    log.keep(b"<one/>")
    log.keep(b"<two/>")
    names = sorted(p.name for p in (tmp_path / "run/mailboxes/supplier").iterdir())
    assert names == ["000001-7.xml", "000002-7.xml"]
