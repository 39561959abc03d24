"""The ESME cuts the hub for 13 minutes while bridge B3 is in the middle of a full-size image.

Home 1, its backhaul with a loss that keeps the transfer going through the hub's stored energy. Before: the ESME holds a
checked image; the PPMID has fetched its own and is unplugged in its restart. At 40 % of B3's image the supplier
activates the ESME's. While the hub is dark the PPMID is plugged in again and queues its alert.
"""

import json
from typing import Any, NamedTuple

import pytest

from emulator.home import shipped_homes
from emulator.home.builder import Home
from emulator.home.site import Backhaul
from emulator.parts.updatable import UpdatableDevice
from gateway.assembly import images
from gateway.assembly.lab import Lab
from gateway.assembly.story.steps import accepted, distribute
from gateway.assembly.world import World
from gateway.campaigns.evidence.capture import CaptureEvidence, read_capture
from gateway.users.mailbox import answers, dcc_alert
from protocols.addresses import Eui64
from protocols.gbcs.envelope import Cra, Message
from protocols.interfaces import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from protocols.ota.image import Kind
from protocols.zcl.clusters import ota

SIZE = 768_000  # octets
SHARE = 0.4
SMALL = 8_192  # octets of the other images
DARK_AFTER, CUT, BOOT = 200 * SECOND, 13 * MINUTE, MINUTE  # the hub's stored energy, the ESME's restart, the hub's
SOON = 30 * SECOND  # after the hub is back


class Cut(NamedTuple):
    """What the run left."""

    activated_at: int  # octets of B3's image when the supplier activated the ESME
    dark_at: int  # octets when the hub went off
    cut: int  # ns: the supply went
    dark: int  # the hub went off
    back: int  # the hub came on
    answered: int  # the answer to 11.3 reached the supplier
    answer: str  # its code
    n39: dict[str, int]  # how often each device's activation was told to the supplier
    euis: dict[str, Eui64]
    sent: bytes  # B3's file
    timeline: list[dict[str, Any]]
    capture: CaptureEvidence

    def when(self, actor: str, event: str, after: int = 0) -> int:
        """Return when a device first noted an event after an instant."""
        return next(
            int(line["ns"]) for line in self.timeline
            if line["actor"] == f"home-1/{actor}" and line["event"] == event and line["ns"] >= after
        )  # fmt: skip


def _device(home: Home, name: str) -> UpdatableDevice:
    device = home.device(name).device
    assert isinstance(device, UpdatableDevice)
    return device


async def _prepare(world: World, home: Home) -> None:
    """Bring the ESME its image; let the PPMID fetch its own and lose its plug in the restart; start B3's transfer."""
    assert await distribute(world, home.device("esme").eui, world.images.release(Kind.ESME, 1))
    _send(world, home, "ppmid", Kind.PPMID)
    await world.happenings.event("home-1/ppmid", "power-off", within=HOUR)
    _device(home, "ppmid").power_off()
    _send(world, home, "bridge-3", Kind.BRIDGE3)
    await world.happenings.event("home-1/bridge-3", "download-started", within=HOUR)


def _send(world: World, home: Home, name: str, kind: Kind) -> None:
    image = world.images.release(kind, 1)
    eui, version = home.device(name).eui, image.header.file_version
    accepted(world.supplier.update_ppmid_firmware([eui], image.encode(), version), f"11.4 for {name}")


async def _tell(world: World, home: Home, *, restart: bool) -> dict[str, Any]:
    """Tell the story; with `restart` the bridge loses its supply too while the hub is dark."""
    clock, bridge = world.clock, _device(home, "bridge-3")
    await _prepare(world, home)
    while bridge.statistics.octets < SHARE * SIZE:
        await clock.sleep(100 * MILLISECOND)
    activated_at = bridge.statistics.octets
    activation = world.supplier.activate(home.device("esme").eui, world.images.release(Kind.ESME, 1).hash)
    accepted(activation, "11.3")
    await world.happenings.event("home-1/esme", "dc-supply-cut", within=MINUTE)
    cut = clock.now()
    await clock.sleep(DARK_AFTER + 1 * SECOND)
    assert not home.hub.running
    dark_at = bridge.statistics.octets
    _device(home, "ppmid").power_on()
    if restart:
        await clock.sleep(5 * MINUTE)
        bridge.power_off()
        await clock.sleep(MINUTE)
        bridge.power_on()
    got = await world.supplier.wait_for(answers(activation.request_id), what="the answer to 11.3", within=HOUR)
    answered = clock.now()
    eui = home.device("bridge-3").eui
    await world.supplier.wait_for(dcc_alert("N39", device_id=eui), what="N39 of B3", within=DAY)
    await clock.sleep(DAY)  # what is told twice would be told by now
    return {"activated_at": activated_at, "dark_at": dark_at, "cut": cut, "answered": answered, "answer": got.code}


@pytest.fixture(scope="module", params=[False, True], ids=["bridge stays on", "bridge restarts too"])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Cut:
    folder = tmp_path_factory.mktemp("cut") / "run"
    home_1 = next(home for home in shipped_homes() if home.name == "home-1")
    lossy = home_1.model_copy(update={"backhaul": Backhaul(loss=0.2)})
    with pytest.MonkeyPatch.context() as patch:
        for kind in (Kind.ESME, Kind.PPMID):
            patch.setitem(images.SIZES, kind, SMALL)
        with Lab(folder, homes=[lossy], seed=5) as lab:
            world = lab.world
            home = world.home("home-1")
            lab.run(lab.everybody_joins)
            told = lab.run(lambda world: _tell(world, home, restart=request.param))
            euis = {device.name: device.eui for device in home.devices}
            n39 = {name: _count(world, eui) for name, eui in euis.items()}
            sent = world.images.release(Kind.BRIDGE3, 1).encode()
    timeline = [json.loads(line) for line in (folder / "timeline.jsonl").read_text(encoding="utf-8").splitlines()]
    hub = [line for line in timeline if line["actor"] == "home-1/hub"]
    dark = next(line["ns"] for line in hub if line["event"] == "power-off")
    back = next(line["ns"] for line in hub if line["event"] == "power-on")
    capture = read_capture(folder / "capture.pcapng", folder / "keys.txt")
    return Cut(**told, dark=dark, back=back, n39=n39, euis=euis, sent=sent, timeline=timeline, capture=capture)


