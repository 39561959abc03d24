"""Route discovery: route requests flooded, the cheapest answered, replies going back.

Source: Zigbee 05-3474 3.6.3.5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.addresses import BROADCAST_ROUTERS, ShortAddress
from protocols.interfaces import MILLISECOND, SECOND
from protocols.nwk.commands import RouteReply, RouteRequest
from protocols.nwk.frame import FrameType, NwkHeader

if TYPE_CHECKING:
    from protocols.interfaces import Random
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.nwk_arrival import Arrival
    from protocols.stack.routing import Routing
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState
    from protocols.stack.timers import Timers

DISCOVERY_TIME = 10 * SECOND  # nwkcRouteDiscoveryTime: life of a table entry
_RELAY_JITTER = 2 * MILLISECOND, 128 * MILLISECOND  # nwkcMinRREQJitter, nwkcMaxRREQJitter
_RELAY_AGAIN = 254 * MILLISECOND  # nwkcRREQRetryInterval
_RELAYED = 2  # times a request is relayed
_KEEPS_RECORDS, _KEEPS_NONE = 1, 2  # many-to-one field
_MOST = 255  # path cost
_COSTS = ((150, 1), (110, 2), (75, 3), (50, 4), (25, 5))  # least LQI, link cost; below it is 7 [I]


def link_cost(lqi: int) -> int:
    """Return the cost of a link, 1 to 7, from the LQI of what was heard over it."""
    for least, cost in _COSTS:
        if lqi >= least:
            return cost
    return 7


class _Entry:
    """A route request seen: the cheapest way back to its originator."""

    __slots__ = ("cost", "expires", "relay", "route")

    def __init__(self, cost: int, route: tuple[int, int], expires: int) -> None:
        self.cost, self.route, self.expires = cost, route, expires
        self.relay = 0  # number of the relaying that is due


class Discovery:
    """Requests and replies of one router."""

    __slots__ = (
        "_identifier", "_nwk", "_random", "_routing", "_settings", "_state", "_table", "_timers", "_vain", "_wanted",
    )  # fmt: skip

    def __init__(
        self,
        nwk: NwkLayer,
        state: NodeState,
        timers: Timers,
        settings: StackSettings,
        random: Random,
        routing: Routing,
    ) -> None:
        """`routing.found(destination, whether)` ends what `start` began."""
        self._nwk, self._state, self._timers, self._settings, self._random = nwk, state, timers, settings, random
        self._routing = routing
        self._identifier = random.randrange(0, 256)
        self._table: dict[tuple[int, int], _Entry] = {}  # by originator and identifier
        self._wanted: dict[int, int] = {}  # destination: attempts left
        self._vain: dict[int, int] = {}  # destination that nobody knew: no request for it until then

    # --- own requests ------------------------------------------------------------------------------------------

    def start(self, destination: int) -> None:
        """Look for a route to `destination`; in vain at once if that was so a moment ago."""
        if self._vain.get(destination, 0) > self._timers.now():
            self._timers.soon(self._routing.found, destination, False)
        elif destination not in self._wanted:
            self._wanted[destination] = self._settings.route_attempts
            self._attempt(destination)

    def forget(self, destination: int) -> None:
        """`destination` was heard of by itself."""
        if self._wanted.pop(destination, None) is not None:
            self._routing.found(destination, destination in self._state.routes)

    def _attempt(self, destination: int) -> None:
        left = self._wanted.get(destination)
        if left is None:
            return
        if not left:
            del self._wanted[destination]
            self._vain[destination] = self._timers.now() + self._settings.route_pause
            self._routing.found(destination, False)
            return
        self._wanted[destination] = left - 1
        peer = self._state.by_short.get(destination)
        command = RouteRequest(self._next(), ShortAddress(destination), 0, None if peer is None else peer.eui)
        jitter = self._random.randrange(1, self._settings.broadcast_jitter)  # others may look for the same just now
        self._timers.after(jitter, self._flood, command)
        self._timers.after(self._settings.route_wait + jitter, self._attempt, destination)

    def request_many_to_one(self) -> None:
        self._flood(RouteRequest(self._next(), BROADCAST_ROUTERS, 0, None, _KEEPS_RECORDS))

    def _next(self) -> int:
        self._identifier = (self._identifier + 1) & 0xFF
        key = (int(self._state.short), self._identifier)
        self._table[key] = _Entry(0, (0, 0), self._timers.now() + DISCOVERY_TIME)  # its echoes are not for this node
        return self._identifier

    def _flood(self, command: RouteRequest) -> None:
        header = NwkHeader(
            FrameType.COMMAND, BROADCAST_ROUTERS, self._state.short, self._settings.radius, self._nwk.next_sequence()
        )
        self._nwk.broadcasts.send_once(header.encode(), command.encode())

    # --- requests of others ------------------------------------------------------------------------------------

    def requested(self, how: Arrival, command: RouteRequest) -> None:
        """A route request came: note the way back, answer it or relay it."""
        state, source = self._state, int(how.header.source)
        if state.network is None or source == state.short:
            return
        cost = min(command.path_cost + link_cost(how.lqi), _MOST)
        entry = self._enter((source, command.route_request), cost, (how.radio, int(how.neighbour)))
        if entry is None:
            return
        state.learn_route(source, *entry.route)
        if command.many_to_one:
            self._routing.note_concentrator(source, command.many_to_one == _KEEPS_RECORDS)
        elif self._answers_for(command.destination):
            self._reply(source, command, entry)
            return
        if how.header.radius > 1:
            header = how.header._replace(radius=how.header.radius - 1).encode()
            relayed = command._replace(path_cost=cost).encode()
            entry.relay += 1
            self._timers.after(self._jitter(), self._relay, entry, entry.relay, header, relayed, _RELAYED)

    def _enter(self, key: tuple[int, int], cost: int, route: tuple[int, int]) -> _Entry | None:
        """Return the entry if the request is new or came a cheaper way."""
        now = self._timers.now()
        while self._table and (oldest := next(iter(self._table))) != key and self._table[oldest].expires <= now:
            del self._table[oldest]
        entry = self._table.get(key)
        if entry is None or entry.expires <= now:
            self._table.pop(key, None)
            entry = self._table[key] = _Entry(cost, route, now + DISCOVERY_TIME)
            return entry
        if cost >= entry.cost:
            return None
        entry.cost, entry.route = cost, route
        return entry

    def _jitter(self) -> int:
        return self._random.randrange(*_RELAY_JITTER)

    def _relay(self, entry: _Entry, number: int, header: bytes, payload: bytes, left: int) -> None:
        if number != entry.relay:
            return  # a cheaper one goes out instead
        self._nwk.broadcasts.send_once(header, payload)
        if left > 1:
            wait = _RELAY_AGAIN + self._jitter()
            self._timers.after(wait, self._relay, entry, number, header, payload, left - 1)

    def _answers_for(self, destination: int) -> bool:
        """Tell whether `destination` is this node or an end device that is its child."""
        child = self._state.by_short.get(destination)
        ours = child is not None and child.child_radio >= 0 and not child.router
        return destination == self._state.short or ours

    def _reply(self, originator: int, command: RouteRequest, entry: _Entry) -> None:
        state = self._state
        child = state.by_short.get(command.destination)
        responder = state.eui if child is None or command.destination == state.short else child.eui
        peer = state.by_short.get(originator)
        asks = None if peer is None else peer.eui
        reply = RouteReply(command.route_request, ShortAddress(originator), command.destination, 0, asks, responder)
        self._nwk.send_reply(reply.encode(), entry.route)

    # --- replies -----------------------------------------------------------------------------------------------

    def replied(self, how: Arrival, command: RouteReply) -> None:
        """A route reply came: note the way to the responder, and hand the reply on towards the originator."""
        state = self._state
        key = (int(command.originator), command.route_request)
        entry = self._table.get(key)
        if entry is None or entry.expires <= self._timers.now() or command.responder == state.short:
            return
        responder = int(command.responder)
        state.learn_route(responder, how.radio, int(how.neighbour))
        if command.responder_ieee is not None:
            state.note_address(command.responder_ieee, command.responder)
        if command.originator != state.short:
            cost = min(command.path_cost + link_cost(how.lqi), _MOST)
            self._nwk.send_reply(command._replace(path_cost=cost).encode(), entry.route)
        elif self._wanted.pop(responder, None) is not None:
            self._routing.found(responder, True)
