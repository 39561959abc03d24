"""Frames a parent holds until a sleeping child, or a joiner, asks for them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from protocols.addresses import Eui64, ShortAddress
from protocols.interfaces import TransmitStatus
from protocols.mac.frame import FrameType

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.interfaces import RadioLink
    from protocols.mac.commands import AssociationResponse
    from protocols.stack.mac import MacLayer, Taken
    from protocols.stack.settings import StackSettings
    from protocols.stack.timers import Timers


class Held:
    """One frame that waits. `make` gives its MAC payload when it goes out, so that counters stay in order."""

    __slots__ = ("done", "kind", "make", "on_air")

    def __init__(self, kind: FrameType, make: Callable[[], bytes], done: Taken) -> None:
        self.kind, self.make, self.done = kind, make, done
        self.on_air = False


class IndirectQueue:
    """The queue of one radio, by short address or, for association responses, by EUI-64."""

    __slots__ = ("_former", "_held", "_mac", "_radio", "_settings", "_timers")

    def __init__(self, mac: MacLayer, radio: RadioLink, timers: Timers, settings: StackSettings) -> None:
        self._mac, self._radio, self._timers, self._settings = mac, radio, timers, settings
        self._held: dict[ShortAddress | Eui64, deque[Held]] = {}
        self._former: dict[ShortAddress, None] = {}

    def hold(self, child: ShortAddress, make: Callable[[], bytes], done: Taken) -> None:
        """Hold a NWK frame for `child`; `done` tells whether it was taken within the persistence time."""
        self._add(child, Held(FrameType.DATA, make, done))

    def hold_response(self, eui: Eui64, response: AssociationResponse) -> None:
        """Hold an association response; one not fetched yet is replaced."""
        self._held.pop(eui, None)

        def delivered(ok: bool) -> None:
            if ok and response.status == 0:
                self._mac.response_delivered(eui)

        self._add(eui, Held(FrameType.COMMAND, response.encode, delivered))

    def _add(self, to: ShortAddress | Eui64, entry: Held) -> None:
        self._held.setdefault(to, deque()).append(entry)
        self._tell_radio()
        self._timers.after(self._settings.indirect_wait, self._expire, to, entry)

    def _tell_radio(self) -> None:
        self._radio.set_pending([*self._held, *(short for short in self._former if short not in self._held)])

    def expect(self, former: ShortAddress) -> None:
        """Let a node that is no child any more stay awake when it polls."""
        self._former[former] = None
        self._tell_radio()

    def welcome(self, child: ShortAddress) -> None:
        """It is a child again, or another one has its address."""
        if child in self._former:
            del self._former[child]
            self._tell_radio()

    def _expire(self, to: ShortAddress | Eui64, entry: Held) -> None:
        if self._take(to, entry):
            entry.done(False)

    def _take(self, to: ShortAddress | Eui64, entry: Held) -> bool:
        """Remove `entry`; False if it is not waiting any more."""
        waiting = self._held.get(to)
        if waiting is None or entry not in waiting:
            return False
        waiting.remove(entry)
        if not waiting:
            del self._held[to]
            self._tell_radio()
        return True

    def requested(self, source: ShortAddress | Eui64) -> bool:
        """A child asks: send it the oldest frame, with the pending bit if more wait; False if none does."""
        waiting = self._held.get(source)
        if not waiting:
            return False
        if waiting[0].on_air:
            return True
        entry = waiting[0]
        entry.on_air = True
        more = len(waiting) > 1
        extended = isinstance(source, Eui64)

        def sent(status: TransmitStatus, pending: bool) -> None:
            entry.on_air = False
            if status is TransmitStatus.OK and self._take(source, entry):
                entry.done(True)

        own = self._mac.own_extended if extended else self._mac.short
        self._mac.transmit(entry.kind, entry.make(), to=source, source=own, pending=more, done=sent)
        return True
