"""Frames of the network sent again by somebody else, altered frames, and frames of another key."""

from collections.abc import Callable

import pytest

from protocols.addresses import Eui64, ShortAddress
from protocols.interfaces import Handle, TransmitStatus
from protocols.mac.frame import data_frame
from protocols.stack.settings import NodeRole
from tests.support.han import Han, Member


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


def network() -> tuple[Han, Member, Member]:
    han = Han()
    hub, device = han.hub(), han.add("device", NodeRole.ROUTER)
    han.link(hub, device)
    han.join("device")
    return han, hub, device


def nwk_frames(han: Han, source: Member) -> list[bytes]:
    """Return the secured NWK frames that `source` sent to its neighbour."""
    short = source.node.short.to_bytes(2, "little")
    return [octets[9:-2] for _, _, octets in han.log.frames if octets[:2] == b"\x61\x88" and octets[7:9] == short]


def replay(han: Han, frames: list[bytes], claimed: Member, victim: Member) -> None:
    attacker = Attacker(han, victim)
    for number, frame in enumerate(frames):
        attacker.radio.transmit(
            data_frame(100 + number, 0x1A62, victim.node.short, claimed.node.short, frame, ack_request=True)
        )
    han.run(20)


@pytest.mark.parametrize("reboot", [False, True], ids=["running", "after a reboot of the victim"])
@pytest.mark.parametrize("secured", [True, False])
def test_a_replayed_frame_is_refused(secured: bool, reboot: bool) -> None:
    han, hub, device = network()
    device.send(hub, b"open the valve", secured=secured, acknowledged=False)
    han.run(5)
    assert hub.messages == [b"open the valve"]
    if reboot:
        hub.node.power_off()
        hub.node.power_on()
        han.run(30)
    frames, before = nwk_frames(han, device), hub.node.statistics.replays
    replay(han, frames, device, hub)
    assert hub.messages == [b"open the valve"]
    assert hub.node.statistics.replays == before + len(frames)


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
    replay(han, altered, device, hub)
    after = hub.node.statistics
    assert hub.messages == []
    assert after.refused == before.refused + len(altered)
    assert after.replays == before.replays
    han.medium.link(hub.radios[0], device.radios[0])
    device.send(hub, b"still welcome")
    han.run(5)
    assert hub.messages == [b"still welcome"]
