"""Joining over the air: near the hub, behind bridges, under loss, refused."""

import pytest

from protocols.addresses import COORDINATOR, Eui64, ShortAddress
from protocols.interfaces import SECOND, Joined, Left, LinkKey
from protocols.mac.commands import (
    AssociationRequest,
    AssociationResponse,
    AssociationStatus,
    Capability,
    DataRequest,
    decode_command,
)
from protocols.mac.frame import FrameType, MacFrame
from protocols.stack.settings import NodeRole, StackSettings
from tests.support.han import FAR, Han, home_with_bridges

ROLES = [NodeRole.ROUTER, NodeRole.END_DEVICE, NodeRole.SLEEPY_END_DEVICE]


@pytest.mark.parametrize("role", ROLES)
def test_a_device_joins_the_hub_and_both_report_it_once(role: NodeRole) -> None:
    han = Han()
    hub, device = han.hub(), han.add("device", role)
    han.link(hub, device)
    han.join("device")
    han.run(60)
    assert [event for event in hub.events if isinstance(event, Joined)] == [Joined(device.eui)]
    assert device.events == [Joined(hub.eui)]
    assert (device.node.parent, device.node.trust_centre) == (hub.eui, hub.eui)
    assert 0 < device.node.short < 0xFFF8
    assert hub.node.short == COORDINATOR


def test_every_device_joins_its_own_parent() -> None:
    han = home_with_bridges()
    han.join(*FAR)
    hub = han.members["hub"]
    parents = {name: han.members[name].node.parent for name in FAR}
    names = {member.eui: name for name, member in han.members.items()}
    assert {name: names[parent] for name, parent in parents.items() if parent is not None} == {
        "esme": "hub",
        "b1": "hub",
        "b2": "b1",
        "b4": "b1",
        "ihd": "b2",
        "gsme": "b4",
    }
    assert sorted(event.who for event in hub.events if isinstance(event, Joined)) == sorted(
        han.members[name].eui for name in FAR
    )
    shorts = [member.node.short for member in han.members.values()]
    assert len(set(shorts)) == len(shorts)


@pytest.mark.parametrize("seed", range(6))
def test_joining_survives_a_fifth_of_all_frames_lost(seed: int) -> None:
    han = home_with_bridges(seed, loss=0.2)
    han.join(*FAR, within=300)
    hub = han.members["hub"]
    assert [event for event in hub.events if isinstance(event, Left)] == []
    assert hub.radios[0].statistics.lost > 0


def test_two_homes_on_one_medium_do_not_mix() -> None:
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    other_hub = han.add("other hub", NodeRole.COORDINATOR, "other han")
    other = han.add("other", NodeRole.ROUTER, "other han")
    other_hub.node.form(0x2B73, 20)
    han.link(hub, device)
    han.link(other_hub, other)
    other_hub.node.allow_join(other.eui, other.key, 300)
    other.node.join(other.key, (11, 20))
    han.join("device")
    han.run(20)
    assert (device.node.trust_centre, other.node.trust_centre) == (hub.eui, other_hub.eui)
    assert other.events == [Joined(other_hub.eui)]


def test_a_device_that_came_too_early_joins_when_it_is_allowed() -> None:
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    device.node.join(device.key, (11, 15))
    han.run(300)
    assert not device.node.joined
    hub.node.allow_join(device.eui, device.key, 60)
    han.run(40)
    assert han.has_joined("device")


def test_joining_is_open_to_those_allowed_only() -> None:
    """A device of which the trust centre knows nothing associates and gets no network key."""
    han = Han()
    hub, welcome, stranger = han.hub(), han.add("welcome", NodeRole.ROUTER), han.add("stranger", NodeRole.ROUTER)
    for device in (welcome, stranger):
        han.link(hub, device)
    stranger.node.join(stranger.key, (11, 15))
    han.join("welcome")
    han.run(200)
    assert not stranger.node.joined
    assert Joined(stranger.eui) not in hub.events
    assert stranger.events == []


def test_a_stranger_behind_a_bridge_gets_no_key_either() -> None:
    han = home_with_bridges()
    han.members["ihd"].node.join(han.members["ihd"].key, (11, 15))
    han.join(*(name for name in FAR if name != "ihd"))
    han.run(120)
    assert not han.members["ihd"].node.joined
    assert han.members["gsme"].node.joined


def test_a_wrong_install_code_does_not_open_the_network() -> None:
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    hub.node.allow_join(device.eui, LinkKey(bytes(16)), 300)
    device.node.join(device.key, (11, 15))
    han.run(250)
    assert not device.node.joined
    assert hub.events == []
    assert device.node.statistics.refused >= 3  # Transport-Keys whose MIC did not verify


def test_the_permission_ends() -> None:
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    hub.node.allow_join(device.eui, device.key, 30)
    device.node.join(device.key, (11, 15))
    han.run(40)
    han.link(hub, device)
    han.run(300)
    assert not device.node.joined


