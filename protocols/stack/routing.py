"""Routes of a node: those learnt from passing frames, discovery, repair, concentrators and their source routes.

Routes along the tree serve as long as they hold; where one breaks, or none is known, a route is discovered. Source:
Zigbee 05-3474 3.6.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.addresses import ShortAddress
from protocols.interfaces import SECOND, DeliveryStatus
from protocols.nwk.commands import NetworkStatus, NwkCommand, RouteRecord, RouteReply, RouteRequest, StatusCode
from protocols.nwk.frame import FrameType, NwkHeader, decode_header
from protocols.stack.discovery import Discovery
from protocols.stack.hooks import nobody

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.interfaces import Random
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.nwk_arrival import Arrival
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState
    from protocols.stack.timers import Timers

    Done = Callable[[DeliveryStatus], object] | None
    Waiting = tuple[bytes, bytes, Done]  # header, payload, whom to tell

_HELD_MOST = 16  # frames that wait for one route
_REPORT_AGAIN = 1 * SECOND  # between two network status commands to one node about another [I]


class Routing:
    """Finds the next hop where the routes learnt do not tell it."""

    __slots__ = (
        "_discovery", "_forgetful", "_held", "_nwk", "_reported", "_router", "_settings", "_state", "_timers",
        "_unreachable", "broken", "concentrators", "failing", "parent_failed", "source_routes",
        "special",
    )  # fmt: skip

    def __init__(
        self,
        nwk: NwkLayer,
        state: NodeState,
        timers: Timers,
        settings: StackSettings,
        random: Random,
        *,
        router: bool,
    ) -> None:
        self._nwk, self._state, self._timers, self._settings, self._router = nwk, state, timers, settings, router
        self._discovery = Discovery(nwk, state, timers, settings, random, self)
        self.parent_failed: Callable[[], object] = nobody  # at an end device
        self.special = False  # whether sending needs more than a look at the routes
        self.broken: dict[tuple[int, int], int] = {}  # radio and neighbour: no way through it until then
        self._unreachable: dict[int, int] = {}  # not by way of the tree until then, a node has reported
        self._held: dict[int, list[Waiting]] = {}  # by destination: frames that wait for a route
        self.concentrators: dict[int, dict[int, None]] = {}  # of which nodes each has a record by way of here
        self._forgetful: dict[int, None] = {}  # concentrators that keep no records: one before each frame
        self.source_routes: dict[int, tuple[ShortAddress, ...]] = {}  # relays, the one next to the node first
        self.failing: dict[tuple[int, int], int] = {}  # by radio and neighbour: frames in a row that failed
        self._reported: dict[tuple[int, int], int] = {}

    # --- choosing ----------------------------------------------------------------------------------------------

    def choose(self, destination: int, up: tuple[int, int] | None) -> tuple[int, int] | None:
        """Return radio and next hop for a router's frame; None if a route must be discovered. `up`: to the parent."""
        now, state = self._timers.now(), self._state
        route = state.routes.get(destination)
        if route is not None and not self._is_broken(route, now):
            return route
        peer = state.by_short.get(destination)
        if peer is not None and peer.link_until > now and not self._is_broken((peer.radio, destination), now):
            return peer.radio, destination
        if up is None or self._is_broken(up, now):
            return None
        until = self._unreachable.get(destination)
        if until is not None:
            if until > now:
                return None
            del self._unreachable[destination]
        return up

    def hop_worked(self, route: tuple[int, int]) -> None:
        """A neighbour acknowledged a frame after some that failed."""
        self.failing.pop(route, None)
        self.broken.pop(route, None)

    def _is_broken(self, route: tuple[int, int], now: int) -> bool:
        until = self.broken.get(route)
        if until is None:
            return False
        if until > now:
            return True
        del self.broken[route]
        return False

    def prepare(self, destination: int, header: bytes, payload: bytes, done: Done) -> bool:
        """Do what `special` asks for before a frame of this node goes out; True if it is taken care of."""
        relays = self.source_routes.get(destination)
        if relays:
            self._nwk.send_source_routed(destination, relays, payload, done)
            return True
        if destination in self._held:
            self.hold(destination, header, payload, done)
            return True
        self._record(destination)
        return False

    def source_route_octets(self, destination: int) -> int:
        """Return by how much a source route to `destination` makes a frame longer."""
        relays = self.source_routes.get(destination)
        return 2 + 2 * len(relays) if relays else 0

    # --- discovery ---------------------------------------------------------------------------------------------

    def hold(self, destination: int, header: bytes, payload: bytes, done: Done) -> None:
        """Keep a frame of this node until a route to `destination` is found."""
        if not self._router or self._state.network is None:
            if done is not None:
                self._timers.soon(done, DeliveryStatus.NO_ROUTE)
            return
        waiting = self._held.get(destination)
        if waiting is None:
            self._held[destination] = [(header, payload, done)]
            self.special = True
            self._discovery.start(destination)
        elif len(waiting) < _HELD_MOST:
            waiting.append((header, payload, done))
        elif done is not None:
            self._timers.soon(done, DeliveryStatus.NO_ROUTE)

    def found(self, destination: int, found: bool) -> None:
        """The discovery of a route has ended."""
        waiting = self._held.pop(destination, [])
        self._settle()
        if found:
            self._unreachable.pop(destination, None)
        route = self._state.routes.get(destination) if found else None
        for header, payload, done in waiting:
            if route is not None:
                self._nwk.forward_own(header, payload, route, done)
            elif done is not None:
                done(DeliveryStatus.NO_ROUTE)

    def _settle(self) -> None:
        self.special = bool(self._held or self.concentrators or self.source_routes)

    # --- repair ------------------------------------------------------------------------------------------------

    def hop_failed(self, route: tuple[int, int], header: bytes) -> None:
        """A neighbour did not acknowledge a frame: no more over it for a while, and who sent the frame is told."""
        state = self._state
        if state.network is None:
            return
        if not self._router:
            self.parent_failed()
            return
        decoded, _ = decode_header(header)
        failures = self.failing[route] = self.failing.get(route, 0) + 1
        if failures < self._settings.link_failures and decoded.source_route is None:
            return
        neighbour = state.by_short.get(route[1])
        if neighbour is None or neighbour.child_radio < 0 or neighbour.router:  # an end device is nowhere else
            self.broken[route] = self._timers.now() + self._settings.route_repair_wait
            state.drop_routes(route)
        if decoded.source_route is not None:
            self._failed_source_route(decoded)
        elif decoded.source != state.short:
            self.no_route(decoded.source, decoded.destination)

    def _failed_source_route(self, header: NwkHeader) -> None:
        if header.source == self._state.short:
            self._forget_source_route(header.destination)
        else:
            self.concentrators.get(header.source, {}).pop(header.destination, None)  # it forgets the record, too
            self._report(header.source, header.destination, StatusCode.SOURCE_ROUTE_FAILURE)

    def no_route(self, source: int, destination: int) -> None:
        """Tell `source` that there is no way to `destination` from here."""
        if destination in self.concentrators:
            self._report(source, destination, StatusCode.MANY_TO_ONE_ROUTE_FAILURE)
        else:
            self._report(source, destination, StatusCode.NO_ROUTE_AVAILABLE)

    def _report(self, source: int, destination: int, code: StatusCode) -> None:
        key, now = (source, destination), self._timers.now()
        if self._reported.get(key, 0) > now or source == destination:
            return
        self._reported[key] = now + _REPORT_AGAIN
        status = NetworkStatus(code, ShortAddress(destination))
        self._nwk.send_command(source, status.encode(), radius=self._settings.radius)

    def command(self, how: Arrival, command: NwkCommand) -> None:
        """Take a command about routes. An end device has no part in finding them: what led over it would end there."""
        if isinstance(command, NetworkStatus):
            self._status(command)
        elif not self._router:
            return
        elif isinstance(command, RouteRecord):
            self._recorded(how, command)
        elif isinstance(command, RouteRequest):
            self._discovery.requested(how, command)
        elif isinstance(command, RouteReply):
            self._discovery.replied(how, command)

    def _status(self, command: NetworkStatus) -> None:
        """A node reports a failure, or an address that two have."""
        destination = int(command.destination)
        if command.status == StatusCode.ADDRESS_CONFLICT:
            self._nwk.membership.conflict(destination)
        elif command.status in _ROUTE_FAILURES and self._router:
            self._forget_source_route(destination)
            peer = self._state.by_short.get(destination)
            if peer is None or peer.child_radio < 0:
                self._state.drop_route(destination)
                self._unreachable[destination] = self._timers.now() + self._settings.route_repair_wait

    def _forget_source_route(self, destination: int) -> None:
        if self.source_routes.pop(destination, None) is not None:
            self._settle()

    # --- concentrators -----------------------------------------------------------------------------------------

    def advertise(self) -> None:
        """Ask all routers for routes to this node: it is a concentrator that keeps route records."""
        self._discovery.request_many_to_one()

    def note_concentrator(self, source: int, keeps_records: bool) -> None:
        """`source` has made itself known as one to which many speak."""
        self.concentrators[source] = {}
        if keeps_records:
            self._forgetful.pop(source, None)
        else:
            self._forgetful[source] = None
        self.special = True

    def record_known(self, concentrator: int, of: int) -> None:
        """A frame came by a source route for this node or a child: the concentrator has its record."""
        if concentrator in self.concentrators and concentrator not in self._forgetful:
            self.concentrators[concentrator][of] = None

    def needs_record(self, concentrator: int, of: int) -> bool:
        """Tell whether a route record goes ahead of the next frame of this node or a child to a concentrator."""
        known = self.concentrators.get(concentrator)
        return known is not None and of not in known

    def _record(self, destination: int) -> None:
        """Send a route record ahead of a frame of this node, if the concentrator needs one."""
        if self._router and self.needs_record(destination, self._state.short):
            self._nwk.send_command(destination, RouteRecord(()).encode(), radius=self._settings.radius)

    def record_for_child(self, source: int, destination: int) -> None:
        """Send a route record on behalf of the end device `source`, whose frame is relayed to a concentrator."""
        child = self._state.by_short.get(source)
        if child is None or child.child_radio < 0 or child.router or not self.needs_record(destination, source):
            return
        record = RouteRecord((self._state.short,))
        self._nwk.send_command(destination, record.encode(), radius=self._settings.radius, source=source)

    def _recorded(self, how: Arrival, command: RouteRecord) -> None:
        """A route record has come to this node: use it."""
        if how.header.frame_type == FrameType.COMMAND:
            self._discovery.forget(how.header.source)
            relays = command.relays
            self.source_routes[how.header.source] = relays
            self._settle()

    def clear(self) -> None:
        """Forget the places of other nodes: this node has left its network."""
        for known in (
            self.broken,
            self.failing,
            self._unreachable,
            self.concentrators,
            self._forgetful,
            self.source_routes,
        ):
            known.clear()
        self._settle()


_ROUTE_FAILURES = (
    StatusCode.NO_ROUTE_AVAILABLE,
    StatusCode.TREE_LINK_FAILURE,
    StatusCode.NON_TREE_LINK_FAILURE,
    StatusCode.SOURCE_ROUTE_FAILURE,
    StatusCode.MANY_TO_ONE_ROUTE_FAILURE,
)
