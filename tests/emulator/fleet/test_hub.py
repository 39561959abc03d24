"""A lean hub between a meter and the CSP's end of a WAN: nothing is lost over a power cut, and a long one is told."""

import pytest

from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from emulator.fleet.device import Around
from emulator.fleet.home import LeanFeed, LeanHome
from emulator.fleet.hub import BLOCK_RATE, BOOT, LeanHub
from emulator.fleet.meter import LeanMeter
from emulator.parts.gbcs_entity import GbcsEntity
from emulator.parts.trust_anchors import TrustAnchors
from emulator.storage import MemoryStorage
from emulator.wan import WanSettings, wan_pair
from firmware_images import product
from protocols.addresses import Eui64
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import ccs08, ecs80, fdra
from protocols.interfaces import MINUTE, SECOND
from protocols.ota.image import Kind
from protocols.wan.envelope import FirmwareImageDelivery, GbcsCarried, ImageTarget, PowerLoss, WanMessage
from protocols.wan.session import WanSession
from tests.emulator.fleet.test_devices import Recorder
from tests.support.dsp_bench import image
from tests.support.parties import START, Parties

CHF, ESME = Eui64(0x00DB1234567890A2), Eui64(0x00DB1234567890A0)
DELAY = WanSettings().delay_up


class Home:
    """A home whose CSP is a bare session: `up` holds what reached it, with the time."""

    def __init__(self) -> None:
        self.parties, self.clock = Parties(), VirtualClock(START)
        around = Around(clock=self.clock, entropy=self.parties.entropy, recorder=Recorder())
        wan, feed = wan_pair(self.clock, SeededEntropy(1).random("wan")), LeanFeed(self.clock)
        chf = GbcsEntity(
            self.parties.pki.device(CHF), TrustAnchors.of(self.parties.broker), MemoryStorage(), self.parties.entropy
        )
        self.carried: list[tuple[Eui64, bool]] = []
        hub = LeanHub(
            "home/hub", chf, wan.hub, feed.hub, around, lambda device, _, up: self.carried.append((device, up))
        )
        meter = LeanMeter(
            "home/esme", self.parties.pki.device(ESME), self.parties.anchors(), product(Kind.ESME).versions[0], around,
            dc_out=feed.dc_out,
        )  # fmt: skip
        self.home = LeanHome("home", self.clock, feed, hub, [meter])
        self.up: list[tuple[int, WanMessage]] = []
        self._session, self._wan = WanSession(), wan.csp
        wan.csp.attach(self._received)

    def _keep(self, device: Eui64, octets: bytes, upward: bool) -> None:
        self.carried.append((device, upward))

    def on(self) -> bool:
        return self.home.hub.on

    def _received(self, octets: bytes) -> None:
        arrival = self._session.received(octets)
        if arrival.message is not None:
            self.up.append((self.clock.now(), arrival.message))
        reply = self._session.accept(arrival)
        if reply is not None:
            self._wan.send(reply)

    def send(self, message: WanMessage) -> None:
        self._wan.send(self._session.send(message, self.clock.now())[1])

    def codes(self) -> list[int]:
        return [Message.decode(m.message).message_code for _, m in self.up if isinstance(m, GbcsCarried)]


@pytest.fixture
def home() -> Home:
    return Home()


def test_an_image_takes_the_time_of_its_size_and_hub_and_meter_tell_of_it(home: Home) -> None:
    octets = image(Kind.ESME, 1, home.parties).encode()
    home.send(FirmwareImageDelivery("r", (ImageTarget(ESME, 0),), octets))
    took = len(octets) * SECOND // BLOCK_RATE
    home.clock.run_until(START + DELAY + took - 1)
    assert home.carried == []
    home.clock.run_for(1 + DELAY)
    assert home.codes() == [ccs08.MESSAGE_CODE, fdra.MESSAGE_CODE]
    assert home.carried == [(CHF, True), (ESME, True)]


@pytest.mark.parametrize(("lasted", "told"), [(3 * MINUTE - 1, 0), (3 * MINUTE, 1)])
def test_a_loss_of_the_mains_is_told_after_three_minutes(home: Home, lasted: int, told: int) -> None:
    home.home.cut_mains(lasted)
    home.clock.run_for(10 * MINUTE)
    losses = [(time, message) for time, message in home.up if isinstance(message, PowerLoss)]
    assert [(time, loss.hub, loss.started) for time, loss in losses] == [(START + lasted + DELAY, CHF, START)] * told
    assert home.codes() == [ecs80.MESSAGE_CODE]


def test_what_is_said_while_the_hub_is_off_arrives_when_it_is_back(home: Home) -> None:
    home.home.cut_mains(15 * MINUTE)
    home.clock.run_for(10 * MINUTE)
    assert not home.on()
    home.home.esme.mains_restored(START - MINUTE, START)
    home.clock.run_until(START + 15 * MINUTE + BOOT - 1)
    assert home.codes() == []
    home.clock.run_for(1 + DELAY)
    assert home.on()
    assert home.codes() == [ecs80.MESSAGE_CODE] * 2


def test_mains_that_go_while_the_esme_restarts_keep_the_hub_dark_until_both_are_back(home: Home) -> None:
    home.home.esme.dc_out.switch(False)  # type: ignore[union-attr]
    home.clock.run_for(MINUTE)
    home.home.cut_mains(20 * MINUTE)
    home.clock.run_for(10 * MINUTE)
    home.home.esme.dc_out.switch(True)  # type: ignore[union-attr]
    assert not home.on()
    home.clock.run_for(12 * MINUTE)
    assert home.on()
