"""What a node tells of itself: ZDP descriptors and addresses, also those of its end-device children."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from protocols.addresses import ShortAddress
from protocols.mac.commands import Capability
from protocols.stack.settings import NodeRole
from protocols.zdp import management
from protocols.zdp import messages as zdp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protocols.interfaces import SimpleDescriptor
    from protocols.stack.application import Application
    from protocols.stack.state import NodeState, Peer

_LOGICAL_TYPE = {NodeRole.COORDINATOR: 0, NodeRole.ROUTER: 1}
_END_DEVICE = 2
_STACK_REVISION = 22 << 9  # bits 9 to 15 of the server mask
_PRIMARY_TRUST_CENTRE, _NETWORK_MANAGER = 0x0001, 0x0040
_MAINS, _BATTERY = 0xC110, 0xC440  # power descriptors: constant mains, disposable battery; receiver in sync with idle
_EXTENDED = 1  # request type that asks for the children too
_CHILDREN_MOST = 20  # short addresses in one answer


@cache
def capability_of(role: NodeRole) -> Capability:
    """Return what a node of `role` says of itself on joining."""
    sleepy = role is NodeRole.SLEEPY_END_DEVICE
    router = role in (NodeRole.COORDINATOR, NodeRole.ROUTER)
    return Capability(full_function_device=router, mains_powered=not sleepy, receiver_on_when_idle=not sleepy)


class Descriptors:
    """Answers of one node. A method returns None where the standard wants silence."""

    __slots__ = ("_application", "_role", "_server_mask", "_state")

    def __init__(self, state: NodeState, role: NodeRole, application: Application) -> None:
        self._state, self._role, self._application = state, role, application
        centre = role is NodeRole.COORDINATOR
        self._server_mask = _STACK_REVISION | (_PRIMARY_TRUST_CENTRE | _NETWORK_MANAGER if centre else 0)

    def answer(self, message: zdp.ZdpMessage, *, broadcast: bool) -> zdp.ZdpMessage | None:
        """Return the answer to a descriptor or address request; `UnsupportedRequest` itself for any other."""
        if isinstance(message, zdp.NwkAddressRequest):
            return self._nwk_address(message, broadcast=broadcast)
        if isinstance(message, zdp.IeeeAddressRequest):
            return self._ieee_address(message)
        if isinstance(message, zdp.MatchDescriptorRequest):
            return self._match(message, broadcast=broadcast)
        if isinstance(message, management.SystemServerDiscoveryRequest):
            served = message.server_mask & self._server_mask & ~_STACK_REVISION
            return management.SystemServerDiscoveryResponse(zdp.ZdpStatus.SUCCESS, served) if served else None
        return self._of_node(message)

    def _of_node(self, message: zdp.ZdpMessage) -> zdp.ZdpMessage | None:
        if isinstance(message, zdp.NodeDescriptorRequest):
            status = self._whose(message.short)
            kind = _LOGICAL_TYPE.get(self._role, _END_DEVICE)
            own = zdp.NodeDescriptor(kind, capability_of(self._role), server_mask=self._server_mask)
            return zdp.NodeDescriptorResponse(status, message.short, None if status else own)
        if isinstance(message, management.PowerDescriptorRequest):
            status = self._whose(message.short)
            power = _BATTERY if self._role is NodeRole.SLEEPY_END_DEVICE else _MAINS
            return management.PowerDescriptorResponse(status, message.short, 0 if status else power)
        if isinstance(message, zdp.ActiveEndpointsRequest):
            status = self._whose(message.short)
            numbers = tuple(each.endpoint for each in self._application.endpoints)
            return zdp.ActiveEndpointsResponse(status, message.short, () if status else numbers)
        if isinstance(message, zdp.SimpleDescriptorRequest):
            return self._simple(message)
        return None

    def _whose(self, short: int) -> zdp.ZdpStatus:
        """SUCCESS if `short` is this node; else what it answers about others, whose descriptors it does not keep."""
        if short == self._state.short:
            return zdp.ZdpStatus.SUCCESS
        router = self._role in _LOGICAL_TYPE
        return zdp.ZdpStatus.DEVICE_NOT_FOUND if router else zdp.ZdpStatus.INVALID_REQUEST_TYPE

    def _simple(self, message: zdp.SimpleDescriptorRequest) -> zdp.ZdpMessage:
        status = self._whose(message.short)
        if status:
            return zdp.SimpleDescriptorResponse(status, message.short, None)
        for each in self._application.endpoints:
            if each.endpoint == message.endpoint:
                return zdp.SimpleDescriptorResponse(zdp.ZdpStatus.SUCCESS, message.short, each)
        invalid = not 1 <= message.endpoint <= 240
        status = zdp.ZdpStatus.INVALID_ENDPOINT if invalid else zdp.ZdpStatus.NOT_ACTIVE
        return zdp.SimpleDescriptorResponse(status, message.short, None)

    def _match(self, message: zdp.MatchDescriptorRequest, *, broadcast: bool) -> zdp.ZdpMessage | None:
        own = self._state.short
        status = zdp.ZdpStatus.SUCCESS if broadcast else self._whose(message.short)
        found = () if status else matching(message, self._application.endpoints)
        return None if broadcast and not found else zdp.MatchDescriptorResponse(status, own, found)

    def _nwk_address(self, message: zdp.NwkAddressRequest, *, broadcast: bool) -> zdp.ZdpMessage | None:
        state = self._state
        if message.eui == state.eui:
            return zdp.NwkAddressResponse(zdp.ZdpStatus.SUCCESS, state.eui, state.short, *self._children(message))
        child = state.peers.get(message.eui)
        if child is not None and child.child_radio >= 0 and not child.router:
            return zdp.NwkAddressResponse(zdp.ZdpStatus.SUCCESS, child.eui, child.short)
        if broadcast:
            return None
        return zdp.NwkAddressResponse(zdp.ZdpStatus.DEVICE_NOT_FOUND, message.eui, ShortAddress(0xFFFF))

    def _ieee_address(self, message: zdp.IeeeAddressRequest) -> zdp.ZdpMessage:
        state = self._state
        if message.short == state.short:
            return zdp.IeeeAddressResponse(zdp.ZdpStatus.SUCCESS, state.eui, state.short, *self._children(message))
        child = state.by_short.get(message.short)
        if child is not None and child.child_radio >= 0 and not child.router:
            return zdp.IeeeAddressResponse(zdp.ZdpStatus.SUCCESS, child.eui, child.short)
        return zdp.IeeeAddressResponse(zdp.ZdpStatus.DEVICE_NOT_FOUND, type(state.eui)(0), message.short)

    def _children(
        self, message: zdp.NwkAddressRequest | zdp.IeeeAddressRequest
    ) -> tuple[tuple[ShortAddress, ...] | None, int]:
        if message.request_type != _EXTENDED:
            return None, 0
        shorts = sorted(child.short for child in self.children())[message.start :][:_CHILDREN_MOST]
        return tuple(shorts), message.start

    def children(self) -> list[Peer]:
        """Return the end devices that are children of this node."""
        return [peer for peer in self._state.peers.values() if peer.child_radio >= 0 and not peer.router]


def matching(request: zdp.MatchDescriptorRequest, endpoints: Sequence[SimpleDescriptor]) -> tuple[int, ...]:
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
