"""The time of a block on the air, from the timestamps of the capture file, against literal figures.

Facts: one hop, unslotted CSMA-CA, MAC acknowledgement and LIFS in series; NWK security only, no APS acknowledgement:
10.88 ms for a block of 40 octets, 11.20 ms for one of 50.
"""

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.campaigns.evidence.capture import CaptureEvidence, read_capture
from protocols.interfaces import MICROSECOND, MILLISECOND, ApsData, HanEvent, Received
from protocols.ota import client as device_side
from protocols.ota import server as hub_side
from protocols.ota.client import OtaClient, OtaClientSettings, OtaIdentity
from protocols.ota.image import Kind, build_image
from protocols.ota.server import OtaServer, OtaServerSettings
from protocols.pcapng import read_frames
from protocols.stack.settings import NodeRole
from protocols.zcl.clusters import ota
from tests.benchmarks.table import record
from tests.support.han import PROFILE, Han, Member

BLOCKS = 1_000
FIGURES = {40: 10.88 * MILLISECOND, 50: 11.20 * MILLISECOND}
OCTET = 32 * MICROSECOND
ADDED = 2 * (5 + 4)  # octets of a request and a response: APS auxiliary header and MIC
BACK_OFF = 320 * MICROSECOND
FIXED = 2 * (128 + 192 + 192 + 352 + 640) * MICROSECOND  # assessment, turnarounds, acknowledgement, LIFS of two frames
PREAMBLES = 2 * 6  # octets
MAKER, TYPE, VERSION = 0x121D, 0x0084, 0x00000002


class Block(NamedTuple):
    """One block as the capture shows it."""

    gap: int  # ns since the block before
    octets: int  # of request and response, FCS included


class Download:
    """An OTA client and a server on the nodes of a HAN of one hop, with nothing else on the air."""

    def __init__(self, block_size: int, *, secured: bool) -> None:
        self.han, self.secured = Han(seed=block_size), secured
        self.hub, self.device = self.han.hub(), self.han.add("device", NodeRole.ROUTER)
        self.han.link(self.hub, self.device)
        self.han.join("device")
        self.han.run(30)
        image = build_image(
            Kind.PPMID, version=VERSION, size=(BLOCKS + 2) * block_size, manufacturer=MAKER, model=1, image_type=TYPE
        )
        self.server = OtaServer(OtaServerSettings(block_size=block_size))
        self.server.offer(image.encode(), (self.device.eui,), activate_now=True)
        settings = OtaClientSettings(start_delay=0, block_size=block_size)
        random = self.han.entropy.random("ota")
        self.client = OtaClient(OtaIdentity(MAKER, TYPE, None), 1, random, settings)
        self.whole = 0
        self.hub.node.attach(self._at_hub)
        self.device.node.attach(self._at_device)

    def run(self) -> None:
        """Fetch the image; the client's timers never come due on a link without losses."""
        now = self.han.clock.now
        self._of_client(self.client.start(now()))
        self._of_client(self.client.wake(now()))
        for _ in range(60):
            self.han.run(1)

    def _at_hub(self, event: HanEvent) -> None:
        if isinstance(event, Received):
            now = self.han.clock.now()
            self._send(self.hub, self.device, self.server.frame(event.who, event.aps.payload, now))

    def _at_device(self, event: HanEvent) -> None:
        if isinstance(event, Received):
            self._of_client(self.client.frame(event.aps.payload, self.han.clock.now()))

    def _of_client(self, effects: list[device_side.Effect]) -> None:
        for effect in effects:
            if isinstance(effect, device_side.Discover):
                self._of_client(self.client.server_found(self.han.clock.now(), self.hub.eui))
            elif isinstance(effect, device_side.ImageComplete):
                self.whole += 1
        self._send(self.device, self.hub, effects)

    def _send(self, at: Member, to: Member, effects: Iterable[device_side.Effect | hub_side.Effect]) -> None:
        for effect in effects:
            if isinstance(effect, device_side.Send | hub_side.Send):
                data = ApsData(PROFILE, ota.CLUSTER, 1, 1, effect.frame)
                at.node.send(to.eui, data, secured=self.secured, acknowledged=False)


