"""Every scenario as Wireshark sees it: no frame wrong or closed, and the commands it is about counted by cluster."""

from collections import Counter
from pathlib import Path

import pytest

from tests.scenarios import Judged, judge, table
from tests.support.scenarios import SCENARIOS

SPOKEN = (
    "Basic", "Identify", "Time", "Keep-Alive", "OTA", "Tunneling", "Key Establishment", "Price", "Load Control",
    "Metering", "Messaging", "Prepayment",
)  # fmt: skip
"""The clusters that devices of a home serve or use."""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Judged]:
    return {each.name: judge(each, tmp_path_factory.mktemp("scenario")) for each in SCENARIOS}


@pytest.mark.judge("tshark")
@pytest.mark.parametrize("name", [each.name for each in SCENARIOS])
def test_wireshark_finds_no_fault_and_every_command_expected(judged: dict[str, Judged], name: str) -> None:
    found = judged[name]
    assert found.faults == []
    assert found.broken == []
    assert found.missing == {}
    assert found.frames > 200


@pytest.mark.judge("tshark")
def test_each_cluster_has_frames(judged: dict[str, Judged]) -> None:
    together: Counter[str] = sum((found.clusters for found in judged.values()), Counter())
    assert {name for name in SPOKEN if together[name] < 5} == set()


@pytest.mark.judge("tshark")
def test_the_verdict_can_be_no(tmp_path: Path) -> None:
    """A scenario that expects more than is there, and one whose keys are missing."""
    (clusters,) = [each for each in SCENARIOS if each.name == "clusters"]
    more = judge(clusters._replace(expected={"Basic read": 99, "Price read": 1}), tmp_path)
    assert more.missing == {"Basic read": 1, "Price read": 0}

    def closed(folder: Path) -> tuple[Path, str]:
        capture, _ = clusters.make(folder)
        return capture, ""

    assert len(judge(clusters._replace(make=closed), tmp_path).faults) > 100


def test_the_table_has_a_row_for_each(judged: dict[str, Judged]) -> None:
    rows = table(judged)
    assert [row[0] for row in rows[1:]] == [each.name for each in SCENARIOS]
    assert {row[2] for row in rows[1:]} == {"no fault"}
