"""Rows of the decision table around the DSP's edges: quarantine, lost hubs, swaps, restarts, throttling, departures.

The others stand in test_suppression_rows; together they are all fifty, which the first test counts.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.dsp.effects import Turn, Write
from gateway.dsp.reads import Reads
from gateway.dsp.records import Command
from gateway.dsp.settings import DspSettings, OutageTime, Threshold
from gateway.dsp.suppression import Suppression
from protocols.duis import bodies
from protocols.duis.requests import CommandVariant
from protocols.duis.responses import DccAlertMessage
from protocols.gbcs.use_cases import cs06, ecs52
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from protocols.ota.image import Kind
from protocols.wan.smwan import GbcsToHub, GbcsUndeliverable, PowerOutage
from tests.gateway.dsp.test_device_log_requests import tell_log
from tests.gateway.dsp.test_suppression_rows import DATE, LAST_SECOND, WINDOW, ad1, delivered, one_meter
from tests.support import dsp_process
from tests.support.dsp_bench import ESME, ESME_2, HUB, OTHER_HUB, Bench, estate, image
from tests.support.parties import NETWORK_OPERATOR, OTHER_SUPPLIER, START, SUPPLIER
from tests.support.requirements import patched


def test_every_row_of_the_table_has_its_tests() -> None:
    files = (Path(__file__), Path(__file__).with_name("test_suppression_rows.py"))
    rows = {
        int(n) for file in files for n in re.findall(r"^def test_row_(\d\d)_", file.read_text("utf-8"), re.MULTILINE)
    }
    assert rows == set(range(1, 51))


def test_row_18_a_quarantined_activation_opens_its_window_when_released() -> None:
    limited = DspSettings(thresholds={"11.3": Threshold(0, DAY)})
    bench = Bench(settings=limited, devices=[d for d in estate() if d.device != ESME_2])
    assert bench.send_signed(bench.transform()).code == "E100"
    assert bench.rows("suppression_windows") == []
    assert delivered(bench)
    bench.later(HOUR)
    released = bench.run(bench.dsp.release(bench.dsp.quarantine[0].reference, bench.now))
    assert len(released.to_csp) == 1
    assert not delivered(bench)
    bench.later(WINDOW)
    assert delivered(bench)


def test_row_18_a_rejected_activation_opens_none() -> None:
    limited = DspSettings(thresholds={"11.3": Threshold(0, DAY)})
    bench = Bench(settings=limited, devices=[d for d in estate() if d.device != ESME_2])
    bench.send_signed(bench.transform())
    bench.run(bench.dsp.reject(bench.dsp.quarantine[0].reference, bench.now))
    assert delivered(bench)


def test_row_19_a_command_the_csp_cannot_deliver_keeps_its_window() -> None:
    bench = one_meter()
    (sent,) = bench.activate().to_csp
    assert isinstance(sent, GbcsToHub)
    outcome = bench.from_csp(GbcsUndeliverable(sent.hub, sent.device, sent.message))
    assert [(user, response.response_code) for user, response in outcome.to_users] == [(SUPPLIER, "E20")]
    assert bench.rows("commands") == []
    bench.at(START + LAST_SECOND)
    assert not delivered(bench)


def test_row_20_by_setting_a_reported_failure_closes_the_open_window() -> None:
    for close, heard in ((False, False), (True, True)):
        bench = Bench(
            settings=DspSettings(close_window_on_failure=close), devices=[d for d in estate() if d.device != ESME_2]
        )
        command = bench.command_of(bench.activate())
        bench.later(5 * MINUTE)
        assert not delivered(bench)
        bench.later(SECOND)
        outcome = cs06.Outcome(cs06.OutcomeCode.NO_IMAGE, 0x01000000)
        bench.respond(command, cs06.Response(outcome).encode())
        bench.restart()
        bench.later(SECOND)
        assert delivered(bench) is heard
        assert ("closed" in [row["event"] for row in bench.rows("suppression_events")]) is close


def test_row_20_success_closes_no_window() -> None:
    bench = Bench(
        settings=DspSettings(close_window_on_failure=True), devices=[d for d in estate() if d.device != ESME_2]
    )
    command = bench.command_of(bench.activate())
    bench.respond(command, cs06.Response(cs06.Outcome(cs06.OutcomeCode.SUCCESS, 0x01000001)).encode())
    bench.at(START + LAST_SECOND)
    assert not delivered(bench)


def test_row_25_a_distribution_opens_no_window() -> None:
    bench = one_meter()
    made = image(Kind.ESME, 1, bench.parties)
    body = bodies.UpdateFirmware(
        firmware_image=made.encode(), firmware_version=f"{made.header.file_version:08X}", device_ids=(ESME,)
    )
    assert bench.request(body).code == "I99"
    bench.receipt(ESME, made.hash)
    assert bench.rows("suppression_windows") == []
    assert delivered(bench)


def test_row_29_a_meter_that_moved_to_another_hub_takes_its_window_along() -> None:
    bench = Bench()
    bench.activate()
    bench.later(MINUTE)
    tell_log(bench, {ESME: bytes(16)}, OTHER_HUB)
    assert bench.inventory_row(ESME)["hub"] == str(OTHER_HUB)
    assert ad1(bench.outage(OTHER_HUB)) == []
    assert len(ad1(bench.outage(HUB))) == 1, "the untracked meter that stayed is heard"


def test_row_34_a_real_outage_inside_the_window_is_suppressed_too() -> None:
    """The known risk: nothing in an AD1 tells the one from the other."""
    bench = one_meter()
    bench.activate()
    bench.later(20 * MINUTE)
    assert ad1(bench.outage(started=bench.now - 3 * MINUTE)) == []
    (audit,) = bench.rows("power_outage_audit")
    assert (audit["decision"], audit["started"]) == ("suppressed", bench.now - 3 * MINUTE)


@pytest.mark.requirement("X-4")
def test_row_37_another_process_goes_on_suppressing_after_a_kill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    dsp_process.do(url, START, "activate")
    for after in (LAST_SECOND, WINDOW):
        dsp_process.do(url, START + after, "outage", str(START + after - 3 * MINUTE), "0", "receipt")
    rows = Bench(url=url, restart=True).rows("power_outage_audit")
    assert [row["decision"] for row in rows] == ["suppressed", "delivered"]


@pytest.mark.requirement("X-4", "MP102B-G7")
def test_row_37_another_process_opens_the_window_on_day_30(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    date = START + 30 * DAY
    dsp_process.do(url, START, "activate", str(date))
    for moment in (date - SECOND, date):
        dsp_process.do(url, moment, "outage", str(moment - 3 * MINUTE), "0", "receipt")
    rows = Bench(url=url, restart=True).rows("power_outage_audit")
    assert [row["decision"] for row in rows] == ["delivered", "suppressed"]


@pytest.mark.parametrize(
    ("rule", "decision"), [(OutageTime.RECEIPT, "delivered"), (OutageTime.CSP_RECEIPT, "suppressed")]
)
def test_row_38_an_alert_that_waited_at_the_csp_counts_when_the_dsp_takes_it(
    rule: OutageTime, decision: str, tmp_path: Path
) -> None:
    """Taken by the CSP inside the window, by a DSP that was down not before it was over."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    dsp_process.do(url, START, "activate")
    taken = START + 20 * MINUTE
    dsp_process.do(url, START + HOUR, "outage", str(taken - 3 * MINUTE), str(taken), str(rule))
    (row,) = Bench(url=url, restart=True).rows("power_outage_audit")
    assert (row["decision"], row["received"]) == (decision, START + HOUR)


