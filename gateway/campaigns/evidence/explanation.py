"""Each transfer of a run in figures, and who held it up: what `hanlab ota explain` shows."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from gateway.campaigns.evidence.capture import CaptureEvidence, OtaEvent, read_capture
from gateway.campaigns.evidence.exchanges import Exchange, exchanges
from gateway.campaigns.evidence.hops import HopLog
from gateway.campaigns.evidence.stalls import Cause, Stretch, blame, stretches
from gateway.campaigns.evidence.transfers import Transfer
from protocols.addresses import Eui64
from protocols.interfaces import SECOND

WHO = ("device", "radio", "queue", "hub")  # who can spend the time of a block
STALL = SECOND  # ns beyond what the device asked for itself


class Distribution(NamedTuple):
    """Of a kind of time, ns."""

    number: int
    median: int
    p95: int
    most: int

    @classmethod
    def of(cls, values: Sequence[int]) -> "Distribution":
        if not values:
            return _NONE
        ordered = sorted(values)
        return cls(len(ordered), ordered[len(ordered) // 2], ordered[len(ordered) * 95 // 100], ordered[-1])


_NONE = Distribution(0, 0, 0, 0)


class BlockRecord(NamedTuple):
    """A block, or the blocks of a page: what their time was spent on, and the cause with the largest share of it."""

    began: int  # ns UTC, when the device had all before
    frame: int  # of the first request
    offset: int
    blocks: int
    duration: int  # ns
    attempts: int
    spent: dict[str, int]  # ns by who: device, radio, queue, hub
    cause: Cause
    share: int  # ns of the duration
    where: Eui64 | None
    detail: str


@dataclass(slots=True)
class Explained:
    """One transfer. Times in ns."""

    transfer: Transfer
    duration: int = 0  # from the first request to the last block
    octets: int = 0  # fetched in that time
    blocks: int = 0
    block_size: int = 0  # the usual one
    requests: int = 0
    repeats: int = 0
    waits: int = 0
    pages: int = 0
    request_to_response: Distribution = _NONE
    response_to_request: Distribution = _NONE
    causes: dict[Cause, int] = field(default_factory=dict)  # time of each
    record: list[BlockRecord] = field(default_factory=list)  # of every block that came, in order
    stalls: list[BlockRecord] = field(default_factory=list)  # of those, what took too long
    busy: dict[str, float] = field(default_factory=dict)  # share of the time the air was in use, by network

    @property
    def rate(self) -> float:
        """Octets a second."""
        return self.octets * SECOND / self.duration if self.duration else 0.0

    def share(self, who: str) -> float:
        """Return the part of the time that was spent by `device`, `radio`, `queue` or `hub`."""
        total = sum(self.causes.values())
        return sum(time for cause, time in self.causes.items() if cause.who == who) / total if total else 0.0


def explain(evidence: CaptureEvidence, hops: HopLog, *, stall: int = STALL) -> list[Explained]:
    """Explain every transfer of a capture that `hops` has watched."""
    events: dict[Eui64, list[OtaEvent]] = defaultdict(list)
    for event in evidence.ota:
        if event.device is not None:
            events[event.device].append(event)
    restarts: dict[Eui64, list[int]] = defaultdict(list)
    for announcement in evidence.announcements:
        restarts[announcement.device].append(announcement.time)
    return [
        _explain(transfer, events[transfer.device], hops, restarts[transfer.device], stall)
        for transfer in evidence.transfers
    ]


def explain_file(capture: Path, keys: Path, *, stall: int = STALL) -> list[Explained]:
    """Explain the transfers of a capture file, also a sniffer's; InputError if it or the keys cannot be read."""
    hops = HopLog()
    return explain(read_capture(capture, keys, hops), hops, stall=stall)


def explain_folder(folder: Path, *, stall: int = STALL) -> list[Explained]:
    """Explain the transfers of an output folder; InputError if its capture or keys cannot be read."""
    return explain_file(folder / "capture.pcapng", folder / "keys.txt", stall=stall)


def _explain(transfer: Transfer, events: list[OtaEvent], hops: HopLog, restarts: list[int], stall: int) -> Explained:
    told = Explained(transfer, waits=transfer.waits)
    causes: Counter[Cause] = Counter()
    sizes: Counter[int] = Counter()
    asking, answering = list[int](), list[int]()
    before: Exchange | None = None
    for exchange in exchanges(transfer, events, hops):
        told.requests += len(exchange.attempts)
        told.repeats += len(exchange.attempts) - 1
        told.pages += sum(attempt.paged for attempt in exchange.attempts)
        if exchange.ended is not None:
            told.blocks += exchange.blocks
            sizes[exchange.octets] += exchange.blocks
            parts = stretches(exchange, before, hops, restarts)
            for part in parts:
                causes[part.cause] += part.duration
            asking.append(max(0, exchange.attempts[0].request.began - exchange.since))
            answering += _answer_times(exchange)
            told.record.append(_record(exchange, parts))
            if exchange.duration - exchange.planned > stall:
                told.stalls.append(told.record[-1])
            told.duration = exchange.ended - transfer.started
        before = exchange
    told.octets = sum(len(block) for block in transfer.blocks.values())
    told.block_size = sizes.most_common(1)[0][0] if sizes else 0
    told.request_to_response, told.response_to_request = Distribution.of(answering), Distribution.of(asking)
    told.causes = {cause: causes[cause] for cause in Cause if causes[cause]}
    told.busy = _busy(transfer, events, hops)
    return told


def _answer_times(exchange: Exchange) -> list[int]:
    """Return the times from a request to its answer at the device, for blocks asked for singly."""
    found = []
    for attempt in exchange.attempts:
        arrived = None if attempt.answer is None or attempt.paged or attempt.held else attempt.answer.arrived
        if arrived is not None:
            found.append(arrived - attempt.request.began)
    return found


def _record(exchange: Exchange, parts: list[Stretch]) -> BlockRecord:
    spent: dict[str, int] = dict.fromkeys(WHO, 0)
    for part in parts:
        spent[part.cause.who] += part.duration
    attempts, (cause, share, where, detail) = exchange.attempts, blame(parts)
    return BlockRecord(
        exchange.since, attempts[0].frame, exchange.offset, exchange.blocks, exchange.duration, len(attempts), spent,
        cause, share, where, detail,
    )  # fmt: skip


def _busy(transfer: Transfer, events: list[OtaEvent], hops: HopLog) -> dict[str, float]:
    """Return how busy each network was that carried a frame of the transfer."""
    networks: dict[str, None] = {}
    for event in events:
        passage = hops.passages.get(event.frame)
        if passage is not None and transfer.started <= event.time <= transfer.ended:
            networks.update(dict.fromkeys(hop.network for hop in passage.hops))
    return {network: hops.busy(network, transfer.started, transfer.ended) for network in networks}
