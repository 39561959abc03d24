"""Frames on their way to the next hop: one at a time to each neighbour, sent again, held for sleeping children."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from protocols.addresses import ShortAddress
from protocols.interfaces import DeliveryStatus, TransmitStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.interfaces import Random
    from protocols.stack.mac import MacLayer
    from protocols.stack.routing import Routing
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState
    from protocols.stack.timers import Timers

_OK, _NO_ACK = DeliveryStatus.OK, DeliveryStatus.NO_ACK
_SENT = TransmitStatus.OK

Done = "Callable[[DeliveryStatus], object]"


class Hop:
    """A frame on its way to a neighbour."""

    __slots__ = ("done", "header", "hops", "payload", "retries", "route")

    hops: Hops
    retries: int

    def __init__(
        self,
        header: bytes,
        payload: bytes,
        route: tuple[int, int],
        done: Callable[[DeliveryStatus], object] | None,
    ) -> None:
        """`route`: radio and next hop. `done` is for a frame of this node; None for one that is relayed."""
        self.header, self.payload, self.route, self.done = header, payload, route, done

    def sent(self, status: TransmitStatus, pending: bool) -> None:
        """The radio is done with the frame."""
        self.hops.ended(self, status is _SENT)


class Hops:
    """What is under way from one node to its neighbours."""

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
        self._failed, self._worked, self._failing = routing.hop_failed, routing.hop_worked, routing.failing
        self._retries, self._delay = settings.unicast_retries, settings.unicast_retry_delay
        self._queues: dict[tuple[int, int], list[Hop]] = {}  # by radio and next hop: what waits behind a frame

    def forward(self, hop: Hop) -> None:
        """Send to the next hop; one frame at a time is under way to each, so that counters arrive in order."""
        route = hop.route
        if route[1] in self._state.sleepy_children:
            make = partial(self.protect, hop.header, hop.payload)
            self._macs[route[0]].indirect.hold(ShortAddress(route[1]), make, partial(self._fetched, hop))
            return
        hop.hops, hop.retries = self, self._retries
        queue = self._queues.get(route)
        if queue is None:
            self._queues[route] = []
            self._transmit(hop)
        else:
            queue.append(hop)

    def protect(self, header: bytes, payload: bytes) -> bytes:
        """Return a whole NWK frame under the next counter."""
        state = self._state
        if state.security is None:
            return b""
        return state.security.protect(header, state.eui, state.next_nwk_counter(), payload)

    def _transmit(self, hop: Hop) -> None:
        state = self._state
        if state.security is None:
            self._queues.pop(hop.route, None)
            return
        radio, to = hop.route
        frame = state.security.protect(hop.header, state.eui, state.next_nwk_counter(), hop.payload)
        self._macs[radio].send(to, frame, hop.sent)

    def ended(self, hop: Hop, ok: bool) -> None:
        """The radio is done with the frame of `hop`: again, or the next."""
        if not ok and hop.retries:
            hop.retries -= 1
            delay = self._delay
            self._timers.after(delay // 2 + self._random.randrange(0, delay), self._transmit, hop)
            return
        queue = self._queues.get(hop.route)
        if queue:
            self._transmit(queue.pop(0))
        elif queue is not None:
            del self._queues[hop.route]
        if not ok:
            self._failed(hop.route, hop.header)
        elif self._failing:
            self._worked(hop.route)
        self._fetched(hop, ok)

    def _fetched(self, hop: Hop, ok: bool) -> None:
        if hop.done is not None:
            hop.done(_OK if ok else _NO_ACK)
