"""The phases of a polyphase supply: what the plan cut, recomputed as interruptions, against what was told of them."""

from collections.abc import Iterable, Iterator
from functools import reduce
from typing import NamedTuple

from gateway.campaigns.verify.air import Carried
from gateway.campaigns.verify.check import Check, conclude, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.gbcs_view import payload_of
from gateway.campaigns.verify.messages import NETWORK_OPERATOR
from gateway.campaigns.verify.outages import receipts
from protocols.gbcs.use_cases import ecs80
from protocols.gbcs.use_cases.ecs80 import WHOLE
from protocols.interfaces import MINUTE, SECOND

PHASES = 3
CLOCK = 15 * SECOND  # by which a meter's clock may be off
LOSS = 3 * MINUTE
_CODES = {  # of the standard, under 3 minutes and from there on; 0: the whole supply
    WHOLE: (0x8F35, 0x8F36), 1: (0x8F37, 0x8F38), 2: (0x8F39, 0x8F3A), 3: (0x8F3B, 0x8F3C),
}  # fmt: skip


class Span(NamedTuple):
    """Without supply, ns UTC."""

    begin: int
    end: int


class Wanted(NamedTuple):
    phase: int  # 0: the whole supply
    span: Span

    @property
    def code(self) -> int:
        return _CODES[self.phase][self.span.end - self.span.begin >= LOSS]

    @property
    def label(self) -> str:
        what = "supply" if self.phase == WHOLE else f"phase {self.phase}"
        return f"{what} off for {(self.span.end - self.span.begin) // SECOND} s from {utc(self.span.begin)}"


class Told(NamedTuple):
    carried: Carried
    alert: ecs80.Alert


class Plan(NamedTuple):
    """What an ESME has to tell, in order; when phases, supply and hub were off."""

    phases: int
    wanted: list[Wanted]
    off: dict[int, list[Span]]  # by phase, from 1
    whole: list[Span]
    hub: list[Span]


def planned(evidence: Evidence) -> Plan:
    plan = evidence.files.summary["plan"]
    phases = PHASES if plan["phase_cuts"] else 1
    off: dict[int, list[Span]] = {phase: [] for phase in range(1, phases + 1)}
    cuts = [(when, length, tuple(off)) for when, length in plan["cuts"]]
    for when, length, gone in [*cuts, *plan["phase_cuts"]]:
        for phase in gone:
            off[phase].append(Span(when, when + length))
    apart = {phase: joined(spans) for phase, spans in off.items()}
    whole = reduce(_common, apart.values())
    wanted = [Wanted(WHOLE, span) for span in whole]
    wanted += [Wanted(phase, span) for phase, spans in apart.items() for span in spans if span not in whole]
    wanted.sort(key=lambda each: (each.span, each.phase))
    return Plan(phases, wanted, apart, whole, whole if plan["hub_phase"] is None else apart[plan["hub_phase"]])


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans that do not touch, in order."""
    found = list[Span]()
    for span in sorted(spans):
        if found and span.begin <= found[-1].end:
            found[-1] = Span(found[-1].begin, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def _common(one: list[Span], other: list[Span]) -> list[Span]:
    pairs = ((max(a.begin, b.begin), min(a.end, b.end)) for a in one for b in other)
    return [Span(begin, end) for begin, end in pairs if begin < end]


def check_phases(evidence: Evidence) -> Iterator[Check]:
    """LIFE-6: each phase that came back is told once, signed, to the network operator; AD1 follow the hub's phase."""
    if not evidence.files.summary["plan"].get("phase_cuts"):
        return
    facts, faults = list[str](), list[str]()
    plan, told = planned(evidence), _told(evidence)
    delivered = {octets for mail, _, octets in evidence.users.device_alerts() if mail.user == NETWORK_OPERATOR}
    for each in plan.wanted:
        found = next((one for one in told if _fits(one, each)), None)
        if found is None:
            faults.append(f"{each.label}: no {each.code:04X}")
            continue
        told.remove(found)
        if not found.carried.valid:
            faults.append(f"{each.label}: {each.code:04X} without a valid signature (frame {found.carried.frame})")
        elif found.carried.octets not in delivered:
            faults.append(f"{each.label}: {each.code:04X} never reached the network operator")
        else:
            facts.append(f"{each.label}: {each.code:04X}")
    faults += [f"{one.alert.alert_code:04X} of {utc(one.alert.interruption)} tells what was not" for one in told]
    faults += _hub_faults(evidence, plan)
    missing = "no phase was cut"
    yield conclude("LIFE-6", "phases told as they were", facts=facts, faults=faults, missing=missing)


def _told(evidence: Evidence) -> list[Told]:
    found = []
    for carried in evidence.air.sent_up(ecs80.MESSAGE_CODE):
        alert = None if carried.judged is None else payload_of(ecs80.Alert.decode, carried.judged.message)
        if alert is not None:
            found.append(Told(carried, alert))
    return found


def _fits(told: Told, wanted: Wanted) -> bool:
    alert, span = told.alert, wanted.span
    near = abs(alert.interruption - span.begin) <= CLOCK and abs(alert.restoration - span.end) <= CLOCK
    return near and alert.alert_code == wanted.code


def _hub_faults(evidence: Evidence, plan: Plan) -> list[str]:
    """Say which AD1 is missing, and which came of a phase that does not feed the hub."""
    told = [receipt.started for receipt in receipts(evidence)]
    due = [span.begin for span in plan.hub if span.end - span.begin >= LOSS]
    faults = [f"no AD1 of {utc(start)}, when the hub lost its phase" for start in due if not _near(start, told)]
    faults += [
        f"{each.label}: an AD1, and the hub had its phase"
        for each in plan.wanted
        if _near(each.span.begin, told) and not _near(each.span.begin, due)
    ]
    return faults


def _near(time: int, times: Iterable[int]) -> bool:
    return any(abs(time - other) <= CLOCK for other in times)
