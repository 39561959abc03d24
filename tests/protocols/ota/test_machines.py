"""`OtaClient` and `OtaServer` against each other, over a transfer that loses, doubles and reorders frames."""

import hashlib
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from protocols.ota import server as hub_side
from protocols.ota.client import (
    Activate,
    ActivationPolicy,
    ClientState,
    DownloadFailed,
    DownloadStarted,
    OtaClient,
    OtaClientSettings,
    OtaIdentity,
    PartialImage,
    TimeoutPolicy,
    ZclStatus,
)
from protocols.ota.image import Kind, build_image
from protocols.ota.server import OtaServer, OtaServerSettings, TransferEnded, TransferStarted
from protocols.zcl.clusters import ota
from protocols.zcl.frame import ZclFrame
from tests.support.ota_link import DEVICE, OtaLink, sent_frames

OLD, NEW, NEWER = 0x04000000, 0x04000100, 0x04000200
IDENTITY = OtaIdentity(0x1A04, 0x0084, 0x0201)
START = 1_772_442_000 * SECOND  # 2026-03-02T09:00:00Z
QUICK = OtaClientSettings(start_delay=10 * SECOND)
OUT_OF_BAND = replace(QUICK, activation_policy=ActivationPolicy.OUT_OF_BAND, timeout_policy=TimeoutPolicy.NEVER)


def image(version: int = NEW, size: int = 20_480, model: int = 0x50010201) -> bytes:
    return build_image(Kind.PPMID, version=version, size=size, manufacturer=0x1A04, model=model).encode()


def joined(
    config: OtaClientSettings = QUICK,
    *,
    file: bytes | None = None,
    activate_now: bool = True,
    downloaded_version: int | None = None,
    resume: PartialImage | None = None,
    server: OtaServer | None = None,
    loss: float = 0.0,
    double: float = 0.0,
    slowest: int = 20_000_000,
    seed: int = 1,
) -> OtaLink:
    """Return a link of a client on OLD and a server that offers `file`."""
    client = OtaClient(IDENTITY, OLD, Random(seed), config, downloaded_version=downloaded_version, resume=resume)
    server = server if server is not None else OtaServer()
    server.offer(file if file is not None else image(), [DEVICE], activate_now=activate_now)
    return OtaLink(client, server, now=START, seed=seed, loss=loss, double=double, slowest=slowest)


def commands_of(link: OtaLink, kind: type[object]) -> list[int]:
    """Return when effects of `kind` came, either side, ns after the start."""
    both = [*link.device_effects, *link.hub_effects]
    return [time - START for time, effect in both if isinstance(effect, kind)]


@pytest.mark.requirement("SM7-R1", "SM7-R2")
def test_a_ppmid_downloads_checks_and_activates_by_itself() -> None:
    link = joined()
    link.start()
    link.run(MINUTE)
    assert link.images == [image()]
    assert [effect for _, effect in link.device_effects][-1] == Activate(NEW)
    assert [effect for _, effect in link.hub_effects] == [
        TransferStarted(DEVICE, NEW, 0),
        TransferEnded(DEVICE, NEW, ZclStatus.SUCCESS),
    ]
    assert link.client.statistics.blocks == 427
    assert link.client.statistics.octets == 20_480


def test_now_leaves_three_seconds_for_the_acknowledgements() -> None:
    link = joined()
    link.start()
    link.run(MINUTE)
    assert commands_of(link, Activate)[0] - commands_of(link, TransferEnded)[0] >= 3 * SECOND


@pytest.mark.requirement("SM7-R5")
def test_a_meter_is_told_to_wait_and_does() -> None:
    link = joined(OUT_OF_BAND, activate_now=False)
    link.start()
    link.run(3 * DAY)
    assert link.images == [image()]
    assert commands_of(link, Activate) == []
    assert link.client.downloaded_version == NEW


def test_two_idle_days_cost_a_handful_of_frames() -> None:
    link = joined(OUT_OF_BAND, activate_now=False)
    link.start()
    link.run(HOUR)
    before = link.sent
    link.run(2 * DAY)
    assert link.sent - before <= 4


def test_a_server_that_says_now_cannot_activate_a_meter() -> None:
    link = joined(OUT_OF_BAND, activate_now=True)
    link.start()
    link.run(HOUR)
    assert commands_of(link, Activate) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.3), st.floats(0, 0.3))
