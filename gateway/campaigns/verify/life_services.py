"""A life's services: prices, texts and load control events reach the devices they are for, and are carried out."""

from collections.abc import Iterator, Mapping, Sequence

from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.life_meters import RECOVERY, meter_days
from gateway.campaigns.verify.life_plan import (
    CLOCK,
    HALF_HOUR,
    PER_DAY,
    Load,
    Quiet,
    Tariff,
    Text,
    devices,
    plan_of,
    supply_of,
)
from protocols.addresses import Eui64
from protocols.gbcs.codes import AlertCode
from protocols.interfaces import DAY, HOUR, MINUTE
from protocols.zcl.clusters.drlc import EventStatus, LoadControlEvent, ReportEventStatus
from protocols.zcl.clusters.messaging import DisplayMessage, MessageConfirmation
from protocols.zcl.clusters.price import PublishPrice

SETTLING = 3 * HOUR  # devices come one after another, and a gas meter that sleeps is joined last
OUT = HOUR  # after a meter has unjoined a display until that is joined again
MENDING = 30 * MINUTE  # until a device that was off has its partners again
_DISPLAYS = ("ppmid", "ihd", "cad")


def _quiet(evidence: Evidence) -> Quiet:
    return Quiet(evidence, mending=MENDING, swap=RECOVERY)


# --- prices --------------------------------------------------------------------------------------------------------


def check_prices(evidence: Evidence) -> Iterator[Check]:
    """LIFE-9: each price told is that of the hour, and each display is told when it changes."""
    supply = supply_of(evidence)
    if supply is None:
        return
    facts, faults = list[str](), list[str]()
    tariff, quiet, displays = supply.tariffs["esme"], _quiet(evidence), devices(evidence, *_DISPLAYS)
    for actor, meter in devices(evidence, "esme").items():
        told = [(sent.time, sent.destination, price) for sent, price in evidence.air.commands(PublishPrice, meter)]
        if not told:
            continue
        faults += [
            f"{actor} at {utc(when)}: {price.price} of tier {price.tier}"
            for when, _, price in told
            if (price.tier, price.price) not in _in_force(tariff, when)
        ]
        changes = list(_each_day(evidence, [half * 30 for half in tariff.changes()]))
        out = {name: _out(evidence, display) for name, display in displays.items()}
        heard = [
            (when, name)
            for when in changes
            for name in displays
            if quiet.at(when, when + 1, actor, name) and not any(since <= when < since + OUT for since in out[name])
        ]
        for when, name in heard:
            if not any(to == displays[name] and abs(at - when) <= CLOCK for at, to, _ in told):
                faults.append(f"{actor} at {utc(when)}: {name} was not told of the new price")
        facts.append(f"{actor}: {count(len(told), 'price')}, {count(len(heard), 'change')} told to displays")
    yield conclude("LIFE-9", "prices told as they are", facts=facts, faults=faults, missing="no price was told")


def _out(evidence: Evidence, display: Eui64) -> list[int]:
    """Return when a meter unjoined a display, ns UTC."""
    return [event.time for event in evidence.events("unjoined-device") if event.text("device") == str(display)]


