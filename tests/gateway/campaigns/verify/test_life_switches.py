"""A meter's own switches are held against the plan's calendar and boost; each defect is found."""

from dataclasses import replace

import pytest

from gateway.campaigns.verify.evidence import Evidence, gather
from gateway.campaigns.verify.life_switches import check_switches
from protocols.gbcs.use_cases import ecs61a
from protocols.interfaces import HOUR, MINUTE
from tests.gateway.campaigns.verify.test_life_logs import readdressed
from tests.support.lived import Line, altered, lived, planned, verdict

METER = "home-3/esme"


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return gather(lived(tmp_path_factory, "home-3", "1d") / "run")


def moved(number: int, on: bool) -> Line:
    return lambda e: (
        (e.actor, e.name, e.fields.get("switch"), e.fields.get("on")) == (METER, "alcs-switched", number, on)
    )


def test_an_honest_life_passes(honest: Evidence) -> None:
    passed, said = verdict(check_switches, honest)
    assert passed, said
    assert "switch 2: closed 2 times" in said
    assert said.count("calendar and contacts as they were") == 2


def test_a_life_without_such_switches_has_no_verdict(honest: Evidence) -> None:
    assert list(check_switches(planned(honest, alcs={}))) == []


@pytest.mark.parametrize(("number", "on"), [(1, True), (1, False), (2, True)])
def test_a_contact_that_did_not_move_is_found(honest: Evidence, number: int, on: bool) -> None:
    passed, said = verdict(check_switches, altered(honest, moved(number, on), lambda _: None))
    assert not passed
    assert f"switch {number}: " in said


def test_a_contact_that_is_late_is_found(honest: Evidence) -> None:
    late = altered(honest, moved(2, True), lambda event: event._replace(time=event.time + 2 * MINUTE))
    passed, said = verdict(check_switches, late)
    assert not passed
    assert "not closed from" in said


def test_a_boost_that_nobody_pressed_is_found(honest: Evidence) -> None:
    passed, said = verdict(check_switches, planned(honest, boosts=[]))
    assert not passed
    assert "should not be" in said


def test_a_boost_without_effect_is_found(honest: Evidence) -> None:
    ((when, minutes),) = honest.files.summary["plan"]["boosts"]
    passed, said = verdict(check_switches, planned(honest, boosts=[[when, minutes], [when + 2 * HOUR, minutes]]))
    assert not passed
    assert "not closed from" in said


def test_energy_that_was_not_counted_is_found(honest: Evidence) -> None:
    first, (watts, on) = honest.files.summary["plan"]["alcs"][METER]
    passed, said = verdict(check_switches, planned(honest, alcs={METER: [first, [watts + 20_000, on]]}))
    assert not passed
    assert "the meter counted" in said


def test_another_calendar_in_an_answer_is_found(honest: Evidence) -> None:
    def change(payload: bytes) -> bytes:
        response = ecs61a.Response.decode(payload)
        first, *others = response.entries
        return replace(response, entries=(replace(first, time=bytes((3, 0, 0, 0))), *others)).encode()

    passed, said = verdict(check_switches, readdressed(honest, ecs61a.MESSAGE_CODE, change))
    assert not passed
    assert "another calendar of switch 1" in said


def test_another_state_in_an_answer_is_found(honest: Evidence) -> None:
    def change(payload: bytes) -> bytes:
        response = ecs61a.Response.decode(payload)
        return replace(response, states=tuple(not state for state in response.states)).encode()

    passed, said = verdict(check_switches, readdressed(honest, ecs61a.MESSAGE_CODE, change))
    assert not passed
    assert "another state" in said
