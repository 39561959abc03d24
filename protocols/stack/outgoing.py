"""Messages and commands that wait for their acknowledgement: sent again, in fragments by windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from protocols.aps.frame import ApsHeader, Fragmentation, FrameType, data_header
from protocols.aps.security import KeyId
from protocols.interfaces import ApsData, DeliveryStatus
from protocols.stack.fragments import Window

if TYPE_CHECKING:
    from protocols.interfaces import Timer
    from protocols.stack.counts import Counts
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.peer import Peer
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState
    from protocols.stack.timers import Timers

Done = Callable[[DeliveryStatus], object]


class Seal(Protocol):
    """Puts a frame for `peer` together, under the link key or one derived from it if `secured`."""

    def __call__(
        self, peer: Peer, header: bytes, payload: bytes, *, secured: bool, extended: bool = False, key_id: int = ...
    ) -> bytes: ...


class Outgoing:
    """A message in one block or several, or a command; `data` is None for a command."""

    __slots__ = ("blocks", "counter", "data", "done", "key", "key_id", "left", "peer", "secured", "timer", "window")

    def __init__(
        self,
        peer: Peer,
        data: ApsData | None,
        blocks: list[bytes],
        done: Done | None,
        *,
        secured: bool,
        key_id: int = KeyId.LINK,
    ) -> None:
        self.peer, self.data, self.blocks, self.done = peer, data, blocks, done
        self.secured, self.key_id = secured, key_id
        self.counter = self.left = 0
        self.window: Window | None = None  # of a message in fragments
        self.key = (0, 0)
        self.timer: Timer | None = None

    def is_answered_by(self, header: ApsHeader) -> bool:
        """Tell whether an acknowledgement with the right counter is for this message, and not for another."""
        data = self.data
        if data is None or header.ack_format:
            return data is None and header.ack_format
        profile, cluster, source, destination, _ = data
        named = (header.profile, header.cluster, header.destination_endpoint, header.source_endpoint)
        return named == (profile, cluster, source, destination)

    def header(self, block: int) -> bytes:
        """Return the APS header of a block, an acknowledgement asked for."""
        data, count = self.data, len(self.blocks)
        if data is None:
            return ApsHeader(FrameType.COMMAND, 0, 0, 0, 0, self.counter, self.secured, True).encode()
        profile, cluster, source, destination, _ = data
        if count == 1:
            return data_header(
                destination, cluster, profile, source, self.counter, security=self.secured, ack_request=True
            )
        return ApsHeader(
            FrameType.DATA,
            destination,
            cluster,
            profile,
            source,
            self.counter,
            security=self.secured,
            ack_request=True,
            fragmentation=Fragmentation.OTHER if block else Fragmentation.FIRST,
            block_number=block or count,
        ).encode()


class Sender:
    """Sends them until they are acknowledged or the retries are used up. Source: Zigbee 05-3474 2.2.8.4."""

    __slots__ = ("_counts", "_next_counter", "_nwk", "_outgoing", "_seal", "_settings", "_state", "_timers")

    def __init__(
        self,
        nwk: NwkLayer,
        state: NodeState,
        timers: Timers,
        settings: StackSettings,
        counts: Counts,
        seal: Seal,
        next_counter: Callable[[], int],
    ) -> None:
        self._nwk, self._state, self._timers, self._settings, self._counts = nwk, state, timers, settings, counts
        self._seal, self._next_counter = seal, next_counter
        self._outgoing: dict[tuple[int, int], Outgoing] = {}  # by short address and APS counter

    def send(self, out: Outgoing) -> None:
        """Begin; `out.done` tells how it ended."""
        out.counter = self._next_counter()
        if len(out.blocks) > 1:
            out.window = Window(len(out.blocks), self._settings.fragment_window)
            while not self._state.claim_for_fragments(out.counter):
                out.counter = self._next_counter()
        out.key = (out.peer.short, out.counter)
        replaced = self._outgoing.pop(out.key, None)
        if replaced is not None:  # 256 messages later: its time is over
            _end(replaced, DeliveryStatus.NO_ACK)
        self._outgoing[out.key] = out
        out.left = self._settings.aps_retries
        self._transmit(out)

    def _transmit(self, out: Outgoing) -> None:
        """Send the message, or the next fragment of its window; then wait. Without the key it needs it goes nowhere."""
        if out.secured and out.peer.security is None:
            self._forget(out)
            self._timers.soon(_end, out, DeliveryStatus.NO_KEY)
            return
        window, extended = out.window, out.data is None
        block = 0 if window is None else window.next_block()
        header, payload, key_id = out.header(block), out.blocks[block], out.key_id
        frame = self._seal(out.peer, header, payload, secured=out.secured, extended=extended, key_id=key_id)
        self._nwk.send(out.peer.short, frame)
        if window is not None and window.sending:
            out.timer = self._timers.after(self._settings.interframe_delay, self._transmit, out)
            return
        wait = self._settings.sleepy_ack_wait if out.peer.sleepy else self._settings.ack_wait
        out.timer = self._timers.after(wait, self._timeout, out)

    def _forget(self, out: Outgoing) -> None:
        self._outgoing.pop(out.key, None)
        if not self._outgoing:
            self._outgoing = {}  # an emptied dict keeps its room

    def _timeout(self, out: Outgoing) -> None:
        if out.left:
            out.left -= 1
            self._counts.retries += 1
            if out.window is not None:
                out.window.rewind()
            self._transmit(out)
        else:
            self._forget(out)
            _end(out, DeliveryStatus.NO_ACK)

    def acknowledged(self, source: int, header: ApsHeader) -> None:
        """Take an acknowledgement of the node `source`."""
        key = (source, header.counter)
        out = self._outgoing.get(key)
        if out is None or (out.secured and not header.security) or not out.is_answered_by(header):
            return
        if out.window is not None and not self._window_acknowledged(out, out.window, header):
            return
        self._forget(out)
        _end(out, DeliveryStatus.OK)

    def _window_acknowledged(self, out: Outgoing, window: Window, header: ApsHeader) -> bool:
        """Go on with what is missing, or with the next window; return whether that was the last."""
        if not header.fragmentation or not window.acknowledged(header.block_number, header.ack_bitfield):
            return False
        out.left = self._settings.aps_retries
        if window.missing:
            if not window.sending:  # this round is over: what did not come goes again
                window.rewind()
                self._again(out)
            return False
        if window.advance():
            self._again(out)
            return False
        return True

    def _again(self, out: Outgoing) -> None:
        if out.timer is not None:
            out.timer.cancel()
        self._transmit(out)


def _end(out: Outgoing, status: DeliveryStatus) -> None:
    if out.timer is not None:
        out.timer.cancel()
    if out.done is not None:
        out.done(status)
