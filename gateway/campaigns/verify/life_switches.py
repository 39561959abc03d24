"""The switches built into an ESME: closed when the plan's calendar and boost say so, counted, and told as they are."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.gbcs_view import payload_of
from gateway.campaigns.verify.life_logs import Answer, answer_of
from gateway.campaigns.verify.life_phases import Span, joined
from gateway.campaigns.verify.life_plan import Load, devices, off_times, plan_of
from gateway.campaigns.verify.life_services import half_hours, undrawn
from protocols.gbcs.use_cases import ecs61a
from protocols.interfaces import DAY, HOUR, MINUTE

_MINUTES = DAY // MINUTE
SLACK = MINUTE  # the meter's clock, and until it is back after an outage


class Switch(NamedTuple):
    meter: str
    number: int  # from 1
    load: Load

    def __str__(self) -> str:
        return f"{self.meter}, switch {self.number}"


def check_switches(evidence: Evidence) -> Iterator[Check]:
    """LIFE-13: a meter's own switches follow calendar and boost, what they feed is counted, and 7.7 tells it."""
    facts, faults = list[str](), list[str]()
    drawn, switches = half_hours(evidence), list(_switches(evidence))
    for switch in switches:
        wanted, told = _wanted(evidence, switch), _told(evidence, switch)
        wrong = [f"closed from {utc(span.begin)}, and should not be" for span in _without(told, wanted)]
        wrong += [f"not closed from {utc(span.begin)}" for span in _without(wanted, told)]
        if plan_of(evidence)["phase_cuts"]:  # on one phase the sun may feed it
            wrong += [_undrawn(switch.load, drawn, span) for span in wanted]
        faults += [f"{switch}: {fault}" for fault in wrong if fault]
        facts.append(f"{switch}: closed {count(len(told), 'time')} by calendar and boost")
    if switches:
        facts += _read(evidence, switches, faults)
        yield conclude("LIFE-13", "a meter's own switches", facts=facts, faults=faults, missing="")


def _undrawn(load: Load, drawn: Mapping[int, int], span: Span) -> str:
    return undrawn(load, drawn, span.begin, (span.end - span.begin) // MINUTE)


def _switches(evidence: Evidence) -> Iterator[Switch]:
    for meter, all_of in plan_of(evidence).get("alcs", {}).items():
        for number, (watts, on) in enumerate(all_of, 1):
            yield Switch(meter, number, Load(watts, tuple((begin, length) for begin, length in on)))


# --- contacts ------------------------------------------------------------------------------------------------------


def _wanted(evidence: Evidence, switch: Switch) -> list[Span]:
    """Return when it should be closed: by calendar or boost, while the meter had power."""
    plan = plan_of(evidence)
    spans = [
        Span(day * DAY + minute * MINUTE, day * DAY + (minute + length) * MINUTE)
        for day in range(plan["begin"] // DAY - 1, plan["end"] // DAY + 1)
        for minute, length in switch.load.on
    ]
    off = [Span(begin, end) for actor, begin, end in off_times(evidence) if actor == switch.meter]
    for when, minutes in plan["boosts"]:
        spans += _outside([Span(when, when + minutes * MINUTE)], off)[:1]  # it ends with the supply
    return _outside(joined(spans), [*off, *_beyond(evidence)])


def _told(evidence: Evidence, switch: Switch) -> list[Span]:
    found, since = list[Span](), None
    for event in evidence.events("alcs-switched"):
        if (event.actor, event.fields.get("switch")) == (switch.meter, switch.number):
            if event.fields.get("on"):
                since = event.time
            elif since is not None:
                found.append(Span(since, event.time))
                since = None
    if since is not None:
        found.append(Span(since, plan_of(evidence)["end"]))
    return _outside(found, _beyond(evidence))


def _beyond(evidence: Evidence) -> list[Span]:
    """Return what is not judged: the first hour, in which meters are started, and what the life has no more."""
    plan = plan_of(evidence)
    return [Span(0, plan["begin"] + HOUR), Span(plan["end"] - MINUTE, plan["end"] + 2 * DAY)]


def _without(spans: list[Span], others: list[Span]) -> list[Span]:
    """Return what of spans others lack, longer than the slack."""
    return [span for span in _outside(spans, others) if span.end - span.begin > SLACK]


def _outside(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Return what of spans lies outside of others."""
    left = list(spans)
    for other in others:
        parts = [
            part
            for span in left
            for part in (Span(span.begin, min(span.end, other.begin)), Span(max(span.begin, other.end), span.end))
        ]
        left = [part for part in parts if part.begin < part.end]
    return left


# --- reads ---------------------------------------------------------------------------------------------------------


def _read(evidence: Evidence, switches: list[Switch], faults: list[str]) -> list[str]:
    """Hold each answer to 7.7 against calendar and contact; return what is right, and add what is wrong."""
    facts, euis = list[str](), devices(evidence, "esme")
    for exchange in evidence.users.of_service("7.7"):
        own = [switch for switch in switches if euis[switch.meter] == exchange.target]
        found = answer_of(evidence, exchange)
        wrong = found if isinstance(found, str) else _read_fault(evidence, own, found)
        label = f"{exchange.place} to {evidence.name(exchange.target)}"
        if wrong:
            faults.append(f"{label}: {wrong}")
        else:
            facts.append(f"{label}: calendar and contacts as they were")
    return facts


def _read_fault(evidence: Evidence, own: list[Switch], answer: Answer) -> str:
    """Say what an answer tells wrongly of a meter's own switches."""
    response = payload_of(ecs61a.Response.decode, answer.message)
    if response is None:
        return "no switches in it"
    for switch in own:
        told = {(entry.closes, entry.time[:2]) for entry in response.entries if entry.switch == switch.number}
        planned = {
            (closes, bytes(divmod(minute % _MINUTES, 60)))
            for begin, length in switch.load.on
            for closes, minute in ((True, begin), (False, begin + length))
        }
        if told != planned:
            return f"another calendar of switch {switch.number}"
        wanted = _wanted(evidence, switch)
        closed = {any(span.begin <= when < span.end for span in wanted) for when in answer.about}
        if response.states[switch.number - 1] not in closed:
            return f"switch {switch.number} has another state in it"
    return ""
