"""Frames for others on their way through a router: by a source route, or by its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.errors import DecodeError
from protocols.nwk.commands import CommandId, RouteRecord, decode_command
from protocols.nwk.frame import FrameType, NwkHeader, SourceRoute, with_radius, with_relay_index

if TYPE_CHECKING:
    from protocols.stack.counts import Counts
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.nwk_arrival import Arrival
    from protocols.stack.routing import Routing
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState

_ROUTE_RECORD = bytes((CommandId.ROUTE_RECORD,))


class Relay:
    __slots__ = ("_counts", "_mend", "_nwk", "_routing", "_state")

    def __init__(
        self, nwk: NwkLayer, state: NodeState, routing: Routing, settings: StackSettings, counts: Counts
    ) -> None:
        self._nwk, self._state, self._routing, self._counts = nwk, state, routing, counts
        self._mend = settings.mend_source_routes

    def frame(self, how: Arrival, octets: bytes, payload: bytes) -> None:
        """Pass a frame on: header `octets` as it came, payload decrypted. One that has no way is reported."""
        header = how.header
        relayed = with_radius(octets, header.radius - 1)
        if header.source_route is not None:
            self._by_source_route(header, header.source_route, relayed, payload)
            return
        if header.frame_type == FrameType.COMMAND and payload[:1] == _ROUTE_RECORD:
            payload = self._with_own_address(payload)
        elif self._routing.special:
            self._routing.record_for_child(header.source, header.destination)
        route = self._nwk.route(header.destination)
        if route is None and header.discover_route:
            self._routing.hold(header.destination, relayed, payload, None)
        elif route is None or route == (how.radio, how.neighbour):
            self._routing.no_route(header.source, header.destination)
        else:
            self._forward(relayed, payload, route)

    def _by_source_route(self, header: NwkHeader, source_route: SourceRoute, relayed: bytes, payload: bytes) -> None:
        """Pass on to the next relay or the destination.

        If source routes are to be mended, the last relay uses its own route, and so does one that the list lacks.
        """
        index, relays = source_route
        if index >= len(relays) or (relays[index] != self._state.short and not (self._mend and index == 0)):
            return
        if index:
            following = relays[index - 1]
            self._forward(with_relay_index(relayed, len(relays), index - 1), payload, self._nwk.direct(following))
            return
        self._routing.record_known(header.source, header.destination)
        own = self._state.routes.get(header.destination) if self._mend else None
        self._forward(relayed, payload, self._nwk.direct(header.destination) if own is None else own)

    def _forward(self, relayed: bytes, payload: bytes, route: tuple[int, int]) -> None:
        self._counts.relayed += 1
        self._nwk.forward(relayed, payload, route, None)

    def _with_own_address(self, payload: bytes) -> bytes:
        try:
            record = decode_command(payload)
        except DecodeError:
            return payload
        return RouteRecord((*record.relays, self._state.short)).encode() if isinstance(record, RouteRecord) else payload
