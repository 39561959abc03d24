"""What holds whatever happens: reboots in any order, noise into any layer, transfers that lose and reorder."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.air.timing import airtime
from protocols.interfaces import MILLISECOND, SECOND, DeliveryStatus
from protocols.mac.frame import data_frame
from protocols.nwk.frame import NwkHeader
from protocols.nwk.security import NwkSecurity
from protocols.stack.settings import NodeRole, StackSettings
from tests.support.han import FAR, Han, Member, home_with_bridges

_FEW = settings(
    max_examples=15, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def consistent(han: Han) -> None:
    """Assert that addresses are unique, known to the hub, and that every parent knows its children."""
    shorts = [member.node.short for member in han.members.values()]
    assert len(set(shorts)) == len(shorts)
    hub = han.members["hub"].node
    by_eui = {member.eui: member for member in han.members.values()}
    for member in han.members.values():
        if member.node.parent is not None and member.name in ("ihd", "gsme"):
            assert by_eui[member.node.parent].node.children == [member.eui]
        if member.node is not hub:
            assert hub.knows(member.eui) == member.node.short


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


@pytest.fixture(scope="module")
def pair() -> tuple[Han, Member, Member]:
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    han.run(20)
    return han, hub, device


@settings(max_examples=200, deadline=None, database=None)
@given(noise=st.binary(max_size=100), layer=st.sampled_from(["mac", "nwk", "aps", "command"]), ack=st.booleans())
def test_noise_into_any_layer_is_harmless(
    pair: tuple[Han, Member, Member], noise: bytes, layer: str, ack: bool
) -> None:
    """Noise as a MAC frame, as a NWK frame, and under a good network key as an APS frame or NWK command."""
    han, hub, device = pair
    if layer == "mac":
        frame = noise
    elif layer == "nwk":
        frame = data_frame(1, 0x1A62, hub.node.short, device.node.short, noise, ack_request=ack)
    else:
        key = next(key for label, key in han.keys if label.startswith("network key"))
        kind = 1 if layer == "command" else 0
        header = NwkHeader(kind, hub.node.short, device.node.short, 3, 9).encode()
        counter = 100_000 + han.clock.now() // SECOND % 1_000_000 * 1_000 + len(noise)
        sealed = NwkSecurity(key, 0).protect(header, device.eui, counter, noise[:80])
        frame = data_frame(1, 0x1A62, hub.node.short, device.node.short, sealed, ack_request=ack)
    hub.node.hear(frame)
    han.run(2)
    assert hub.node.joined
    assert airtime(len(frame)) > 0
