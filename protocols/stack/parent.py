"""What a coordinator or router does for its children: beacons, admission, hand-over to the trust centre."""

from collections.abc import Callable

from protocols.addresses import NO_SHORT_ADDRESS, Eui64, ShortAddress
from protocols.interfaces import SECOND, Random
from protocols.mac.beacon import Beacon
from protocols.mac.commands import AssociationResponse, AssociationStatus, Capability
from protocols.stack.nwk import FIRST_BROADCAST, NwkLayer
from protocols.stack.settings import StackSettings
from protocols.stack.state import NodeState, Peer
from protocols.stack.timers import Timers

_DENIED = AssociationResponse(ShortAddress(0xFFFF), AssociationStatus.PAN_ACCESS_DENIED)


class Parent:
    """`protocols.stack.mac.MacUser` of a node that takes children."""

    def __init__(
        self, state: NodeState, nwk: NwkLayer, timers: Timers, settings: StackSettings, random: Random
    ) -> None:
        self._state, self._nwk, self._timers, self._settings, self._random = state, nwk, timers, settings, random
        self._permit_until = 0
        self.child_joined: Callable[[Peer], object] = lambda child: None

    def permit(self, seconds: int) -> None:
        """Let devices associate for `seconds` from now; 0 ends it."""
        self._permit_until = self._timers.now() + seconds * SECOND

    def beacon(self) -> Beacon | None:
        network = self._state.network
        if network is None:
            return None
        coordinator = network.parent == self._state.eui
        open_now = self._timers.now() < self._permit_until
        return Beacon(network.extended_pan_id, coordinator, open_now, True, True, network.depth, 0)

    def associate(self, radio: int, eui: Eui64, capability: Capability) -> AssociationResponse | None:
        if self._state.network is None:
            return None
        if self._timers.now() >= self._permit_until:
            return _DENIED
        child = self._state.peer(eui)
        short = child.short if child.short != NO_SHORT_ADDRESS else self._free_address()
        sleepy, router = not capability.receiver_on_when_idle, capability.full_function_device
        self._state.adopt(child, short, radio, sleepy=sleepy, router=router)
        deadline = self._timers.now() + self._settings.child_wait
        self._nwk.unauthenticated[eui] = deadline
        self._timers.after(self._settings.child_wait, self._give_up, eui, deadline)
        return AssociationResponse(short, AssociationStatus.SUCCESS)

    def associated(self, radio: int, eui: Eui64) -> None:
        child = self._state.peers.get(eui)
        if child is not None and child.child_radio == radio and eui in self._nwk.unauthenticated:
            self.child_joined(child)

    def drop(self, child: Peer) -> None:
        """Forget a child that may not stay."""
        self._nwk.unauthenticated.pop(child.eui, None)
        self._state.forget(child)

    def _give_up(self, eui: Eui64, deadline: int) -> None:
        if self._nwk.unauthenticated.get(eui) == deadline:
            self.drop(self._state.peer(eui))

    def _free_address(self) -> ShortAddress:
        """Choose an address by chance that no node known here has. Source: Zigbee 05-3474 3.6.1.7."""
        while True:
            short = ShortAddress(self._random.randrange(1, FIRST_BROADCAST))
            if short not in self._state.by_short and short != self._state.short:
                return short
