"""Load control: the meter's calendar of a switched load, and the switch that follows it.

The meter (server) sends a Load Control Event when the load shall be on, with its duration; the switch (client) closes,
tells, opens at the end, and tells again. A switch that comes back asks what is in force. The calendar is a setting of
the meter: the GBCS commands that set it have no published form here. [I]
"""

from collections.abc import Callable
from typing import NamedTuple

from emulator.parts.cluster_server import ClusterServer
from emulator.parts.displays import Listeners
from emulator.parts.meter_parts import MeterParts
from emulator.parts.partner import Partner
from emulator.parts.zcl_client import command_of
from protocols.interfaces import DAY, MINUTE, Received
from protocols.zcl.clusters import drlc, time
from protocols.zcl.clusters.drlc import EventStatus, GetScheduledEvents, LoadControlEvent, ReportEventStatus
from protocols.zcl.command_set import Command
from protocols.zcl.frame import ZclFrame, ZclStatus

_CALENDAR, _END = "load calendar", "load control end"
_CLOSED, _OPEN = 100, 0  # duty cycle
_CRITICALITY = 4  # utility-defined levels are 4 and above


class OnTime(NamedTuple):
    """When the load is on, each day of the meter's clock."""

    begin: int  # minute of the day
    length: int  # minutes, at most a day


class LoadControlServer:
    """The meter's side."""

    def __init__(self, parts: MeterParts, listeners: Listeners, calendar: tuple[OnTime, ...]) -> None:
        self._parts, self._listeners, self._calendar = parts, listeners, calendar
        self.reports: list[ReportEventStatus] = []  # since the start
        commands = {0x00: self._report, 0x01: self._scheduled}
        self.server = ClusterServer(drlc.CLUSTER, {}, commands=commands, generated=(0x00, 0x01))

    def start(self) -> None:
        """Wait for the next time: the meter has (again) power."""
        now = self._parts.wall.utc()
        begins = [now // DAY * DAY + on.begin * MINUTE for on in self._calendar]
        ahead = [begin + DAY if begin <= now else begin for begin in begins]
        if ahead:
            self._parts.timers.at(_CALENDAR, self._parts.wall.when(min(ahead)), self._begin)

    def _begin(self) -> None:
        event = self.current()
        if event is not None:
            number, minutes = event.issuer_event_id, event.duration
            self._parts.note("load-control-sent", number=number, minutes=minutes, to=self._tell(event))
        self.start()

    def cancel(self) -> None:
        """End the event in force before its time."""
        event = self.current()
        if event is not None:
            told = drlc.CancelLoadControlEvent(event.issuer_event_id, event.device_class)
            self._tell(told)

    def _tell(self, command: Command) -> int:
        """Send a command to every switch; return to how many."""
        listeners = self._listeners.all()
        for device, endpoint in listeners:
            self._parts.client.tell(device, drlc.CLUSTER, endpoint, drlc.COMMANDS, command, from_server=True)
        return len(listeners)

    def current(self) -> LoadControlEvent | None:
        """Return the event in force, with the minutes that are left; its id is the time it began."""
        now = self._parts.wall.utc()
        for day in (now // DAY * DAY, now // DAY * DAY - DAY):
            for on in self._calendar:
                begin = day + on.begin * MINUTE
                left = begin + on.length * MINUTE - now
                if begin <= now and left > 0:
                    return LoadControlEvent(
                        time.from_nanoseconds(begin), drlc.WATER_HEATER, 0, drlc.NOW, -(-left // MINUTE), _CRITICALITY,
                        _CLOSED,
                    )  # fmt: skip
        return None

    def _report(self, frame: ZclFrame, event: Received) -> int:
        report = ReportEventStatus.decode(frame.payload)
        self.reports.append(report)
        self._parts.note("load-reported", number=report.issuer_event_id, status=report.status, by=str(event.who))
        return ZclStatus.SUCCESS

    def _scheduled(self, frame: ZclFrame, event: Received) -> bytes | int:
        GetScheduledEvents.decode(frame.payload)
        self._listeners.hear(event)
        current = self.current()
        if current is None:
            return ZclStatus.NOT_FOUND
        return drlc.COMMANDS.encode(current, frame.transaction, from_server=True)


class LoadControlClient:
    """The switch's side; switch(on) moves the contact."""

    def __init__(self, parts: MeterParts, switch: Callable[[bool], object]) -> None:
        self._parts, self._switch = parts, switch
        self._partner = Partner(parts, drlc.CLUSTER, self._ready)
        self._event: LoadControlEvent | None = None
        parts.client.on(drlc.CLUSTER, self._received)

    def reset(self) -> None:
        """Forget the event: the power went."""
        self._event = None
        self._partner.reset()

    def _ready(self) -> None:
        if self._partner.place is not None:
            who, endpoint = self._partner.place
            asked = GetScheduledEvents(time.from_nanoseconds(self._parts.wall.utc()), 1)
            self._parts.client.ask(who, drlc.CLUSTER, endpoint, drlc.COMMANDS, asked, self._told)

    def _received(self, frame: ZclFrame, event: Received) -> None:
        if event.who == self._partner.who and event.secured:
            self._told(command_of(drlc.COMMANDS, frame))

    def _told(self, command: Command | None) -> None:
        match command:
            case LoadControlEvent():
                self._begin(command)
            case drlc.CancelLoadControlEvent(issuer_event_id=number):
                if self._event is not None and number == self._event.issuer_event_id:
                    self._finish(EventStatus.CANCELLED)
            case _:
                pass

    def _begin(self, event: LoadControlEvent) -> None:
        if self._event is not None and event.issuer_event_id == self._event.issuer_event_id:
            return
        if self._event is not None:
            self._report(self._event, EventStatus.SUPERSEDED)
        self._event = event
        self._switch(event.duty_cycle > 0)
        self._parts.timers.after(_END, event.duration * MINUTE, self._finish, EventStatus.COMPLETED)
        self._report(event, EventStatus.STARTED)

    def _finish(self, status: EventStatus) -> None:
        event, self._event = self._event, None
        self._parts.timers.cancel(_END)
        self._switch(False)
        if event is not None:
            self._report(event, status)

    def _report(self, event: LoadControlEvent, status: EventStatus) -> None:
        if self._partner.place is not None:
            who, endpoint = self._partner.place
            now = time.from_nanoseconds(self._parts.wall.utc())
            report = ReportEventStatus(event.issuer_event_id, status, now, event.criticality, event.duty_cycle)
            self._parts.client.tell(who, drlc.CLUSTER, endpoint, drlc.COMMANDS, report, from_server=False)
