"""Keys after joining: the network key changes, partners get link keys, established keys replace preconfigured ones."""

import struct

import pytest

from protocols.aps.commands import RemoveDevice
from protocols.interfaces import MINUTE, SECOND, DeliveryStatus, Left, LinkKey, Rejoined
from protocols.nwk.frame import decode_header
from protocols.nwk.security import read_auxiliary
from protocols.stack.settings import NodeRole, StackSettings
from tests.support.han import FAR, Han, Member, home_with_bridges
from tests.support.nwk_frames import nwk_frames

KEY = LinkKey(bytes(range(16)))


def works(han: Han, hub: Member, device: Member) -> None:
    down, up = hub.send(device, b"down" * 30), device.send(hub, b"up")
    han.run(40)
    assert (hub.outcome(down), device.outcome(up)) == (DeliveryStatus.OK, DeliveryStatus.OK)


def sequences(han: Han, since: int) -> list[int]:
    """Return the key sequence numbers on the air, in order of first use."""
    found = []
    for _, time, octets in han.log.frames:
        if time >= since and octets[0] & 7 == 1 and octets[10] & 2 and not octets[10] & 0x1C:
            found.append(octets[9 + 8 + 13])
    return list(dict.fromkeys(found))


def counters(han: Han, sender: Member, since: int = 0) -> list[tuple[int, int]]:
    """Return counter and key sequence number of each NWK frame of `sender`, repetitions by the MAC once."""
    found = []
    for _, time, octets in han.log.frames:
        if time >= since and octets[0] & 7 == 1 and octets[10] & 2:
            _, end = decode_header(octets[9:])
            about = read_auxiliary(octets, 9 + end)
            if about.source == sender.eui:
                found.append((about.counter, about.key_sequence))
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("loss", [0.0, 0.15])
def test_all_nodes_switch_to_a_new_network_key(loss: float) -> None:
    han = home_with_bridges(3, loss)
    han.join(*FAR, within=300)
    hub = han.members["hub"]
    han.run(60)
    since = han.clock.now()
    hub.node.update_network_key()
    han.run(25)
    assert sequences(han, since) == [0]  # the old key stays in use until the switch
    han.run(60)
    assert 1 in sequences(han, since)
    for name in FAR:
        works(han, hub, han.members[name])
    late = han.clock.now()
    for name in FAR:
        works(han, hub, han.members[name])
    assert sequences(han, late) == [1]
    keys = {key for label, key in han.keys if label.startswith("network key")}
    assert len(keys) == 2
    assert nwk_frames(han, since)


@pytest.mark.parametrize("name", ["esme", "b2", "ihd", "gsme"])
def test_a_device_that_was_off_at_the_switch_fetches_the_key_from_the_trust_centre(name: str) -> None:
    han = home_with_bridges()
    han.join(*FAR)
    hub, device = han.members["hub"], han.members[name]
    device.node.power_off()
    hub.node.update_network_key()
    han.run(120)
    hub.events.clear()
    device.node.power_on()
    han.run(300)
    assert Rejoined(device.eui) in hub.events
    works(han, hub, device)


@pytest.mark.parametrize("at", [10, 45])
def test_a_key_that_waits_survives_a_power_cut(at: int) -> None:
    han = home_with_bridges()
    han.join(*FAR)
    hub = han.members["hub"]
    hub.node.update_network_key()
    han.run(at)
    for name in ("b1", "gsme"):
        han.members[name].node.power_off()
        han.members[name].node.power_on()
    han.run(120)
    for name in FAR:
        works(han, hub, han.members[name])


@pytest.mark.parametrize("high", [False, True], ids=["low", "beyond 0x80000000"])
def test_an_outgoing_counter_begins_anew_with_a_key_only_where_it_is_high(high: bool) -> None:
    """Where it does, the others let it, also after a power cut of theirs."""
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    if high:
        device.node.power_off()
        device.storage.put("counters", struct.pack("<II", 0x8000_0001, 1_024))
        device.node.power_on()
        han.run(60)
    works(han, hub, device)
    last = counters(han, device)[-1][0]
    assert (last > 0x8000_0000) is high
    since = han.clock.now()
    hub.node.update_network_key()
    han.run(120)
    works(han, hub, device)
    hub.node.power_off()
    hub.node.power_on()
    works(han, hub, device)
    anew = [counter for counter, sequence in counters(han, device, since) if sequence == 1]
    assert anew == sorted(set(anew))
    assert (anew[0] < 1_000) is high or last < anew[0] < last + 1_000


@pytest.mark.parametrize(("cell", "times"), [("network", 1), ("counters", 1), ("next network key", 2)])
def test_a_power_cut_at_the_switch_repeats_no_counter_under_either_key(cell: str, times: int) -> None:
    """A router whose counter is so high that it begins anew, cut just before it changes `cell` for the nth time."""
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    device.node.power_off()
    device.storage.put("counters", struct.pack("<II", 0x8000_0001, 1_024))
    device.node.power_on()
    han.run(60)
    works(han, hub, device)
    left = times

    def cut(changed: str) -> None:
        nonlocal left
        left -= changed == cell
        if not left and not device.storage.without_power:
            device.storage.without_power = True
            han.clock.call_at(han.clock.now(), device.node.power_off)

    device.storage.before_change = cut
    hub.node.update_network_key()
    han.run(120)
    assert device.storage.without_power
    device.storage.before_change, device.storage.without_power = None, False
    device.node.power_on()
    han.run(300)
    works(han, hub, device)
    frames = {octets[9:] for _, _, octets in han.log.frames if octets[0] & 7 == 1 and octets[10] & 2}
    own = [read_auxiliary(octets, decode_header(octets)[1]) for octets in sorted(frames)]
    nonces = [(about.key_sequence, about.counter) for about in own if about.source == device.eui]
    assert len(nonces) == len(set(nonces))


