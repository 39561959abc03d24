"""ZDP management of a node by others: tables, bindings, leaving, energy scans and channel changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from protocols.interfaces import MILLISECOND
from protocols.stack.broadcasts import DELIVERY_TIME
from protocols.zdp import management
from protocols.zdp import messages as zdp

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.stack.bindings import Bindings
    from protocols.stack.mac import MacLayer
    from protocols.stack.membership import Membership
    from protocols.stack.neighbours import Neighbours
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.state import NodeState, Peer
    from protocols.stack.timers import Timers

    Answer = Callable[[zdp.ZdpMessage], object]

Row = TypeVar("Row")

_NEIGHBOUR_ROWS, _ROUTING_ROWS, _BINDING_ROWS = 3, 13, 3  # that fit one frame
_PARENT, _CHILD, _SIBLING = 0, 1, 2
_UNKNOWN = 2
_SUPERFRAME = 15_360_000  # ns, aBaseSuperframeDuration
_SAMPLES = 8  # of the energy on a channel
_FLOOR, _STEP = -100, 3  # dBm of energy 0, energy per dB [I]
_ALL_CHANNELS = 0x07FF_F800  # 11 to 26


class Management:
    """Serves the requests of one node's managers."""

    __slots__ = (
        "_bindings", "_mac", "_neighbours", "_nwk", "_state", "_timers", "_update_id", "membership",
    )  # fmt: skip

    membership: Membership  # serves who shall leave, and changes of the channel

    def __init__(
        self,
        state: NodeState,
        nwk: NwkLayer,
        mac: MacLayer,
        neighbours: Neighbours | None,
        bindings: Bindings,
        timers: Timers,
    ) -> None:
        """`mac` is that of the HAN radio. `neighbours` is None at an end device."""
        self._state, self._nwk, self._mac, self._neighbours = state, nwk, mac, neighbours
        self._bindings, self._timers = bindings, timers
        self._update_id = -1  # of the channel change under way

    def answer(self, message: zdp.ZdpMessage, respond: Answer) -> bool:
        """Serve `message`; `respond` gets the answer, maybe later. False: it is none of this module's."""
        tables = (management.ManagementLqiRequest, management.ManagementRoutingRequest)
        if isinstance(message, tables) and self._neighbours is None:
            refused = zdp.ZdpStatus.NOT_SUPPORTED
            lqi = isinstance(message, management.ManagementLqiRequest)
            respond((management.ManagementLqiResponse if lqi else management.ManagementRoutingResponse)(refused))
        elif isinstance(message, management.ManagementLqiRequest):
            rows = self._neighbour_rows()
            respond(management.ManagementLqiResponse(*_page(rows, message.start, _NEIGHBOUR_ROWS)))
        elif isinstance(message, management.ManagementRoutingRequest):
            respond(management.ManagementRoutingResponse(*_page(self._routing_rows(), message.start, _ROUTING_ROWS)))
        elif isinstance(message, management.ManagementBindRequest):
            respond(management.ManagementBindResponse(*_page(self._bindings.rows, message.start, _BINDING_ROWS)))
        elif isinstance(message, management.BindRequest):
            self._bind(message, respond)
        elif isinstance(message, zdp.ManagementLeaveRequest):
            self._leave(message, respond)
        elif isinstance(message, management.ManagementNwkUpdateRequest):
            self._update(message, respond)
        else:
            return False
        return True

    # --- tables ------------------------------------------------------------------------------------------------

    def _neighbour_rows(self) -> tuple[management.NeighbourRow, ...]:
        """Return parent, children and the routers in reach, by short address."""
        network, state = self._state.network, self._state
        if network is None:
            return ()
        near = {int(peer.short): peer for peer in ([] if self._neighbours is None else self._neighbours.table())}
        near |= {int(peer.short): peer for peer in state.peers.values() if peer.child_radio >= 0}
        parent = state.peers.get(network.parent)
        if parent is not None and network.parent != state.eui:
            near[int(network.parent_short)] = parent
        return tuple(self._neighbour_row(near[short]) for short in sorted(near))

    def _neighbour_row(self, peer: Peer) -> management.NeighbourRow:
        network = self._state.network
        is_parent = network is not None and peer.eui == network.parent
        relationship = _PARENT if is_parent else _CHILD if peer.child_radio >= 0 else _SIBLING
        kind = 0 if peer.short == 0 else 1 if peer.router else 2
        depth = 0 if network is None else network.depth + (relationship == _CHILD)
        pan = self._state.eui if network is None else network.extended_pan_id
        idle, permit = int(not peer.sleepy), _UNKNOWN if kind < 2 else 0
        return management.NeighbourRow(pan, peer.eui, peer.short, kind, idle, relationship, permit, depth, peer.lqi)

    def _routing_rows(self) -> tuple[management.RoutingRow, ...]:
        routing, short = self._nwk.routing, type(self._state.short)
        return tuple(
            management.RoutingRow(
                short(destination),
                0,
                short(hop),
                destination in routing.concentrators,
                routing.needs_record(destination, self._state.short),
            )
            for destination, (_, hop) in sorted(self._state.routes.items())
        )

    def _bind(self, message: management.BindRequest, respond: Answer) -> None:
        """Source endpoints are this node's own; bindings on behalf of others are not kept."""
        unbind = isinstance(message, management.UnbindRequest)
        if message.binding.source != self._state.eui:
            status = zdp.ZdpStatus.NOT_SUPPORTED
        else:
            status = (self._bindings.unbind if unbind else self._bindings.bind)(message.binding)
        respond((management.UnbindResponse if unbind else management.BindResponse)(status))

    # --- leaving -----------------------------------------------------------------------------------------------

    def _leave(self, message: zdp.ManagementLeaveRequest, respond: Answer) -> None:
        own = message.device in (0, self._state.eui)
        child = self._state.peers.get(message.device)
        if not own and (child is None or child.child_radio < 0):
            respond(zdp.ManagementLeaveResponse(zdp.ZdpStatus.DEVICE_NOT_FOUND))
            return
        if own and self._state.short == 0:
            respond(zdp.ManagementLeaveResponse(zdp.ZdpStatus.NOT_SUPPORTED))
            return
        respond(zdp.ManagementLeaveResponse(zdp.ZdpStatus.SUCCESS))
        if own:
            self._timers.after(200 * MILLISECOND, self.membership.leave, message.rejoin)  # the answer goes out first
        elif child is not None:
            self.membership.remove_child(child, message.rejoin)

    # --- radio -------------------------------------------------------------------------------------------------

    def _update(self, message: management.ManagementNwkUpdateRequest, respond: Answer) -> None:
        if message.duration <= management.ENERGY_SCAN_MOST:
            channels = [channel for channel in range(11, 27) if message.channels >> channel & 1]
            self._scan(message, channels, [], respond)
        elif message.duration == management.CHANGE_CHANNEL:
            self._plan_channel(message, respond)
        elif message.duration != management.CHANGE_MANAGER:
            respond(management.ManagementNwkUpdateNotify(zdp.ZdpStatus.INVALID_REQUEST_TYPE))

    def _plan_channel(self, message: management.ManagementNwkUpdateRequest, respond: Answer) -> None:
        channels = [channel for channel in range(11, 27) if message.channels >> channel & 1]
        if len(channels) != 1:
            respond(management.ManagementNwkUpdateNotify(zdp.ZdpStatus.INVALID_REQUEST_TYPE))
        elif self._update_id != message.update_id:
            self._update_id = message.update_id
            self._timers.after(DELIVERY_TIME, self.membership.change_channel, channels[0], message.update_id)

    def _scan(
        self,
        message: management.ManagementNwkUpdateRequest,
        left: list[int],
        energies: list[int],
        respond: Answer,
    ) -> None:
        """Listen on the next channel for the duration asked for, then answer."""
        if not left:
            mask = message.channels & _ALL_CHANNELS
            sent, failed = self._mac.sent & 0xFFFF, self._mac.failed & 0xFFFF
            notify = management.ManagementNwkUpdateNotify(zdp.ZdpStatus.SUCCESS, mask, sent, failed, bytes(energies))
            respond(notify)
            return
        step = _SUPERFRAME * ((1 << message.duration) + 1) // _SAMPLES
        self._sample(message, left, energies, respond, step, _SAMPLES, 0)

    def _sample(
        self,
        message: management.ManagementNwkUpdateRequest,
        left: list[int],
        energies: list[int],
        respond: Answer,
        step: int,
        samples: int,
        strongest: int,
    ) -> None:
        if not samples:
            self._scan(message, left[1:], [*energies, strongest], respond)
            return
        energy = max(0, min(254, (self._mac.energy(left[0]) - _FLOOR) * _STEP))
        again = (message, left, energies, respond, step, samples - 1, max(strongest, energy))
        self._timers.after(step, self._sample, *again)


def _page(rows: tuple[Row, ...], start: int, size: int) -> tuple[int, int, int, tuple[Row, ...]]:
    """Return status, number of rows, start and the rows from there that fit."""
    return zdp.ZdpStatus.SUCCESS, len(rows), start, rows[start : start + size]