def test_loss_doubling_and_reordering_change_nothing_in_the_image(seed: int, loss: float, double: float) -> None:
    config = replace(QUICK, error_limit=1000)
    link = joined(config, seed=seed, loss=loss, double=double, slowest=4 * SECOND, file=image(size=4096))
    link.start()
    link.run(7 * DAY)
    assert link.images == [image(size=4096)]
    assert [effect for _, effect in link.hub_effects if isinstance(effect, TransferEnded)] == [
        TransferEnded(DEVICE, NEW, ZclStatus.SUCCESS)
    ]
    assert len(commands_of(link, Activate)) == 1


@pytest.mark.requirement("MP170-R12")
def test_a_bad_image_is_refused_and_never_offered_again_until_replaced() -> None:
    link = joined()
    link.check = lambda file: ZclStatus.INVALID_IMAGE
    link.start()
    link.run(3 * DAY)
    assert len(link.images) == 1
    assert [effect for _, effect in link.hub_effects][-1] == TransferEnded(DEVICE, NEW, ZclStatus.INVALID_IMAGE)
    assert commands_of(link, Activate) == []
    link.check = lambda file: ZclStatus.SUCCESS
    link.server.offer(image(), [DEVICE], activate_now=True)
    link.from_server(link.server.notify(DEVICE))
    link.run(MINUTE)
    assert len(commands_of(link, Activate)) == 1


def test_a_silent_server_ends_the_download_after_ten_errors() -> None:
    link = joined()
    link.start()
    link.run(11 * SECOND)
    link.connected = False
    link.run(2 * MINUTE)
    assert commands_of(link, DownloadFailed) != []
    assert link.client.statistics.retries == 10
    assert link.client.state is ClientState.QUERYING
    link.connected = True
    link.run(DAY)
    assert link.images == [image()]


