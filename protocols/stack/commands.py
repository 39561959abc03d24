"""APS commands: those that a member takes, and those by which it tells the trust centre of its children.

Source: Zigbee 05-3474 4.4.9 and 4.6.3.
"""

from protocols.addresses import Eui64
from protocols.aps.commands import (
    ApsCommand,
    ConfirmKey,
    RemoveDevice,
    TransportTrustCentreLinkKey,
    Tunnel,
    UpdateDevice,
    UpdateStatus,
)
from protocols.aps.security import KeyId
from protocols.stack.aps import ApsLayer
from protocols.stack.keys import NodeKeys
from protocols.stack.link_key import LinkKeyExchange
from protocols.stack.membership import Membership
from protocols.stack.nwk import NwkLayer
from protocols.stack.parent import Parent
from protocols.stack.state import NodeState, Peer
from protocols.stack.trust_centre import TrustCentre


class Reports:
    """`protocols.stack.hooks.ParentUser` of a node that is not the trust centre: it tells that."""

    __slots__ = ("_aps", "_state")

    def __init__(self, state: NodeState, aps: ApsLayer) -> None:
        self._state, self._aps = state, aps

    def child_joined(self, child: Peer) -> None:
        self._report(child, UpdateStatus.UNSECURED_JOIN)

    def child_rejoined(self, child: Peer, secured: bool) -> None:
        self._report(child, UpdateStatus.SECURED_REJOIN if secured else UpdateStatus.TRUST_CENTRE_REJOIN)

    def child_left(self, child: Peer) -> None:
        self._report(child, UpdateStatus.LEFT)

    def _report(self, child: Peer, status: UpdateStatus) -> None:
        network = self._state.network
        if network is None:
            return
        centre = self._state.peer(network.trust_centre)
        self._aps.send_command(centre, UpdateDevice(child.eui, child.short, status).encode(), secured=True)


class Commands:
    """Hands each command to the part it is for; what only the trust centre may say is taken from it alone."""

    __slots__ = ("_exchange", "_keys", "_membership", "_nwk", "_parent", "_state", "_trust_centre")

    def __init__(
        self,
        state: NodeState,
        nwk: NwkLayer,
        keys: NodeKeys,
        parent: Parent,
        membership: Membership,
        exchange: LinkKeyExchange | None,
        trust_centre: TrustCentre | None,
    ) -> None:
        """exchange: of the link key, where the node asks for one. trust_centre: this node as one."""
        self._state, self._nwk, self._keys, self._parent, self._membership = state, nwk, keys, parent, membership
        self._exchange, self._trust_centre = exchange, trust_centre

    def take(self, peer: Peer, command: ApsCommand, key_id: int | None) -> None:
        """Take a command of `peer`; `key_id` is the key that secured it, None for none."""
        network = self._state.network
        if network is None:
            return
        if isinstance(command, UpdateDevice):
            if self._trust_centre is not None and key_id == KeyId.LINK:
                self._trust_centre.update_device(peer, command)
        elif (
            (self._trust_centre is not None and self._trust_centre.keys.command(peer, command, key_id))
            or peer.eui != network.trust_centre
            or self._keys.command(command, key_id)
        ):
            return
        elif isinstance(command, Tunnel):
            child = self._state.peers.get(command.destination)
            if child is not None and child.child_radio >= 0:
                self._nwk.plain.to_joiner(child, command.frame)
        elif isinstance(command, RemoveDevice) and key_id == KeyId.LINK:
            self._remove(command.target)
        elif isinstance(command, TransportTrustCentreLinkKey):
            if self._exchange is not None:
                self._exchange.transported(command, key_id)
        elif isinstance(command, ConfirmKey) and self._exchange is not None:
            self._exchange.confirmed(command, key_id)

    def _remove(self, eui: Eui64) -> None:
        """Leave, or make a child leave."""
        if eui == self._state.eui:
            self._membership.leave()
            return
        child = self._state.peers.get(eui)
        if child is None or child.child_radio < 0:
            return
        if eui in self._nwk.unauthenticated:
            self._parent.drop(child)
        else:
            self._membership.remove_child(child)
