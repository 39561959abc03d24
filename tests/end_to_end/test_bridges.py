"""Three bridges of one home updated in every order, and what that costs the devices around them.

Home 2: B1 at the hub carries B2 with a display behind it and B4 with a sleepy gas meter behind it.
"""

import json
from functools import partial
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from emulator.home import shipped_homes
from emulator.home.builder import Home
from firmware_images import product
from gateway.assembly import images
from gateway.assembly.lab import Lab
from gateway.assembly.story.steps import answer, update_ppmid
from gateway.assembly.world import World
from gateway.campaigns.evidence.capture import CaptureEvidence, read_capture
from protocols.addresses import Eui64
from protocols.gbcs.envelope import Cra, Message
from protocols.interfaces import MINUTE, SECOND
from protocols.ota.image import Kind
from tests.support.outages import EVERY, Probes, Reads

KINDS = {"bridge-1": Kind.BRIDGE1, "bridge-2": Kind.BRIDGE2, "bridge-4": Kind.BRIDGE4}
BEHIND = {"bridge-1": {"bridge-2", "bridge-4", "ihd", "gsme"}, "bridge-2": {"ihd"}, "bridge-4": {"gsme"}}
REBOOT = 30 * SECOND
RECOVERY = 15 * SECOND  # until everybody behind a bridge that is back has read again: 1.5 `rejoin_backoff_most`
UNDISTURBED = 3 * EVERY
SMALL, LONG = 4_096, 96 * 1_024  # octets of an image


class Update(NamedTuple):
    """One bridge updated: when it began to download, when it went off, came on, and when all was told. In ns."""

    bridge: str
    begun: int
    off: int
    on: int
    told: int
    versions: dict[str, int]  # of all bridges afterwards
    answers: dict[str, str]  # codes of the 11.2 after it, by device


class Story(NamedTuple):
    updates: list[Update]
    reads: dict[str, Reads]
    timeline: list[dict[str, Any]]
    capture: CaptureEvidence
    sent: dict[Eui64, bytes]  # images
    parents: list[dict[str, Eui64 | None]]  # before, and after each update


def _versions(home: Home) -> dict[str, int]:
    return {name: home.device(name).device.firmware_version for name in KINDS}


def _parents(home: Home) -> dict[str, Eui64 | None]:
    return {device.name: device.device.node.parent for device in home.devices}


async def _update(world: World, home: Home, name: str) -> Update:
    """Update one bridge, wait until its far side must be back, and read the versions of all others."""
    device = home.device(name)
    image = world.images.release(KINDS[name], 1)
    begun = world.clock.now()
    assert await update_ppmid(world, device.eui, image)
    told = world.clock.now()
    await world.clock.sleep(MINUTE)
    answers = {}
    for other in ("esme", *KINDS):
        read = world.supplier.read_version(home.device(other).eui)
        answers[other] = (await answer(world, read, f"11.2 for {other}")).code
    return Update(name, begun, 0, 0, told, _versions(home), answers)


def tell(folder: Path, order: tuple[str, ...]) -> Story:
    """Join home 2, let everybody read the hub's clock once a second, and update the bridges in `order`."""
    homes = [home for home in shipped_homes() if home.name == "home-2"]
    updates = list[Update]()
    with Lab(folder, homes=homes, seed=4) as lab:
        world = lab.world
        home = world.home("home-2")
        lab.run(lab.everybody_joins)
        probes = Probes(world, home, home.devices)
        parents = [_parents(home)]
        lab.run(lambda world: world.clock.sleep(10 * SECOND))
        for name in order:
            updates.append(lab.run(partial(_update, home=home, name=name)))
            parents.append(_parents(home))
        sent = {home.device(name).eui: world.images.release(kind, 1).encode() for name, kind in KINDS.items()}
    timeline = [json.loads(line) for line in (folder / "timeline.jsonl").read_text(encoding="utf-8").splitlines()]
    updates = [_with_power(update, timeline) for update in updates]
    capture = read_capture(folder / "capture.pcapng", folder / "keys.txt")
    return Story(updates, probes.reads, timeline, capture, sent, parents)


