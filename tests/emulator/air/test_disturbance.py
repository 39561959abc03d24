"""Weak links, bursts, jammers, capture, hidden nodes and energy on the simulated air."""

from itertools import pairwise

import pytest

from emulator.air.band import AirSettings
from emulator.air.disturbance import Bursts, BurstTimes, Jammer
from emulator.air.medium import Medium
from emulator.air.propagation import PathLoss, Point, Wall
from emulator.air.radio import SimulatedRadio
from emulator.air.signal import error_rate
from emulator.air.timing import BACKOFF_PERIOD, CCA, MAX_BE, MIN_BE
from emulator.clock import VirtualClock
from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64, ShortAddress
from protocols.errors import UsageError
from protocols.interfaces import MILLISECOND, SECOND, Handle, Random, TransmitStatus
from protocols.mac.frame import data_frame
from tests.support.han import FrameLog

PAN, CHANNEL = 0x1A62, 15
TO_ALL = 0xFFFF


class User:
    """Counts what a radio tells."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.levels: list[int] = []
        self.ended: list[TransmitStatus] = []

    def received(self, frame: bytes, rssi: int, lqi: int, timestamp: int) -> None:
        self.heard.append(frame)
        self.levels.append(rssi)

    def transmitted(self, handle: Handle, status: TransmitStatus, pending: bool) -> None:
        self.ended.append(status)


class Air:
    """Radios of one or more networks; nobody is linked."""

    def __init__(self, seed: int = 1, settings: AirSettings | None = None) -> None:
        self.clock, self.log = VirtualClock(1_000_000), FrameLog()
        self.medium = Medium(self.clock, SeededEntropy(seed), self.log, settings or AirSettings())
        self.users: dict[SimulatedRadio, User] = {}

    def radio(
        self, name: str, short: int, network: str = "air", *, band: str | None = None, channel: int = CHANNEL,
        pan: int = PAN,
    ) -> SimulatedRadio:  # fmt: skip
        radio = self.medium.radio(network, name, band=band)
        self.users[radio] = User()
        radio.attach(self.users[radio])
        radio.configure(
            eui=Eui64(0x1000 + short), short=ShortAddress(short), pan_id=pan, channel=channel, receiver_on=True,
            coordinator=False,
        )  # fmt: skip
        return radio

    def send(self, sender: SimulatedRadio, source: int, to: int = TO_ALL, size: int = 60, *, csma: bool = True) -> None:
        unicast = to != TO_ALL
        frame = data_frame(1, PAN, ShortAddress(to), ShortAddress(source), bytes(size), ack_request=unicast)
        sender.transmit(frame, csma=csma)

    def run(self, seconds: float = 1) -> None:
        self.clock.run_for(round(seconds * SECOND))


# --- weak links -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rssi", "size"), [(-101, 20), (-101, 100), (-102, 9)])
def test_a_weak_link_loses_as_many_frames_as_the_formula_says(rssi: int, size: int) -> None:
    air = Air()
    a, b = air.radio("a", 1), air.radio("b", 2)
    air.medium.link(a, b, rssi=rssi)
    rounds = 1500
    for _ in range(rounds):
        air.send(a, 1, size=size, csma=False)
    air.run(20)
    lost = 1 - len(air.users[b].heard) / rounds
    assert lost == pytest.approx(error_rate(9 + size + 2, rssi + 100), abs=0.04)
    assert a.links[b].expected_loss(9 + size + 2) == pytest.approx(lost, abs=0.04)


def test_configured_loss_comes_on_top_of_noise() -> None:
    air = Air()
    a, b = air.radio("a", 1), air.radio("b", 2)
    air.medium.link(a, b, rssi=-101, loss=0.5)
    noise = error_rate(127, -1)
    assert a.links[b].expected_loss(127) == pytest.approx(noise + (1 - noise) * 0.5)


# --- bursts -----------------------------------------------------------------------------------------------------


def test_bursts_have_the_pauses_and_lengths_they_are_given() -> None:
    bursts = Bursts(every=10 * SECOND, longest=2 * SECOND)
    times = BurstTimes(bursts, SeededEntropy(1).random("bursts"), 0)
    step = 20 * MILLISECOND
    states = [times.cover(at, at + step) for at in range(0, 10_000 * SECOND, step)]
    begins = sum(now and not before for before, now in pairwise(states))
    assert begins == pytest.approx(10_000 / 11, rel=0.1)
    assert sum(states) / len(states) == pytest.approx(1 / 11, rel=0.1)
    longest = max(len(run) for run in "".join("x" if state else " " for state in states).split())
    assert 1.8 * SECOND <= longest * step <= 2.1 * SECOND


def test_in_a_burst_every_frame_of_the_link_is_lost_and_the_other_link_is_not_touched() -> None:
    def heard(seed: int) -> tuple[int, int]:
        air = Air(seed)
        a, b, c = air.radio("a", 1), air.radio("b", 2), air.radio("c", 3)
        air.medium.link(a, b, bursts=Bursts(every=5 * SECOND, longest=2 * SECOND))
        air.medium.link(a, c)
        for _ in range(1000):
            air.send(a, 1, csma=False)
            air.run(0.1)
        return len(air.users[b].heard), len(air.users[c].heard)

    assert heard(1) == heard(1)
    assert heard(1) != heard(2)
    assert 650 < heard(1)[0] < 950
    assert heard(1)[1] == 1000


# --- collisions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stronger", "capture", "heard"),
    [(-60, 3.0, [2]), (-63, 3.0, [2]), (-64, 3.0, []), (-60, None, []), (-60, 6.0, [2]), (-61, 6.0, [])],
)
def test_the_stronger_of_two_hidden_senders_is_captured(stronger: int, capture: float | None, heard: list[int]) -> None:
    """The weaker one is at -66 dBm; 3 dB are enough by default."""
    air = Air(settings=AirSettings(capture=capture))
    middle, left, right = air.radio("middle", 0), air.radio("left", 1), air.radio("right", 2)
    air.medium.link(left, middle, rssi=-66)
    air.medium.link(right, middle, rssi=stronger)
    air.send(left, 1, csma=False)
    air.send(right, 2, csma=False)
    air.run()
    assert [frame[7] for frame in air.users[middle].heard] == heard
    assert middle.lost == 2 - len(heard)
    assert len(air.log.frames) == 2


def test_hidden_senders_lose_frames_that_senders_in_hearing_do_not() -> None:
    def delivered(*, hidden: bool) -> tuple[int, int]:
        air = Air()
        middle, left, right = air.radio("middle", 0), air.radio("left", 1), air.radio("right", 2)
        air.medium.link(left, middle)
        air.medium.link(right, middle)
        if not hidden:
            air.medium.link(left, right)
        for _ in range(200):
            air.send(left, 1, 0)
            air.send(right, 2, 0)
            air.run(0.02)
        return len(air.users[middle].heard), left.statistics.retries + right.statistics.retries

    _, with_hidden = delivered(hidden=True)
    all_frames, in_hearing = delivered(hidden=False)
    assert with_hidden > 3 * in_hearing
    assert all_frames >= 398


def test_a_radio_does_not_hear_while_it_sends() -> None:
    air = Air()
    a, b = air.radio("a", 1), air.radio("b", 2)
    air.medium.reach(a, b, rssi=-40)
    air.medium.reach(b, a, rssi=-40)
    air.send(a, 1, csma=False)
    air.send(b, 2, csma=False)
    air.run()
    assert (air.users[a].heard, air.users[b].heard) == ([], [])


# --- CSMA-CA ----------------------------------------------------------------------------------------------------


class Drawn:
    """A stream of chance that keeps what it gave."""

    def __init__(self, chance: Random) -> None:
        self._chance, self.drawn = chance, list[float]()
        self.randrange, self.randbytes = chance.randrange, chance.randbytes

    def random(self) -> float:
        self.drawn.append(self._chance.random())
        return self.drawn[-1]


def test_back_off_doubles_to_its_limit_and_gives_up_after_the_fifth_busy_assessment() -> None:
    """IEEE 802.15.4-2015 6.2.5.1: exponents 3, 4, 5, 5, 5, then channel access failure."""
    waits: list[list[int]] = [[], [], [], [], []]
    for seed in range(80):
        air = Air(seed)
        sender, other = air.radio("a", 1), air.radio("b", 2)
        air.medium.link(sender, other)
        jammer = Jammer("jammer", (CHANNEL,), 0, 10 * SECOND, levels={sender: -50.0})
        air.medium.jam("air", jammer)
        sender._random = chance = Drawn(sender._random)
        begun = air.clock.now()
        air.send(sender, 1, 2)
        while not air.users[sender].ended:
            air.clock.run_for(CCA)
        assert air.users[sender].ended == [TransmitStatus.CHANNEL_ACCESS_FAILURE]
        assert len(chance.drawn) == 5
        exponents = [min(MIN_BE + number, MAX_BE) for number in range(5)]
        expected = [int(share * 2**exponent) for share, exponent in zip(chance.drawn, exponents, strict=True)]
        spent = sum(expected) * BACKOFF_PERIOD + 5 * CCA
        assert 0 <= air.clock.now() - begun - spent < CCA
        for number, periods in enumerate(expected):
            waits[number].append(periods)
    limits = [8, 16, 32, 32, 32]
    assert all(0.8 * limit <= max(each) < limit for each, limit in zip(waits, limits, strict=True))
    assert all(min(each) <= 1 for each in waits)


# --- jamming ----------------------------------------------------------------------------------------------------


def test_a_strong_jammer_makes_the_channel_busy_a_weak_one_only_spoils() -> None:
    for level, status, lost in ((-60.0, TransmitStatus.CHANNEL_ACCESS_FAILURE, 0), (-80.0, TransmitStatus.NO_ACK, 4)):
        air = Air()
        a, b = air.radio("a", 1), air.radio("b", 2)
        air.medium.link(a, b, rssi=-85)
        air.medium.jam("air", Jammer("jammer", (CHANNEL,), 0, 10 * SECOND, levels={a: level, b: level}))
        air.send(a, 1, 2)
        air.run()
        assert air.users[a].ended == [status]
        assert b.lost == lost


def test_a_jammer_works_on_its_channel_in_its_time_and_where_it_is_heard() -> None:
    air = Air()
    now = air.clock.now()
    jammer = Jammer("jammer", (CHANNEL,), now + SECOND, SECOND, every=10 * SECOND)
    a, b, c = air.radio("a", 1), air.radio("b", 2), air.radio("c", 3)
    air.medium.link(a, b, rssi=-90)
    air.medium.link(a, c, rssi=-90)
    jammer.levels[b] = -80.0
    air.medium.jam("air", jammer)
    for _ in range(400):
        air.send(a, 1, csma=False)
        air.run(0.1)
    assert len(air.users[c].heard) == 400
    assert len(air.users[b].heard) == 400 - 4 * 10
    assert jammer.spans(now, now + 12 * SECOND) == [
        (now + SECOND, now + 2 * SECOND), (now + 11 * SECOND, now + 12 * SECOND)
    ]  # fmt: skip
    beside, heard = CHANNEL + 1, len(air.users[b].heard)
    jammer.levels[a] = -60.0  # it would keep the sender from sending, too
    for number, radio in enumerate((a, b, c), 1):
        radio.configure(
            eui=Eui64(0x1000 + number), short=ShortAddress(number), pan_id=PAN, channel=beside, receiver_on=True,
            coordinator=False,
        )  # fmt: skip
    for _ in range(200):
        air.send(a, 1)
        air.run(0.1)
    assert len(air.users[b].heard) == heard + 200


def test_a_pulse_spoils_a_frame_by_the_part_it_covers() -> None:
    """At equal power half an octet seldom matters, a whole frame nearly always."""
    losses = []
    for pulse in (10_000, 200_000, 2_000_000):
        air = Air()
        a, b = air.radio("a", 1), air.radio("b", 2)
        air.medium.link(a, b, rssi=-70)
        air.medium.jam("air", Jammer("pulses", (CHANNEL,), 0, pulse, every=2_001_000, levels={b: -68.0}))
        for _ in range(200):
            air.send(a, 1, csma=False)
            air.run(0.01)
        losses.append(1 - len(air.users[b].heard) / 200)
    assert losses[0] < 0.4 < losses[2]
    assert losses == sorted(losses)


@pytest.mark.parametrize(("duration", "every"), [(0, None), (SECOND, SECOND), (SECOND, 1)])
def test_a_jammer_that_never_ends_is_refused(duration: int, every: int | None) -> None:
    with pytest.raises(UsageError, match="jammer 'j'"):
        Jammer("j", (CHANNEL,), 0, duration, every)


# --- energy -----------------------------------------------------------------------------------------------------


def test_energy_is_the_sum_of_all_that_is_heard_on_the_channel() -> None:
    air = Air()
    listener = air.radio("listener", 0)
    senders = [air.radio(str(number), number) for number in (1, 2, 3)]
    for sender, level in zip(senders, (-70, -70, -60), strict=True):
        air.medium.link(sender, listener, rssi=level)
    assert listener.energy_scan(CHANNEL) == -100
    for number, sender in enumerate(senders[:2], 1):
        air.send(sender, number, csma=False)
    air.run(0.001)
    assert listener.energy_scan(CHANNEL) == -67
    assert listener.energy_scan(CHANNEL + 1) == -100
    air.medium.jam("air", Jammer("jammer", (CHANNEL, 20), 0, 10 * SECOND, levels={listener: -67.0}))
    assert listener.energy_scan(CHANNEL) == -64
    assert listener.energy_scan(20) == -67
    assert senders[0].energy_scan(20) == -100


# --- places -----------------------------------------------------------------------------------------------------


def test_places_walls_and_power_make_the_links() -> None:
    air = Air()
    hub, near, far, gone = (air.radio(name, number) for number, name in enumerate(("hub", "near", "far", "gone")))
    air.medium.obstruct("air", [Wall((20, -50), (20, 50), 12.0)])
    path = PathLoss(40.0, 3.0)
    places = {hub: (0, 8.0), near: (10, 0.0), far: (40, 8.0), gone: (900, 8.0)}
    for radio, (x, power) in places.items():
        air.medium.stand(radio, Point(x, 0), power, path=path)
    assert (hub.links[near].rssi, near.links[hub].rssi) == (8 - 70, -70)
    assert hub.links[far].rssi == round(8 - 40 - 30 * 1.602 - 12)
    assert far.links[hub].rssi == hub.links[far].rssi
    assert gone.links == {}
    assert all(gone not in radio.links for radio in places)
    air.send(hub, 0)
    air.run()
    assert [len(air.users[radio].heard) for radio in places] == [0, 1, 1, 0]
    air.medium.stand(far, Point(10, 0), 8.0, path=path)
    assert hub.links[far].rssi == 8 - 70
    air.medium.obstruct("air", [Wall((5, -50), (5, 50), 10.0)])
    assert hub.links[far].rssi == 8 - 80


def test_shadowing_is_drawn_once_a_pair_and_seed() -> None:
    def levels(seed: int) -> list[int]:
        air = Air(seed)
        radios = [air.radio(str(number), number) for number in range(12)]
        for number, radio in enumerate(radios):
            air.medium.stand(radio, Point(3 * number, 0), path=PathLoss(shadowing=6.0))
        assert all(link.rssi == other.links[radio].rssi for radio in radios for other, link in radio.links.items())
        return [link.rssi for radio in radios for link in radio.links.values()]

    assert levels(1) == levels(1)
    assert levels(1) != levels(2)


def test_networks_of_one_band_hear_each_other_and_keep_their_names_in_the_capture() -> None:
    """Two homes on one channel: frames of the other are heard as noise and pauses, and filtered by their PAN id."""
    air = Air()
    a = air.radio("a", 1, "home-1", band="street")
    b = air.radio("b", 2, "home-1")
    stranger = air.radio("a", 1, "home-2", band="street", pan=PAN + 1)
    for number, radio in enumerate((a, b, stranger)):
        air.medium.stand(radio, Point(5 * number, 0))
    assert set(a.links) == {b, stranger}
    air.send(a, 1, 2)
    air.run()
    assert (len(air.users[b].heard), len(air.users[stranger].heard)) == (1, 0)
    stranger.transmit(
        data_frame(1, PAN + 1, ShortAddress(TO_ALL), ShortAddress(1), bytes(100), ack_request=False), csma=False
    )
    air.run(0.001)
    assert a.energy_scan(CHANNEL) > -60
    air.run()
    assert [name for name, _, _ in air.log.frames] == ["home-1", "home-1", "home-2"]
    assert len(air.users[b].heard) == 1
    with pytest.raises(UsageError, match="is in the band 'street'"):
        air.medium.radio("home-1", "c", band="other street")


def test_homes_in_hearing_on_one_channel_take_turns_and_on_two_do_not_notice() -> None:
    def spent(channel: int) -> tuple[int, int]:
        air = Air()
        ends = []
        for home, on in ((1, CHANNEL), (2, channel)):
            for name, short in (("a", 1), ("b", 2)):
                radio = air.radio(name, short, f"home-{home}", band="street", channel=on, pan=PAN)
                air.medium.stand(radio, Point(4 * home, short))
                ends.append(radio)
            ends[-2].configure(
                eui=Eui64(home), short=ShortAddress(16 * home), pan_id=PAN + home, channel=on, receiver_on=True,
                coordinator=False,
            )  # fmt: skip
        begun = air.clock.now()
        for home, sender in ((1, ends[0]), (2, ends[2])):
            for _ in range(100):
                frame = data_frame(1, PAN + home, ShortAddress(TO_ALL), ShortAddress(1), bytes(100), ack_request=False)
                sender.transmit(frame)
        while not all(len(air.users[sender].ended) == 100 for sender in (ends[0], ends[2])):
            air.run(0.01)
        accesses = sum(user.ended.count(TransmitStatus.CHANNEL_ACCESS_FAILURE) for user in air.users.values())
        return air.clock.now() - begun, accesses

    shared, failures = spent(CHANNEL)
    apart, none = spent(CHANNEL + 5)
    assert shared > 1.4 * apart
    assert failures > none == 0
