"""Two days of home 1, its gas meter behind two bridges: registers, displays, mirror, switches, prices, messages."""

from itertools import pairwise
from typing import Any

import pytest

from emulator.devices.esme import Esme
from emulator.devices.gsme import Gsme
from emulator.devices.hcalcs import Hcalcs
from emulator.parts.registers import HALF_HOUR
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from protocols.zcl.clusters import time
from protocols.zcl.clusters.drlc import EventStatus
from tests.support.keyed_home import KeyedHome

WAKE = 30 * MINUTE
SLOW = 5 * SECOND  # the meter's clock gains 0.7 s a day


class LivingHome(KeyedHome):
    @property
    def esme(self) -> Esme:
        device = self.device("esme").device
        assert isinstance(device, Esme)
        return device

    def lines(self, event: str, *actors: str) -> list[tuple[int, str, dict[str, Any]]]:
        """Return time, device and fields of each such event."""
        wanted = {f"home-1/{actor}" for actor in actors}
        return [(at, who, fields) for at, who, what, fields in self.notes.lines if what == event and who in wanted]


@pytest.fixture(scope="module")
def home() -> LivingHome:
    lived = LivingHome()
    lived.run_till_keyed(within=900)
    lived.clock.run_until(lived.clock.now() // DAY * DAY + 2 * DAY + 4 * HOUR)
    return lived


# --- registers and rows --------------------------------------------------------------------------------------------


def test_the_rows_of_an_esme_add_up(home: LivingHome) -> None:
    rows = [fields for _, _, fields in home.lines("day", "esme")]
    assert [row["date"] for row in rows] == ["2026-03-02", "2026-03-03"]
    assert rows[1]["import_wh"] - rows[0]["import_wh"] == rows[1]["day_import_wh"]
    for row in rows:
        profile = [0 if entry == "-" else int(entry) for entry in row["profile"].split()]
        assert len(profile) == 48
        assert sum(profile) == row["day_import_wh"]
        assert row["tier_1_wh"] + row["tier_2_wh"] == row["import_wh"]
        assert 2_000 < row["voltage_least"] <= row["voltage_most"] < 2_600
    assert rows[1]["day_import_wh"] > 10_000


def test_each_half_hour_is_in_the_register_of_its_tier(home: LivingHome) -> None:
    """Economy 7: tier 2 from half past midnight to half past seven."""
    first, second = (fields for _, _, fields in home.lines("day", "esme"))
    night = sum(int(entry) for entry in second["profile"].split()[1:15])
    assert night > 8_000
    assert second["tier_2_wh"] - first["tier_2_wh"] == night
    assert second["tier_1_wh"] - first["tier_1_wh"] == second["day_import_wh"] - night


def test_the_account_follows_from_the_registers(home: LivingHome) -> None:
    (row,) = [fields for _, _, fields in home.lines("day", "esme") if fields["date"] == "2026-03-03"]
    tariff = home.home.description.consumption.electricity_tariff
    assert row["cost"] == tariff.cost((row["tier_1_wh"], row["tier_2_wh"]), 2)
    assert row["balance"] == 3_000_000 - row["cost"]


def test_the_load_behind_the_switch_is_in_the_registers(home: LivingHome) -> None:
    """2.8 kW from 00:35 to 03:35."""
    profile = home.esme.meter.registers.day_profile(home.clock.now() // DAY - 1)
    taken = [entry[0] for entry in profile if entry]
    assert min(taken[2:7]) > 1_400
    assert taken[1] > 2_800 * 25 // 60
    assert max(taken[8:11]) < 1_400


# --- displays ------------------------------------------------------------------------------------------------------


def test_what_a_display_shows_is_what_the_meter_holds(home: LivingHome) -> None:
    """Each reading lies between the meter's registers at the half-hours around it."""
    registers = home.esme.meter.registers
    held, at = {}, 0
    for interval in registers.intervals():
        held[interval.begin] = at
        at += interval.taken
    shown = [line for line in home.lines("shown", "ihd", "ppmid") if line[2]["of"] == "electricity"]
    assert len(shown) > 150
    for when, _, fields in shown:
        begin = when // HALF_HOUR * HALF_HOUR
        if begin + HALF_HOUR in held:
            assert held[begin] <= fields["import_wh"] <= held[begin + HALF_HOUR]


@pytest.mark.requirement("MP170-P14")
def test_displays_show_gas_as_the_mirror_has_it(home: LivingHome) -> None:
    pushed = {fields["0007"]: fields["0000"] for _, _, fields in home.lines("mirror-pushed", "gsme")}
    shown = [line for line in home.lines("shown", "ihd", "ppmid") if line[2]["of"] == "gas" and "gas_l" in line[2]]
    assert len(shown) > 150
    for when, _, fields in shown:
        assert pushed[fields["gas_at"]] == fields["gas_l"]
        assert 0 <= when - time.to_nanoseconds(fields["gas_at"]) <= WAKE + MINUTE
    assert len({fields["gas_l"] for _, _, fields in shown}) > 10


def test_the_mirror_is_what_the_meter_sent_and_at_most_a_waking_old(home: LivingHome) -> None:
    pushed, mirrored = home.lines("mirror-pushed", "gsme"), home.lines("mirrored", "hub")
    changing = [line for line in mirrored if "0000" in line[2]]
    assert [fields for _, _, fields in changing] == [fields for _, _, fields in pushed]
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(changing)]
    assert max(gaps) <= WAKE + MINUTE
    gsme = home.device("gsme").device
    assert isinstance(gsme, Gsme)
    assert home.lines("day", "gsme")[1][2]["wakes"] == 48
    assert 95 <= gsme.meter.battery_left <= 100


def test_a_message_is_shown_and_its_confirmation_told(home: LivingHome) -> None:
    text = "Your meters will be updated this week."
    for name in ("ihd", "ppmid"):
        assert [fields["text"] for _, _, fields in home.lines("message-shown", name)] == [text]
    (confirmed,) = home.lines("message-confirmed", "esme")
    assert confirmed[2]["message"] == 1
    assert [fields["code"] for _, _, fields in home.lines("alert-sent", "esme")] == ["81A6"]


def test_prices_reach_the_displays_when_the_tier_changes(home: LivingHome) -> None:
    for name in ("ihd", "ppmid"):
        told = [((at + SLOW) % DAY // HALF_HOUR, fields["price"]) for at, _, fields in home.lines("price-shown", name)]
        assert told[0][1] == 31_000
        assert set(told[1:]) == {(1, 15_000), (15, 31_000)}
    assert home.esme.meter.prices.acknowledged >= 8


# --- switches ------------------------------------------------------------------------------------------------------


def test_the_switch_follows_the_calendar_and_reports(home: LivingHome) -> None:
    switched = [((at + SLOW) % DAY // MINUTE, fields["on"]) for at, _, fields in home.lines("load-switched", "hcalcs")]
    assert switched == [(35, True), (215, False)] * 2
    reported = [fields["status"] for _, _, fields in home.lines("load-reported", "esme")]
    assert reported == [EventStatus.STARTED, EventStatus.COMPLETED] * 2
    (row,) = [fields for _, _, fields in home.lines("day", "hcalcs") if fields["date"] == "2026-03-03"]
    assert row["seconds_on"] in (10_799, 10_800)


def test_a_switch_that_was_off_asks_what_is_in_force(home: LivingHome) -> None:
    hcalcs = home.device("hcalcs").device
    assert isinstance(hcalcs, Hcalcs)
    home.clock.run_until(home.clock.now() // DAY * DAY + DAY + HOUR)
    assert hcalcs.load_on
    hcalcs.power_off()
    assert not hcalcs.load.on
    home.run(60)
    hcalcs.power_on()
    home.run(60)
    assert hcalcs.load.on
