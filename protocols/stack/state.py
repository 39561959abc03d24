"""What a node keeps of itself and of the others, in memory and in its `Storage`.

`Peers` has the other nodes, `Counters` the frame counters; here are the network and the keys.
"""

import struct

from protocols.addresses import NO_SHORT_ADDRESS, Eui64
from protocols.interfaces import LinkKey, Storage
from protocols.mac.frame import UNICAST
from protocols.nwk.security import AUXILIARY_CONTROL, NwkSecurity
from protocols.stack.counters import Counters
from protocols.stack.network import Network as Network  # it goes with the state
from protocols.stack.peer import FORMER_OCTETS, FormerKey
from protocols.stack.peer import Peer as Peer  # what others know of a node goes with its state
from protocols.stack.peers import COUNTERS
from protocols.stack.settings import KeyLog

_WINDOW = struct.Struct("<QQ")
_NEXT_KEY = "next network key"  # cell: sequence number and key
_ASIDE = "keys put aside"  # cell
_ASIDE_KEPT = 16  # as many as a device log has entries


class NodeState(Counters):
    """Loaded from the storage at power-on. Every change that must survive a power cut is put at once."""

    __slots__ = (
        "_key_log", "authorised", "network", "ordinary", "other_is_next", "other_security", "security", "short", "up",
    )  # fmt: skip

    def __init__(self, eui: Eui64, storage: Storage, counter_jump: int, key_log: KeyLog | None) -> None:
        super().__init__(eui, storage, counter_jump)
        self._key_log = key_log
        self.network: Network | None = None
        self.other_security: NwkSecurity | None = None  # of the network key before, or of the next one
        self.other_is_next = False
        self.security: NwkSecurity | None = None
        self.up: tuple[int, int] | None = None  # radio and short address of the parent
        self.ordinary: tuple[int, int, int, int] | None = None  # what the short way takes, see `Express.receive`
        self.short = NO_SHORT_ADDRESS
        self._load_network()
        windows = storage.get("authorised") or b""  # at the trust centre: who may join, until when
        self.authorised: dict[Eui64, int] = {Eui64(eui): until for eui, until in _WINDOW.iter_unpack(windows)}

    def _load_network(self) -> None:
        stored = self._storage.get("network")
        if stored is not None:
            self._enter(Network.decode(stored))
            following = self._storage.get(_NEXT_KEY)
            if following is not None:
                self.other_security, self.other_is_next = NwkSecurity(following[1:], following[0]), True

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
        self._expect_anew()
        trust_centre = network.trust_centre if centre is None else centre
        self.enter(network._replace(key=key, key_sequence=sequence, trust_centre=trust_centre))
        self._begin_anew()
        self._storage.delete(_NEXT_KEY)

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

    # --- link keys ---------------------------------------------------------------------------------------------

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
        self._storage.put(peer.heard_cell, COUNTERS.pack(peer.nwk_next, peer.aps_next))
        if self._key_log is not None:
            self._key_log(f"{'partner' if peer.partner else 'link'} key {peer.eui}", key)
