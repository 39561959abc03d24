"""What holds whatever happens: reboots in any order, noise into any layer, transfers that lose and reorder."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.interfaces import MILLISECOND, SECOND, DeliveryStatus
from protocols.mac.frame import data_frame
from protocols.nwk.frame import NwkHeader
from protocols.nwk.security import NwkSecurity
from protocols.stack.node import Node
from protocols.stack.settings import NodeRole, StackSettings
from tests.support.han import FAR, Han, Member, home_with_bridges

_FEW = settings(
    max_examples=15, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def consistent(han: Han) -> None:
    """Assert that addresses are unique, known to the hub, and that every parent knows its children.

    Nobody has another for somebody else: who is known by an address has it, and routes lead over neighbours in reach.
    """
    shorts = [member.node.short for member in han.members.values()]
    assert len(set(shorts)) == len(shorts)
    hub = han.members["hub"].node
    by_eui = {member.eui: member for member in han.members.values()}
    by_short = {int(member.node.short): member for member in han.members.values()}
    for member in han.members.values():
        if member.node.parent is not None and member.name in ("ihd", "gsme"):
            assert by_eui[member.node.parent].node.children == [member.eui]
        if member.node is not hub:
            assert hub.knows(member.eui) == member.node.short
    for member in han.members.values():
        state = member.node._on().state
        assert state.network is not None
        assert (state.network.key, state.network.trust_centre) == (_key(hub), hub.eui)
        for short, peer in state.by_short.items():
            assert short == peer.short == by_eui[peer.eui].node.short
        for radio, hop in state.routes.values():
            assert radio >= 0
            others = {by_short[hop].radios[index] for index in range(len(by_short[hop].radios))}
            assert others & set(member.radios[radio].links)


def _key(node: Node) -> bytes:
    network = node._on().state.network
    assert network is not None
    return network.key


@_FEW
@given(
    st.lists(st.tuples(st.sampled_from(["hub", *FAR]), st.integers(0, 40), st.integers(1, 30)), min_size=1, max_size=6)
)
def test_any_order_of_reboots_leaves_the_tables_consistent(cuts: list[tuple[str, int, int]]) -> None:
    """Cuts may overlap: who is off when its turn comes is switched on instead."""
    han = home_with_bridges()
    han.join(*FAR)
    for name, after, off in cuts:
        han.run(after)
        node = han.members[name].node
        node.power_off()
        han.run(off)
        if len(cuts) % 2:
            node.power_on()
    for member in han.members.values():
        member.node.power_on()
    han.run(240)
    consistent(han)
    hub = han.members["hub"]
    handles = [(hub, hub.send(han.members[name], b"down" * 40)) for name in FAR]
    handles += [(han.members[name], han.members[name].send(hub, b"up")) for name in FAR]
    han.run(90)
    assert [who.outcome(handle) for who, handle in handles] == [DeliveryStatus.OK] * (2 * len(FAR))


@_FEW
@given(st.floats(0, 0.3), st.integers(0, 1000), st.lists(st.integers(0, 1500), min_size=1, max_size=5))
def test_two_stacks_over_a_bad_transfer_never_deadlock(loss: float, seed: int, sizes: list[int]) -> None:
    """Each message ends one way or the other, and once the transfer is good everything passes again."""
    han = Han(seed)
    hub, device = han.hub(), han.add("device", NodeRole.SLEEPY_END_DEVICE if seed % 2 else NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    han.medium.link(hub.radios[0], device.radios[0], loss=loss)
    pairs: list[tuple[Member, Member]] = [(hub, device), (device, hub)]
    handles = [(a, a.send(b, bytes(size))) for size in sizes for a, b in pairs]
    han.run(600)
    assert None not in [who.outcome(handle) for who, handle in handles]
    han.medium.link(hub.radios[0], device.radios[0], loss=0)
    han.run(90)
    last = [(a, a.send(b, b"last")) for a, b in pairs]
    han.run(60)
    assert [who.outcome(handle) for who, handle in last] == [DeliveryStatus.OK] * 2


class Shuffled:
    """Stands between the MAC layers of two nodes: loses frames, doubles them, and delays each by up to `slowest` ns."""

    def __init__(self, han: Han, members: tuple[Member, Member], seed: int, loss: float, slowest: int) -> None:
        self._random, self._clock = Random(seed), han.clock
        self.loss, self.slowest = loss, slowest
        for member in members:
            mac = member.node._on()._macs[0]
            mac.deliver, mac.express = self._through(mac.deliver), None

    def _through(self, deliver: Callable[[int, int, bytes, int], object]) -> Callable[[int, int, bytes, int], object]:
        def later(radio: int, source: int, octets: bytes, lqi: int) -> None:
            chance = self._random.random
            for _ in range(2 if chance() < 0.1 else 1):
                if chance() >= self.loss:
                    when = self._clock.now() + int(chance() * self.slowest)
                    self._clock.call_at(when, deliver, radio, source, octets, lqi)

        return later


@_FEW
@given(
    st.floats(0, 0.3),
    st.integers(0, 1000),
    st.sampled_from([1, 4, 8]),
    st.integers(1, 2_000),
    st.lists(st.integers(0, 1500), min_size=1, max_size=5),
)
def test_two_stacks_over_a_transfer_that_loses_doubles_and_reorders_never_deadlock(
    loss: float, seed: int, window: int, slowest: int, sizes: list[int]
) -> None:
    """slowest: ms. Frames whose counter comes late are refused as replays; every message ends, none comes twice."""
    han = Han(seed, StackSettings(fragment_window=window))
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    transfer = Shuffled(han, (hub, device), seed, loss, slowest * MILLISECOND)
    pairs: list[tuple[Member, Member]] = [(hub, device), (device, hub)]
    sent = {a.name: [bytes((number,)) * size for number, size in enumerate(sizes)] for a, _ in pairs}
    handles = [(a, a.send(b, message)) for a, b in pairs for message in sent[a.name]]
    han.run(900)
    assert None not in [who.outcome(handle) for who, handle in handles]
    for a, b in pairs:
        arrived = [message for message in b.messages if message]
        assert len(set(arrived)) == len(arrived)
        assert set(arrived) <= set(sent[a.name])
    transfer.loss, transfer.slowest = 0.0, 0
    han.run(90)
    last = [(a, a.send(b, b"last")) for a, b in pairs]
    han.run(60)
    assert [who.outcome(handle) for who, handle in last] == [DeliveryStatus.OK] * 2


def _pair() -> tuple[Han, Member, Member]:
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    han.run(20)
    return han, hub, device


@pytest.fixture(scope="module")
def pair() -> tuple[Han, Member, Member]:
    return _pair()


@pytest.fixture(scope="module")
def attacked() -> tuple[Han, Member, Member]:
    return _pair()


@settings(max_examples=150, deadline=None, database=None)
@given(noise=st.binary(max_size=100), of_nwk=st.booleans(), ack=st.booleans(), express=st.booleans())
def test_noise_without_the_network_key_changes_nothing(
    attacked: tuple[Han, Member, Member], noise: bytes, of_nwk: bool, ack: bool, express: bool
) -> None:
    """As a MAC frame, and as a NWK frame of a neighbour: what that says next still comes.

    express: the noise begins as an ordinary message does.
    """
    han, hub, device = attacked
    octets = NwkHeader(0, hub.node.short, device.node.short, 3, 9).encode() + noise if express else noise
    framed = data_frame(1, 0x1A62, hub.node.short, device.node.short, octets[:116], ack_request=ack)
    hub.node.hear(framed if of_nwk else octets)
    han.run(2)
    before = len(hub.messages)
    device.send(hub, noise[:40], acknowledged=False)
    han.run(1)
    assert hub.messages[before:] == [noise[:40]]


@settings(max_examples=200, deadline=None, database=None)
@given(noise=st.binary(max_size=80), command=st.booleans(), ack=st.booleans())
def test_noise_under_the_network_key_is_survived(
    pair: tuple[Han, Member, Member], noise: bytes, command: bool, ack: bool
) -> None:
    """As an APS frame or as a NWK command of a member: no error but our own comes of it."""
    han, hub, device = pair
    key = next(key for label, key in han.keys if label.startswith("network key"))
    header = NwkHeader(int(command), hub.node.short, device.node.short, 3, 9).encode()
    counter = 100_000 + han.clock.now() // SECOND % 1_000_000 * 1_000 + len(noise)
    sealed = NwkSecurity(key, 0).protect(header, device.eui, counter, noise)
    replays = hub.node.statistics.replays
    hub.node.hear(data_frame(1, 0x1A62, hub.node.short, device.node.short, sealed, ack_request=ack))
    assert hub.node.statistics.replays == replays  # it was taken for what it claims to be
    han.run(2)
    assert hub.node.joined
