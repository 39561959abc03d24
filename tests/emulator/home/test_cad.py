"""The CAD of home 2: it reads every quarter of an hour, and the profile of each day."""

from pathlib import Path

import pytest

from emulator.devices.cad import Cad
from protocols.interfaces import DAY, HOUR, MINUTE
from tests.support import tshark
from tests.support.keyed_home import HOMES, KeyedHome

HOME_2 = HOMES / "home-2.yaml"


@pytest.mark.judge("tshark")
def test_a_cad_reads_often_and_the_profile_of_the_day_before(tmp_path: Path) -> None:
    home = KeyedHome("cad", described=HOME_2).run_till_keyed()
    home.clock.run_until(home.clock.now() // DAY * DAY + 2 * DAY + 4 * HOUR)
    rows = {fields["date"]: fields for fields in home.notes.of("day", "home-2/esme")}
    (read,) = home.notes.of("profile-read", "home-2/cad")
    assert read["profile"] == rows[read["date"]]["profile"]
    assert len(str(read["profile"]).split()) == 48
    (day,) = [fields for fields in home.notes.of("day", "home-2/cad") if fields["date"] == read["date"]]
    assert day["reads"] in range(188, 196)  # of the meter and of the mirror
    assert day["failed"] == 0
    device = home.quiet("cad")
    assert isinstance(device, Cad)
    assert list(device.profile.read) == [home.clock.now() // DAY - 1]
    shown = [fields for fields in home.notes.of("shown", "home-2/cad") if fields["of"] == "electricity"]
    assert max(int(str(fields["export_wh"])) for fields in shown) > 1_000
    capture, keys = home.write(tmp_path)
    assert tshark.faults(capture, keys) == []
    status = "zbee_zcl_se.met.get_profile_response.number_of_periods_delivered"
    answers = tshark.fields(capture, keys, ["zbee_zcl.cmd.tsn", status], display_filter=status)
    assert [int(number) for _, number in dict.fromkeys(map(tuple, answers))][-4:] == [12] * 4


def test_a_display_without_power_shows_nothing_and_comes_back() -> None:
    home = KeyedHome("cad", described=HOME_2).run_till_keyed()
    home.run(HOUR // 10**9)
    device = home.quiet("cad")
    assert device.display is not None
    before = device.display.reader.shown.values["export_wh"]
    assert before > 0
    device.power_off()
    assert device.display.reader.shown.values == {}
    home.run(10 * MINUTE // 10**9)
    device.power_on()
    home.run(20 * MINUTE // 10**9)
    assert device.display.reader.shown.values["export_wh"] >= before
