"""MP170-P14: what meters hold, their mirror has and displays show; each defect is found."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest

from gateway.campaigns.evidence.readings import MeterReading
from gateway.campaigns.verify.check import Check
from gateway.campaigns.verify.evidence import Evidence, gather
from gateway.campaigns.verify.folder import Event
from gateway.campaigns.verify.living import check_displays, check_mirror
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from protocols.zcl.clusters import metering
from tests.support.honest_story import ESME, PPMID, Story
from tests.support.planting import failures, told
from tests.support.requirements import EVIDENCE

DISPLAY = "home-1/ppmid"


def lines(story: Story, event: str) -> list[dict[str, str | int | bool | None]]:
    return [line for line in story.run.timeline if line["event"] == event]


def show_another_register(story: Story) -> None:
    lines(story, "shown")[1]["gas_l"] = 4_251


def show_what_nobody_sent(story: Story) -> None:
    del story.run.air["gas read 1"]


def serve_an_old_value(story: Story) -> None:
    """The mirror answers, and the display shows, what the meter sent a waking before."""
    story.run.air["gas read 1"].frame = story.run.air["gas read 0"].frame
    shown = lines(story, "shown")
    shown[1] |= {name: shown[0][name] for name in ("gas_l", "gas_at")}


def mirror_another_value(story: Story) -> None:
    lines(story, "mirrored")[0]["0000"] = 3_999


def mirror_nothing(story: Story) -> None:
    story.run.timeline = [line for line in story.run.timeline if line["event"] != "mirrored"]


@pytest.mark.requirement("MP170-P14", planted=EVIDENCE)
@pytest.mark.parametrize(
    ("defect", "found"),
    [
        (show_another_register, "shows what it was not told"),
        (show_what_nobody_sent, "shows what it was not told"),
        (serve_an_old_value, "reads 4000, the meter sent 4250"),
        (mirror_another_value, "1 of 2 reports never reached the mirror"),
        (mirror_nothing, "2 of 2 reports never reached the mirror"),
    ],
)
def test_a_defect_is_found(tmp_path: Path, defect: Callable[[Story], None], found: str) -> None:
    story = told()
    defect(story)
    assert found in failures(story, tmp_path)["MP170-P14"]


# --- the registers of an ESME, read by its partners ----------------------------------------------------------------


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    """The honest run; next day the ESME is read at 12:10, and its row tells 100 Wh a half-hour, 10 kWh at midnight."""
    honest = gather(told().run.write(tmp_path))
    noon = honest.air.last // DAY * DAY + DAY + 12 * HOUR + 10 * MINUTE
    date = datetime.fromtimestamp(noon // SECOND, UTC).date().isoformat()
    row: dict[str, str | int | bool | None] = {"date": date, "import_wh": 10_000, "profile": " ".join(["100"] * 48)}
    events = (
        Event(noon + SECOND, DISPLAY, "shown", {"of": "electricity", "import_wh": 7_630}),
        Event(noon // DAY * DAY + DAY, "home-1/esme", "day", row),
    )
    files = replace(honest.files, timeline=(*honest.files.timeline, *events))
    return read_as(replace(honest, files=files), noon, 7_630)


def read_as(evidence: Evidence, when: int, value: int) -> Evidence:
    values = MappingProxyType({0x0000: value})
    reading = MeterReading(999, when, ESME, PPMID, metering.CLUSTER, False, values)
    readings = tuple(each for each in evidence.air.readings if each.frame != reading.frame)
    return replace(evidence, air=evidence.air._replace(readings=(*readings, reading)))


def shown(evidence: Evidence, value: int) -> Evidence:
    changed = [
        event._replace(fields={**event.fields, "import_wh": value}) if event.text("of") == "electricity" else event
        for event in evidence.files.timeline
    ]
    return replace(evidence, files=replace(evidence.files, timeline=tuple(changed)))


def one(checks: Iterator[Check]) -> Check:
    (check,) = checks
    return check


def test_a_register_within_its_half_hour_is_believed(evidence: Evidence) -> None:
    assert one(check_displays(evidence)).evidence == "home-1/ppmid: 3 readings"
    assert one(check_mirror(evidence)).passed


@pytest.mark.parametrize("value", [7_599, 7_701])
def test_a_register_off_the_meters_own_profile_is_found(evidence: Evidence, value: int) -> None:
    wrong = shown(read_as(evidence, evidence.air.readings[-1].time, value), value)
    check = one(check_displays(wrong))
    assert not check.passed
    assert f"{value} Wh, where the meter's day has 7600 to 7700" in check.evidence


def test_no_display_is_no_evidence(evidence: Evidence) -> None:
    silent = replace(evidence, files=replace(evidence.files, timeline=()), air=evidence.air._replace(readings=()))
    assert one(check_displays(silent)).evidence == "no evidence: no display showed anything"
    assert not one(check_mirror(silent)).passed
