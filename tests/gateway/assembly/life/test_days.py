"""Each device's day, from lines of a timeline."""

from pathlib import Path

import pytest

from gateway.assembly.life import days, strips
from gateway.assembly.life.days import DeviceDay, Span, Transfer
from protocols.errors import InputError
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND

MIDNIGHT = 20_514 * DAY  # 2026-03-02
ESME = "home-1/esme"


def line(when: int, event: str, actor: str = ESME, **fields: object) -> dict[str, object]:
    return {"ns": when, "time": "", "actor": actor, "event": event, **fields}


def test_a_power_cut_over_midnight_belongs_to_both_days() -> None:
    life = days.lived([line(MIDNIGHT + 23 * HOUR, "power-off"), line(MIDNIGHT + 25 * HOUR + MINUTE, "power-on")])
    assert [(day.day, day.off) for day in life.days] == [("2026-03-02", HOUR), ("2026-03-03", HOUR + MINUTE)]
    assert life.outages == (Span(ESME, MIDNIGHT + 23 * HOUR, MIDNIGHT + 25 * HOUR + MINUTE),)


def test_who_is_still_off_at_the_end_was_off_until_then() -> None:
    life = days.lived([line(MIDNIGHT, "power-off"), line(MIDNIGHT + HOUR, "joined", "home-1/ihd")])
    assert life.outages == (Span(ESME, MIDNIGHT, MIDNIGHT + HOUR),)


def test_a_hub_that_was_replaced_is_not_without_power_ever_after() -> None:
    """It was unplugged at that instant; what an earlier cut took from it stays."""
    hub = "home-1/hub"
    life = days.lived(
        [
            line(MIDNIGHT, "power-off", hub),
            line(MIDNIGHT + MINUTE, "power-on", hub),
            line(MIDNIGHT + HOUR, "power-off", hub),
            line(MIDNIGHT + HOUR, "replaced", hub, by="home-1/replacement"),
            line(MIDNIGHT + 2 * HOUR, "power-on", hub),
            line(MIDNIGHT + 50 * HOUR, "joined", "home-1/ihd"),
        ]
    )
    assert life.outages == (Span(hub, MIDNIGHT, MIDNIGHT + MINUTE),)
    assert life.replaced == (Span(hub, MIDNIGHT + HOUR, MIDNIGHT + 50 * HOUR),)
    assert [(day.day, day.off) for day in life.days if day.device == hub] == [("2026-03-02", MINUTE)]
    strip = strips._strip(life, hub, 50)
    assert strip == "X·" + " " * 48


def test_a_day_adds_up_what_happened() -> None:
    life = days.lived(
        [
            line(MIDNIGHT, "step", "story", title="not a device"),
            line(MIDNIGHT + 1, "joined"),
            line(MIDNIGHT + 2, "download-started", size=1000),
            line(MIDNIGHT + 5, "download-finished", blocks=20),
            line(MIDNIGHT + 6, "activated", to_version="01000100"),
            line(MIDNIGHT + 7, "alert-sent", code="8F72"),
            line(MIDNIGHT + DAY, "day", consumption=12),
        ]
    )
    whole = DeviceDay("2026-03-02", ESME, 0, 1, 1000, "01000100", ["8F72"], {"consumption": 12})
    assert whole in life.days
    assert life.transfers == (Transfer(ESME, "", 1000, ((MIDNIGHT + 2, 0), (MIDNIGHT + 5, 1000))),)


def test_the_profile_of_a_day_is_drawn_as_power_and_a_late_row_counts_for_its_date() -> None:
    profile = " ".join(["-", "500", *["0"] * 46])
    row = line(MIDNIGHT + DAY + 3 * HOUR, "day", kind="esme", date="2026-03-02", profile=profile)
    life = days.lived([row])
    assert (life.days[0].day, life.days[0].told["profile"]) == ("2026-03-02", profile)
    assert life.demand[ESME][:2] == ((MIDNIGHT + 30 * MINUTE, 1_000), (MIDNIGHT + HOUR, 0))


def test_the_second_element_of_a_twin_meter_has_a_curve_of_its_own() -> None:
    row = line(MIDNIGHT + DAY, "day", kind="esme", date="2026-03-02", profile="1", second_profile="- 3000")
    life = days.lived([row])
    assert life.demand == {
        ESME: ((MIDNIGHT, 2),), f"{ESME}, second element": ((MIDNIGHT + 30 * MINUTE, 6_000),)
    }  # fmt: skip


def test_the_age_of_a_gas_reading_is_that_of_the_snapshot_shown() -> None:
    taken = MIDNIGHT // SECOND - 946_684_800
    life = days.lived([line(MIDNIGHT + 20 * MINUTE, "shown", "home-1/ihd", of="gas", gas_at=taken, gas_l=5)])
    assert life.lags == {"home-1/ihd": ((MIDNIGHT + 20 * MINUTE, 1_200),)}


def test_the_age_of_the_mirror_is_that_of_what_it_held_when_the_next_reading_came() -> None:
    taken = MIDNIGHT // SECOND - 946_684_800
    lines = [line(MIDNIGHT + number * HOUR, "mirrored", "home-1/hub", **{"0007": taken + number * 3600 - 1})
             for number in range(2)]  # fmt: skip
    life = days.lived([*lines, line(MIDNIGHT + 2 * HOUR, "mirrored", "home-1/hub", **{"0300": 1})])
    assert life.lags == {"home-1/hub": ((MIDNIGHT + HOUR, 3_601),)}


def test_a_download_that_goes_on_after_a_restart_is_one_transfer() -> None:
    life = days.lived(
        [
            line(MIDNIGHT, "download-started", size=1000, version="01000100"),
            line(MIDNIGHT + MINUTE, "download-kept", octets=400),
            line(MIDNIGHT + HOUR, "download-started", size=1000, version="01000100"),
            line(MIDNIGHT + 2 * HOUR, "download-finished"),
        ]
    )
    (transfer,) = life.transfers
    assert (transfer.begin, transfer.end) == (MIDNIGHT, MIDNIGHT + 2 * HOUR)
    assert transfer.kept == ((MIDNIGHT, 0), (MIDNIGHT + MINUTE, 400), (MIDNIGHT + 2 * HOUR, 1000))


def test_a_download_given_up_for_another_is_shown_as_far_as_it_came() -> None:
    life = days.lived(
        [
            line(MIDNIGHT, "download-started", size=1000, version="01000100"),
            line(MIDNIGHT + MINUTE, "download-kept", octets=400),
            line(MIDNIGHT + HOUR, "download-started", size=1000, version="01000200"),
        ]
    )
    assert [(transfer.version, transfer.kept[-1][1]) for transfer in life.transfers] == [
        ("01000100", 400), ("01000200", 0)
    ]  # fmt: skip
    assert life.days[0].downloaded == 0


def test_the_chapters_of_the_story_are_kept_with_their_times() -> None:
    life = days.lived([line(MIDNIGHT, "step", "story", title="power cut 1")])
    assert (life.steps, life.days) == (((MIDNIGHT, "power cut 1"),), ())


def test_a_folder_without_a_timeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"timeline\.jsonl"):
        days.read(tmp_path)
