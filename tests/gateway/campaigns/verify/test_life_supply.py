"""The checks of accounts, prices, texts and loads of a life, each with the defect that makes it fail."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from gateway.campaigns.evidence.energy import EnergyCommand
from gateway.campaigns.verify import life_accounts, life_services
from gateway.campaigns.verify.evidence import Evidence, gather
from gateway.campaigns.verify.folder import Event
from protocols.interfaces import DAY, MINUTE, SECOND
from protocols.zcl.clusters import drlc, messaging, prepayment, price
from tests.support.lived import Checks, added, altered, named, planned, told, two_days, verdict


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return gather(two_days(tmp_path_factory) / "run")


def supplied(evidence: Evidence, **changes: object) -> Evidence:
    """Change what the plan says of supply."""
    return planned(evidence, supply={**evidence.files.summary["plan"]["supply"], **changes})


def sent(
    evidence: Evidence, fits: Callable[[EnergyCommand], bool], change: Callable[[Any], Any], *, which: int = -1
) -> Evidence:
    """Change or drop one command on the air of those that fit, the last by default."""
    found = list(evidence.air.energy)
    place = [number for number, command in enumerate(found) if fits(command)][which]
    new = change(found[place].command)
    found[place : place + 1] = [] if new is None else [found[place]._replace(command=new)]
    return replace(evidence, air=evidence.air._replace(energy=tuple(found)))


def is_a(kind: type[Any], to: str = "") -> Callable[[EnergyCommand], bool]:
    return lambda command: isinstance(command.command, kind) and str(command.destination).endswith(to)


TEXT = messaging.DisplayMessage


def dropped(_: object) -> None:
    return None


def tariffs(evidence: Evidence, **changes: object) -> dict[str, Any]:
    known = evidence.files.summary["plan"]["supply"]["tariffs"]
    return {**known, "esme": {**known["esme"], **changes}}


ALL: tuple[Checks, ...] = (
    life_accounts.check_costs, life_accounts.check_balance, life_services.check_prices, life_services.check_texts,
    life_services.check_loads,
)  # fmt: skip


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
def test_an_honest_life_passes(honest: Evidence, check: Checks) -> None:
    passed, why = verdict(check, honest)
    assert passed, why


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
def test_what_was_not_planned_is_not_asked(honest: Evidence, check: Checks) -> None:
    assert list(check(planned(honest, supply=None))) == []


# --- accounts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("actor", "field", "says"),
    [("esme", "cost", "the tariff makes it"), ("gsme", "cost", "the tariff makes it"),
     ("esme", "tier_2_wh", "Wh of tier 2")],
)  # fmt: skip
def test_a_cost_off_the_tariff_is_found(honest: Evidence, actor: str, field: str, says: str) -> None:
    passed, why = verdict(life_accounts.check_costs, altered(honest, told(actor, "day"), added(field, 1)))
    assert not passed
    assert says in why


@pytest.mark.parametrize(
    "changes",
    [{"prices": [31_001, 15_000]}, {"prices": [31_000, 15_001]}, {"standing_charge": 54_999},
     {"switches": [[1, 2], [14, 1]]}],
)  # fmt: skip
def test_another_tariff_than_was_lived_by_is_found(honest: Evidence, changes: dict[str, object]) -> None:
    planted = supplied(honest, tariffs=tariffs(honest, **changes))
    assert not verdict(life_accounts.check_costs, planted)[0]


def test_a_balance_that_lost_a_pound_is_found(honest: Evidence) -> None:
    passed, why = verdict(life_accounts.check_balance, supplied(honest, opening_credit=3_100_000))
    assert not passed
    assert "is left" in why


@pytest.mark.parametrize("amount", [-70_000, 70_000])
def test_a_balance_read_wrong_once_is_found(honest: Evidence, amount: int) -> None:
    readings = list(honest.air.readings)
    attribute = prepayment.Attribute.CREDIT_REMAINING
    places = [
        n for n, reading in enumerate(readings) if reading.cluster == prepayment.CLUSTER and attribute in reading.values
    ]
    place = places[len(places) // 2]
    value = readings[place].values[attribute]
    assert isinstance(value, int)
    readings[place] = readings[place]._replace(values={**readings[place].values, attribute: value + amount})
    planted = replace(honest, air=honest.air._replace(readings=tuple(readings)))
    passed, why = verdict(life_accounts.check_balance, planted)
    assert not passed
    assert f"frame {readings[place].frame}" in why


def top_up(evidence: Evidence, result: prepayment.TopUpResult) -> Evidence:
    answer = prepayment.ConsumerTopUpResponse(result, 2_000_000, 0, 0)
    meter = next(command.source for command in evidence.air.energy if isinstance(command.command, price.PublishPrice))
    ppmid = next(command.destination for command in evidence.air.energy if is_a(price.PublishPrice, "11a4")(command))
    noon = evidence.files.summary["plan"]["begin"] + 3 * 60 * MINUTE
    added_up = EnergyCommand(1, noon, meter, ppmid, answer)
    return replace(evidence, air=evidence.air._replace(energy=(added_up, *evidence.air.energy)))


def test_a_top_up_that_is_not_in_the_balance_is_found(honest: Evidence) -> None:
    passed, _ = verdict(life_accounts.check_balance, top_up(honest, prepayment.TopUpResult.ACCEPTED))
    assert not passed
    passed, why = verdict(life_accounts.check_balance, top_up(honest, prepayment.TopUpResult.REJECTED_DUPLICATE))
    assert passed, why


# --- prices --------------------------------------------------------------------------------------------------------


def test_a_price_that_is_not_in_force_is_found(honest: Evidence) -> None:
    planted = sent(honest, is_a(price.PublishPrice), lambda told: told._replace(price=told.price + 1))
    passed, why = verdict(life_services.check_prices, planted)
    assert not passed
    assert "of tier" in why


def test_a_display_that_was_not_told_of_a_change_is_found(honest: Evidence) -> None:
    change = honest.files.summary["plan"]["begin"] // DAY * DAY + DAY + 7 * 60 * MINUTE + 30 * MINUTE
    fits = is_a(price.PublishPrice, "11a6")
    planted = sent(honest, lambda command: fits(command) and abs(command.time - change) < MINUTE, dropped)
    passed, why = verdict(life_services.check_prices, planted)
    assert not passed
    assert "home-1/ihd was not told of the new price" in why


def test_a_display_that_is_unjoined_is_not_told(honest: Evidence) -> None:
    change = honest.files.summary["plan"]["begin"] // DAY * DAY + DAY + 7 * 60 * MINUTE + 30 * MINUTE
    fits = is_a(price.PublishPrice, "11a6")
    planted = sent(honest, lambda command: fits(command) and abs(command.time - change) < MINUTE, dropped)
    ihd = next(eui for eui, name in honest.actors.items() if name == "home-1/ihd")
    unjoined = Event(change - 20 * MINUTE, "home-1/esme", "unjoined-device", {"device": str(ihd)})
    out = replace(planted, files=replace(planted.files, timeline=(*planted.files.timeline, unjoined)))
    assert "home-1/ihd" not in verdict(life_services.check_prices, out)[1]


# --- texts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        (lambda it: sent(it, is_a(TEXT, "11a6"), dropped, which=0), "not sent to home-1/ihd"),
        (lambda it: altered(it, told("ppmid", "message-shown"), named("text", "another"), 0), "home-1/ppmid did"),
        (lambda it: sent(it, is_a(TEXT, "11a4"), lambda m: m._replace(text=b"x"), which=0), "ppmid"),
    ],
)  # fmt: skip
def test_a_text_that_was_not_shown_is_found(honest: Evidence, plant: Callable[[Evidence], Evidence], says: str) -> None:
    passed, why = verdict(life_services.check_texts, plant(honest))
    assert not passed
    assert says in why


def test_a_text_that_nobody_confirmed_is_found(honest: Evidence) -> None:
    others = tuple(each for each in honest.air.energy if not is_a(messaging.MessageConfirmation)(each))
    planted = replace(honest, air=honest.air._replace(energy=others))
    assert "no display confirmed it" in verdict(life_services.check_texts, planted)[1]


def test_a_confirmation_of_which_the_supplier_did_not_hear_is_found(honest: Evidence) -> None:
    silent = replace(honest, users=honest.users._replace(mail=()))
    assert "81A6 of that did not come" in verdict(life_services.check_texts, silent)[1]


# --- loads ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        (lambda it: sent(it, is_a(drlc.LoadControlEvent), dropped, which=0), "the meter sent no event"),
        (lambda it: sent(it, is_a(drlc.ReportEventStatus), dropped, which=0), "started was not told"),
        (lambda it: sent(it, is_a(drlc.ReportEventStatus), dropped, which=1), "completed was not told"),
        (lambda it: altered(it, told("hcalcs", "load-switched", on=False), dropped, 0), "completed was not carried"),
        (lambda it: altered(it, told("hcalcs", "load-switched", on=True), dropped, 0), "started was not carried"),
        (lambda it: supplied(it, loads={"home-1/hcalcs": {"watts": 6_000, "on": [[35, 180]]}}), "the meter counted"),
    ],
)  # fmt: skip
def test_a_load_that_left_its_calendar_is_found(
    honest: Evidence, plant: Callable[[Evidence], Evidence], says: str
) -> None:
    passed, why = verdict(life_services.check_loads, plant(honest))
    assert not passed
    assert says in why


def test_a_time_on_in_an_outage_is_not_asked_for(honest: Evidence) -> None:
    begin = honest.files.summary["plan"]["begin"] // DAY * DAY + DAY + 35 * MINUTE
    off = (
        Event(begin + SECOND, "home-1/hcalcs", "power-off", {}),
        Event(begin + MINUTE, "home-1/hcalcs", "power-on", {}),
    )
    files = replace(honest.files, timeline=(*honest.files.timeline, *off))
    assert list(life_services.check_loads(replace(honest, files=files))) == []
