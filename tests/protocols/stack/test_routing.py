"""Routes beyond the tree: neighbours, discovery, repair, concentrators and source routes."""

import pytest

from protocols.addresses import Eui64
from protocols.interfaces import SECOND, DeliveryStatus
from protocols.nwk.commands import LinkStatus, NetworkStatus, RouteRecord, RouteReply, RouteRequest, StatusCode
from protocols.stack.settings import NodeRole, StackSettings
from tests.support.han import FAR, Han, Member, home_with_bridges
from tests.support.nwk_frames import nwk_commands, nwk_frames

LONG = bytes(range(200)) * 3


def diamond(seed: int = 1, settings: StackSettings | None = None, role: NodeRole = NodeRole.ROUTER) -> Han:
    """A hub, two routers in its reach, and a device that both routers reach and the hub does not."""
    han = Han(seed, settings)
    hub = han.hub()
    left, right = han.add("left", NodeRole.ROUTER), han.add("right", NodeRole.ROUTER)
    far = han.add("far", role)
    for router in (left, right):
        han.link(hub, router)
    han.link(left, far)
    han.join("left", "right")
    han.join("far")
    han.link(right, far)
    assert far.node.parent == left.eui
    return han


def members(han: Han) -> tuple[Member, Member, Member, Member]:
    return han.members["hub"], han.members["left"], han.members["right"], han.members["far"]


def test_routers_tell_each_other_every_15_seconds_how_they_hear() -> None:
    han = diamond()
    han.run(60)
    since = han.clock.now()
    han.run(60)
    hub, left, _, far = members(han)
    told = [(seen, command) for seen, command in nwk_commands(han, since) if isinstance(command, LinkStatus)]
    for member in han.members.values():
        mine = [command for seen, command in told if seen.hop == member.eui]
        assert 4 <= len(mine) <= 8
        assert all(entry.incoming_cost == entry.outgoing_cost == 1 for entry in mine[-1].entries)
    last = [command for seen, command in told if seen.hop == hub.eui][-1]
    assert [entry.neighbour for entry in last.entries] == sorted(
        member.node.short for member in (left, han.members["right"])
    )
    assert all(seen.header.radius == 1 for seen, _ in told)
    assert far.node.short not in [entry.neighbour for entry in last.entries]


def test_a_neighbour_that_falls_silent_is_told_of_for_three_periods() -> None:
    """As nwkRouterAgeLimit has it."""
    han = diamond()
    han.run(60)
    hub, left, right, _ = members(han)
    gone, since = left.node.short, han.clock.now()
    left.node.power_off()
    han.run(120)
    told = [
        ((seen.time - since) / SECOND, {entry.neighbour for entry in command.entries})
        for seen, command in nwk_commands(han, since)
        if seen.hop == hub.eui and isinstance(command, LinkStatus)
    ]
    assert all(right.node.short in neighbours for _, neighbours in told)
    with_it = [time for time, neighbours in told if gone in neighbours]
    assert 10 < max(with_it) <= 45
    assert min(time for time, neighbours in told if gone not in neighbours) > max(with_it)


def test_link_status_grows_rare_where_the_settings_say_so() -> None:
    han = diamond(settings=StackSettings(link_status_most=3600 * SECOND))
    han.run(2 * 3600)
    since = han.clock.now()
    han.run(4 * 3600)
    told = [seen for seen, command in nwk_commands(han, since) if isinstance(command, LinkStatus)]
    assert 4 * 4 <= len(told) <= 4 * 9


def test_a_route_around_a_router_that_is_off_is_discovered_both_ways() -> None:
    han = diamond()
    hub, left, right, far = members(han)
    assert han.members["hub"].outcome(hub.send(far, b"x")) is None
    han.run(5)
    left.node.power_off()
    since = han.clock.now()
    down, up = hub.send(far, LONG), far.send(hub, LONG[::-1])
    han.run(40)
    assert (hub.outcome(down), far.outcome(up)) == (DeliveryStatus.OK, DeliveryStatus.OK)
    assert (far.messages[-1], hub.messages[-1]) == (LONG, LONG[::-1])
    kinds = [type(command) for _, command in nwk_commands(han, since)]
    assert RouteRequest in kinds
    assert RouteReply in kinds
    assert right.node.statistics.relayed > 10


