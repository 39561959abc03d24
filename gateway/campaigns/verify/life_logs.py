"""What users read of an ESME's supply and security: voltages (4.10), power events and security log (6.13)."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.gbcs_view import payload_of
from gateway.campaigns.verify.life_phases import CLOCK, Plan, Span, planned
from gateway.campaigns.verify.messages import Exchange
from protocols.duis.bodies import LogToRead, ReadEventOrSecurityLog, ReadNetworkData
from protocols.gbcs.envelope import Message
from protocols.gbcs.use_cases import ecs23, ecs35
from protocols.interfaces import MINUTE, SECOND

HALF_HOUR = 30 * MINUTE
LOWEST, HIGHEST = 216, 253  # V, the statutory limits: 230 V - 6 %, + 10 %
BOOT = 60 * SECOND  # a meter measures again at most so long after its supply is back
_INTERRUPTED = {0: 0x8F57, 1: 0x8F58, 2: 0x8F59, 3: 0x8F5A}  # by phase; 0: the whole supply
_CODES_OF_POWER = frozenset({*_INTERRUPTED.values(), *range(0x8F35, 0x8F3D)})


class Answer(NamedTuple):
    exchange: Exchange
    message: Message
    octets: bytes
    about: tuple[int, int, int]  # when it was asked for, sent, and delivered, ns UTC


def check_logs(evidence: Evidence) -> Iterator[Check]:
    """LIFE-12: logs and voltages that users read come from the meter as they are, and say what befell its supply."""
    if "phase_cuts" not in evidence.files.summary["plan"]:
        return
    facts, faults = list[str](), list[str]()
    plan = planned(evidence)
    judges: Mapping[str, Callable[[Evidence, Plan, Answer], str]] = {"4.10": _voltages, "6.13": _log}
    for service, judge in judges.items():
        for exchange in evidence.users.of_service(service):
            label = f"{exchange.place} to {evidence.name(exchange.target)}"
            found = answer_of(evidence, exchange)
            wrong = found if isinstance(found, str) else judge(evidence, plan, found)
            if wrong:
                faults.append(f"{label}: {wrong}")
            else:
                facts.append(f"{label}: answered as it was")
    missing = "nobody read a log or voltages"
    yield conclude("LIFE-12", "logs and voltages tell the supply", facts=facts, faults=faults, missing=missing)


def answer_of(evidence: Evidence, exchange: Exchange) -> Answer | str:
    """Return the answer as the air had it, or what is wrong with it."""
    answered = evidence.users.answer_of_device(exchange)
    if answered is None:
        return "no answer in the mailbox"
    mail, octets = answered
    carried = next((each for each in evidence.air.carried if each.upward and each.octets == octets), None)
    if carried is None or carried.judged is None or carried.device != exchange.target:
        return f"{mail.place} is not what the device sent"
    return Answer(exchange, carried.judged.message, octets, (exchange.time, carried.time, mail.time))


# --- voltages ------------------------------------------------------------------------------------------------------


def _voltages(evidence: Evidence, plan: Plan, answer: Answer) -> str:
    """Say what contradicts the supply: an average of a phase is that of its street, for as long as it was there."""
    body = answer.exchange.request.body
    response = payload_of(ecs23.Response.decode, answer.message)
    if response is None or not isinstance(body, ReadNetworkData):
        return "no voltages in it"
    if len(response.phases) != plan.phases:
        return f"{count(len(response.phases), 'phase')}, and the supply has {plan.phases}"
    for number, phase in enumerate(response.phases, 1):
        for average in phase.averages or ():
            if not body.period.start <= average.end <= body.period.end:
                return f"phase {number}: an average of {utc(average.end)}, which was not asked for"
            least, most = _expected(plan, number, average.end)
            if not least <= average.volts <= most:
                return f"phase {number}: {average.volts} V until {utc(average.end)}, {least} to {most} V expected"
        if not phase.averages:
            return f"phase {number}: no averages"
    return ""


def _expected(plan: Plan, phase: int, end: int) -> tuple[int, int]:
    """Return the least and the most that a half-hour may average, V: measured while the meter has power."""
    period = Span(end - HALF_HOUR, end)
    dark = [Span(span.begin, span.end + BOOT) for span in plan.whole]
    measured = HALF_HOUR - _length(period, plan.whole)
    surely = HALF_HOUR - _length(period, dark)
    if surely <= 0:
        return 0, HIGHEST
    away = _length(period, plan.off[phase]) - _length(period, plan.whole)  # the phase alone
    shares = [max(0, base - away) / base for base in (measured, surely)]
    slack = HIGHEST * CLOCK // HALF_HOUR + 1
    return int(LOWEST * min(shares)) - slack, int(HIGHEST * max(shares)) + slack + 1


def _length(within: Span, spans: list[Span]) -> int:
    return sum(max(0, min(within.end, span.end) - max(within.begin, span.begin)) for span in spans)


# --- logs ----------------------------------------------------------------------------------------------------------


def _log(evidence: Evidence, plan: Plan, answer: Answer) -> str:
    body = answer.exchange.request.body
    response = payload_of(ecs35.Response.decode, answer.message)
    if response is None or response.log is None or not isinstance(body, ReadEventOrSecurityLog):
        return "no log in it"
    if any(not body.period.start <= entry.time <= body.period.end for entry in response.entries):
        return "entries that were not asked for"
    told = Counter(entry.code for entry in response.entries)
    name = evidence.actors.get(answer.exchange.target, "")
    if body.log is LogToRead.POWER_EVENT:
        wanted = _power_events(plan, body.period.end)
    else:
        wanted = Counter(
            int(event.text("code"), 16)
            for event in evidence.events("logged")
            if event.actor == name and event.text("log") == body.log.value.lower() and event.time <= body.period.end
        )
    return "" if told == wanted else f"{_shown(told)}, where {_shown(wanted)} happened"


def _power_events(plan: Plan, until: int) -> Counter[int]:
    """Return what the plan puts into a power event log by a time: each loss, and what was told of each return."""
    spans = {phase: spans for phase, spans in {0: plan.whole, **plan.off}.items() if phase == 0 or plan.phases > 1}
    lost = Counter(_INTERRUPTED[phase] for phase, each in spans.items() for span in each if span.begin < until)
    return lost + Counter(wanted.code for wanted in plan.wanted if wanted.span.end < until)


def _shown(codes: Counter[int]) -> str:
    return ", ".join(f"{number} x {code:04X}" for code, number in sorted(codes.items())) or "nothing"
