"""Time-outs, generate times, back-off, and what a lost message or acknowledgement does."""

import itertools
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.cbke.types import Cause, CbkeSettings, Established, Failed, Send
from protocols.crypto.suites import Suite
from protocols.errors import UsageError
from protocols.interfaces import MINUTE, SECOND
from protocols.zcl.clusters.key_establishment import TerminateStatus
from tests.support.cbke import (
    DELAY,
    DEVICE,
    ENDPOINT,
    HUB,
    START,
    Fate,
    Network,
    credentials,
    failures,
    frames,
    initiator,
    keys,
    outcomes,
    responder,
)

ONE = (Suite.SUITE_1,)
LOST = Fate(())
NOT_HEARD = Fate((DELAY,), acknowledged=False)


def network(
    *fates: Fate, device: CbkeSettings | None = None, hub: CbkeSettings | None = None, started: bool = True
) -> Network:
    made = Network(initiator(credentials(DEVICE, ONE), device), responder(credentials(HUB, ONE), hub), fates)
    if started:
        made.start()
    return made


# --- waiting for the partner ---------------------------------------------------------------------------------------


def test_each_wait_is_the_time_the_partner_told_and_the_allowance() -> None:
    """The answer to the first message takes no arithmetic, so no generate time."""
    device_settings = CbkeSettings(ephemeral_data_generate_time=11, confirm_key_generate_time=16, allowance=2 * SECOND)
    hub_settings = CbkeSettings(ephemeral_data_generate_time=21, confirm_key_generate_time=26, allowance=3 * SECOND)
    device, hub = initiator(credentials(DEVICE, ONE), device_settings), responder(settings=hub_settings)
    waits: list[tuple[int | None, int | None]] = []
    effects = device.start(HUB, 1, START)
    for _ in range(3):
        before = device.deadline
        answer = hub.frame(DEVICE, ENDPOINT, frames(effects)[0], START)
        waits.append((before, hub.deadline))
        effects = device.frame(HUB, frames(answer)[0], START)
    seconds = [tuple(None if when is None else (when - START) // SECOND for when in pair) for pair in waits]
    assert seconds == [(2, 11 + 3), (21 + 2, 16 + 3), (26 + 2, 3)]
    assert keys(outcomes(effects))


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_silent_hub_times_out_without_a_word(step: int) -> None:
    device, hub = initiator(credentials(DEVICE, ONE)), responder()
    effects = device.start(HUB, 1, START)
    for _ in range(step):
        answer = hub.frame(DEVICE, ENDPOINT, frames(effects)[0], START)
        effects = device.frame(HUB, frames(answer)[0], START)
    due = device.deadline
    assert due is not None
    assert device.wake(due - 1) == []
    assert device.wake(due) == [Failed(HUB, Suite.SUITE_1, Cause.TIMED_OUT, None, due + 10 * SECOND)]


@pytest.mark.parametrize("step", [0, 1])
def test_a_silent_device_times_out_without_a_word(step: int) -> None:
    device, hub = initiator(credentials(DEVICE, ONE)), responder()
    effects = device.start(HUB, 1, START)
    for _ in range(step + 1):
        answer = hub.frame(DEVICE, ENDPOINT, frames(effects)[0], START)
        effects = device.frame(HUB, frames(answer)[0], START)
    due = hub.deadline
    assert due is not None
    assert hub.wake(due - 1) == []
    assert hub.wake(due) == [Failed(DEVICE, Suite.SUITE_1, Cause.TIMED_OUT)]
    assert hub.deadline is None


def test_work_takes_its_time_on_both_sides() -> None:
    """Each side computes twice: 2 and 4 s at the device, 3 and 5 s at the hub; four more messages are quick."""
    device = CbkeSettings(ephemeral_duration=2 * SECOND, confirm_duration=4 * SECOND)
    hub = CbkeSettings(ephemeral_duration=3 * SECOND, confirm_duration=5 * SECOND)
    made = network(device=device, hub=hub)
    made.run()
    assert keys(made.at_device) == keys(made.at_hub) != []
    assert failures(made.at_device) == failures(made.at_hub) == []
    assert made.now >= START + 14 * SECOND + 6 * DELAY
    assert len(made.air) == 6


@pytest.mark.parametrize("slow", ["ephemeral_duration", "confirm_duration"])
def test_a_hub_slower_than_it_told_is_given_up(slow: str) -> None:
    made = network(device=CbkeSettings(attempts=1), hub=CbkeSettings(**{slow: 20 * SECOND}))
    made.run()
    assert [(failure.cause, failure.retry_at) for failure in failures(made.at_device)] == [(Cause.TIMED_OUT, None)]
    assert keys(made.at_device) == []


def test_a_device_slower_than_it_told_is_given_up() -> None:
    made = network(device=CbkeSettings(attempts=1, ephemeral_duration=20 * SECOND))
    made.run()
    assert [failure.cause for failure in failures(made.at_hub)] == [Cause.TIMED_OUT]
    assert [failure.status for failure in failures(made.at_device)] == [TerminateStatus.BAD_MESSAGE]
    assert keys(made.at_device) == keys(made.at_hub) == []


def test_a_terminate_reaches_a_side_at_work() -> None:
    """The hub has lost patience and been restarted; its refusal of an old request ends the device's exchange."""
    device = initiator(credentials(DEVICE, ONE), CbkeSettings(ephemeral_duration=2 * SECOND))
    answer = responder().frame(DEVICE, ENDPOINT, frames(device.start(HUB, 1, START))[0], START)
    assert device.frame(HUB, frames(answer)[0], START) == []
    (failed,) = device.frame(HUB, bytes.fromhex("09000303000300"), START)
    assert isinstance(failed, Failed)
    assert (failed.cause, failed.status) == (Cause.TERMINATED, TerminateStatus.BAD_MESSAGE)


# --- trying again --------------------------------------------------------------------------------------------------


def _times_of_attempts(settings: CbkeSettings, number: int) -> list[int]:
    """Return when a device in silence begins its attempts, in s after the first; each fails by time-out."""
    device, begun = initiator(credentials(DEVICE, ONE), settings), [0]
    effects = device.start(HUB, 1, START)
    now = START
    while len(begun) < number and device.deadline is not None:
        now = device.deadline
        effects = device.wake(now)
        begun += [(now - START) // SECOND for _ in frames(effects)]
    return begun


def test_pauses_double_up_to_a_limit() -> None:
    settings = CbkeSettings(retry_after=10 * SECOND, retry_most=MINUTE, allowance=2 * SECOND)
    begun = _times_of_attempts(settings, 7)
    gaps = [later - earlier for earlier, later in itertools.pairwise(begun)]
    assert gaps == [12, 22, 42, 62, 62, 62]


def test_attempts_end_where_the_settings_say() -> None:
    assert len(_times_of_attempts(CbkeSettings(attempts=3), 100)) == 3
    assert len(_times_of_attempts(CbkeSettings(), 300)) == 300


def test_a_success_is_no_failure_for_the_next_start() -> None:
    made = network(LOST, LOST)
    made.run()
    made.at_device.clear()
    made._fates = [LOST]
    made.start()
    began = made.now
    made.run()
    (failed,) = failures(made.at_device)
    assert failed.cause is Cause.NOT_DELIVERED
    assert failed.retry_at is not None
    assert failed.retry_at < began + 20 * SECOND


# --- lost messages and acknowledgements ----------------------------------------------------------------------------


@pytest.mark.parametrize("place", range(6))
def test_a_lost_message_costs_one_attempt(place: int) -> None:
    made = network(*[Fate()] * place, LOST)
    made.run()
    assert len(failures(made.at_device)) == 1
    assert keys(made.at_device)[-1] == keys(made.at_hub)[-1]
    assert len(keys(made.at_device)) == 1


@pytest.mark.parametrize("place", range(5))
def test_a_lost_acknowledgement_of_an_answered_message_costs_nothing(place: int) -> None:
    made = network(*[Fate()] * place, NOT_HEARD)
    made.run()
    assert failures(made.at_device) == failures(made.at_hub) == []
    assert keys(made.at_device) == keys(made.at_hub) != []


@pytest.mark.parametrize("fate", [LOST, NOT_HEARD])
def test_hub_says_so_when_its_last_message_was_not_acknowledged(fate: Fate) -> None:
    """It cannot know whether the device has the key; if not, the device begins anew."""
    made = network(*[Fate()] * 5, fate)
    made.run()
    established, failed = made.at_hub[:2]
    assert isinstance(established, Established)
    assert failed == Failed(DEVICE, Suite.SUITE_1, Cause.NOT_DELIVERED)
    assert keys(made.at_device)[-1] == keys(made.at_hub)[-1]
    assert len(keys(made.at_hub)) == (2 if fate is LOST else 1)


def test_hub_forgets_a_finished_exchange_of_which_it_hears_nothing() -> None:
    device, hub = initiator(credentials(DEVICE, ONE)), responder()
    effects = device.start(HUB, 1, START)
    for _ in range(3):
        answer = hub.frame(DEVICE, ENDPOINT, frames(effects)[0], START)
        effects = device.frame(HUB, frames(answer)[0], START)
    assert keys(outcomes(answer))
    assert hub.deadline == START + CbkeSettings().allowance
    assert hub.wake(hub.deadline) == []
    assert hub.deadline is None


def test_fate_of_other_messages_changes_nothing() -> None:
    device, hub = initiator(credentials(DEVICE, ONE)), responder()
    (send,) = device.start(HUB, 1, START)
    assert isinstance(send, Send)
    assert device.delivered(send.token + 1, START, acknowledged=False) == []
    assert device.delivered(send.token, START, acknowledged=True) == []
    assert hub.delivered(1, START, acknowledged=False) == []
    assert [type(effect) for effect in device.delivered(send.token, START, acknowledged=False)] == [Failed]
    assert device.delivered(send.token, START, acknowledged=False) == []


# --- any network ---------------------------------------------------------------------------------------------------

delays = st.integers(1, 30 * 1000).map(lambda milliseconds: milliseconds * (SECOND // 1000))
fates = st.lists(st.builds(Fate, st.lists(delays, max_size=3).map(tuple), st.booleans()), max_size=14)
durations = st.sampled_from((0, 0, SECOND, 4 * SECOND, 9 * SECOND))
tempers = st.builds(CbkeSettings, ephemeral_duration=durations, confirm_duration=durations)


@settings(max_examples=60, deadline=None, database=None)
@given(fates, tempers, tempers)
def test_over_any_network_both_end_with_one_key(drawn: list[Fate], device: CbkeSettings, hub: CbkeSettings) -> None:
    """Messages are lost, doubled, late and out of order for a while; neither side ever waits for nothing.

    Whatever key the device takes, the hub has taken before.
    """
    made = network(*drawn, device=device, hub=hub, started=False)
    made.start()
    made.run()
    assert len(keys(made.at_device)) == 1
    assert keys(made.at_device)[-1] in keys(made.at_hub)
    assert keys(made.at_hub)[-1] == keys(made.at_device)[-1]
    assert made.device.idle
    assert made.device.deadline is made.hub.deadline is None


@settings(max_examples=40, deadline=None, database=None)
@given(fates)
def test_over_any_network_a_foreign_device_gets_no_key(drawn: list[Fate]) -> None:
    """A device of another authority with the same name."""
    foreign = initiator(credentials(DEVICE, ONE, seed=9), CbkeSettings(attempts=3))
    made = Network(foreign, responder(credentials(HUB, ONE)), drawn)
    made.start()
    made.run()
    assert keys(made.at_device) == keys(made.at_hub) == []
    assert failures(made.at_device)[-1].retry_at is None
    assert made.hub.deadline is None


# --- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ephemeral_data_generate_time", "confirm_key_generate_time", "wait_time"])
def test_times_that_cannot_be_sent_are_usage_errors(name: str) -> None:
    assert name in {field.name for field in fields(CbkeSettings)}
    for seconds in (-1, 255):
        with pytest.raises(UsageError, match="0 to 254 s"):
            CbkeSettings(**{name: seconds})


def test_an_allowance_below_two_seconds_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="at least 2 s"):
        CbkeSettings(allowance=2 * SECOND - 1)
