"""A frame that contends alone is presumed to find the channel clear: nobody can tell it from an assessment made."""

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.air.disturbance import Jammer
from emulator.air.radio import RadioStatistics, SimulatedRadio
from emulator.air.timing import CCA, TURNAROUND
from protocols.interfaces import MICROSECOND, MILLISECOND, SECOND
from tests.support.air import CHANNEL, Air, Listener

RADIOS = 3

# When (from the action before, in us), who, what, and a number for it.
_whats = st.sampled_from(("to one", "to one", "to one", "to all", "at once", "reset", "away", "back", "scan", "jam"))
_actions = st.lists(
    st.tuples(st.integers(0, 12_000), st.integers(0, RADIOS - 1), _whats, st.integers(0, 100)), min_size=3, max_size=40
)


class Told(NamedTuple):
    """All that anybody can tell."""

    frames: list[tuple[int, bytes]]
    heard: list[list[tuple[int, bytes]]]
    sent: list[list[tuple[int, int, str, bool]]]
    energies: list[int]
    statistics: list[RadioStatistics]


def _radio(air: Air, number: int) -> SimulatedRadio:
    return air.radios[number]


def tell(actions: list[tuple[int, int, str, int]], loss: float, *, presuming: bool) -> Told:
    air, energies = Air(RADIOS, loss=loss), list[int]()
    air.medium.unlink(air.radios[0], air.radios[2])  # hidden from each other
    if not presuming:
        air.radios[0].band.contending = 1  # nobody is ever alone
    users = [[user] for user in air.users]

    def act(who: int, what: str, number: int) -> None:
        radio, to = _radio(air, who), (who + 1 + number % 2) % RADIOS
        if what == "to one":
            radio.transmit(air.data(who, to, bytes(number), number))
        elif what == "to all":
            radio.transmit(air.data(who, 0xFFFF, bytes(number), number, ack=False))
        elif what == "at once":
            radio.transmit(air.data(who, to, bytes(number), number), csma=False)
        elif what == "reset":
            users[who].append(Listener(air.clock))
            radio.attach(users[who][-1])
            air.configure(who)
        elif what in ("away", "back"):
            radio.configure(
                eui=radio._eui, short=radio.short, pan_id=radio._pan, channel=CHANNEL + (what == "away"),
                receiver_on=True, coordinator=False,
            )  # fmt: skip
        elif what == "scan":
            energies.append(radio.energy_scan(CHANNEL))
        else:
            levels = dict.fromkeys(air.radios[: 1 + number % RADIOS], -60.0)
            length = (1 + number) * 100 * MICROSECOND
            air.medium.jam("air", Jammer("noise", (CHANNEL,), air.clock.now(), length, levels=levels))

    due = air.clock.now()
    for pause, who, what, number in actions:
        due += pause * MICROSECOND
        air.clock.call_at(due, act, who, what, number)
    air.clock.run_until(due + SECOND)
    return Told(
        sorted((time, octets) for _, time, octets in air.log.frames),
        [[heard for user in each for heard in user.heard] for each in users],
        [[(*sent[:2], sent[2].name, sent[3]) for user in each for sent in user.sent] for each in users],
        energies,
        [radio.statistics for radio in air.radios],
    )


@settings(max_examples=200, deadline=None)
@given(_actions, st.sampled_from((0.0, 0.2)))
def test_a_presumed_assessment_changes_nothing(actions: list[tuple[int, int, str, int]], loss: float) -> None:
    assert tell(actions, loss, presuming=True) == tell(actions, loss, presuming=False)


def _events(air: Air) -> int:
    """Return how many callbacks ran."""
    air.clock.run_for(SECOND)
    return air.clock.callbacks


def test_a_frame_alone_takes_an_event_less() -> None:
    alone, doubted = Air(2), Air(2)
    doubted.radios[0].band.contending = 1
    for air in (alone, doubted):
        air.radios[0].transmit(air.data(0, 1))
    assert _events(alone) == _events(doubted) - 1
    assert alone.log.frames == doubted.log.frames


def test_another_that_begins_before_the_end_of_the_assessment_is_heard_by_it() -> None:
    """Radio 1 goes on the air without CSMA-CA while radio 0 waits: radio 0 finds the channel busy and backs off."""
    air = Air(3, seed=4)
    air.radios[0].transmit(air.data(0, 2, bytes(100)))
    presumed = air.radios[0].band.presumed
    assert presumed is not None
    assert presumed.start - TURNAROUND - CCA > air.clock.now()  # there is a time to come in between
    air.radios[1].transmit(air.data(1, 2, bytes(100)), csma=False)
    air.clock.run_for(50 * MILLISECOND)
    (first, _), (second, _) = air.users[2].heard
    assert first < second
    assert air.radios[0].statistics.retries == 0
    assert [octets[7] for _, _, octets in air.log.frames if len(octets) > 100] == [1, 0]