def test_an_end_device_in_the_middle_is_no_way_round() -> None:
    """It hears both, always, and neither passes requests and replies on nor is taken for a hop."""
    han = Han(1)
    hub = han.hub()
    relay, far, between = (
        han.add("relay", NodeRole.ROUTER), han.add("far", NodeRole.ROUTER), han.add("between", NodeRole.END_DEVICE),
    )  # fmt: skip
    for one, other in ((hub, relay), (relay, far), (hub, between)):
        han.link(one, other)
    han.join("relay", "between")
    han.join("far")
    han.link(between, far)
    assert between.node.parent == hub.eui
    relay.node.power_off()
    since = han.clock.now()
    lost = hub.send(far, b"in vain")
    han.run(20)
    assert hub.outcome(lost) not in (None, DeliveryStatus.OK)
    assert RouteRequest in [type(command) for _, command in nwk_commands(han, since)]
    assert [seen for seen in nwk_frames(han, since) if seen.hop == between.eui and seen.receiver == 0xFFFF] == []
    relay.node.power_on()
    han.run(20)
    sent = hub.send(far, b"as before")
    han.run(20)
    assert hub.outcome(sent) is DeliveryStatus.OK
    assert far.messages[-1] == b"as before"


def test_a_route_to_an_end_device_is_answered_by_its_parent() -> None:
    han = diamond(role=NodeRole.SLEEPY_END_DEVICE)
    hub, left, right, far = members(han)
    # The hub's way to the left router breaks: it is found again by way of the right one.
    han.medium.unlink(hub.radios[0], left.radios[0])
    han.medium.link(left.radios[0], right.radios[0])
    since = han.clock.now()
    handle = hub.send(far, b"round the corner")
    han.run(60)
    assert hub.outcome(handle) is DeliveryStatus.OK
    replies = [command for _, command in nwk_commands(han, since) if isinstance(command, RouteReply)]
    assert {(reply.responder, reply.responder_ieee) for reply in replies} == {(far.node.short, far.eui)}
    assert far.messages == [b"round the corner"]


def test_a_relay_that_cannot_go_on_reports_it_to_the_sender() -> None:
    han = diamond()
    hub, left, right, far = members(han)
    right.node.power_off()
    far.node.power_off()
    since = han.clock.now()
    handle = hub.send(far, b"x")
    han.run(30)
    assert hub.outcome(handle) is DeliveryStatus.NO_ACK
    reports = [(seen, c) for seen, c in nwk_commands(han, since) if isinstance(c, NetworkStatus)]
    assert {(seen.hop, seen.header.destination, c.status, c.destination) for seen, c in reports} == {
        (left.eui, 0, StatusCode.NO_ROUTE_AVAILABLE, far.node.short if far.node.powered else reports[0][1].destination)
    }


def reports(han: Han, since: int) -> set[tuple[Eui64 | None, int, int]]:
    """Return sender, destination and code of the network status commands from `since` on."""
    commands = nwk_commands(han, since)
    return {(s.hop, int(s.header.destination), c.status) for s, c in commands if isinstance(c, NetworkStatus)}


def test_the_frame_whose_hop_fails_once_too_often_is_reported_itself() -> None:
    """Not only the next one, which finds the route gone: there may be none."""
    han = diamond()
    hub, left, right, far = members(han)
    right.node.power_off()
    far.node.power_off()
    since = han.clock.now()
    for _ in range(StackSettings().link_failures):
        assert reports(han, since) == set()
        hub.send(far, b"x", acknowledged=False)
        han.run(2)
    assert reports(han, since) == {(left.eui, 0, StatusCode.NO_ROUTE_AVAILABLE)}