def _in_force(tariff: Tariff, when: int) -> set[tuple[int, int]]:
    """Return tier and price at a time; two about a change."""
    halves = {(moment // HALF_HOUR) % PER_DAY for moment in (when - CLOCK, when + CLOCK)}
    return {(tariff.tiers[half], tariff.prices[tariff.tiers[half] - 1]) for half in halves}


def _settled(evidence: Evidence) -> int:
    """Return when all devices have joined, and each has what it is paired with, ns UTC."""
    return int(plan_of(evidence)["begin"]) + SETTLING


def _each_day(evidence: Evidence, minutes: Sequence[int]) -> Iterator[int]:
    """Yield these minutes of each UTC day of the life, from when it has settled to a minute before its end, as ns."""
    plan = plan_of(evidence)
    for day in range(plan["begin"] // DAY, plan["end"] // DAY + 1):
        for minute in sorted(minutes):
            when = day * DAY + minute * MINUTE
            if _settled(evidence) <= when < plan["end"] - MINUTE:
                yield when


# --- texts ---------------------------------------------------------------------------------------------------------


def check_texts(evidence: Evidence) -> Iterator[Check]:
    """LIFE-10: each text reaches every display and is shown; one to be confirmed is, and the supplier hears of it."""
    supply = supply_of(evidence)
    displays = devices(evidence, *_DISPLAYS)
    if supply is None or not displays or not any(t.when < plan_of(evidence)["end"] - HOUR for t in supply.texts):
        return
    facts, faults, quiet = list[str](), list[str](), _quiet(evidence)
    for text in supply.texts:
        wrong = {name: _text_fault(evidence, text, name, eui) for name, eui in displays.items()}
        told = [name for name, fault in wrong.items() if not fault]
        for name, fault in wrong.items():
            if fault and quiet.at(text.when, text.when + MINUTE, name, *devices(evidence, "esme")):
                faults.append(f"{text.text!r}: {fault}")
        if text.confirm and not _confirmed(evidence, text):
            faults.append(f"{text.text!r}: no display confirmed it, or 81A6 of that did not come")
        if told:
            facts.append(f"{text.text!r}: {' and '.join(told)}{', confirmed' * text.confirm}")
    yield conclude("LIFE-10", "texts are shown", facts=facts, faults=faults, missing="no display showed one")


def _sent_texts(evidence: Evidence, text: Text) -> Iterator[tuple[Eui64, int, int]]:
    """Yield to whom a text went, when, and under which number."""
    for sent, message in evidence.air.commands(DisplayMessage):
        if message.text == text.text.encode() and sent.time >= text.when - CLOCK:
            yield sent.destination, sent.time, message.message_id


def _text_fault(evidence: Evidence, text: Text, name: str, display: Eui64) -> str:
    due = max(text.when + MINUTE, _settled(evidence))  # a display that joins later asks for it
    if not any(to == display and when <= due for to, when, _ in _sent_texts(evidence, text)):
        return f"was not sent to {name}"
    shown = [e for e in evidence.events("message-shown") if e.actor == name and e.text("text") == text.text]
    seen = any(text.when - MINUTE <= event.time <= due for event in shown)
    return "" if seen else f"{name} did not show it"


def _confirmed(evidence: Evidence, text: Text) -> bool:
    numbers = {number for _, _, number in _sent_texts(evidence, text)}
    confirmed = [sent for sent, told in evidence.air.commands(MessageConfirmation) if told.message_id in numbers]
    alerts = [mail for mail, code, _ in evidence.users.device_alerts() if code == AlertCode.MESSAGE_CONFIRMED]
    return any(mail.time >= sent.time for sent in confirmed for mail in alerts)


# --- loads ---------------------------------------------------------------------------------------------------------


def check_loads(evidence: Evidence) -> Iterator[Check]:
    """LIFE-11: a load goes on and off by the meter's calendar, tells of both, and the meter counts what it draws."""
    supply = supply_of(evidence)
    if supply is None or not any(load.on for load in supply.loads.values()):
        return
    facts, faults = list[str](), list[str]()
    switches, drawn = devices(evidence, "hcalcs"), half_hours(evidence)
    for name, load in supply.loads.items():
        judged = list(_undisturbed(evidence, name, load))
        for when, length in judged:
            wrong = _load_fault(evidence, name, switches[name], when, length) or undrawn(load, drawn, when, length)
            if wrong:
                faults.append(f"{name} at {utc(when)}: {wrong}")
        if judged:
            facts.append(f"{name}: on and off {count(len(judged), 'time')}, {load.watts} W counted")
    if facts:  # in a short life each time may fall into an outage
        yield conclude("LIFE-11", "loads follow the calendar", facts=facts, faults=faults, missing="")


def _undisturbed(evidence: Evidence, name: str, load: Load) -> Iterator[tuple[int, int]]:
    """Yield when a load should go on and for how many minutes, where switch and meters had power all the time."""
    quiet, meters, end = _quiet(evidence), devices(evidence, "esme"), plan_of(evidence)["end"]
    for minute, length in load.on:
        for when in _each_day(evidence, [minute]):
            off = when + length * MINUTE
            if off + MINUTE < end and quiet.at(when, off, name, *meters):
                yield when, length


def _load_fault(evidence: Evidence, name: str, switch: Eui64, when: int, minutes: int) -> str:
    """Say what is missing of one time on: the meter's event, the switch's reports, its contact."""
    end = when + minutes * MINUTE
    begun = [sent for sent, event in evidence.air.commands(LoadControlEvent) if event.duration == minutes]
    if not any(sent.destination == switch and abs(sent.time - when) <= CLOCK for sent in begun):
        return "the meter sent no event"
    for moment, status, on in ((when, EventStatus.STARTED, True), (end, EventStatus.COMPLETED, False)):
        reports = [
            sent
            for sent, told in evidence.air.commands(ReportEventStatus, switch)
            if told.status == status and abs(sent.time - moment) <= CLOCK
        ]
        moved = [
            event
            for event in evidence.events("load-switched")
            if (event.actor, event.fields.get("on")) == (name, on) and abs(event.time - moment) <= CLOCK
        ]
        if not reports or not moved:
            return f"{status.name.lower()} was not {'told' if moved else 'carried out'} at {utc(moment)}"
    return ""


def half_hours(evidence: Evidence) -> Mapping[int, int]:
    """Return what ESMEs took in all in each half-hour, Wh, by its begin in ns UTC."""
    found: dict[int, int] = {}
    for days in meter_days(evidence, "esme", "import_wh", "day_import_wh").values():
        for day in days:
            for half, amount in enumerate(day.profile):
                begin = day.begin + half * HALF_HOUR
                found[begin] = found.get(begin, 0) + amount
    return found


def undrawn(load: Load, drawn: Mapping[int, int], when: int, minutes: int) -> str:
    """Say which half-hour, wholly within the time on, has less than the load draws."""
    begin, least = -(-(when + CLOCK) // HALF_HOUR) * HALF_HOUR, load.watts * HALF_HOUR // HOUR - 1
    while begin + HALF_HOUR + CLOCK <= when + minutes * MINUTE:
        if drawn.get(begin, least) < least:
            return f"the meter counted {drawn[begin]} Wh from {utc(begin)}"
        begin += HALF_HOUR
    return ""
