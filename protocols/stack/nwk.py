"""NWK layer of a node: hop-by-hop security, routes along the tree, relaying.

A bridge is a node with two radios of one PAN: what comes in on one goes out on the other under the bridge's own
counter, the radius less one, the APS part untouched.
"""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from protocols.addresses import Eui64, ShortAddress
from protocols.errors import DecodeError
from protocols.interfaces import Random
from protocols.nwk.commands import CommandId, Leave, decode_command
from protocols.nwk.frame import FrameType, NwkHeader, decode_header, with_radius
from protocols.stack.broadcasts import Broadcasts
from protocols.stack.counts import Counts
from protocols.stack.mac import MacLayer, Sent
from protocols.stack.settings import StackSettings
from protocols.stack.state import NodeState, Peer
from protocols.stack.timers import Timers

FIRST_BROADCAST = 0xFFF8  # addresses from here on are broadcasts


class NwkUser(Protocol):
    """The layer above."""

    def nwk_data(self, source: int, payload: bytes, lqi: int) -> None:
        """An APS frame came to this node, decrypted by the network key."""
        ...

    def nwk_unsecured(self, source: int, payload: bytes) -> None:
        """An APS frame came without NWK security, as a joiner gets its Transport-Key."""
        ...

    def nwk_leave(self, source: int) -> None:
        """`source` asks this node to leave the network."""
        ...

    def heard_child(self, peer: Peer) -> None:
        """A new child has used the network key."""
        ...


class _Hop:
    """A frame on its way to the next hop."""

    __slots__ = ("done", "header", "payload", "retries", "route")

    def __init__(self, header: bytes, payload: bytes, route: tuple[int, int], retries: int, done: Sent | None) -> None:
        self.header, self.payload, self.done, self.retries = header, payload, done, retries
        self.route = route  # radio and next hop


