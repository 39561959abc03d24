"""A device of the same HAN that another one speaks to directly, once a join has given both a link key."""

from collections.abc import Callable

from emulator.parts.meter_parts import MeterParts
from protocols.addresses import Eui64
from protocols.interfaces import MINUTE, Discovered, MatchDescriptor
from protocols.zcl.protection import SMART_ENERGY

RETRY = 5 * MINUTE  # [I]


class Partner:
    """Whoever the device was joined to last, and has the wanted server. Looks for its endpoint until it is found."""

    def __init__(self, parts: MeterParts, cluster: int, ready: Callable[[], object]) -> None:
        """cluster: whose server is looked for. ready: hears that `place` is known now."""
        self._parts, self._cluster, self._ready = parts, cluster, ready
        self.who: Eui64 | None = None
        self._endpoint: int | None = None
        self.others: tuple[int, ...] = ()  # further endpoints with that server
        self._timer = f"partner {cluster}"
        parts.partners.listen(self._met, self._gone)

    @property
    def place(self) -> tuple[Eui64, int] | None:
        """The partner and the endpoint of its server; None before they are known."""
        return None if self.who is None or self._endpoint is None else (self.who, self._endpoint)

    def find(self) -> None:
        """Look for the endpoint, again if it was found before."""
        self._endpoint = None
        if self.who is None:
            return
        self._parts.timers.after(self._timer, RETRY, self.find)
        if self._parts.node.joined:
            query = MatchDescriptor(SMART_ENERGY, (self._cluster,))
            self._parts.application.discover(self.who, query, self._discovered)

    def reset(self) -> None:
        """Forget where it is: the power went."""
        self.who = self._endpoint = None

    def _met(self, partner: Eui64) -> None:
        if partner != self.who or self._endpoint is None:
            self.who = partner
            self.find()

    def _gone(self, partner: Eui64) -> None:
        if partner == self.who:
            self._parts.timers.cancel(self._timer)
            self.reset()

    def _discovered(self, event: Discovered) -> None:
        if event.who == self.who and event.answered and event.endpoints:
            self._parts.timers.cancel(self._timer)
            self._endpoint, *others = event.endpoints
            self.others = tuple(others)
            self._ready()
