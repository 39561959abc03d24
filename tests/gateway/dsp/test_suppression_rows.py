"""The decision table of AD1 suppression, a test for each row that applies, through a started DSP, octets in and out.

Rows are those of the table agreed for MP102B; window 30 minutes, T the acceptance of the signed command, D its date.
Requirements: MP102B-R1, R2, R3, G1, G4 to G9; X-2, X-4.
"""

from dataclasses import replace

import pytest

from gateway.dsp.effects import Append
from gateway.dsp.settings import DspSettings, OutageScope, OutageTime
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.inventory import DeviceStatus
from protocols.duis.requests import CommandVariant
from protocols.duis.responses import DeviceAlertMessage
from protocols.duis.times import CANCELLATION_DATE_TIME
from protocols.gbcs.use_cases import cs06, ecs80
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from tests.support.dsp_bench import (
    ESME,
    ESME_2,
    GSME,
    HCALCS,
    HUB,
    MPAN,
    OPERATOR_2,
    OTHER_ESME,
    OTHER_HUB,
    Bench,
    Outcome,
    estate,
)
from tests.support.parties import NETWORK_OPERATOR, START

WINDOW = 30 * MINUTE
LAST_SECOND = WINDOW - SECOND
DATE = START + 2 * DAY


def one_meter() -> Bench:
    """Return a bench whose hub has the tracked ESME only."""
    return Bench(devices=[device for device in estate() if device.device != ESME_2])


def ad1(outcome: Outcome) -> list[Eui64]:
    """Return who got AD1."""
    return [user for user, code in outcome.dcc_alerts() if code == "AD1"]


def delivered(bench: Bench, hub: Eui64 = HUB) -> bool:
    """Let a power outage of the hub arrive now; whether the network operator hears of it.

    The audit and the alert record must tell the same, and exactly one thing.
    """
    audits, alerts = len(bench.rows("power_outage_audit")), len(bench.rows("alerts"))
    outcome = bench.outage(hub)
    (audit,) = bench.rows("power_outage_audit")[audits:]
    (alert,) = bench.rows("alerts")[alerts:]
    assert alert["decision"] == audit["decision"]
    assert audit["received"] == bench.now
    assert ad1(outcome) == ([NETWORK_OPERATOR] if audit["decision"] == "delivered" else [])
    assert audit["decision"] in ("delivered", "suppressed")
    return audit["decision"] == "delivered"


def test_row_01_immediate_suppresses_while_the_window_is_open() -> None:
    bench = one_meter()
    bench.activate()
    for after in (5 * MINUTE, LAST_SECOND, WINDOW - 1):
        bench.at(START + after)
        assert not delivered(bench)
    rows = bench.rows("power_outage_audit")
    assert {row["esme"] for row in rows} == {str(ESME)}
    assert {(row["window_start"], row["window_end"]) for row in rows} == {(START, START + WINDOW)}
    assert {row["recipient"] for row in rows} == {str(NETWORK_OPERATOR)}


def test_row_02_the_start_is_inclusive() -> None:
    bench = one_meter()
    bench.activate()
    assert not delivered(bench)


@pytest.mark.parametrize("after", [WINDOW, WINDOW + 1, WINDOW + HOUR])
def test_row_03_the_end_is_exclusive(after: int) -> None:
    bench = one_meter()
    bench.activate()
    bench.at(START + after)
    assert delivered(bench)


def test_row_04_before_the_request_all_is_delivered() -> None:
    bench = one_meter()
    bench.at(START + MINUTE)
    assert delivered(bench)
    bench.later(SECOND)
    bench.activate()
    assert not delivered(bench)


def test_row_05_between_submission_and_date_all_is_delivered() -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    for moment in (START, START + 10 * MINUTE, DATE - SECOND):
        bench.at(moment)
        assert delivered(bench)


@pytest.mark.parametrize("after", [0, 5 * MINUTE, LAST_SECOND])
def test_row_06_from_the_date_on_suppressed(after: int) -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    bench.at(DATE + after)
    assert not delivered(bench)


def test_row_07_thirty_minutes_after_the_date_delivered() -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    bench.at(DATE + WINDOW)
    assert delivered(bench)


