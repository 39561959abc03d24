"""Messages in fragments with a window: blocks and acknowledgements lost, doubled and out of order."""

from collections.abc import Callable, Iterator
from itertools import pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.aps.frame import ApsHeader, Fragmentation, FrameType, decode_header
from protocols.errors import DecodeError
from protocols.interfaces import MILLISECOND, DeliveryStatus
from protocols.stack.aps import ApsLayer
from protocols.stack.fragments import Reassembler, Window, split
from protocols.stack.settings import NodeRole, StackSettings
from protocols.stack.timers import Timers
from tests.support.han import FAR, Han, Member, home_with_bridges

MESSAGE = bytes(range(250)) * 6  # 1,500 octets: 25 blocks of 61
BLOCKS = 25


def blocks_of(message: bytes, counter: int = 7, size: int = 40) -> list[tuple[ApsHeader, bytes]]:
    blocks = split(message, size)
    first = ApsHeader(0, 1, 2, 3, 4, counter, fragmentation=Fragmentation.FIRST, block_number=len(blocks))
    others = [first._replace(fragmentation=Fragmentation.OTHER, block_number=index) for index in range(1, len(blocks))]
    return list(zip([first, *others], blocks, strict=True))


class Receiver:
    def __init__(self, window: int) -> None:
        self.reassembler = Reassembler(Timers(Han().clock), StackSettings(fragment_window=window))
        self.whole: list[bytes] = []

    def take(self, header: ApsHeader, block: bytes) -> tuple[int, int] | None:
        """Take a block; return block number and bits of the acknowledgement, None if there is none."""
        whole, repeated = self.reassembler.take(5, header, block)
        if whole is not None:
            self.whole.append(whole)
        return self.reassembler.acknowledgement(5, header, repeated=repeated)


# --- one window ------------------------------------------------------------------------------------------------------


def test_a_window_of_three_is_acknowledged_at_its_last_block_and_when_its_gap_is_filled() -> None:
    """The exchange of test TP/PRO/BV-43: 8 blocks, the second lost once."""
    receiver, sent = Receiver(3), blocks_of(bytes(320))
    assert [receiver.take(*sent[n]) for n in (0, 2, 1)] == [None, (0, 0xFD), (0, 0xFF)]
    assert [receiver.take(*sent[n]) for n in (3, 4, 5)] == [None, None, (3, 0xFF)]
    assert receiver.whole == []
    assert [receiver.take(*sent[n]) for n in (6, 7)] == [None, (6, 0xFF)]
    assert receiver.whole == [bytes(320)]


def test_a_block_that_comes_again_is_acknowledged_and_handed_up_once() -> None:
    receiver, sent = Receiver(3), blocks_of(bytes(120))
    assert [receiver.take(*sent[n]) for n in (0, 0, 1, 2, 1)] == [None, (0, 0xF9), None, (0, 0xFF), (0, 0xFF)]
    assert receiver.whole == [bytes(120)]


def test_blocks_are_taken_in_any_order() -> None:
    message = bytes(range(160))
    for order in permutations(range(1, 4)):
        receiver, sent = Receiver(4), blocks_of(message)
        for index in (0, *order):
            receiver.take(*sent[index])
        assert receiver.whole == [message]


def test_a_block_of_no_message_is_an_error() -> None:
    with pytest.raises(DecodeError):
        Receiver(3).take(*blocks_of(bytes(120))[1])


