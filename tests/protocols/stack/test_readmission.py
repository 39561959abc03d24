"""A removed device may come back under the link key it had: the trust centre keeps key and counters aside."""

import pytest

from protocols.crypto.mmo import aes_mmo
from protocols.interfaces import DeliveryStatus, Joined, LinkKey
from protocols.stack.settings import NodeRole, StackSettings
from tests.support.han import Han, Member

ESTABLISHED = LinkKey(bytes(range(16)))
STRICT = StackSettings(established_keys_only=True)


def removed(*, established: bool) -> tuple[Han, Member, Member]:
    """Return a home whose device was removed while it was off; it has spoken with the hub before."""
    han = Han(1, STRICT if established else None)
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    if established:
        hub.node.install_link_key(device.eui, ESTABLISHED)
        device.node.install_link_key(hub.eui, ESTABLISHED)
    for number in range(3):
        hub.send(device, bytes([number]))
        device.send(hub, bytes([number]))
        han.run(5)
    device.node.power_off()
    hub.node.remove(device.eui)
    han.run(10)
    return han, hub, device


def talk(han: Han, hub: Member, device: Member) -> list[DeliveryStatus | None]:
    sent = [(device, device.send(hub, b"up")), (hub, hub.send(device, b"down"))]
    han.run(20)
    return [member.outcome(handle) for member, handle in sent]


@pytest.mark.parametrize("established", [False, True])
@pytest.mark.parametrize("reboot", [False, True])
def test_it_comes_back_with_key_and_counters(established: bool, reboot: bool) -> None:
    han, hub, device = removed(established=established)
    hub.events.clear()
    assert hub.node.readmit(device.eui, 60)
    if reboot:
        hub.node.power_off()
        han.run(1)
        hub.node.power_on()
    device.node.power_on()
    han.run(40)
    assert Joined(device.eui) in hub.events
    assert hub.node.key_established(device.eui) is established
    assert talk(han, hub, device) == [DeliveryStatus.OK] * 2  # counters that had begun anew would be refused
    assert (hub.messages[-1], device.messages[-1]) == (b"up", b"down")


def test_without_being_readmitted_it_is_not_heard() -> None:
    han, hub, device = removed(established=True)
    hub.events.clear()
    device.node.power_on()
    han.run(60)
    assert hub.events == []
    device.send(hub, b"up")
    han.run(20)
    assert b"up" not in hub.messages


def test_there_is_nothing_to_readmit_of_a_stranger_or_a_second_time() -> None:
    _, hub, device = removed(established=True)
    assert not hub.node.readmit(hub.eui, 60)
    assert hub.node.readmit(device.eui, 60)
    assert not hub.node.readmit(device.eui, 60)


def test_removed_again_it_can_be_readmitted_again() -> None:
    han, hub, device = removed(established=True)
    for _ in range(2):
        assert hub.node.readmit(device.eui, 60)
        hub.node.remove(device.eui)
    assert hub.node.export_trust().hashed_link_keys == ()
    assert hub.node.readmit(device.eui, 60)
    assert hub.node.export_trust().hashed_link_keys == ((device.eui, aes_mmo(ESTABLISHED)),)
    device.node.power_on()
    han.run(40)
    assert talk(han, hub, device) == [DeliveryStatus.OK] * 2


def test_the_latest_sixteen_keys_are_kept() -> None:
    han = Han(1)
    hub = han.hub()
    members = [han.add(f"device {number}", NodeRole.ROUTER) for number in range(17)]
    for member in members:
        hub.node.install_link_key(member.eui, ESTABLISHED)
        hub.node.remove(member.eui)
    assert [hub.node.readmit(member.eui, 1) for member in members] == [False] + [True] * 16
