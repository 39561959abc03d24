"""What a coordinator or router does for its children: beacons, admission, hand-over to the trust centre."""

from protocols.addresses import NO_SHORT_ADDRESS, Eui64, ShortAddress
from protocols.interfaces import SECOND, Random
from protocols.mac.beacon import Beacon
from protocols.mac.commands import AssociationResponse, AssociationStatus, Capability, CoordinatorRealignment
from protocols.nwk.commands import CommandId, NwkCommand, RejoinRequest, RejoinResponse
from protocols.nwk.frame import FrameType, NwkHeader
from protocols.stack.children import Children
from protocols.stack.hooks import ParentUser
from protocols.stack.nwk import FIRST_BROADCAST, NwkLayer
from protocols.stack.nwk_arrival import Arrival
from protocols.stack.settings import StackSettings
from protocols.stack.state import NodeState, Peer
from protocols.stack.timers import Timers

_DENIED = AssociationResponse(ShortAddress(0xFFFF), AssociationStatus.PAN_ACCESS_DENIED)


class Parent:
    """`protocols.stack.mac.MacUser` of a node that takes children."""

    __slots__ = (
        "_children", "_nwk", "_permit_until", "_random", "_settings", "_state", "_timers", "user",
    )  # fmt: skip

    def __init__(
        self,
        state: NodeState,
        nwk: NwkLayer,
        timers: Timers,
        settings: StackSettings,
        random: Random,
        children: Children,
        user: ParentUser,
    ) -> None:
        self._state, self._nwk, self._timers, self._settings, self._random = state, nwk, timers, settings, random
        self._permit_until = 0
        self._children, self.user = children, user
        nwk.handlers[CommandId.REJOIN_REQUEST] = self

    def permit(self, seconds: int) -> None:
        """Let devices associate for `seconds` from now; 0 ends it."""
        self._permit_until = self._timers.now() + seconds * SECOND

    def orphan(self, radio: int, eui: Eui64) -> CoordinatorRealignment | None:
        return self._children.orphan(radio, eui)

    def polled(self, radio: int, source: ShortAddress) -> None:
        self._children.polled(radio, source)

    def beacon(self) -> Beacon | None:
        network = self._state.network
        if network is None:
            return None
        coordinator = network.parent == self._state.eui
        open_now = self._timers.now() < self._permit_until
        return Beacon(network.extended_pan_id, coordinator, open_now, True, True, network.depth, network.update_id)

    def associate(self, radio: int, eui: Eui64, capability: Capability) -> AssociationResponse | None:
        if self._state.network is None:
            return None
        if self._timers.now() >= self._permit_until:
            return _DENIED
        child = self._state.peer(eui)
        short = child.short if child.short != NO_SHORT_ADDRESS else self.free_address()
        self._adopt(child, short, radio, capability)
        self._await_key(child)
        return AssociationResponse(short, AssociationStatus.SUCCESS)

    def _adopt(self, child: Peer, short: ShortAddress, radio: int, capability: Capability) -> None:
        sleepy, router = not capability.receiver_on_when_idle, capability.full_function_device
        self._state.adopt(child, short, radio, sleepy=sleepy, router=router)
        child.timeout = 0
        self._children.watch(child)

    def _await_key(self, child: Peer) -> None:
        """Forget the child unless it uses the network key soon."""
        eui = child.eui
        deadline = self._timers.now() + self._settings.child_wait
        self._nwk.unauthenticated[eui] = deadline
        self._timers.after(self._settings.child_wait, self._give_up, eui, deadline)

    def command(self, how: Arrival, command: NwkCommand) -> None:
        """A member wants this node as parent, with the network key or without."""
        state, header = self._state, how.header
        eui = header.source_ieee if how.hop is None else how.hop.eui
        if not isinstance(command, RejoinRequest) or state.network is None or eui in (None, state.eui):
            return
        secured, asked = how.hop is not None, header.source
        if eui is None or not (secured or self._settings.trust_centre_rejoin):
            return
        other, child = state.by_short.get(asked), state.peer(eui)
        taken = (other is not None and other is not child) or asked in (0, state.short) or asked >= FIRST_BROADCAST
        short = self.free_address() if taken else asked
        self._adopt(child, short, how.radio, command.capability)
        if not secured:
            self._await_key(child)
        answer = NwkHeader(
            FrameType.COMMAND, asked, state.short, 1, self._nwk.next_sequence(), secured,
            destination_ieee=eui, source_ieee=state.eui,
        )  # fmt: skip
        payload = RejoinResponse(short, AssociationStatus.SUCCESS).encode()
        self._nwk.plain.rejoin_response(answer, payload, (how.radio, int(asked)), child.sleepy)
        self.user.child_rejoined(child, secured)

    def associated(self, radio: int, eui: Eui64) -> None:
        child = self._state.peers.get(eui)
        if child is not None and child.child_radio == radio and eui in self._nwk.unauthenticated:
            self.user.child_joined(child)

    def drop(self, child: Peer) -> None:
        """Forget a child that may not stay."""
        self._nwk.unauthenticated.pop(child.eui, None)
        self._state.forget(child)

    def _give_up(self, eui: Eui64, deadline: int) -> None:
        if self._nwk.unauthenticated.get(eui) == deadline:
            self.drop(self._state.peer(eui))

    def free_address(self) -> ShortAddress:
        """Choose an address by chance that no node known here has. Source: Zigbee 05-3474 3.6.1.7."""
        while True:
            short = ShortAddress(self._random.randrange(1, FIRST_BROADCAST))
            if short not in self._state.by_short and short != self._state.short:
                return short
