"""Homes with a polyphase and with a twin element meter, run as a user runs them; Wireshark counts their frames."""

import json
from collections import Counter
from pathlib import Path

import pytest

from protocols.gbcs.blocks import is_block
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import ecs80
from tests.support import tshark
from tests.support.lived import lived


@pytest.fixture(scope="session")
def three_phases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lived(tmp_path_factory, "home-3", "1d")


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lived(tmp_path_factory, "home-4", "2d")


@pytest.mark.parametrize("home", ["three_phases", "twin"])
def test_all_checks_of_the_life_pass(home: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(home)
    assert (folder / "exit").read_text(encoding="utf-8") == "0 "
    summary = json.loads((folder / "stdout").read_text(encoding="utf-8"))
    assert summary["story_failures"] == []
    assert [check["requirement"] for check in summary["checks"] if not check["passed"]] == []
    days = json.loads((folder / "run" / "days.json").read_text(encoding="utf-8"))
    told = [day["told"] for day in days if day["device"].endswith("/esme") and day["told"]]
    assert told
    assert all(("second_wh" in row) is (home == "twin") for row in told)


@pytest.mark.judge("tshark")
def test_the_alerts_of_phases_are_in_the_tunnels(three_phases: Path) -> None:
    """As often as the plan has them, the supply's own included; one more is in no tunnel."""
    run = three_phases / "run"
    octets = tshark.layer_octets(run / "capture.pcapng", run / "keys.txt", "gbcs_message").values()
    messages = [Message.decode(message) for message in dict.fromkeys(octets) if not is_block(message)]
    alerts = [ecs80.Alert.decode(each.payload) for each in messages if each.message_code == ecs80.MESSAGE_CODE]
    codes = Counter(f"{alert.alert_code:04X}" for alert in alerts)
    assert codes == {"8F35": 1, "8F36": 3, "8F37": 1, "8F38": 2, "8F39": 1, "8F3A": 1, "8F3B": 1, "8F3C": 1}


@pytest.mark.judge("tshark")
def test_both_elements_are_read_on_the_air(twin: Path) -> None:
    """Each display asks the second element's endpoint, and the meter answers each from there."""
    run = twin / "run"
    files = (run / "capture.pcapng", run / "keys.txt")
    assert tshark.faults(*files) == []
    read = "zbee_aps.cluster == 0x0702 && zbee_aps.profile == 0x0109"
    names = ["zbee_aps.src", "zbee_aps.dst", "zbee_zcl.cmd.id", "zbee_zcl_se.met.cmd.srv_rx.id"]
    rows = tshark.fields(*files, [*names, "zbee_zcl.cmd.tsn", "zbee_nwk.src", "zbee_nwk.dst"], display_filter=read)
    asked = [(row[4], row[5]) for row in rows if row[1:3] == ["3", "0x00"]]
    answered = [(row[4], row[6]) for row in rows if (row[0], row[2]) == ("3", "0x01")]
    profiles = sum((row[1], row[3]) == ("3", "0x00") for row in rows)
    assert min(len(asked), len(answered)) > 200  # frames, repetitions included
    assert set(answered) == set(asked)  # transaction and reader
    assert len({reader for _, reader in asked}) >= 3
    assert profiles >= 4  # a day of the CAD, twelve half-hours at a time
    told = [json.loads(line) for line in (run / "timeline.jsonl").read_text(encoding="utf-8").splitlines()]
    (read_whole,) = [line["profile"] for line in told if line["event"] == "second-profile-read"]
    (row,) = [line for line in told if line["event"] == "day" and line.get("second_profile") and line["second_wh"]]
    assert read_whole == row["second_profile"]
