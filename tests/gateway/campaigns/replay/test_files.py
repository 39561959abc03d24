"""Rules and streams as files: one meaning in either form, and errors that name line and field."""

import json
from pathlib import Path

import pytest

from gateway.campaigns.replay.rules import read_rules
from gateway.campaigns.replay.stream import Activated, Confirmed, OutageReceived, Placed, read_stream
from gateway.dsp.settings import DspSettings, OutageScope, OutageTime
from protocols.errors import InputError
from protocols.interfaces import MINUTE

T = 1_772_442_000_000_000_000  # 2026-03-02T09:00:00Z
ESME, HUB = "00DB1234567890A0", "00-db-12-34-56-78-90-a2"
EVENTS = (
    {"event": "device", "time": 0, "esme": ESME, "hub": HUB, "mpxn": "1012345678901", "smets1": False},
    {"event": "activation", "time": T, "esme": ESME, "request": "r1", "date": "2026-03-04T09:00:00Z"},
    {"event": "activation", "time": T + MINUTE, "esme": ESME, "request": "r2", "cancel": True},
    {"event": "confirmed", "time": T + 2 * MINUTE, "request": "r2"},
    {"event": "outage", "time": T + 9 * MINUTE, "hub": HUB, "started": T + 6 * MINUTE, "cause": "mains"},
)


def _jsonl(path: Path, *events: object) -> Path:
    path.write_text("".join(json.dumps(event) + "\n\n" for event in events), encoding="utf-8")
    return path


def test_json_lines_and_csv_say_the_same(tmp_path: Path) -> None:
    names = list(dict.fromkeys(name for event in EVENTS for name in event))
    rows = [",".join(names), *(",".join(str(event.get(name, "")) for name in names) for event in EVENTS)]
    (tmp_path / "s.csv").write_text("\n".join(rows) + "\n")
    read = read_stream(_jsonl(tmp_path / "s.jsonl", *EVENTS))
    assert read == read_stream(tmp_path / "s.csv")
    assert [type(event) for event in read] == [Placed, Activated, Activated, Confirmed, OutageReceived]
    assert isinstance(read[1], Activated)
    assert read[1].date == T + 2 * 24 * 60 * MINUTE


def test_events_are_taken_in_order_of_time_and_those_of_one_instant_as_they_stand(tmp_path: Path) -> None:
    late, early = EVENTS[4], {"event": "confirmed", "time": T, "request": "r0"}
    same = {"event": "confirmed", "time": T, "request": "r1"}
    read = read_stream(_jsonl(tmp_path / "s.jsonl", late, early, same))
    assert [getattr(event, "request", "outage") for event in read] == ["r0", "r1", "outage"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"event": "outge"}, "event: Input tag 'outge' found using 'event' does not match"),
        (EVENTS[4] | {"hub": "00DB"}, "outage.hub: Value error, "),
        (EVENTS[4] | {"started": "2026-03-02T09:00:00"}, "outage.started: Value error, no offset from UTC"),
        (EVENTS[4] | {"started": "yesterday"}, "outage.started: Value error, neither ns since 1970 nor ISO 8601"),
        (EVENTS[4] | {"cause": "magic"}, "outage.cause: "),
        (EVENTS[1] | {"extra": 1}, "activation.extra: Extra inputs are not permitted"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_field(line: dict[str, object], told: str, tmp_path: Path) -> None:
    path = _jsonl(tmp_path / "s.jsonl", EVENTS[0], line)
    with pytest.raises(InputError) as wrong:
        read_stream(path)
    assert str(wrong.value).startswith(f"{path}: line 3: {told}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("event,time,request\nconfirmed,x,r\n", "line 2: confirmed.time: Value error, neither ns since"),
        ("event,time,request\nconfirmed,1,r,more\n", "line 2: more cells than the header names"),
    ],
)
def test_a_bad_row_is_told_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(text)
    with pytest.raises(InputError) as wrong:
        read_stream(path)
    assert str(wrong.value).startswith(f"{path}: {told}")


def _rules(folder: Path, text: str) -> Path:
    path = folder / "rules.yaml"
    path.write_text(text)
    return path


def test_rules_that_say_nothing_are_those_of_the_dsp(tmp_path: Path) -> None:
    rules = read_rules(_rules(tmp_path, "format: 1\n"))
    assert rules.settings == DspSettings()
    assert (rules.name, rules.suppressed, rules.tracked) == ("rules", "drop", None)


def test_rules_set_what_the_dsp_leaves_open(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("")
    text = "name: n\nwindow: 90s\ntime: either\nscope: per_mpxn\nsuppressed: release\ntracked: list.txt\n"
    rules = read_rules(_rules(tmp_path, text))
    assert rules.settings == DspSettings(
        window=3 * MINUTE // 2, outage_time=OutageTime.EITHER, outage_scope=OutageScope.PER_MPXN
    )
    assert (rules.name, rules.tracked) == ("n", tmp_path / "list.txt")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("window: 30m\nwindw: 1m\n", "line 2: windw: Extra inputs are not permitted"),
        ("name: n\nwindow: half an hour\n", "line 2: window: Value error, a duration is a whole number with s, m or h"),
        ("window: 30\n", "line 1: window: Value error, a duration is a whole number with s, m or h"),
        ("scope: street\n", "line 1: scope: Input should be 'whole_hub' or 'per_mpxn'"),
        ("window: [\n", " line 2 not YAML: "),
        ("format: 2\n", "format 2 is newer than this hanlab reads (1)"),
        ("tracked: none.txt\n", "tracked: no file "),
        ("", "line 1: rules: Input should be a valid dictionary"),
    ],
)
def test_a_mistake_in_rules_is_told_with_line_and_field(text: str, told: str, tmp_path: Path) -> None:
    path = _rules(tmp_path, text)
    with pytest.raises(InputError) as wrong:
        read_rules(path)
    assert str(wrong.value).startswith((f"{path}: {told}", f"{path}:{told}"))