def test_a_message_longer_than_the_limit_is_not_begun() -> None:
    """Nor is one of no blocks: memory is held for what is taken."""
    header, block = blocks_of(bytes(80))[0]
    limit = StackSettings().message_limit
    for count in (0, limit // len(block) + 2, 255):
        with pytest.raises(DecodeError, match="fragments"):
            Receiver(1).take(header._replace(block_number=count), block)
    assert Receiver(1).take(header._replace(block_number=limit // len(block)), block) is not None


@given(
    st.integers(1, 8),
    st.integers(2, 40),
    st.lists(st.sampled_from(["come", "come", "lost", "doubled", "swapped", "deaf"]), max_size=200),
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_lost_doubled_or_swapped_the_message_arrives_whole_once(
    window: int, count: int, fates: list[str]
) -> None:
    """`lost`: the block; `deaf`: its acknowledgement; `swapped`: it comes after the next one of the round."""
    message = bytes(index % 251 for index in range(count * 40))
    sent, sender, receiver = blocks_of(message), Window(count, window), Receiver(window)
    fate, held, under_way = iter(fates), list[int](), True
    for _ in range(4 * count + 2 * len(fates)):
        if not sender.sending:
            sender.rewind()
        block = sender.next_block()
        what = next(fate, "come")
        if what == "swapped" and block:
            held.append(block)
            continue
        arriving = [] if what == "lost" else [block, block] if what == "doubled" else [block]
        arriving += held
        held.clear()
        for each in arriving:
            if each and not receiver.reassembler._incoming:
                continue  # the first block has not come: this one belongs to nothing
            answer = receiver.take(*sent[each])
            if answer is not None and what != "deaf" and under_way:
                sender.acknowledged(*answer)
                under_way = bool(sender.missing) or sender.advance()
        if not under_way:
            break
    assert not under_way
    assert receiver.whole == [message]


# --- over the air ----------------------------------------------------------------------------------------------------


_RECEIVE = ApsLayer.receive
_before: dict[ApsLayer, Callable[[int, bytes, int], object]] = {}  # who stands before which layer


@pytest.fixture(autouse=True)
def _open_ears(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let what comes to an APS layer go to who stands before it."""

    def receive(aps: ApsLayer, source: int, octets: bytes, lqi: int) -> None:
        if aps in _before:
            _before[aps](source, octets, lqi)
        else:
            _RECEIVE(aps, source, octets, lqi)

    monkeypatch.setattr(ApsLayer, "receive", receive)
    yield
    _before.clear()


class Ear:
    """Stands before the APS layer of a node: what it is told to lose does not arrive; fragments are listed."""

    def __init__(self, member: Member, *, lose: tuple[int, ...] = (), lose_acknowledgement: int | None = None) -> None:
        self.aps = member.node._on().aps
        self._lose, self._deaf = list(lose), lose_acknowledgement
        self.blocks: list[int] = []
        self.acknowledgements: list[tuple[int, int]] = []
        _before[self.aps] = self.receive

    def receive(self, source: int, octets: bytes, lqi: int) -> None:
        header, _ = decode_header(octets)
        if header.fragmentation and header.frame_type == FrameType.ACKNOWLEDGEMENT:
            self.acknowledgements.append((header.block_number, header.ack_bitfield))
            if len(self.acknowledgements) - 1 == self._deaf:
                return
        elif header.fragmentation:
            block = 0 if header.fragmentation == Fragmentation.FIRST else header.block_number
            if block in self._lose:
                self._lose.remove(block)
                return
            self.blocks.append(block)
        _RECEIVE(self.aps, source, octets, lqi)


def pair(window: int, role: NodeRole = NodeRole.ROUTER) -> tuple[Han, Member, Member]:
    han = Han(settings=StackSettings(fragment_window=window))
    hub, device = han.hub(), han.add("device", role)
    han.link(hub, device)
    han.join("device")
    han.run(30)
    return han, hub, device


@pytest.mark.parametrize("window", [1, 2, 3, 7, 8])
def test_1500_octets_go_both_ways_with_one_acknowledgement_a_window(window: int) -> None:
    han, hub, device = pair(window)
    at_hub, at_device = Ear(hub), Ear(device)
    handles = [(hub, hub.send(device, MESSAGE)), (device, device.send(hub, MESSAGE[::-1]))]
    han.run(20)
    assert [who.outcome(handle) for who, handle in handles] == [DeliveryStatus.OK] * 2
    assert (device.messages, hub.messages) == ([MESSAGE], [MESSAGE[::-1]])
    for ear in (at_hub, at_device):
        assert ear.blocks == list(range(BLOCKS))
        assert [number for number, _ in ear.acknowledgements] == list(range(0, BLOCKS, window))
    if window > 1:
        assert {bits for _, bits in at_hub.acknowledgements} == {0xFF}


@pytest.mark.parametrize("upwards", [True, False])
@pytest.mark.parametrize("lost", range(BLOCKS))
def test_any_fragment_may_be_lost_and_goes_again_alone(lost: int, *, upwards: bool) -> None:
    window = 4
    han, hub, device = pair(window)
    sender, receiver = (device, hub) if upwards else (hub, device)
    ear, answers = Ear(receiver, lose=(lost,)), Ear(sender)
    handle = sender.send(receiver, MESSAGE)
    han.run(20)
    assert (sender.outcome(handle), receiver.messages) == (DeliveryStatus.OK, [MESSAGE])
    first = lost - lost % window
    if lost == 0:
        again = [1, 2, 3]  # without the first they belong to nothing
    elif lost == first + window - 1:
        again = [first]  # nothing asked for the last: the first goes again, and its acknowledgement asks
    else:
        again = []
    assert sorted(ear.blocks) == sorted([*range(BLOCKS), *again])
    if first < lost < BLOCKS - 1:
        assert (first, 0xFF & ~(1 << lost % window)) in answers.acknowledgements


@pytest.mark.parametrize("lost", range(7))
def test_any_acknowledgement_may_be_lost_and_one_block_of_its_window_asks_for_it(lost: int) -> None:
    han, hub, device = pair(4)
    ear, _ = Ear(device), Ear(hub, lose_acknowledgement=lost)
    handle = hub.send(device, MESSAGE)
    han.run(20)
    assert (hub.outcome(handle), device.messages) == (DeliveryStatus.OK, [MESSAGE])
    assert sorted(ear.blocks) == sorted([*range(BLOCKS), 4 * lost])
    assert hub.node.statistics.retries == 1


def test_fragments_of_a_window_keep_their_distance() -> None:
    han, hub, device = pair(8)
    times: list[int] = []
    ear = Ear(device)
    receive = ear.receive

    def timed(source: int, octets: bytes, lqi: int) -> None:
        if decode_header(octets)[0].fragmentation:
            times.append(han.clock.now())
        receive(source, octets, lqi)

    _before[ear.aps] = timed
    hub.send(device, MESSAGE[: 61 * 8])
    han.run(5)
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) == 7
    assert all(45 * MILLISECOND < gap < 60 * MILLISECOND for gap in gaps)


def test_a_receiver_that_is_gone_ends_the_message_after_the_retries() -> None:
    han, hub, device = pair(4)
    device.node.power_off()
    handle = hub.send(device, MESSAGE)
    han.run(60)
    assert hub.outcome(handle) is DeliveryStatus.NO_ACK
    assert hub.node.statistics.retries == 3


@pytest.mark.parametrize("window", [3, 8])
def test_windows_pass_bridges_and_sleepers_under_a_loss_of_a_fifth(window: int) -> None:
    han = home_with_bridges(window, loss=0.2, settings=StackSettings(fragment_window=window))
    han.join(*FAR, within=300)
    hub, gsme, ihd = (han.members[name] for name in ("hub", "gsme", "ihd"))
    sent = [(hub, hub.send(gsme, MESSAGE)), (gsme, gsme.send(hub, MESSAGE[::-1])), (ihd, ihd.send(hub, MESSAGE))]
    han.run(300)
    assert [who.outcome(handle) for who, handle in sent] == [DeliveryStatus.OK] * 3
    assert gsme.messages == [MESSAGE]
    assert sorted(hub.messages) == sorted([MESSAGE[::-1], MESSAGE])