def test_row_08_a_date_already_past_counts_as_immediate() -> None:
    bench = one_meter()
    transformed = bench.transform(execution=START + MINUTE)
    bench.at(START + 10 * MINUTE)
    assert bench.send_signed(transformed).code == "I99"
    (window,) = bench.rows("suppression_windows")
    assert (window["start"], window["kind"]) == (START + 10 * MINUTE, "immediate")
    bench.at(START + 40 * MINUTE - SECOND)
    assert not delivered(bench)
    bench.later(SECOND)
    assert delivered(bench)


def test_row_09_beyond_thirty_days_the_request_is_refused_and_nothing_recorded() -> None:
    bench = one_meter()
    before = bench.store.dump()
    assert bench.transform(execution=START + 30 * DAY + SECOND).code == "E43"
    assert bench.store.dump() == before
    assert bench.activate(execution=START + 30 * DAY).code == "I99"


def test_row_09_a_date_that_was_near_enough_when_transformed_only_is_refused_too() -> None:
    bench = one_meter()
    bench.now += HOUR
    transformed = bench.transform(execution=START + 30 * DAY + HOUR)
    bench.now -= HOUR
    before = bench.store.dump()
    assert bench.send_signed(transformed).code == "E43"
    assert bench.store.dump() == before


def test_row_10_cancelled_and_confirmed_before_the_date_delivered() -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    bench.at(START + DAY)
    bench.accept(bench.activate(execution=CANCELLATION_DATE_TIME))
    bench.at(DATE + MINUTE)
    assert delivered(bench)
    (window,) = bench.rows("suppression_windows")
    assert window["state"] == "cancelled"


def test_row_11_cancelled_but_not_confirmed_still_suppressed() -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    bench.at(START + DAY)
    cancellation = bench.activate(execution=CANCELLATION_DATE_TIME)
    assert bench.rows("suppression_windows")[0]["state"] == "cancel-pending"
    bench.at(DATE + MINUTE)
    assert not delivered(bench)
    bench.accept(cancellation)
    bench.later(SECOND)
    assert not delivered(bench), "confirmed after the window began"


def test_row_12_a_confirmed_later_date_replaces_the_earlier_one() -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    bench.at(START + HOUR)
    bench.accept(bench.activate(execution=DATE + DAY))
    bench.at(DATE + MINUTE)
    assert delivered(bench)
    bench.at(DATE + DAY + MINUTE)
    assert not delivered(bench)


def test_row_13_while_the_later_date_is_unconfirmed_both_windows_count() -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    bench.at(START + HOUR)
    bench.activate(execution=DATE + DAY)
    for moment in (DATE + MINUTE, DATE + DAY + MINUTE):
        bench.at(moment)
        assert not delivered(bench)


def test_row_12_a_late_confirmation_of_the_earlier_date_does_not_touch_the_later_one() -> None:
    bench = one_meter()
    first = bench.activate(execution=DATE)
    bench.activate(execution=DATE + DAY)
    bench.accept(first)
    bench.at(DATE + DAY + MINUTE)
    assert not delivered(bench)


def test_row_14_an_immediate_retry_moves_the_end() -> None:
    bench = one_meter()
    bench.activate()
    bench.at(START + 20 * MINUTE)
    bench.activate()
    bench.at(START + 50 * MINUTE - SECOND)
    assert not delivered(bench)
    bench.later(SECOND)
    assert delivered(bench)


def test_row_15_immediate_and_overlapping_date_are_joined() -> None:
    bench = one_meter()
    bench.activate()
    bench.activate(execution=START + 20 * MINUTE, number=2)
    for after in (10 * MINUTE, 25 * MINUTE, 45 * MINUTE):
        bench.at(START + after)
        assert not delivered(bench)
    bench.at(START + 50 * MINUTE)
    assert delivered(bench)


def test_row_16_of_overlapping_windows_the_cancelled_one_goes_alone() -> None:
    bench = one_meter()
    bench.activate()
    bench.accept(bench.activate(execution=START + 20 * MINUTE, number=2))
    bench.accept(bench.activate(execution=CANCELLATION_DATE_TIME, number=2))
    bench.at(START + LAST_SECOND)
    assert not delivered(bench)
    bench.at(START + 40 * MINUTE)
    assert delivered(bench)


def test_row_17_a_transform_alone_opens_no_window() -> None:
    bench = one_meter()
    assert bench.transform().code == "I0"
    assert delivered(bench)
    assert bench.rows("suppression_windows") == []


