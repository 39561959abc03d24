"""A device's own clock, held against the hub's Time cluster once a day.

The hub tells whole seconds, so a difference within `tolerance` is left; one of up to `trusted` is set right; a larger
one only the first time: after that it is left, and told, since a meter trusts its own clock more (GBCS 9.1). [I]
"""

from collections.abc import Callable
from dataclasses import dataclass

from emulator.parts.gbcs_application import Note
from emulator.parts.han_application import TIME, HanApplication
from emulator.parts.timers import Timers
from emulator.parts.zcl_client import Values, ZclClient
from protocols.addresses import Eui64
from protocols.interfaces import DAY, HOUR, MILLISECOND, SECOND, AdjustableClock, Discovered, MatchDescriptor, Storage
from protocols.zcl.clusters import time
from protocols.zcl.protection import SMART_ENERGY

_CELL, _TIMER = "clock/set", "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSettings:
    """Times in ns."""

    look_every: int = DAY
    retry: int = 6 * HOUR  # without an answer
    tolerance: int = 2 * SECOND
    trusted: int = 10 * SECOND


class ClockKeeper:
    def __init__(
        self,
        client: ZclClient,
        application: HanApplication,
        timers: Timers,
        storage: Storage,
        wall: AdjustableClock,
        *,
        note: Note,
        set_clock: Callable[[int], object] | None = None,
        adjusted: Callable[[int], object] = lambda _: None,
        refused: Callable[[int], object] = lambda _: None,
        settings: ClockSettings | None = None,
    ) -> None:
        """set_clock(utc): sets the clock, by default `wall`.

        adjusted, refused: hear of a difference in ns that was set right, or was too large.
        """
        self._client, self._application, self._timers, self._storage = client, application, timers, storage
        self._wall, self._note = wall, note
        self._set = set_clock if set_clock is not None else wall.set
        self._adjusted, self._refused = adjusted, refused
        self._settings = settings if settings is not None else ClockSettings()
        self._hub: Eui64 | None = None
        self._endpoint: int | None = None

    def start(self, hub: Eui64) -> None:
        """Begin with the hub: the device has (again) a network."""
        self._hub, self._endpoint = hub, None
        self._look()

    def _look(self) -> None:
        hub = self._hub
        self._timers.after(_TIMER, self._settings.retry, self._look)
        if hub is None:
            return
        if self._endpoint is None:
            self._application.discover(hub, MatchDescriptor(SMART_ENERGY, (TIME,)), self._discovered)
        else:
            wanted = (time.Attribute.TIME, time.Attribute.TIME_STATUS)
            self._client.read(hub, TIME, self._endpoint, wanted, self._told)

    def _discovered(self, event: Discovered) -> None:
        if event.answered and event.endpoints:
            self._endpoint = event.endpoints[0]
            self._look()

    def _told(self, values: Values | None) -> None:
        told = None if values is None else values.get(time.Attribute.TIME)
        if not isinstance(told, int) or told == time.INVALID:
            self._endpoint = None  # looked for again: it may be another hub
            return
        self._timers.after(_TIMER, self._settings.look_every, self._look)
        utc = time.to_nanoseconds(told) + SECOND // 2
        off = utc - self._wall.utc()
        first = self._storage.get(_CELL) is None
        if first:
            self._storage.put(_CELL, b"\x01")
        if abs(off) <= self._settings.tolerance:
            return
        if first or abs(off) <= self._settings.trusted:
            self._set(utc)
            self._note("clock-adjusted", by_ms=off // MILLISECOND)
            self._adjusted(off)
        else:
            self._note("clock-not-adjusted", off_ms=off // MILLISECOND)
            self._refused(off)
