"""APS layer of a node: end-to-end security, acknowledgements, fragments and duplicates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from protocols.addresses import Eui64, ShortAddress
from protocols.aps.commands import ApsCommand, decode_command
from protocols.aps.frame import (
    ApsHeader,
    DeliveryMode,
    FrameType,
    acknowledgement_of,
    data_header,
    decode_header,
)
from protocols.aps.security import EXTENDED_OVERHEAD, SHORT_OVERHEAD, KeyId, read_auxiliary
from protocols.errors import DecodeError, IntegrityError
from protocols.interfaces import ApsData, DeliveryStatus, Random
from protocols.stack.counts import Counts
from protocols.stack.expiring import Expiring
from protocols.stack.fragments import Acknowledgement, Reassembler, split
from protocols.stack.hooks import nobody
from protocols.stack.nwk import NwkLayer
from protocols.stack.outgoing import Done, Outgoing, Sender
from protocols.stack.peer import FormerKey, Peer
from protocols.stack.settings import StackSettings
from protocols.stack.state import NodeState
from protocols.stack.timers import Timers
from protocols.zdp import messages as zdp
from protocols.zdp.fields import RESPONSE, Cluster

PLAIN_ROOM = 82  # octets: 127 less MAC 11, NWK 8, auxiliary header and MIC 18, APS 8
_NAMING = (Cluster.DEVICE_ANNOUNCE, RESPONSE | Cluster.NWK_ADDRESS, RESPONSE | Cluster.IEEE_ADDRESS)
FRAGMENT_HEADER = 2  # octets more in the APS header
_UNFRAGMENTED = Acknowledgement(0, 1)


class _ReplayError(DecodeError):
    """A good frame whose counter is not above the last one."""


class ApsUser(Protocol):
    """The layers above."""

    def aps_data(self, peer: Peer, data: ApsData, secured: bool, lqi: int, *, broadcast: bool) -> None:
        """A message for this node, whole, once; DecodeError counts it among the refused."""
        ...

    def aps_command(self, peer: Peer, command: ApsCommand, key_id: int | None) -> None:
        """A command; `key_id` is the key that secured it, None for none."""
        ...


class ApsLayer:
    """End to end, between this node and its peers."""

    __slots__ = (
        "_counts", "_established_only", "_extended_nonce", "_nwk", "_reassembler", "_seen", "_sender",
        "_settings", "_state", "_timers", "counter", "secured_room", "unknown_sender", "user",
    )  # fmt: skip

    def __init__(
        self,
        state: NodeState,
        nwk: NwkLayer,
        timers: Timers,
        settings: StackSettings,
        counts: Counts,
        random: Random,
    ) -> None:
        self._state, self._nwk, self._timers, self._settings, self._counts = state, nwk, timers, settings, counts
        self.counter = random.randrange(0, 256)
        self._established_only, self._extended_nonce = settings.established_keys_only, settings.extended_nonce
        self._sender = Sender(nwk, state, timers, settings, counts, self._seal, self.next_counter)
        self._seen: Expiring[int, bytes] = Expiring(timers, settings.duplicate_wait)  # by source and counter
        self._reassembler = Reassembler(timers, settings)
        self.user: ApsUser | None = None
        self.unknown_sender: Callable[[int], object] = nobody  # a frame came whose sender has no EUI-64
        overhead = EXTENDED_OVERHEAD if settings.extended_nonce else SHORT_OVERHEAD
        self.secured_room = PLAIN_ROOM - overhead

    # --- sending -----------------------------------------------------------------------------------------------

    def next_counter(self) -> int:
        self.counter = (self.counter + 1) & 0xFF
        return self.counter

    def send(self, peer: Peer, data: ApsData, done: Done, *, secured: bool, acknowledged: bool) -> None:
        """Send a message; `done` tells how it ended. Longer ones go in fragments, then always acknowledged."""
        payload = data.payload
        room = self.secured_room if secured else PLAIN_ROOM
        if self._nwk.routing.special:
            room -= self._nwk.routing.source_route_octets(peer.short)
        if len(payload) <= room:
            if not acknowledged:
                self._send_once(peer, data, done, secured=secured)
                return
            blocks = [payload]
        else:
            blocks = split(payload, min(room - FRAGMENT_HEADER, self._settings.fragment_limit))
            if len(payload) > self._settings.message_limit or len(blocks) > 255:
                self._timers.soon(done, DeliveryStatus.TOO_LONG)
                return
        self._sender.send(Outgoing(peer, data, blocks, done, secured=secured))

    def _send_once(self, peer: Peer, data: ApsData, done: Done, *, secured: bool) -> None:
        profile, cluster, source, destination, payload = data
        counter = self.next_counter()
        header = data_header(destination, cluster, profile, source, counter, security=secured, ack_request=False)
        self._nwk.send(peer.short, self._seal(peer, header, payload, secured=secured), done)

    def broadcast(self, destination: int, data: ApsData) -> None:
        """Send a message to all nodes of a class, without APS security."""
        header = ApsHeader(
            FrameType.DATA,
            data.destination_endpoint,
            data.cluster,
            data.profile,
            data.source_endpoint,
            self.next_counter(),
            delivery_mode=DeliveryMode.BROADCAST,
        )
        self._nwk.broadcast(type(self._state.short)(destination), header.encode() + data.payload)

    def broadcast_command(self, destination: ShortAddress, command: bytes) -> None:
        """Send a command to all nodes of a class, without APS security."""
        header = ApsHeader(FrameType.COMMAND, 0, 0, 0, 0, self.next_counter(), delivery_mode=DeliveryMode.BROADCAST)
        self._nwk.broadcast(destination, header.encode() + command)

    def send_command(
        self,
        peer: Peer,
        command: bytes,
        *,
        secured: bool,
        key_id: int = KeyId.LINK,
        done: Done | None = None,
    ) -> None:
        """Send a command with acknowledgement, under the link key of `peer` or one derived from it if `secured`."""
        self._sender.send(Outgoing(peer, None, [command], done, secured=secured, key_id=key_id))

    def command_frame(self, peer: Peer, command: bytes, key_id: int) -> bytes:
        """Return a secured command frame for `peer` as it stands in a Tunnel or goes to a joiner: EUI-64 included."""
        header = ApsHeader(FrameType.COMMAND, 0, 0, 0, 0, self.next_counter(), security=True).encode()
        if peer.security is None:
            return b""
        counter = self._state.next_aps_counter(peer)
        return peer.security.protect(header, self._state.eui, counter, command, key_id=key_id, extended_nonce=True)

    def _seal(
        self,
        peer: Peer,
        header: bytes,
        payload: bytes,
        *,
        secured: bool,
        extended: bool = False,
        key_id: int = KeyId.LINK,
    ) -> bytes:
        security, former, state = peer.security, peer.former, self._state
        if not secured or security is None:
            return header + payload
        if former is not None and former.spoken:
            security, counter = former.security, state.next_former_counter(peer, former)
        else:
            counter = state.next_aps_counter(peer)
        extended = extended or self._extended_nonce
        return security.protect(header, state.eui, counter, payload, key_id=key_id, extended_nonce=extended)

    # --- receiving ---------------------------------------------------------------------------------------------

    def receive(self, source: int, octets: bytes, lqi: int) -> None:
        """Take an APS frame from the node `source`; one that does not verify is counted and dropped."""
        try:
            peer = self._state.by_short.get(source)
            header, end = decode_header(octets)
            key_id: int | None = None
            if header.security:
                peer, payload, key_id = self._open(peer, source, octets, end, header.frame_type)
            else:
                payload = octets[end:]
            if peer is None:
                peer = self._stranger(source, header, payload)
            if header.frame_type == FrameType.DATA:
                self._data(peer, source, header, payload, lqi)
            elif header.frame_type == FrameType.ACKNOWLEDGEMENT:
                self._sender.acknowledged(source, header)
            else:
                self._command(peer, source, header, payload, key_id)
        except _ReplayError:
            self._counts.replays += 1
        except DecodeError:
            self._counts.refused += 1

    def _stranger(self, source: int, header: ApsHeader, payload: bytes) -> Peer:
        """Return who an unsecured frame of an unknown sender is from, as far as it tells.

        Only ZDP is heard of strangers, and acknowledgements. DecodeError for all else; then the stranger is asked.
        """
        if header.frame_type == FrameType.DATA and header.profile == zdp.PROFILE and not header.destination_endpoint:
            if header.cluster in _NAMING:
                _, message = zdp.decode(header.cluster, payload)
                if isinstance(message, zdp.DeviceAnnounce | zdp.NwkAddressResponse) and message.short == source:
                    return self._named(message.eui, message.short)
            return _unnamed(source)
        if header.frame_type == FrameType.ACKNOWLEDGEMENT:
            return _unnamed(source)
        self.unknown_sender(source)
        raise DecodeError("the sender is not known", data=payload)

    def _named(self, eui: Eui64, short: ShortAddress) -> Peer:
        if eui == self._state.eui:
            raise DecodeError("another node has this EUI-64")
        self._state.note_address(eui, short)
        return self._state.peer(eui)

    def _open(
        self, peer: Peer | None, source: int, octets: bytes, end: int, frame_type: int
    ) -> tuple[Peer, bytes, int]:
        """Return who sent it, the plaintext and the key's id; DecodeError if it does not verify or is a replay."""
        key_id = 0
        if peer is None or octets[end : end + 1] != b"\0":  # anything but the short form under the link key
            auxiliary = read_auxiliary(octets, end)
            key_id = auxiliary.key_id
            if auxiliary.source is not None and (peer is None or peer.eui != auxiliary.source):
                peer = self._state.peers.get(auxiliary.source)
        if peer is None:
            self.unknown_sender(source)
            raise DecodeError("the sender is not known", data=octets)
        return peer, self._open_by(peer, octets, end, frame_type), key_id

    def _open_by(self, peer: Peer, octets: bytes, end: int, frame_type: int) -> bytes:
        """Return the plaintext of what `peer` sent; DecodeError if it does not verify or is a replay."""
        security, former = peer.security, peer.former
        if security is None:
            raise DecodeError("no link key with the sender", data=octets)
        try:
            payload, _, counter = security.unprotect(octets, end, peer.eui)
        except IntegrityError:
            if former is None:
                raise
            return self._open_former(peer, former, octets, end, frame_type)
        if counter < peer.aps_next:
            raise _ReplayError("a replayed APS frame", data=octets)
        self._state.aps_heard(peer, counter)
        self._check_key(frame_type, octets, established=peer.established)
        return payload

    def _open_former(self, peer: Peer, former: FormerKey, octets: bytes, end: int, frame_type: int) -> bytes:
        payload, _, counter = former.security.unprotect(octets, end, peer.eui)
        if counter < former.aps_next:
            raise _ReplayError("a replayed APS frame", data=octets)
        self._state.former_heard(peer, former, counter)
        self._check_key(frame_type, octets, established=former.established)
        return payload

    def _check_key(self, frame_type: int, octets: bytes, *, established: bool) -> None:
        if self._established_only and not established and frame_type == FrameType.DATA:
            raise DecodeError("application data under a preconfigured link key", data=octets)

    def serves_data(self, peer: Peer) -> bool:
        """Tell whether application data may go under the link key now spoken with `peer`."""
        if not self._established_only:
            return True
        former = peer.former
        return former.established if former is not None and former.spoken else peer.established

    def _data(self, peer: Peer, source: int, header: ApsHeader, payload: bytes, lqi: int) -> None:
        if header.fragmentation:
            self._fragment(peer, source, header, payload, lqi)
            return
        asked = header.ack_request and header.delivery_mode == DeliveryMode.UNICAST
        if asked:  # of others it is nobody's to acknowledge, though some stacks ask
            self._acknowledge(peer, header)
        if (asked or not header.security) and self._duplicate(source, header, payload):
            self._counts.duplicates += 1
            return
        self._up(peer, header, payload, lqi)

    def _fragment(self, peer: Peer, source: int, header: ApsHeader, payload: bytes, lqi: int) -> None:
        if header.delivery_mode != DeliveryMode.UNICAST:
            raise DecodeError("only unicasts are fragmented", data=payload)
        whole, repeated = self._reassembler.take(source, header, payload)
        answer = self._reassembler.acknowledgement(source, header, repeated=repeated)
        if answer is not None:
            self._acknowledge(peer, header, answer)
        if whole is not None:
            self._up(peer, header, whole, lqi)

    def _up(self, peer: Peer, header: ApsHeader, payload: bytes, lqi: int) -> None:
        if self.user is not None:
            data = ApsData(header.profile, header.cluster, header.source_endpoint, header.destination_endpoint, payload)
            broadcast = header.delivery_mode != DeliveryMode.UNICAST
            self.user.aps_data(peer, data, header.security, lqi, broadcast=broadcast)

    def _duplicate(self, source: int, header: ApsHeader, payload: bytes) -> bool:
        """Tell whether this message came before; the counter alone wraps after 256 of them."""
        key = source << 8 | header.counter
        seen = self._seen.get(key)
        self._seen.put(key, payload)
        return seen == payload

    def _acknowledge(self, peer: Peer, header: ApsHeader, blocks: Acknowledgement = _UNFRAGMENTED) -> None:
        answer = acknowledgement_of(header, *blocks, security=header.security).encode()
        self._nwk.send(peer.short, self._seal(peer, answer, b"", secured=header.security))

    def _command(self, peer: Peer, source: int, header: ApsHeader, payload: bytes, key_id: int | None) -> None:
        command = decode_command(payload)
        if header.ack_request:
            self._acknowledge(peer, header)
            if self._duplicate(source, header, payload):
                self._counts.duplicates += 1
                return
        if self.user is not None:
            self.user.aps_command(peer, command, key_id)


def _unnamed(source: int) -> Peer:
    """Return a stand-in for the node `source`, whose EUI-64 is not known: enough to answer it."""
    peer = Peer(Eui64(0))
    peer.short = ShortAddress(source)
    return peer