def test_row_18_a_refused_signed_pre_command_opens_no_window() -> None:
    bench = one_meter()
    transformed = bench.transform()
    before = bench.store.dump()
    octets = bench.sign(transformed, key=bench.parties.other_supplier)
    assert bench.send_signed(transformed, octets=octets).code == "E41"
    assert bench.store.dump() == before
    assert delivered(bench)


def test_row_19_an_activation_nobody_answers_keeps_its_window() -> None:
    bench = Bench(settings=DspSettings(response_timeout=5 * MINUTE))
    bench.activate()
    bench.at(START + LAST_SECOND)
    assert bench.rows("commands") == []
    assert ad1(bench.outage()) == []


def test_row_20_a_failed_activation_keeps_its_window() -> None:
    bench = one_meter()
    command = bench.command_of(bench.activate())
    outcome = cs06.Outcome(cs06.OutcomeCode.NO_IMAGE, 0x01000000)
    bench.respond(command, cs06.Response(outcome).encode())
    bench.at(START + LAST_SECOND)
    assert not delivered(bench)


def test_row_21_an_esme_that_is_not_on_the_list_is_never_suppressed() -> None:
    bench = one_meter()
    bench.activate(OTHER_ESME)
    bench.later(MINUTE)
    assert delivered(bench, OTHER_HUB)


@pytest.mark.parametrize("target", [GSME, HCALCS])
def test_row_22_activations_of_other_devices_open_no_window(target: Eui64) -> None:
    bench = Bench(tracked=[GSME, HCALCS])
    bench.activate(target)
    assert bench.rows("suppression_windows") == []
    assert len(ad1(bench.outage())) == 2


def test_row_23_the_first_generation_is_out_of_scope() -> None:
    devices = [replace(d, smets_version="1.2") if d.device == ESME else d for d in estate() if d.device != ESME_2]
    bench = Bench(devices=devices)
    bench.activate()
    assert delivered(bench)


def test_row_24_a_tracked_identifier_never_seen_fails_before_any_window() -> None:
    bench = Bench(tracked=[Eui64(0x00DB1234567890FF)])
    assert bench.transform(Eui64(0x00DB1234567890FF)).code == "E19"
    assert bench.rows("suppression_windows") == []


def test_row_26_an_unknown_hub_is_audited_as_unmapped() -> None:
    bench = Bench()
    outcome = bench.outage(Eui64(0x00DB1234567899A2))
    assert ad1(outcome) == []
    (audit,) = bench.rows("power_outage_audit")
    assert (audit["decision"], audit["esme"], audit["mpxn"]) == ("unmapped", None, None)


def test_row_27_one_tracked_esme_suppresses_the_whole_hub() -> None:
    bench = Bench()
    bench.activate()
    assert ad1(bench.outage()) == []
    assert [row["decision"] for row in bench.rows("power_outage_audit")] == ["suppressed", "suppressed"]


def test_row_27_per_mpxn_only_its_own_alert() -> None:
    bench = Bench(settings=DspSettings(outage_scope=OutageScope.PER_MPXN))
    bench.activate()
    assert ad1(bench.outage()) == [OPERATOR_2]
    first = bench.rows("power_outage_audit")[0]
    assert (first["mpxn"], first["decision"]) == (MPAN, "suppressed")


def test_row_28_any_open_window_of_the_hub_counts() -> None:
    bench = Bench(tracked=[ESME, ESME_2])
    bench.activate(ESME)
    bench.at(START + 20 * MINUTE)
    bench.activate(ESME_2)
    bench.at(START + 45 * MINUTE)
    assert ad1(bench.outage()) == []
    assert {row["esme"] for row in bench.rows("power_outage_audit")} == {str(ESME_2)}


@pytest.mark.parametrize("slow", [1, 5, 12])
def test_row_30_a_slow_meter_clock_stays_inside(slow: int) -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    bench.at(DATE + (slow + 3) * MINUTE)
    assert not delivered(bench)


@pytest.mark.parametrize(("fast", "heard"), [(1, False), (3, False), (4, True)])
def test_row_31_a_fast_meter_clock_is_covered_up_to_three_minutes(fast: int, *, heard: bool) -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    bench.at(DATE + (3 - fast) * MINUTE)
    assert delivered(bench) is heard


def test_row_32_a_clock_set_back_is_told_and_windows_stay_absolute() -> None:
    bench = one_meter()
    bench.activate()
    bench.now -= MINUTE
    outcome = bench.outage()
    assert "clock-stepped-back" in [note.event for note in outcome.notes]
    assert ad1(outcome) == [NETWORK_OPERATOR]


