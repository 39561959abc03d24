"""ZDP of a node: answers to queries, queries of its own, announcements."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from protocols.addresses import BROADCAST_ROUTERS, BROADCAST_RX_ON, Eui64, ShortAddress
from protocols.interfaces import ApsData, Timer
from protocols.stack.aps import ApsLayer
from protocols.stack.descriptors import Descriptors, capability_of
from protocols.stack.hooks import nobody
from protocols.stack.management import Management
from protocols.stack.settings import NodeRole, StackSettings
from protocols.stack.state import NodeState, Peer
from protocols.stack.timers import Timers
from protocols.zdp import messages as zdp
from protocols.zdp.management import (
    CHANGE_CHANNEL,
    ManagementNwkUpdateRequest,
    ParentAnnounce,
    ParentAnnounceResponse,
)

if TYPE_CHECKING:
    from protocols.stack.application import Application

_ANNOUNCED = 8  # children in one Parent_annce

Answered = Callable[[zdp.ZdpMessage | None], object]


class _Query:
    __slots__ = ("answered", "cluster", "left", "message", "peer", "timer", "wait")

    def __init__(self, peer: Peer, message: zdp.ZdpMessage, answered: Answered, left: int, wait: int) -> None:
        self.peer, self.message, self.answered, self.left, self.wait = peer, message, answered, left, wait
        self.cluster = 0
        self.timer: Timer | None = None


class ZdpLayer:
    """Endpoint 0 of one node."""

    __slots__ = (
        "_aps", "_looked", "_queries", "_role", "_settings", "_state", "_timers", "_transaction", "announced", "asked",
        "descriptors", "management", "permit_joining",
    )  # fmt: skip

    def __init__(
        self,
        state: NodeState,
        aps: ApsLayer,
        timers: Timers,
        settings: StackSettings,
        role: NodeRole,
        application: Application,
        management: Management,
    ) -> None:
        self._state, self._aps, self._timers, self._settings = state, aps, timers, settings
        self._role = role
        self.descriptors = Descriptors(state, role, application)
        self.management = management
        self._looked: dict[int, int] = {}  # short address or EUI-64 asked for, until when it is not again
        self._transaction = 0
        self._queries: dict[int, _Query] = {}
        self.announced: Callable[[Peer], object] = nobody
        self.asked: Callable[[Peer], object] = nobody  # a node descriptor request came
        self.permit_joining: Callable[[int], object] = nobody

    # --- sending -----------------------------------------------------------------------------------------------

    def _next_transaction(self) -> int:
        self._transaction = (self._transaction + 1) & 0xFF
        return self._transaction

    def announce(self) -> None:
        """Broadcast who this node is."""
        message = zdp.DeviceAnnounce(self._state.short, self._state.eui, capability_of(self._role))
        self._broadcast(BROADCAST_RX_ON, message)

    def open_joining(self, seconds: int) -> None:
        """Tell all routers to let devices associate for `seconds`, at most 254."""
        self._broadcast(BROADCAST_ROUTERS, zdp.ManagementPermitJoiningRequest(seconds))

    def move_to(self, channel: int, update_id: int) -> None:
        """Ask all nodes, this one included, to go to another channel."""
        request = ManagementNwkUpdateRequest(1 << channel, CHANGE_CHANNEL, 1, update_id)
        self._broadcast(BROADCAST_RX_ON, request)
        self.management.answer(request, lambda answer: answer)

    def _broadcast(self, destination: int, message: zdp.ZdpMessage) -> None:
        cluster, payload = zdp.encode(message, self._next_transaction())
        self._aps.broadcast(destination, ApsData(zdp.PROFILE, cluster, zdp.ENDPOINT, zdp.ENDPOINT, payload))

    def query(self, peer: Peer, message: zdp.ZdpMessage, answered: Answered) -> None:
        """Ask `peer`; `answered` gets its answer, or None after all repetitions."""
        wait = self._settings.sleepy_query_wait if peer.sleepy else self._settings.query_wait
        self._ask(_Query(peer, message, answered, self._settings.query_retries, wait))

    def _ask(self, query: _Query) -> None:
        transaction = self._next_transaction()
        query.cluster, payload = zdp.encode(query.message, transaction)
        self._queries[transaction] = query
        query.timer = self._timers.after(query.wait, self._unanswered, transaction, query)
        self._send(query.peer, query.cluster, payload)

    def _send(self, peer: Peer, cluster: int, payload: bytes) -> None:
        data = ApsData(zdp.PROFILE, cluster, zdp.ENDPOINT, zdp.ENDPOINT, payload)
        self._aps.send(peer, data, lambda status: status, secured=False, acknowledged=True)

    def _forget(self, transaction: int) -> None:
        del self._queries[transaction]
        if not self._queries:
            self._queries = {}  # an emptied dict keeps its room

    def _unanswered(self, transaction: int, query: _Query) -> None:
        if self._queries.get(transaction) is query:
            self._forget(transaction)
        if query.left:
            query.left -= 1
            self._ask(query)
        else:
            query.answered(None)

    # --- receiving ---------------------------------------------------------------------------------------------

    def receive(self, peer: Peer, cluster: int, payload: bytes, *, broadcast: bool) -> None:
        """Take a message of profile 0. Raises DecodeError."""
        transaction, message = zdp.decode(cluster, payload)
        if cluster & zdp.RESPONSE:
            self._answer(peer, cluster, transaction, message)
        elif isinstance(message, zdp.DeviceAnnounce):
            self._announcement(message)
        elif isinstance(message, zdp.ManagementPermitJoiningRequest):
            self.permit_joining(message.duration)
            if not broadcast:
                self._respond(peer, transaction, zdp.ManagementPermitJoiningResponse(zdp.ZdpStatus.SUCCESS))
        elif isinstance(message, ParentAnnounce):
            self._parent_announced(peer, transaction, message)
        else:
            self._request(peer, transaction, message, broadcast=broadcast)

    def _request(self, peer: Peer, transaction: int, message: zdp.ZdpMessage, *, broadcast: bool) -> None:
        if isinstance(message, zdp.UnsupportedRequest):
            if not broadcast:
                refusal = bytes((transaction, zdp.ZdpStatus.NOT_SUPPORTED))
                self._send(peer, message.cluster | zdp.RESPONSE, refusal)
            return
        if self.management.answer(message, partial(self._respond, peer, transaction)):
            return
        response = self.descriptors.answer(message, broadcast=broadcast)
        if response is not None:
            self._respond(peer, transaction, response)
        if isinstance(message, zdp.NodeDescriptorRequest):
            self.asked(peer)

    def _respond(self, peer: Peer, transaction: int, message: zdp.ZdpMessage) -> None:
        self._send(peer, *zdp.encode(message, transaction))

    def _answer(self, peer: Peer, cluster: int, transaction: int, message: zdp.ZdpMessage) -> None:
        if isinstance(message, ParentAnnounceResponse):
            self._parent_refuted(message)
        query = self._queries.get(transaction)
        if query is None or query.peer is not peer or query.cluster | zdp.RESPONSE != cluster:
            return
        self._forget(transaction)
        if query.timer is not None:
            query.timer.cancel()
        query.answered(message)

    def _announcement(self, message: zdp.DeviceAnnounce) -> None:
        state = self._state
        if message.eui == state.eui:
            return
        if message.short == state.short:
            self.management.membership.found_conflict(message.short)
            return
        other = state.by_short.get(message.short)
        if other is not None and other.eui != message.eui:
            self.management.membership.found_conflict(message.short)
        peer = state.peer(message.eui)
        sleepy, router = not message.capability.receiver_on_when_idle, message.capability.full_function_device
        if (sleepy, router) != (peer.sleepy, peer.router):
            peer.sleepy, peer.router = sleepy, router
            state.save(peer)
        moved = peer.short != message.short
        state.set_short(peer, message.short)
        network = state.network
        if network is not None and network.parent == message.eui:
            self.management.membership.parent_moved(message.short)
        if moved and peer.child_radio >= 0:
            state.learn_route(message.short, peer.child_radio, message.short)
        self.announced(peer)

    # --- parents -----------------------------------------------------------------------------------------------

    def announce_children(self) -> None:
        """Tell the other routers which end devices this one has, after a restart."""
        children = tuple(child.eui for child in self.descriptors.children())
        for at in range(0, len(children), _ANNOUNCED):
            self._broadcast(BROADCAST_ROUTERS, ParentAnnounce(children[at : at + _ANNOUNCED]))

    def _parent_announced(self, peer: Peer, transaction: int, message: ParentAnnounce) -> None:
        """Another router has restarted: claim the children that have come here since."""
        own = [child for child in self.descriptors.children() if child.eui in message.children]
        if own:
            mine = tuple(child.eui for child in own)
            self._respond(peer, transaction, ParentAnnounceResponse(zdp.ZdpStatus.SUCCESS, mine))

    def _parent_refuted(self, message: ParentAnnounceResponse) -> None:
        for eui in message.children:
            child = self._state.peers.get(eui)
            if child is not None and child.child_radio >= 0:
                self._state.disown(child)

    # --- addresses ---------------------------------------------------------------------------------------------

    def ask_who(self, short: int) -> None:
        """Ask the node `short`, of which no EUI-64 is known, for it; its answer goes into the tables."""
        if self._may_look(short):
            stranger = Peer(Eui64(0))
            stranger.short = ShortAddress(short)
            cluster, payload = zdp.encode(zdp.IeeeAddressRequest(stranger.short), self._next_transaction())
            self._send(stranger, cluster, payload)

    def ask_where(self, eui: Eui64) -> None:
        """Ask all for the short address of `eui`; the answer goes into the tables."""
        if self._may_look(eui):
            self._broadcast(BROADCAST_RX_ON, zdp.NwkAddressRequest(eui))

    def _may_look(self, what: int) -> bool:
        """Tell whether the last look for it is long enough ago."""
        now = self._timers.now()
        if self._looked.get(what, 0) > now or self._state.network is None:
            return False
        self._looked = {known: until for known, until in self._looked.items() if until > now}
        self._looked[what] = now + self._settings.query_wait
        return True
