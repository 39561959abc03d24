"""Frames of the network sent again by somebody else, altered frames, and frames of another key."""

from collections.abc import Callable

import pytest

from protocols.addresses import Eui64, ShortAddress
from protocols.interfaces import DeliveryStatus, Handle, TransmitStatus
from protocols.mac.frame import data_frame
from protocols.nwk.frame import NwkHeader
from protocols.nwk.security import NwkSecurity
from protocols.stack.settings import NodeRole, StackSettings
from tests.support.han import Han, Member
from tests.support.nwk_frames import nwk_frames as opened


class Attacker:
    """A radio in reach of all that sends what it likes."""

    def __init__(self, han: Han, *victims: Member) -> None:
        self.radio = han.medium.radio("han", "attacker")
        self.radio.attach(self)
        self.radio.configure(
            eui=Eui64(0xBAD), short=ShortAddress(0xBAD), pan_id=0xBAD, channel=15, receiver_on=False, coordinator=False
        )
        for victim in victims:
            han.medium.link(self.radio, victim.radios[0])

    def received(self, frame: bytes, rssi: int, lqi: int, timestamp: int) -> None:
        raise AssertionError("its receiver is off")

    def transmitted(self, handle: Handle, status: TransmitStatus, pending: bool) -> None:
        """Take no interest."""


def network(*, express: bool = True) -> tuple[Han, Member, Member]:
    han = Han(settings=StackSettings(express=express))
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    return han, hub, device


def nwk_frames(han: Han, source: Member) -> list[bytes]:
    """Return the secured NWK frames that `source` sent to its neighbour."""
    short = source.node.short.to_bytes(2, "little")
    sent = [octets[9:-2] for _, _, octets in han.log.frames if octets[:2] == b"\x61\x88" and octets[7:9] == short]
    return [frame for frame in sent if frame[1] & 0x02]


def replay(han: Han, frames: list[bytes], claimed: int, victim: Member) -> None:
    """Send frames again under the short address `claimed`."""
    attacker = Attacker(han, victim)
    for number, frame in enumerate(frames):
        attacker.radio.transmit(
            data_frame(100 + number, 0x1A62, victim.node.short, ShortAddress(claimed), frame, ack_request=True)
        )
    han.run(20)


@pytest.mark.parametrize("express", [True, False], ids=["short way", "layers"])
@pytest.mark.parametrize("reboot", [False, True], ids=["running", "after a reboot of the victim"])
@pytest.mark.parametrize("secured", [True, False])
def test_a_replayed_frame_is_refused(secured: bool, reboot: bool, express: bool) -> None:
    han, hub, device = network(express=express)
    device.send(hub, b"open the valve", secured=secured, acknowledged=False)
    han.run(5)
    assert hub.messages == [b"open the valve"]
    frames, short, before = nwk_frames(han, device), device.node.short, hub.node.statistics.replays
    assert len(frames) > 2
    if reboot:
        device.node.power_off()  # nothing that it says afterwards tells the hub its counter
        hub.node.power_off()
        hub.node.power_on()
        han.run(30)
    replay(han, frames, short, hub)
    assert hub.messages == [b"open the valve"]
    assert hub.node.statistics.replays == before + len(frames)


@pytest.mark.parametrize("express", [True, False], ids=["short way", "layers"])
def test_what_a_node_sent_itself_is_not_taken_back(express: bool) -> None:
    """A router would relay it, and note itself as a neighbour."""
    han, hub, device = network(express=express)
    handle = hub.send(device, b"to the device", acknowledged=False)
    han.run(5)
    frames, before, sent = nwk_frames(han, hub), hub.node.statistics.replays, len(nwk_frames(han, hub))
    replay(han, frames, device.node.short, hub)
    assert hub.node.statistics.replays == before + len(frames)
    assert len(nwk_frames(han, hub)) == sent  # the attacker's claim the device's address
    assert device.messages == [b"to the device"]
    assert hub.outcome(handle) is not None


def test_a_frame_under_the_key_before_is_refused_the_second_time() -> None:
    """What a neighbour still sends under the key before counts from where it was at the switch."""
    han, hub, device = network()
    for _ in range(3):
        device.send(hub, b"before the switch", acknowledged=False)
        han.run(2)
    hub.node.update_network_key()
    han.run(120)
    under_old = [frame for frame in nwk_frames(han, device) if frame[8 + 13] == 0]
    before = hub.node.statistics
    replay(han, under_old, device.node.short, hub)
    after = hub.node.statistics
    assert len(under_old) > 3
    assert (after.replays, after.refused) == (before.replays + len(under_old), before.refused)
    assert hub.messages == [b"before the switch"] * 3


