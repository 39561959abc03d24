"""The rules by name, what breaks them, and the report."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from protocols.interfaces import MILLISECOND

RULES: Final = {
    "fcs": "the FCS of every frame is good",
    "undecrypted": "every protected frame opens with a key of the table",
    "malformed": "every frame and command can be read",
    "unprotected": "nothing goes without security that must not",
    "nwk-counter": "frame counters of a sender rise under a network key",
    "aps-counter": "frame counters of a sender rise under a link key",
    "mac-retries": "a MAC frame is repeated no more often than allowed",
    "mac-ack": "a receiver that is there acknowledges what asks for it, collisions apart",
    "aps-ack": "a destination that got an APS frame acknowledges it if asked",
    "block-size": "a block response carries data, and no more than was asked for",
    "block-offset": "a block response has the offset of its request",
    "block-order": "a client asks for the next block it lacks, never beyond it",
    "block-content": "an offset of an image has the same octets each time",
    "block-retries": "an offset is asked for no more often in a row than allowed",
    "block-period": "block requests keep the minimum block period",
    "wait-for-data": "no block is asked for before the time that the server told",
    "upgrade-end": "a whole image is followed by Upgrade End, SUCCESS comes after a whole one only",
    "invalid-image": "a bad image is answered with Upgrade End INVALID_IMAGE and never runs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LintSettings:
    """What differs between networks."""

    block_size: int | None = None  # octets a block may have at most, beside what was asked
    period_unit: int = MILLISECOND  # ns of the minimum block period: SECOND for cluster revision 2
    repeats: int = 10  # requests for an offset beyond the first, in a row
    mac_retries: int = 3  # macMaxFrameRetries
    unacknowledged: float = 0.01
    """Share of the frames to a receiver that may stay without acknowledgement.

    A capture cannot tell a frame that a link lost from one that its receiver ignored: where links lose frames it must
    be the share that all tries lose.
    """


class Finding(NamedTuple):
    """A rule broken."""

    rule: str
    frames: tuple[int, ...]  # numbers as Wireshark counts
    what: str


@dataclass(slots=True)
class Report:
    """What was checked and found."""

    frames: int = 0
    findings: list[Finding] = field(default_factory=list)
    checked: Counter[str] = field(default_factory=Counter)  # how often each rule was put to the test

    def check(self, rule: str, good: bool, frames: tuple[int, ...], what: str) -> None:
        self.checked[rule] += 1
        if not good:
            self.findings.append(Finding(rule, frames, what))

    def of(self, rule: str) -> list[Finding]:
        return [finding for finding in self.findings if finding.rule == rule]