def _count(world: World, eui: Eui64) -> int:
    """Return how many N39 of a device the supplier got."""
    found, after = 0, 0
    mailbox = world.supplier.mailbox
    while (delivery := mailbox.find(dcc_alert("N39", device_id=eui), after)) is not None:
        found += 1
        after = delivery.number
    return found


@pytest.mark.requirement("MP102B-G10", "MP102B-G11")
def test_the_hub_is_cut_while_the_transfer_runs(story: Cut) -> None:
    """MP102B-G10, G11: the hub lives 200 s on what it has stored, then it is dark until the ESME gives it supply."""
    assert SHARE <= story.activated_at / SIZE < SHARE + 0.01
    assert story.activated_at < story.dark_at < SIZE
    assert story.dark - story.cut == DARK_AFTER
    assert story.when("esme", "dc-supply-back") - story.cut == CUT
    assert story.back - story.cut == CUT + BOOT


def test_the_transfer_goes_on_from_the_stored_offset(story: Cut) -> None:
    """The first block asked for after the cut is the first that was missing; the image is whole and went once."""
    bridge = story.euis["bridge-3"]
    requests = [
        (event.time, event.command.file_offset) for event in story.capture.ota
        if event.device == bridge and isinstance(event.command, ota.ImageBlockRequest)
    ]  # fmt: skip
    served = [
        (event.time, event.command.file_offset, len(event.command.data)) for event in story.capture.ota
        if event.device == bridge and isinstance(event.command, ota.ImageBlockResponse)
    ]  # fmt: skip
    after = [offset for time, offset in requests if time > story.back]
    assert after[0] == story.dark_at == min(after)
    assert sum(size for time, _, size in served if time > story.back) < 1.02 * (SIZE - story.dark_at)
    (transfer,) = [transfer for transfer in story.capture.transfers if transfer.device == bridge]
    assert transfer.image == story.sent
    assert transfer.status == 0
    assert story.n39["bridge-3"] == 1


def test_nothing_of_the_image_was_asked_for_twice_but_what_was_lost(story: Cut) -> None:
    bridge = story.euis["bridge-3"]
    offsets = [
        event.command.file_offset for event in story.capture.ota
        if event.device == bridge and isinstance(event.command, ota.ImageBlockRequest)
    ]  # fmt: skip
    assert set(offsets) == set(range(0, SIZE, 48))
    assert len(offsets) < 1.02 * SIZE / 48


@pytest.mark.requirement("SM7-R3")
def test_the_alert_queued_in_the_dark_is_delivered_once(story: Cut) -> None:
    """SM7-R3: the PPMID activated while the hub was off, its 8F8B waited, and one N39 tells of it."""
    activated = story.when("ppmid", "activated")
    assert story.dark < activated < story.back
    sent = story.when("ppmid", "alert-sent")
    assert story.back < sent < story.back + SOON
    assert story.n39["ppmid"] == 1
    alerts = [
        message for message in story.capture.messages
        if message.device == story.euis["ppmid"] and Message.decode(message.data).cra is Cra.ALERT
    ]  # fmt: skip
    assert len({alert.data for alert in alerts}) == 1
    assert len({alert.tunnel for alert in alerts}) == len(alerts)  # again only if the hub asks for another tunnel
    assert story.back < alerts[0].time < story.back + SOON


@pytest.mark.requirement("SM7-R5")
def test_the_answer_to_the_activation_comes_after_the_hub_is_back(story: Cut) -> None:
    """SM7-R5: the CS06 response waited in the ESME."""
    assert story.answer == "I0"
    assert story.back < story.answered < story.back + SOON
    responses = [
        message for message in story.capture.messages
        if message.device == story.euis["esme"] and message.time > story.cut
        and Message.decode(message.data).cra is Cra.RESPONSE
    ]  # fmt: skip
    assert len({message.data for message in responses}) == 1
    assert story.back < responses[0].time < story.answered


def test_the_command_goes_down_once(story: Cut) -> None:
    """The ESME acknowledged it before it restarted, so nothing is sent again when the hub is back."""
    commands = [
        message for message in story.capture.messages
        if message.device == story.euis["esme"] and not message.upward and message.time > story.cut - MINUTE
    ]  # fmt: skip
    assert len(commands) == 1
    assert [line["reason"] for line in story.timeline if line["event"] == "command-refused"] == []


@pytest.mark.requirement("MP102B-R1")
def test_the_outage_of_the_tracked_esme_is_suppressed(story: Cut) -> None:
    """MP102B-R1: the hub reported the loss once, and the network operator was not told."""
    outages = [line for line in story.timeline if line["event"] == "outage"]
    assert [line["decision"] for line in outages] == ["suppressed"]


def test_every_frame_of_it_can_be_read(story: Cut) -> None:
    assert story.capture.defects == []
    silent = [event for event in story.capture.ota if story.dark < event.time < story.back]
    assert all(not isinstance(event.command, ota.ImageBlockResponse) for event in silent)
