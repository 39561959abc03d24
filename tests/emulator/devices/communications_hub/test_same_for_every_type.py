"""The hub cannot tell a bridge from a PPMID: what it does for either is the same but for identifiers."""

from typing import NamedTuple

import pytest

from emulator.air.medium import Tap
from emulator.devices.alt_han_bridge import AltHanBridge
from firmware_images import product
from protocols.gbcs.use_cases import cs08
from protocols.ota.image import Kind
from protocols.wan.envelope import GbcsCarried
from tests.support.hub_bench import HCALCS_TYPE, PPMID_TYPE, START, HubBench, delivery, eui, image_of
from tests.support.requirements import patched

DEVICE = eui(1)


class Trace(NamedTuple):
    frames: list[tuple[int, int]]  # on the air: time in ns, octets
    release: int  # of the device, in the end
    up: list[tuple[int, str, int]]  # on the WAN: time in ns, kind, octets
    notes: list[str]


class Frames:
    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def tap(self, network: str) -> Tap:
        return lambda time_ns, octets_with_fcs: self.seen.append((time_ns, len(octets_with_fcs)))


def life_of(kind: Kind, type_code: int = PPMID_TYPE) -> Trace:
    """Whitelist, join, read the version, update, read it again; `kind` is the product the hub knows nothing of."""
    capture = Frames()
    bench = HubBench(capture=capture)
    bench.hub.start()
    bench.add_to_log(DEVICE, type_code)
    device = bench.ppmid(DEVICE) if kind is Kind.PPMID else bench.bridge(DEVICE, kind)
    bench.run(60)
    for _ in range(2):
        bench.down(GbcsCarried(DEVICE, bench.command(cs08.MESSAGE_CODE, cs08.Command().encode(), DEVICE)))
        bench.run(60)
        bench.down(delivery("a:b:1", image_of(kind, size=6_000), DEVICE))
        bench.run(900)
    new = product(kind).versions[1]
    lines = [f"{event} {fields}" for actor, event, fields in bench.notes.lines if actor == "hub"]
    digest = bench.notes.of("image-stored")[0]["sha256"]
    lines = [line.replace(f"{new:08X}", "VERSION").replace(str(digest), "DIGEST") for line in lines]
    up = [(at - START, type(message).__name__, len(message.encode())) for at, message in bench.up]
    return Trace(capture.seen, product(kind).versions.index(device.firmware_version), up, lines)


@pytest.mark.requirement("MP170-A9", "MP170-C1")
@pytest.mark.parametrize("kind", [Kind.BRIDGE1, Kind.BRIDGE2, Kind.BRIDGE3, Kind.BRIDGE4])
def test_a_bridge_and_a_ppmid_leave_the_same_trace_at_the_hub(kind: Kind) -> None:
    """MP170-A9, MP170-C1: times and lengths of all frames and WAN messages are equal, and so is the hub's timeline."""
    ppmid, bridge = life_of(Kind.PPMID), life_of(kind)
    assert ppmid.release == 1
    assert len(ppmid.frames) > 500
    assert [line.split()[0] for line in ppmid.notes].count("ota-finished") == 1
    assert bridge == ppmid


class Octets:
    """Every frame of the air as it is."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, bytes]] = []

    def tap(self, network: str) -> Tap:
        return lambda time_ns, octets_with_fcs: self.seen.append((time_ns, octets_with_fcs))


def octets_of(*, bridge: bool) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    """Return all frames of the air and messages of the WAN of a PPMID, or of a bridge with its name and image."""
    capture = Octets()
    bench = HubBench(capture=capture)
    bench.hub.start()
    bench.add_to_log(DEVICE, PPMID_TYPE)
    device = bench.bridge(DEVICE, Kind.PPMID) if bridge else bench.ppmid(DEVICE)
    bench.run(60)
    for _ in range(2):
        bench.down(GbcsCarried(DEVICE, bench.command(cs08.MESSAGE_CODE, cs08.Command().encode(), DEVICE)))
        bench.run(60)
        bench.down(delivery("a:b:1", image_of(Kind.PPMID, size=6_000), DEVICE))
        bench.run(900)
    assert device.firmware_version == product(Kind.PPMID).versions[1]
    return capture.seen, [(at, message.encode()) for at, message in bench.up]


@pytest.mark.requirement(
    "MP170-A9",
    "MP170-C1",
    "MP170-A4",
    "MP170-P4",
    planted=patched(AltHanBridge, "serves_tunnels", property(lambda self: False)),
)
def test_under_one_name_a_bridge_and_a_ppmid_are_equal_octet_by_octet() -> None:
    """With identifier, product and keys of a PPMID a bridge leaves its very octets on the air and on the WAN."""
    frames, messages = octets_of(bridge=False)
    assert len(frames) > 500
    assert len(messages) > 5
    assert octets_of(bridge=True) == (frames, messages)


def test_the_traces_of_two_types_differ() -> None:
    """What the comparison above would show if the hub did tell them apart: another type, another upgrade time."""
    assert life_of(Kind.PPMID, HCALCS_TYPE).frames != life_of(Kind.PPMID).frames
