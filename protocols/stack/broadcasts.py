"""Broadcasts: the transaction table, relaying, and passive acknowledgement. Source: Zigbee 05-3474 3.6.5."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from protocols.addresses import BROADCAST_ALL, BROADCAST_ROUTERS, BROADCAST_RX_ON, ShortAddress
from protocols.interfaces import TransmitStatus
from protocols.nwk.frame import with_radius
from protocols.stack.expiring import Expiring
from protocols.stack.mac import BROADCAST

if TYPE_CHECKING:
    from protocols.interfaces import Random
    from protocols.nwk.frame import NwkHeader
    from protocols.stack.mac import MacLayer
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState
    from protocols.stack.timers import Timers

_TO_ALL = b"\xff\xff"  # as destination in a NWK header
DELIVERY_TIME = 9_000_000_000  # ns, nwkNetworkBroadcastDeliveryTime: life of a table entry


class _Entry:
    """A broadcast seen or sent."""

    __slots__ = ("header", "heard", "left", "payload")

    def __init__(self, header: bytes, payload: bytes, left: int) -> None:
        self.header, self.payload, self.left = header, payload, left
        self.heard: dict[int, None] = {}  # neighbours that sent it


class Broadcasts:
    """The broadcasts of one node."""

    __slots__ = ("_macs", "_nwk", "_random", "_router", "_settings", "_state", "_table", "_timers")

    def __init__(
        self,
        nwk: NwkLayer,
        state: NodeState,
        macs: list[MacLayer],
        timers: Timers,
        settings: StackSettings,
        random: Random,
        *,
        router: bool,
    ) -> None:
        self._nwk, self._state, self._macs, self._timers, self._settings = nwk, state, macs, timers, settings
        self._random, self._router = random, router
        self._table: Expiring[int, _Entry] = Expiring(timers, DELIVERY_TIME)  # by source and sequence number

    def originate(self, header: bytes, payload: bytes) -> None:
        """Send a broadcast of this node; an end device hands it to its parent."""
        network = self._state.network
        if network is None:
            return
        entry = self._enter(self._state.short << 8 | header[7], header, payload)
        if self._router:
            self._send(entry)
            self._hold_for_sleepers(entry)
        else:
            self._hand_to_parent(entry)

    def _hand_to_parent(self, entry: _Entry) -> None:
        network = self._state.network
        if network is None:
            return

        def done(status: TransmitStatus, pending: bool) -> None:
            if status is not TransmitStatus.OK and entry.left:
                entry.left -= 1
                self._timers.after(self._settings.unicast_retry_delay, self._hand_to_parent, entry)

        mac = self._macs[network.parent_radio]
        mac.send(network.parent_short, self._nwk.protect(entry.header, entry.payload), done)

    def _enter(self, key: int, header: bytes, payload: bytes) -> _Entry:
        entry = _Entry(header, payload, self._settings.broadcast_retries)
        self._table.put(key, entry)
        return entry

    def take(self, radio: int, neighbour: int, header: NwkHeader, octets: bytes, payload: bytes) -> bool:
        """Take a broadcast from `neighbour` and relay it if it is new; True if it is for this node."""
        key = header.source << 8 | header.sequence
        known = self._table.get(key)
        if known is not None:
            known.heard[neighbour] = None
            return False
        entry = self._enter(key, octets, payload)
        entry.heard[neighbour] = None
        if self._router and header.source != self._state.short:  # not an echo of its own, from before a restart
            if header.source == neighbour or header.source not in self._state.routes:
                self._state.learn_route(header.source, radio, neighbour)
            if header.radius > 1:
                entry.header = with_radius(octets, header.radius - 1)
                jitter = self._random.randrange(1, self._settings.broadcast_jitter)
                self._timers.after(jitter, self._send, entry)
                self._hold_for_sleepers(entry)
        return self._meant(header.destination)

    def _hold_for_sleepers(self, entry: _Entry) -> None:
        """Keep a broadcast to all for the children that are asleep now."""
        if entry.header[2:4] != _TO_ALL:
            return
        make = partial(self._nwk.protect, entry.header, entry.payload)
        for child, radio in self._state.sleepy_children.items():
            self._macs[radio].indirect.hold(ShortAddress(child), make, lambda taken: taken)

    def _meant(self, destination: ShortAddress) -> bool:
        if destination == BROADCAST_ROUTERS:
            return self._router
        return destination in (BROADCAST_ALL, BROADCAST_RX_ON)

    def _send(self, entry: _Entry) -> None:
        for mac in self._macs:
            if mac.short == self._state.short:
                mac.send(BROADCAST, self._nwk.protect(entry.header, entry.payload))
        self._timers.after(self._settings.passive_ack_wait, self._repeat, entry)

    def send_once(self, header: bytes, payload: bytes, radio: int | None = None) -> None:
        """Send a broadcast that neither awaits passive acknowledgement nor is taken again: on all radios or one."""
        for mac in self._macs:
            if mac.short == self._state.short and radio in (None, mac.index):
                mac.send(BROADCAST, self._nwk.protect(header, payload))

    def _repeat(self, entry: _Entry) -> None:
        """Send again unless every router next to this node has sent it on."""
        if entry.left and any(short not in entry.heard for short in self._routers()):
            entry.left -= 1
            self._send(entry)

    def _routers(self) -> list[int]:
        network = self._state.network
        if network is None:
            return []
        above = [] if network.parent == self._state.eui else [int(network.parent_short)]
        return above + [int(p.short) for p in self._state.peers.values() if p.router and p.child_radio >= 0]
