"""8.14.1 to 8.14.4: hubs installed and sent back."""

from dataclasses import replace

import pytest

from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.inventory import DeviceStatus
from tests.support.dsp_bench import ESME, HUB, MPAN_2, Bench, Outcome, estate
from tests.support.parties import NETWORK_OPERATOR, OTHER_SUPPLIER, SUPPLIER

INSTALLED = bodies.ChfInstallSuccessSmWan(
    device_id=HUB, install_type="New CHF Install", mpxn=MPAN_2, aerial_install=False, location="Basement or Cellar"
)
WITHOUT_WAN = bodies.ChfInstallSuccessNoSmWan(
    device_id=HUB, install_type="CHF Install - no SM WAN", mpxn=MPAN_2, aerial_install=False,
    location="Basement or Cellar", premise_type="House", metal_obstruction=False, connectivity_obstruction=False,
    shared_obstruction=False,
)  # fmt: skip
FAULTY = bodies.ChfFaultReturn(
    device_id=HUB, return_type="Fault identified prior to installation", other_device_id=ESME,
    connection_method="Hot-shoe", fault_reason="Damaged case",
)  # fmt: skip
SOUND = bodies.ChfNoFaultReturn(device_id=HUB, return_type="No Fault Return (general)")
ALL = [INSTALLED, WITHOUT_WAN, FAULTY, SOUND]


@pytest.mark.parametrize("body", ALL, ids=lambda body: body.ELEMENT)
def test_each_is_acknowledged_and_noted(body: bodies.ChfStatusUpdate) -> None:
    bench = Bench()
    before = bench.inventory_row(HUB)
    outcome = bench.request(body)
    assert outcome.code == "I99"
    installed = body in (INSTALLED, WITHOUT_WAN)
    assert [note.event for note in outcome.notes if note.event.startswith("hub-")] == [
        "hub-installed" if installed else "hub-return"
    ]
    assert bench.inventory_row(HUB) == (before | {"mpxn": MPAN_2} if installed else before)


@pytest.mark.parametrize("body", ALL, ids=lambda body: body.ELEMENT)
@pytest.mark.parametrize(
    ("eui", "user", "code"),
    [
        (Eui64(1), SUPPLIER, "E081401"),
        (ESME, SUPPLIER, "E081402"),
        (HUB, OTHER_SUPPLIER, "E4"),
        (HUB, NETWORK_OPERATOR, "E2"),
    ],
)
def test_a_wrong_one_is_refused(body: bodies.ChfStatusUpdate, eui: Eui64, user: Eui64, code: str) -> None:
    bench = Bench()
    before = bench.store.dump()
    assert bench.request(replace(body, device_id=eui), user=user).code == code
    assert bench.store.dump() == before


def send(body: bodies.ChfStatusUpdate, status: DeviceStatus = DeviceStatus.COMMISSIONED) -> Outcome:
    return Bench(devices=[replace(d, status=status) if d.device == HUB else d for d in estate()]).request(body)


def test_a_hub_that_is_gone_is_not_installed_but_sent_back() -> None:
    assert send(INSTALLED, DeviceStatus.WITHDRAWN).code == "E081405"
    assert send(SOUND, DeviceStatus.WITHDRAWN).code == "I99"


def test_another_device_must_be_known_and_an_unknown_mpxn_is_a_warning() -> None:
    assert send(replace(FAULTY, other_device_id=Eui64(1))).code == "E081406"
    assert send(replace(INSTALLED, mpxn="1999999999999")).code == "W081401"