@pytest.mark.parametrize("opened", [False, True])
def test_row_43_a_throttled_alert_is_decided_once_and_keeps_its_counts(*, opened: bool) -> None:
    bench = one_meter()
    if opened:
        bench.activate()
    event = PowerOutage(HUB, bench.now - 3 * MINUTE, bench.now, throttled_sequence=7, throttled_count=40)
    outcome = bench.from_csp(event)
    assert len(bench.rows("power_outage_audit")) == 1
    if opened:
        assert outcome.to_users == []
        return
    ((user, response),) = outcome.to_users
    assert user == NETWORK_OPERATOR
    assert isinstance(response.body, DccAlertMessage)
    assert (response.body.throttled_alert_sequence_id, response.body.throttled_alert_count) == (7, 40)


def test_row_49_a_change_of_supplier_leaves_the_window() -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    row = bench.dsp.inventory.premises.get("1012345678901")
    assert row is not None
    bench.run(bench.dsp.provision(bench.now, premises=[replace(row, supplier=OTHER_SUPPLIER)]))
    assert bench.transform().code == "E4"
    bench.at(DATE + MINUTE)
    assert not delivered(bench)


def test_row_50_a_decommissioned_meter_takes_its_record_along() -> None:
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    assert bench.request(bodies.DecommissionDevice(device_id=ESME)).code == "I99"
    assert [row["state"] for row in bench.rows("suppression_windows")] == ["removed"]
    bench.at(DATE + MINUTE)
    assert delivered(bench)