def test_row_33_each_of_several_alerts_is_suppressed_and_audited() -> None:
    bench = one_meter()
    bench.activate()
    for after in (4, 9, 20):
        bench.at(START + after * MINUTE)
        assert not delivered(bench)
    assert len(bench.rows("power_outage_audit")) == 3


def test_row_35_an_outage_that_begins_inside_and_arrives_after_is_delivered() -> None:
    bench = one_meter()
    bench.activate()
    bench.at(START + WINDOW + MINUTE)
    assert ad1(bench.outage(started=START + 29 * MINUTE)) == [NETWORK_OPERATOR]


@pytest.mark.parametrize(
    ("rule", "heard"), [(OutageTime.RECEIPT, True), (OutageTime.EVENT_START, False), (OutageTime.EITHER, False)]
)
def test_row_35_the_rule_of_time_is_a_setting(rule: OutageTime, *, heard: bool) -> None:
    bench = Bench(settings=DspSettings(outage_time=rule))
    bench.activate()
    bench.at(START + WINDOW + MINUTE)
    assert bool(ad1(bench.outage(started=START + 29 * MINUTE))) is heard


@pytest.mark.parametrize("code", [0x8F35, 0x8F36])
def test_row_36_restore_alerts_are_never_suppressed(code: int) -> None:
    bench = one_meter()
    bench.activate()
    bench.later(10 * MINUTE)
    payload = ecs80.Alert(code, bench.now, bench.now - 4 * MINUTE, bench.now).encode()
    outcome = bench.alert(ESME, ecs80.MESSAGE_CODE, NETWORK_OPERATOR, payload)
    ((user, response),) = outcome.to_users
    assert user == NETWORK_OPERATOR
    assert isinstance(response.body, DeviceAlertMessage)
    assert response.body.alert_code == code
    assert not delivered(bench)


def test_row_37_a_restart_inside_the_window_changes_nothing() -> None:
    bench = one_meter()
    bench.activate()
    bench.at(START + 10 * MINUTE)
    bench.restart()
    bench.at(START + LAST_SECOND)
    assert not delivered(bench)
    bench.later(SECOND)
    assert delivered(bench)
    assert "reloaded" in [row["event"] for row in bench.rows("suppression_events")]


def test_row_37_a_restart_before_the_date_keeps_the_date() -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=START + 30 * DAY))
    bench.at(START + 3 * DAY)
    bench.restart()
    bench.at(START + 30 * DAY - SECOND)
    assert delivered(bench)
    bench.later(SECOND)
    assert not delivered(bench)


def test_row_39_an_open_window_keeps_its_duration_and_one_to_come_takes_the_new() -> None:
    bench = one_meter()
    bench.activate()
    bench.accept(bench.activate(execution=DATE, number=2))
    bench.at(START + 5 * MINUTE)
    bench.restart(DspSettings(window=10 * MINUTE))
    bench.at(START + LAST_SECOND)
    assert not delivered(bench)
    bench.at(DATE + 10 * MINUTE)
    assert delivered(bench)


@pytest.mark.parametrize("settings", [DspSettings(window=0), DspSettings(suppression=False)], ids=["W=0", "off"])
def test_row_40_switched_off_nothing_is_suppressed_but_tracked(settings: DspSettings) -> None:
    bench = Bench(settings=settings)
    bench.activate()
    assert len(ad1(bench.outage())) == 2
    assert len(bench.rows("suppression_windows")) == 1


@pytest.mark.requirement("MP102B-G4")
@pytest.mark.parametrize(("minutes", "after", "heard"), [(10, 11, True), (60, 31, False), (60, 60, True)])
def test_the_duration_is_a_setting(minutes: int, after: int, *, heard: bool) -> None:
    bench = Bench(settings=DspSettings(window=minutes * MINUTE))
    bench.activate()
    bench.at(START + after * MINUTE)
    assert bool(ad1(bench.outage())) is heard


def test_row_41_a_new_list_leaves_open_windows_and_opens_no_new_ones_for_removed_entries() -> None:
    bench = one_meter()
    bench.activate()
    bench.dsp.load_tracked([str(OTHER_ESME)])
    bench.later(MINUTE)
    assert not delivered(bench)
    bench.at(START + HOUR)
    bench.activate()
    assert delivered(bench)
    bench.activate(OTHER_ESME)
    assert not delivered(bench, OTHER_HUB)


