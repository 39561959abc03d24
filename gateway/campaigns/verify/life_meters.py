"""A life's meters, mirror and displays: registers are the sum of their profile, displays show what meters hold.

What a device told at a moment is held against what another one told of the same, from the timeline alone.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.folder import Event
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND

HALF_HOUR = 30 * MINUTE
CLOCK = 10 * SECOND  # a meter's own clock may be off by so much before it is set
ZIGBEE_EPOCH = 946_684_800  # s from 1970 to 2000-01-01 UTC
RECOVERY = 13 * HOUR  # after a hub is replaced until the last device is back; a power cut takes less
AFTER_A_CUT = 2 * HOUR


class MeterDay(NamedTuple):
    """The row of one day of a meter: Wh or litres."""

    begin: int  # ns UTC, midnight
    register: int  # at its end
    total: int
    profile: tuple[int, ...]  # 48 half-hours; what the meter has no entry for counts as nothing


def meter_days(evidence: Evidence, kind: str, register: str, total: str) -> dict[str, list[MeterDay]]:
    """Return the rows of the meters of a kind by actor, in order. register, total: fields of the row."""
    found: dict[str, list[MeterDay]] = {}
    for event in evidence.events("day"):
        if event.text("kind") == kind:
            entries = event.text("profile").split()
            profile = tuple(0 if entry == "-" else int(entry) for entry in entries)
            begin = _midnight(event.text("date"))
            row = MeterDay(begin, _number(event, register), _number(event, total), profile)
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
    gas = meter_days(evidence, "gsme", "gas_l", "day_gas_l")
    for actor, days in (electricity | gas).items():
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


class Curve:
    """What a meter held at the half-hours of its days."""

    def __init__(self, days: list[MeterDay]) -> None:
        self._times, self._values = list[int](), list[int]()
        for day in days:
            value = day.register - day.total
            for number, entry in enumerate(day.profile):
                self._times.append(day.begin + number * HALF_HOUR)
                self._values.append(value)
                value += entry
        self.end = days[-1].begin + DAY
        self._times.append(self.end)
        self._values.append(days[-1].register)

    def around(self, when: int) -> tuple[int, int]:
        """Return what the meter held at the half-hours before and after, its clock being a little off."""
        first = bisect_right(self._times, when - CLOCK) - 1
        last = bisect_right(self._times, when + CLOCK)
        return self._values[max(first, 0)], self._values[min(last, len(self._values) - 1)]


def check_displays(evidence: Evidence) -> Iterator[Check]:
    """LIFE-2: whatever a display shows of the electricity meter, the meter held at that moment."""
    facts, faults = list[str](), list[str]()
    meters = meter_days(evidence, "esme", "import_wh", "day_import_wh")
    curves = {actor.split("/")[0]: Curve(days) for actor, days in meters.items() if actor.endswith("/esme")}
    shown: dict[str, int] = {}
    for event in evidence.events("shown"):
        curve = curves.get(event.actor.split("/")[0])
        if event.text("of") != "electricity" or curve is None or event.time > curve.end:
            continue
        least, most = curve.around(event.time)
        value = _number(event, "import_wh")
        shown[event.actor] = shown.get(event.actor, 0) + 1
        if not least - 1 <= value <= most + 1:
            faults.append(f"{event.actor} at {utc(event.time)} shows {value} Wh, the meter held {least} to {most}")
    facts += [f"{actor}: {count(number, 'reading')} within the meter's half-hours" for actor, number in shown.items()]
    missing = "no display showed a reading of a day that is over"
    yield conclude("LIFE-2", "displays show what the meter holds", facts=facts, faults=faults, missing=missing)


def check_mirror(evidence: Evidence) -> Iterator[Check]:
    """LIFE-3: the mirror holds what the gas meter pushed, and shows it at most one wake-up old."""
    facts, faults = list[str](), list[str]()
    pushed = {_reading(event) for event in evidence.events("mirror-pushed") if "0000" in event.fields}
    mirrored = [event for event in evidence.events("mirrored") if "0000" in event.fields]
    faults += [
        f"{event.actor} mirrored {_reading(event)[0]} litres at {utc(event.time)}, which the meter never pushed"
        for event in mirrored
        if _reading(event) not in pushed
    ]
    facts += [f"{count(len(mirrored), 'reading')} mirrored as the meter pushed them"] if mirrored else []
    excused, oldest, views = _excused(evidence), 0, 0
    wake = _wake_period(evidence)
    for event in evidence.events("shown"):
        if event.text("of") != "gas" or not _number(event, "gas_at"):
            continue
        age = event.time - (_number(event, "gas_at") + ZIGBEE_EPOCH) * SECOND
        if any(begin <= event.time < end for begin, end in excused):
            continue
        views, oldest = views + 1, max(oldest, age)
        if age > wake + MINUTE:
            faults.append(f"{event.actor} at {utc(event.time)} shows gas of {age // SECOND} s before")
    if views:
        facts.append(
            f"{count(views, 'reading')} of displays at most {oldest // SECOND} s old, a wake-up is {wake // SECOND} s"
        )
    yield conclude(
        "LIFE-3", "mirror at most one wake-up old", facts=facts, faults=faults, missing="nothing was mirrored"
    )


def _reading(event: Event) -> tuple[int, int]:
    return _number(event, "0000"), _number(event, "0007")


def _wake_period(evidence: Evidence) -> int:
    """Return the wake period of the gas meter as the description of the home has it, ns."""
    plan = evidence.files.summary.get("plan", {})
    return int(plan.get("wake_period", 1800)) * SECOND


def _excused(evidence: Evidence) -> list[tuple[int, int]]:
    """Return when something on the gas meter's way was off or being replaced, and how long that may take to mend."""
    plan = evidence.files.summary.get("plan", {})
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
