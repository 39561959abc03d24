"""State survives a restart in each phase, and the same inputs give the same effects (X-4)."""

from collections.abc import Callable

import pytest

from firmware_images import product
from gateway.dsp.machine import Dsp
from gateway.dsp.records import Device
from gateway.dsp.rows import Unsigned, from_values, to_values
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.requests import CommandVariant
from protocols.errors import InputError
from protocols.gbcs.use_cases import cs06, cs08
from protocols.gbcs.use_cases.ccs08 import TransferCode
from protocols.interfaces import DAY, MINUTE
from protocols.ota.image import Kind
from protocols.wan import smwan
from tests.support.dsp_bench import BRIDGE, ESME, HUB, Bench, Outcome, estate, image
from tests.support.parties import START

V1 = product(Kind.BRIDGE1).versions[1]
E1 = product(Kind.ESME).versions[1]


def story(bench: Bench, between: Callable[[], object]) -> list[str]:
    """Tell a story that touches every table, with something done between its steps; return what went out."""
    told: list[str] = []

    def step(outcome: Outcome) -> None:
        told.append(repr(outcome.turn.effects))
        between()

    octets = image(Kind.BRIDGE1, 1, bench.parties).encode()
    update = bodies.UpdatePpmidFirmware(firmware_image=octets, firmware_version=f"{V1:08X}", device_ids=(BRIDGE,))
    requested = bench.request(update)
    step(requested)
    (message,) = requested.to_csp
    assert isinstance(message, smwan.FirmwareToHubs)
    bench.now += MINUTE
    step(bench.from_csp(smwan.FirmwareDeliveryStatus(message.request_id, HUB, BRIDGE, V1, bench.now, True)))
    step(bench.transfer_report(BRIDGE, V1, TransferCode.TRANSFERRED))
    step(bench.activation_report(BRIDGE, V1))
    asked = bench.request(bodies.ReadFirmwareVersion(), BRIDGE, CommandVariant.TO_DEVICE)
    step(asked)
    step(bench.respond(bench.command_of(asked), cs08.Response(V1).encode(), mac=True))
    transformed = bench.transform(execution=START + 2 * DAY)
    step(transformed)
    signed = bench.send_signed(transformed)
    step(signed)
    step(bench.accept(signed))
    bench.now = START + 2 * DAY + MINUTE
    step(bench.outage())
    outcome = cs06.Outcome(cs06.OutcomeCode.SUCCESS, E1)
    alert = cs06.Alert(0x8F66, START + 2 * DAY, bench.command_of(signed).counter, outcome).encode()
    step(bench.alert(ESME, cs06.ALERT_MESSAGE_CODE, Eui64(0x90B3D51F30010000), alert))
    step(bench.outage())
    return told


def without_wakes(told: list[str]) -> list[str]:
    """Leave out when to wake: after a restart it is told anew."""
    return [text for text in told if "WakeAt" not in text]


def test_the_same_inputs_give_the_same_effects_and_store() -> None:
    one, other = Bench(), Bench()
    assert story(one, lambda: None) == story(other, lambda: None)
    assert one.store.dump() == other.store.dump()


@pytest.mark.requirement("X-4", "MP170-C24")
def test_a_restart_between_any_two_steps_changes_nothing_that_goes_out(store_url: str) -> None:
    steady, shaken = Bench(), Bench(url=store_url)
    told, retold = story(steady, lambda: None), story(shaken, shaken.restart)
    assert without_wakes(retold) == [text for text, again in zip(told, retold, strict=True) if "WakeAt" not in again]
    kept = [line for line in shaken.store.dump().splitlines() if not line.startswith("suppression_events")]
    assert kept == [line for line in steady.store.dump().splitlines() if not line.startswith("suppression_events")]
    shaken.store.close()


@pytest.mark.requirement("X-4", "MP170-C24")
def test_another_process_goes_on_from_the_store(store_url: str) -> None:
    first = Bench(url=store_url)
    first.activate()
    first.store.close()
    second = Bench(url=store_url, restart=True)
    assert second.outage().dcc_alerts() == []
    assert second.rows("power_outage_audit")[-1]["decision"] == "suppressed"
    second.store.close()


@pytest.mark.parametrize("device", estate(), ids=lambda device: f"{device.type} {device.device}")
def test_rows_survive_their_columns(device: Device) -> None:
    assert from_values(Device, to_values(device)) == device


@pytest.mark.parametrize("counter", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_counters_of_64_bits_fit_the_signed_numbers_of_the_store(counter: int) -> None:
    bench = Bench()
    request = bench.request(bodies.ReadFirmwareVersion(), ESME, CommandVariant.TO_DEVICE, counter=counter)
    assert request.code == "I99"
    bench.restart()
    command = bench.command_of(request)
    assert Unsigned(command.counter) == counter
    assert bench.rows("commands") != []


@pytest.mark.parametrize(
    ("column", "value"), [("device", "nonsense"), ("status", "Asleep"), ("type", None), ("firmware_version", "XYZ")]
)
def test_a_damaged_row_is_refused_with_its_table_and_column(column: str, value: str | None) -> None:
    bench = Bench()
    tables = bench.store.load()
    tables["inventory"][0] = dict(tables["inventory"][0]) | {column: value}
    dsp: Dsp = bench.dsp
    with pytest.raises(InputError, match=f"table inventory: column {column}"):
        dsp.restore(tables)