def _with_power(update: Update, timeline: list[dict[str, Any]]) -> Update:
    """Add from the timeline when the bridge went off and came on again."""
    actor = f"home-2/{update.bridge}"
    when = {line["event"]: line["ns"] for line in timeline if line["actor"] == actor}
    return update._replace(begun=when["download-started"], off=when["power-off"], on=when["power-on"])


@pytest.fixture(scope="module", params=list(permutations(KINDS)), ids=" ".join)
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Story:
    with pytest.MonkeyPatch.context() as patch:
        for kind in KINDS.values():
            patch.setitem(images.SIZES, kind, SMALL)
        return tell(tmp_path_factory.mktemp("bridges") / "run", request.param)


# --- every order ------------------------------------------------------------------------------------------------


@pytest.mark.requirement("MP170-R9")
def test_every_order_ends_with_every_bridge_updated(story: Story) -> None:
    """MP170-R9: and between two updates the versions differ."""
    versions = [update.versions for update in story.updates]
    changed = [{name for name in KINDS if row[name] == _new(name)} for row in versions]
    order = [update.bridge for update in story.updates]
    assert changed == [set(order[: number + 1]) for number in range(3)]


def _new(name: str) -> int:
    return product(KINDS[name]).versions[1]


def test_the_capture_shows_each_image_whole_and_once(story: Story) -> None:
    assert story.capture.defects == []
    transfers = story.capture.transfers
    assert [(transfer.device, transfer.status) for transfer in transfers] == [
        (_eui(story, update.bridge), 0) for update in story.updates
    ]
    assert all(transfer.image == story.sent[transfer.device] for transfer in transfers)


def _eui(story: Story, name: str) -> Eui64:
    return Eui64.parse(next(line["device"] for line in story.timeline if line["actor"] == f"home-2/{name}"))


@pytest.mark.requirement("MP170-R9", "SM7-R8")
def test_traffic_goes_on_between_bridges_of_different_versions(story: Story) -> None:
    """MP170-R9, SM7-R8: after each update every bridge and the ESME answer 11.2, display and gas meter read on."""
    for update in story.updates:
        assert update.answers == dict.fromkeys(("esme", *KINDS), "I0")
        until = update.told + MINUTE
        for name in ("ihd", "gsme"):
            assert story.reads[name].between(update.told + RECOVERY, until) >= 40


def test_nobody_changes_its_parent(story: Story) -> None:
    assert all(parents == story.parents[0] for parents in story.parents)


# --- the outage -------------------------------------------------------------------------------------------------


@pytest.mark.requirement("MP170-R10")
def test_those_behind_a_bridge_miss_it_for_its_restart_and_recover_by_themselves(story: Story) -> None:
    """MP170-R10: the outage is the restart and a bounded time; nobody lifts a finger at the far side."""
    for update in story.updates:
        assert update.on - update.off == REBOOT
        begin, end = update.off, update.on + RECOVERY
        for name in BEHIND[update.bridge]:
            gap = story.reads[name].longest_gap(begin - EVERY, end + EVERY)
            assert REBOOT - EVERY <= gap <= REBOOT + RECOVERY, f"{name} at the restart of {update.bridge}"
            assert story.reads[name].between(update.on, end) > 0


@pytest.mark.requirement("MP170-R10")
def test_those_not_behind_it_notice_nothing(story: Story) -> None:
    for update in story.updates:
        for name in set(story.reads) - BEHIND[update.bridge] - {update.bridge}:
            gap = story.reads[name].longest_gap(update.begun, update.on + RECOVERY)
            assert gap <= UNDISTURBED, f"{name} at the restart of {update.bridge}: {gap / SECOND:.1f} s"


@pytest.mark.requirement("SM7-R3")
def test_a_restarted_bridge_has_its_tunnel_again_and_tells_of_its_activation_once(story: Story) -> None:
    """SM7-R3: one 8F8B a bridge in the tunnels, the tunnel open within seconds of the restart."""
    for update in story.updates:
        device = str(_eui(story, update.bridge))
        opened = [
            line["ns"] for line in story.timeline
            if line["event"] == "tunnel-open" and line["device"] == device and line["ns"] > update.on
        ]  # fmt: skip
        assert opened[0] - update.on < RECOVERY
        alerts = [
            message for message in story.capture.messages
            if message.device == _eui(story, update.bridge) and Message.decode(message.data).cra is Cra.ALERT
        ]  # fmt: skip
        assert len({message.data for message in alerts}) == 1


