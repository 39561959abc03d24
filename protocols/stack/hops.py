"""Frames on their way to the next hop: one at a time to each neighbour, sent again, held for sleeping children."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from protocols.addresses import ShortAddress
from protocols.interfaces import DeliveryStatus, TransmitStatus
from protocols.stack.express import PLAIN_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.interfaces import Random
    from protocols.stack.mac import MacLayer
    from protocols.stack.routing import Routing
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState
    from protocols.stack.timers import Timers

    Done = Callable[[DeliveryStatus], object] | None

_OK, _NO_ACK = DeliveryStatus.OK, DeliveryStatus.NO_ACK
_SENT = TransmitStatus.OK


class Hop:
    """A frame on its way to a neighbour."""

    __slots__ = ("done", "header", "hops", "payload", "retries", "route")

    def __init__(
        self, hops: Hops, header: bytes, payload: bytes, route: tuple[int, int], done: Done, retries: int
    ) -> None:
        self.hops, self.header, self.payload, self.route, self.done = hops, header, payload, route, done
        self.retries = retries

    def sent(self, status: TransmitStatus, pending: bool) -> None:
        """The radio is done with the frame."""
        hops = self.hops
        if status is not _SENT or hops.waiting or hops.routing.failing:
            hops.ended(self, status)
            return
        hops.under_way.pop(self.route, None)
        done = self.done
        if done is not None:
            done(_OK)


class Hops:
    """What is under way from one node to its neighbours."""

    __slots__ = ("_delay", "_macs", "_random", "_retries", "_state", "_timers", "routing", "under_way", "waiting")

    def __init__(
        self,
        state: NodeState,
        macs: list[MacLayer],
        timers: Timers,
        settings: StackSettings,
        random: Random,
        routing: Routing,
    ) -> None:
        """`routing` is told route and header of a frame that no attempt brought over."""
        self._state, self._macs, self._timers, self._random = state, macs, timers, random
        self.routing = routing
        self._retries, self._delay = settings.unicast_retries, settings.unicast_retry_delay
        self.under_way: dict[tuple[int, int], Hop] = {}  # by radio and next hop
        self.waiting: dict[tuple[int, int], deque[Hop]] = {}  # behind those

    def forward(self, header: bytes, payload: bytes, route: tuple[int, int], done: Done) -> None:
        """Send to the next hop; one frame at a time is under way to each, so that counters arrive in order.

        `route`: radio and next hop. `done` is for a frame of this node; None for one that is relayed.
        """
        hop, sleepy = Hop(self, header, payload, route, done, self._retries), self._state.sleepy_children
        if sleepy and route[1] in sleepy:
            make = partial(self.protect, header, payload)
            self._macs[route[0]].indirect.hold(ShortAddress(route[1]), make, partial(self._fetched, hop))
        elif route in self.under_way:
            self.waiting.setdefault(route, deque()).append(hop)
        else:
            self._transmit(hop)

    def protect(self, header: bytes, payload: bytes) -> bytes:
        """Return a whole NWK frame under the next counter."""
        state = self._state
        if state.security is None:
            return b""
        return state.security.protect(header, state.eui, state.next_nwk_counter(), payload)

    def _transmit(self, hop: Hop) -> None:
        state = self._state
        radio, neighbour = route = hop.route
        security = state.security
        if security is None:
            self.under_way.pop(route, None)
            self.waiting.pop(route, None)
            return
        self.under_way[route] = hop
        mac, header, counter = self._macs[radio], hop.header, state.next_nwk_counter()
        if len(header) == PLAIN_HEADER and mac.express is not None:
            mac.send_sealed(neighbour, header, security, counter, hop.payload, hop.sent)
        else:
            mac.send(neighbour, security.protect(header, state.eui, counter, hop.payload), hop.sent)

    def ended(self, hop: Hop, status: TransmitStatus) -> None:
        """The radio is done with the frame of `hop`: again, or the next."""
        route, ok = hop.route, status is _SENT
        if not ok and hop.retries:
            hop.retries -= 1
            delay = self._delay
            self._timers.after(delay // 2 + self._random.randrange(0, delay), self._transmit, hop)
            return
        self.under_way.pop(route, None)
        if self.waiting and route in self.waiting:
            self._next(route)
        if not ok:
            self.routing.hop_failed(route, hop.header)
        elif self.routing.failing:
            self.routing.hop_worked(route)
        if hop.done is not None:
            hop.done(_OK if ok else _NO_ACK)

    def _next(self, route: tuple[int, int]) -> None:
        waiting = self.waiting[route]
        following = waiting.popleft()
        if not waiting:
            del self.waiting[route]
            if not self.waiting:
                self.waiting = {}  # an emptied dict keeps its room
        self._transmit(following)

    def _fetched(self, hop: Hop, ok: bool) -> None:
        if hop.done is not None:
            hop.done(_OK if ok else _NO_ACK)
