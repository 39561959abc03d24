"""Who a short address stands for, as the frames of a capture tell."""

from protocols.addresses import Eui64
from protocols.nwk.security import NwkSecurity


class AddressSpace:
    """One PAN of one site: its radio networks (HAN and backhauls) share short addresses and network key."""

    __slots__ = ("euis", "pan", "security", "site")

    def __init__(self, site: str, pan: int) -> None:
        self.site, self.pan = site, pan
        self.euis: dict[int, Eui64] = {}
        self.security: NwkSecurity | None = None  # what opened the last NWK frame


class AddressBook:
    """All address spaces, by the site (first word of a network's name) and PAN id."""

    def __init__(self) -> None:
        self._spaces: dict[tuple[str, int], AddressSpace] = {}

    def space(self, network: str, pan: int) -> AddressSpace:
        space = self._spaces.get((network, pan))
        if space is None:
            site = network.split(" ", 1)[0]
            first = self._spaces.get((site, pan))
            space = first if first is not None else AddressSpace(site, pan)
            self._spaces[site, pan] = self._spaces[network, pan] = space
        return space

    def euis(self) -> list[Eui64]:
        """Return every EUI-64 seen, in order of appearance."""
        return list(dict.fromkeys(eui for space in self._spaces.values() for eui in space.euis.values()))