# --- during a transfer ------------------------------------------------------------------------------------------


class Transfer(NamedTuple):
    """What was read while a bridge downloaded."""

    begun: int
    ended: int
    answers: dict[str, list[str]]  # codes of 11.2 answered meanwhile, by device
    reads: dict[str, Reads]
    quiet: dict[str, int]  # longest gap of each device's reads in the same time before, ns
    folder: Path


@pytest.fixture(scope="module", params=list(KINDS))
def transfer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Transfer:
    """Update one bridge by a long image and read everybody meanwhile."""
    name, folder = str(request.param), tmp_path_factory.mktemp("transfer") / "run"
    homes = [home for home in shipped_homes() if home.name == "home-2"]
    answers: dict[str, list[str]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(images.SIZES, KINDS[name], LONG)
        with Lab(folder, homes=homes, seed=6) as lab:
            world = lab.world
            home = world.home("home-2")
            lab.run(lab.everybody_joins)
            probes = Probes(world, home, home.devices)
            before = world.clock.now()
            lab.run(lambda world: world.clock.sleep(MINUTE))
            quiet = {each: reads.longest_gap(before + EVERY, world.clock.now()) for each, reads in probes.reads.items()}
            begun, ended = lab.run(lambda world: _read_meanwhile(world, home, name, answers))
    return Transfer(begun, ended, answers, probes.reads, quiet, folder)


async def _read_meanwhile(world: World, home: Home, name: str, answers: dict[str, list[str]]) -> tuple[int, int]:
    """Send 11.4, then 11.2 to the others by turns until the download is over; return when it began and ended."""
    image, actor = world.images.release(KINDS[name], 1), f"home-2/{name}"
    sent = world.supplier.update_ppmid_firmware([home.device(name).eui], image.encode(), image.header.file_version)
    assert sent.accepted
    await world.happenings.event(actor, "download-started", within=10 * MINUTE)
    begun = world.clock.now()
    statistics = home.device(name).device.statistics
    while True:
        for other in ("esme", *KINDS):
            read = world.supplier.read_version(home.device(other).eui)
            got = await answer(world, read, f"11.2 for {other}")
            if statistics.ended:
                return begun, statistics.ended
            answers.setdefault(other, []).append(got.code)


@pytest.mark.requirement("MP170-R10")
def test_reads_succeed_during_a_transfer(transfer: Transfer) -> None:
    """MP170-R10: 11.2 to the ESME and to every bridge, the one that downloads included, and reads of the HAN."""
    assert set(transfer.answers) == {"esme", *KINDS}
    assert {code for codes in transfer.answers.values() for code in codes} == {"I0"}
    seconds = (transfer.ended - transfer.begun) / SECOND
    assert seconds > 20
    for name, reads in transfer.reads.items():
        assert reads.between(transfer.begun, transfer.ended) >= 0.9 * seconds, name
        assert reads.longest_gap(transfer.begun, transfer.ended) <= transfer.quiet[name] + UNDISTURBED, name


def test_the_capture_shows_answers_between_the_blocks(transfer: Transfer) -> None:
    """Each answer to 11.2 in the tunnels lies between two blocks of one transfer that goes on."""
    found = read_capture(transfer.folder / "capture.pcapng", transfer.folder / "keys.txt")
    (download,) = found.transfers
    assert (found.defects, download.complete, download.status) == ([], True, 0)
    answers = [
        message for message in found.messages
        if message.upward and download.started < message.time < download.ended
        and Message.decode(message.data).cra is Cra.RESPONSE
    ]  # fmt: skip
    assert len(answers) >= sum(len(codes) for codes in transfer.answers.values()) >= 4
    times = sorted(event.time for event in found.ota if download.first_frame <= event.frame <= download.last_frame)
    assert max(later - earlier for earlier, later in pairwise(times)) < 3 * SECOND
