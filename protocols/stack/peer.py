"""Another node as a node knows it, and the link key it had before."""

import struct
import sys
from typing import Self

from protocols.addresses import NO_SHORT_ADDRESS, Eui64, ShortAddress
from protocols.aps.security import ApsSecurity
from protocols.interfaces import LinkKey

_PEER = struct.Struct("<BHBQb16s")
_FORMER = struct.Struct("<16sIIB")
FORMER_OCTETS = _FORMER.size
_VERSION = 1  # of the cell of a peer
_SLEEPY, _ROUTER, _MEMBER, _KEYED, _ESTABLISHED, _PARTNER, _AGREED = 1, 2, 4, 8, 16, 32, 64
_DOUBTFUL, _SPOKEN = 1, 2  # of a former key, beside _ESTABLISHED
_NOBODY = Eui64(0)


class FormerKey:
    """The link key before: good until the peer has spoken under the present one."""

    __slots__ = ("aps_next", "aps_sent", "doubtful", "established", "key", "security", "spoken")

    def __init__(self, key: LinkKey, aps_next: int, aps_sent: int, *, established: bool, doubtful: bool) -> None:
        """doubtful: the peer may not have the present key."""
        self.key, self.security, self.established, self.doubtful = key, ApsSecurity(key), established, doubtful
        self.aps_next, self.aps_sent = aps_next, aps_sent  # as in `Peer`
        self.spoken = False  # doubtful, and the peer was heard under this one

    def encode(self) -> bytes:
        flags = self.established * _ESTABLISHED | self.doubtful * _DOUBTFUL | self.spoken * _SPOKEN
        return _FORMER.pack(self.key, self.aps_next, self.aps_sent, flags)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        key, heard, sent, flags = _FORMER.unpack(octets)
        former = cls(
            LinkKey(key), heard, sent, established=bool(flags & _ESTABLISHED), doubtful=bool(flags & _DOUBTFUL)
        )
        former.spoken = bool(flags & _SPOKEN)
        return former


class Peer:
    """Another node: its address, its link key, its counters."""

    __slots__ = (
        "agreed",
        "aps_next",
        "aps_saved",
        "aps_sent",
        "child_radio",
        "established",
        "eui",
        "former",
        "heard_at",
        "heard_cell",
        "key",
        "link_until",
        "lqi",
        "member",
        "nwk_before",
        "nwk_next",
        "outgoing_cost",
        "parent",
        "partner",
        "radio",
        "router",
        "security",
        "short",
        "sleepy",
        "timeout",
    )

    def __init__(self, eui: Eui64) -> None:
        self.eui = eui
        self.short = NO_SHORT_ADDRESS
        self.sleepy = self.router = False
        self.member = False  # at the trust centre: has joined and announced itself
        self.parent = _NOBODY  # at the trust centre: who reported it
        self.child_radio = -1  # index of the radio on which it is a child of this node
        self.key: LinkKey | None = None
        self.security: ApsSecurity | None = None
        self.established = False  # whether the link key is more than preconfigured: by key establishment
        self.partner = False  # whether the link key is one between two members, which the trust centre began
        self.agreed = False  # whether these two have agreed on another one since
        self.former: FormerKey | None = None
        self.nwk_next = self.aps_next = 0  # lowest counter taken next
        self.aps_sent = self.aps_saved = 0  # next outgoing counter of an established key, and how far it is saved
        self.nwk_before = 0  # the same under the network key before
        self.radio = 0  # on which it was last heard as a neighbour
        self.lqi = 0  # of its last frame as a neighbour
        self.heard_at = 0  # of a child: time of its last frame or poll
        self.timeout = 0  # ns, of a child that is an end device: silence after which it is forgotten; 0 the default
        self.link_until = 0  # while its link status holds
        self.outgoing_cost = 0  # by its link status
        self.heard_cell = sys.intern(f"heard/{eui}")  # of the counters heard

    @property
    def cell(self) -> str:
        """The cell of `encode`; all nodes that know this one share its name."""
        return sys.intern(f"peer/{self.eui}")

    @property
    def sent_cell(self) -> str:
        return f"sent/{self.eui}"

    @property
    def former_cell(self) -> str:
        return f"former/{self.eui}"

    def take_back(self, former: FormerKey) -> None:
        """Use a key again where its counters stood."""
        self.key, self.security, self.established = former.key, former.security, former.established
        self.aps_next, self.aps_sent, self.aps_saved = former.aps_next, former.aps_sent, former.aps_sent

    def set_key(self, key: LinkKey, *, established: bool = False) -> None:
        """Take `key`; a new one starts with fresh counters."""
        if key != self.key:
            self.key, self.security = key, ApsSecurity(key)
            self.aps_next = self.aps_sent = self.aps_saved = 0
        self.established = established

    def encode(self) -> bytes:
        flags = self.sleepy * _SLEEPY | self.router * _ROUTER | self.member * _MEMBER
        flags |= (self.key is not None) * _KEYED | self.established * _ESTABLISHED | self.partner * _PARTNER
        flags |= self.agreed * _AGREED
        return _PEER.pack(_VERSION, self.short, flags, self.parent, self.child_radio, self.key or bytes(16))

    def restore(self, octets: bytes) -> None:
        _, short, flags, parent, self.child_radio, key = _PEER.unpack(octets)
        self.short, self.parent = ShortAddress(short), Eui64(parent)
        self.sleepy, self.router = bool(flags & _SLEEPY), bool(flags & _ROUTER)
        self.member = bool(flags & _MEMBER)
        self.partner, self.agreed = bool(flags & _PARTNER), bool(flags & _AGREED)
        if flags & _KEYED:
            self.set_key(LinkKey(key), established=bool(flags & _ESTABLISHED))
