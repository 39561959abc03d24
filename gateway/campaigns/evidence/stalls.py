"""Who held a transfer up: each stretch of time of an exchange is put to a cause, from what the capture shows."""

from collections import Counter
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from gateway.campaigns.evidence.exchanges import Attempt, Exchange
from gateway.campaigns.evidence.hops import HopLog, Passage
from protocols.addresses import Eui64

_GIVEN_UP = "the device had given up waiting"


class Cause(Enum):
    """What a stretch of time was spent on; `who` is device, radio, queue (of a relay or a parent) or hub."""

    REQUEST_LATE = ("request late", "device")
    NOT_POLLED = ("device did not poll for the answer", "device")
    NOT_TAKEN = ("answer arrived and was not taken", "device")
    RESTARTED = ("device restarted", "device")
    AIR = ("on the air", "radio")
    RETRIES = ("tried again on the air", "radio")
    REQUEST_DROPPED = ("request dropped on the air", "radio")
    ANSWER_DROPPED = ("answer dropped on the air", "radio")
    OUT_OF_REACH = ("next hop silent", "radio")
    REQUEST_QUEUED = ("request waited at a relay", "queue")
    ANSWER_QUEUED = ("answer waited at a relay", "queue")
    POLL_AWAITED = ("answer waited for a poll", "queue")
    REQUEST_NOT_RELAYED = ("request not relayed", "queue")
    ANSWER_NOT_RELAYED = ("answer not relayed", "queue")
    ANSWER_LATE = ("answer late", "hub")
    NO_ANSWER = ("request arrived, no answer", "hub")
    TOLD_TO_WAIT = ("hub told the device to wait", "hub")

    def __init__(self, text: str, who: str) -> None:
        self.text, self.who = text, who


class Stretch(NamedTuple):
    """A part of an exchange's time."""

    cause: Cause
    duration: int  # ns
    where: Eui64 | None = None  # the relay, or the hop's receiver
    detail: str = ""


def stretches(exchange: Exchange, before: Exchange | None, hops: HopLog, restarts: list[int]) -> list[Stretch]:
    """Take the time of a finished exchange apart, from `since` to `ended`; restarts: of its device, ns."""
    if exchange.ended is None:
        return []
    found: list[Stretch] = [_lead(exchange, before, hops, restarts)]
    attempts = exchange.attempts
    for attempt, following in pairwise(attempts):
        begin, end = attempt.request.began, following.request.began
        if any(begin < restart <= end for restart in restarts):
            found.append(Stretch(Cause.RESTARTED, end - begin))
        else:
            cause, where, detail = _why_again(attempt, end, hops)
            found.append(Stretch(cause, end - begin, where, detail))
    return found + _last(attempts[-1], exchange, hops)


def _lead(exchange: Exchange, before: Exchange | None, hops: HopLog, restarts: list[int]) -> Stretch:
    """The time until the first request: the device's own, or that of what a page before it lost."""
    begin = exchange.attempts[0].request.began
    duration = max(0, begin - exchange.since)
    if any(exchange.since < restart <= begin for restart in restarts):
        return Stretch(Cause.RESTARTED, duration)
    if before is not None and before.lost:
        cause, where, detail = _why_dropped(before.lost[-1], hops, answer=True)
        return Stretch(cause, duration, where, detail)
    return Stretch(Cause.TOLD_TO_WAIT if exchange.paced else Cause.REQUEST_LATE, duration)


def _why_again(attempt: Attempt, until: int, hops: HopLog) -> tuple[Cause, Eui64 | None, str]:
    """Say why a request was followed by another for the same offset, `until` (ns)."""
    if attempt.request.arrived is None:
        return _why_dropped(attempt.request, hops, answer=False)
    if attempt.answer is None:
        unasked = _never_polled(attempt, until, hops)
        return (Cause.NOT_POLLED if unasked else Cause.NO_ANSWER), None, ""
    if attempt.answer.arrived is None:
        return _why_dropped(attempt.answer, hops, answer=True)
    if attempt.held:
        return Cause.TOLD_TO_WAIT, None, ""
    late = attempt.answer.began - attempt.request.arrived
    queued = attempt.answer.arrived - attempt.answer.began
    if max(late, queued) < 1_000_000_000:
        return Cause.NOT_TAKEN, None, ""
    if any(hops.polled(hop) for hop in attempt.answer.hops):
        return Cause.POLL_AWAITED, None, _GIVEN_UP
    return (Cause.ANSWER_LATE if late >= queued else Cause.ANSWER_QUEUED), None, _GIVEN_UP