def test_row_50_an_open_window_is_not_taken_back() -> None:
    bench = one_meter()
    bench.activate()
    bench.later(MINUTE)
    bench.request(bodies.DecommissionDevice(device_id=ESME))
    assert not delivered(bench)


# --- what the table stands for -------------------------------------------------------------------------------------


def first_generation_too(self: Suppression, device: object) -> bool:
    return device.device in self.tracked  # type: ignore[attr-defined]


@pytest.mark.requirement("MP102B-G1", planted=patched(Suppression, "applies_to", first_generation_too))
def test_of_two_generations_on_the_list_the_second_alone_is_tracked() -> None:
    for generation, heard in (("1.2", True), ("5.0", False)):
        devices = [replace(d, smets_version=generation) if d.device == ESME else d for d in estate()]
        bench = Bench(devices=[d for d in devices if d.device != ESME_2])
        bench.activate()
        assert delivered(bench) is heard


@pytest.mark.requirement("MP102B-G3")
def test_a_meter_that_behaves_alike_and_is_not_on_the_list_is_heard() -> None:
    bench = Bench(tracked=(), devices=[d for d in estate() if d.device != ESME_2])
    bench.activate()
    bench.later(5 * MINUTE)
    assert delivered(bench)


@pytest.mark.requirement("MP102B-G12")
@pytest.mark.parametrize(("minutes", "heard"), [(-5, False), (-12, False), (3, False), (5, True)])
def test_a_clock_some_minutes_off(minutes: int, *, heard: bool) -> None:
    """Minutes the meter's clock is ahead: its outage is told three minutes after its own idea of the date."""
    bench = one_meter()
    bench.accept(bench.activate(execution=DATE))
    bench.at(DATE - minutes * MINUTE + 3 * MINUTE)
    assert delivered(bench) is heard


ANSWER = Reads.version_read


def unwritten(self: Reads, turn: Turn, command: Command, version: int | None) -> None:
    """Do not write what a read told."""
    ANSWER(self, turn, command, version)
    turn.effects = [effect for effect in turn.effects if not isinstance(effect, Write)]


@pytest.mark.requirement("X-3", planted=patched(Reads, "version_read", unwritten))
def test_a_lost_response_leaves_the_window_and_a_read_repairs_later() -> None:
    bench = Bench(
        settings=DspSettings(response_timeout=5 * MINUTE), devices=[d for d in estate() if d.device != ESME_2]
    )
    bench.activate()
    bench.at(START + 10 * MINUTE)
    assert bench.rows("commands") == []
    assert not delivered(bench)
    (window,) = bench.rows("suppression_windows")
    assert (window["start"], window["end"], window["state"]) == (START, START + WINDOW, "armed")
    version = 0x01000001
    command = bench.command_of(bench.request(bodies.ReadFirmwareVersion(), ESME, CommandVariant.TO_DEVICE))
    bench.respond(command, ecs52.Response(version, counter=command.counter).encode(), mac=True)
    assert bench.inventory_row(ESME)["firmware_version"] == f"{version:08X}"
    bench.later(SECOND)
    assert not delivered(bench)
