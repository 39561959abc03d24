"""Sees whether the trust centre is still there, by its Keep-Alive cluster, and looks for another one if it is not.

Source: ZSE 07-5356 annex A.2 and 5.4.2.2.3; three failures: what a public stack does.
"""

from collections.abc import Callable
from dataclasses import dataclass

from emulator.parts.han_application import KEEP_ALIVE, HanApplication
from emulator.parts.timers import Timers
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.interfaces import MINUTE, SECOND, Clock, Discovered, MatchDescriptor, Random, Received
from protocols.zcl import foundation
from protocols.zcl.clusters.keep_alive import DEFAULT_BASE, DEFAULT_JITTER, Attribute
from protocols.zcl.foundation import ReadAttributes, ReadAttributesResponse
from protocols.zcl.frame import ZclFrame

_NEXT, _ANSWER = "trust watch", "trust watch answer"
_READ = ReadAttributes((Attribute.TC_KEEP_ALIVE_BASE, Attribute.TC_KEEP_ALIVE_JITTER))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustWatchSettings:
    """Times in ns."""

    answer_wait: int = 30 * SECOND  # for an answer: a sleepy device fetches its own [I]
    failures: int = 3  # in a row, then the trust centre counts as lost


class TrustWatch:
    """Reads the hub's Keep-Alive attributes when nothing was heard of it under the link key for as long as they say.

    `lost` is called after some failures in a row, and after each further one.
    """

    def __init__(
        self,
        application: HanApplication,
        clock: Clock,
        random: Random,
        *,
        lost: Callable[[], object],
        settings: TrustWatchSettings | None = None,
    ) -> None:
        self.settings = settings if settings is not None else TrustWatchSettings()
        self._application, self._clock, self._random, self._lost = application, clock, random, lost
        self._timers = Timers(clock)
        self._hub: Eui64 | None = None
        self._endpoint: int | None = None
        self._base, self._jitter = DEFAULT_BASE * MINUTE, DEFAULT_JITTER * SECOND
        self._heard = 0
        self._failures = 0
        self._transaction = 0
        application.on(KEEP_ALIVE, self._frame)
        application.heard = self._spoke
        application.on_network(self._in_network)

    def start(self, hub: Eui64) -> None:
        """The device speaks to `hub`, of now."""
        self.stop()
        self._hub, self._heard = hub, self._clock.now()
        self._arm()

    def stop(self) -> None:
        """The power went, or the network."""
        self._timers.clear()
        self._hub = self._endpoint = None
        self._failures = 0

    # --- inside ------------------------------------------------------------------------------------------------

    def _in_network(self, hub: Eui64) -> None:
        """With another hub it begins when there is a key for it."""
        if hub != self._hub:
            self.stop()

    def _spoke(self, event: Received) -> None:
        """A frame of whoever, before its cluster's handler has it."""
        if event.secured and event.who == self._hub:
            self._heard, self._failures = self._clock.now(), 0

    def _arm(self) -> None:
        due = self._heard + self._base if not self._failures else self._clock.now() + self._base
        jitter = self._random.randrange(0, self._jitter + 1)
        self._timers.at(_NEXT, max(self._clock.now(), due) + jitter, self._look)

    def _look(self) -> None:
        hub = self._hub
        if hub is None:
            return
        if not self._failures and self._clock.now() < self._heard + self._base:
            self._arm()  # it has spoken meanwhile
        elif self._endpoint is None:
            query = MatchDescriptor(self._application.profile, (KEEP_ALIVE,))
            self._timers.after(_ANSWER, self.settings.answer_wait, self._missed)
            self._application.discover(hub, query, self._found)
        else:
            self._read(hub, self._endpoint)

    def _found(self, event: Discovered) -> None:
        if event.who == self._hub and event.endpoints:
            self._endpoint = event.endpoints[0]
            self._read(event.who, self._endpoint)

    def _read(self, hub: Eui64, endpoint: int) -> None:
        self._transaction = (self._transaction + 1) & 0xFF
        self._timers.after(_ANSWER, self.settings.answer_wait, self._missed)
        frame = foundation.encode(_READ, self._transaction, from_server=False)
        self._application.send(hub, KEEP_ALIVE, endpoint, frame, acknowledged=False)

    def _missed(self) -> None:
        self._failures += 1
        self._arm()
        if self._failures >= self.settings.failures:
            self._lost()

    def _frame(self, event: Received) -> None:
        """Take an answer; one without APS security proves nothing."""
        if not event.secured or event.who != self._hub:
            return
        try:
            command = foundation.decode(ZclFrame.decode(event.aps.payload))
        except DecodeError:
            return
        if not isinstance(command, ReadAttributesResponse):
            return
        for record in command.records:
            if isinstance(record.value, int):
                if record.attribute == Attribute.TC_KEEP_ALIVE_BASE and record.value:
                    self._base = record.value * MINUTE
                elif record.attribute == Attribute.TC_KEEP_ALIVE_JITTER:
                    self._jitter = record.value * SECOND
        self._timers.cancel(_ANSWER)
        self._arm()
