"""A parent and its end devices: how long they may be silent, orphans, polls of nodes that are no children any more.

Source: Zigbee 05-3474 3.6.10, IEEE 802.15.4-2006 7.3.6 and 7.3.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.addresses import Eui64, ShortAddress
from protocols.interfaces import MINUTE, SECOND
from protocols.mac.commands import CoordinatorRealignment
from protocols.nwk.commands import (
    CommandId,
    EndDeviceTimeoutRequest,
    EndDeviceTimeoutResponse,
    Leave,
    NwkCommand,
)
from protocols.nwk.frame import FrameType, NwkHeader

if TYPE_CHECKING:
    from protocols.interfaces import Timer
    from protocols.stack.mac import MacLayer
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.nwk_arrival import Arrival
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState, Peer
    from protocols.stack.timers import Timers

_SUCCESS, _INCORRECT_VALUE = 0, 1
_MOST = 14  # largest index of a time-out
_KEEP_ALIVE = 0x03  # MAC polls and time-out requests both tell that a child is there


def timeout_of(index: int) -> int:
    """Return a requested time-out in ns: 10 s, or 2 to the power of `index` minutes."""
    return 10 * SECOND if index == 0 else (1 << index) * MINUTE


class Children:
    """The end devices of one router."""

    __slots__ = ("_due", "_macs", "_nwk", "_settings", "_state", "_timer", "_timers")

    def __init__(
        self, state: NodeState, nwk: NwkLayer, macs: list[MacLayer], timers: Timers, settings: StackSettings
    ) -> None:
        self._state, self._nwk, self._macs, self._timers, self._settings = state, nwk, macs, timers, settings
        self._timer: Timer | None = None
        self._due = 0  # ns, of the timer
        nwk.handlers[CommandId.END_DEVICE_TIMEOUT_REQUEST] = self

    def resume(self) -> None:
        """After a restart: the time of all children begins anew."""
        now = self._timers.now()
        for child in self._all():
            child.heard_at = now
        self._schedule()

    def _all(self) -> list[Peer]:
        return [peer for peer in self._state.peers.values() if peer.child_radio >= 0 and not peer.router]

    # --- ageing ------------------------------------------------------------------------------------------------

    def _deadline(self, child: Peer) -> int:
        return child.heard_at + (child.timeout or timeout_of(self._settings.end_device_timeout))

    def watch(self, child: Peer) -> None:
        """Let the time of a new child begin."""
        child.heard_at = self._timers.now()
        for mac in self._macs:
            mac.indirect.welcome(child.short)
        self._schedule()

    def _schedule(self) -> None:
        """See to it that somebody looks when the first child may be due; a timer that is early looks in vain."""
        deadlines = [self._deadline(child) for child in self._all()]
        if not deadlines:
            return
        due = max(min(deadlines), self._timers.now() + SECOND)
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = self._timers.after(due - self._timers.now(), self._age)

    def _age(self) -> None:
        """Forget children that were silent for too long."""
        self._timer = None
        now = self._timers.now()
        for child in self._all():
            if self._deadline(child) <= now:
                if child.sleepy:
                    self._macs[child.child_radio].indirect.expect(child.short)
                self._state.disown(child)
        self._schedule()

    def command(self, how: Arrival, command: NwkCommand) -> None:
        child = how.hop
        if not isinstance(command, EndDeviceTimeoutRequest) or child is None or child.child_radio < 0:
            return
        status = _SUCCESS if command.requested_timeout <= _MOST else _INCORRECT_VALUE
        if status == _SUCCESS:
            child.timeout = timeout_of(command.requested_timeout)
            self.watch(child)
        response = EndDeviceTimeoutResponse(status, _KEEP_ALIVE)
        header = NwkHeader(
            FrameType.COMMAND,
            child.short,
            self._state.short,
            1,
            self._nwk.next_sequence(),
            destination_ieee=child.eui,
            source_ieee=self._state.eui,
        )
        self._nwk.plain.send(header, response.encode(), (child.child_radio, child.short))

    # --- orphans and strangers ---------------------------------------------------------------------------------

    def orphan(self, radio: int, eui: Eui64) -> CoordinatorRealignment | None:
        """Return what to answer to an orphan's notification, None to stay silent."""
        child, network = self._state.peers.get(eui), self._state.network
        if network is None or child is None or child.child_radio != radio or eui in self._nwk.unauthenticated:
            return None
        mac = self._macs[radio]
        child.heard_at = self._timers.now()
        return CoordinatorRealignment(network.pan_id, mac.short, mac.channel, child.short)

    def polled(self, radio: int, source: ShortAddress) -> None:
        """A node polls for which nothing waits: a child is alive, any other is asked to rejoin."""
        state = self._state
        child = state.by_short.get(source)
        if child is not None and child.child_radio >= 0:
            child.heard_at = self._timers.now()
            return
        if state.network is None:
            return
        header = NwkHeader(FrameType.COMMAND, source, state.short, 1, self._nwk.next_sequence()).encode()
        payload = Leave(rejoin=True, request=True).encode()
        indirect = self._macs[radio].indirect
        indirect.hold(source, lambda: self._nwk.protect(header, payload), lambda ok: ok)
        indirect.requested(source)
