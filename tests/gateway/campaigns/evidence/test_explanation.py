"""Who stalled a transfer, found in captures of stalls that were planted."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.campaigns.evidence.capture import dissect
from gateway.campaigns.evidence.explanation import BlockRecord, Explained, explain
from gateway.campaigns.evidence.hops import HopLog
from gateway.campaigns.evidence.stalls import Cause
from gateway.campaigns.lint import lint
from protocols.interfaces import MILLISECOND, MINUTE, SECOND, Received
from protocols.ota import server as hub_side
from protocols.ota.client import OtaClientSettings
from protocols.ota.image import Kind
from protocols.ota.server import OtaServer, OtaServerSettings
from protocols.pcapng import CapturedFrame, CaptureKey
from protocols.stack.polling import Poller
from protocols.stack.settings import NodeRole
from tests.support.hub_bench import delivery, image_of
from tests.support.hub_side import HUB, KEY
from tests.support.ota_homes import DEVICE, NEW, Far, Played, captured, image

QUICK = OtaClientSettings(start_delay=5 * SECOND)
PLAYED_KEYS = [CaptureKey(KEY, f"link key {DEVICE}")]


def explained(frames: Iterable[CapturedFrame], keys: list[CaptureKey], *, stall: int = SECOND) -> Explained:
    """Return the only transfer of a capture, explained."""
    hops = HopLog()
    (told,) = explain(dissect(frames, keys, hops), hops, stall=stall)
    return told


def fetched(hub: Played, *, size: int = 5_000) -> Explained:
    hub.offer(DEVICE, image(size=size), activate_now=True)
    hub.run_until(NEW)
    return explained(captured(hub.log), PLAYED_KEYS)


def only(told: Explained) -> BlockRecord:
    (stall,) = told.stalls
    return stall


def at_block(hub: Played, number: int, then: Callable[[], None]) -> None:
    """Call `then` once when the hub is asked for the block `number`."""
    watched = hub.watch

    def watch(event: Received) -> None:
        watched(event)
        if len(hub.commands(0x03)) == number:
            hub.watch = watched
            then()

    hub.watch = watch


# --- figures -----------------------------------------------------------------------------------------------------


def test_a_transfer_without_trouble_is_counted_and_nobody_stalls() -> None:
    told = fetched(Played())
    assert (told.blocks, told.block_size, told.requests, told.repeats, told.waits) == (105, 48, 105, 0, 0)
    assert (told.octets, told.stalls, told.transfer.status) == (5_000, [], 0)
    assert told.request_to_response.number == told.response_to_request.number == 105
    assert 5 * MILLISECOND < told.request_to_response.median < 15 * MILLISECOND
    assert 0 < told.response_to_request.median < 5 * MILLISECOND
    assert 3_000 < told.rate < 5_000
    assert told.share("queue") == 0
    assert 0.5 < told.share("radio") < 0.8
    assert sum(told.share(who) for who in ("device", "radio", "queue", "hub")) == pytest.approx(1)
    assert 0.5 < told.busy["home-1 2.4 GHz"] < 0.8


def test_the_causes_add_up_to_the_time_of_the_transfer() -> None:
    told = fetched(Played())
    assert sum(told.causes.values()) == pytest.approx(told.duration, rel=0.01)


def test_behind_two_bridges_the_way_has_three_hops_and_waits_at_relays() -> None:
    home = Far(1)
    device = home.far[0]
    home.bench.run_till(lambda: len(home.bench.notes.of("tunnel-open")) == 4)
    home.bench.down(delivery("a:b:1", image_of(Kind.PPMID, size=5_000), device.node.eui))
    home.bench.run_till(lambda: device.firmware_version == NEW)
    told = explained(captured(home.log), home.keys())
    assert (told.blocks, told.stalls) == (105, [])
    assert set(told.busy) == {"home", "far", "backhaul"}
    assert told.share("queue") > 0.05
    assert {Cause.REQUEST_QUEUED, Cause.ANSWER_QUEUED} <= set(told.causes)


def test_a_sleepy_device_is_answered_when_it_polls() -> None:
    hub = Played(role=NodeRole.SLEEPY_END_DEVICE)
    told = fetched(hub)
    assert told.stalls == []
    assert told.request_to_response.median > 240 * MILLISECOND
    assert told.causes[Cause.POLL_AWAITED] > 0.8 * told.duration
    assert told.share("hub") < 0.1


def test_an_answer_that_waits_for_a_late_poll_is_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device polls late for a while, and gives each answer up after 3 s."""
    hub = Played(role=NodeRole.SLEEPY_END_DEVICE)
    hub.offer(DEVICE, image(), activate_now=True)
    hub.run(5 * SECOND)
    poller = hub.device.node._on()._poller
    assert poller is not None
    with monkeypatch.context() as patched:
        poll = poller._poll
        patched.setattr(Poller, "_poll", lambda _: hub.clock.call_at(hub.clock.now() + 6 * SECOND, poll))
        hub.run(10 * SECOND)
    hub.run_until(NEW)
    told = explained(captured(hub.log), PLAYED_KEYS)
    assert {stall.cause for stall in told.stalls} == {Cause.POLL_AWAITED}