def test_a_neighbour_with_a_key_of_long_ago_sends_nobody_to_the_trust_centre() -> None:
    """One that was off for two updates goes there itself; others have newer keys than it."""
    han = home_with_bridges()
    han.join(*FAR)
    hub, late = han.members["hub"], han.members["esme"]
    late.node.power_off()
    for _ in range(2):
        hub.node.update_network_key()
        han.run(70)
    hub.events.clear()
    late.node.power_on()
    for _ in range(20):
        late.send(hub, b"under the first key", acknowledged=False)
        han.run(1)
    han.run(300)
    assert [event for event in hub.events if isinstance(event, Rejoined)] == [Rejoined(late.eui)]
    works(han, hub, late)


def test_two_updates_in_a_row() -> None:
    han = home_with_bridges()
    han.join(*FAR)
    hub = han.members["hub"]
    for _ in range(2):
        hub.node.update_network_key()
        han.run(70)
    for name in FAR:
        works(han, hub, han.members[name])
    since = han.clock.now()
    for name in FAR:
        works(han, hub, han.members[name])
    assert sequences(han, since) == [2]


def partners(settings: StackSettings | None = None) -> tuple[Han, Member, Member, Member]:
    han = Han(settings=settings)
    hub, a, b = han.hub(), han.add("a", NodeRole.ROUTER), han.add("b", NodeRole.SLEEPY_END_DEVICE)
    for one, other in ((hub, a), (hub, b)):
        han.link(one, other)
    han.join("a", "b")
    han.run(10)
    return han, hub, a, b


def test_partners_get_a_link_key_from_the_trust_centre() -> None:
    han, hub, a, b = partners()
    came: list[bool] = []
    a.node.request_partner_key(b.eui, came.append)
    han.run(20)
    assert came == [True]
    handle = a.send(b, b"between ourselves")
    han.run(20)
    assert a.outcome(handle) is DeliveryStatus.OK
    assert b.messages == [b"between ourselves"]
    between = {label: key for label, key in han.keys if label.startswith("partner key")}
    assert between[f"partner key {b.eui}"] == between[f"partner key {a.eui}"] not in (a.key, b.key)
    assert hub.node.key_established(a.eui) is False


@pytest.mark.parametrize("secured", [True, False])
def test_only_the_trust_centre_removes_a_device_and_only_under_its_link_key(secured: bool) -> None:
    """A partner has a link key too, and the trust centre's address can be claimed by any member."""
    han, hub, a, b = partners()
    a.node.request_partner_key(b.eui, lambda came: came)
    han.run(20)
    who = a if secured else hub
    state = who.node._on()
    state.aps.send_command(state.state.peer(b.eui), RemoveDevice(b.eui).encode(), secured=secured)
    han.run(20)
    assert b.node.joined
    assert not any(isinstance(event, Left) for event in b.events)
    works(han, hub, b)
    state = hub.node._on()
    state.aps.send_command(state.state.peer(b.eui), RemoveDevice(b.eui).encode(), secured=True)
    han.run(20)
    assert not b.node.joined


def test_no_key_with_a_stranger() -> None:
    han, hub, a, b = partners()
    came: list[bool] = []
    a.node.request_partner_key(type(a.eui)(77), came.append)
    hub.node.remove(b.eui)
    han.run(10)
    a.node.request_partner_key(b.eui, came.append)
    han.run(10)
    assert came == [False, False]


def test_partner_keys_wait_for_established_keys_where_the_policy_says_so() -> None:
    han, hub, a, b = partners(StackSettings(established_keys_only=True))
    came: list[bool] = []
    a.node.request_partner_key(b.eui, came.append)
    han.run(10)
    for device in (a, b):
        hub.node.install_link_key(device.eui, KEY)
        device.node.install_link_key(hub.eui, KEY)
    a.node.request_partner_key(b.eui, came.append)
    han.run(20)
    assert came == [False, True]


def test_a_trust_centre_of_zigbee_3_exchanges_link_keys_with_its_joiners() -> None:
    settings = StackSettings(issue_link_keys=True, exchange_link_key=True)
    han, hub, a, b = partners(settings)
    han.run(30)
    for device in (a, b):
        assert hub.node.key_established(device.eui)
        works(han, hub, device)
    assert len({key for label, key in han.keys if label.startswith("link key")}) >= 4


def test_smart_energy_gives_no_trust_centre_link_keys_on_request() -> None:
    han, hub, a, _ = partners(StackSettings(exchange_link_key=True))
    han.run(MINUTE // SECOND)
    assert not hub.node.key_established(a.eui)
    works(han, hub, a)
