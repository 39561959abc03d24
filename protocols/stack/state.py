"""What a node keeps of itself and of the others, in memory and in its `Storage`."""

import struct
from typing import NamedTuple, Self

from protocols.addresses import NO_SHORT_ADDRESS, Eui64, ShortAddress
from protocols.errors import DecodeError
from protocols.interfaces import LinkKey, Storage
from protocols.mac.frame import UNICAST
from protocols.nwk.security import AUXILIARY_CONTROL, INVALID_COUNTER, NwkSecurity
from protocols.stack.peer import FORMER_OCTETS, FormerKey
from protocols.stack.peer import Peer as Peer  # what others know of a node goes with its state
from protocols.stack.settings import KeyLog

_NETWORK = struct.Struct("<BHBQ16sBHQQHBBB")
_COUNTERS = struct.Struct("<II")
_ROUTE = struct.Struct("<HBH")
_WINDOW = struct.Struct("<QQ")
_NETWORK_VERSION = 2
_NEXT_KEY = "next network key"  # cell: sequence number and key
_COUNTER_RESET = 0x8000_0000  # outgoing NWK counters beyond it start anew with a new key
_ASIDE = "keys put aside"  # cell
_ASIDE_KEPT = 16  # as many as a device log has entries
_FRAGMENTED_KEPT = 64  # below 256, so that a free counter is always left


class Network(NamedTuple):
    """The network a node belongs to and its place in it."""

    pan_id: int
    channel: int  # of the HAN radio
    extended_pan_id: Eui64
    key: bytes  # 16 octets
    key_sequence: int
    short: ShortAddress  # own
    trust_centre: Eui64
    parent: Eui64  # own EUI-64 at the coordinator
    parent_short: ShortAddress
    parent_radio: int  # index of the radio towards the parent
    depth: int
    update_id: int = 0  # 8 bits, counts changes of channel

    def encode(self) -> bytes:
        return _NETWORK.pack(_NETWORK_VERSION, *self)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        if octets[0] != _NETWORK_VERSION:
            raise DecodeError(f"network cell of version {octets[0]}, {_NETWORK_VERSION} known", data=octets)
        _, pan, channel, epid, key, sequence, short, centre, parent, hop, radio, depth, update = _NETWORK.unpack(octets)
        return cls(
            pan,
            channel,
            Eui64(epid),
            key,
            sequence,
            ShortAddress(short),
            Eui64(centre),
            Eui64(parent),
            ShortAddress(hop),
            radio,
            depth,
            update,
        )


