"""The hub's own firmware: what the WAN provider signed runs after a restart, anything else does not (SM7-R9)."""

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.devices.communications_hub import HubSettings
from emulator.entropy import SeededEntropy
from firmware_images import product
from protocols.gbcs.use_cases import ecs52
from protocols.interfaces import SECOND
from protocols.ota.image import FirmwareImage, Kind
from protocols.wan.envelope import (
    THE_HUB,
    FirmwareImageDelivery,
    GbcsCarried,
    HubFirmwareOutcome,
    HubFirmwareReport,
)
from tests.support.hub_bench import CHF, PPMID_TYPE, HubBench, delivery, eui, image_of, supplier

OLD, NEW = product(Kind.HUB).versions
DEVICE = eui(1)
SETTINGS = HubSettings(firmware_version=OLD, secmp0007=False)
GOOD = image_of(Kind.HUB)


def bench_with_ppmid() -> HubBench:
    bench = HubBench(SETTINGS)
    bench.hub.start()
    bench.run(1)
    bench.add_to_log(DEVICE, PPMID_TYPE)
    bench.run(5)
    return bench


def own(image: bytes, request: str = "hub image 1") -> FirmwareImageDelivery:
    return FirmwareImageDelivery(request, ((CHF, THE_HUB),), image)


def reports(bench: HubBench) -> list[tuple[int, int, str]]:
    """Return version, what runs, outcome of each report."""
    found = [message for _, message in bench.up if isinstance(message, HubFirmwareReport)]
    assert all(report.hub == CHF for report in found)
    return [(report.version, report.running, report.outcome.name) for report in found]


def read_version(bench: HubBench) -> int | None:
    payload = ecs52.Command(counter=bench.counter + 1).encode()
    bench.down(GbcsCarried(CHF, bench.command(ecs52.MESSAGE_CODE, payload)))
    bench.run(5)
    answers = [message for message in bench.messages_up(CHF) if message.message_code == ecs52.MESSAGE_CODE]
    return ecs52.Response.decode(answers[-1].payload).firmware_version


def takes_ppmid_images(bench: HubBench) -> bool:
    before = len(bench.notes.of("image-stored"))
    bench.down(delivery("a:b:1", image_of(Kind.PPMID), DEVICE))
    bench.run(30)
    return len(bench.notes.of("image-stored")) > before


@pytest.mark.requirement("SM7-R9")
def test_new_firmware_runs_after_a_restart_and_serves_small_devices() -> None:
    """SM7-R9: before, the image for a PPMID is of no use to the hub; after, it is stored."""
    bench = bench_with_ppmid()
    assert (read_version(bench), takes_ppmid_images(bench)) == (OLD, False)
    bench.down(own(GOOD))
    bench.run(20)
    assert (bench.hub.firmware_version, reports(bench)) == (OLD, [])
    bench.run(40)
    assert not bench.hub.running  # it restarts
    bench.run(60)
    assert reports(bench) == [(NEW, NEW, "ACTIVATED")]
    assert (bench.hub.firmware_version, read_version(bench)) == (NEW, NEW)
    bench.resend()  # the image for the PPMID, which was never acknowledged
    bench.run(30)
    assert len(bench.notes.of("image-stored")) == 1


def _flipped(file: bytes, octet: int) -> bytes:
    return file[:octet] + bytes((file[octet] ^ 1,)) + file[octet + 1 :]


@cache
def _signed_by_the_supplier() -> bytes:
    image = FirmwareImage.decode(GOOD, signed=True)
    return image._replace(signature=SeededEntropy(1).sign(supplier().ds_key, image.manufacturer_image)).encode()


@pytest.mark.requirement("SM7-R9")
@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (_flipped(GOOD, len(GOOD) - 1), "signature invalid"),
        (_flipped(GOOD, 500), "digest does not match"),
        (_signed_by_the_supplier(), "signature invalid"),
        (image_of(Kind.ESME), "image of 1A01 type 0000"),
        (GOOD[:-1], "file of"),
        (b"", "octets"),
    ],
    ids=["signature", "content", "signer", "product", "length", "nothing"],
)
def test_what_is_not_the_wan_providers_is_refused_and_reported_once(image: bytes, reason: str) -> None:
    bench = bench_with_ppmid()
    bench.down(own(image))
    bench.run(5)
    bench.resend()
    bench.run(600)
    (refused,) = bench.notes.of("own-image-refused")
    assert reason in str(refused["reason"])
    (report,) = reports(bench)
    assert report[1:] == (OLD, "REFUSED")
    assert (bench.hub.firmware_version, bench.hub.running, bench.notes.of("own-activation")) == (OLD, True, [])


def test_an_image_that_does_not_run_leaves_the_one_before() -> None:
    """Its octets rot between the check and the restart: the hub falls back and says so."""
    bench = bench_with_ppmid()
    bench.down(own(GOOD))
    bench.run(20)
    bench.storage.put("own/pending", _flipped(GOOD, 900))
    bench.run(600)
    assert reports(bench) == [(NEW, OLD, "FAILED")]
    assert (bench.hub.firmware_version, read_version(bench)) == (OLD, OLD)
    assert not takes_ppmid_images(bench)
    assert [cell for cell in bench.storage.cells() if cell.startswith("own/")] == []


def test_a_hub_of_a_make_without_images_refuses_them() -> None:
    bench = HubBench(SETTINGS)
    bench.hub._own_version.product = None
    bench.hub.start()
    bench.down(own(GOOD))
    bench.run(10)
    assert [fields["reason"] for fields in bench.notes.of("own-image-refused")] == ["this hub takes none"]


def test_a_real_power_cut_during_the_restart_is_no_second_activation() -> None:
    bench = bench_with_ppmid()
    bench.down(own(GOOD))
    bench.run_till(lambda: not bench.hub.running)
    bench.mains.cut(400 * SECOND)
    bench.run(1000)
    assert reports(bench) == [(NEW, NEW, "ACTIVATED")]
    assert len(bench.notes.of("activated")) == 1


def _updated(cut: Callable[[HubBench, list[str]], Callable[[str], None]]) -> tuple[HubBench, list[str]]:
    """Update a hub under a hook before each change of its storage; return it and the cells that changed."""
    bench, changes = bench_with_ppmid(), list[str]()
    bench.storage.before_change = cut(bench, changes)
    bench.down(own(GOOD))
    for _ in range(20):
        bench.run(60)
        bench.resend()
    bench.storage.before_change = None
    return bench, changes


@cache
def _cells() -> tuple[str, ...]:
    return tuple(_updated(lambda _, changes: changes.append)[1])


@given(st.data())
def test_a_power_cut_between_any_two_puts_leaves_one_firmware_and_one_report(data: st.DataObject) -> None:
    fatal = data.draw(st.integers(0, len(_cells()) - 1))

    def hook(bench: HubBench, changes: list[str]) -> Callable[[str], None]:
        def before(cell: str) -> None:
            changes.append(cell)
            if len(changes) == fatal + 1:
                bench.storage.without_power = bench.wan.hub.silent = True
                bench.clock.call_at(bench.clock.now(), off)

        def off() -> None:
            bench.hub.power_off()
            bench.node.power_off()
            bench.storage.without_power = bench.wan.hub.silent = False
            bench.clock.call_at(bench.clock.now() + 60 * SECOND, bench.hub.power_on)

        return before

    bench, _ = _updated(hook)
    assert reports(bench) == [(NEW, NEW, HubFirmwareOutcome.ACTIVATED.name)]
    assert bench.hub.firmware_version == NEW
    assert [cell for cell in bench.storage.cells() if cell in ("own/pending", "own/begun", "journal")] == []
