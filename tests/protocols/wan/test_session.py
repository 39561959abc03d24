"""At least once, and to the application exactly once, over a link that loses, doubles and reorders."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.storage import MemoryStorage
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.interfaces import SECOND
from protocols.wan.envelope import Envelope, GbcsCarried, PowerLoss, WanMessage
from protocols.wan.session import RESEND_AFTER, WanSession

DEVICE = Eui64(0x00DB1234567890A4)
START = 1_772_442_000 * SECOND


def message(number: int) -> GbcsCarried:
    return GbcsCarried(DEVICE, number.to_bytes(2, "big"))


@dataclass
class Side:
    session: WanSession
    taken: list[WanMessage] = field(default_factory=list)

    def hear(self, octets: bytes) -> bytes | None:
        arrival = self.session.received(octets)
        if arrival.message is not None:
            self.taken.append(arrival.message)
        return self.session.accept(arrival)


def exchange(a: Side, b: Side, octets: bytes) -> None:
    """Carry one envelope from `a` to `b` and the acknowledgement back."""
    reply = b.hear(octets)
    assert reply is not None
    assert a.hear(reply) is None


def test_what_is_acknowledged_is_not_sent_again() -> None:
    hub, csp = Side(WanSession()), Side(WanSession())
    _, octets = hub.session.send(message(1), START)
    assert hub.session.deadline == START + RESEND_AFTER
    exchange(hub, csp, octets)
    assert csp.taken == [message(1)]
    assert hub.session.wake(START + RESEND_AFTER) == []


def test_what_is_not_acknowledged_is_sent_again_until_it_is() -> None:
    hub, csp = Side(WanSession()), Side(WanSession())
    _, octets = hub.session.send(PowerLoss(DEVICE, START), START)
    for turn in (1, 2, 3):
        assert hub.session.wake(START + turn * RESEND_AFTER - 1) == []
        assert hub.session.wake(START + turn * RESEND_AFTER) == [octets]
    exchange(hub, csp, octets)
    assert hub.session.held == ()
    assert hub.session.resent == 3


def test_a_duplicate_is_acknowledged_and_dropped() -> None:
    hub, csp = Side(WanSession()), Side(WanSession())
    _, octets = hub.session.send(message(1), START)
    first, second = csp.hear(octets), csp.hear(octets)
    assert first == second
    assert first is not None
    assert csp.taken == [message(1)]
    assert hub.hear(first) is None
    assert hub.hear(first) is None  # the doubled acknowledgement is no news, and is not answered


def test_an_acknowledgement_is_never_answered_even_with_equal_epochs() -> None:
    hub, csp = Side(WanSession()), Side(WanSession())
    _, up = hub.session.send(message(1), START)
    _, down = csp.session.send(message(2), START)
    acknowledgement = csp.hear(up)
    assert hub.hear(down) is not None
    assert acknowledgement is not None
    assert hub.hear(acknowledgement) is None
    assert hub.hear(acknowledgement) is None


def test_a_message_is_taken_again_when_the_power_went_before_it_was_accepted() -> None:
    storage = MemoryStorage()
    csp = Side(WanSession())
    _, octets = csp.session.send(message(7), START)
    assert WanSession(storage).received(octets).message == message(7)  # and the power goes
    again = Side(WanSession(storage))
    exchange(csp, again, octets)
    assert again.taken == [message(7)]
    restarted = Side(WanSession(storage))
    assert restarted.hear(octets) is not None
    assert restarted.taken == []


def test_what_was_sent_before_a_power_cut_is_sent_again_after_it() -> None:
    storage, csp = MemoryStorage(), Side(WanSession())
    hub = WanSession(storage)
    sent = [hub.send(message(number), START)[1] for number in range(3)]
    lost = Side(WanSession(storage))
    assert lost.session.resume(START + SECOND) == sent
    for octets in sent:
        exchange(lost, csp, octets)
    assert csp.taken == [message(0), message(1), message(2)]
    _, fourth = Side(WanSession(storage)).session.send(message(3), START)
    assert Envelope.decode(fourth).message_id == 3


@pytest.mark.parametrize("fatal", ["wan/out/0000000000000001", "wan/next"])
def test_a_power_cut_between_two_cells_neither_loses_nor_repeats_an_id(fatal: str) -> None:
    class PowerCut(Exception):  # noqa: N818 - what happens, not an error
        pass

    def cut(cell: str) -> None:
        if armed and cell == fatal:
            raise PowerCut

    armed: list[bool] = []
    storage = MemoryStorage(cut)
    hub = WanSession(storage)
    hub.send(message(0), START)
    armed.append(True)
    with pytest.raises(PowerCut):
        hub.send(message(1), START)
    armed.clear()
    csp, restarted = Side(WanSession()), Side(WanSession(storage))
    _, third = restarted.session.send(message(2), START)
    for octets in [*restarted.session.resume(START), third]:
        csp.hear(octets)
    assert csp.taken.count(message(0)) == 1
    assert csp.taken.count(message(2)) == 1
    assert len({Envelope.decode(o).message_id for o in restarted.session.resume(START)}) == len(csp.taken)


def test_a_withdrawn_message_is_not_sent_again_and_does_not_block_the_next() -> None:
    csp, hub = Side(WanSession()), Side(WanSession())
    first, lost = csp.session.send(message(1), START)
    assert csp.session.withdraw(first)
    assert not csp.session.withdraw(first)
    _, octets = csp.session.send(message(2), START)
    exchange(csp, hub, octets)
    assert hub.hear(lost) is not None  # comes late: settled long ago, so it is acknowledged and dropped
    assert hub.taken == [message(2)]


def test_a_peer_without_memory_begins_a_new_epoch() -> None:
    hub = Side(WanSession())
    exchange_with(hub, START, message(1))
    exchange_with(hub, START + SECOND, message(2))
    assert hub.taken == [message(1), message(2)]


def exchange_with(hub: Side, now: int, carried: GbcsCarried) -> None:
    csp = Side(WanSession())
    _, octets = csp.session.send(carried, now)
    exchange(csp, hub, octets)


def test_a_leftover_of_an_older_epoch_is_neither_taken_nor_acknowledged() -> None:
    hub = Side(WanSession())
    _, old = WanSession().send(message(1), START)
    exchange_with(hub, START + SECOND, message(2))
    assert hub.hear(old) is None
    assert hub.taken == [message(2)]


def test_an_oldest_id_above_the_own_is_refused() -> None:
    with pytest.raises(DecodeError, match="above the message's own"):
        WanSession().received(Envelope(1, 2, 3, message(1)).encode())


@settings(deadline=None, max_examples=150, database=None)
@given(
    seed=st.integers(0, 1_000_000),
    loss=st.sampled_from([0.0, 0.2, 0.6]),
    doubled=st.sampled_from([0.0, 0.3]),
    restarts=st.booleans(),
)
def test_every_message_is_taken_exactly_once_whatever_the_link_does(
    seed: int, loss: float, doubled: float, restarts: bool
) -> None:
    chance = random.Random(seed)
    storages = (MemoryStorage(), MemoryStorage())
    sides = [Side(WanSession(storage)) for storage in storages]
    flying: list[tuple[int, bytes]] = []  # who hears it
    sent: tuple[list[WanMessage], list[WanMessage]] = ([], [])
    now = START

    def fly(hearer: int, octets: bytes) -> None:
        if chance.random() >= loss:
            flying.extend([(hearer, octets)] * (2 if chance.random() < doubled else 1))

    for number in range(30):
        sender = chance.randrange(2)
        carried = message(number)
        sent[sender].append(carried)
        fly(1 - sender, sides[sender].session.send(carried, now)[1])
        for _ in range(chance.randrange(4)):
            deliver_one(sides, flying, chance, fly)
        if restarts and chance.random() < 0.2:
            who = chance.randrange(2)
            sides[who] = Side(WanSession(storages[who]), sides[who].taken)
    while flying or any(side.session.held for side in sides):
        while flying:
            deliver_one(sides, flying, chance, fly)
        now += RESEND_AFTER
        for who, side in enumerate(sides):
            for octets in side.session.wake(now):
                fly(1 - who, octets)
    for sender in (0, 1):
        taken = sides[1 - sender].taken
        assert sorted(taken, key=repr) == sorted(sent[sender], key=repr)


def deliver_one(
    sides: list[Side], flying: list[tuple[int, bytes]], chance: random.Random, fly: Callable[[int, bytes], None]
) -> None:
    if flying:
        hearer, octets = flying.pop(chance.randrange(len(flying)))
        reply = sides[hearer].hear(octets)
        if reply is not None:
            fly(1 - hearer, reply)
