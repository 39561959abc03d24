"""Link keys agreed on after joining: how they take the place of the one before, and what the old one is good for."""

import pytest

from protocols.aps.security import read_auxiliary
from protocols.interfaces import ApsData, DeliveryStatus, Left, LinkKey
from protocols.stack.settings import NodeRole, StackSettings
from tests.support.han import PROFILE, Han, Member

FIRST, SECOND_KEY = LinkKey(bytes(range(16))), LinkKey(bytes(range(1, 17)))
STRICT = StackSettings(established_keys_only=True)


def pair(settings: StackSettings | None = None) -> tuple[Han, Member, Member]:
    han = Han(1, settings)
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    return han, hub, device


def establish(hub: Member, device: Member, key: LinkKey = FIRST) -> None:
    hub.node.install_link_key(device.eui, key, proven=False)
    device.node.install_link_key(hub.eui, key)
    hub.node.install_link_key(device.eui, key, proven=True)


def test_before_a_key_is_established_no_application_data_goes_secured() -> None:
    han, hub, device = pair(STRICT)
    handle = device.send(hub, b"early")
    han.run(20)
    assert (device.outcome(handle), hub.messages) == (DeliveryStatus.NO_KEY, [])
    plain = device.send(hub, b"plain", secured=False)
    han.run(20)
    assert (device.outcome(plain), hub.messages) == (DeliveryStatus.OK, [b"plain"])


def test_data_under_a_preconfigured_key_is_dropped_without_acknowledgement() -> None:
    """ZSE 5.4.7.2, at a hub that is strict towards a device that is not."""
    han = Han()
    hub = han.add("hub", NodeRole.COORDINATOR, settings=STRICT)
    hub.node.form(0x1A62, 15)
    device = han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    refused = hub.node.statistics.refused
    handle = device.send(hub, b"early")
    han.run(20)
    assert (device.outcome(handle), hub.messages) == (DeliveryStatus.NO_ACK, [])
    assert hub.node.statistics.refused == refused + 4  # the first try and three more
    establish(hub, device)
    handle = device.send(hub, b"now")
    han.run(20)
    assert (device.outcome(handle), hub.messages) == (DeliveryStatus.OK, [b"now"])


def test_an_established_key_serves_both_ways_and_over_restarts() -> None:
    han, hub, device = pair(STRICT)
    assert not device.node.key_established(hub.eui)
    establish(hub, device)
    for member in (hub, device):
        member.node.power_off()
        han.run(5)
        member.node.power_on()
        han.run(20)
        assert member.node.key_established(device.eui if member is hub else hub.eui)
        handles = [(hub, hub.send(device, b"down")), (device, device.send(hub, b"up"))]
        han.run(20)
        assert [who.outcome(handle) for who, handle in handles] == [DeliveryStatus.OK] * 2


def test_its_counters_begin_at_0_and_never_go_back() -> None:
    han, hub, device = pair()
    device.send(hub, b"under the install code")
    han.run(5)
    establish(hub, device)
    counters = []
    for cut in (False, True):
        if cut:
            device.node.power_off()
            device.node.power_on()
            han.run(10)
        begin = len(han.log.frames)
        device.send(hub, b"x", acknowledged=False)
        han.run(5)
        counters += data_counters(han, device, begin)
    assert counters == [0, StackSettings().counter_jump]
    assert hub.messages[1:] == [b"x", b"x"]


def data_counters(han: Han, sender: Member, begin: int) -> list[int]:
    """Return the APS counters of the secured data frames of `sender` since frame `begin`."""
    state = sender.node._on().state
    security, found = state.security, []
    assert security is not None
    for _, _, octets in han.log.frames[begin:]:
        if octets[0] & 7 != 1 or len(octets) < 40:
            continue
        plain, hop, _ = security.unprotect(octets[9:-2], 8)
        if hop == sender.eui and plain[0] & 0x23 == 0x20:
            found.append(read_auxiliary(plain, 8).counter)
    return found


