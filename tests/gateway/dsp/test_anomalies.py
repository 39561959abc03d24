"""Anomaly thresholds: what is quarantined, how it is told, released and rejected."""

import pytest

from gateway.dsp.anomalies import Anomalies
from gateway.dsp.settings import DspSettings, Threshold
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.alerts import DccThresholdBreach, QuarantinedRequest, UserThresholdBreach
from protocols.duis.requests import CommandVariant
from protocols.duis.responses import DccAlertMessage, Response
from protocols.errors import InputError
from protocols.interfaces import DAY, HOUR
from protocols.ota.image import Kind
from tests.support.dsp_bench import BRIDGE, ESME, HUB, PPMID, Bench, Outcome, image
from tests.support.parties import OTHER_SUPPLIER, SUPPLIER

READ, TO_DEVICE = bodies.ReadFirmwareVersion(), CommandVariant.TO_DEVICE
TWO_A_DAY = {"11.2": Threshold(2, DAY), "11.3": Threshold(1, DAY)}


def breach_of(response: Response) -> QuarantinedRequest:
    assert isinstance(response.body, DccAlertMessage)
    assert isinstance(response.body.alert, QuarantinedRequest)
    return response.body.alert


def limited(**settings: object) -> Bench:
    return Bench(settings=DspSettings(**(settings or {"thresholds": TWO_A_DAY})))  # type: ignore[arg-type]


def test_the_request_above_the_threshold_is_quarantined_and_told() -> None:
    bench = limited()
    assert [bench.request(READ, eui, TO_DEVICE).code for eui in (ESME, BRIDGE)] == ["I99", "I99"]
    third = bench.request(READ, PPMID, TO_DEVICE, counter=99)
    assert (third.code, third.to_csp, third.dcc_alerts()) == ("E100", [], [(SUPPLIER, "N46")])
    breach = breach_of(third.to_users[0][1]).breach
    assert isinstance(breach, UserThresholdBreach)
    (held,) = bench.dsp.quarantine
    assert (breach.request_id.counter, breach.quarantine_event_ref) == (99, str(held.reference))
    assert bench.rows("commands")
    assert len(bench.rows("requests")) == 2


def test_another_user_another_service_and_another_day_are_free() -> None:
    bench = limited()
    for _ in range(2):
        bench.request(READ, ESME, TO_DEVICE)
    assert bench.request(READ, HUB, TO_DEVICE).code == "E100"
    assert bench.request(bodies.ReadInventory(device_id=ESME)).code == "I0"
    assert bench.request(READ, ESME, TO_DEVICE, user=OTHER_SUPPLIER).code == "E4", "refused before it is counted"
    bench.later(DAY)
    assert bench.request(READ, HUB, TO_DEVICE).code == "I99"


def test_what_is_refused_anyway_is_not_quarantined() -> None:
    """Thresholds come last."""
    bench = limited()
    for _ in range(2):
        bench.request(READ, ESME, TO_DEVICE)
    add = bodies.UpdateHanDeviceLog(device_id=Eui64(1), request_type=bodies.RequestType.REMOVE)
    strict = limited(thresholds={"8.11": Threshold(0, DAY)})
    assert strict.request(add, HUB, TO_DEVICE).code == "E081101"
    assert strict.rows("quarantine") == []
    assert bench.request(READ, Eui64(1), TO_DEVICE).code == "E19"


def test_all_users_together_have_a_threshold_too() -> None:
    bench = limited(dcc_thresholds={"8.2": Threshold(2, HOUR)})
    bench.request(bodies.ReadInventory(device_id=ESME))
    bench.request(bodies.ReadInventory(device_id=ESME), user=OTHER_SUPPLIER)
    third = bench.request(bodies.ReadInventory(device_id=ESME), user=OTHER_SUPPLIER)
    assert (third.code, third.dcc_alerts()) == ("E100", [(OTHER_SUPPLIER, "N47")])
    assert isinstance(breach_of(third.to_users[0][1]).breach, DccThresholdBreach)


