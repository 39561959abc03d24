"""NWK layer of a node: hop-by-hop security, relaying, and the way of each frame to its next hop.

A bridge is a node with two radios of one PAN: what comes in on one goes out on the other under the bridge's own
counter, the radius less one, the APS part untouched. Source: Zigbee 05-3474 3.6.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from protocols.addresses import ShortAddress
from protocols.errors import DecodeError
from protocols.interfaces import DeliveryStatus
from protocols.nwk.commands import CommandId, decode_command
from protocols.nwk.frame import FrameType, NwkHeader, SourceRoute, data_header, decode_header
from protocols.nwk.security import KEY_SEQUENCE_AT
from protocols.stack.broadcasts import Broadcasts
from protocols.stack.hops import Hops
from protocols.stack.nwk_arrival import Arrival
from protocols.stack.plain import PlainSender
from protocols.stack.relay import Relay
from protocols.stack.routing import Routing

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.addresses import Eui64
    from protocols.interfaces import Random
    from protocols.stack.counts import Counts
    from protocols.stack.keys import NodeKeys
    from protocols.stack.mac import MacLayer
    from protocols.stack.membership import Membership
    from protocols.stack.nwk_arrival import CommandHandler, NwkUser
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState, Peer
    from protocols.stack.timers import Timers

FIRST_BROADCAST = 0xFFF8  # addresses from here on are broadcasts

_FIXED = struct.Struct("<HHHBB")
_COMMAND = 0x0209
_PLAIN_DATA = frozenset({0x0208, 0x0248, 0x2208, 0x2248})  # secured data without optional fields
_NO_ROUTE = DeliveryStatus.NO_ROUTE


class NwkLayer:
    """The NWK layer over all radios of a node."""

    __slots__ = (
        "_counts", "_hops", "_macs", "_radius", "_random", "_relay", "_router", "_settings", "_state",
        "_timers", "activity", "broadcasts", "forward", "handlers", "keys", "membership", "now", "plain",
        "routing", "sequence", "unauthenticated", "user",
    )  # fmt: skip

    keys: NodeKeys  # hears of a frame under the next network key
    membership: Membership  # hears of two nodes with one address

    def __init__(
        self,
        state: NodeState,
        macs: list[MacLayer],
        timers: Timers,
        settings: StackSettings,
        counts: Counts,
        random: Random,
        *,
        router: bool,
    ) -> None:
        self._state, self._macs, self._timers, self._settings, self._counts = state, macs, timers, settings, counts
        self._router, self._random, self._radius = router, random, settings.radius
        self.sequence = random.randrange(0, 256)
        self.now = timers.now
        self.broadcasts = Broadcasts(self, state, macs, timers, settings, random, router=router)
        self.routing = Routing(self, state, timers, settings, random, router=router)
        self.plain = PlainSender(self, state, macs, timers, settings)
        self._relay = Relay(self, state, self.routing, settings, counts)
        self._hops = Hops(state, macs, timers, settings, random, self.routing)
        self.forward = self._hops.forward
        self.user: NwkUser | None = None
        self.handlers: list[CommandHandler | None] = [None] * (max(CommandId) + 1)  # by command id
        self.unauthenticated: dict[Eui64, int] = {}  # children without network key yet, their deadline
        self.activity: Callable[[], object] | None = None  # a sleepy node polls faster after each frame
        for command in _ABOUT_ROUTES:
            self.handlers[command] = self.routing

    # --- sending -----------------------------------------------------------------------------------------------

    def next_sequence(self) -> int:
        self.sequence = (self.sequence + 1) & 0xFF
        return self.sequence

    def send(self, destination: int, payload: bytes, done: Callable[[DeliveryStatus], object] | None = None) -> None:
        """Send an APS frame to one node, encrypted for each hop; `done` tells of the next hop."""
        state, routing = self._state, self.routing
        self.sequence = sequence = self.sequence + 1 & 0xFF
        header = data_header(destination, state.short, self._radius, sequence)
        if routing.special and routing.prepare(destination, header, payload, done):
            return
        route = state.routes.get(destination) if self._router else None
        if route is None or routing.broken:
            route = self.route(destination)
            if route is None:
                routing.hold(destination, header, payload, done)
                return
        self._counts.sent += 1
        if self.activity is not None:
            self.activity()
        self.forward(header, payload, route, done)

    def send_source_routed(
        self,
        destination: int,
        relays: tuple[ShortAddress, ...],
        payload: bytes,
        done: Callable[[DeliveryStatus], object] | None,
    ) -> None:
        """Send an APS frame by the `relays`, the one next to the destination first."""
        route = SourceRoute(len(relays) - 1, relays)
        header = NwkHeader(
            FrameType.DATA,
            ShortAddress(destination),
            self._state.short,
            self._settings.radius,
            self.next_sequence(),
            source_route=route,
        ).encode()
        self._counts.sent += 1
        self.forward(header, payload, self.direct(relays[-1]), done)

    def send_command(
        self,
        destination: int,
        payload: bytes,
        done: Callable[[DeliveryStatus], object] | None = None,
        *,
        radius: int = 1,
        source: int | None = None,
    ) -> None:
        """Send a NWK command to one node, by default a neighbour."""
        own = self._state.short if source is None else source
        route = self.direct(destination) if radius == 1 else self.route(destination)
        if route is None:
            if done is not None:
                self._timers.soon(done, _NO_ROUTE)
            return
        header = _FIXED.pack(_COMMAND, destination, own, radius, self.next_sequence())
        self._counts.sent += 1
        if self.activity is not None:
            self.activity()
        self.forward(header, payload, route, done)

    def forward_own(
        self, header: bytes, payload: bytes, route: tuple[int, int], done: Callable[[DeliveryStatus], object] | None
    ) -> None:
        """Send a frame of this node that has waited for its route."""
        self._counts.sent += 1
        self.forward(header, payload, route, done)

    def send_reply(self, payload: bytes, route: tuple[int, int]) -> None:
        """Send a route reply one hop on."""
        self._counts.sent += 1
        header = _FIXED.pack(_COMMAND, route[1], self._state.short, self._settings.radius, self.next_sequence())
        self.forward(header, payload, route, None)

    def broadcast(self, destination: ShortAddress, payload: bytes, kind: FrameType = FrameType.DATA) -> None:
        """Send an APS frame, or a command, to all nodes of a class."""
        header = NwkHeader(kind, destination, self._state.short, self._settings.radius, self.next_sequence()).encode()
        self._counts.broadcasts += 1
        if self.activity is not None:
            self.activity()
        self.broadcasts.originate(header, payload)

    def route(self, destination: int) -> tuple[int, int] | None:
        """Return radio and next hop: a route learnt, a neighbour, else up the tree; None to discover one."""
        network = self._state.network
        if network is None:
            return None
        up = self._state.up
        if not self._router:
            return up
        return self.routing.choose(destination, None if network.parent == self._state.eui else up)

    def direct(self, neighbour: int) -> tuple[int, int]:
        """Return the route to a neighbour: the radio that reaches it."""
        route, network = self._state.routes.get(neighbour), self._state.network
        if route is not None and route[1] == neighbour:
            return route
        if network is not None and network.parent_short == neighbour and network.parent != self._state.eui:
            return network.parent_radio, neighbour
        peer = self._state.by_short.get(neighbour)
        return (0 if peer is None else max(peer.radio, 0)), neighbour

    def protect(self, header: bytes, payload: bytes) -> bytes:
        """Return a whole NWK frame under the next counter."""
        return self._hops.protect(header, payload)

    # --- receiving ---------------------------------------------------------------------------------------------

    def receive(self, radio: int, neighbour: int, octets: bytes, lqi: int) -> None:
        """Take a NWK frame from a neighbour; one that does not verify is counted and dropped."""
        state = self._state
        header = None
        try:
            control, destination, source, radius, sequence = _FIXED.unpack_from(octets)
            if control in _PLAIN_DATA:
                end = 8
            else:
                header, end = decode_header(octets)
                if not header.security:
                    self._unsecured(radio, neighbour, header, octets[end:], lqi)
                    return
            if state.security is None:
                return
            payload, hop, counter = state.security.unprotect(octets, end)
        except (DecodeError, struct.error):
            self._other_key(radio, neighbour, octets, lqi)
            return
        peer = state.peers.get(hop)
        if peer is None:
            peer = state.peer(hop)
        if counter < peer.nwk_next or hop == state.eui:
            self._counts.replays += 1
            return
        state.nwk_heard(peer, counter)
        peer.lqi = lqi
        if peer.child_radio >= 0:
            peer.heard_at = self._timers.now()
        if peer.short != neighbour or self.unauthenticated or self.routing.failing:
            self._heard(radio, neighbour, peer)
        if header is None:
            if destination == state.short:
                if self._router and state.routes.get(source) != (radio, neighbour):
                    self.learn(source, radio, neighbour)
                self._counts.received += 1
                if self.activity is not None:
                    self.activity()
                if self.user is not None:
                    self.user.nwk_data(source, payload, lqi)
                return
            fields = (0, destination, source, radius, sequence, True, control >> 6 & 3, control & 0x2000 != 0)
            header = NwkHeader(*fields)
        self._dispatch(Arrival(radio, ShortAddress(neighbour), header, lqi, peer), octets[:end], payload)

    def _heard(self, radio: int, neighbour: int, peer: Peer) -> None:
        """Note what a good frame tells of the neighbour that sent it."""
        if peer.short != neighbour:
            other = self._state.by_short.get(neighbour)
            if other is not None or neighbour == self._state.short:
                self.membership.found_conflict(neighbour)
            if neighbour == self._state.short:
                return
            self._state.set_short(peer, ShortAddress(neighbour))
        peer.radio = radio
        self.routing.hop_worked((radio, neighbour))
        if self.unauthenticated.pop(peer.eui, None) is not None and self.user is not None:
            self.user.heard_child(peer)

    def learn(self, source: int, radio: int, neighbour: int) -> None:
        """Note from a frame of `source` by which neighbour it came."""
        if source != self._state.short:
            self._state.learn_route(source, radio, neighbour)

    def _unsecured(self, radio: int, neighbour: int, header: NwkHeader, payload: bytes, lqi: int) -> None:
        """Only joiners get data without NWK security, and only rejoining goes without."""
        if header.destination != self._macs[radio].short or self.user is None:
            return
        if header.frame_type == FrameType.DATA:
            self.user.nwk_unsecured(neighbour, payload)
        elif payload[:1] and payload[0] in (CommandId.REJOIN_REQUEST, CommandId.REJOIN_RESPONSE):
            self._handle(Arrival(radio, ShortAddress(neighbour), header, lqi, None), payload)

    def _other_key(self, radio: int, neighbour: int, octets: bytes, lqi: int) -> None:
        """A frame that the network key does not open: maybe the key before or the next one does."""
        state = self._state
        self._counts.refused += 1
        try:
            header, end = decode_header(octets)
        except DecodeError:
            return
        at, other = end + KEY_SEQUENCE_AT, state.other_security
        if state.security is None or at >= len(octets) or octets[at] == state.security.key_sequence:
            return
        if other is None or other.key_sequence != octets[at]:
            if self.user is not None:
                self.user.nwk_key_unknown(octets[at])
            return
        try:
            payload, hop, counter = other.unprotect(octets, end)
        except DecodeError:
            return
        self._counts.refused -= 1
        if state.other_is_next:
            self.keys.switch()
            self.receive(radio, neighbour, octets, lqi)
            return
        peer = state.peers.get(hop)
        if peer is None or counter < peer.nwk_before:
            self._counts.replays += 1
            return
        peer.nwk_before = counter + 1
        self._dispatch(Arrival(radio, ShortAddress(neighbour), header, lqi, peer), octets[:end], payload)

    def _dispatch(self, how: Arrival, octets: bytes, payload: bytes) -> None:
        header, state = how.header, self._state
        destination, source = header.destination, header.source
        if header.source_ieee is not None and source < FIRST_BROADCAST and header.source_ieee != state.eui:
            state.note_address(header.source_ieee, source)
        if destination >= FIRST_BROADCAST:
            if header.frame_type == FrameType.COMMAND and payload[:1] and payload[0] in _BY_THEMSELVES:
                self._handle(how, payload)
            elif self.broadcasts.take(how.radio, how.neighbour, header, octets, payload):
                self._up(how, payload)
            return
        if self._router and state.routes.get(source) != (how.radio, how.neighbour):
            self.learn(source, how.radio, how.neighbour)
        if destination == state.short:
            self._counts.received += 1
            if self.activity is not None:
                self.activity()
            if header.source_route is not None:
                self.routing.record_known(source, state.short)
            self._up(how, payload)
        elif self._router and header.radius > 1:
            self._relay.frame(how, octets, payload)

    def _up(self, how: Arrival, payload: bytes) -> None:
        if how.header.frame_type == FrameType.COMMAND:
            self._handle(how, payload)
        elif self.user is not None:
            self.user.nwk_data(how.header.source, payload, how.lqi)

    def _handle(self, how: Arrival, payload: bytes) -> None:
        handler = self.handlers[payload[0]] if payload and payload[0] < len(self.handlers) else None
        if handler is None:
            return
        try:
            command = decode_command(payload)
        except DecodeError:
            self._counts.refused += 1
            return
        handler.command(how, command)


_ABOUT_ROUTES = (
    CommandId.ROUTE_REQUEST,
    CommandId.ROUTE_REPLY,
    CommandId.ROUTE_RECORD,
    CommandId.NETWORK_STATUS,
)
_BY_THEMSELVES = (
    CommandId.ROUTE_REQUEST,
    CommandId.LINK_STATUS,
)  # broadcast commands relayed, if at all, by their own rules
