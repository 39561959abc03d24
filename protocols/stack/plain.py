"""Frames with a header of the caller's to a neighbour: what joining and rejoining need, without NWK security too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.addresses import ShortAddress
from protocols.interfaces import TransmitStatus
from protocols.nwk.frame import FrameType, NwkHeader

if TYPE_CHECKING:
    from protocols.stack.mac import MacLayer
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState, Peer
    from protocols.stack.timers import Timers


class PlainSender:
    __slots__ = ("_macs", "_nwk", "_settings", "_state", "_timers")

    def __init__(
        self, nwk: NwkLayer, state: NodeState, macs: list[MacLayer], timers: Timers, settings: StackSettings
    ) -> None:
        self._nwk, self._state, self._macs, self._timers, self._settings = nwk, state, macs, timers, settings

    def send(self, header: NwkHeader, payload: bytes, route: tuple[int, int]) -> None:
        """Send a frame to a neighbour (`route`: radio and address), with NWK security or without as the header says."""
        if header.security:
            self._nwk.forward(header.encode(), payload, route, None)
            return
        mac, frame = self._macs[route[0]], header.encode() + payload
        if route[1] in self._state.sleepy_children:
            mac.indirect.hold(ShortAddress(route[1]), lambda: frame, lambda ok: ok)
        else:
            self._again(mac, route[1], frame, self._settings.unicast_retries)

    def rejoin_response(self, header: NwkHeader, payload: bytes, route: tuple[int, int], sleepy: bool) -> None:
        """Send a rejoin response to where its receiver still is: its address may be another from then on."""
        octets = header.encode()
        if not sleepy:
            self.send(header, payload, route)
            return

        def make() -> bytes:
            return self._nwk.protect(octets, payload) if header.security else octets + payload

        self._macs[route[0]].indirect.hold(ShortAddress(route[1]), make, lambda ok: ok)

    def to_joiner(self, child: Peer, payload: bytes) -> None:
        """Send an APS frame to a child that has no network key yet."""
        short, own = child.short, self._state.short
        header = NwkHeader(FrameType.DATA, short, own, 1, self._nwk.next_sequence(), security=False)
        self.send(header, payload, (child.child_radio, short))

    def _again(self, mac: MacLayer, to: int, frame: bytes, retries: int) -> None:
        def done(status: TransmitStatus, pending: bool) -> None:
            if status is not TransmitStatus.OK and retries:
                self._timers.after(self._settings.unicast_retry_delay, self._again, mac, to, frame, retries - 1)

        mac.send(to, frame, done)
