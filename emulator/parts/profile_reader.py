"""Reads the profile of each day from a meter, some hours after it is over, a few half-hours at a time."""

from typing import Final

from emulator.parts.day_rows import date
from emulator.parts.meter_parts import MeterParts
from emulator.parts.metering_server import MOST_INTERVALS
from emulator.parts.partner import Partner
from protocols.interfaces import DAY, HOUR
from protocols.zcl.clusters import metering, time
from protocols.zcl.clusters.metering import GetProfile, GetProfileResponse, IntervalChannel
from protocols.zcl.command_set import Command

_TIMER = "profile"
_AFTER_MIDNIGHT: Final = 3 * HOUR  # [I]
_HALF_HOURS = 48
_HALF_HOUR = DAY // _HALF_HOURS


class ProfileReader:
    def __init__(self, parts: MeterParts, meter: Partner) -> None:
        self._parts, self._meter = parts, meter
        self.read: dict[int, tuple[int, ...]] = {}
        """The last days that were read whole, by number of the day, the oldest half-hour first."""
        self.second: dict[int, tuple[int, ...]] = {}
        """The same of the second element of a twin element meter."""

    def start(self) -> None:
        """Wait for the next night: the device has (again) power."""
        now = self._parts.wall.utc()
        due = now // DAY * DAY + _AFTER_MIDNIGHT
        self._parts.timers.at(_TIMER, self._parts.wall.when(due if due > now else due + DAY), self._begin)

    def _begin(self) -> None:
        self.start()
        day = self._parts.wall.utc() // DAY - 1
        if self._meter.place is not None:
            self._ask(self._meter.place[1], day, (day + 1) * DAY, ())

    def _ask(self, endpoint: int, day: int, end: int, held: tuple[int, ...]) -> None:
        """Ask for what ends at `end`, given what is held already: the half-hours after it."""
        who = self._meter.who
        if who is None:
            return
        wanted = GetProfile(IntervalChannel.DELIVERED, time.from_nanoseconds(end), MOST_INTERVALS)

        def answered(command: Command | None) -> None:
            if not isinstance(command, GetProfileResponse) or not command.intervals:
                return
            if time.to_nanoseconds(command.end_time) != end:
                return
            whole = (*reversed(command.intervals), *held)
            if len(whole) < _HALF_HOURS:
                self._ask(endpoint, day, end - len(command.intervals) * _HALF_HOUR, whole)
            else:
                self._done(endpoint, day, whole[-_HALF_HOURS:])

        self._parts.client.ask(who, metering.CLUSTER, endpoint, metering.COMMANDS, wanted, answered)

    def _done(self, endpoint: int, day: int, whole: tuple[int, ...]) -> None:
        first = endpoint not in self._meter.others
        read = self.read if first else self.second
        read[day] = whole
        for old in sorted(read)[:-2]:
            del read[old]
        profile = " ".join(map(str, whole))
        self._parts.note("profile-read" if first else "second-profile-read", date=date(day), profile=profile)
        if first and self._meter.others:
            self._ask(self._meter.others[0], day, (day + 1) * DAY, ())
