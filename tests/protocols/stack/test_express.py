"""The short way of an ordinary message against the layers: the same octets, events, counters and statistics."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.interfaces import ApsData, HanEvent, LinkKey
from protocols.mac.frame import MacFrame
from protocols.stack.express import Express
from protocols.stack.settings import NodeStatistics, StackSettings
from tests.support.han import FAR, PROFILE, Han, home_with_bridges

NAMES = ("hub", *FAR)
_END = 7  # seconds after the last action

# Who, to whom, length, APS security, APS acknowledgement, then a pause in ms; or something that happens to a node.
_messages = st.tuples(
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.integers(0, 120),
    st.booleans(),
    st.booleans(),
    st.integers(0, 60),
)
_incidents = st.sampled_from(("restart b1", "restart esme", "new link key esme", "new network key", "damage", "replay"))
_stories = st.lists(st.one_of(_messages, _messages, _messages, _incidents), min_size=4, max_size=25)


def tell(story: list[tuple[str, str, int, bool, bool, int] | str], *, express: bool, loss: float) -> Han:
    """Let a home with bridges live through `story`."""
    han = home_with_bridges(seed=3, settings=StackSettings(express=express))
    han.join(*FAR)
    for member in han.members.values():
        for radio in member.radios:
            for link in radio.links.values():
                link.loss = loss
    for number, part in enumerate(story):
        if isinstance(part, str):
            happen(han, part, number)
            han.run(0.2)
            continue
        sender, receiver, size, secured, acknowledged, pause = part
        if sender != receiver:
            data = ApsData(PROFILE, 0x0704, 1, 1, bytes((number,)) * size)
            to = han.members[receiver].eui
            han.members[sender].node.send(to, data, secured=secured, acknowledged=acknowledged)
        han.run(pause / 1000)
    han.run(_END)
    return han


def happen(han: Han, incident: str, number: int) -> None:
    kind, _, name = incident.rpartition(" ")
    hub = han.members["hub"]
    if kind == "restart":
        han.members[name].node.power_off()
        han.run(0.01)
        han.members[name].node.power_on()
    elif kind == "new link key":
        key, device = LinkKey(bytes((number,)) * 16), han.members[name]
        hub.node.install_link_key(device.eui, key, proven=False)
        device.node.install_link_key(hub.eui, key)
    elif incident == "new network key":
        hub.node.update_network_key()
    else:
        frames = [octets[:-2] for _, _, octets in han.log.frames[-60:] if len(octets) > 40]
        for octets in frames:
            to = MacFrame.decode(octets).destination
            for member in han.members.values():
                if member.node.powered and member.node.short == to:
                    member.node.hear(octets if incident == "replay" else octets[:-1] + bytes((octets[-1] ^ 1,)))


def outcome(han: Han) -> tuple[list[list[HanEvent]], list[NodeStatistics], list[dict[str, bytes | None]]]:
    """Return what the nodes told, counted and stored."""
    members = han.members.values()
    cells = [{cell: member.storage.get(cell) for cell in member.storage.cells()} for member in members]
    return [member.events for member in members], [member.node.statistics for member in members], cells


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_stories, st.sampled_from((0.0, 0.1)))
def test_a_home_lives_the_same_life_with_the_short_way_and_without(
    story: list[tuple[str, str, int, bool, bool, int] | str], loss: float
) -> None:
    short, layers = (tell(story, express=express, loss=loss) for express in (True, False))
    assert short.log.frames == layers.log.frames
    assert outcome(short) == outcome(layers)


def test_ordinary_messages_take_it_in_both_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {"send": 0, "receive": 0}

    def counting(name: str) -> None:
        original = getattr(Express, name)

        def method(self: Express, *arguments: object) -> bool:
            done: bool = original(self, *arguments)
            taken[name] += done
            return done

        monkeypatch.setattr(Express, name, method)

    counting("send")
    counting("receive")
    han = home_with_bridges()
    han.join("esme")
    han.run(20)
    taken.update(send=0, receive=0)
    hub, esme = han.members["hub"], han.members["esme"]
    for number in range(10):
        hub.send(esme, bytes((number,)) * 40, acknowledged=False)
        esme.send(hub, bytes((number,)) * 40, acknowledged=False)
        han.run(0.1)
    assert taken == {"send": 20, "receive": 20}
    assert len(esme.messages) == len(hub.messages) == 10


@pytest.mark.parametrize("size", [0, 1, 73, 74])
def test_only_what_fits_a_frame_takes_it(size: int) -> None:
    """73 octets fit beside all headers under APS security; 74 go in fragments."""
    han = home_with_bridges()
    han.join("esme")
    han.members["hub"].send(han.members["esme"], bytes(size), acknowledged=False)
    begun = len(han.log.frames)
    han.run(1)
    assert han.members["esme"].messages == [bytes(size)]
    long = [octets for _, _, octets in han.log.frames[begun:] if len(octets) > 60]
    assert len(long) <= (1 if size <= 73 else 2)


def test_the_extended_nonce_goes_by_the_layers() -> None:
    settings_ = replace(StackSettings(), extended_nonce=True)
    han = home_with_bridges(settings=settings_)
    han.join("esme")
    running = han.members["hub"].node._running
    assert running is not None
    assert running.express is None
    han.members["hub"].send(han.members["esme"], b"sent", acknowledged=False)
    han.run(1)
    assert han.members["esme"].messages == [b"sent"]
