"""A store with something for every report: bridges and PPMIDs in two homes, updates good and bad, outages, repairs."""

from dataclasses import replace
from pathlib import Path

from firmware_images import product
from gateway.dsp.records import Device
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.inventory import DeviceStatus, DeviceType, PpmidVariant
from protocols.duis.requests import CommandVariant
from protocols.gbcs.use_cases import ccs08, ecs52
from protocols.interfaces import DAY, HOUR, MINUTE
from protocols.ota.image import Kind
from protocols.wan import smwan
from tests.support.dsp_bench import BRIDGE, ESME, ESME_2, HUB, OTHER_HUB, PPMID, Bench, Outcome, device, estate, image
from tests.support.parties import START

BRIDGE_2, OTHER_BRIDGE, OLD_PPMID = (Eui64(0x00DB123456789000 | last) for last in (0xB2, 0xB7, 0xB8))
OLD, MIDDLE, NEW = (f"{version:08X}" for version in product(Kind.BRIDGE1).versions[:3])


def devices() -> list[Device]:
    """Return the usual estate, a second bridge beside the first, one in the other home, a PPMID of before MP170."""
    bridge = device(BRIDGE_2, Kind.BRIDGE1, DeviceType.PPMID, DeviceStatus.WHITELISTED)
    second = replace(bridge, hub=HUB, variant=PpmidVariant.ALT_HAN_BRIDGE_1)
    other = replace(second, device=OTHER_BRIDGE, hub=OTHER_HUB)
    old = replace(device(OLD_PPMID, Kind.PPMID, DeviceType.PPMID, DeviceStatus.WHITELISTED), hub=OTHER_HUB)
    return [*estate(), second, other, old]


def update(bench: Bench, target: Eui64, number: int) -> Outcome:
    """Ask for release `number` of a bridge or PPMID by 11.4."""
    kind = Kind.PPMID if target == PPMID else Kind.BRIDGE1
    version = f"{product(kind).versions[number]:08X}"
    octets = image(kind, number, bench.parties).encode()
    body = bodies.UpdatePpmidFirmware(firmware_image=octets, firmware_version=version, device_ids=(target,))
    outcome = bench.request(body)
    assert outcome.code in ("I99", "W110401")
    return outcome


def reach_hub(bench: Bench, asked: Outcome, target: Eui64, version: int) -> None:
    """Let the CSP tell 20 minutes later that the hub has the image."""
    bench.later(20 * MINUTE)
    (message,) = asked.to_csp
    assert isinstance(message, smwan.FirmwareToHubs)
    bench.from_csp(smwan.FirmwareDeliveryStatus(message.request_id, HUB, target, version, bench.now, True))


def told(bench: Bench) -> None:
    """Go through March and April 2026."""
    old, middle, new = product(Kind.BRIDGE1).versions[:3]
    bench.outage()
    first = update(bench, BRIDGE, 1)
    update(bench, BRIDGE, 2)  # blocked
    reach_hub(bench, first, BRIDGE, middle)
    bench.later(10 * MINUTE)
    bench.transfer_report(BRIDGE, middle, ccs08.TransferCode.TRANSFERRED)
    bench.later(MINUTE)
    bench.activation_report(BRIDGE, middle)
    second = update(bench, BRIDGE_2, 1)
    reach_hub(bench, second, BRIDGE_2, middle)
    bench.transfer_report(BRIDGE_2, middle, ccs08.TransferCode.IMAGE_DISCARDED)
    update(bench, PPMID, 1)  # nothing is heard of it
    suppressed(bench)
    unanswered(bench)
    bench.at(START + 35 * DAY)  # April
    third = update(bench, BRIDGE, 2)
    reach_hub(bench, third, BRIDGE, new)
    bench.transfer_report(BRIDGE, new, ccs08.TransferCode.TRANSFERRED)
    bench.activation_report(BRIDGE, new)
    assert old < middle < new


def suppressed(bench: Bench) -> None:
    """An activation at once, its AD1, the same again, and one after the window."""
    bench.later(DAY)
    bench.activate()
    bench.later(5 * MINUTE)
    bench.outage()
    bench.outage(started=bench.now - 3 * MINUTE)
    bench.later(HOUR)
    bench.outage()
    bench.outage(Eui64(0x00DB1234567899A2))  # a hub nobody knows


def unanswered(bench: Bench) -> None:
    """The response to that activation never comes; a day later 11.2 reads the new version."""
    bench.later(DAY + HOUR)
    read = bench.request(bodies.ReadFirmwareVersion(), ESME, CommandVariant.TO_DEVICE)
    command = bench.command_of(read)
    payload = ecs52.Response(product(Kind.ESME).versions[1], counter=command.counter).encode()
    bench.respond(command, payload, mac=True)
    assert bench.inventory_row(ESME)["firmware_version"] == f"{product(Kind.ESME).versions[1]:08X}"
    assert bench.inventory_row(ESME_2)["firmware_version"] == f"{product(Kind.ESME).versions[0]:08X}"


def make(path: Path) -> Bench:
    """Leave the store at `path` and return the bench that made it."""
    return make_at(f"sqlite:///{path}")


def make_at(url: str) -> Bench:
    """Leave the store at a URL."""
    bench = Bench(url=url, devices=devices(), settings=DspSettings())
    told(bench)
    return bench
