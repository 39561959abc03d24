"""Members that lose their parent, leave, come back, are told to leave, get other addresses and other channels."""

import pytest

from protocols.addresses import Eui64, ShortAddress
from protocols.aps.commands import UpdateDevice, UpdateStatus
from protocols.interfaces import HOUR, MINUTE, SECOND, DeliveryStatus, Joined, Left, Rejoined
from protocols.mac.commands import CoordinatorRealignment, OrphanNotification
from protocols.mac.commands import decode_command as decode_mac_command
from protocols.mac.frame import FrameType, MacFrame
from protocols.nwk.commands import (
    EndDeviceTimeoutRequest,
    EndDeviceTimeoutResponse,
    Leave,
    NetworkStatus,
    RejoinRequest,
    RejoinResponse,
    StatusCode,
)
from protocols.stack.settings import NodeRole, StackSettings
from protocols.zdp import messages as zdp
from tests.support.han import FAR, Han, Member, home_with_bridges
from tests.support.nwk_frames import nwk_commands

END_DEVICES = [NodeRole.END_DEVICE, NodeRole.SLEEPY_END_DEVICE]


def two_parents(role: NodeRole, settings: StackSettings | None = None) -> tuple[Han, Member, Member, Member, Member]:
    """A hub, two routers in its reach, an end device that is a child of the first and hears the second too."""
    han = Han(settings=settings)
    hub = han.hub()
    left, right = han.add("left", NodeRole.ROUTER), han.add("right", NodeRole.ROUTER)
    child = han.add("child", role)
    for router in (left, right):
        han.link(hub, router)
    han.link(left, child)
    han.join("left", "right")
    han.join("child")
    han.link(right, child)
    return han, hub, left, right, child


def mac_commands(han: Han, since: int) -> list[object]:
    frames = [MacFrame.decode(octets[:-2]) for _, time, octets in han.log.frames if time >= since]
    return [decode_mac_command(frame.payload) for frame in frames if frame.frame_type == FrameType.COMMAND]


def works(han: Han, hub: Member, device: Member) -> None:
    """Assert that messages pass both ways."""
    down, up = hub.send(device, b"down"), device.send(hub, b"up")
    han.run(30)
    assert (hub.outcome(down), device.outcome(up)) == (DeliveryStatus.OK, DeliveryStatus.OK)


@pytest.mark.parametrize("role", END_DEVICES)
def test_a_child_whose_parent_is_gone_finds_another_by_a_secured_rejoin(role: NodeRole) -> None:
    han, hub, left, right, child = two_parents(role)
    short = child.node.short
    hub.events.clear()
    left.node.power_off()
    since = han.clock.now()
    if role is NodeRole.END_DEVICE:
        child.send(hub, b"anybody")
    han.run(90)
    assert (child.node.parent, child.node.short) == (right.eui, short)
    assert hub.events[0] == Rejoined(child.eui)
    works(han, hub, child)
    seen = [(each, c) for each, c in nwk_commands(han, since) if isinstance(c, RejoinRequest | RejoinResponse)]
    assert {type(c) for _, c in seen} == {RejoinRequest, RejoinResponse}
    assert all(each.header.security and each.header.source_ieee for each, _ in seen)
    assert any(isinstance(c, OrphanNotification) for c in mac_commands(han, since))


def test_a_parent_that_comes_back_takes_its_orphan_and_nothing_is_announced() -> None:
    han, hub, left, right, child = two_parents(NodeRole.SLEEPY_END_DEVICE)
    han.medium.unlink(right.radios[0], child.radios[0])
    hub.events.clear()
    left.node.power_off()
    since = han.clock.now()
    han.run(120)
    left.node.power_on()
    han.run(60)
    assert child.node.parent == left.eui
    assert hub.events == [Rejoined(left.eui)]
    answers = [c for c in mac_commands(han, since) if isinstance(c, CoordinatorRealignment)]
    assert answers == [CoordinatorRealignment(0x1A62, left.node.short, 15, child.node.short)]
    works(han, hub, child)


