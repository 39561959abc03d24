"""The record of each block of a transfer: what was asked when, how often, and what came back."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gateway.campaigns.evidence.hops import HopLog, Passage
from gateway.campaigns.evidence.transfers import Transfer
from protocols.zcl.clusters import ota

if TYPE_CHECKING:
    from gateway.campaigns.evidence.capture import OtaEvent


class Attempt:
    """One request for a block or a page, and its answer as far as one was seen."""

    __slots__ = ("answer", "frame", "held", "paged", "request", "spacing", "time", "transaction")

    def __init__(self, event: "OtaEvent", passage: Passage, spacing: int | None) -> None:
        self.time, self.frame, self.transaction = event.time, event.frame, event.transaction
        self.request = passage
        self.answer: Passage | None = None  # for a page: that of its last block
        self.held = False  # answered with WAIT_FOR_DATA or a refusal
        self.paged = spacing is not None
        self.spacing = spacing or 0  # ns, of a page


class Exchange:
    """One offset asked for until its block came; for a page, its first offset until its last block."""

    __slots__ = ("attempts", "blocks", "ended", "lost", "octets", "offset", "paced", "since")

    def __init__(self, offset: int, since: int, *, paced: bool) -> None:
        """since: ns, when the device had all before. paced: the hub has set a minimum block period."""
        self.offset, self.since, self.paced = offset, since, paced
        self.attempts: list[Attempt] = []
        self.ended: int | None = None  # ns, when the device had the block
        self.blocks = 0  # answers that arrived
        self.octets = 0
        self.lost: list[Passage] = []  # answers that did not arrive

    @property
    def duration(self) -> int:
        return 0 if self.ended is None else self.ended - self.since

    @property
    def planned(self) -> int:
        """Return how much of the duration the device asked for itself: the spacing of a page."""
        return max(0, self.blocks - 1) * self.attempts[0].spacing if self.attempts else 0

    def answered(self, passage: Passage, octets: int) -> None:
        arrived = passage.arrived
        if arrived is None:
            self.lost.append(passage)
        elif self.ended is None or arrived > self.ended:
            self.ended = arrived
            self.blocks += 1
            self.octets = octets


def exchanges(transfer: Transfer, events: Sequence["OtaEvent"], hops: HopLog) -> Iterator[Exchange]:
    """Yield the exchanges of a transfer in order; events: of its device, in order of time."""
    current: Exchange | None = None
    paced = False
    for event in events:
        if not transfer.started <= event.time <= transfer.ended:
            continue
        passage = hops.passages.get(event.frame)
        if passage is None:
            continue
        command = event.command
        if isinstance(command, ota.ImageBlockRequest | ota.ImagePageRequest):
            if current is None or current.offset != command.file_offset:
                if current is not None:
                    yield current
                current = Exchange(command.file_offset, _since(current, passage), paced=paced)
            spacing = command.response_spacing * 1_000_000 if isinstance(command, ota.ImagePageRequest) else None
            current.attempts.append(Attempt(event, passage, spacing))
        elif current is not None:
            _take_answer(current, event, passage)
            if isinstance(command, ota.ImageBlockWait) and command.minimum_block_period is not None:
                paced = command.minimum_block_period > 0
    if current is not None:
        yield current


def _since(before: Exchange | None, first: Passage) -> int:
    """Return when the device had all before; a transfer begins with its `first` request."""
    if before is None:
        return first.began
    return before.ended if before.ended is not None else before.attempts[-1].time


def _take_answer(current: Exchange, event: "OtaEvent", passage: Passage) -> None:
    command = event.command
    attempt = next((each for each in reversed(current.attempts) if each.transaction == event.transaction), None)
    if attempt is None:
        return
    if isinstance(command, ota.ImageBlockResponse):
        attempt.answer = passage
        current.answered(passage, len(command.data))
    elif isinstance(command, ota.ImageBlockWait | ota.ImageBlockRefused):
        attempt.answer, attempt.held = passage, True
