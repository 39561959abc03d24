"""Being a member: losing the parent and coming back, leaving, other addresses, another channel.

Source: Zigbee 05-3474 3.6.1.9, 3.6.1.10, 3.6.1.4 and 2.4.3.3.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.addresses import BROADCAST_RX_ON, ShortAddress
from protocols.interfaces import MILLISECOND, SECOND, DeliveryStatus
from protocols.nwk.commands import CommandId, Leave, NetworkStatus, NwkCommand, RejoinResponse, StatusCode
from protocols.nwk.frame import FrameType, NwkHeader
from protocols.stack.settings import NodeRole

if TYPE_CHECKING:
    from protocols.stack.hooks import MembershipUser
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.nwk_arrival import Arrival
    from protocols.stack.parent import Parent
    from protocols.stack.rejoin import Rejoiner
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState, Peer
    from protocols.stack.timers import Timers

_LAST_WORDS = 50 * MILLISECOND  # between saying that one leaves and leaving [I]
_CONFLICT_AGAIN = 10 * SECOND  # between two reports of one conflict [I]


class Membership:
    """What may happen to a node in a network."""

    __slots__ = (
        "_conflicts", "_nwk", "_parent", "_rejoiner", "_role", "_settings", "_state", "_timers", "_unknown_keys",
        "_user",
    )  # fmt: skip

    def __init__(
        self,
        state: NodeState,
        nwk: NwkLayer,
        timers: Timers,
        settings: StackSettings,
        role: NodeRole,
        parent: Parent,
        rejoiner: Rejoiner,
        user: MembershipUser,
    ) -> None:
        self._state, self._nwk, self._timers, self._settings = state, nwk, timers, settings
        self._role, self._parent, self._rejoiner, self._user = role, parent, rejoiner, user
        self._unknown_keys = 0  # frames under a network key that this node has not
        self._conflicts: dict[int, int] = {}  # address reported, until when it is not again
        nwk.handlers[CommandId.LEAVE] = self
        nwk.membership = self

    # --- coming back -------------------------------------------------------------------------------------------

    def rejoin(self, *, orphan: bool = False, without_key: bool = False) -> None:
        """Look for a parent in the own network."""
        if self._role is NodeRole.COORDINATOR or self._state.network is None:
            return
        if not self._rejoiner.active:
            self._user.stop_polling()
        self._rejoiner.start(orphan=orphan, without_key=without_key)

    def key_unknown(self, key_sequence: int) -> None:
        """A frame came under a network key of a sequence number that this node has not: maybe it missed the update."""
        network = self._state.network
        if network is None or self._role is NodeRole.COORDINATOR or self._rejoiner.active:
            return
        if not 0 < (key_sequence - network.key_sequence) & 0xFF < 0x80:
            return
        self._unknown_keys += 1
        if self._unknown_keys >= self._settings.key_unknown_after:
            self._unknown_keys = 0
            self.rejoin(without_key=True)

    # --- leaving -----------------------------------------------------------------------------------------------

    def leave(self, rejoin: bool = False) -> None:
        """Tell the neighbours and leave; with `rejoin` come back at once."""
        if self._state.network is None or self._role is NodeRole.COORDINATOR:
            return
        command = Leave(rejoin=rejoin, request=False)
        header = NwkHeader(
            FrameType.COMMAND,
            BROADCAST_RX_ON,
            self._state.short,
            1,
            self._nwk.next_sequence(),
            source_ieee=self._state.eui,
        )
        self._nwk.broadcasts.send_once(header.encode(), command.encode())
        self._timers.after(_LAST_WORDS, self._gone, rejoin)

    def _gone(self, rejoin: bool) -> None:
        if rejoin:
            self.rejoin()
        elif self._state.network is not None:
            self._rejoiner.stop()
            self._user.left()

    def command(self, how: Arrival, command: NwkCommand) -> None:
        network, sender = self._state.network, how.hop
        if not isinstance(command, Leave) or network is None or sender is None:
            return
        if not command.request:
            self._neighbour_left(sender, rejoin=command.rejoin)
        elif how.header.source in (0, network.parent_short) and not self._rejoiner.active:
            self._timers.soon(self.leave, command.rejoin)

    def _neighbour_left(self, sender: Peer, *, rejoin: bool) -> None:
        network = self._state.network
        if network is None:
            return
        if sender.child_radio >= 0:
            self._state.disown(sender)
            if not rejoin:
                self._parent.user.child_left(sender)
        elif network.parent == sender.eui and self._role not in (NodeRole.ROUTER, NodeRole.COORDINATOR):
            self.rejoin()
        self._state.drop_routes((sender.radio, int(sender.short)))

    def remove_child(self, child: Peer, rejoin: bool = False) -> None:
        """Ask a child to leave, and count it as gone if it does not say so itself."""

        def asked(status: DeliveryStatus) -> None:
            self._timers.after(4 * _LAST_WORDS, self._surely_left, child, rejoin)

        self._nwk.send_command(child.short, Leave(rejoin=rejoin, request=True).encode(), asked)

    def _surely_left(self, child: Peer, rejoin: bool) -> None:
        if child.child_radio >= 0 and not rejoin:
            self._neighbour_left(child, rejoin=False)

    # --- addresses ---------------------------------------------------------------------------------------------

    def found_conflict(self, short: int) -> None:
        """This node has seen that two nodes have one address: tell all."""
        now = self._timers.now()
        if self._role not in (NodeRole.COORDINATOR, NodeRole.ROUTER) or self._conflicts.get(short, 0) > now:
            return
        self._conflicts[short] = now + _CONFLICT_AGAIN
        status = NetworkStatus(StatusCode.ADDRESS_CONFLICT, ShortAddress(short))
        self._nwk.broadcast(BROADCAST_RX_ON, status.encode(), FrameType.COMMAND)
        self.conflict(short)

    def conflict(self, short: int) -> None:
        """Two nodes have the address `short`: a router takes another, an end device gets one of its parent."""
        state, network = self._state, self._state.network
        if network is None or (self._role is NodeRole.COORDINATOR and short == 0):
            return
        self._conflicts[short] = self._timers.now() + _CONFLICT_AGAIN
        if short == state.short:
            if self._role is NodeRole.ROUTER:
                self._timers.soon(self.take_address, self._parent.free_address())
            return
        child = state.by_short.get(short)
        if child is not None and child.child_radio >= 0 and not child.router:
            self._move_child(child)

    def _move_child(self, child: Peer) -> None:
        state, old, radio = self._state, child.short, child.child_radio
        new = self._parent.free_address()
        header = NwkHeader(
            FrameType.COMMAND, old, state.short, 1, self._nwk.next_sequence(),
            destination_ieee=child.eui, source_ieee=state.eui,
        )  # fmt: skip
        self._nwk.plain.send(header, RejoinResponse(new, 0).encode(), (radio, int(old)))

    def take_address(self, short: ShortAddress) -> None:
        """This node has another address from now on."""
        network = self._state.network
        if network is None:
            return
        self._state.enter(network._replace(short=short))
        self._user.changed()

    def parent_moved(self, short: ShortAddress) -> None:
        """The parent has another address from now on."""
        network = self._state.network
        if network is not None and network.parent_short != short:
            self._state.enter(network._replace(parent_short=short))
            self._user.parent_moved()

    # --- channel -----------------------------------------------------------------------------------------------

    def change_channel(self, channel: int, update_id: int) -> None:
        """Go to another channel of the HAN radio."""
        network = self._state.network
        if network is None or (network.channel, network.update_id) == (channel, update_id):
            return
        self._state.enter(network._replace(channel=channel, update_id=update_id))
        self._user.changed()
