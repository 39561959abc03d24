"""N52: a GPF that shows another firmware version for its gas meter than the inventory has. MP105-R5, MP105-R6."""

from dataclasses import replace

import pytest

from firmware_images import product
from gateway.dsp.rows import Version
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.alerts import FirmwareVersionMismatch
from protocols.duis.inventory import DeviceStatus
from protocols.duis.requests import CommandVariant
from protocols.gbcs.codes import ZclStatus
from protocols.gbcs.use_cases import gcs38
from protocols.ota.image import Kind
from tests.support.dsp_bench import GPF, GSME, Bench, Outcome, estate
from tests.support.parties import SUPPLIER

OLD, NEW = product(Kind.GSME).versions[0], 0x02FF0000


def read(bench: Bench, target: Eui64, response: gcs38.Response) -> Outcome:
    asked = bench.request(bodies.ReadFirmwareVersion(), target, CommandVariant.TO_DEVICE)
    assert asked.code == "I99"
    command = bench.command_of(asked)
    assert (command.target, command.message_code) == (target, gcs38.MESSAGE_CODE)
    return bench.respond(command, response.encode(), mac=True)


def mismatches(outcome: Outcome) -> list[FirmwareVersionMismatch]:
    """Return what N52 tells, in order; it goes to the responsible supplier."""
    found = []
    for user, response in outcome.to_users:
        alert = getattr(response.body, "alert", None)
        if isinstance(alert, FirmwareVersionMismatch):
            assert user == SUPPLIER
            assert getattr(response.body, "dcc_alert_code", None) == "N52"
            found.append(alert)
    return found


@pytest.mark.requirement("MP105-R6")
def test_another_version_at_the_gpf_is_told_and_changes_nothing() -> None:
    bench = Bench()
    before = bench.inventory_row(GSME)
    (told,) = mismatches(read(bench, GPF, gcs38.Response(NEW)))
    assert (told.device_id, told.firmware_version_smi, told.firmware_version_device) == (
        GSME, f"{OLD:08X}", f"{NEW:08X}",
    )  # fmt: skip
    assert bench.inventory_row(GSME) == before


@pytest.mark.parametrize("response", [gcs38.Response(OLD), gcs38.Response(None, ZclStatus.HARDWARE_FAILURE)])
def test_the_same_version_or_none_is_not_told(response: gcs38.Response) -> None:
    assert mismatches(read(Bench(), GPF, response)) == []


@pytest.mark.requirement("MP105-R5")
def test_only_the_meters_own_answer_repairs_it() -> None:
    devices = [
        replace(each, status=DeviceStatus.SUSPENDED, firmware_version=Version(NEW)) if each.device == GSME else each
        for each in estate()
    ]
    bench = Bench(devices=devices)
    assert len(mismatches(read(bench, GPF, gcs38.Response(OLD)))) == 1
    assert bench.inventory_row(GSME)["status"] == "Suspended"
    assert mismatches(read(bench, GSME, gcs38.Response(OLD))) == []
    row = bench.inventory_row(GSME)
    assert (row["status"], row["firmware_version"]) == ("Commissioned", f"{OLD:08X}")
