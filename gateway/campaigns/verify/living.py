"""What meters hold, their mirror has and displays show: three tellings of one register, held against each other."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import accumulate
from typing import NamedTuple

from gateway.campaigns.evidence.readings import MeterReading
from gateway.campaigns.verify.check import Check, conclude, count, utc
from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.folder import Event
from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceType
from protocols.interfaces import DAY, MINUTE, SECOND
from protocols.zcl.clusters import metering, prepayment
from protocols.zcl.clusters.metering import Attribute as Metering
from protocols.zcl.clusters.prepayment import Attribute as Prepayment

_SHOWN = {  # by what a display shows: cluster, attribute
    "import_wh": (metering.CLUSTER, Metering.CURRENT_SUMMATION_DELIVERED),
    "export_wh": (metering.CLUSTER, Metering.CURRENT_SUMMATION_RECEIVED),
    "demand_w": (metering.CLUSTER, Metering.INSTANTANEOUS_DEMAND),
    "gas_l": (metering.CLUSTER, Metering.CURRENT_SUMMATION_DELIVERED),
    "gas_at": (metering.CLUSTER, Metering.READING_SNAPSHOT_TIME),
    "balance": (prepayment.CLUSTER, Prepayment.CREDIT_REMAINING),
    "second_wh": (metering.CLUSTER, Metering.CURRENT_SUMMATION_DELIVERED),
    "second_demand_w": (metering.CLUSTER, Metering.INSTANTANEOUS_DEMAND),
}
_SECOND = "second_wh"  # what only the second element of a twin element meter has
_HEARD_BEFORE = 5 * SECOND  # between an answer on the air and what stands on the display
_CLOCK = 30 * SECOND  # by which a meter's half-hour may lie off the true one
_HALF_HOUR = 30 * MINUTE
_MOST_LOST = 4  # of the reports of a meter, at most one in so many may be lost to a hub without supply


class _Held(NamedTuple):
    """A register at the half-hours of one day, as the meter's row of that day tells it."""

    begin: int  # ns UTC
    at: tuple[int, ...]  # 49 values, from midnight to midnight


# --- displays ------------------------------------------------------------------------------------------------------


def check_displays(evidence: Evidence) -> Iterator[Check]:
    """MP170-P14: what a display shows is what came over the air, and that is what the meter holds.

    Of a twin element meter too: each element has an endpoint and a profile of its own, and is shown as itself.
    """
    facts, faults = dict[str, int](), list[str]()
    readers = {name: device for device, name in evidence.actors.items()}
    held, firsts = {field: _held(evidence, *of) for field, of in _REGISTERS.items()}, _first_elements(evidence)
    for event in evidence.events("shown"):
        reader = readers.get(event.actor)
        told = _shown(event)
        reading = None if reader is None else _heard(evidence, reader, event, told)
        if reading is None:
            faults.append(f"{event.actor} at {utc(event.time)} shows what it was not told: {told}")
            continue
        field = _SECOND if _SECOND in told else "import_wh"
        wrong = _against_meter(evidence, reading, held[field]) or _element_fault(firsts, reading, field)
        if wrong:
            faults.append(f"{event.actor} at {utc(event.time)} (frame {reading.frame}): {wrong}")
        else:
            what = f"{event.actor}, second element" if field == _SECOND else event.actor
            facts[what] = facts.get(what, 0) + 1
    lines = [f"{actor}: {count(number, 'reading')}" for actor, number in sorted(facts.items())]
    faults += _unshown(evidence, facts)
    missing = "no display showed anything"
    yield conclude("MP170-P14", "displays show what meters hold", facts=lines, faults=faults, missing=missing)


def _first_elements(evidence: Evidence) -> dict[Eui64, int]:
    """Return the endpoint of the first element of each twin element meter: the lower one."""
    twins, found = _twins(evidence), dict[Eui64, int]()
    for reading in evidence.air.readings:
        if reading.meter in twins and reading.cluster == metering.CLUSTER:
            found[reading.meter] = min(reading.endpoint, found.get(reading.meter, reading.endpoint))
    return found


def _element_fault(firsts: Mapping[Eui64, int], reading: MeterReading, field: str) -> str:
    """Say if an element was read where the meter serves its other one."""
    first = firsts.get(reading.meter)
    if first is not None and reading.cluster == metering.CLUSTER and (reading.endpoint == first) is (field == _SECOND):
        return f"element of endpoint {reading.endpoint} shown as {field}"
    return ""


def _twins(evidence: Evidence) -> dict[Eui64, str]:
    """Return the meters that tell of a second element, with their names."""
    twins = {event.actor for event in evidence.events("day") if _SECOND in event.fields}
    return {device: name for device, name in evidence.actors.items() if name in twins and device in evidence.types}


def _unshown(evidence: Evidence, facts: Mapping[str, int]) -> list[str]:
    """Tell of displays that show one element of a twin element meter and not the other."""
    esme = {device for device, kind in evidence.types.items() if kind is DeviceType.ESME}
    if not esme.intersection(_twins(evidence)):
        return []
    shown = {name for name in facts if ", second element" not in name}
    return [
        f"{name} never showed the second element" for name in sorted(shown) if f"{name}, second element" not in facts
    ]


def _shown(event: Event) -> dict[str, int]:
    return {name: value for name in _SHOWN if isinstance(value := event.fields.get(name), int)}


