"""An end device and its parent: the time-out agreed, signs of life, and when the parent counts as lost.

Source: Zigbee 05-3474 3.6.10.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.nwk.commands import CommandId, EndDeviceTimeoutRequest, EndDeviceTimeoutResponse, NwkCommand
from protocols.nwk.frame import FrameType, NwkHeader
from protocols.stack.children import timeout_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.interfaces import Timer
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.nwk_arrival import Arrival
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState
    from protocols.stack.timers import Timers

_PART = 3  # a sign of life comes so many times in a time-out


class KeepAlive:
    """One end device's side. A sleepy one's polls are signs of life enough."""

    __slots__ = ("_left", "_lost", "_missed", "_nwk", "_settings", "_sleepy", "_state", "_timer", "_timers")

    def __init__(
        self,
        state: NodeState,
        nwk: NwkLayer,
        timers: Timers,
        settings: StackSettings,
        lost: Callable[[], object],
        *,
        sleepy: bool,
    ) -> None:
        self._state, self._nwk, self._timers, self._settings = state, nwk, timers, settings
        self._lost, self._sleepy = lost, sleepy
        self._timer: Timer | None = None
        self._left = 0
        self._missed = 0  # transmissions to the parent in a row that it did not acknowledge
        nwk.handlers[CommandId.END_DEVICE_TIMEOUT_RESPONSE] = self
        nwk.routing.parent_failed = self.missed

    def start(self) -> None:
        """A parent was found: agree on the time-out with it."""
        self._missed = 0
        self._left = self._settings.query_retries + 1
        self._ask()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def missed(self) -> None:
        """The parent did not acknowledge a frame or poll."""
        self._missed += 1
        if self._missed >= self._settings.parent_lost_after:
            self._missed = 0
            self._lost()

    def heard(self) -> None:
        """The parent acknowledged a poll."""
        self._missed = 0

    def _ask(self) -> None:
        network = self._state.network
        if network is None or not self._left:
            return
        self._left -= 1
        header = NwkHeader(
            FrameType.COMMAND,
            network.parent_short,
            network.short,
            1,
            self._nwk.next_sequence(),
            destination_ieee=network.parent,
            source_ieee=self._state.eui,
        )
        request = EndDeviceTimeoutRequest(self._settings.end_device_timeout)
        self._nwk.plain.send(header, request.encode(), (network.parent_radio, int(network.parent_short)))
        self._after(self._settings.query_wait)

    def _after(self, delay: int) -> None:
        self.stop()
        self._timer = self._timers.after(delay, self._ask)

    def command(self, how: Arrival, command: NwkCommand) -> None:
        if not isinstance(command, EndDeviceTimeoutResponse) or self._state.network is None:
            return
        self._missed = 0
        self.stop()
        if not self._sleepy:
            self._left = self._settings.query_retries + 1
            self._after(timeout_of(self._settings.end_device_timeout) // _PART)
