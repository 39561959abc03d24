"""A life's meters: registers are the sum of their profile, and what displays show of a sleeping one is not too old."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.folder import Event
from gateway.campaigns.verify.life_plan import plan_of
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND

HALF_HOUR = 30 * MINUTE
DEFAULT_WAKE = 1800  # s, where the plan has no gas meter
ZIGBEE_EPOCH = 946_684_800  # s from 1970 to 2000-01-01 UTC
RECOVERY = 13 * HOUR  # after a hub is replaced until the last device is back; a power cut takes less
AFTER_A_CUT = 2 * HOUR


class MeterDay(NamedTuple):
    """The row of one day of a meter: Wh or litres."""

    begin: int  # ns UTC, midnight
    register: int  # at its end
    total: int
    profile: tuple[int, ...]  # 48 half-hours; what the meter has no entry for counts as nothing
    event: Event  # the row itself; a meter without power at midnight tells it later


def meter_days(
    evidence: Evidence, kind: str, register: str, total: str, half_hours: str = "profile"
) -> dict[str, list[MeterDay]]:
    """Return the rows of the meters of a kind by actor, in order. register, total, half_hours: fields of the row."""
    found: dict[str, list[MeterDay]] = {}
    for event in evidence.events("day"):
        if event.text("kind") == kind and register in event.fields:
            entries = event.text(half_hours).split()
            profile = tuple(0 if entry == "-" else int(entry) for entry in entries)
            begin = _midnight(event.text("date"))
            row = MeterDay(begin, _number(event, register), _number(event, total), profile, event)
            found.setdefault(event.actor, []).append(row)
    return found


def _midnight(date: str) -> int:
    return int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()) * SECOND


def _number(event: Event, field: str) -> int:
    value = event.fields.get(field)
    return value if isinstance(value, int) else 0


def check_registers(evidence: Evidence) -> Iterator[Check]:
    """LIFE-1: a day's register rises by the sum of its half-hours, without a gap between days."""
    facts, faults = list[str](), list[str]()
    electricity = meter_days(evidence, "esme", "import_wh", "day_import_wh")
    second = meter_days(evidence, "esme", "second_wh", "day_second_wh", "second_profile")
    apart = {f"{actor}, second element": days for actor, days in second.items()}
    gas = meter_days(evidence, "gsme", "gas_l", "day_gas_l")
    for actor, days in (electricity | apart | gas).items():
        before = 0
        for day in days:
            label = f"{actor} on {utc(day.begin)[:10]}"
            if day.register - before != day.total:
                faults.append(f"{label}: register {before} to {day.register}, the day says {day.total}")
            elif len(day.profile) != DAY // HALF_HOUR or abs(sum(day.profile) - day.total) > len(day.profile):
                faults.append(f"{label}: half-hours sum up to {sum(day.profile)}, the day says {day.total}")
            before = day.register
        facts.append(f"{actor}: {count(len(days), 'day')}, register {before:,} at the end")
    missing = "no meter told of its day"
    yield conclude("LIFE-1", "registers are the sum of their profile", facts=facts, faults=faults, missing=missing)


def check_gas_age(evidence: Evidence) -> Iterator[Check]:
    """LIFE-2: the gas that a display shows is at most one wake-up old, unless something on its way was off."""
    facts, faults = list[str](), list[str]()
    excused, wake = _excused(evidence), _wake_period(evidence)
    oldest: dict[str, list[int]] = {}
    for event in evidence.events("shown"):
        if event.text("of") != "gas" or not _number(event, "gas_at"):
            continue
        if any(begin <= event.time < end for begin, end in excused):
            continue
        age = event.time - (_number(event, "gas_at") + ZIGBEE_EPOCH) * SECOND
        oldest.setdefault(event.actor, []).append(age)
        if age > wake + MINUTE:
            faults.append(f"{event.actor} at {utc(event.time)} shows gas of {age // SECOND} s before")
    for actor, ages in oldest.items():
        most = max(ages) // SECOND
        facts.append(f"{actor}: {count(len(ages), 'reading')} at most {most} s old, a wake-up is {wake // SECOND} s")
    missing = "no display showed gas"
    yield conclude("LIFE-2", "gas at most one wake-up old", facts=facts, faults=faults, missing=missing)


def _wake_period(evidence: Evidence) -> int:
    """Return the wake period of the gas meter as the description of the home has it, ns."""
    period = plan_of(evidence).get("wake_period")
    return (DEFAULT_WAKE if period is None else int(period)) * SECOND


def _excused(evidence: Evidence) -> list[tuple[int, int]]:
    """Return when something on the gas meter's way was off or being replaced, and how long that may take to mend."""
    plan = plan_of(evidence)
    found = [(when, when + length + AFTER_A_CUT) for when, length in plan.get("cuts", ())]
    if plan.get("swap") is not None:
        found.append((plan["swap"], plan["swap"] + RECOVERY))
    off: dict[str, int] = {}
    for event in evidence.files.timeline:
        if event.name == "power-off":
            off[event.actor] = event.time
        elif event.name == "power-on" and event.actor in off:
            found.append((off.pop(event.actor), event.time + AFTER_A_CUT))
    return found
