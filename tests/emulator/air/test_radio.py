"""The simulated air: times to the nanosecond, contention, acknowledgements, the address filter."""

import pytest

from emulator.air.radio import SimulatedRadio
from emulator.air.timing import ACK_SPAN, ACK_WAIT, BACKOFF_PERIOD, CCA, LIFS, SIFS, TURNAROUND, airtime
from protocols.addresses import Eui64, ShortAddress
from protocols.errors import UsageError
from protocols.interfaces import MILLISECOND, SECOND, TransmitStatus
from protocols.mac.beacon import Beacon
from protocols.mac.commands import AssociationRequest, BeaconRequest, Capability, DataRequest
from protocols.mac.frame import FrameType, MacFrame, data_frame, fcs, has_good_fcs
from tests.support.air import CHANNEL, EUI, PAN, Air, Listener


def test_airtime_is_that_of_250_kbit_per_second() -> None:
    assert airtime(127) == (4 + 1 + 1 + 127) * 8 * 4_000
    assert airtime(5) == 352_000
    assert ACK_SPAN == 192_000 + 352_000


def test_times_are_those_of_the_standard() -> None:
    """Literal figures, in us. Source: IEEE 802.15.4-2015 clauses 6.2.5, 8.4 and 11.3."""
    times = {TURNAROUND: 192, CCA: 128, BACKOFF_PERIOD: 320, SIFS: 192, LIFS: 640, ACK_WAIT: 864}
    assert {time // 1_000: time % 1_000 for time in times} == dict.fromkeys(times.values(), 0)


@pytest.mark.parametrize("size", [1, 9, 10, 60, 116])
def test_a_frame_takes_exactly_the_time_of_the_formula(size: int) -> None:
    air = Air(2)
    frame = air.data(0, 1, bytes(size))
    begun = air.clock.now()
    air.radios[0].transmit(frame, csma=False)
    air.clock.run_for(SECOND)
    end = begun + TURNAROUND + airtime(len(frame) + 2)
    assert air.users[1].heard == [(end, frame)]
    assert [when for when, *_ in air.users[0].sent] == [end + ACK_SPAN]


def test_backoff_is_a_multiple_of_its_period_before_the_channel_assessment() -> None:
    starts = set()
    for seed in range(40):
        air = Air(2, seed)
        begun, frame = air.clock.now(), air.data(0, 1)
        air.radios[0].transmit(frame)
        air.clock.run_for(SECOND)
        wait = air.users[1].heard[0][0] - begun - CCA - TURNAROUND - airtime(len(frame) + 2)
        assert wait % BACKOFF_PERIOD == 0
        starts.add(wait // BACKOFF_PERIOD)
    assert starts == set(range(8))


@pytest.mark.parametrize(("size", "space"), [(7, SIFS), (8, LIFS)])
def test_frames_are_separated_by_the_space_that_their_length_asks_for(size: int, space: int) -> None:
    air = Air(2)
    frames = [air.data(0, 1, bytes(size), sequence, ack=False) for sequence in (1, 2)]
    for frame in frames:
        air.radios[0].transmit(frame, csma=False)
    air.clock.run_for(SECOND)
    (first, _), (second, _) = air.users[1].heard
    assert second - first == space + TURNAROUND + airtime(len(frames[0]) + 2)


def test_the_time_of_an_exchange_matches_the_sum_of_its_parts_within_two_percent() -> None:
    """Facts: mean back-off 1.12 ms, assessment, turnaround, frame, acknowledgement and LIFS in series."""
    air, rounds = Air(2), 400
    frame = air.data(0, 1, bytes(101))
    begun = air.clock.now()
    for _ in range(rounds):
        air.radios[0].transmit(frame)
    air.clock.run_for(20 * SECOND)
    each = (air.users[0].sent[-1][0] + LIFS - begun) / rounds
    expected = 3.5 * BACKOFF_PERIOD + CCA + TURNAROUND + airtime(len(frame) + 2) + ACK_SPAN + LIFS
    assert len(air.users[1].heard) == rounds
    assert each == pytest.approx(expected, rel=0.02)


def test_every_frame_and_acknowledgement_is_captured_once_with_a_good_fcs() -> None:
    air = Air(3)
    frame = air.data(0, 1)
    air.radios[0].transmit(frame, csma=False)
    air.clock.run_for(SECOND)
    ack = b"\x02\x00\x01"
    assert [(name, octets) for name, _, octets in air.log.frames] == [
        ("air", frame + fcs(frame)),
        ("air", ack + fcs(ack)),
    ]
    assert all(has_good_fcs(octets) for _, _, octets in air.log.frames)
    assert [time for _, time, _ in air.log.frames] == [air.users[1].heard[0][0], air.users[0].sent[0][0]]


def test_only_radios_with_a_link_hear() -> None:
    air = Air(3)
    air.medium.unlink(air.radios[0], air.radios[2])
    air.radios[0].transmit(air.data(0, 0xFFFF, ack=False))
    air.clock.run_for(SECOND)
    assert [len(user.heard) for user in air.users] == [0, 1, 0]


def test_radio_networks_do_not_hear_each_other_and_cannot_be_linked() -> None:
    air = Air(1)
    stranger = air.medium.radio("elsewhere", "1")
    with pytest.raises(UsageError, match="no link"):
        air.medium.link(air.radios[0], stranger)
    with pytest.raises(UsageError, match="exists"):
        air.medium.radio("air", "0")


def test_a_link_gives_its_signal_strength_and_quality() -> None:
    air = Air(2)
    air.medium.link(air.radios[0], air.radios[1], rssi=-85)
    air.radios[0].transmit(air.data(0, 1))
    air.clock.run_for(SECOND)
    assert air.users[1].signal == [(-85, 63)]


def test_no_acknowledgement_is_told_after_three_retries() -> None:
    air = Air(2)
    air.configure(1, receiver_on=False)
    handle = air.radios[0].transmit(air.data(0, 1))
    air.clock.run_for(SECOND)
    assert [(told, status) for _, told, status, _ in air.users[0].sent] == [(handle, TransmitStatus.NO_ACK)]
    assert len(air.log.frames) == 4
    assert air.users[0].sent[0][0] == air.log.frames[-1][1] + ACK_WAIT


def test_a_frame_to_all_is_acknowledged_by_nobody_whatever_it_asks_for() -> None:
    air = Air(3)
    air.radios[0].transmit(air.data(0, 0xFFFF, ack=True), retries=0)
    air.clock.run_for(SECOND)
    assert [len(user.heard) for user in air.users] == [0, 1, 1]
    assert [status for *_, status, _ in air.users[0].sent] == [TransmitStatus.NO_ACK]
    assert len(air.log.frames) == 1


def test_a_lost_acknowledgement_makes_the_frame_come_twice() -> None:
    air = Air(2, loss=0.3)
    for number in range(50):
        air.radios[0].transmit(air.data(0, 1, sequence=number))
    air.clock.run_for(10 * SECOND)
    delivered = {frame[2] for _, frame in air.users[1].heard}
    confirmed = sum(status is TransmitStatus.OK for _, _, status, _ in air.users[0].sent)
    assert len(air.users[1].heard) > len(delivered) >= confirmed >= 40
    assert air.radios[0].statistics.retries > 20
    assert air.radios[1].statistics.lost > 10


def test_losses_follow_the_seed() -> None:
    def heard(seed: int) -> list[tuple[int, bytes]]:
        air = Air(2, seed, loss=0.4)
        for number in range(30):
            air.radios[0].transmit(air.data(0, 1, sequence=number))
        air.clock.run_for(10 * SECOND)
        return air.users[1].heard

    assert heard(5) == heard(5) != heard(6)


def test_radios_in_range_take_turns() -> None:
    air = Air(6)
    for number in range(1, 6):
        for sequence in range(10):
            air.radios[number].transmit(air.data(number, 0, bytes(60), sequence))
    air.clock.run_for(5 * SECOND)
    ends = [[status for _, _, status, _ in user.sent] for user in air.users[1:]]
    assert [len(statuses) for statuses in ends] == [10] * 5
    assert all(statuses.count(TransmitStatus.OK) >= 4 for statuses in ends)
    assert sum(statuses.count(TransmitStatus.OK) for statuses in ends) >= 30


def test_hidden_radios_collide_at_the_receiver_between_them() -> None:
    air = Air(3)
    air.medium.unlink(air.radios[1], air.radios[2])
    air.radios[1].transmit(air.data(1, 0, ack=False), csma=False)
    air.radios[2].transmit(air.data(2, 0, ack=False), csma=False)
    air.clock.run_for(SECOND)
    assert air.users[0].heard == []
    assert air.radios[0].statistics.lost == 2
    assert len(air.log.frames) == 2


def test_a_busy_channel_ends_in_an_access_failure() -> None:
    air = Air(3)
    long = air.data(1, 0xFFFF, bytes(110), ack=False)
    for _ in range(20):
        air.radios[1].transmit(long, csma=False)
    for _ in range(20):
        air.radios[0].transmit(air.data(0, 2))
    air.clock.run_for(SECOND)
    statuses = [status for _, _, status, _ in air.users[0].sent]
    assert TransmitStatus.CHANNEL_ACCESS_FAILURE in statuses
    assert air.radios[0].statistics.no_access == statuses.count(TransmitStatus.CHANNEL_ACCESS_FAILURE)


def test_the_pending_bit_is_set_for_data_requests_of_those_named() -> None:
    air = Air(3)
    air.radios[0].set_pending([ShortAddress(1), Eui64(EUI + 2)])
    poll = DataRequest().encode()
    by_short = MacFrame(FrameType.COMMAND, 1, PAN, ShortAddress(0), PAN, ShortAddress(1), poll, ack_request=True)
    by_eui = MacFrame(FrameType.COMMAND, 2, PAN, ShortAddress(0), PAN, Eui64(EUI + 2), poll, ack_request=True)
    other = MacFrame(FrameType.COMMAND, 3, PAN, ShortAddress(0), PAN, ShortAddress(2), poll, ack_request=True)
    air.radios[1].transmit(by_short.encode())
    air.radios[2].transmit(by_eui.encode())
    air.radios[2].transmit(other.encode())
    air.radios[1].transmit(air.data(1, 0, sequence=4))
    air.clock.run_for(SECOND)
    assert [pending for _, _, _, pending in air.users[1].sent] == [True, False]
    assert [pending for _, _, _, pending in air.users[2].sent] == [True, False]


def test_the_address_filter() -> None:
    air = Air(3)
    air.configure(0, coordinator=True)
    air.configure(1, pan=0xFFFF)
    air.configure(2, pan=PAN + 1)
    sender = air.medium.radio("air", "sender")
    for radio in air.radios:
        air.medium.link(sender, radio)
    sender.attach(Listener(air.clock))
    sender.configure(
        eui=Eui64(1), short=ShortAddress(0x99), pan_id=PAN, channel=CHANNEL, receiver_on=True, coordinator=False
    )
    capability = AssociationRequest(Capability()).encode()
    beacon = Beacon(Eui64(EUI), True, True, True, True, 0, 0).encode()
    frames = [
        data_frame(1, PAN, ShortAddress(0), ShortAddress(0x99), b"to 0", ack_request=True),
        data_frame(2, PAN, ShortAddress(0xFFFF), ShortAddress(0x99), b"to all of the PAN", ack_request=False),
        data_frame(3, 0xFFFF, ShortAddress(0xFFFF), ShortAddress(0x99), b"to all", ack_request=False),
        MacFrame(FrameType.DATA, 4, PAN, Eui64(EUI), PAN, ShortAddress(0x99), b"to EUI", ack_request=True).encode(),
        MacFrame(FrameType.COMMAND, 5, None, None, PAN, Eui64(1), capability).encode(),
        MacFrame(FrameType.BEACON, 6, None, None, PAN, ShortAddress(0x99), beacon).encode(),
        MacFrame(FrameType.COMMAND, 7, 0xFFFF, ShortAddress(0xFFFF), None, None, BeaconRequest().encode()).encode(),
    ]
    for frame in frames:
        sender.transmit(frame)
    air.clock.run_for(SECOND)
    assert [[frame[2] for _, frame in user.heard] for user in air.users] == [[1, 2, 3, 4, 5, 6, 7], [3, 6, 7], [3, 7]]


def test_another_channel_is_not_heard() -> None:
    air = Air(2)
    air.radios[1].configure(
        eui=Eui64(EUI + 1), short=ShortAddress(1), pan_id=PAN, channel=11, receiver_on=True, coordinator=False
    )
    air.radios[0].transmit(air.data(0, 1))
    air.clock.run_for(SECOND)
    assert air.users[1].heard == []


def test_a_radio_attached_anew_has_forgotten_what_was_queued() -> None:
    air = Air(2)
    air.radios[0].transmit(air.data(0, 1), csma=False)
    air.radios[0].transmit(air.data(0, 1, sequence=2))
    air.clock.run_for(MILLISECOND // 2)
    fresh = Listener(air.clock)
    air.radios[0].attach(fresh)
    air.clock.run_for(SECOND)
    assert (air.users[1].heard, fresh.sent, air.log.frames) == ([], [], [])


def test_an_energy_scan_hears_what_is_on_the_air() -> None:
    air = Air(2)
    assert air.radios[1].energy_scan(CHANNEL) == -100
    air.radios[0].transmit(air.data(0, 0xFFFF, bytes(100), ack=False), csma=False)
    air.clock.run_for(MILLISECOND)
    assert air.radios[1].energy_scan(CHANNEL) == -60
    assert air.radios[1].energy_scan(CHANNEL + 1) == -100


def test_oversize_frames_are_refused() -> None:
    air = Air(1)
    with pytest.raises(UsageError, match="126 octets"):
        air.radios[0].transmit(bytes(126))


def test_a_simulated_radio_is_what_medium_gives() -> None:
    assert isinstance(Air(1).radios[0], SimulatedRadio)