@pytest.mark.parametrize(
    ("by", "pan", "short"), [("stranger", 0x1A62, None), ("parent", 0x1A63, None), ("parent", 0x1A62, 0x7777)]
)
def test_an_orphan_believes_its_parent_alone_and_what_it_knows(by: str, pan: int, short: int | None) -> None:
    """Another answer, and it looks for a parent in the ordinary way."""
    han, _, left, right, child = two_parents(NodeRole.SLEEPY_END_DEVICE)
    han.medium.unlink(right.radios[0], child.radios[0])
    left.node.power_off()
    begun = han.clock.now()
    while not any(isinstance(c, OrphanNotification) for c in mac_commands(han, begun)):
        han.run(0.01)
    running, own = child.node._on(), child.node.short
    network = running.state.network
    answer = CoordinatorRealignment(pan, ShortAddress(0x1234), 15, own if short is None else ShortAddress(short))
    source = left.eui if by == "parent" else Eui64(0xBAD)
    child.node.hear(MacFrame(FrameType.COMMAND, 1, 0xFFFF, child.eui, 0x1A62, source, answer.encode(), True).encode())
    assert running.state.network == network
    assert running._rejoiner.active


@pytest.mark.parametrize("role", [*END_DEVICES, NodeRole.ROUTER])
def test_a_member_without_a_network_key_of_use_gets_it_again_from_the_trust_centre(role: NodeRole) -> None:
    han, hub, _, right, child = two_parents(role)
    hub.events.clear()
    since = han.clock.now()
    child.node.rejoin(without_key=True)
    han.run(60)
    assert hub.events == [Rejoined(child.eui)]
    works(han, hub, child)
    requests = [each for each, c in nwk_commands(han, since) if isinstance(c, RejoinRequest)]
    assert requests
    assert not any(each.header.security for each in requests)
    assert right.node.powered


@pytest.mark.parametrize(("index", "status"), [(0, 0), (8, 0), (14, 0), (15, 1), (255, 1)])
def test_a_time_out_that_the_standard_has_is_granted_and_no_other(index: int, status: int) -> None:
    """Indexes 0 to 14; for another the child keeps what it had. Source: 05-3474 table 3-54."""
    han, _, left, _, child = two_parents(NodeRole.END_DEVICE)
    han.run(5)
    peer, begun = left.node._on().state.peers[child.eui], han.clock.now()
    before, running = peer.timeout, child.node._on()
    running._nwk.send_command(left.node.short, EndDeviceTimeoutRequest(index).encode())
    han.run(2)
    answers = [c for _, c in nwk_commands(han, begun) if isinstance(c, EndDeviceTimeoutResponse)]
    assert {answer.status for answer in answers} == {status}
    granted = {0: 10 * SECOND, 8: 256 * MINUTE, 14: 16_384 * MINUTE}
    assert peer.timeout == granted.get(index, before)


@pytest.mark.parametrize("secured", [True, False])
def test_a_report_of_a_device_counts_only_under_the_link_key_of_the_reporter(secured: bool) -> None:
    """Who has the network key alone could take every device out of the hub's list."""
    han, hub, left, _, child = two_parents(NodeRole.END_DEVICE)
    reporter = left.node._on()
    gone = UpdateDevice(child.eui, child.node.short, UpdateStatus.LEFT)
    reporter.aps.send_command(reporter.state.peer(hub.eui), gone.encode(), secured=secured)
    han.run(10)
    assert (Left(child.eui) in hub.events) is secured


def test_who_has_left_gets_no_network_key_by_rejoining() -> None:
    """The trust centre keeps its link key, but it is no member any more, and may not join."""
    han, hub, left, _, child = two_parents(NodeRole.END_DEVICE)
    han.run(700)  # the permission to join is over
    running, centre = child.node._on(), hub.node._on()
    gone = UpdateDevice(child.eui, child.node.short, UpdateStatus.LEFT)
    centre.trust().update_device(centre.state.peer(left.eui), gone)
    han.run(1)
    assert hub.events[-1] == Left(child.eui)
    hub.node.update_network_key()
    before = running.state.network
    child.node.rejoin(without_key=True)
    han.run(200)
    assert running.state.network == before
    assert running._rejoiner.active
    hub.node.allow_join(child.eui, child.key, 60)
    han.run(50)
    works(han, hub, child)


def test_a_stranger_gets_no_network_key_by_rejoining() -> None:
    han, hub, left, _, child = two_parents(NodeRole.END_DEVICE)
    hub.node.remove(child.eui)  # its link key is forgotten
    han.medium.unlink(left.radios[0], child.radios[0])
    han.run(1)
    hub.events.clear()
    child.node.rejoin(without_key=True)
    han.run(300)
    assert hub.events == []
    assert not any(isinstance(event, Rejoined) for event in child.events)