@pytest.mark.parametrize(
    "form", ["00DB1234567890A0", "00db1234567890a0", "00-DB-12-34-56-78-90-A0", "00:db:12:34:56:78:90:a0"]
)
def test_row_42_the_form_of_an_identifier_does_not_matter(form: str) -> None:
    bench = Bench(tracked=())
    bench.dsp.load_tracked([form])
    bench.activate()
    assert ad1(bench.outage()) == []


def test_row_44_a_repeated_message_gets_the_same_decision_once() -> None:
    bench = one_meter()
    bench.activate()
    bench.at(START + 29 * MINUTE)
    assert ad1(bench.outage(started=START + 26 * MINUTE)) == []
    bench.at(START + 31 * MINUTE)
    bench.restart()
    assert ad1(bench.outage(started=START + 26 * MINUTE)) == []
    rows = bench.rows("power_outage_audit")
    assert [(row["decision"], row["duplicate"]) for row in rows] == [("suppressed", 0), ("suppressed", 1)]


def test_row_45_local_delivery_with_a_date_opens_the_window_at_the_date() -> None:
    bench = one_meter()
    outcome = bench.activate(execution=DATE, variant=CommandVariant.SIGNED_LOCAL)
    assert outcome.to_csp == []
    bench.at(DATE - SECOND)
    assert delivered(bench)
    bench.later(SECOND)
    assert not delivered(bench)


def test_row_46_local_delivery_at_once_opens_it_at_the_hand_over() -> None:
    bench = one_meter()
    bench.activate(variant=CommandVariant.SIGNED_LOCAL)
    assert not delivered(bench)
    assert bench.rows("suppression_events")[0]["event"] == "armed-local"


def test_row_47_a_hub_without_esme_is_audited_as_unmapped_and_delivered() -> None:
    bench = Bench(devices=[device for device in estate() if device.device not in (ESME, ESME_2)])
    assert ad1(bench.outage()) == [NETWORK_OPERATOR]
    assert bench.rows("power_outage_audit")[0]["decision"] == "unmapped"


def test_row_48_an_old_alert_that_arrives_inside_is_suppressed_and_the_audit_shows_it() -> None:
    bench = one_meter()
    bench.later(HOUR)
    bench.activate()
    assert ad1(bench.outage(started=START)) == []
    (audit,) = bench.rows("power_outage_audit")
    assert audit["started"] == START
    assert audit["window_start"] == START + HOUR


def test_row_50_withdrawing_the_hub_removes_windows_to_come() -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    change = bodies.UpdateDeviceStatusCh(DeviceStatus.WITHDRAWN)
    assert bench.request(bodies.UpdateInventory(device_id=HUB, change=change)).code == "I99"
    assert bench.rows("suppression_windows")[0]["state"] == "removed"
    bench.at(DATE + MINUTE)
    assert delivered(bench)


@pytest.mark.requirement("MP102B-G14")
def test_nothing_of_the_list_shows_in_what_leaves_the_dsp() -> None:
    """MP102B-G14: an identifier of the list that is never hit appears nowhere."""
    canary = Eui64(0x00DBCAFEF00DFEED)
    bench = Bench(tracked=[canary, ESME])
    turns = [bench.activate().turn, bench.outage().turn]
    effects = "".join(repr(effect) for turn in turns for effect in turn.effects)
    for form in (str(canary), canary.hyphenated, canary.hyphenated.lower(), str(int(canary))):
        assert form not in bench.store.dump() + effects + repr(bench.dsp.suppression.tracked)


def test_a_date_of_another_element_is_told_and_the_command_counts() -> None:
    bench = one_meter()
    transformed = bench.transform(execution=DATE)
    outcome = bench.send_signed(transformed, execution=DATE + HOUR)
    assert "date-disagreement" in [note.event for note in outcome.notes]
    bench.at(DATE + MINUTE)
    assert not delivered(bench)


def test_windows_are_written_before_the_command_leaves() -> None:
    turn = one_meter().activate().turn
    kinds = [type(effect).__name__ for effect in turn.effects]
    assert kinds.index("Write") < kinds.index("ToCsp")
    assert any(isinstance(effect, Append) and effect.table == "suppression_events" for effect in turn.effects)
