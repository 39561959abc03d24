"""Decides on every AD1 of a stream under one set of rules, with the DSP's own windows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.campaigns.replay.rules import Rules
from gateway.campaigns.replay.stream import Activated, Confirmed, Event, Failed, OutageReceived, Placed
from gateway.dsp.effects import Turn
from gateway.dsp.records import Activation, ActivationState, Device
from gateway.dsp.suppression import Outage, Suppression
from gateway.dsp.tracked import TrackedList
from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.errors import InputError


class Key(NamedTuple):
    """One AD1 as the network operator would get it; a message that came again is the same."""

    hub: Eui64
    mpxn: str | None
    started: int  # ns UTC


class Fate(NamedTuple):
    """What became of it."""

    received: int  # ns UTC
    told: int | None  # when the network operator heard of it; None: never
    cause: str | None


@dataclass
class Outcome:
    """All AD1 of a stream under one set of rules."""

    rules: Rules
    list_version: str
    fates: dict[Key, Fate] = field(default_factory=dict)


def replay(events: Iterable[Event], rules: Rules, tracked: TrackedList) -> Outcome:
    """Push events, in order of time, through the rules. Raises InputError for one that refers to nothing."""
    replayed = _Replay(rules, tracked)
    for event in events:
        replayed.take(event)
    return replayed.outcome


class _Replay:
    def __init__(self, rules: Rules, tracked: TrackedList) -> None:
        self._suppression = Suppression(rules.settings)
        self._suppression.tracked = tracked
        self._release = rules.suppressed == "release"
        self._devices: dict[Eui64, Device] = {}
        self._on_hub: dict[Eui64, list[Device]] = {}
        self._mpxns: dict[Eui64, list[str]] = {}  # of the devices on a hub, in order
        self._requests: dict[str, tuple[Activated, int]] = {}  # with its place in the order of acceptance
        self.outcome = Outcome(rules, tracked.summary.version)

    def take(self, event: Event) -> None:
        match event:
            case OutageReceived():
                self._outage(event)
            case Activated():
                self._activated(event)
            case Confirmed():
                self._confirmed(event)
            case Failed():
                self._suppression.activation_failed(Turn(event.time), event.request)
            case Placed():
                self._placed(event)

    def _placed(self, event: Placed) -> None:
        before = self._devices.get(event.esme)
        device = Device(
            device=event.esme, type=DeviceType.ESME, status=DeviceStatus.COMMISSIONED, manufacturer="", model="",
            hub=event.hub, mpxn=event.mpxn, smets_version="1" if event.smets1 else None,
        )  # fmt: skip
        self._devices[event.esme] = device
        for hub in (None if before is None else before.hub, event.hub):
            if hub is not None:
                here = [one for one in self._on_hub.get(hub, ()) if one.device != event.esme]
                self._on_hub[hub] = here = [*here, device] if hub == event.hub else here
                self._mpxns[hub] = sorted({one.mpxn for one in here if one.mpxn is not None})

    def _activated(self, event: Activated) -> None:
        device = self._devices.get(event.esme)
        if device is None:
            raise InputError(f"request {event.request}: no device event of its ESME before it")
        turn, sequence = Turn(event.time), len(self._requests) + 1
        self._requests[event.request] = event, sequence
        if event.cancel:
            self._suppression.cancel_requested(turn, event.esme)
            return
        activation = Activation(
            request_id=event.request, user=event.esme, device=event.esme, hash=b"",
            kind="immediate" if event.date is None else "dated", execution=event.date, state=ActivationState.SENT,
            transformed=event.time, accepted=event.time, sequence=sequence,
        )  # fmt: skip
        self._suppression.arm(turn, device, activation, local=False)

    def _confirmed(self, event: Confirmed) -> None:
        request, sequence = self._requests.get(event.request, (None, 0))
        if request is None:
            raise InputError(f"confirmed: no activation {event.request} before it")
        if request.cancel:
            self._suppression.cancel_confirmed(Turn(event.time), request.esme, sequence)
        elif request.date is not None:
            self._suppression.date_confirmed(Turn(event.time), request.esme, sequence)

    def _outage(self, event: OutageReceived) -> None:
        on_hub, taken = self._on_hub.get(event.hub, ()), event.taken or event.time
        for mpxn in self._mpxns.get(event.hub) or (None,):
            key = Key(event.hub, mpxn, event.started)
            if key in self.outcome.fates:
                continue
            window = self._suppression.window_for(Outage(mpxn, event.started, event.time, taken), on_hub)
            told: int | None = event.time
            if window is not None:
                told = max(window.end, event.time) if self._release else None
            self.outcome.fates[key] = Fate(event.time, told, event.cause)