def test_an_open_network_renews_its_permission_every_240_seconds() -> None:
    """ZSE 5.4.1.2: broadcasts of at most 254 s, again every 240 s."""
    han = Han()
    hub, router = han.hub(), han.add("router", NodeRole.ROUTER)
    late = han.add("late", NodeRole.END_DEVICE)
    han.link(hub, router)
    han.link(router, late)
    hub.node.allow_join(late.eui, late.key, 1000)
    han.join("router")
    han.run(800)
    late.node.join(late.key, (11, 15))
    han.run(30)
    assert han.has_joined("late")
    assert late.node.parent == router.eui


def test_a_removed_device_leaves() -> None:
    han = home_with_bridges()
    han.join(*FAR)
    hub, ihd, esme = han.members["hub"], han.members["ihd"], han.members["esme"]
    hub.node.remove(ihd.eui)
    hub.node.remove(esme.eui)
    han.run(5)
    assert [event for event in hub.events if isinstance(event, Left)] == [Left(ihd.eui), Left(esme.eui)]
    assert Left(ihd.eui) in ihd.events
    assert (ihd.node.joined, esme.node.joined) == (False, False)


def test_a_removed_device_can_join_again() -> None:
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.SLEEPY_END_DEVICE)
    han.link(hub, device)
    han.join("device")
    hub.node.remove(device.eui)
    han.run(10)
    assert not device.node.joined
    hub.events.clear()
    device.events.clear()
    han.join("device")
    assert hub.events == [Joined(device.eui)]


def test_keys_cross_the_air_encrypted_only() -> None:
    han = home_with_bridges()
    han.join(*FAR)
    keys = {key for _, key in han.keys}
    assert len(keys) == 1 + len(FAR)
    assert not [octets for _, _, octets in han.log.frames for key in keys if key in octets]


def test_before_it_has_the_network_key_a_device_sends_mac_commands_only() -> None:
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.SLEEPY_END_DEVICE)
    han.link(hub, device)
    han.join("device")
    frames = [MacFrame.decode(octets[:-2]) for _, _, octets in han.log.frames if octets[0] & 7 != 2]
    unsecured = [frame for frame in frames if frame.frame_type == FrameType.DATA and not frame.payload[1] & 0x02]
    assert {frame.source for frame in unsecured} == {COORDINATOR}  # the Transport-Key
    assert Eui64(device.eui) in {frame.source for frame in frames}


def test_a_home_joins_within_seconds_of_virtual_time() -> None:
    han = home_with_bridges()
    begun = han.clock.now()
    han.join(*FAR)
    assert han.clock.now() - begun < 60 * SECOND


def test_who_asks_although_joining_is_closed_is_denied() -> None:
    """A device that does not care for the permission in the beacon."""
    han = Han()
    hub, stranger = han.hub(), Eui64(0xBAD)
    before = len(hub.storage.cells())

    for command in (AssociationRequest(Capability(receiver_on_when_idle=True)), DataRequest()):
        pan = 0xFFFF if isinstance(command, AssociationRequest) else 0x1A62
        asked = MacFrame(FrameType.COMMAND, 1, 0x1A62, ShortAddress(0), pan, stranger, command.encode(), True)
        hub.node.hear(asked.encode())
        han.run(1)
    frames = [MacFrame.decode(octets[:-2]) for _, _, octets in han.log.frames]
    answers = {decode_command(frame.payload) for frame in frames if frame.destination == stranger}
    assert answers == {AssociationResponse(ShortAddress(0xFFFF), AssociationStatus.PAN_ACCESS_DENIED)}
    assert len(hub.storage.cells()) == before


@pytest.mark.parametrize("behind", [False, True], ids=["at the hub", "behind a router"])
def test_joining_open_for_one_does_not_let_another_in_whose_time_is_over(behind: bool) -> None:
    """The hub still has its link key."""
    han = Han()
    hub, router = han.hub(), han.add("router", NodeRole.ROUTER)
    late, other = han.add("late", NodeRole.END_DEVICE), han.add("other", NodeRole.END_DEVICE)
    for near, far in ((hub, router), (router if behind else hub, late), (router if behind else hub, other)):
        han.link(near, far)
    han.join("router")
    hub.node.allow_join(late.eui, late.key, 5)
    hub.node.allow_join(other.eui, other.key, 600)
    han.run(20)
    late.node.join(late.key, (15,))
    other.node.join(other.key, (15,))
    han.run(120)
    assert (late.node.joined, other.node.joined) == (False, True)
    assert not any(isinstance(event, Joined) and event.who == late.eui for event in hub.events)
    hub.node.allow_join(late.eui, late.key, 600)
    han.run(300)
    assert late.node.joined


def test_a_child_that_never_uses_the_network_key_is_forgotten() -> None:
    """It associated, and cannot open its Transport-Key: another install code was typed in."""
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.END_DEVICE)
    han.link(hub, device)
    hub.node.allow_join(device.eui, LinkKey(bytes(16)), 600)
    device.node.join(device.key, (15,))
    while not hub.node.children:
        han.run(0.1)
    device.node.power_off()
    han.run(StackSettings().child_wait / SECOND - 2)
    assert hub.node.children == [device.eui]
    han.run(4)
    assert hub.node.children == []