def _why_dropped(passage: Passage, hops: HopLog, *, answer: bool) -> tuple[Cause, Eui64 | None, str]:
    """Say where a frame was lost: not acknowledged by the next hop, or acknowledged there and never sent on."""
    hop = passage.hops[-1]
    if hop.done:
        return (Cause.ANSWER_NOT_RELAYED if answer else Cause.REQUEST_NOT_RELAYED), hop.receiver, ""
    silent = hops.silence(hop.network, -1 if hop.destination is None else int(hop.destination), hop.last)
    tries = f"{hop.tries} tries without acknowledgement"
    if silent >= 5_000_000_000:
        return Cause.OUT_OF_REACH, hop.receiver, f"{tries}, not heard for {silent / 1e9:.1f} s"
    return (Cause.ANSWER_DROPPED if answer else Cause.REQUEST_DROPPED), hop.receiver, tries


def _never_polled(attempt: Attempt, until: int, hops: HopLog) -> bool:
    """Whether a device that fetches frames from its parent did not do so after a request."""
    first = attempt.request.hops[0]
    polls = hops.polls(first.network, attempt.request.source)
    return bool(polls) and not any(first.ended < poll <= until for poll in polls)


def _last(attempt: Attempt, exchange: Exchange, hops: HopLog) -> list[Stretch]:
    """Take the last attempt apart, whose answer, or that to an earlier one meanwhile, ended the exchange."""
    request, answer, end = attempt.request, attempt.answer, exchange.ended
    arrived = request.arrived
    if end is None:
        return []
    if answer is None or answer.arrived is None or arrived is None or answer.arrived != end:
        earlier = [each.answer for each in exchange.attempts if each.answer is not None and each.answer.arrived == end]
        polled = any(hops.polled(hop) for passage in earlier for hop in passage.hops)
        cause = Cause.POLL_AWAITED if polled else Cause.ANSWER_LATE
        return [Stretch(cause, max(0, end - request.began), None, "to an earlier request")]
    if attempt.paged:
        late = Stretch(Cause.ANSWER_LATE, max(0, end - arrived - exchange.planned))
        return [*_way(request, hops, answer=False), late]
    late_or_polled = Cause.POLL_AWAITED if hops.polled(answer.hops[0]) else Cause.ANSWER_LATE
    turnaround = Stretch(late_or_polled, max(0, answer.began - arrived))
    return [*_way(request, hops, answer=False), turnaround, *_way(answer, hops, answer=True)]


def _way(passage: Passage, log: HopLog, *, answer: bool) -> list[Stretch]:
    """Take the way of a frame that arrived apart: air, repetitions, and waiting at relays."""
    found = []
    hops = passage.hops
    for index, hop in enumerate(hops):
        cause = Cause.AIR if hop.tries == 1 else Cause.RETRIES
        found.append(Stretch(cause, hop.ended - hop.began, hop.receiver))
        if index + 1 < len(hops):
            waited = max(0, hops[index + 1].began - hop.ended)
            queued = Cause.ANSWER_QUEUED if answer else Cause.REQUEST_QUEUED
            polled = log.polled(hops[index + 1])
            found.append(Stretch(Cause.POLL_AWAITED if polled else queued, waited, hop.receiver))
    return found


def blame(parts: list[Stretch]) -> Stretch:
    """Return the cause with the largest share of a stall, with the place and detail of its longest stretch."""
    totals: Counter[Cause] = Counter()
    for part in parts:
        totals[part.cause] += part.duration
    cause = max(totals, key=lambda each: totals[each])
    longest = max((part for part in parts if part.cause is cause), key=lambda part: part.duration)
    return Stretch(cause, totals[cause], longest.where, longest.detail)