@pytest.mark.parametrize("express", [True, False], ids=["short way", "layers"])
def test_a_message_sent_again_by_another_member_is_refused(express: bool) -> None:
    """Who has the network key can put the APS frame of a device into a NWK frame of its own."""
    han, hub, device = network(express=express)
    other = han.add("other", NodeRole.ROUTER)
    han.link(hub, other)
    han.join("other")
    device.send(hub, b"open the valve", acknowledged=False)
    han.run(5)
    (sent,) = [seen for seen in opened(han) if seen.hop == device.eui and seen.payload[:1] == b"\x20"]
    key = next(key for label, key in han.keys if label.startswith("network key"))
    header = NwkHeader(0, hub.node.short, device.node.short, 9, 77).encode()
    sealed = NwkSecurity(key, 0).protect(header, other.eui, 50_000, sent.payload)
    before = hub.node.statistics.replays
    hub.node.hear(data_frame(7, 0x1A62, hub.node.short, other.node.short, sealed, ack_request=True))
    han.run(1)
    assert hub.messages == [b"open the valve"]
    assert hub.node.statistics.replays == before + 1


def test_a_message_is_handed_up_once_although_no_acknowledgement_comes_back() -> None:
    han, hub, device = network()
    han.medium.reach(hub.radios[0], device.radios[0], -60, 1.0, None)
    handle = device.send(hub, b"once", secured=False)
    han.run(60)
    assert device.outcome(handle) is DeliveryStatus.NO_ACK
    assert hub.node.statistics.duplicates > 0
    assert hub.messages == [b"once"]


def test_a_network_key_of_earlier_is_not_taken_in_a_rejoin() -> None:
    """Who kept the Transport-Key of the join could give a device that comes back the key of then."""
    han, hub, device = network()
    short = device.node.short
    first = [
        octets[:-2] for _, _, octets in han.log.frames
        if octets[0] & 7 == 1 and octets[5:7] == short.to_bytes(2, "little") and not octets[10] & 0x02
    ]  # fmt: skip
    assert len(first) == 1
    hub.node.update_network_key()
    han.run(120)
    running = device.node._on()
    assert running.state.network is not None
    key, refused = running.state.network.key, device.node.statistics.refused
    device.node.rejoin(without_key=True)
    while not running._rejoiner.awaits_key:
        han.run(0.001)
    device.node.hear(first[0])
    assert running._rejoiner.awaits_key
    assert running.state.network.key == key
    assert device.node.statistics.refused == refused + 1
    han.run(30)
    device.send(hub, b"back")
    han.run(5)
    assert hub.messages == [b"back"]


@pytest.mark.parametrize("express", [True, False], ids=["short way", "layers"])
def test_a_frame_repeated_as_its_acknowledgement_was_lost_is_no_replay(express: bool) -> None:
    han, hub, device = network(express=express)
    han.medium.link(hub.radios[0], device.radios[0], loss=0.1)
    for number in range(60):
        device.send(hub, bytes((number,)), acknowledged=False)
        han.run(1)
    assert device.radios[0].statistics.retries > 5
    assert hub.radios[0].statistics.received > 64  # some frames came twice
    assert hub.node.statistics.replays == 0


def flip(at: int) -> Callable[[bytes], bytes]:
    return lambda frame: frame[:at] + bytes((frame[at] ^ 1,)) + frame[at + 1 :]


def test_the_altered_frame_of_a_device_is_counted_and_changes_nothing() -> None:
    han, hub, device = network()
    device.send(hub, b"x" * 30, acknowledged=False)
    han.medium.unlink(hub.radios[0], device.radios[0])
    han.run(5)
    frame = nwk_frames(han, device)[-1]
    before = hub.node.statistics
    altered = [flip(at)(frame) for at in (0, 6, 7, 9, 25, len(frame) - 1)]
    replay(han, altered, device.node.short, hub)
    after = hub.node.statistics
    assert hub.messages == []
    assert after.refused == before.refused + len(altered)
    assert after.replays == before.replays
    han.medium.link(hub.radios[0], device.radios[0])
    device.send(hub, b"still welcome")
    han.run(5)
    assert hub.messages == [b"still welcome"]