def _heard(evidence: Evidence, reader: Eui64, event: Event, told: Mapping[str, int]) -> MeterReading | None:
    """Return the answer on the air that says what the display shows."""
    for reading in reversed(evidence.air.readings_of(reader, event.time - _HEARD_BEFORE, event.time)):
        if all(_SHOWN[name][0] == reading.cluster and reading.values.get(_SHOWN[name][1]) == value
               for name, value in told.items()):  # fmt: skip
            return reading
    return None


_REGISTERS = {"import_wh": ("import_wh", "profile"), _SECOND: (_SECOND, "second_profile")}  # and their half-hours


def _held(evidence: Evidence, register: str, half_hours: str) -> dict[str, list[_Held]]:
    """Return what the rows of ESMEs say of a register, by actor."""
    found: dict[str, list[_Held]] = {}
    for event in evidence.events("day"):
        if "import_wh" not in event.fields or event.fields.get("kind", "esme") != "esme":
            continue
        profile, end = event.fields.get(half_hours), event.fields.get(register)
        if isinstance(profile, str) and isinstance(end, int):
            taken = [0 if entry == "-" else int(entry) for entry in profile.split()]
            at = accumulate(taken, initial=end - sum(taken))
            day = datetime.fromisoformat(event.text("date")).replace(tzinfo=UTC)  # told later, if without power then
            found.setdefault(event.actor, []).append(_Held(int(day.timestamp()) * SECOND, tuple(at)))
    return found


def _against_meter(evidence: Evidence, reading: MeterReading, held: Mapping[str, list[_Held]]) -> str:
    """Return what is wrong with an import register read from an ESME on a day that has a row."""
    value = reading.values.get(Metering.CURRENT_SUMMATION_DELIVERED)
    if reading.cluster != metering.CLUSTER or not isinstance(value, int):
        return ""
    for day in held.get(evidence.actors.get(reading.meter, ""), ()):
        if day.begin <= reading.time < day.begin + DAY:
            least = day.at[max(0, (reading.time - _CLOCK - day.begin) // _HALF_HOUR)]
            most = day.at[min(len(day.at) - 1, (reading.time + _CLOCK - day.begin) // _HALF_HOUR + 1)]
            if not least <= value <= most:
                return f"{value} Wh, where the meter's day has {least} to {most}"
    return ""


# --- mirror --------------------------------------------------------------------------------------------------------


def check_mirror(evidence: Evidence) -> Iterator[Check]:
    """MP170-P14: a mirror holds what its meter sent last, so it is at most one waking old."""
    facts, faults = list[str](), list[str]()
    for meter in dict.fromkeys(reading.meter for reading in evidence.air.readings if reading.reported):
        reports = [r for r in evidence.air.readings if r.reported and r.meter == meter and _summation(r) is not None]
        actor = evidence.actors.get(meter, str(meter))
        pushed = [event for event in evidence.events("mirror-pushed") if event.actor == actor]
        mirrored = _mirrored(evidence, reports)
        lost = len(reports) - len(mirrored)
        if len(pushed) < len(mirrored):
            faults.append(f"{actor}: {count(len(mirrored), 'report')} taken, {len(pushed)} told")
        if lost * _MOST_LOST > len(reports):
            faults.append(f"{actor}: {lost} of {count(len(reports), 'report')} never reached the mirror")
        stale = _stale(evidence, mirrored)
        faults += [f"{actor}: {line}" for line in stale]
        if not stale and mirrored:
            facts.append(f"{actor}: {count(len(mirrored), 'report')} taken by the mirror as sent, {lost} lost")
    yield conclude("MP170-P14", "the mirror is what the meter sent", facts=facts, faults=faults, missing="no mirror")


def _summation(reading: MeterReading) -> int | None:
    value = reading.values.get(Metering.CURRENT_SUMMATION_DELIVERED)
    return value if isinstance(value, int) else None


def _mirrored(evidence: Evidence, reports: list[MeterReading]) -> list[MeterReading]:
    """Return the reports that the hub tells it has taken, with the values it tells."""
    wanted = {f"{Metering.CURRENT_SUMMATION_DELIVERED:04X}", f"{Metering.READING_SNAPSHOT_TIME:04X}"}
    taken = {tuple(event.fields.get(name) for name in sorted(wanted)) for event in evidence.events("mirrored")}
    return [r for r in reports if (_summation(r), r.values.get(Metering.READING_SNAPSHOT_TIME)) in taken]


def _stale(evidence: Evidence, mirrored: list[MeterReading]) -> Iterator[str] | list[str]:
    """Tell of reads of the mirror that gave another value than the report taken last."""
    if not mirrored:
        return []
    hub, found, index = mirrored[0].reader, list[str](), -1
    for reading in evidence.air.readings:
        if reading.reported or reading.meter != hub or _summation(reading) is None:
            continue
        while index + 1 < len(mirrored) and mirrored[index + 1].time < reading.time:
            index += 1
        last = _summation(mirrored[index]) if index >= 0 else None
        before = _summation(mirrored[index - 1]) if index >= 1 else last
        just = index >= 0 and reading.time - mirrored[index].time < _HEARD_BEFORE
        if _summation(reading) != last and not (just and _summation(reading) == before):
            found.append(f"frame {reading.frame} reads {_summation(reading)}, the meter sent {last}")
    return found