@pytest.mark.parametrize("restart", [False, True])
def test_a_released_request_is_carried_out_and_answered_by_delivery(*, restart: bool) -> None:
    bench = limited()
    for _ in range(2):
        bench.request(READ, ESME, TO_DEVICE)
    bench.request(READ, PPMID, TO_DEVICE, counter=99)
    if restart:
        bench.restart()
        assert bench.request(READ, HUB, TO_DEVICE).code == "E100", "counted from the store"
    held = bench.dsp.quarantine[0]
    released = bench.run(bench.dsp.release(held.reference, bench.now))
    assert released.reply is None
    ((user, response),) = released.to_users
    assert (user, response.response_code) == (SUPPLIER, "I99")
    assert response.request_id is not None
    assert response.request_id.counter == 99
    assert bench.command_of(released).target == PPMID
    for reference in (held.reference, 12):
        with pytest.raises(InputError, match=f"nothing is held under reference {reference}"):
            bench.dsp.release(reference, bench.now)


def test_what_became_impossible_meanwhile_is_refused_at_its_release() -> None:
    bench = limited(thresholds={"11.2": Threshold(0, DAY)})
    bench.request(READ, PPMID, TO_DEVICE)
    bench.request(bodies.DecommissionDevice(device_id=PPMID))
    released = bench.run(bench.dsp.release(bench.dsp.quarantine[0].reference, bench.now))
    assert [response.response_code for _, response in released.to_users] == ["E5"]
    assert released.to_csp == []


def test_a_rejected_request_is_gone_and_its_counter_used() -> None:
    bench = limited(thresholds={"11.2": Threshold(0, DAY)})
    bench.request(READ, PPMID, TO_DEVICE, counter=99)
    outcome = bench.run(bench.dsp.reject(bench.dsp.quarantine[0].reference, bench.now))
    assert (outcome.to_users, outcome.to_csp, bench.dsp.quarantine) == ([], [], [])
    assert bench.rows("quarantine")[0]["state"] == "rejected"
    assert bench.request(READ, PPMID, TO_DEVICE, counter=99).code == "E42"


def test_a_transform_counts_when_it_comes_back_signed() -> None:
    bench = limited()
    transforms = [bench.transform(ESME) for _ in range(3)]
    assert {each.code for each in transforms} == {"I0"}
    assert bench.send_signed(transforms[0]).code == "I99"
    assert bench.send_signed(transforms[1]).code == "E100"


# --- MP170-C21 -----------------------------------------------------------------------------------------------------


def update(bench: Bench, eui: Eui64, kind: Kind) -> Outcome:
    made = image(kind, 1, bench.parties)
    body = bodies.UpdatePpmidFirmware(
        firmware_image=made.encode(), firmware_version=f"{made.header.file_version:08X}", device_ids=(eui,)
    )
    return bench.request(body)


@pytest.mark.requirement("MP170-C21")
@pytest.mark.parametrize(("limit", "second"), [(1, "E100"), (2, "I99")])
def test_one_threshold_counts_ppmids_and_bridges_and_raised_lets_both_pass(limit: int, second: str) -> None:
    bench = limited(thresholds={"11.4": Threshold(limit, DAY)})
    assert update(bench, PPMID, Kind.PPMID).code == "I99"
    outcome = update(bench, BRIDGE, Kind.BRIDGE1)
    assert outcome.code == second
    assert bool(outcome.to_csp) is (second == "I99")
    assert len(bench.rows("firmware_updates")) == limit


def test_what_is_old_is_not_kept() -> None:
    bench = limited(thresholds={"8.2": Threshold(2, HOUR)})
    for _ in range(6):
        bench.request(bodies.ReadInventory(device_id=ESME))
        bench.later(HOUR)
    anomalies: Anomalies = bench.dsp._parts.anomalies
    assert sum(map(len, anomalies._accepted.values())) == 1