def test_a_reboot_goes_on_at_the_stored_offset() -> None:
    link = joined(replace(QUICK, checkpoint=4096))
    link.start()
    while len(link.checkpoints()) < 8192:
        link.run(SECOND // 10)
    kept = link.checkpoints()
    again = joined(resume=PartialImage(NEW, 20_480, kept))
    again.start()
    again.run(MINUTE)
    assert (START, DownloadStarted(NEW, 20_480, len(kept))) in [(START, effect) for _, effect in again.device_effects]
    assert again.images == [image()]
    assert again.client.statistics.octets == 20_480 - len(kept)


def test_the_rest_of_another_image_is_not_used() -> None:
    link = joined(resume=PartialImage(NEWER, 20_480, b"\x00" * 8192))
    link.start()
    link.run(MINUTE)
    assert link.images == [image()]


def test_a_reboot_between_check_and_activation_asks_for_the_end_again() -> None:
    link = joined(downloaded_version=NEW)
    link.start()
    link.run(MINUTE)
    assert link.images == []
    assert len(commands_of(link, Activate)) == 1


def test_wait_for_data_holds_the_download() -> None:
    link = joined()
    link.server.hold(DEVICE, START + 30 * MINUTE)
    link.start()
    link.run(29 * MINUTE)
    assert link.images == []
    link.run(2 * MINUTE)
    assert link.images == [image()]


@pytest.mark.parametrize(
    ("wait", "unit", "expected"),
    [
        (ota.ImageBlockWait(100, 160, 0), 1_000_000, MINUTE),
        (ota.ImageBlockWait(100, 160, 500), 1_000_000, MINUTE + SECOND // 2),
        (ota.ImageBlockWait(100, 160, 500), SECOND, MINUTE + 500 * SECOND),
        (ota.ImageBlockWait(160, 100, 0), 1_000_000, 5 * MINUTE),
        (ota.ImageBlockWait(0, 100_000, None), 1_000_000, HOUR),
    ],
    ids=["plain", "period in ms", "period in s", "back in time", "longest honoured"],
)
def test_the_wait_that_follows_wait_for_data(wait: ota.ImageBlockWait, unit: int, expected: int) -> None:
    link = joined(replace(QUICK, block_period_unit=unit))
    link.start()
    while link.client.state is not ClientState.DOWNLOADING:
        link.run(SECOND // 100)
    link.connected = False
    assert link.client.frame(ota.encode(wait, 1), link.now) == []
    assert link.client.deadline == link.now + expected


def test_abort_gives_up_without_an_upgrade_end() -> None:
    link = joined()
    link.start()
    link.run(11 * SECOND)
    link.server.withdraw(DEVICE)
    link.run(HOUR)
    assert link.images == []
    assert [effect for _, effect in link.device_effects][-1] == DownloadFailed(NEW, "server said 95")
    assert commands_of(link, TransferEnded) == []


@pytest.mark.requirement("MP170-A5")
def test_a_withdrawn_image_that_is_replaced_is_fetched_within_minutes() -> None:
    link = joined()
    link.start()
    link.run(11 * SECOND)
    link.server.offer(image(NEWER), [DEVICE], activate_now=True)
    link.run(10 * MINUTE)
    assert link.images == [image(NEWER)]


def offered(link: OtaLink, offer: ota.QueryNextImageResponse) -> list[int]:
    """Return the status octets of the Default Responses to `offer`."""
    link.start()
    link.connected = False
    while link.client.state is not ClientState.QUERYING:
        link.run(SECOND)
    answers = sent_frames(link.client.frame(ota.encode(offer, 1), link.now))
    frames = [ZclFrame.decode(answer) for answer in answers]
    return [frame.payload[1] for frame in frames if frame.command == 0x0B]


@pytest.mark.parametrize(
    ("offer", "status"),
    [
        (ota.QueryNextImageResponse(0, 0x1A05, 0x0084, NEW, 5000), ZclStatus.INVALID_FIELD),
        (ota.QueryNextImageResponse(0, 0x1A04, 0x0085, NEW, 5000), ZclStatus.INVALID_FIELD),
        (ota.QueryNextImageResponse(0, 0x1A04, 0x0084, NEW, 0), ZclStatus.INVALID_FIELD),
        (ota.QueryNextImageResponse(0, 0x1A04, 0x0084, NEW, 1_048_577), ZclStatus.INSUFFICIENT_SPACE),
    ],
    ids=["manufacturer", "image type", "empty", "too large"],
)
def test_an_offer_that_does_not_suit_is_refused(offer: ota.QueryNextImageResponse, status: ZclStatus) -> None:
    assert offered(joined(), offer) == [status]


def test_an_offer_that_nobody_asked_for_is_not_taken() -> None:
    """Neither by an idle client, nor by one that waits with an image, nor twice as the answer to one query."""
    offer = ota.QueryNextImageResponse(0, 0x1A04, 0x0084, NEWER, 5_000)
    idle = joined(file=image(OLD))
    idle.start()
    idle.run(MINUTE)
    assert [idle.client.frame(ota.encode(offer, number), idle.now) for number in range(256)] == [[]] * 256
    waiting = joined(activate_now=False)
    waiting.start()
    waiting.run(2 * MINUTE)
    assert (waiting.client.state, waiting.client.downloaded_version) == (ClientState.WAITING, NEW)
    assert [waiting.client.frame(ota.encode(offer, number), waiting.now) for number in range(256)] == [[]] * 256
    (query,) = sent_frames(waiting.client.image_waits(waiting.now))
    none = ota.encode(ota.QueryNextImageResponse(0x98), query[1])
    assert [waiting.client.frame(each, waiting.now) for each in (none, ota.encode(offer, query[1]))] == [[], []]
    assert waiting.client.downloaded_version == NEW


def test_a_late_answer_to_the_last_query_is_taken() -> None:
    link = joined()
    link.connected = False
    link.start()
    link.run(15 * SECOND)  # the time for its answer is over
    offer = ota.encode(ota.QueryNextImageResponse(0, 0x1A04, 0x0084, NEW, 5_000), 1)
    assert any(isinstance(effect, DownloadStarted) for effect in link.client.frame(offer, link.now))


def test_the_version_that_runs_is_not_fetched_again() -> None:
    assert offered(joined(), ota.QueryNextImageResponse(0, 0x1A04, 0x0084, OLD, 5000)) == []


def test_an_older_version_is_taken_as_different() -> None:
    link = joined(file=image(0x03000000))
    link.start()
    link.run(MINUTE)
    assert link.images == [image(0x03000000)]


@pytest.mark.requirement("MP170-A1")
def test_an_image_for_other_hardware_is_told_once_and_not_served() -> None:
    link = joined(file=image(model=0x50010300), config=replace(QUICK, query_period=HOUR))
    link.start()
    link.run(DAY)
    assert [effect for _, effect in link.hub_effects] == [hub_side.HardwareMismatch(DEVICE, NEW, 0x0201)]
    assert link.images == []


def test_a_block_of_another_image_is_answered_with_invalid_value() -> None:
    link = joined()
    link.start()
    link.run(11 * SECOND)
    offset = link.client.statistics.octets
    block = ota.encode(ota.ImageBlockResponse(0x1A04, 0x0084, NEWER, offset, b"\x01\x02"), 5)
    answer = ota_answer(link, block)
    assert answer == ZclStatus.INVALID_VALUE
    assert link.client.statistics.octets == offset


def test_a_block_at_another_offset_is_ignored() -> None:
    link = joined()
    link.start()
    link.run(11 * SECOND)
    before = link.client.statistics.blocks
    late = ota.encode(ota.ImageBlockResponse(0x1A04, 0x0084, NEW, 0, b"\x01\x02"), 5)
    assert link.client.frame(late, link.now) == []
    assert link.client.statistics.blocks == before


def test_a_block_that_lies_about_its_length_is_malformed() -> None:
    link = joined()
    link.start()
    link.run(11 * SECOND)
    offset = link.client.statistics.octets
    block = ota.encode(ota.ImageBlockResponse(0x1A04, 0x0084, NEW, offset, b"\x01\x02"), 5) + b"\x03"
    assert ota_answer(link, block) == ZclStatus.MALFORMED_COMMAND


def ota_answer(link: OtaLink, frame: bytes) -> int:
    """Return the status of the Default Response to `frame`, the only effect."""
    (answer,) = sent_frames(link.client.frame(frame, link.now))
    return ZclFrame.decode(answer).payload[1]


def test_a_unicast_notify_leads_to_a_query_and_is_answered() -> None:
    link = joined(file=image(OLD))
    link.start()
    link.run(MINUTE)
    effects = link.client.frame(ota.encode(ota.ImageNotify(1), 3), link.now)
    assert [frame[:3].hex() for frame in sent_frames(effects)] == ["10030b", "010201"]


@pytest.mark.parametrize(
    ("notify", "asks"),
    [
        (ota.ImageNotify(100), True),
        (ota.ImageNotify(100, 0x1A04, 0x0084, NEW), True),
        (ota.ImageNotify(100, 0xFFFF, 0xFFFF, NEW), True),
        (ota.ImageNotify(100, 0x1A05, 0x0084, NEW), False),
        (ota.ImageNotify(100, 0x1A04, 0x0001, NEW), False),
        (ota.ImageNotify(100, 0x1A04, 0x0084, OLD), False),
        (ota.ImageNotify(0), False),
    ],
)
def test_a_broadcast_notify_is_weighed_and_never_answered(notify: ota.ImageNotify, asks: bool) -> None:
    link = joined(file=image(OLD))
    link.start()
    link.run(MINUTE)
    effects = link.client.frame(ota.encode(notify, 3), link.now, broadcast=True)
    assert [frame[2] for frame in sent_frames(effects)] == ([0x01] if asks else [])


def test_the_jitter_is_a_threshold_for_a_draw() -> None:
    link = joined(file=image(OLD))
    link.start()
    link.run(MINUTE)
    notify = ota.encode(ota.ImageNotify(25, 0x1A04, 0x0084, NEW), 3)
    asked = 0
    for _ in range(1000):
        for query in sent_frames(link.client.frame(notify, link.now, broadcast=True)):
            asked += 1
            link.client.frame(ota.encode(ota.QueryNextImageResponse(0x98), query[1]), link.now)
    assert 200 < asked < 300


def test_a_lost_end_is_repeated_every_ten_minutes_and_then_the_image_applied() -> None:
    link = joined()
    link.start()
    while not link.images:
        link.run(SECOND // 100)
    link.connected = False
    link.run(99 * MINUTE)
    assert commands_of(link, Activate) == []
    link.run(2 * MINUTE)
    assert len(commands_of(link, Activate)) == 1


def test_a_client_that_may_not_apply_by_itself_keeps_asking() -> None:
    link = joined(replace(QUICK, timeout_policy=TimeoutPolicy.NEVER))
    link.start()
    while not link.images:
        link.run(SECOND // 100)
    link.connected = False
    link.run(5 * HOUR)
    assert commands_of(link, Activate) == []
    link.connected = True
    link.run(HOUR)
    assert len(commands_of(link, Activate)) == 1


def test_a_waiting_client_asks_again_every_hour() -> None:
    link = joined(activate_now=False)
    link.start()
    link.run(90 * MINUTE)
    assert link.client.state is ClientState.WAITING
    transfer = link.server.transfer(DEVICE)
    assert transfer is not None
    transfer.activate_now = True
    link.run(HOUR)
    assert len(commands_of(link, Activate)) == 1


def test_a_newer_image_takes_the_place_of_the_one_that_waits() -> None:
    link = joined(OUT_OF_BAND, activate_now=False)
    link.start()
    link.run(MINUTE)
    link.server.offer(image(NEWER), [DEVICE], activate_now=False)
    link.from_server(link.server.notify(DEVICE))
    link.run(MINUTE)
    assert link.images == [image(), image(NEWER)]
    assert link.client.downloaded_version == NEWER


def test_a_device_that_falls_silent_ends_its_transfer() -> None:
    link = joined()
    link.start()
    link.run(11 * SECOND)
    transfer = link.server.transfer(DEVICE)
    assert transfer is not None
    due = transfer.last_request + OtaServerSettings().transfer_timeout
    assert link.server.next_expiry() == due
    assert link.server.expire(due - 1) == []
    assert link.server.expire(due) == [TransferEnded(DEVICE, NEW, ZclStatus.TIMEOUT)]
    assert link.server.transfer(DEVICE) is None


def test_a_device_without_an_offer_gets_none() -> None:
    server = OtaServer()
    (answer,) = server.frame(DEVICE, bytes.fromhex("010201011d128400dbacdcac1111"), START)
    assert answer == hub_side.Send(DEVICE, bytes.fromhex("19020298"))


def test_blocks_are_cut_to_the_servers_limit() -> None:
    server = OtaServer()
    server.offer(image(), [DEVICE], activate_now=True)
    request = ota.encode(ota.ImageBlockRequest(0x1A04, 0x0084, NEW, 0, 63), 1)
    answer = server.frame(DEVICE, request, START)[-1]
    assert isinstance(answer, hub_side.Send)
    command = ota.decode(ZclFrame.decode(answer.frame))
    assert command == ota.ImageBlockResponse(0x1A04, 0x0084, NEW, 0, image()[:48])


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (ota.encode(ota.ImageBlockRequest(0x1A04, 0x0084, NEW, 20_480, 48), 1), ZclStatus.MALFORMED_COMMAND),
        (ota.encode(ota.ImageBlockRequest(0x1A04, 0x0084, NEW, 0, 0), 1), ZclStatus.MALFORMED_COMMAND),
        (ota.encode(ota.ImageBlockRequest(0x1A04, 0x0084, NEW, 0, 48), 1)[:-1], ZclStatus.MALFORMED_COMMAND),
        (bytes.fromhex("010201011d12"), ZclStatus.MALFORMED_COMMAND),
        (ota.encode(ota.ImagePageRequest(0x1A04, 0x0084, NEW, 0, 48, 512, 100), 1), ZclStatus.UNSUP_CLUSTER_COMMAND),
        (bytes.fromhex("010277"), ZclStatus.UNSUP_CLUSTER_COMMAND),
    ],
    ids=["behind the end", "nothing asked", "short block request", "short query", "page request", "unknown"],
)
def test_the_server_refuses_what_it_cannot_serve(request_: bytes, status: ZclStatus) -> None:
    server = OtaServer()
    server.offer(image(), [DEVICE], activate_now=True)
    (answer,) = server.frame(DEVICE, request_, START)
    assert isinstance(answer, hub_side.Send)
    assert answer.frame[-1] == status


def test_the_end_response_to_a_meter_is_all_wildcards() -> None:
    server = OtaServer()
    server.offer(image(), [DEVICE], activate_now=False)
    answer, ended = server.frame(DEVICE, ota.encode(ota.UpgradeEndRequest(0, 0x1A04, 0x0084, NEW), 7), START)
    assert isinstance(answer, hub_side.Send)
    assert answer.frame.hex() == "190707" + "ff" * 16
    assert ended == TransferEnded(DEVICE, NEW, 0)


def test_a_full_image_of_750_kilobytes_takes_16000_blocks() -> None:
    file = image(size=768_000)
    link = joined(file=file)
    link.start()
    link.run(HOUR)
    assert [hashlib.sha256(got).digest() for got in link.images] == [hashlib.sha256(file).digest()]
    assert link.client.statistics.blocks == 16_000
    assert 700_000 < len(link.checkpoints()) < 768_000