def test_rejoining_without_the_key_can_be_forbidden() -> None:
    han, hub, _, _, child = two_parents(NodeRole.ROUTER, StackSettings(trust_centre_rejoin=False))
    hub.events.clear()
    since = han.clock.now()
    child.node.rejoin(without_key=True)
    han.run(60)
    assert hub.events == []
    assert not any(isinstance(c, RejoinResponse) for _, c in nwk_commands(han, since))


@pytest.mark.parametrize("role", [*END_DEVICES, NodeRole.ROUTER])
def test_a_device_that_leaves_says_so_and_is_reported(role: NodeRole) -> None:
    han, hub, left, _, child = two_parents(role)
    hub.events.clear()
    child.events.clear()
    since = han.clock.now()
    child.node.leave()
    han.run(10)
    assert not child.node.joined
    assert child.events == [Left(child.eui)]
    assert hub.events == [Left(child.eui)]
    leaves = [c for _, c in nwk_commands(han, since) if isinstance(c, Leave)]
    assert leaves == [Leave(rejoin=False, request=False)]
    han.members["hub"].node.allow_join(child.eui, child.key, 120)
    child.node.join(child.key, (15,))
    han.run(60)
    assert Joined(child.eui) in hub.events
    assert left.node.powered


@pytest.mark.parametrize("role", [*END_DEVICES, NodeRole.ROUTER])
def test_a_device_asked_to_leave_and_rejoin_is_back_soon(role: NodeRole) -> None:
    han, hub, _, _, child = two_parents(role)
    hub.events.clear()
    answers: list[zdp.ZdpMessage | None] = []
    hub.node.query(child.eui, zdp.ManagementLeaveRequest(Eui64(0), rejoin=True), answers.append)
    han.run(60)
    assert answers == [zdp.ManagementLeaveResponse(zdp.ZdpStatus.SUCCESS)]
    assert hub.events == [Rejoined(child.eui)]
    works(han, hub, child)


@pytest.mark.parametrize("role", [*END_DEVICES, NodeRole.ROUTER])
def test_the_trust_centre_removes_a_device_behind_a_router(role: NodeRole) -> None:
    han, hub, _, _, child = two_parents(role)
    hub.events.clear()
    since = han.clock.now()
    hub.node.remove(child.eui)
    han.run(30)
    assert hub.events == [Left(child.eui)]
    assert not child.node.joined
    leaves = {c.request for _, c in nwk_commands(han, since) if isinstance(c, Leave)}
    assert leaves == {True, False}


def test_a_router_passes_a_management_leave_on_to_its_child() -> None:
    han, hub, left, _, child = two_parents(NodeRole.END_DEVICE)
    answers: list[zdp.ZdpMessage | None] = []
    hub.events.clear()
    hub.node.query(left.eui, zdp.ManagementLeaveRequest(child.eui), answers.append)
    hub.node.query(left.eui, zdp.ManagementLeaveRequest(Eui64(7)), answers.append)
    han.run(30)
    assert zdp.ManagementLeaveResponse(zdp.ZdpStatus.SUCCESS) in answers
    assert zdp.ManagementLeaveResponse(zdp.ZdpStatus.DEVICE_NOT_FOUND) in answers
    assert hub.events == [Left(child.eui)]


@pytest.mark.parametrize("role", END_DEVICES)
def test_parent_and_child_agree_on_a_time_out(role: NodeRole) -> None:
    han, _, left, _, child = two_parents(role, StackSettings(end_device_timeout=2))
    han.run(10)
    seen = [(each.hop, c) for each, c in nwk_commands(han)]
    assert (child.eui, EndDeviceTimeoutRequest(2)) in seen
    assert (left.eui, EndDeviceTimeoutResponse(0, 3)) in seen
    han.run(20 * 60)
    assert left.node.children == [child.eui]
    assert child.node.parent == left.eui