class NodeState:
    """Loaded from the storage at power-on. Every change that must survive a power cut is put at once."""

    __slots__ = (
        "_aps_counter", "_aps_saved", "_jump", "_key_log", "_nwk_counter", "_nwk_saved", "_storage",
        "authorised", "by_short", "eui", "network", "ordinary", "other_is_next", "other_security", "peers", "routes",
        "security", "short", "sleepy_children", "up",
    )  # fmt: skip

    def __init__(self, eui: Eui64, storage: Storage, counter_jump: int, key_log: KeyLog | None) -> None:
        self.eui = eui
        self._storage, self._jump, self._key_log = storage, counter_jump, key_log
        self.network: Network | None = None
        self.other_security: NwkSecurity | None = None  # of the network key before, or of the next one
        self.other_is_next = False
        self.security: NwkSecurity | None = None
        self.up: tuple[int, int] | None = None  # radio and short address of the parent
        self.ordinary: tuple[int, int, int, int] | None = None  # what the short way takes, see `Express.receive`
        self.short = NO_SHORT_ADDRESS
        self.peers: dict[Eui64, Peer] = {}
        self.by_short: dict[int, Peer] = {}
        self.sleepy_children: dict[int, int] = {}  # short address -> index of the radio
        self.routes: dict[int, tuple[int, int]] = {}  # destination -> radio, next hop
        self.authorised: dict[Eui64, int] = {}  # at the trust centre: who may join, until when
        stored = storage.get("counters")
        counters: tuple[int, int] = _COUNTERS.unpack(stored) if stored else (0, 0)
        self._nwk_counter, self._aps_counter = counters
        self._nwk_saved, self._aps_saved = self._nwk_counter, self._aps_counter
        self._load()

    def _load(self) -> None:
        for cell in self._storage.cells():
            if cell.startswith("peer/"):
                peer = self.peer(Eui64(int(cell[5:], 16)))
                peer.restore(self._storage.get(cell) or b"")
                heard = self._storage.get(peer.heard_cell)
                if heard is not None:
                    peer.nwk_next, peer.aps_next = _COUNTERS.unpack(heard)
                peer.aps_sent = peer.aps_saved = int.from_bytes(self._storage.get(peer.sent_cell) or b"", "little")
                former = self._storage.get(peer.former_cell)
                if former is not None:
                    peer.former = FormerKey.decode(former)
                self._index(peer)
        stored = self._storage.get("network")
        if stored is not None:
            self._enter(Network.decode(stored))
            following = self._storage.get(_NEXT_KEY)
            if following is not None:
                self.other_security, self.other_is_next = NwkSecurity(following[1:], following[0]), True
        routes = self._storage.get("routes") or b""
        self.routes = {to: (radio, hop) for to, radio, hop in _ROUTE.iter_unpack(routes)}
        windows = self._storage.get("authorised") or b""
        self.authorised = {Eui64(eui): until for eui, until in _WINDOW.iter_unpack(windows)}

    # --- network -----------------------------------------------------------------------------------------------

    def _enter(self, network: Network) -> None:
        self.network = network
        self.short = network.short
        self.security = NwkSecurity(network.key, network.key_sequence)
        self.up = network.parent_radio, int(network.parent_short)
        self.ordinary = UNICAST, AUXILIARY_CONTROL, int(network.short), network.key_sequence

    def enter(self, network: Network) -> None:
        """Take membership of `network` and save it."""
        self._enter(network)
        self._storage.put("network", network.encode())
        if self._key_log is not None:
            self._key_log(f"network key {network.extended_pan_id}", network.key)

    def take_network_key(self, key: bytes, sequence: int, centre: Eui64 | None = None) -> None:
        """Replace the network key; with another one all incoming counters start anew.

        centre: the trust centre it comes from, if that may be another one now.
        """
        network = self.network
        if network is None or (network.key, network.key_sequence) == (key, sequence):
            return
        self.other_security, self.other_is_next = self.security, False
        for peer in self.peers.values():
            if peer.nwk_next:
                peer.nwk_before, peer.nwk_next = peer.nwk_next, 0
                self._storage.put(peer.heard_cell, _COUNTERS.pack(0, peer.aps_next))
        self._storage.delete(_NEXT_KEY)
        if self._nwk_counter > _COUNTER_RESET:
            self._nwk_counter = self._nwk_saved = 0
            self._save_counters()
        trust_centre = network.trust_centre if centre is None else centre
        self.enter(network._replace(key=key, key_sequence=sequence, trust_centre=trust_centre))

    @property
    def next_key_sequence(self) -> int | None:
        """Sequence number of the network key that is to come into use."""
        return None if self.other_security is None or not self.other_is_next else self.other_security.key_sequence

    def set_next_network_key(self, key: bytes, sequence: int) -> None:
        """Keep a network key until the switch; the present one again is no news."""
        network = self.network
        if network is None or sequence == network.key_sequence:
            return
        self.other_security, self.other_is_next = NwkSecurity(key, sequence), True
        self._storage.put(_NEXT_KEY, bytes((sequence,)) + key)
        if self._key_log is not None:
            self._key_log(f"network key {network.extended_pan_id}", key)

    def switch_network_key(self) -> None:
        """Take the next network key into use; the present one goes on opening what others still send under it."""
        following = self._storage.get(_NEXT_KEY)
        if following is not None:
            self.take_network_key(following[1:], following[0])

    def leave(self) -> None:
        """Forget the network and who is in it; counters and link keys stay."""
        self.network = self.security = self.other_security = self.up = self.ordinary = None
        self.short = NO_SHORT_ADDRESS
        for peer in self.peers.values():
            peer.child_radio, peer.member = -1, False
            self.set_short(peer, NO_SHORT_ADDRESS)
        self.routes.clear()
        self.sleepy_children.clear()
        self._storage.delete("network")
        self._storage.delete(_NEXT_KEY)
        self._storage.delete("routes")

    # --- joining -----------------------------------------------------------------------------------------------

    @property
    def joining(self) -> tuple[LinkKey, tuple[int, ...]] | None:
        """Key and channels of a join that has not ended."""
        stored = self._storage.get("joining")
        return None if stored is None else (LinkKey(stored[:16]), tuple(stored[16:]))

    def set_joining(self, key: LinkKey, channels: tuple[int, ...]) -> None:
        self._storage.put("joining", key + bytes(channels))

    def end_joining(self) -> None:
        self._storage.delete("joining")

    def authorise(self, eui: Eui64, until: int) -> None:
        """Let `eui` join until then; 0 ends it."""
        self.authorised[eui] = until
        if not until:
            del self.authorised[eui]
        self._storage.put("authorised", b"".join(_WINDOW.pack(*window) for window in self.authorised.items()))

    # --- counters ----------------------------------------------------------------------------------------------

    def next_nwk_counter(self) -> int:
        """Return an outgoing NWK counter never used before, power cuts included."""
        counter = self._nwk_counter
        if counter >= self._nwk_saved:
            self._nwk_saved = min(counter + self._jump, INVALID_COUNTER)
            self._save_counters()
        self._nwk_counter = counter + 1
        return counter

    def next_aps_counter(self, peer: Peer) -> int:
        """Return an outgoing APS frame counter never used before with the link key of `peer`.

        One series serves all preconfigured link keys; each established one has its own, from 0.
        """
        if peer.established:
            counter = peer.aps_sent
            if counter >= peer.aps_saved:
                peer.aps_saved = min(counter + self._jump, INVALID_COUNTER)
                self._storage.put(peer.sent_cell, peer.aps_saved.to_bytes(4, "little"))
            peer.aps_sent = counter + 1
            return counter
        return self._next_shared_counter()

    def next_former_counter(self, peer: Peer, former: FormerKey) -> int:
        """Return the same for the link key before the present one."""
        if not former.established:
            return self._next_shared_counter()
        former.aps_sent += 1
        self._storage.put(peer.former_cell, former.encode())
        return former.aps_sent - 1

    def _next_shared_counter(self) -> int:
        counter = self._aps_counter
        if counter >= self._aps_saved:
            self._aps_saved = min(counter + self._jump, INVALID_COUNTER)
            self._save_counters()
        self._aps_counter = counter + 1
        return counter

    def _save_counters(self) -> None:
        self._storage.put("counters", _COUNTERS.pack(self._nwk_saved, self._aps_saved))

    def claim_for_fragments(self, counter: int) -> bool:
        """Take an 8-bit APS counter for a fragmented message; False if one of the last 64 of them had it.

        Receivers, and whoever reads a capture, tell the fragmented messages of a sender apart by it alone.
        """
        used = self._storage.get("fragmented") or b""
        if counter in used:
            return False
        self._storage.put("fragmented", (used + bytes((counter,)))[-_FRAGMENTED_KEPT:])
        return True

    def nwk_heard(self, peer: Peer, counter: int) -> None:
        """Refuse `counter` and all below from `peer` from now on, also after a power cut."""
        peer.nwk_next = following = counter + 1
        self._storage.put(peer.heard_cell, _COUNTERS.pack(following, peer.aps_next))

    def aps_heard(self, peer: Peer, counter: int) -> None:
        peer.aps_next = following = counter + 1
        self._storage.put(peer.heard_cell, _COUNTERS.pack(peer.nwk_next, following))
        if peer.former is not None:
            self._drop_former(peer)

    def former_heard(self, peer: Peer, former: FormerKey, counter: int) -> None:
        former.aps_next, former.spoken = counter + 1, former.doubtful
        self._storage.put(peer.former_cell, former.encode())

    # --- others ------------------------------------------------------------------------------------------------

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

    def clear_key(self, peer: Peer) -> None:
        """Forget the link key shared with `peer`."""
        peer.key = peer.security = None
        peer.established = peer.partner = peer.agreed = False
        self._drop_former(peer)
        self.save(peer)

    def put_aside(self, peer: Peer) -> None:
        """Forget the link key shared with `peer`, but for `recall`: the latest few are kept."""
        if peer.key is not None:
            kept = FormerKey(peer.key, peer.aps_next, peer.aps_sent, established=peer.established, doubtful=False)
            aside = {**self._aside(), peer.eui.wire: kept.encode()}
            self._keep_aside(dict(list(aside.items())[-_ASIDE_KEPT:]))
        self.clear_key(peer)

    def recall(self, eui: Eui64) -> bool:
        """Use the link key again that was put aside for `eui`, its counters go on; False if there is none."""
        aside = self._aside()
        kept = aside.pop(eui.wire, None)
        if kept is None:
            return False
        peer, former = self.peer(eui), FormerKey.decode(kept)
        peer.take_back(former)
        if peer.established:
            self._storage.put(peer.sent_cell, peer.aps_sent.to_bytes(4, "little"))
        self._drop_former(peer)
        self._save_key(peer, former.key)
        self._keep_aside(aside)
        return True

    def _aside(self) -> dict[bytes, bytes]:
        """Return what is put aside, oldest first: identifier, and the key with its counters."""
        octets, size = self._storage.get(_ASIDE) or b"", 8 + FORMER_OCTETS
        return {octets[at : at + 8]: octets[at + 8 : at + size] for at in range(0, len(octets), size)}

    def _keep_aside(self, aside: dict[bytes, bytes]) -> None:
        self._storage.put(_ASIDE, b"".join(eui + kept for eui, kept in aside.items()))

    def set_key(self, eui: Eui64, key: LinkKey) -> None:
        """Install the preconfigured link key shared with `eui`; a new key starts with fresh counters."""
        peer = self.peer(eui)
        peer.set_key(key)
        self._drop_former(peer)
        self._save_key(peer, key)

    def establish_key(self, eui: Eui64, key: LinkKey, *, proven: bool, partner: bool = False) -> None:
        """Install a link key that both sides agreed on, beside the one before until `eui` has spoken under it.

        partner: it is one between two members, from the trust centre. proven: `eui` is known to have it, which may be
        told later. Else it gets frames under the one before as long as it speaks under that.
        """
        peer = self.peer(eui)
        former = peer.former
        if peer.key == key:
            if former is not None and proven:
                former.doubtful = former.spoken = False
        elif peer.key is not None and (former is None or not former.doubtful or proven):
            former = FormerKey(
                peer.key, peer.aps_next, peer.aps_sent, established=peer.established, doubtful=not proven
            )
        if former is not None:
            peer.former = former
            self._storage.put(peer.former_cell, former.encode())
        if peer.key != key:
            self._storage.delete(peer.sent_cell)
        peer.set_key(key, established=True)
        peer.partner, peer.agreed = peer.partner or partner, peer.partner and not partner
        self._save_key(peer, key)

    def _save_key(self, peer: Peer, key: LinkKey) -> None:
        self.save(peer)
        self._storage.put(peer.heard_cell, _COUNTERS.pack(peer.nwk_next, peer.aps_next))
        if self._key_log is not None:
            self._key_log(f"{'partner' if peer.partner else 'link'} key {peer.eui}", key)

    def _drop_former(self, peer: Peer) -> None:
        peer.former = None
        self._storage.delete(peer.former_cell)

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
