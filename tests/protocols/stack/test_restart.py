"""Power cuts of any node: who comes back, with which counters."""

import pytest

from protocols.addresses import Eui64
from protocols.errors import UsageError
from protocols.interfaces import SECOND, DeliveryStatus, HanEvent, Joined, Received, Rejoined
from protocols.nwk.frame import decode_header
from protocols.nwk.security import read_auxiliary
from protocols.stack.settings import NodeRole
from tests.support.han import FAR, START, Han, Member, home_with_bridges

LONG = bytes(range(240)) * 5


def exchange(han: Han, hub: Member, device: Member) -> None:
    """Assert that long messages pass both ways now."""
    hub.events.clear()
    device.events.clear()
    handles = [(hub, hub.send(device, LONG)), (device, device.send(hub, LONG[::-1]))]
    han.run(60)
    assert [who.outcome(handle) for who, handle in handles] == [DeliveryStatus.OK] * 2
    assert (device.messages, hub.messages) == ([LONG], [LONG[::-1]])


def secured_frames(han: Han) -> list[tuple[str, Eui64, int, bytes]]:
    """Return radio network, EUI-64 of the hop, counter and octets of each NWK frame on the air."""
    found = []
    for network, _, octets in han.log.frames:
        if octets[0] & 7 == 1:
            nwk = octets[9:-2]
            header, end = decode_header(nwk)
            if header.security:
                auxiliary = read_auxiliary(nwk, end)
                found.append((network, auxiliary.source, auxiliary.counter, nwk))
    return found


@pytest.mark.parametrize("name", ["hub", "esme", "b1", "b4", "gsme", "ihd"])
def test_after_a_power_cut_messages_pass_again(name: str) -> None:
    han = home_with_bridges(2, loss=0.05)
    han.join(*FAR, within=300)
    hub, gsme = han.members["hub"], han.members["gsme"]
    exchange(han, hub, gsme)
    shorts = {member.name: member.node.short for member in han.members.values()}
    cut = han.members[name]
    cut.node.power_off()
    han.run(780)
    cut.node.power_on()
    han.run(90)
    assert {member.name: member.node.short for member in han.members.values()} == shorts
    exchange(han, hub, gsme)


@pytest.mark.parametrize("name", ["esme", "b1", "b4", "gsme", "ihd"])
def test_a_restarted_device_is_reported_once_as_rejoined(name: str) -> None:
    han = home_with_bridges()
    han.join(*FAR)
    hub, cut = han.members["hub"], han.members[name]
    hub.events.clear()
    cut.events.clear()
    cut.node.power_off()
    han.run(30)
    cut.node.power_on()
    han.run(30)
    assert hub.events == [Rejoined(cut.eui)]
    assert cut.events == [Rejoined(hub.eui)]


def test_a_device_that_restarts_while_the_hub_is_off_is_reported_when_it_is_back() -> None:
    han = home_with_bridges()
    han.join(*FAR)
    hub, esme = han.members["hub"], han.members["esme"]
    hub.node.power_off()
    esme.node.power_off()
    han.run(10)
    esme.node.power_on()
    han.run(600)
    hub.events.clear()
    hub.node.power_on()
    han.run(120)
    assert hub.events == [Rejoined(esme.eui)]


def test_counters_never_go_back_or_repeat_whoever_restarts() -> None:
    han = home_with_bridges(4, loss=0.1)
    han.join(*FAR, within=300)
    hub, gsme = han.members["hub"], han.members["gsme"]
    for name in ("hub", "b1", "gsme", "hub", "b1"):
        exchange(han, hub, gsme)
        han.members[name].node.power_off()
        han.run(5)
        han.members[name].node.power_on()
        han.run(70)
    frames = secured_frames(han)
    by_counter: dict[tuple[Eui64, int], set[bytes]] = {}
    by_radio: dict[tuple[str, Eui64], list[int]] = {}
    for network, hop, counter, nwk in frames:
        by_counter.setdefault((hop, counter), set()).add(nwk)
        by_radio.setdefault((network, hop), []).append(counter)
    assert all(len(seen) == 1 for seen in by_counter.values())  # repeated by the MAC only
    assert all(counters == sorted(counters) for counters in by_radio.values())
    assert len({hop for _, hop in by_radio}) == 1 + len(FAR)
    assert max(by_radio["han", hub.eui]) > 2 * han.settings.counter_jump