def test_the_key_before_is_good_until_the_first_frame_under_the_new_one() -> None:
    """The hub has the new key, the device missed it."""
    han, hub, device = pair(STRICT)
    establish(hub, device)
    hub.node.install_link_key(device.eui, SECOND_KEY, proven=False)
    sent = [device.send(hub, b"under the old key")]
    han.run(20)
    answer = hub.send(device, b"answer")
    han.run(20)
    assert [device.outcome(sent[0]), hub.outcome(answer)] == [DeliveryStatus.OK] * 2
    hub.node.power_off()
    hub.node.power_on()
    han.run(20)
    sent.append(device.send(hub, b"still"))
    han.run(20)
    device.node.install_link_key(hub.eui, SECOND_KEY)
    sent.append(device.send(hub, b"under the new key"))
    han.run(20)
    assert [device.outcome(handle) for handle in sent] == [DeliveryStatus.OK] * 3
    assert hub.messages == [b"under the old key", b"still", b"under the new key"]
    device.node._on().state.establish_key(hub.eui, FIRST, proven=True)  # back to the old one: refused now
    late = device.send(hub, b"too late")
    han.run(20)
    assert (device.outcome(late), len(hub.messages)) == (DeliveryStatus.NO_ACK, 3)


@pytest.mark.parametrize("gap", [0.0, 0.02, 1.0])
def test_a_change_of_key_under_traffic_loses_and_doubles_nothing(gap: float) -> None:
    han, hub, device = pair(STRICT)
    establish(hub, device)
    down, up = [bytes((0, n)) * 40 for n in range(30)], [bytes((1, n)) * 40 for n in range(30)]
    for step, (message, answer) in enumerate(zip(down, up, strict=True)):
        hub.send(device, message)
        device.send(hub, answer)
        han.run(0.01)
        if step == 10:
            hub.node.install_link_key(device.eui, SECOND_KEY, proven=False)
            han.run(gap)
            device.node.install_link_key(hub.eui, SECOND_KEY)
    han.run(60)
    assert (sorted(device.messages), sorted(hub.messages)) == (down, up)


def test_a_replay_under_the_key_before_is_refused() -> None:
    han, hub, device = pair(STRICT)
    establish(hub, device)
    device.send(hub, b"once", acknowledged=False)
    han.run(5)
    peer = hub.node._on().state.peer(device.eui)
    hub.node.install_link_key(device.eui, SECOND_KEY, proven=False)
    former = peer.former
    assert former is not None
    assert former.aps_next == 1
    sealed = device.node._on().state.peer(hub.eui).security
    assert sealed is not None
    header = bytes.fromhex("2001040709010155")
    frame = sealed.protect(header, device.eui, 0, b"once")
    replays = hub.node.statistics.replays
    hub.node._on().aps.receive(device.node.short, frame, 255)
    assert (hub.messages, hub.node.statistics.replays) == ([b"once"], replays + 1)


def test_permission_to_join_leaves_an_established_key_alone() -> None:
    """CCS01 for a device of the log touches no link key."""
    han, hub, device = pair(STRICT)
    establish(hub, device)
    hub.node.allow_join(device.eui, device.key, 60)
    assert hub.node.key_established(device.eui)
    hub.node.remove(device.eui)
    assert not hub.node.key_established(device.eui)
    hub.node.allow_join(device.eui, device.key, 60)
    han.run(10)
    device.node.join(device.key, (15,))
    han.run(30)
    assert device.node.joined
    assert not device.node.key_established(hub.eui)


def test_a_node_can_leave_by_itself() -> None:
    han, hub, device = pair()
    device.node.leave()
    han.run(5)
    assert Left(device.eui) in device.events
    assert not device.node.joined
    handle = hub.node.send(device.eui, ApsData(PROFILE, 4, 1, 1, b"?"), secured=False, acknowledged=True)
    han.run(20)
    assert hub.outcome(handle) is not DeliveryStatus.OK