def test_a_child_silent_for_its_time_is_forgotten_and_asked_to_rejoin_when_it_polls() -> None:
    settings = StackSettings(end_device_timeout=1, poll_period=5 * MINUTE)
    han, hub, left, right, child = two_parents(NodeRole.SLEEPY_END_DEVICE, settings)
    han.medium.unlink(right.radios[0], child.radios[0])
    han.run(60)
    since = han.clock.now()
    hub.events.clear()
    han.run(16 * 60)
    leaves = [(each.hop, c) for each, c in nwk_commands(han, since) if isinstance(c, Leave) and c.request]
    assert (left.eui, Leave(rejoin=True, request=True)) in leaves
    assert Rejoined(child.eui) in hub.events


def test_a_child_that_polls_in_time_stays() -> None:
    han, hub, _, _, child = two_parents(NodeRole.SLEEPY_END_DEVICE, StackSettings(end_device_timeout=1))
    hub.events.clear()
    since = han.clock.now()
    han.run(2 * HOUR / SECOND)
    assert hub.events == []
    assert not any(isinstance(c, Leave | RejoinRequest) for _, c in nwk_commands(han, since))
    works(han, hub, child)


def test_two_routers_with_one_address_take_others() -> None:
    han, hub, left, right, _ = two_parents(NodeRole.END_DEVICE)
    taken = left.node.short
    since = han.clock.now()
    right.node.take_address(ShortAddress(taken))
    han.run(40)
    shorts = {member.node.short for member in han.members.values()}
    assert len(shorts) == len(han.members)
    assert taken not in shorts
    conflicts = {c for _, c in nwk_commands(han, since) if isinstance(c, NetworkStatus)}
    assert NetworkStatus(StatusCode.ADDRESS_CONFLICT, taken) in conflicts
    for device in (left, right):
        works(han, hub, device)


@pytest.mark.parametrize("role", END_DEVICES)
def test_an_end_device_gets_another_address_of_its_parent(role: NodeRole) -> None:
    han, hub, _, right, child = two_parents(role)
    taken = child.node.short
    right.node.take_address(taken)
    han.run(60)
    shorts = [member.node.short for member in han.members.values()]
    assert taken not in shorts
    assert len(set(shorts)) == len(shorts)
    for device in (right, child):
        works(han, hub, device)


def test_the_network_moves_to_another_channel_and_all_follow() -> None:
    han = home_with_bridges()
    han.join(*FAR)
    hub = han.members["hub"]
    hub.node.change_channel(20)
    han.run(120)
    for name in FAR:
        works(han, hub, han.members[name])
    assert {radio.channel for member in han.members.values() for radio in member.radios[:1]} == {20}
    cut = han.members["b2"]
    cut.node.power_off()
    han.run(5)
    cut.node.power_on()
    han.run(30)
    works(han, hub, han.members["ihd"])


def test_a_parent_that_restarts_learns_which_children_have_gone_elsewhere() -> None:
    han, hub, left, right, child = two_parents(NodeRole.END_DEVICE)
    left.node.power_off()
    child.send(hub, b"x")
    han.run(60)
    assert child.node.parent == right.eui
    left.node.power_on()
    han.run(60)
    assert left.node.children == []
    assert right.node.children == [child.eui]
    works(han, hub, child)


def test_an_orphan_is_known_on_the_radio_it_is_a_child_of_alone() -> None:
    """A bridge hears the backhaul too; an answer there would send the child where nobody is."""
    han = home_with_bridges()
    han.join(*FAR)
    bridge, ihd = han.members["b2"], han.members["ihd"]
    children = bridge.node._on()._children
    answer = children.orphan(0, ihd.eui)
    assert answer is not None
    assert (answer.coordinator, answer.short) == (bridge.node.short, ihd.node.short)
    assert children.orphan(1, ihd.eui) is None
    assert children.orphan(0, han.members["gsme"].eui) is None


class _Drawn:
    """Chance that was decided beforehand."""

    def __init__(self, *values: int) -> None:
        self._values = iter(values)

    def randrange(self, first: int, behind: int) -> int:
        value = next(self._values)
        assert first <= value < behind
        return value


def test_an_address_that_somebody_has_is_not_given_again() -> None:
    _, hub, left, right, child = two_parents(NodeRole.END_DEVICE)
    parent = left.node._on()._parent
    taken = (left.node.short, child.node.short)
    parent._random = _Drawn(*taken, 0x4321)  # type: ignore[assignment]
    assert parent.free_address() == 0x4321
    assert {hub.node.short, right.node.short}.isdisjoint({0x4321})