def test_a_join_goes_on_after_a_power_cut() -> None:
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    device.node.join(device.key, (11, 15))
    han.run(5)
    device.node.power_off()
    han.link(hub, device)
    hub.node.allow_join(device.eui, device.key, 600)
    han.run(20)
    assert not device.node.joined
    device.node.power_on()
    han.run(40)
    assert device.events == [Joined(hub.eui)]


def test_permission_to_join_survives_a_power_cut_of_the_hub_and_still_ends() -> None:
    han = Han()
    hub, early, late = han.hub(), han.add("early", NodeRole.ROUTER), han.add("late", NodeRole.ROUTER)
    hub.node.allow_join(early.eui, early.key, 200)
    hub.node.allow_join(late.eui, late.key, 200)
    hub.node.power_off()
    han.run(100)
    hub.node.power_on()
    early.node.join(early.key, (11, 15))
    han.link(hub, early)
    han.run(60)
    assert early.node.joined
    han.run(60)
    late.node.join(late.key, (11, 15))
    han.link(hub, late)
    han.run(200)
    assert not late.node.joined


def test_a_bridge_restarted_while_joining_is_open_lets_devices_in() -> None:
    han = home_with_bridges()
    han.join(*(name for name in FAR if name != "ihd"))
    han.members["b2"].node.power_off()
    han.start("ihd")
    han.run(100)
    han.members["b2"].node.power_on()
    han.run(60)
    assert han.has_joined("ihd")


def test_a_node_that_is_off_is_silent_deaf_and_of_no_use() -> None:
    han = home_with_bridges()
    han.join(*FAR)
    hub, esme = han.members["hub"], han.members["esme"]
    han.run(30)
    esme.events.clear()
    esme.node.power_off()
    before = esme.radios[0].statistics
    hub.send(esme, LONG)
    han.run(100)
    assert (esme.events, esme.radios[0].statistics) == ([], before)
    assert (esme.node.joined, esme.node.powered, esme.node.short) == (False, False, 0xFFFE)
    with pytest.raises(UsageError, match="esme is off"):
        esme.send(hub, b"x")


@pytest.mark.parametrize("role", [NodeRole.ROUTER, NodeRole.SLEEPY_END_DEVICE])
def test_a_node_switched_off_by_what_it_receives_sends_nothing_more(role: NodeRole) -> None:
    """A power cut may come out of the very callback that brings a frame."""
    han = Han()
    hub, device = han.hub(), han.add("device", role)
    han.link(hub, device)
    han.join("device")
    for _ in range(3):
        hub.send(device, b"switch off", acknowledged=False)
    sent = list[int]()

    def cut(event: HanEvent) -> None:
        if isinstance(event, Received) and device.node.powered:
            device.node.power_off()
            sent.append(device.radios[0].statistics.sent)

    device.node.attach(cut)
    han.run(60)
    assert sent == [device.radios[0].statistics.sent]


def test_a_new_node_on_an_old_storage_is_the_same_device() -> None:
    """What a node needs after a power cut is all in its storage."""
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.END_DEVICE)
    han.link(hub, device)
    han.join("device")
    short = device.node.short
    device.node.power_off()
    fresh = type(device.node)(
        NodeRole.END_DEVICE, device.eui, device.radios, han.clock, device.storage, han.entropy, han.settings
    )
    reborn = Member(fresh, device.radios, device.key, device.storage)
    han.run(30)
    assert fresh.short == short
    exchange(han, hub, reborn)
    assert han.clock.now() > START + 60 * SECOND