def blocks_of(folder: Path, block_size: int, *, secured: bool) -> list[Block]:
    """Run a download, write its capture, and read the blocks from the file."""
    download = Download(block_size, secured=secured)
    download.run()
    assert download.whole == 1
    path, keys = download.han.capture(folder)
    table = folder / "keys.txt"
    table.write_text(keys, encoding="utf-8")
    found = read_capture(path, table)
    with path.open("rb") as file:
        sizes = {frame.number: len(frame.octets) for frame in read_frames(file)}
    return _blocks(found, sizes, block_size, secured=secured)


def _blocks(found: CaptureEvidence, sizes: dict[int, int], block_size: int, *, secured: bool) -> list[Block]:
    assert found.defects == []
    events = [event for event in found.ota if isinstance(event.command, ota.ImageBlockRequest | ota.ImageBlockResponse)]
    assert {event.secured for event in events} == {secured}
    blocks = list[Block]()
    pairs = list(zip(events[::2], events[1::2], strict=True))
    for (_, before), (request, response) in pairwise(pairs):
        assert isinstance(request.command, ota.ImageBlockRequest)
        if isinstance(response.command, ota.ImageBlockResponse) and len(response.command.data) == block_size:
            blocks.append(Block(response.time - before.time, sizes[request.frame] + sizes[response.frame]))
    return blocks[:BLOCKS]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, bool], list[Block]]:
    return {
        (size, secured): blocks_of(tmp_path_factory.mktemp("airtime"), size, secured=secured)
        for size in FIGURES
        for secured in (False, True)
    }


@pytest.mark.parametrize("size", FIGURES)
def test_a_block_takes_the_time_of_the_literature(measured: dict[tuple[int, bool], list[Block]], size: int) -> None:
    blocks = measured[size, False]
    mean = sum(block.gap for block in blocks) / len(blocks)
    assert len(blocks) == BLOCKS
    error = abs(mean / FIGURES[size] - 1)
    what = f"air time of a block of {size} octets, off the literature"
    record(what, error, 0.02, f"{mean / MILLISECOND:.3f} ms", most=True)
    assert error <= 0.02


@pytest.mark.parametrize("size", FIGURES)
@pytest.mark.parametrize("secured", [False, True])
def test_a_block_is_made_of_its_octets_and_whole_back_off_periods(
    measured: dict[tuple[int, bool], list[Block]], size: int, secured: bool
) -> None:
    """What is left of each gap when octets and fixed times are taken off is 0 to 14 back-off periods, to the ns."""
    blocks = measured[size, secured]
    rests = [block.gap - FIXED - OCTET * (block.octets + PREAMBLES) for block in blocks]
    assert len(rests) == BLOCKS
    whole = [rest for rest in rests if rest % BACK_OFF == 0 and 0 <= rest <= 14 * BACK_OFF]
    assert len(whole) >= 0.98 * len(rests)  # the others waited for a frame of the network's own upkeep
    assert sum(whole) / len(whole) == pytest.approx(7 * BACK_OFF, rel=0.05)


@pytest.mark.parametrize("size", FIGURES)
def test_aps_security_costs_its_octets_and_nothing_else(
    measured: dict[tuple[int, bool], list[Block]], size: int
) -> None:
    plain, secured = measured[size, False], measured[size, True]
    assert {block.octets for block in secured} == {block.octets + ADDED for block in plain}
    assert len({block.octets for block in plain}) == 1
    means = [sum(block.gap for block in blocks) / len(blocks) for blocks in (plain, secured)]
    assert means[1] - means[0] == pytest.approx(ADDED * OCTET, abs=0.02 * FIGURES[size])
