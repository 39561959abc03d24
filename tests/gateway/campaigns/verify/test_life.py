"""Each check of a life fails when its defect is planted into the evidence of an honest one."""

import pytest

from gateway.campaigns.verify import life_events, life_meters
from gateway.campaigns.verify.evidence import Evidence, gather
from gateway.campaigns.verify.folder import Event
from protocols.interfaces import HOUR, MINUTE
from tests.support.lived import Checks, Line, added, altered, named, planned, stored, told, two_days, verdict


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return gather(two_days(tmp_path_factory) / "run")


ALL: tuple[Checks, ...] = (
    life_meters.check_registers, life_meters.check_gas_age, life_events.check_outages,
    life_events.check_inventory, life_events.check_alerts, life_events.check_swap,
)  # fmt: skip


@pytest.mark.parametrize("check", ALL, ids=lambda check: check.__name__)
def test_an_honest_life_passes(honest: Evidence, check: Checks) -> None:
    assert verdict(check, honest)[0]


@pytest.mark.parametrize(
    ("field", "amount", "says"),
    [("import_wh", 1, "the day says"), ("day_import_wh", 7, "the day says")],
)
def test_a_register_that_left_its_profile_is_found(honest: Evidence, field: str, amount: int, says: str) -> None:
    passed, why = verdict(life_meters.check_registers, altered(honest, told("esme", "day"), added(field, amount)))
    assert not passed
    assert says in why


def test_a_half_hour_that_was_not_counted_is_found(honest: Evidence) -> None:
    def less(event: Event) -> Event:
        entries = event.text("profile").split()
        most = max(range(len(entries)), key=lambda place: int(entries[place].replace("-", "0")))
        entries[most] = "0"
        return named("profile", " ".join(entries))(event)

    passed, why = verdict(life_meters.check_registers, altered(honest, told("esme", "day"), less))
    assert not passed
    assert "half-hours sum up to" in why


def test_gas_that_is_older_than_a_wake_up_is_found(honest: Evidence) -> None:
    quiet = honest.files.summary["plan"]["begin"] + HOUR
    fits: Line = lambda e: (  # noqa: E731
        e.name == "shown" and e.text("of") == "gas" and quiet < e.time < quiet + HOUR and bool(e.fields.get("gas_at"))
    )
    passed, why = verdict(life_meters.check_gas_age, altered(honest, fits, added("gas_at", -1_900)))
    assert not passed
    assert "shows gas of" in why


def test_a_cut_that_nobody_told_is_found(honest: Evidence) -> None:
    cuts = honest.files.summary["plan"]["cuts"]
    passed, why = verdict(life_events.check_outages, planned(honest, cuts=[*cuts, [cuts[0][0] + 3 * HOUR, 5 * MINUTE]]))
    assert not passed
    assert "told by 0 of 1 ESME" in why


def test_an_outage_that_was_none_is_found(honest: Evidence) -> None:
    passed, why = verdict(life_events.check_outages, planned(honest, cuts=honest.files.summary["plan"]["cuts"][1:]))
    assert not passed
    assert "belongs to no power cut" in why


def test_an_outage_told_as_longer_than_it_was_is_found(honest: Evidence) -> None:
    first, second, (when, length) = honest.files.summary["plan"]["cuts"]
    planted = planned(honest, cuts=[first, second, [when, length - 10 * MINUTE]])
    passed, why = verdict(life_events.check_outages, planted)
    assert not passed
    assert "told as ended at" in why


def test_a_long_outage_without_ad1_is_found(honest: Evidence) -> None:
    rows = [dict(row) for row in honest.files.store["power_outage_audit"]]
    passed, why = verdict(life_events.check_outages, stored(honest, "power_outage_audit", rows[:-1]))
    assert not passed
    assert "0 AD1" in why


@pytest.mark.parametrize(("column", "value"), [("firmware_version", 1), ("hub", "00db1234567811a2")])
def test_an_inventory_that_is_behind_is_found(honest: Evidence, column: str, value: object) -> None:
    rows = [dict(row) for row in honest.files.store["inventory"]]
    (row,) = [row for row in rows if str(row["device"]).endswith("11a4")]
    assert row[column] != value
    row[column] = value
    passed, why = verdict(life_events.check_inventory, stored(honest, "inventory", rows))
    assert not passed
    assert "home-1/ppmid" in why


def test_an_alert_that_did_not_arrive_is_found(honest: Evidence) -> None:
    fits: Line = lambda e: (e.actor, e.name, e.fields.get("code")) == ("dsp", "alert", "8F8B")  # noqa: E731
    passed, why = verdict(life_events.check_alerts, altered(honest, fits, lambda _: None))
    assert not passed
    assert "8F8B: sent" in why


@pytest.mark.requirement("MP170-A10")
@pytest.mark.parametrize(
    ("device", "kind", "says"),
    [("11b1", "PPMID", "is PPMID to the new hub, not IHD"), ("11a4", "IHD", "is IHD to the new hub, not PPMID")],
)
def test_a_kind_that_a_device_should_not_show_is_found(honest: Evidence, device: str, kind: str, says: str) -> None:
    fits: Line = lambda e: e.name == "kind-found" and e.text("device").endswith(device)  # noqa: E731
    passed, why = verdict(life_events.check_swap, altered(honest, fits, named("type", kind)))
    assert not passed
    assert says in why


@pytest.mark.requirement("MP170-A10")
def test_a_kind_that_the_service_contradicts_is_found(honest: Evidence) -> None:
    """A bridge that always serves tunnels is a PPMID to the new hub, and has to get its image."""
    fits: Line = lambda e: e.name == "kind-found" and e.text("device").endswith("11b1")  # noqa: E731
    always = planned(honest, tunnelling={"home-1/bridge-1": "always"})
    passed, why = verdict(life_events.check_swap, altered(always, fits, named("type", "PPMID")))
    assert not passed
    assert "was discarded" in why


def test_a_device_that_did_not_come_to_the_new_hub_is_found(honest: Evidence) -> None:
    passed, why = verdict(life_events.check_swap, altered(honest, told("gsme", "key-established"), lambda _: None))
    assert not passed
    assert "home-1/gsme established no key with the new hub" in why
