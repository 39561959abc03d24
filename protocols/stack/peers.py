"""The other nodes that one knows: addresses, children, and the neighbours by which all are reached."""

import struct

from protocols.addresses import NO_SHORT_ADDRESS, Eui64, ShortAddress
from protocols.interfaces import Storage
from protocols.stack.peer import FormerKey, Peer

COUNTERS = struct.Struct("<II")  # of a cell: NWK, APS
_ROUTE = struct.Struct("<HBH")


class Peers:
    """Loaded from the storage at power-on. Every change that must survive a power cut is put at once."""

    __slots__ = ("_storage", "by_short", "eui", "peers", "routes", "sleepy_children")

    def __init__(self, eui: Eui64, storage: Storage) -> None:
        """eui: of the node whose knowledge this is."""
        self.eui, self._storage = eui, storage
        self.peers: dict[Eui64, Peer] = {}
        self.by_short: dict[int, Peer] = {}
        self.sleepy_children: dict[int, int] = {}  # short address -> index of the radio
        self._load()
        routes = storage.get("routes") or b""
        self.routes: dict[int, tuple[int, int]] = {  # destination -> radio, next hop
            to: (radio, hop) for to, radio, hop in _ROUTE.iter_unpack(routes)
        }

    def _load(self) -> None:
        for cell in self._storage.cells():
            if cell.startswith("peer/"):
                peer = self.peer(Eui64(int(cell[5:], 16)))
                peer.restore(self._storage.get(cell) or b"")
                heard = self._storage.get(peer.heard_cell)
                if heard is not None:
                    peer.nwk_next, peer.aps_next = COUNTERS.unpack(heard)
                peer.aps_sent = peer.aps_saved = int.from_bytes(self._storage.get(peer.sent_cell) or b"", "little")
                former = self._storage.get(peer.former_cell)
                if former is not None:
                    peer.former = FormerKey.decode(former)
                self._index(peer)

    def peer(self, eui: Eui64) -> Peer:
        """Return what is known of `eui`, made if new."""
        peer = self.peers.get(eui)
        if peer is None:
            peer = self.peers[eui] = Peer(eui)
        return peer

    def save(self, peer: Peer) -> None:
        self._storage.put(peer.cell, peer.encode())

    def _index(self, peer: Peer) -> None:
        if peer.short != NO_SHORT_ADDRESS:
            self.by_short[peer.short] = peer
            if peer.child_radio >= 0 and peer.sleepy:
                self.sleepy_children[peer.short] = peer.child_radio

    def note_address(self, eui: Eui64, short: ShortAddress) -> None:
        """Note which short address `eui` has."""
        self.set_short(self.peer(eui), short)

    def set_short(self, peer: Peer, short: ShortAddress) -> None:
        """Note the short address of `peer`; who had it before has none any more."""
        if peer.short == short:
            return
        self.by_short.pop(peer.short, None)
        self.sleepy_children.pop(peer.short, None)
        before = self.by_short.get(short)
        if before is not None:
            before.short = NO_SHORT_ADDRESS
            self.save(before)
        peer.short = short
        self._index(peer)
        self.save(peer)

    def adopt(self, peer: Peer, short: ShortAddress, radio: int, *, sleepy: bool, router: bool) -> None:
        """Make `peer` a child of this node on `radio`."""
        peer.sleepy, peer.router, peer.child_radio = sleepy, router, radio
        self.sleepy_children.pop(short, None)
        self.set_short(peer, short)
        self._index(peer)
        self.save(peer)
        self.learn_route(short, radio, short)

    def disown(self, peer: Peer) -> None:
        """Forget that `peer` is a child."""
        peer.child_radio = -1
        self.sleepy_children.pop(peer.short, None)
        self.routes.pop(peer.short, None)
        self.save(peer)

    def forget(self, peer: Peer) -> None:
        """Drop a node that associated and never had the network key, unless it has a link key."""
        self.disown(peer)
        if peer.key is None and not peer.nwk_next:
            self.set_short(peer, NO_SHORT_ADDRESS)
            self.peers.pop(peer.eui, None)
            self._storage.delete(peer.cell)

    # --- routes ------------------------------------------------------------------------------------------------

    def learn_route(self, destination: int, radio: int, hop: int) -> None:
        """Note that `destination` is reached over the neighbour `hop` on `radio`."""
        route = (radio, hop)
        if self.routes.get(destination) != route:
            self.routes[destination] = route
            self._save_routes()

    def drop_route(self, destination: int) -> None:
        if self.routes.pop(destination, None) is not None:
            self._save_routes()

    def drop_routes(self, route: tuple[int, int]) -> None:
        """Forget what is reached over the neighbour of `route`; a child stays where it is."""
        lost = [to for to, via in self.routes.items() if via == route and not self._is_child(to)]
        for destination in lost:
            del self.routes[destination]
        if lost:
            self._save_routes()

    def _is_child(self, short: int) -> bool:
        peer = self.by_short.get(short)
        return peer is not None and peer.child_radio >= 0

    def _save_routes(self) -> None:
        self._storage.put("routes", b"".join(_ROUTE.pack(to, *via) for to, via in self.routes.items()))

    def _drop_former(self, peer: Peer) -> None:
        peer.former = None
        self._storage.delete(peer.former_cell)
