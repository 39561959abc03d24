"""Each device's day, from lines of a timeline."""

from pathlib import Path

import pytest

from gateway.assembly.life import days
from gateway.assembly.life.days import DeviceDay, Span
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
    assert life.transfers == (Span(ESME, MIDNIGHT + 2, MIDNIGHT + 5, 1000),)


def test_the_profile_of_a_day_is_drawn_as_power_and_a_late_row_counts_for_its_date() -> None:
    profile = " ".join(["-", "500", *["0"] * 46])
    row = line(MIDNIGHT + DAY + 3 * HOUR, "day", kind="esme", date="2026-03-02", profile=profile)
    life = days.lived([row])
    assert (life.days[0].day, life.days[0].told["profile"]) == ("2026-03-02", profile)
    assert life.demand[ESME][:2] == ((MIDNIGHT + 30 * MINUTE, 1_000), (MIDNIGHT + HOUR, 0))


def test_the_age_of_a_gas_reading_is_that_of_the_snapshot_shown() -> None:
    taken = MIDNIGHT // SECOND - 946_684_800
    life = days.lived([line(MIDNIGHT + 20 * MINUTE, "shown", "home-1/ihd", of="gas", gas_at=taken, gas_l=5)])
    assert life.lags == {"home-1/ihd": ((MIDNIGHT + 20 * MINUTE, 1_200),)}


def test_a_download_that_goes_on_after_a_restart_is_one_transfer() -> None:
    life = days.lived(
        [
            line(MIDNIGHT, "download-started", size=1000),
            line(MIDNIGHT + HOUR, "download-started", size=1000),
            line(MIDNIGHT + 2 * HOUR, "download-finished"),
        ]
    )
    assert life.transfers == (Span(ESME, MIDNIGHT, MIDNIGHT + 2 * HOUR, 1000),)


def test_a_folder_without_a_timeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"timeline\.jsonl"):
        days.read(tmp_path)
