"""Who a short address stands for, as the frames of a capture tell."""

from protocols.addresses import Eui64
from protocols.nwk.security import NwkSecurity


class AddressSpace:
    """One Zigbee network: the radio networks (HAN and backhauls) whose frames the same network key opens."""

    __slots__ = ("euis", "number", "security")

    def __init__(self, number: int) -> None:
        self.number = number
        self.euis: dict[int, Eui64] = {}
        self.security: NwkSecurity | None = None  # what opened the last NWK frame


class AddressBook:
    """All address spaces. Until a key has opened a frame, each PAN of each radio network has one of its own."""

    def __init__(self) -> None:
        self._heard: dict[tuple[str, int], AddressSpace] = {}  # by name of the radio network and PAN id
        self._opened: dict[bytes, AddressSpace] = {}  # by network key
        self._made = 0

    def space(self, network: str, pan: int) -> AddressSpace:
        space = self._heard.get((network, pan))
        if space is None:
            self._made += 1
            space = self._heard[network, pan] = AddressSpace(self._made)
        return space

    def opened(self, network: str, pan: int, key: bytes, security: NwkSecurity) -> AddressSpace:
        """Return the space of a radio network whose frames `key` opens, joined with that of others it opens."""
        here = self.space(network, pan)
        space = self._opened.setdefault(key, here)
        if space is not here:
            space.euis.update(here.euis)
            self._heard[network, pan] = space
        space.security = security
        return space

    def euis(self) -> list[Eui64]:
        """Return every EUI-64 seen, in order of appearance."""
        return list(dict.fromkeys(eui for space in self._heard.values() for eui in space.euis.values()))
