"""ZDP of a node: answers to queries, queries of its own, announcements."""

from collections.abc import Callable, Sequence

from protocols.addresses import BROADCAST_ROUTERS, BROADCAST_RX_ON
from protocols.aps.frame import ApsHeader, DeliveryMode
from protocols.errors import DecodeError
from protocols.interfaces import ApsData, SimpleDescriptor, Timer
from protocols.mac.commands import Capability
from protocols.stack.aps import ApsLayer
from protocols.stack.settings import NodeRole, StackSettings
from protocols.stack.state import NodeState, Peer
from protocols.stack.timers import Timers
from protocols.zdp import messages as zdp

_LOGICAL_TYPE = {NodeRole.COORDINATOR: 0, NodeRole.ROUTER: 1}
_END_DEVICE = 2

Answered = Callable[[zdp.ZdpMessage | None], object]


def capability_of(role: NodeRole) -> Capability:
    """Return what a node of `role` says of itself on joining."""
    sleepy = role is NodeRole.SLEEPY_END_DEVICE
    router = role in (NodeRole.COORDINATOR, NodeRole.ROUTER)
    return Capability(full_function_device=router, mains_powered=not sleepy, receiver_on_when_idle=not sleepy)


class _Query:
    __slots__ = ("answered", "cluster", "left", "message", "peer", "timer", "wait")

    def __init__(self, peer: Peer, message: zdp.ZdpMessage, answered: Answered, left: int, wait: int) -> None:
        self.peer, self.message, self.answered, self.left, self.wait = peer, message, answered, left, wait
        self.cluster = 0
        self.timer: Timer | None = None


class ZdpLayer:
    """Endpoint 0 of one node."""

    def __init__(
        self,
        state: NodeState,
        aps: ApsLayer,
        timers: Timers,
        settings: StackSettings,
        role: NodeRole,
        endpoints: Callable[[], Sequence[SimpleDescriptor]],
    ) -> None:
        self._state, self._aps, self._timers, self._settings = state, aps, timers, settings
        self._role, self._endpoints = role, endpoints
        self._transaction = 0
        self._queries: dict[int, _Query] = {}
        self.announced: Callable[[Peer], object] = lambda peer: None
        self.asked: Callable[[Peer], object] = lambda peer: None  # a node descriptor request came
        self.permit_joining: Callable[[int], object] = lambda seconds: None
        self.leave: Callable[[], object] | None = None  # None: this node does not leave when asked

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

    def _unanswered(self, transaction: int, query: _Query) -> None:
        if self._queries.get(transaction) is query:
            del self._queries[transaction]
        if query.left:
            query.left -= 1
            self._ask(query)
        else:
            query.answered(None)

    # --- receiving ---------------------------------------------------------------------------------------------

    def receive(self, peer: Peer, header: ApsHeader, payload: bytes) -> None:
        """Take a message of profile 0. Raises DecodeError."""
        transaction, message = zdp.decode(header.cluster, payload)
        if header.cluster & zdp.RESPONSE:
            self._answer(peer, header.cluster, transaction, message)
        elif isinstance(message, zdp.DeviceAnnounce):
            self._announcement(message)
        elif isinstance(message, zdp.ManagementPermitJoiningRequest):
            self.permit_joining(message.duration)
            if header.delivery_mode == DeliveryMode.UNICAST:
                self._respond(peer, zdp.ManagementPermitJoiningResponse(zdp.ZdpStatus.SUCCESS), transaction)
        elif isinstance(message, zdp.ManagementLeaveRequest):
            self._leave_requested(peer, message, transaction)
        else:
            response = self._response_to(message)
            if response is not None:
                self._respond(peer, response, transaction)
            if isinstance(message, zdp.NodeDescriptorRequest):
                self.asked(peer)

    def _leave_requested(self, peer: Peer, request: zdp.ManagementLeaveRequest, transaction: int) -> None:
        """Leave at the trust centre's wish, once the answer is delivered or lost. Leaving to rejoin is not built."""
        leave, network = self.leave, self._state.network
        own = request.device in (0, self._state.eui) and not request.rejoin
        if leave is None or not own or network is None or network.trust_centre != peer.eui:
            self._respond(peer, zdp.ManagementLeaveResponse(zdp.ZdpStatus.NOT_SUPPORTED), transaction)
            return
        cluster, payload = zdp.encode(zdp.ManagementLeaveResponse(zdp.ZdpStatus.SUCCESS), transaction)
        data = ApsData(zdp.PROFILE, cluster, zdp.ENDPOINT, zdp.ENDPOINT, payload)
        self._aps.send(peer, data, lambda status: leave(), secured=False, acknowledged=True)

    def _respond(self, peer: Peer, message: zdp.ZdpMessage, transaction: int) -> None:
        self._send(peer, *zdp.encode(message, transaction))

    def _answer(self, peer: Peer, cluster: int, transaction: int, message: zdp.ZdpMessage) -> None:
        query = self._queries.get(transaction)
        if query is None or query.peer is not peer or query.cluster | zdp.RESPONSE != cluster:
            return
        del self._queries[transaction]
        if query.timer is not None:
            query.timer.cancel()
        query.answered(message)

    def _announcement(self, message: zdp.DeviceAnnounce) -> None:
        if message.eui == self._state.eui:
            return
        peer = self._state.peer(message.eui)
        sleepy, router = not message.capability.receiver_on_when_idle, message.capability.full_function_device
        if (sleepy, router) != (peer.sleepy, peer.router):
            peer.sleepy, peer.router = sleepy, router
            self._state.save(peer)
        self._state.set_short(peer, message.short)
        self.announced(peer)

    def _response_to(self, message: zdp.ZdpMessage) -> zdp.ZdpMessage | None:
        own, ok = self._state.short, zdp.ZdpStatus.SUCCESS
        endpoints = self._endpoints()
        if isinstance(message, zdp.NodeDescriptorRequest):
            kind = _LOGICAL_TYPE.get(self._role, _END_DEVICE)
            return zdp.NodeDescriptorResponse(ok, own, zdp.NodeDescriptor(kind, capability_of(self._role)))
        if isinstance(message, zdp.ActiveEndpointsRequest):
            return zdp.ActiveEndpointsResponse(ok, own, tuple(each.endpoint for each in endpoints))
        if isinstance(message, zdp.MatchDescriptorRequest):
            return zdp.MatchDescriptorResponse(ok, own, _matching(message, endpoints))
        if isinstance(message, zdp.SimpleDescriptorRequest):
            for each in endpoints:
                if each.endpoint == message.endpoint:
                    return zdp.SimpleDescriptorResponse(ok, own, each)
            return zdp.SimpleDescriptorResponse(zdp.ZdpStatus.NOT_ACTIVE, own, None)
        if isinstance(message, zdp.NwkAddressRequest):
            if message.eui != self._state.eui:
                return None
            return zdp.NwkAddressResponse(ok, self._state.eui, own)
        if isinstance(message, zdp.IeeeAddressRequest):
            return zdp.IeeeAddressResponse(ok, self._state.eui, own)
        raise DecodeError("a ZDP request that is not handled")


def _matching(request: zdp.MatchDescriptorRequest, endpoints: Sequence[SimpleDescriptor]) -> tuple[int, ...]:
    """Return the endpoints of the profile that serve or use one of the clusters asked for."""
    return tuple(
        each.endpoint
        for each in endpoints
        if each.profile == request.profile
        and (
            any(cluster in each.input_clusters for cluster in request.input_clusters)
            or any(cluster in each.output_clusters for cluster in request.output_clusters)
        )
    )