def test_a_device_that_does_not_poll_has_itself_to_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its parent drops the answer after 7.68 s."""
    hub = Played(
        OtaClientSettings(start_delay=5 * SECOND, response_timeout=12 * SECOND), role=NodeRole.SLEEPY_END_DEVICE
    )
    hub.offer(DEVICE, image(), activate_now=True)
    hub.run(5 * SECOND)
    poller = hub.device.node._on()._poller
    assert poller is not None
    with monkeypatch.context() as patched:
        poll = poller._poll
        patched.setattr(Poller, "_poll", lambda _: hub.clock.call_at(hub.clock.now() + 20 * SECOND, poll))
        hub.run(SECOND)
    hub.run_until(NEW)
    told = explained(captured(hub.log), PLAYED_KEYS)
    assert (only(told).cause, only(told).cause.who) == (Cause.NOT_POLLED, "device")


# --- the hub -----------------------------------------------------------------------------------------------------


class _Answering(Played):
    """Hands the answer to block request `number` to `otherwise` instead of the air."""

    number = 40
    asked = 0

    def otherwise(self, effects: Sequence[hub_side.Effect], endpoint: int) -> None:
        raise NotImplementedError

    def _ota(self, effects: Sequence[hub_side.Effect], endpoint: int = 1) -> None:
        block = any(isinstance(effect, hub_side.Send) and effect.frame[2] == 0x05 for effect in effects)
        self.asked += block
        if block and self.asked == self.number:
            self.otherwise(effects, endpoint)
        else:
            super()._ota(effects, endpoint)


class _Late(_Answering):
    def otherwise(self, effects: Sequence[hub_side.Effect], endpoint: int) -> None:
        self.clock.call_at(self.clock.now() + 2 * SECOND, super()._ota, effects, endpoint)


class _Silent(_Answering):
    def otherwise(self, effects: Sequence[hub_side.Effect], endpoint: int) -> None:
        pass


def test_a_late_answer_is_the_hubs() -> None:
    stall = only(fetched(_Late()))
    assert (stall.cause, stall.cause.who, stall.offset, stall.attempts) == (Cause.ANSWER_LATE, "hub", 39 * 48, 1)
    assert 2 * SECOND < stall.duration < 2.1 * SECOND


def test_a_missing_answer_is_the_hubs() -> None:
    told = fetched(_Silent())
    stall = only(told)
    assert (stall.cause, stall.attempts, told.repeats) == (Cause.NO_ANSWER, 2, 1)
    assert 5 * SECOND < stall.duration < 5.1 * SECOND


def test_wait_for_data_is_the_hubs() -> None:
    hub = Played()
    at_block(hub, 40, lambda: hub.server.hold(DEVICE, hub.clock.now() + 30 * SECOND))
    told = fetched(hub)
    assert (only(told).cause, told.waits) == (Cause.TOLD_TO_WAIT, 1)


def test_a_minimum_block_period_is_the_hubs() -> None:
    client = OtaClientSettings(start_delay=5 * SECOND, tell_block_period=True)
    told = fetched(Played(client, server=OtaServer(OtaServerSettings(minimum_block_period=1_500))), size=1_000)
    assert {stall.cause for stall in told.stalls} == {Cause.TOLD_TO_WAIT}
    assert len(told.stalls) == 21


# --- the device --------------------------------------------------------------------------------------------------


def test_a_late_request_is_the_devices() -> None:
    hub = Played()
    download, sent = hub.device.download, [0]
    send = download._send

    def slow(frame: bytes) -> None:
        sent[0] += frame[2] == 0x03
        delay = 2 * SECOND if sent[0] == 40 and frame[2] == 0x03 else 0
        hub.clock.call_at(hub.clock.now() + delay, send, frame)

    download._send = slow  # type: ignore[method-assign]
    stall = only(fetched(hub))
    assert (stall.cause, stall.cause.who, stall.offset) == (Cause.REQUEST_LATE, "device", 39 * 48)


def test_a_restart_is_the_devices() -> None:
    hub = Played(OtaClientSettings(start_delay=5 * SECOND, checkpoint=960))
    at_block(hub, 60, lambda: hub.device.restart_after(20 * SECOND))
    told = fetched(hub)
    assert only(told).cause is Cause.RESTARTED
    assert only(told).duration > 20 * SECOND


# --- the air and the relays --------------------------------------------------------------------------------------


def test_a_frame_without_acknowledgement_is_dropped_on_the_air() -> None:
    hub = Played()

    def burst() -> None:
        hub.reach(1.0)
        hub.clock.call_at(hub.clock.now() + 2 * SECOND, hub.reach, 0.0)

    at_block(hub, 40, burst)
    stall = only(fetched(hub))
    assert stall.cause is Cause.ANSWER_DROPPED  # the request had arrived
    assert (stall.cause.who, stall.where) == ("radio", DEVICE)
    assert "tries without acknowledgement" in stall.detail


def test_a_hub_that_is_off_is_out_of_reach() -> None:
    hub = Played()

    def off() -> None:
        hub.node.power_off()
        hub.clock.call_at(hub.clock.now() + 15 * SECOND, hub.node.power_on)

    hub.clock.call_at(hub.clock.now() + 500 * MILLISECOND, off)
    stall = only(fetched(hub))
    assert (stall.cause, stall.where) == (Cause.OUT_OF_REACH, HUB)
    assert "not heard for" in stall.detail


def behind_a_cut(seconds: float = 2) -> tuple[Far, list[CapturedFrame]]:
    """Return a home whose backhaul was cut for a while in a transfer, and its capture."""
    home = Far(1)
    bench, device = home.bench, home.far[0]
    bench.run_till(lambda: len(bench.notes.of("tunnel-open")) == 4)
    bench.down(delivery("a:b:1", image_of(Kind.PPMID, size=20_000), device.node.eui))
    bench.run_till(lambda: bench.notes.of("ota-started") != [])
    bench.run(1)
    bench.medium.link(*home.backhaul, loss=1.0)
    bench.run(seconds)
    bench.medium.link(*home.backhaul, loss=0.0)
    bench.run_till(lambda: device.firmware_version == NEW)
    return home, captured(home.log)


def test_a_backhaul_that_is_cut_names_the_bridge_that_did_not_hear() -> None:
    home, frames = behind_a_cut()
    stall = only(explained(frames, home.keys()))
    assert stall.cause in (Cause.REQUEST_DROPPED, Cause.ANSWER_DROPPED)
    assert stall.where in [bridge.node.eui for bridge in home.bridges]


def test_a_bridge_that_acknowledges_and_does_not_send_on_is_named() -> None:
    home, frames = behind_a_cut()
    before = only(explained(frames, home.keys()))
    dropped = [frame for frame in frames if not (frame.network == "backhaul" and _during(frame, before))]
    stall = only(explained(dropped, home.keys()))
    assert stall.cause in (Cause.REQUEST_NOT_RELAYED, Cause.ANSWER_NOT_RELAYED)
    assert stall.cause.who == "queue"
    assert stall.where in [bridge.node.eui for bridge in home.bridges]


def _during(frame: CapturedFrame, stall: BlockRecord) -> bool:
    """Whether a frame lies in the first second of a stall, behind its first request's first hop."""
    return stall.began < frame.time < stall.began + SECOND


