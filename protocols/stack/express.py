"""The short way of an ordinary message: one frame, one function down the layers of a node, and one up.

Ordinary is a message in one frame under the present link key of its peer, without APS acknowledgement, over a route
that is known: the blocks of a download, reports, answers. For all else, and for whatever does not verify, both
functions do nothing and return False, and the layers (`aps.py`, `nwk.py`, `hops.py`, `mac.py`) do their work.
What they would do is done here with each field looked up once; `StackSettings.express` off leaves all to the layers,
and the octets of a network are the same with it and without.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag

from protocols.addresses import NO_SHORT_ADDRESS
from protocols.crypto.ccm import LEVEL, MIC_SIZE
from protocols.errors import DecodeError
from protocols.interfaces import ApsData, Received
from protocols.mac.frame import UNICAST
from protocols.nwk.frame import SECURED_DATA as NWK_DATA
from protocols.nwk.security import AUXILIARY_CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.addresses import Eui64
    from protocols.aps.security import ApsSecurity
    from protocols.interfaces import DeliveryStatus
    from protocols.nwk.security import NwkSecurity
    from protocols.stack.application import Application
    from protocols.stack.aps import ApsLayer
    from protocols.stack.counts import Counts
    from protocols.stack.mac import MacLayer
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.peer import Peer
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState

_MAC_END, _NWK_END, _CIPHER_AT = 9, 17, 31  # octets of a frame: ends of the headers, and of the NWK auxiliary header
# MAC: frame control, sequence, PAN id, destination, source. NWK: frame control, destination, source, radius, sequence.
# Auxiliary header: security control, counter, hop, key sequence.
HEADERS = struct.Struct("<HBHHHHHHBBBIQB")
_FRONT = struct.Struct("<HBHHH8sBIQB")  # the same, the NWK header as it is
PLAIN_HEADER = 8  # octets of a NWK header without optional fields
_NWK_DATAS: Final = frozenset({0x0208, 0x0248, 0x2208, 0x2248})  # secured data without optional fields
_NWK = struct.Struct("<HHHBB")
_NONCE = struct.Struct("<QIB")
_NWK_LEVEL = AUXILIARY_CONTROL | LEVEL
_NWK_COMPUTED = bytes((_NWK_LEVEL,))

_APS_END, _APS_CIPHER_AT = 8, 13
_APS = struct.Struct("<BBHHBB")
# Frame control, destination endpoint, cluster, profile, source endpoint, counter; security control, frame counter.
APS_HEADERS = struct.Struct("<BBHHBBBI")
_new = tuple.__new__
SECURED_DATA = 0x20  # unicast data, secured
_LINK_KEY, _APS_COMPUTED = b"\0", bytes((LEVEL,))  # control of the auxiliary header, as sent and in the computation


def seal_frame(
    sequence: int, pan: int, neighbour: int, own: int, header: bytes, security: NwkSecurity, eui: int, counter: int,
    message: bytes,
) -> bytes:  # fmt: skip
    """Return a MAC frame for a neighbour around an APS frame. header: of NWK, without optional fields."""
    front = _FRONT.pack(
        UNICAST, sequence, pan, neighbour, own, header, AUXILIARY_CONTROL, counter, eui, security.key_sequence
    )
    additional = header + _NWK_COMPUTED + front[_NWK_END + 1 :]
    return front + security.cipher.encrypt(_NONCE.pack(eui, counter, _NWK_LEVEL), message, additional)


def open_frame(frame: bytes, security: NwkSecurity, hop: int, counter: int) -> bytes:
    """Return the APS frame in a MAC frame whose `HEADERS` named `hop` and `counter`; InvalidTag for a wrong MIC."""
    additional = frame[_MAC_END:_NWK_END] + _NWK_COMPUTED + frame[_NWK_END + 1 : _CIPHER_AT]
    return security.cipher.decrypt(_NONCE.pack(hop, counter, _NWK_LEVEL), frame[_CIPHER_AT:], additional)


def seal_message(header: bytes, link: ApsSecurity, wire: bytes, counter: int, payload: bytes) -> bytes:
    """Return an APS frame under a link key. wire: the originator's EUI-64 as on the air."""
    number = counter.to_bytes(4, "little")
    sealed = link.cipher.encrypt(wire + number + _APS_COMPUTED, payload, header + _APS_COMPUTED + number)
    return header + _LINK_KEY + number + sealed


def open_message(octets: bytes, link: ApsSecurity, originator: int, counter: int) -> bytes:
    """Return the payload of an APS frame whose `APS_HEADERS` named `counter`; InvalidTag for a wrong MIC."""
    additional = octets[:_APS_END] + _APS_COMPUTED + octets[_APS_END + 1 : _APS_CIPHER_AT]
    return link.cipher.decrypt(_NONCE.pack(originator, counter, LEVEL), octets[_APS_CIPHER_AT:], additional)


