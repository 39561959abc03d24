"""Suppression of AD1 around firmware activations of tracked ESME (MP102B).

A window is [start, end): it begins with the acceptance of the signed command, or at its date, and holds for the
configured time. Nothing ends it early but the device's own confirmation, before it begins, that the activation was
cancelled or replaced. A suppressed alert is dropped, not kept for later.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from gateway.dsp.effects import Turn, Value
from gateway.dsp.records import Activation, Device, Window, WindowEvent, WindowState
from gateway.dsp.rows import Table, append
from gateway.dsp.settings import DspSettings, OutageScope, OutageTime
from gateway.dsp.tracked import TrackedList
from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceType

PENDING = (WindowState.ARMED, WindowState.CANCEL_PENDING)
COUNTING = (*PENDING, WindowState.EXPIRED)  # its times alone decide on one that is over


class Outage(NamedTuple):
    """One AD1 to be decided."""

    mpxn: str | None
    started: int  # ns UTC, of the outage
    received: int  # ns UTC, by the DSP
    taken: int  # ns UTC, by the CSP


_TIMES: dict[OutageTime, Callable[[Outage], tuple[int, ...]]] = {  # that are held against windows, by policy
    OutageTime.RECEIPT: lambda outage: (outage.received,),
    OutageTime.EVENT_START: lambda outage: (outage.started,),
    OutageTime.EITHER: lambda outage: (outage.received, outage.started),
    OutageTime.CSP_RECEIPT: lambda outage: (outage.taken,),
}


class Suppression:
    """The windows, and the decision. Windows belong to the ESME; the hub's association counts at the alert's time."""

    def __init__(self, settings: DspSettings) -> None:
        self._settings, self._times = settings, _TIMES[settings.outage_time]
        self.tracked = TrackedList()
        rules = f"{settings.outage_time} {settings.outage_scope}"
        self.policy = rules if settings.suppression else "off"  # the rules in force, for the audit
        self._windows = Table(Window, lambda window: window.end if window.state in PENDING else None)
        self._of_esme: dict[Eui64, dict[str, None]] = {}  # request_id in order of acceptance
        self.first_armed: list[Callable[[Eui64], None]] = []  # each is told of an ESME that gets its first window

    def load(self, rows: Iterable[Mapping[str, Value]]) -> None:
        """Take the windows of the store."""
        self._windows.load(rows)
        for window in self._windows:
            self._of_esme.setdefault(window.esme, {})[window.request_id] = None

    # --- arming ---

    def arm(self, turn: Turn, device: Device, activation: Activation, *, local: bool) -> None:
        """Record the window of an accepted signed command, if the device is tracked. Membership is tested first.

        local: the command was handed over for local delivery, so that the true moment is not known; the event says so.
        """
        if not self.applies_to(device):
            return
        start, kind = turn.now, "immediate"
        if activation.execution is not None and activation.execution > turn.now:
            start, kind = activation.execution, "dated"
        window = Window(
            esme=device.device, hub=device.hub, start=start, end=start + self._settings.window, kind=kind,
            request_id=activation.request_id, state=WindowState.ARMED, accepted=turn.now,
            sequence=activation.sequence or 0,
        )  # fmt: skip
        self._put(turn, window, "armed-local" if local else "armed")
        turn.note(
            "window-armed", esme=str(window.esme), start=window.start, end=window.end, kind=kind,
            request=window.request_id,
        )  # fmt: skip

    def applies_to(self, device: Device) -> bool:
        """Whether activations of this device open windows: on the list, an ESME, not of the first generation."""
        return device.device in self.tracked and device.type is DeviceType.ESME and not device.smets1

    # --- what ends a window ---

    def cancel_requested(self, turn: Turn, esme: Eui64) -> None:
        """A signed cancellation was accepted: windows to come are marked, and count until the device confirms."""
        for window in self._to_come(turn.now, esme):
            if window.state is WindowState.ARMED:
                self._put(turn, replace(window, state=WindowState.CANCEL_PENDING), "cancel-pending")

    def cancel_confirmed(self, turn: Turn, esme: Eui64, sequence: int) -> None:
        """The device holds no activation any more: windows to come of commands before the cancellation go."""
        self._end(turn, esme, sequence, WindowState.CANCELLED)

    def date_confirmed(self, turn: Turn, esme: Eui64, sequence: int) -> None:
        """The device holds this dated activation, hence no earlier one: windows to come of earlier commands go."""
        self._end(turn, esme, sequence, WindowState.REPLACED)

    def remove(self, turn: Turn, esme: Eui64) -> None:
        """The device left the inventory or its hub was withdrawn: windows to come go."""
        self._end(turn, esme, None, WindowState.REMOVED)

    def activation_failed(self, turn: Turn, request_id: str) -> None:
        """The device reported that an activation failed: by setting, its open window ends now; it is never reopened."""
        window = self._windows.get(request_id)
        if not self._settings.close_window_on_failure or window is None or window.state not in PENDING:
            return
        if window.start <= turn.now < window.end:
            self._put(turn, replace(window, end=turn.now, state=WindowState.EXPIRED), "closed")

    def _end(self, turn: Turn, esme: Eui64, before: int | None, state: WindowState) -> None:
        for window in self._to_come(turn.now, esme):
            if before is None or window.sequence < before:
                self._put(turn, replace(window, state=state), state)
                turn.note(
                    "window-cancelled", esme=str(esme), start=window.start, end=window.end, kind=window.kind,
                    request=window.request_id, state=str(state),
                )  # fmt: skip

    # --- time ---

    def expire(self, turn: Turn) -> None:
        """Mark windows that are over."""
        for window in self._windows.due_by(turn.now):
            self._put(turn, replace(window, state=WindowState.EXPIRED), "expired")

    def reload(self, turn: Turn) -> None:
        """After a restart: windows not begun take the duration now configured; an open one keeps its own."""
        for window in [window for window in self._windows if window.state in PENDING]:
            end = window.end if window.start <= turn.now else window.start + self._settings.window
            self._put(turn, replace(window, end=end), "reloaded")

    def next_due(self) -> int | None:
        return self._windows.next_due

    # --- deciding ---

    def knows(self, esme: Eui64) -> bool:
        """Whether an ESME has or had a window: for one that had none `window_for` finds none."""
        return esme in self._of_esme

    def window_for(self, outage: Outage, on_hub: Iterable[Device]) -> Window | None:
        """Return the open window that suppresses the alert, the one that ends last; None to deliver it.

        on_hub: the devices associated with the hub now.
        """
        if not self._settings.suppression:
            return None
        per_mpxn = self._settings.outage_scope is OutageScope.PER_MPXN
        esmes = [device.device for device in on_hub if not per_mpxn or device.mpxn == outage.mpxn]
        windows = (window for esme in esmes for window in self._windows_of(esme))
        open_now = [window for window in windows if window.state in COUNTING and self._covers(window, outage)]
        return max(open_now, key=lambda window: (window.end, window.sequence), default=None)

    def _covers(self, window: Window, outage: Outage) -> bool:
        times = self._times(outage)
        return any(window.start <= time < window.end for time in times)

    # --- the table ---

    def _windows_of(self, esme: Eui64) -> list[Window]:
        found = (self._windows.get(request_id) for request_id in self._of_esme.get(esme, ()))
        return [window for window in found if window is not None]

    def _to_come(self, now: int, esme: Eui64) -> list[Window]:
        return [w for w in self._windows_of(esme) if w.state in PENDING and w.start > now]

    def _put(self, turn: Turn, window: Window, event: str) -> None:
        self._windows.put(turn, window)
        if window.esme not in self._of_esme:
            self._of_esme[window.esme] = {}
            for told in self.first_armed:
                told(window.esme)
        self._of_esme[window.esme][window.request_id] = None
        append(turn, WindowEvent(turn.now, window.esme, window.request_id, event, window.start, window.end))
