"""Broadcasts: relayed once by every router, repeated until each neighbouring router has relayed, kept for sleepers."""

from collections import Counter
from itertools import pairwise

from protocols.addresses import BROADCAST_ALL, BROADCAST_RX_ON, ShortAddress
from protocols.interfaces import MILLISECOND, ApsData, Received
from protocols.nwk.frame import FrameType
from protocols.stack.settings import NodeRole, StackSettings
from tests.support.han import FAR, PROFILE, Han, Member, home_with_bridges
from tests.support.nwk_frames import Seen, nwk_frames

WAIT = StackSettings().passive_ack_wait


def say(member: Member, destination: ShortAddress = BROADCAST_RX_ON, payload: bytes = b"to all") -> None:
    member.node.broadcast(destination, ApsData(PROFILE, 0x0704, 1, 1, payload))


def data(han: Han, since: int, sender: Member | None = None) -> list[Seen]:
    """Return the broadcasts of APS data since then, of all who sent or relayed them or of one."""
    found = [
        seen for seen in nwk_frames(han, since)
        if seen.header.frame_type == FrameType.DATA and seen.header.destination >= 0xFFF8
    ]  # fmt: skip
    return found if sender is None else [seen for seen in found if seen.sender == sender.node.short]


def star(*, sleepy: bool = False) -> Han:
    """A hub with two routers that hear it and not each other, each with a child."""
    han = Han()
    hub, left, right = han.hub(), han.add("left", NodeRole.ROUTER), han.add("right", NodeRole.ROUTER)
    role = NodeRole.SLEEPY_END_DEVICE if sleepy else NodeRole.END_DEVICE
    one, other = han.add("one", role), han.add("other", role)
    for a, b in ((hub, left), (hub, right), (left, one), (right, other)):
        han.link(a, b)
    han.join("left", "right")
    han.join("one", "other")
    han.run(60)
    return han


def test_everybody_gets_a_broadcast_once_and_each_router_sends_it_once() -> None:
    han = star()
    since = han.clock.now()
    say(han.members["hub"])
    han.run(5)
    assert [han.members[name].messages for name in ("left", "right", "one", "other")] == [[b"to all"]] * 4
    names = {member.node.short: name for name, member in han.members.items()}
    assert Counter(names[ShortAddress(seen.sender)] for seen in data(han, since)) == {"hub": 1, "left": 1, "right": 1}
    events = [event for event in han.members["one"].events if isinstance(event, Received)]
    assert all(event.broadcast and not event.secured for event in events)


def test_a_broadcast_that_a_router_has_not_passed_on_goes_again_at_the_passive_acknowledgement_time() -> None:
    """One neighbour is off: three times in all, 0.5 s apart; the others do not repeat and take it once."""
    han = star()
    hub, left, right = (han.members[name] for name in ("hub", "left", "right"))
    right.node.power_off()
    since = han.clock.now()
    say(hub)
    han.run(5)
    times = [seen.time for seen in data(han, since, hub)]
    assert len(times) == 1 + StackSettings().broadcast_retries
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert all(abs(gap - WAIT) < 10 * MILLISECOND for gap in gaps)  # but for the back-off of each
    assert len(data(han, since, left)) == 1
    assert left.messages == [b"to all"]


def test_a_router_that_missed_the_first_gets_the_second() -> None:
    han = star()
    hub, right, other = (han.members[name] for name in ("hub", "right", "other"))
    han.link(hub, right, loss=1.0)
    since = han.clock.now()
    say(hub)
    han.run(0.2)
    han.link(hub, right)
    han.run(5)
    assert len(data(han, since, hub)) == 2  # the second was passed on by both
    assert (right.messages, other.messages) == ([b"to all"], [b"to all"])


def test_sleepers_get_what_is_for_all_and_not_what_is_for_those_awake() -> None:
    han = star(sleepy=True)
    hub, one = han.members["hub"], han.members["one"]
    han.run(30)
    say(hub, BROADCAST_RX_ON, b"awake")
    say(hub, BROADCAST_ALL, b"everybody")
    han.run(10)
    assert one.messages == [b"everybody"]


def test_an_end_device_has_its_parent_broadcast() -> None:
    han = star()
    one, left, other = (han.members[name] for name in ("one", "left", "other"))
    since = han.clock.now()
    say(one)
    han.run(5)
    assert [seen.receiver for seen in data(han, since, one)] == [left.node.short]
    assert (han.members["hub"].messages, other.messages) == ([b"to all"], [b"to all"])
    assert one.messages == []


def test_a_broadcast_crosses_bridges_on_both_their_radios_and_comes_to_everybody_once() -> None:
    han = home_with_bridges()
    han.join(*FAR)
    han.run(60)
    say(han.members["hub"], BROADCAST_ALL)
    han.run(20)
    assert [han.members[name].messages for name in FAR] == [[b"to all"]] * len(FAR)


def test_under_loss_nearly_everybody_is_reached() -> None:
    """Three chances a hop: a loss of a fifth leaves less than one in twenty without it."""
    han = star()
    hub, names = han.members["hub"], ("left", "right", "one", "other")
    for a, b in (("hub", "left"), ("hub", "right")):
        han.link(han.members[a], han.members[b], loss=0.2)
    for number in range(60):
        say(hub, payload=bytes((number,)))
        han.run(10)
    reached = sum(len(han.members[name].messages) for name in names)
    assert 0.95 * 240 < reached <= 240
    assert all(len(set(han.members[name].messages)) == len(han.members[name].messages) for name in names)
