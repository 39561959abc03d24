"""Both elements of a twin element meter are held against what is told and shown of them; each defect is found."""

from dataclasses import replace

import pytest

from gateway.campaigns.verify.evidence import Evidence, gather
from gateway.campaigns.verify.folder import Event
from gateway.campaigns.verify.life_accounts import check_costs
from gateway.campaigns.verify.life_meters import check_registers
from gateway.campaigns.verify.living import check_displays
from tests.support.lived import added, altered, lived, planned


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return gather(lived(tmp_path_factory, "home-4", "2d") / "run")


def row(event: Event) -> bool:
    return event.name == "day" and event.text("kind") == "esme"


def second(event: Event) -> bool:
    return event.name == "shown" and event.text("of") == "second element"


@pytest.mark.requirement("MP170-P14")
def test_both_elements_add_up_and_are_shown_by_every_display(honest: Evidence) -> None:
    (registers,), (displays,) = check_registers(honest), check_displays(honest)
    assert registers.passed, registers.evidence
    assert displays.passed, displays.evidence
    assert "home-4/esme, second element: 2 days" in registers.evidence
    for name in ("ihd", "cad", "ppmid"):
        assert f"home-4/{name}, second element: " in displays.evidence


def test_a_second_register_that_left_its_profile_is_found(honest: Evidence) -> None:
    (check,) = check_registers(altered(honest, row, added("second_wh", 1)))
    assert not check.passed
    assert "home-4/esme, second element on 2026-03-03" in check.evidence


def test_a_second_element_shown_as_nobody_told_it_is_found(honest: Evidence) -> None:
    (check,) = check_displays(altered(honest, second, added("second_wh", 1)))
    assert not check.passed
    assert "shows what it was not told" in check.evidence


def test_an_element_read_where_the_other_is_served_is_found(honest: Evidence) -> None:
    readings = tuple(
        each._replace(endpoint=4 - each.endpoint)
        if each.endpoint in (1, 3) and each.time > honest.air.last // 2
        else each
        for each in honest.air.readings
    )
    (check,) = check_displays(replace(honest, air=honest.air._replace(readings=readings)))
    assert not check.passed
    assert "shown as second_wh" in check.evidence


def test_a_second_register_off_its_own_profile_is_found(honest: Evidence) -> None:
    def idle(event: Event) -> Event:
        flat = " ".join(["0"] * 48)
        return event._replace(fields={**event.fields, "second_profile": flat})

    (check,) = check_displays(altered(honest, row, idle))
    assert not check.passed
    assert "Wh, where the meter's day has" in check.evidence


def test_a_display_that_leaves_the_second_element_out_is_found(honest: Evidence) -> None:
    lines = tuple(event for event in honest.files.timeline if not (second(event) and event.actor == "home-4/ihd"))
    (check,) = check_displays(replace(honest, files=replace(honest.files, timeline=lines)))
    assert not check.passed
    assert "home-4/ihd never showed the second element" in check.evidence


def test_the_second_element_is_paid_at_its_own_prices(honest: Evidence) -> None:
    (check,) = check_costs(honest)
    assert check.passed, check.evidence
    plan = honest.files.summary["plan"]
    second = {**plan["supply"]["tariffs"]["second"], "prices": [28_001, 28_001]}
    supply = {**plan["supply"], "tariffs": {**plan["supply"]["tariffs"], "second": second}}
    (dearer,) = check_costs(planned(honest, supply=supply))
    assert not dearer.passed
    assert "the tariff makes it" in dearer.evidence
