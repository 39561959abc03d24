"""The switches built into an ESME (ALCS), each with a calendar, and the button that boosts them.

Letters of the variant say what there is: D switches, E a boost function. The calendars are settings of the meter: the
GBCS commands that set them are not built. [I]
"""

from collections.abc import Sequence
from typing import NamedTuple

from emulator.consumption.flow import SwitchedLoad
from emulator.parts.load_control import OnTime
from emulator.parts.meter_parts import MeterParts
from protocols.errors import UsageError
from protocols.interfaces import DAY, MINUTE, SECOND

MOST = 5  # switches of one meter
_CALENDAR, _BOOST = "auxiliary calendar", "boost"


class AuxiliarySwitch(NamedTuple):
    """A contact of the meter's, what hangs behind it, and when it is to be closed."""

    load: SwitchedLoad
    on: tuple[OnTime, ...] = ()


class AuxiliarySwitches:
    """All contacts open when the supply goes; when it comes they are as the calendar says, without a boost [I]."""

    def __init__(self, parts: MeterParts, switches: Sequence[AuxiliarySwitch], *, boost: bool) -> None:
        """boost: whether there is a button, which closes all switches for a while."""
        if len(switches) > MOST:
            raise UsageError(f"an ESME has {MOST} auxiliary switches at most")
        self._parts, self.switches, self._has_boost = parts, tuple(switches), boost
        self._boosted = False
        self._moved, self._closed_for = 0, [0] * len(switches)  # of the day; ns
        self._counted = 0

    @property
    def states(self) -> tuple[bool, ...]:
        """Whether each contact is closed."""
        return tuple(switch.load.on for switch in self.switches)

    def start(self) -> None:
        """Follow the calendars: the meter has (again) power, or another time."""
        now = self._parts.wall.utc()
        for number, switch in enumerate(self.switches, 1):
            self._switch(number, self._boosted or any(_within(on, now) for on in switch.on))
        changes = [moment for switch in self.switches for on in switch.on for moment in _changes(on, now)]
        if changes:
            self._parts.timers.at(_CALENDAR, self._parts.wall.when(min(changes)), self.start)

    def stop(self) -> None:
        self._boosted = False
        for number in range(1, len(self.switches) + 1):
            self._switch(number, False)

    def press_boost(self, minutes: int) -> None:
        """Close all switches for so long from now on; 0 ends a boost. UsageError for a meter without a button."""
        if not self._has_boost:
            raise UsageError("this ESME has no boost function")
        self._parts.timers.cancel(_BOOST)
        self._boosted = minutes > 0
        self._parts.note("boost-pressed", minutes=minutes)
        if self._boosted:
            self._parts.timers.after(_BOOST, minutes * MINUTE, self._boost_over)
        self.start()

    def row(self) -> dict[str, int | str]:
        """Return what the day says of the switches, and begin anew; nothing where there are none."""
        if not self.switches:
            return {}
        self._count()
        told = " ".join(str(closed // SECOND) for closed in self._closed_for)
        moved, self._moved, self._closed_for = self._moved, 0, [0] * len(self.switches)
        return {"alcs_switched": moved, "alcs_seconds_on": told}

    def _boost_over(self) -> None:
        self._boosted = False
        self.start()

    def _switch(self, number: int, on: bool) -> None:
        load = self.switches[number - 1].load
        if on != load.on:
            self._count()
            load.switch(on)
            self._moved += 1
            self._parts.note("alcs-switched", switch=number, on=on, boost=on and self._boosted)

    def _count(self) -> None:
        now = self._parts.clock.now()
        for index, switch in enumerate(self.switches):
            if switch.load.on:
                self._closed_for[index] += now - self._counted
        self._counted = now


def _within(on: OnTime, now: int) -> bool:
    return (now - on.begin * MINUTE) % DAY < on.length * MINUTE


def _changes(on: OnTime, now: int) -> tuple[int, int]:
    """Return when it next begins and ends."""
    begin, end = (moment * MINUTE for moment in (on.begin, on.begin + on.length))
    return now + DAY - (now - begin) % DAY, now + DAY - (now - end) % DAY