class NwkLayer:
    """The NWK layer over all radios of a node."""

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
        self._router, self._random = router, random
        self._queues: dict[tuple[int, int], list[_Hop]] = {}  # by radio and next hop: what waits behind a frame
        self._sequence = random.randrange(0, 256)
        self.broadcasts = Broadcasts(self, state, macs, timers, settings, random, router=router)
        self.user: NwkUser | None = None
        self.unauthenticated: dict[Eui64, int] = {}  # children without network key yet, their deadline
        self.activity: Callable[[], object] = lambda: None  # a sleepy node polls faster after each frame

    # --- sending -----------------------------------------------------------------------------------------------

    def _next_sequence(self) -> int:
        self._sequence = (self._sequence + 1) & 0xFF
        return self._sequence

    def send(self, destination: int, payload: bytes, done: Sent | None = None) -> None:
        """Send an APS frame to one node, encrypted for each hop; `done` tells of the next hop."""
        self._originate(FrameType.DATA, destination, payload, done)

    def send_command(self, destination: int, payload: bytes, done: Sent | None = None) -> None:
        self._originate(FrameType.COMMAND, destination, payload, done)

    def _originate(self, kind: FrameType, destination: int, payload: bytes, done: Sent | None) -> None:
        state = self._state
        radius = 1 if kind is FrameType.COMMAND else self._settings.radius
        header = NwkHeader(kind, ShortAddress(destination), state.short, radius, self._next_sequence()).encode()
        route = self._route(destination)
        if route is None:
            if done is not None:
                self._timers.soon(done, False)
            return
        self._counts.sent += 1
        self.activity()
        self._hop(_Hop(header, payload, route, self._settings.unicast_retries, done))

    def send_unsecured(self, child: Peer, payload: bytes) -> None:
        """Send an APS frame to a child that has no network key yet."""
        header = NwkHeader(FrameType.DATA, child.short, self._state.short, 1, self._next_sequence(), security=False)
        mac, frame = self._macs[child.child_radio], header.encode() + payload
        if child.short in self._state.sleepy_children:
            mac.indirect.hold(child.short, lambda: frame, lambda ok: ok)
        else:
            self._send_plain(mac, child.short, frame, self._settings.unicast_retries)

    def _send_plain(self, mac: MacLayer, to: ShortAddress, frame: bytes, retries: int) -> None:
        def done(ok: bool) -> None:
            if not ok and retries:
                self._timers.after(self._settings.unicast_retry_delay, self._send_plain, mac, to, frame, retries - 1)

        mac.send(to, frame, done)

    def broadcast(self, destination: ShortAddress, payload: bytes) -> None:
        """Send an APS frame to all nodes of a class."""
        header = NwkHeader(
            FrameType.DATA, destination, self._state.short, self._settings.radius, self._next_sequence()
        ).encode()
        self._counts.broadcasts += 1
        self.activity()
        self.broadcasts.originate(header, payload)

    def _route(self, destination: int) -> tuple[int, int] | None:
        """Return radio and next hop: a route learnt, else the parent."""
        network = self._state.network
        if network is None:
            return None
        if self._router:
            route = self._state.routes.get(destination)
            if route is not None:
                return route
            if network.parent == self._state.eui:
                return None  # the coordinator has nobody above it
        return network.parent_radio, network.parent_short

    def protect(self, header: bytes, payload: bytes) -> bytes:
        """Return a whole NWK frame under the next counter."""
        state = self._state
        if state.security is None:
            return b""
        return state.security.protect(header, state.eui, state.next_nwk_counter(), payload)

    def _hop(self, hop: _Hop) -> None:
        """Send to the next hop; one frame at a time is under way to each, so that counters arrive in order."""
        radio, to = hop.route
        if to in self._state.sleepy_children:
            make = partial(self.protect, hop.header, hop.payload)
            self._macs[radio].indirect.hold(ShortAddress(to), make, partial(self._end, hop))
            return
        queue = self._queues.get(hop.route)
        if queue is None:
            self._queues[hop.route] = []
            self._transmit(hop)
        else:
            queue.append(hop)

    def _transmit(self, hop: _Hop) -> None:
        state = self._state
        if state.security is None:
            return
        radio, to = hop.route
        frame = state.security.protect(hop.header, state.eui, state.next_nwk_counter(), hop.payload)
        self._macs[radio].send(to, frame, partial(self._transmitted, hop))

    def _transmitted(self, hop: _Hop, ok: bool) -> None:
        if not ok and hop.retries:
            hop.retries -= 1
            delay = self._settings.unicast_retry_delay
            self._timers.after(delay // 2 + self._random.randrange(0, delay), self._transmit, hop)
            return
        queue = self._queues[hop.route]
        if queue:
            self._transmit(queue.pop(0))
        else:
            del self._queues[hop.route]
        self._end(hop, ok)

    def _end(self, hop: _Hop, ok: bool) -> None:
        if hop.done is not None:
            hop.done(ok)

    # --- receiving ---------------------------------------------------------------------------------------------

    def receive(self, radio: int, neighbour: int, octets: bytes, lqi: int) -> None:
        """Take a NWK frame from a neighbour; one that does not verify is counted and dropped."""
        state = self._state
        try:
            header, end = decode_header(octets)
            if not header.security:
                if self.user is not None and header.destination == self._macs[radio].short:
                    self.user.nwk_unsecured(neighbour, octets[end:])
                return
            if state.security is None:
                return
            payload, hop, counter = state.security.unprotect(octets, end)
        except DecodeError:
            self._counts.refused += 1
            return
        peer = state.peers.get(hop)
        if peer is None:
            peer = state.peer(hop)
        if counter < peer.nwk_next or hop == state.eui:
            self._counts.replays += 1
            return
        state.nwk_heard(peer, counter)
        if peer.short != neighbour:
            state.set_short(peer, ShortAddress(neighbour))
        if self.unauthenticated and self.unauthenticated.pop(hop, None) is not None and self.user is not None:
            self.user.heard_child(peer)
        self._dispatch(radio, neighbour, header, octets[:end], payload, lqi)

    def _dispatch(self, radio: int, neighbour: int, header: NwkHeader, octets: bytes, payload: bytes, lqi: int) -> None:
        destination, source = header.destination, header.source
        if destination >= FIRST_BROADCAST:
            if self.broadcasts.take(radio, neighbour, header, octets, payload):
                self._up(header, payload, lqi)
            return
        state = self._state
        if self._router and state.routes.get(source) != (radio, neighbour) and source != state.short:
            state.learn_route(source, radio, neighbour)
        if destination == state.short:
            self._counts.received += 1
            self.activity()
            self._up(header, payload, lqi)
        elif self._router and header.radius > 1:
            self._relay(neighbour, header, octets, payload)

    def _relay(self, neighbour: int, header: NwkHeader, octets: bytes, payload: bytes) -> None:
        route = self._route(header.destination)
        if route is None or route[1] == neighbour:
            return
        self._counts.relayed += 1
        relayed = with_radius(octets, header.radius - 1)
        self._hop(_Hop(relayed, payload, route, self._settings.unicast_retries, None))

    def _up(self, header: NwkHeader, payload: bytes, lqi: int) -> None:
        if self.user is None:
            return
        if header.frame_type == FrameType.DATA:
            self.user.nwk_data(header.source, payload, lqi)
        elif payload[:1] == bytes((CommandId.LEAVE,)):
            try:
                command = decode_command(payload)
            except DecodeError:
                self._counts.refused += 1
                return
            if isinstance(command, Leave) and command.request:
                self.user.nwk_leave(header.source)