class Express:
    """What the layers of one node share for it."""

    __slots__ = (
        "_application", "_aps", "_counts", "_established_only", "_forward", "_nwk", "_radius", "_room", "_router",
        "_routing", "_state", "_wire",
    )  # fmt: skip

    def __init__(
        self,
        state: NodeState,
        nwk: NwkLayer,
        aps: ApsLayer,
        settings: StackSettings,
        counts: Counts,
        application: Application,
        *,
        router: bool,
    ) -> None:
        self._state, self._nwk, self._aps, self._counts, self._router = state, nwk, aps, counts, router
        self._application = application
        self._room, self._radius = aps.secured_room, settings.radius
        self._established_only = settings.established_keys_only
        self._routing, self._forward, self._wire = nwk.routing, nwk.forward, state.eui.wire

    def send(self, to: Eui64, data: ApsData, done: Callable[[DeliveryStatus], object]) -> bool:
        """Send `data` to a node under its link key if it is ordinary; `done` tells of the next hop."""
        profile, cluster, source, destination, payload = data
        state, nwk, aps, routing = self._state, self._nwk, self._aps, self._routing
        peer = state.peers.get(to)
        if peer is None:
            return False
        link, short = peer.security, peer.short
        if (
            link is None
            or peer.former is not None
            or (self._established_only and not peer.established)
            or short == NO_SHORT_ADDRESS
            or len(payload) > self._room
            or routing.special
            or routing.broken
        ):
            return False
        route = state.routes.get(short) if self._router else state.up
        if route is None:
            return False
        counter = state.next_aps_counter(peer)
        aps.counter = number = aps.counter + 1 & 0xFF
        header = _APS.pack(SECURED_DATA, destination, cluster, profile, source, number)
        message = seal_message(header, link, self._wire, counter, payload)
        nwk.sequence = number = nwk.sequence + 1 & 0xFF
        self._counts.sent += 1
        if nwk.activity is not None:
            nwk.activity()
        forward = self._forward
        forward(_NWK.pack(NWK_DATA, short, state.short, self._radius, number), message, route, done)
        return True

    def receive(self, mac: MacLayer, frame: bytes, lqi: int) -> bool:
        """Take a frame that `mac` heard, if it is for this node and from a neighbour as it is known."""
        if len(frame) < _CIPHER_AT + MIC_SIZE:
            return False
        (
            control, _, _, _, neighbour,
            nwk_control, destination, source, _, _,
            level, counter, hop, key_sequence,
        ) = HEADERS.unpack_from(frame)  # fmt: skip
        state, nwk = self._state, self._nwk
        security, peer = state.security, state.peers.get(hop)
        if (
            (control, level, destination, key_sequence) != state.ordinary
            or nwk_control not in _NWK_DATAS
            or security is None
            or peer is None
            or peer.short != neighbour
            or counter < peer.nwk_next
            or hop == state.eui
            or nwk.unauthenticated
            or self._routing.failing
        ):
            return False
        try:
            octets = open_frame(frame, security, hop, counter)
        except InvalidTag:
            return False
        mac.last[neighbour] = frame
        peer.nwk_next = counter + 1
        peer.lqi = lqi
        if peer.child_radio >= 0:
            peer.heard_at = nwk.now()
        if self._router and state.routes.get(source) != (mac.index, neighbour):
            nwk.learn(source, mac.index, neighbour)
        self._counts.received += 1
        if nwk.activity is not None:
            nwk.activity()
        if not self._message(peer, source, octets, lqi):
            state.nwk_heard(peer, counter)
            self._aps.receive(source, octets, lqi)
        return True

    def _message(self, hop: Peer, source: int, octets: bytes, lqi: int) -> bool:
        """Take an APS frame, if it is a message under the present link key; stores what was heard of `hop` too."""
        state = self._state
        peer = hop if source == hop.short else state.by_short.get(source)
        if peer is None or peer.security is None or peer.former is not None or len(octets) < _APS_CIPHER_AT + MIC_SIZE:
            return False
        control, to, cluster, profile, source_endpoint, _, level, counter = APS_HEADERS.unpack_from(octets)
        application = self._application
        if (
            control != SECURED_DATA
            or level
            or counter < peer.aps_next
            or to not in application.endpoint_numbers
            or (self._established_only and not peer.established)
        ):
            return False
        try:
            payload = open_message(octets, peer.security, peer.eui, counter)
        except InvalidTag:
            return False
        state.aps_heard(peer, counter)  # stores the NWK counter of the peer as well
        if peer is not hop:
            state.nwk_heard(hop, hop.nwk_next - 1)
        data = _new(ApsData, (profile, cluster, source_endpoint, to, payload))
        listener = application.listener
        try:
            listener(_new(Received, (peer.eui, data, True, lqi, False)))
        except DecodeError:
            self._counts.refused += 1
        return True