def test_a_relay_without_a_way_to_a_concentrator_says_so() -> None:
    han = diamond(settings=StackSettings(concentrator_period=60 * SECOND))
    hub, left, right, far = members(han)
    han.run(70)
    right.node.power_off()
    han.medium.unlink(hub.radios[0], left.radios[0])
    short, since = far.node.short, han.clock.now()
    far.send(hub, b"x")
    han.run(30)
    assert {each for each in reports(han, since) if each[0] == left.eui} == {
        (left.eui, short, StatusCode.MANY_TO_ONE_ROUTE_FAILURE)
    }


@pytest.mark.parametrize("weak", ["left", "right"])
def test_the_cheaper_of_two_ways_is_taken_whichever_is_heard_first(weak: str) -> None:
    """Two relays of one request reach the far router in either order."""
    first = set()
    for seed in range(1, 9):
        han = diamond(seed)
        hub, left, right, far = members(han)
        han.medium.link(hub.radios[0], han.members[weak].radios[0], rssi=-95)
        han.run(60)
        hub.node._on().state.drop_route(far.node.short)
        since = han.clock.now()
        hub.send(far, b"which way?")
        han.run(10)
        requests = [seen.hop for seen, c in nwk_commands(han, since) if isinstance(c, RouteRequest)]
        first.add(next(hop for hop in requests if hop in (left.eui, right.eui)))
        assert requests.count((right if weak == "left" else left).eui) == 2  # each relay repeats it once
        since = han.clock.now()
        hub.send(far, b"this way")
        han.run(5)
        senders = {seen.hop for seen in nwk_frames(han, since) if seen.header.source == 0 and seen.receiver != 0xFFFF}
        assert senders == {hub.eui, (right if weak == "left" else left).eui}
        assert far.messages == [b"which way?", b"this way"]
    assert first == {left.eui, right.eui}


@pytest.mark.parametrize("role", [NodeRole.ROUTER, NodeRole.END_DEVICE])
def test_a_concentrator_uses_the_routes_that_devices_record(role: NodeRole) -> None:
    han = diamond(settings=StackSettings(concentrator_period=90 * SECOND), role=role)
    hub, left, _, far = members(han)
    han.run(100)
    since = han.clock.now()
    far.send(hub, b"here I am")
    han.run(5)
    records = [(seen, c) for seen, c in nwk_commands(han, since) if isinstance(c, RouteRecord)]
    arrived = list({seen.header.sequence: c for seen, c in records if seen.receiver == 0}.values())
    assert len(arrived) == 1
    assert len(arrived[0].relays) == 1
    handles = [hub.send(far, LONG[:size]) for size in (69, 70, 73, 74, 600)]  # a source route takes room
    han.run(40)
    assert [hub.outcome(handle) for handle in handles] == [DeliveryStatus.OK] * 5
    assert sorted(map(len, far.messages)) == [69, 70, 73, 74, 600]
    routed = [seen for seen in nwk_frames(han, since) if seen.header.source_route is not None]
    assert {seen.header.source_route.relays for seen in routed if seen.header.source_route} == {arrived[0].relays}
    again = han.clock.now()
    far.send(hub, b"no second record")
    han.run(5)
    assert hub.messages == [b"here I am", b"no second record"]
    later = [c for _, c in nwk_commands(han, again) if isinstance(c, RouteRecord)]
    assert later == []
    assert left.node.powered