def test_pages_do_not_count_their_spacing_as_a_stall() -> None:
    client = OtaClientSettings(start_delay=5 * SECOND, page_size=480, response_spacing=200 * MILLISECOND)

    class _Paging(Played):
        """Wakes its server for the blocks of pages."""

        def _ota(self, effects: Sequence[hub_side.Effect], endpoint: int = 1) -> None:
            super()._ota(effects, endpoint)
            due = self.server.deadline()
            if due is not None and due < self.clock.now() + MINUTE:
                self.clock.call_at(due, lambda: self._ota(self.server.wake(self.clock.now())))

    told = fetched(_Paging(client, server=OtaServer(OtaServerSettings(pages=True))))
    assert (told.pages, told.blocks, told.stalls) == (11, 105, [])


@cache
def _cut() -> tuple[list[CapturedFrame], list[CaptureKey]]:
    home, frames = behind_a_cut()
    return frames, home.keys()


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_a_capture_with_holes_or_that_begins_late_is_explained_as_far_as_it_goes(data: st.DataObject) -> None:
    """A sniffer misses frames: nothing of that is an error, and no time is counted twice."""
    frames, keys = _cut()
    begin = data.draw(st.integers(0, len(frames) - 1), "first frame")
    random = Random(data.draw(st.integers(0, 1000), "seed"))
    missed = data.draw(st.floats(0, 0.5), "missed")
    seen = [frame for frame in frames[begin:] if random.random() >= missed]
    hops = HopLog()
    for told in explain(dissect(seen, keys, hops), hops, stall=SECOND):
        assert 0 <= told.duration <= frames[-1].time - frames[0].time
        assert all(stall.duration > SECOND for stall in told.stalls)
        assert all(time >= 0 for time in told.causes.values())
    lint(seen, keys)
