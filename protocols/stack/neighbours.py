"""Neighbour table and link status: which routers are in reach, and how well each side hears the other.

A link status goes out every `link_status_period`. Where `link_status_most` is longer, the pause doubles up to it while
the table does not change. Source: Zigbee 05-3474 3.6.3.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.addresses import BROADCAST_ROUTERS
from protocols.nwk.commands import CommandId, LinkStatus, LinkStatusEntry, NwkCommand
from protocols.nwk.frame import FrameType, NwkHeader
from protocols.stack.discovery import link_cost

if TYPE_CHECKING:
    from protocols.interfaces import Random, Timer
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.nwk_arrival import Arrival
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState, Peer
    from protocols.stack.timers import Timers

_AGE_LIMIT = 3  # nwkRouterAgeLimit, in periods
_ENTRIES = 27  # at most, in one frame


class Neighbours:
    """The routers next to one router."""

    __slots__ = ("_known", "_nwk", "_pause", "_radios", "_random", "_settings", "_state", "_timer", "_timers")

    def __init__(
        self, nwk: NwkLayer, state: NodeState, timers: Timers, settings: StackSettings, random: Random, radios: int
    ) -> None:
        self._nwk, self._state, self._timers, self._settings = nwk, state, timers, settings
        self._random, self._radios = random, radios
        self._known: dict[int, Peer] = {}  # by short address
        self._pause = settings.link_status_period
        self._timer: Timer | None = None
        nwk.handlers[CommandId.LINK_STATUS] = self

    def start(self) -> None:
        """Begin to send link status, soon."""
        if self._settings.link_status_period:
            self._again(self._settings.link_status_period)

    def stop(self) -> None:
        """The node has left its network."""
        self._known.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def table(self) -> list[Peer]:
        """Return the routers in reach, by short address."""
        now = self._timers.now()
        return [self._known[short] for short in sorted(self._known) if self._known[short].link_until > now]

    def _again(self, pause: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._pause = pause
        self._timer = self._timers.after(pause // 2 + self._random.randrange(0, pause // 2), self._tell)

    def _tell(self) -> None:
        """Send who is in reach, on each radio its own."""
        self._timer = None
        if self._state.network is None:
            return
        gone = self._age()
        for radio in range(self._radios):
            self._send(radio, [peer for peer in self.table() if peer.radio == radio])
        settings = self._settings
        longest = max(settings.link_status_most, settings.link_status_period)
        self._again(settings.link_status_period if gone else min(2 * self._pause, longest))

    def _age(self) -> bool:
        """Forget neighbours not heard of for too long; tell whether there were any."""
        now = self._timers.now()
        gone = [short for short, peer in self._known.items() if peer.link_until <= now]
        for short in gone:
            peer = self._known.pop(short)
            peer.link_until = peer.outgoing_cost = 0  # routes over it stay until a frame fails
        return bool(gone)

    def _send(self, radio: int, peers: list[Peer]) -> None:
        entries = [LinkStatusEntry(peer.short, link_cost(peer.lqi), peer.outgoing_cost) for peer in peers]
        parts = [entries[at : at + _ENTRIES] for at in range(0, len(entries), _ENTRIES)] or [[]]
        for number, part in enumerate(parts):
            command = LinkStatus(tuple(part), number == 0, number == len(parts) - 1)
            sequence = self._nwk.next_sequence()
            header = NwkHeader(FrameType.COMMAND, BROADCAST_ROUTERS, self._state.short, 1, sequence)
            self._nwk.broadcasts.send_once(header.encode(), command.encode(), radio)

    def command(self, how: Arrival, command: NwkCommand) -> None:
        peer, state = how.hop, self._state
        if not isinstance(command, LinkStatus) or peer is None or how.header.source != how.neighbour:
            return
        settings = self._settings
        new = peer.short not in self._known
        self._known[peer.short] = peer
        peer.radio, peer.router = how.radio, True
        longest = max(settings.link_status_most, settings.link_status_period)
        peer.link_until = self._timers.now() + _AGE_LIMIT * longest
        for entry in command.entries:
            if entry.neighbour == state.short:
                peer.outgoing_cost = entry.incoming_cost
        if new and settings.link_status_period and self._pause > settings.link_status_period:
            self._again(settings.link_status_period)