def test_a_parents_own_record_does_not_stand_for_its_childs() -> None:
    """As a foreign concentrator sees it: it learns the way to a device behind two bridges from that device's record."""
    han = home_with_bridges(settings=StackSettings(concentrator_period=90 * SECOND))
    han.join(*FAR)
    han.run(120)
    hub, b1, b2, ihd = (han.members[name] for name in ("hub", "b1", "b2", "ihd"))
    b2.send(hub, b"parent")
    han.run(5)
    hub.send(b2, b"by a source route")
    han.run(5)
    since = han.clock.now()
    ihd.send(hub, b"child")
    han.run(5)
    records = [(seen.header.source, c.relays) for seen, c in nwk_commands(han, since) if isinstance(c, RouteRecord)]
    assert (ihd.node.short, (b2.node.short, b1.node.short)) in records
    hub.send(ihd, b"by a source route")
    han.run(5)
    routed = [seen.header for seen in nwk_frames(han, since) if seen.header.source_route is not None]
    assert {header.source_route.relays for header in routed if header.source_route} == {(b2.node.short, b1.node.short)}
    assert ihd.messages == [b"by a source route"]
    since = han.clock.now()
    ihd.send(hub, b"it has the record")
    han.run(5)
    assert [c for _, c in nwk_commands(han, since) if isinstance(c, RouteRecord)] == []
    ihd.node.power_off()
    hub.send(ihd, b"nobody there")
    han.run(40)
    since = han.clock.now()
    ihd.node.power_on()
    han.run(10)
    again = {seen.header.source for seen, c in nwk_commands(han, since) if isinstance(c, RouteRecord)}
    assert ihd.node.short in again  # the concentrator gave the way up with the frame it could not deliver


def test_a_broken_source_route_is_reported_and_given_up() -> None:
    han = diamond(settings=StackSettings(concentrator_period=30 * SECOND))
    hub, left, right, far = members(han)
    han.run(60)
    far.send(hub, b"here I am")
    han.run(5)
    over = left if left.node.statistics.relayed > right.node.statistics.relayed else right
    han.medium.unlink(over.radios[0], far.radios[0])
    since = han.clock.now()
    handle = hub.send(far, b"other way")
    han.run(40)
    assert hub.outcome(handle) is DeliveryStatus.OK
    codes = [c.status for _, c in nwk_commands(han, since) if isinstance(c, NetworkStatus)]
    assert StatusCode.SOURCE_ROUTE_FAILURE in codes
    assert far.messages == [b"other way"]


@pytest.mark.parametrize("mends", [False, True])
def test_a_source_route_that_leaves_the_last_router_out_fails_unless_relays_mend_it(*, mends: bool) -> None:
    """zigbee-on-host 0.3 gives a new child of a far router the route of its parent alone."""
    han = home_with_bridges(settings=StackSettings(mend_source_routes=mends))
    han.join(*FAR)
    hub, b1, ihd = (han.members[name] for name in ("hub", "b1", "ihd"))
    ihd.send(hub, b"passes by b1")
    han.run(5)
    routing = hub.node._on()._nwk.routing
    routing.source_routes[ihd.node.short] = (b1.node.short,)
    routing.special = True
    since = han.clock.now()
    hub.send(ihd, b"short of b2", acknowledged=False)
    han.run(5)
    codes = [c.status for _, c in nwk_commands(han, since) if isinstance(c, NetworkStatus)]
    assert (ihd.messages == [b"short of b2"]) is mends
    assert (StatusCode.SOURCE_ROUTE_FAILURE in codes) is not mends


def test_a_node_that_nobody_knows_is_not_looked_for_all_the_time() -> None:
    """A hub without supply costs a request every few seconds, however much devices have to say; it is found again."""
    han = home_with_bridges()
    han.join(*FAR)
    hub, b1, b2, ihd = (han.members[name] for name in ("hub", "b1", "b2", "ihd"))
    hub.node.power_off()
    han.run(30)
    since = han.clock.now()
    for _ in range(120):
        for device in (b1, b2, ihd):
            device.send(hub, b"anybody there", acknowledged=False)
        han.run(0.5)
    requests = {
        (seen.header.source, c.route_request) for seen, c in nwk_commands(han, since) if isinstance(c, RouteRequest)
    }
    originators = {source for source, _ in requests}
    attempts, pause = StackSettings().route_attempts, 7  # s: a discovery takes 2.1
    assert 0 < len(requests) <= len(originators) * attempts * (60 / pause + 2)
    hub.node.power_on()
    han.run(10)
    handles = [(device, device.send(hub, b"there again")) for device in (b1, b2, ihd)]
    han.run(10)
    assert [who.outcome(handle) for who, handle in handles] == [DeliveryStatus.OK] * 3
