"""Idle homes: what counts as a fleet that lost nothing."""

from pathlib import Path

import pytest

from emulator.fleet.on_air.home import Meter
from gateway.assembly.fleet.idle import Idled, idle
from protocols.errors import InputError

WHOLE = Idled(homes=2, devices=3, minutes=10, sent=60, read=59, torn=0, refused=0, frames=0, seconds=0.01)


@pytest.mark.parametrize("defect", [{"torn": 1}, {"refused": 1}, {"read": 57}])
def test_what_is_lost_or_refused_is_no_whole_fleet(defect: dict[str, int]) -> None:
    assert WHOLE.whole
    assert not WHOLE._replace(**defect).whole


def test_reports_that_get_lost_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A meter that does not send each third report: its hub sees the gaps."""
    report = Meter._report

    def forgetful(self: Meter) -> None:
        self.summation += self.summation % 3 == 2
        report(self)

    assert idle(2, 2, 10, seed=1).whole
    monkeypatch.setattr(Meter, "_report", forgetful)
    done = idle(2, 2, 10, seed=1)
    assert done.torn > 0
    assert not done.whole


def test_a_capture_that_cannot_be_written_stops_it_before_the_homes_are_built(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--capture: .*Is a directory"):
        idle(10**9, 5, 1, seed=1, capture=tmp_path)
