"""What the CSP tells of a hub's own firmware: N63, the inventory, the products list."""

import pytest

from gateway.dsp.records import Product
from gateway.dsp.rows import Version
from protocols.addresses import Eui64
from protocols.duis.alerts import CommsHubFirmwareActivation
from protocols.duis.inventory import DeviceType
from protocols.duis.responses import DccAlertMessage
from protocols.wan.smwan import HubFirmwareActivated
from tests.support.dsp_bench import ESME, HUB, Bench
from tests.support.parties import SUPPLIER

LISTED, UNLISTED = 0x0C000001, 0x0C0000FF


def activated(bench: Bench, version: int, hub: Eui64 = HUB) -> list[tuple[Eui64, CommsHubFirmwareActivation]]:
    """Let the CSP tell of an activation; return who heard what by N63."""
    outcome = bench.from_csp(HubFirmwareActivated(hub, version, bench.now))
    return [
        (user, response.body.alert)
        for user, response in outcome.to_users
        if isinstance(response.body, DccAlertMessage)
        and response.body.dcc_alert_code == "N63"
        and isinstance(response.body.alert, CommsHubFirmwareActivation)
    ]


def versions(bench: Bench) -> list[object]:
    """Return the versions of CHF and GPF."""
    gpf = [row for row in bench.rows("inventory") if row["type"] == DeviceType.GPF and row["hub"] == str(HUB)]
    return [row["firmware_version"] for row in (bench.inventory_row(HUB), *gpf)]


@pytest.mark.requirement("SM7-R9")
def test_the_suppliers_hear_and_chf_and_gpf_have_the_version() -> None:
    """SM7-R9: one N63 for each responsible supplier, one row of history for each of the two."""
    bench = Bench()
    bench.list_hub_products()
    told = activated(bench, LISTED)
    assert [user for user, _ in told] == list(dict.fromkeys(user for user, _ in told))
    assert SUPPLIER in [user for user, _ in told]
    assert {alert for _, alert in told} == {CommsHubFirmwareActivation(device_id=HUB, firmware_version=f"{LISTED:08X}")}
    assert versions(bench) == [f"{LISTED:08X}"] * 2
    history = [row for row in bench.rows("inventory_history") if row["cause"] == "N63"]
    changes = [row for row in history if row["field"] == "firmware_version"]
    assert [(row["field"], row["new"]) for row in changes] == [("firmware_version", f"{LISTED:08X}")] * 2
    assert [row["originator"] for row in bench.rows("alerts") if row["code"] == "N63"] == [str(HUB)] * len(told)


def test_a_version_that_is_not_listed_suspends_the_hub_and_a_listed_one_restores_it() -> None:
    bench = Bench()
    hub = bench.inventory_row(HUB)
    made = [
        Product(
            DeviceType.CHF, str(hub["manufacturer"]), str(hub["model"]), Version(LISTED), "1.3", "4.1", b"\x01" * 32
        )
    ]
    bench.run(bench.dsp.update_products(made, bench.now))
    activated(bench, UNLISTED)
    assert bench.inventory_row(HUB)["status"] == "Suspended"
    activated(bench, LISTED)
    assert bench.inventory_row(HUB)["status"] == "Commissioned"


@pytest.mark.parametrize("who", [Eui64(1), ESME])
def test_what_is_no_hub_is_refused_and_changes_nothing(who: Eui64) -> None:
    bench = Bench()
    before = bench.rows("inventory")
    assert activated(bench, LISTED, who) == []
    assert bench.rows("inventory") == before
    (refusal,) = bench.rows("refused_messages")
    assert refusal["reason"] == "firmware of a hub that is not in the inventory"
