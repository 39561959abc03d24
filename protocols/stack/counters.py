"""Frame counters of a node: its own never repeat, those of others never go back, power cuts included.

Outgoing ones are saved ahead, incoming ones at once. Source: Zigbee 05-3474 4.3.1.2 and 4.4.1.
"""

from protocols.addresses import Eui64
from protocols.interfaces import Storage
from protocols.nwk.security import INVALID_COUNTER
from protocols.stack.peer import FormerKey, Peer
from protocols.stack.peers import COUNTERS, Peers

_COUNTER_RESET = 0x8000_0000  # outgoing NWK counters beyond it start anew with a new key
_FRAGMENTED_KEPT = 64  # below 256, so that a free counter is always left


class Counters(Peers):
    """Counts outgoing frames, and those of the peers."""

    __slots__ = ("_aps_counter", "_aps_saved", "_jump", "_nwk_counter", "_nwk_saved")

    def __init__(self, eui: Eui64, storage: Storage, jump: int) -> None:
        """jump: by how much the saved outgoing counters are ahead."""
        super().__init__(eui, storage)
        self._jump = jump
        stored = storage.get("counters")
        counters: tuple[int, int] = COUNTERS.unpack(stored) if stored else (0, 0)
        self._nwk_counter, self._aps_counter = counters
        self._nwk_saved, self._aps_saved = self._nwk_counter, self._aps_counter

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
        self._storage.put("counters", COUNTERS.pack(self._nwk_saved, self._aps_saved))

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
        self._storage.put(peer.heard_cell, COUNTERS.pack(following, peer.aps_next))

    def aps_heard(self, peer: Peer, counter: int) -> None:
        peer.aps_next = following = counter + 1
        self._storage.put(peer.heard_cell, COUNTERS.pack(peer.nwk_next, following))
        if peer.former is not None:
            self._drop_former(peer)

    def former_heard(self, peer: Peer, former: FormerKey, counter: int) -> None:
        former.aps_next, former.spoken = counter + 1, former.doubtful
        self._storage.put(peer.former_cell, former.encode())

    def _expect_anew(self) -> None:
        """A new network key comes: the incoming counters of all begin with it."""
        for peer in self.peers.values():
            if peer.nwk_next:
                peer.nwk_before, peer.nwk_next = peer.nwk_next, 0
                self._storage.put(peer.heard_cell, COUNTERS.pack(0, peer.aps_next))

    def _begin_anew(self) -> None:
        """A new network key has come, and is stored: a high outgoing counter begins anew. Before, it would repeat."""
        if self._nwk_counter > _COUNTER_RESET:
            self._nwk_counter = self._nwk_saved = 0
            self._save_counters()
