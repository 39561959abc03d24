"""What the storage of a hub and its devices holds once they have joined and established their link keys.

A fleet begins with it, as a home does after a power cut: a node made from such a storage takes its network up again
and announces itself. Joining a thousand homes frame by frame would show nothing that one home does not.
"""

from collections.abc import Callable
from dataclasses import dataclass

from emulator.storage import MemoryStorage
from protocols.addresses import COORDINATOR, Eui64, ShortAddress
from protocols.interfaces import LinkKey, Storage
from protocols.stack.settings import StackSettings
from protocols.stack.state import Network, NodeState

_FIRST_HUB = 0x00DB_1F00_0000_0000
_EUIS = 0x100  # set aside for a home
MOST_DEVICES = _EUIS - 1  # of a home, beside its hub
_FIRST_SHORT = 0x1001
_DEFAULTS = StackSettings()


@dataclass(frozen=True, slots=True)
class Member:
    """An end device of a home."""

    eui: Eui64
    short: ShortAddress
    key: LinkKey  # with the hub, by key establishment


@dataclass(frozen=True, slots=True)
class Membership:
    """One home's network and who is in it."""

    hub: Eui64
    pan_id: int
    channel: int
    network_key: bytes  # 16 octets
    members: tuple[Member, ...]

    @classmethod
    def of(cls, number: int, devices: int, randbytes: Callable[[int], bytes]) -> "Membership":
        """Lay out home `number` with so many devices; `randbytes` gives the keys."""
        hub = Eui64(_FIRST_HUB + _EUIS * number)
        members = tuple(
            Member(Eui64(hub + index), ShortAddress(_FIRST_SHORT + index), LinkKey(randbytes(16)))
            for index in range(1, devices + 1)
        )
        return cls(hub, 1 + number % 0xFFF0, 11 + number % 16, randbytes(16), members)

    def hub_storage(self, settings: StackSettings = _DEFAULTS) -> Storage:
        """Return what the hub has stored."""
        storage = MemoryStorage()
        state = NodeState(self.hub, storage, settings.counter_jump, None)
        state.enter(self._network(self.hub, COORDINATOR, depth=0))
        for member in self.members:
            peer = state.peer(member.eui)
            peer.member, peer.parent = True, self.hub
            state.establish_key(member.eui, member.key, proven=True)
            state.adopt(peer, member.short, 0, sleepy=False, router=False)
        return storage

    def device_storage(self, member: Member, settings: StackSettings = _DEFAULTS) -> Storage:
        """Return what a device has stored."""
        storage = MemoryStorage()
        state = NodeState(member.eui, storage, settings.counter_jump, None)
        state.enter(self._network(member.eui, member.short, depth=1))
        state.establish_key(self.hub, member.key, proven=True)
        state.note_address(self.hub, COORDINATOR)
        return storage

    def _network(self, own: Eui64, short: ShortAddress, *, depth: int) -> Network:
        place = (self.hub, self.hub, COORDINATOR, 0, depth)
        return Network(self.pan_id, self.channel, self.hub, self.network_key, 0, short, *place)
