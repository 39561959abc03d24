"""Pages, block periods, delayed activation, attributes, specific files: client and server machines joined."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.interfaces import DAY, HOUR, MILLISECOND, MINUTE, SECOND
from protocols.ota.client import (
    Activate,
    ActivationPolicy,
    ClientState,
    DownloadFailed,
    OtaClient,
    OtaClientSettings,
    OtaIdentity,
    PartialImage,
)
from protocols.ota.image import FirmwareImage, Kind, build_image
from protocols.ota.server import OtaServer, OtaServerSettings, Send, TransferEnded
from protocols.zcl import foundation
from protocols.zcl.clusters import ota
from protocols.zcl.clusters.ota import Attribute, UpgradeStatus
from protocols.zcl.frame import ZclFrame, ZclStatus
from tests.support.ota_link import DEVICE, OtaLink, sent_frames

OLD, NEW, NEWER = 0x04000000, 0x04000100, 0x04000200
IDENTITY = OtaIdentity(0x1A04, 0x0084, 0x0201)
IMAGE_ID = (0x1A04, 0x0084, NEW)
START = 1_772_442_000 * SECOND  # 2026-03-02T09:00:00Z
QUICK = OtaClientSettings(start_delay=10 * SECOND)
PAGES = replace(QUICK, page_size=480, response_spacing=50 * MILLISECOND)
PAGING = OtaServerSettings(pages=True)


def image(version: int = NEW, size: int = 4_800) -> bytes:
    return build_image(Kind.PPMID, version=version, size=size, manufacturer=0x1A04, model=0x50010201).encode()


class Tap(OtaLink):
    """Keeps every frame either side sends, with its time, and may swallow some."""

    def tap(self) -> None:
        self.up: list[tuple[int, bytes]] = []
        self.down: list[tuple[int, bytes]] = []
        self.swallow: set[int] = set()  # numbers of the frames of the server, from 0

    def _put(self, frame: bytes, *, to_hub: bool) -> None:
        log = self.up if to_hub else self.down
        log.append((self.now, frame))
        if to_hub or len(log) - 1 not in self.swallow:
            super()._put(frame, to_hub=to_hub)

    def commands(self, identifier: int, *, up: bool = True) -> list[int]:
        """Return when frames with this command id were sent."""
        return [time for time, frame in (self.up if up else self.down) if frame[2] == identifier]


def joined(
    config: OtaClientSettings = QUICK,
    server: OtaServerSettings | None = None,
    *,
    file: bytes | None = None,
    upgrade_delay: int = 0,
    downloaded_version: int | None = None,
    resume: PartialImage | None = None,
    slowest: int = 20 * MILLISECOND,
    loss: float = 0.0,
    seed: int = 1,
) -> Tap:
    client = OtaClient(IDENTITY, OLD, Random(seed), config, downloaded_version=downloaded_version, resume=resume)
    serving = OtaServer(server)
    serving.offer(image() if file is None else file, [DEVICE], activate_now=True, upgrade_delay=upgrade_delay)
    link = Tap(client, serving, now=START, seed=seed, slowest=slowest, loss=loss)
    link.tap()
    link.start()
    return link


def until(link: OtaLink, state: ClientState) -> None:
    while link.client.state is not state:
        link.run(SECOND // 100)


# --- pages -------------------------------------------------------------------------------------------------------


def test_one_request_fetches_a_page_of_blocks() -> None:
    link = joined(PAGES, PAGING)
    link.run(MINUTE)
    assert link.images == [image()]
    assert len(link.commands(0x04)) == link.client.statistics.pages == 10
    assert link.commands(0x03) == []
    assert link.client.statistics.blocks == 100


def test_the_server_paces_the_blocks_of_a_page_by_the_response_spacing() -> None:
    link = joined(PAGES, PAGING)
    link.run(MINUTE)
    blocks = link.commands(0x05, up=False)
    first = blocks[:10]
    assert [later - earlier for earlier, later in pairwise(first)] == [50 * MILLISECOND] * 9


def test_the_last_page_is_as_long_as_what_is_left() -> None:
    link = joined(PAGES, PAGING, file=image(size=1_000))
    link.run(MINUTE)
    requests = [ota.decode(ZclFrame.decode(frame)) for _, frame in link.up if frame[2] == 0x04]
    assert [request[3:8] for request in requests if isinstance(request, ota.ImagePageRequest)] == [
        (0, 48, 480, 50, None), (480, 48, 480, 50, None), (960, 48, 40, 50, None),
    ]  # fmt: skip
    assert link.images == [image(size=1_000)]


def test_a_server_without_pages_gets_block_requests() -> None:
    link = joined(PAGES)
    link.run(MINUTE)
    assert link.images == [image()]
    assert (len(link.commands(0x04)), len(link.commands(0x03))) == (1, 100)
    assert link.client.statistics.retries == 0


@pytest.mark.parametrize("lost", [1, 2, 5, 9, 10], ids=["first", "second", "sixth", "last but one", "last"])
def test_a_block_lost_from_a_page_is_fetched_alone(lost: int) -> None:
    link = joined(PAGES, PAGING)
    link.swallow = {lost}  # 0 is the answer to the query
    link.run(MINUTE)
    assert link.images == [image()]
    blocks = [frame for _, frame in link.down if frame[2] == 0x05]
    assert len(blocks) <= 101 + (9 if lost == 10 else 0)
    assert len(link.commands(0x03)) == (0 if lost == 10 else 1)


def test_a_page_request_that_is_lost_is_sent_again() -> None:
    link = joined(PAGES, PAGING)
    until(link, ClientState.DOWNLOADING)
    link.connected = False
    link.run(4 * SECOND)
    link.connected = True
    link.run(MINUTE)
    assert link.images == [image()]
    assert link.client.statistics.retries >= 1


def test_a_server_that_falls_silent_in_pages_ends_the_download_after_ten_errors() -> None:
    link = joined(PAGES, PAGING)
    until(link, ClientState.DOWNLOADING)
    link.connected = False
    link.run(2 * MINUTE)
    assert [effect for _, effect in link.device_effects][-1] == DownloadFailed(
        NEW, "no answer from the server", resumable=True
    )
    assert link.up[-1][1][2:4] == bytes((0x06, ZclStatus.ABORT))


@pytest.mark.parametrize("rebooted", [False, True])
def test_a_download_goes_on_where_a_silent_server_left_it(rebooted: bool) -> None:
    """The server is away for 14 minutes: what had come stays, in the device and in its storage."""
    link = joined(QUICK)
    until(link, ClientState.DOWNLOADING)
    while link.client.statistics.octets < 1_920:
        link.run(20 * MILLISECOND)
    link.connected = False
    held = link.client.statistics.octets
    link.run(14 * MINUTE)
    failed = [effect for _, effect in link.device_effects if isinstance(effect, DownloadFailed)]
    assert failed == [DownloadFailed(NEW, "no answer from the server", resumable=True)]
    assert link.checkpoints() == image()[:held]
    if rebooted:
        kept = PartialImage(NEW, 4_800, link.checkpoints())
        link.client = OtaClient(IDENTITY, OLD, Random(1), QUICK, resume=kept)
        link.start()
    link.connected = True
    before = len(link.up)
    link.from_server(link.server.notify(DEVICE))
    link.run(2 * MINUTE)
    assert link.images == [image()]
    requests = [frame for _, frame in link.up[before:] if frame[2] == 0x03]
    offsets = [int.from_bytes(frame[12:16], "little") for frame in requests]
    assert offsets == list(range(held, 4_800, 48))


def test_a_page_for_another_image_is_aborted() -> None:
    server = OtaServer(PAGING)
    server.offer(image(), [DEVICE], activate_now=True)
    request = ota.encode(ota.ImagePageRequest(0x1A04, 0x0084, NEWER, 0, 48, 480, 50), 1)
    assert server.frame(DEVICE, request, START) == [Send(DEVICE, bytes.fromhex("19010595"))]


@pytest.mark.parametrize(("offset", "most", "size"), [(4_800, 48, 480), (0, 0, 480), (0, 48, 0)])
def test_a_page_that_makes_no_sense_is_malformed(offset: int, most: int, size: int) -> None:
    server = OtaServer(PAGING)
    server.offer(image(), [DEVICE], activate_now=True)
    request = ota.encode(ota.ImagePageRequest(*IMAGE_ID, offset, most, size, 50), 1)
    (answer,) = server.frame(DEVICE, request, START)
    assert isinstance(answer, Send)
    assert answer.frame[-1] == ZclStatus.MALFORMED_COMMAND


def test_wait_for_data_holds_a_page_too() -> None:
    link = joined(PAGES, PAGING)
    link.server.hold(DEVICE, START + 10 * MINUTE)
    link.run(9 * MINUTE)
    assert link.client.statistics.blocks == 0
    link.run(2 * MINUTE)
    assert link.images == [image()]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.2), st.sampled_from([0, 96, 480, 2_000]), st.booleans())
def test_loss_changes_nothing_in_the_image_with_pages_or_without(
    seed: int, loss: float, page: int, serves_pages: bool
) -> None:
    config = replace(PAGES, page_size=page, error_limit=1000)
    link = joined(config, OtaServerSettings(pages=serves_pages), seed=seed, loss=loss, slowest=2 * SECOND)
    link.run(7 * DAY)
    assert link.images == [image()]
    assert len([effect for _, effect in link.device_effects if isinstance(effect, Activate)]) == 1


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_loss_bursts_and_one_reboot_on_either_side_still_give_the_right_image(data: st.DataObject) -> None:
    """Independent loss up to 20 %, bursts of silence up to 2 s, and the client or the server restarted once."""
    loss = data.draw(st.floats(0, 0.2), "loss")
    config = replace(PAGES, page_size=data.draw(st.sampled_from([0, 480]), "page"), checkpoint=960)
    link = joined(config, PAGING, loss=loss, seed=data.draw(st.integers(0, 1000), "seed"))
    until(link, ClientState.DOWNLOADING)
    bursts = data.draw(st.lists(st.tuples(st.integers(1, 2_000), st.integers(1, 2_000)), max_size=3), "bursts, ms")
    for pause, silence in bursts:
        link.run(pause * MILLISECOND)
        link.connected = False
        link.run(silence * MILLISECOND)
        link.connected = True
    link.run(data.draw(st.integers(0, 3_000), "reboot after, ms") * MILLISECOND)
    if data.draw(st.booleans(), "the server restarts"):
        link.server = OtaServer(PAGING)
        link.server.offer(image(), [DEVICE], activate_now=True)
    elif link.client.state is ClientState.DOWNLOADING:
        rest = PartialImage(NEW, 4_800, link.checkpoints())
        link.client = OtaClient(IDENTITY, OLD, Random(2), config, resume=rest)
        link.start()
    link.run(DAY)
    assert link.images == [image()]
    assert [effect for _, effect in link.device_effects if isinstance(effect, Activate)] == [Activate(NEW)]


# --- the minimum block period ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("unit", "period"), [(MILLISECOND, 300), (SECOND, 2)], ids=["ms", "s"])
def test_a_client_keeps_the_minimum_block_period_in_its_own_unit(unit: int, period: int) -> None:
    config = replace(QUICK, tell_block_period=True, block_period_unit=unit)
    link = joined(config, OtaServerSettings(minimum_block_period=period))
    link.run(10 * MINUTE)
    assert link.images == [image()]
    asked = link.commands(0x03)
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert min(gaps) >= period * unit
    assert len(asked) == 101  # the first was answered with WAIT_FOR_DATA
    assert len([time for time, frame in link.down if frame[2:4] == b"\x05\x97"]) == 1


def test_a_client_that_does_not_tell_its_period_is_not_slowed_down() -> None:
    link = joined(QUICK, OtaServerSettings(minimum_block_period=5_000))
    link.run(MINUTE)
    assert link.images == [image()]


def test_the_period_widens_the_spacing_of_pages() -> None:
    link = joined(PAGES, OtaServerSettings(pages=True, minimum_block_period=200))
    link.server.hold(DEVICE, START + 15 * SECOND)
    link.run(2 * MINUTE)
    requests = [ota.decode(ZclFrame.decode(frame)) for _, frame in link.up if frame[2] == 0x04]
    spacings = {request.response_spacing for request in requests if isinstance(request, ota.ImagePageRequest)}
    assert spacings == {50, 200}
    assert link.images == [image()]


# --- late, doubled, lost -----------------------------------------------------------------------------------------


def test_a_doubled_block_response_is_taken_once_and_asks_for_nothing() -> None:
    link = joined()
    link.connected = False
    until(link, ClientState.QUERYING)
    link.client.frame(ota.encode(ota.QueryNextImageResponse(0, *IMAGE_ID, 4_800), 1), link.now)
    block = ota.encode(ota.ImageBlockResponse(*IMAGE_ID, 0, image()[:48]), 2)
    assert len(sent_frames(link.client.frame(block, link.now))) == 1
    assert link.client.frame(block, link.now) == []
    assert link.client.statistics.blocks == 1


def test_a_late_block_response_is_used_though_its_request_was_given_up() -> None:
    link = joined()
    until(link, ClientState.DOWNLOADING)
    link.connected = False
    link.run(4 * SECOND)  # the answer is given up after 3 s, the back-off of 2 s runs
    offset = link.client.statistics.octets
    late = ota.encode(ota.ImageBlockResponse(*IMAGE_ID, offset, image()[offset : offset + 48]), 2)
    assert [frame[2] for frame in sent_frames(link.client.frame(late, link.now))] == [0x03]
    assert link.client.statistics.octets == offset + 48


def test_a_lost_image_notify_delays_the_download_until_the_next_query() -> None:
    link = joined(replace(QUICK, query_period=6 * HOUR), file=image(OLD))
    link.run(HOUR)
    link.server.offer(image(), [DEVICE], activate_now=True)
    link.connected = False
    link.from_server(link.server.notify(DEVICE))
    link.run(MINUTE)
    link.connected = True
    link.run(4 * HOUR)
    assert link.images == []
    link.run(2 * HOUR)
    assert link.images == [image()]


# --- what the device cannot take ---------------------------------------------------------------------------------


def test_an_image_without_room_is_refused_and_the_server_is_told() -> None:
    link = joined(replace(QUICK, storage_limit=4_799))
    link.run(MINUTE)
    assert [effect for _, effect in link.hub_effects] == [TransferEnded(DEVICE, NEW, ZclStatus.INSUFFICIENT_SPACE)]
    assert link.server.transfer(DEVICE) is None
    assert (link.commands(0x03), link.images) == ([], [])


def test_an_image_that_just_fits_is_taken() -> None:
    link = joined(replace(QUICK, storage_limit=4_800))
    link.run(MINUTE)
    assert link.images == [image()]


def test_an_offer_of_another_type_is_refused_and_the_server_is_told() -> None:
    server = OtaServer()
    server.offer(image(), [DEVICE], activate_now=True)
    refusal = foundation.encode(foundation.DefaultResponse(0x02, ZclStatus.INVALID_FIELD), 1, from_server=False)
    assert server.frame(DEVICE, refusal, START) == [TransferEnded(DEVICE, NEW, ZclStatus.INVALID_FIELD)]


def test_a_query_for_another_type_gets_no_image() -> None:
    server = OtaServer()
    server.offer(image(), [DEVICE], activate_now=True)
    query = ota.encode(ota.QueryNextImageRequest(0x1A04, 0x0085, OLD, 0x0201), 1)
    assert server.frame(DEVICE, query, START) == [Send(DEVICE, bytes.fromhex("19010298"))]


# --- delayed activation ------------------------------------------------------------------------------------------


def activations(link: OtaLink) -> list[int]:
    return [time for time, effect in link.device_effects if isinstance(effect, Activate)]


def ended(link: OtaLink) -> int:
    return next(time for time, effect in link.hub_effects if isinstance(effect, TransferEnded))


def test_a_finite_upgrade_time_is_counted_down() -> None:
    link = joined(upgrade_delay=40 * MINUTE)
    link.run(30 * MINUTE)
    assert link.client.state is ClientState.COUNTDOWN
    assert link.client.attributes()[Attribute.IMAGE_UPGRADE_STATUS] == UpgradeStatus.COUNT_DOWN
    assert activations(link) == []
    link.run(20 * MINUTE)
    (when,) = activations(link)
    assert abs(when - ended(link) - 40 * MINUTE) <= 2 * SECOND
    assert len(link.commands(0x06)) == 1


def test_an_upgrade_time_far_away_is_asked_for_again_every_hour() -> None:
    link = joined(upgrade_delay=150 * MINUTE)
    link.run(4 * HOUR)
    (when,) = activations(link)
    assert abs(when - ended(link) - 150 * MINUTE) <= 2 * SECOND
    asked = link.commands(0x06)
    gaps = [later - earlier for earlier, later in pairwise(asked)]
    assert [round(gap / HOUR, 2) for gap in gaps] == [1.0, 1.0]


def test_a_reboot_in_the_countdown_ends_at_the_same_upgrade_time() -> None:
    link = joined(upgrade_delay=40 * MINUTE)
    link.run(10 * MINUTE)
    link.client = OtaClient(IDENTITY, OLD, Random(2), QUICK, downloaded_version=NEW)
    link.start()
    link.run(HOUR)
    (when,) = activations(link)
    assert abs(when - ended(link) - 40 * MINUTE) <= 2 * SECOND


def test_a_later_answer_moves_the_upgrade_time() -> None:
    link = joined(upgrade_delay=50 * MINUTE)
    until(link, ClientState.COUNTDOWN)
    sooner = ota.UpgradeEndResponse(*IMAGE_ID, 1_000, 1_060)
    assert link.client.frame(ota.encode(sooner, 9), link.now) == []
    link.run(61 * SECOND)
    assert len(activations(link)) == 1


def test_an_answer_for_another_image_is_an_invalid_value() -> None:
    link = joined(upgrade_delay=50 * MINUTE)
    until(link, ClientState.COUNTDOWN)
    other = ota.UpgradeEndResponse(0x1A04, 0x0084, NEWER, 1_000, 1_060)
    (answer,) = sent_frames(link.client.frame(ota.encode(other, 9), link.now))
    assert answer[-2:] == bytes((0x07, ZclStatus.INVALID_VALUE))


# --- attributes --------------------------------------------------------------------------------------------------


def read(client: OtaClient, *attributes: Attribute) -> dict[Attribute, int]:
    held = client.attributes()
    return {attribute: held[attribute] for attribute in attributes}


def test_all_attributes_of_a_client_with_nothing_to_do_have_their_defaults() -> None:
    client = OtaClient(IDENTITY, OLD, Random(1), QUICK)
    assert read(client, *Attribute) == {
        Attribute.UPGRADE_SERVER_ID: 0xFFFF_FFFF_FFFF_FFFF,
        Attribute.FILE_OFFSET: 0xFFFF_FFFF,
        Attribute.CURRENT_FILE_VERSION: OLD,
        Attribute.CURRENT_STACK_VERSION: 2,
        Attribute.DOWNLOADED_FILE_VERSION: 0xFFFF_FFFF,
        Attribute.DOWNLOADED_STACK_VERSION: 0xFFFF,
        Attribute.IMAGE_UPGRADE_STATUS: 0,
        Attribute.MANUFACTURER_ID: 0x1A04,
        Attribute.IMAGE_TYPE_ID: 0xFFFF,
        Attribute.MINIMUM_BLOCK_PERIOD: 0,
        Attribute.IMAGE_STAMP: 0xFFFF_FFFF,
        Attribute.UPGRADE_ACTIVATION_POLICY: 0,
        Attribute.UPGRADE_TIMEOUT_POLICY: 0,
    }


def test_the_attributes_follow_a_download() -> None:
    link = joined()
    until(link, ClientState.DOWNLOADING)
    link.run(SECOND // 2)
    got = read(link.client, Attribute.FILE_OFFSET, Attribute.IMAGE_UPGRADE_STATUS, Attribute.IMAGE_TYPE_ID)
    assert got == {0x0001: link.client.statistics.octets, 0x0006: 1, 0x0008: 0x0084}
    link.run(MINUTE)
    assert read(link.client, Attribute(0x0004), Attribute(0x0005)) == {0x0004: NEW, 0x0005: 2}


def test_a_meter_with_a_waiting_image_waits_for_an_external_event() -> None:
    config = replace(QUICK, activation_policy=ActivationPolicy.OUT_OF_BAND)
    client = OtaClient(IDENTITY, OLD, Random(1), config, downloaded_version=NEW, image_stamp=0x12345678)
    client.start(START)
    client.wake(START + MINUTE)
    client.server_found(START + MINUTE, Eui64(0x00DB1234567890A3))
    attributes = (Attribute(number) for number in (0x0000, 0x0006, 0x000A, 0x000B))
    assert read(client, *attributes) == {0x0000: 0x00DB1234567890A3, 0x0006: 6, 0x000A: 0x12345678, 0x000B: 1}


# --- a specific file ---------------------------------------------------------------------------------------------


def specific(destination: Eui64 | None) -> tuple[Tap, bytes]:
    made = build_image(Kind.PPMID, version=NEW, size=4_800, manufacturer=0x1A04, model=0x50010201)
    to = None if destination is None else destination.wire
    header = made.header._replace(destination=to, total_size=made.header.total_size + (8 if to else 0))
    file = FirmwareImage(header, made.manufacturer_image, made.signature).encode()
    link = joined(replace(QUICK, query_period=DAY), OtaServerSettings(specific_files=True), file=image(OLD))
    link.run(MINUTE)
    link.server.offer(file, [DEVICE], activate_now=True)
    return link, file


@pytest.mark.parametrize("destination", [None, DEVICE])
def test_a_specific_file_is_asked_for_and_fetched(destination: Eui64 | None) -> None:
    link, file = specific(destination)
    link.from_client(link.client.ask_for_file(DEVICE, NEW, link.now))
    link.run(MINUTE)
    assert link.images == [file]


def test_a_specific_file_for_another_device_is_not_served() -> None:
    link, _ = specific(Eui64(1))
    link.from_client(link.client.ask_for_file(DEVICE, NEW, link.now))
    link.run(MINUTE)
    assert link.images == []
    assert link.down[-1][1].hex()[4:] == "0998"


def test_a_server_without_specific_files_says_so_and_the_client_goes_on() -> None:
    link = joined(file=image(OLD))
    link.run(MINUTE)
    link.from_client(link.client.ask_for_file(DEVICE, NEW, link.now))
    link.run(MINUTE)
    assert link.down[-1][1][-2:] == bytes((0x08, ZclStatus.UNSUP_CLUSTER_COMMAND))
    assert link.client.state is ClientState.QUERYING
