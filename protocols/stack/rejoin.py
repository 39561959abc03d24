"""Coming back to the network: orphan notification, secured rejoin, rejoin by way of the trust centre; until it works.

The trust centre may be another one by then.

Source: Zigbee 05-3474 3.6.1.4.2 and 3.6.1.4.3, IEEE 802.15.4-2006 7.3.6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.addresses import Eui64, ShortAddress
from protocols.aps.security import ApsSecurity
from protocols.crypto.mmo import aes_mmo
from protocols.errors import DecodeError, IntegrityError
from protocols.interfaces import LinkKey, TransmitStatus
from protocols.mac.commands import AssociationStatus, DataRequest
from protocols.mac.frame import FrameType as MacFrameType
from protocols.nwk.commands import CommandId, NwkCommand, RejoinRequest, RejoinResponse
from protocols.nwk.frame import FrameType, NwkHeader
from protocols.stack.joiner import open_network_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protocols.aps.commands import TransportNetworkKey
    from protocols.interfaces import Random
    from protocols.mac.commands import Capability, CoordinatorRealignment
    from protocols.stack.hooks import RejoinUser
    from protocols.stack.mac import Candidate, MacLayer
    from protocols.stack.nwk import NwkLayer
    from protocols.stack.nwk_arrival import Arrival
    from protocols.stack.settings import StackSettings
    from protocols.stack.state import NodeState
    from protocols.stack.timers import Timers

_ALL_CHANNELS = tuple(range(11, 27))
_UNSECURED_EVERY = 3  # each third attempt goes without NWK security [I]
_WEAK = 40  # LQI below which a parent is a last resort


class Rejoiner:
    """Attempts of one node that is a member and has lost its parent, or the network key."""

    __slots__ = (
        "_answer", "_attempt", "_capability", "_failed", "_failures", "_macs", "_nwk", "_orphan",
        "_parent", "_polls", "_random", "_settings", "_state", "_timers", "_user", "_without_key", "active",
    )  # fmt: skip

    def __init__(
        self,
        state: NodeState,
        nwk: NwkLayer,
        macs: list[MacLayer],
        timers: Timers,
        settings: StackSettings,
        random: Random,
        capability: Capability,
        user: RejoinUser,
    ) -> None:
        self._state, self._nwk, self._macs, self._timers, self._settings = state, nwk, macs, timers, settings
        self._random, self._capability, self._user = random, capability, user
        self.active = False
        self._attempt = 0  # number of the attempt that runs
        self._failures = 0  # in a row
        self._failed: dict[tuple[int, int], int] = {}  # by radio and short address: attempts that led to nothing
        self._orphan = False  # ask each time first whether the parent still knows this node
        self._without_key = False  # the network key is not of use any more
        self._parent: Candidate | None = None
        self._answer: tuple[ShortAddress, Eui64] | None = None  # own address and parent, while the key is awaited
        self._polls = 0
        nwk.handlers[CommandId.REJOIN_RESPONSE] = self

    # --- start and end -----------------------------------------------------------------------------------------

    def start(self, *, orphan: bool = True, without_key: bool = False) -> None:
        """Begin unless that has happened. `orphan`: ask first whether the parent still knows this node."""
        self._without_key |= without_key
        network = self._state.network
        if self.active or network is None:
            return
        self.active, self._failures, self._orphan = True, 0, orphan
        self._begin()

    def _begin(self) -> None:
        network = self._state.network
        if network is None:
            return
        if self._orphan and not self._without_key:
            self._macs[network.parent_radio].orphan((self._channel(network.parent_radio),), self._realigned)
        else:
            self._scan(0, [])

    def stop(self) -> None:
        """The node has left."""
        self.active = False
        self._attempt += 1
        self._answer = None

    def _channel(self, radio: int) -> int:
        network = self._state.network
        own = 11 if network is None else network.channel
        return own if radio == 0 else self._settings.backhaul_channel

    def _realigned(self, answer: CoordinatorRealignment | None, by: Eui64 | None) -> None:
        network = self._state.network
        if not self.active or network is None:
            return
        known = answer is not None and by == network.parent and answer.pan_id == network.pan_id
        if answer is None or not known or answer.short != network.short:
            self._scan(0, [])
            return
        self._state.enter(network._replace(parent_short=answer.coordinator))
        self.active = False
        self._user.came_back(True)

    def _retry(self) -> None:
        settings = self._settings
        pause = min(settings.join_backoff << min(self._failures, 16), settings.rejoin_backoff_most)
        self._failures += 1
        self._timers.after(pause // 2 + self._random.randrange(0, pause), self._again, self._attempt)

    def _again(self, attempt: int) -> None:
        if self.active and attempt == self._attempt:
            self._begin()

    # --- scan --------------------------------------------------------------------------------------------------

    def _scan(self, radio: int, heard: list[Candidate]) -> None:
        if not self.active:
            return
        if radio == len(self._macs):
            self._choose(heard)
            return
        channels: Sequence[int] = (self._channel(radio),)
        if radio == 0 and self._failures > 1:
            channels = _ALL_CHANNELS  # the network may have moved
        self._macs[radio].scan(channels, lambda more: self._scan(radio + 1, heard + more))

    def _choose(self, heard: list[Candidate]) -> None:
        network = self._state.network
        if network is None:
            return
        router = self._capability.full_function_device
        ours = [
            each
            for each in heard
            if each.beacon.extended_pan_id == network.extended_pan_id
            and (each.beacon.router_capacity if router else each.beacon.end_device_capacity)
        ]
        self._attempt += 1
        if not ours:
            self._retry()
            return
        self._parent = parent = min(ours, key=self._preference)
        self._request(parent)

    def _preference(self, each: Candidate) -> tuple[int, bool, int, int]:
        failures = self._failed.get((each.radio, each.short), 0)
        return failures, each.lqi < _WEAK, each.beacon.depth, -each.lqi

    # --- request -----------------------------------------------------------------------------------------------

    def _request(self, parent: Candidate) -> None:
        state = self._state
        secured = not self._without_key and self._failures % _UNSECURED_EVERY != _UNSECURED_EVERY - 1
        mac = self._macs[parent.radio]
        mac.configure(short=state.short, pan_id=parent.pan_id, channel=parent.channel)
        header = NwkHeader(
            FrameType.COMMAND,
            parent.short,
            state.short,
            1,
            self._nwk.next_sequence(),
            security=secured,
            source_ieee=state.eui,
        ).encode()
        payload = RejoinRequest(self._capability).encode()
        frame = self._nwk.protect(header, payload) if secured else header + payload
        attempt = self._attempt

        def sent(status: TransmitStatus, pending: bool) -> None:
            if attempt != self._attempt or not self.active:
                return
            if status is TransmitStatus.OK:
                self._polls = self._settings.rejoin_polls
                self._timers.after(self._settings.response_wait // 2, self._await, attempt)
            else:
                self._fail()

        mac.send(parent.short, frame, sent)

    def _await(self, attempt: int) -> None:
        """Ask the parent for its response, and the network key after it, as one whose receiver may be off."""
        parent = self._parent
        if attempt != self._attempt or not self.active or parent is None:
            return
        if not self._polls:
            self._answer = None
            self._fail()
            return
        self._polls -= 1
        mac = self._macs[parent.radio]
        if not self._capability.receiver_on_when_idle:
            mac.transmit(MacFrameType.COMMAND, DataRequest().encode(), to=parent.short, source=mac.short)
        self._timers.after(self._settings.response_wait // 2, self._await, attempt)

    def _fail(self) -> None:
        if self._parent is not None:
            key = (self._parent.radio, int(self._parent.short))
            self._failed[key] = self._failed.get(key, 0) + 1
        self._retry()

    # --- answers -----------------------------------------------------------------------------------------------

    def command(self, how: Arrival, command: NwkCommand) -> None:
        state, network = self._state, self._state.network
        if not isinstance(command, RejoinResponse) or network is None:
            return
        if how.header.destination_ieee not in (None, state.eui):
            return
        by = how.header.source_ieee if how.hop is None else how.hop.eui
        if not self.active:  # the parent gives another address, as two nodes had this one
            if how.hop is not None and by == network.parent and command.status == AssociationStatus.SUCCESS:
                self._user.moved(command.short)
            return
        parent = self._parent
        if parent is None or by is None or how.neighbour != parent.short or self._answer is not None:
            return
        if command.status != AssociationStatus.SUCCESS:
            self._attempt += 1
            self._fail()
        elif how.hop is not None:
            self._enter(parent, command.short, by)
        else:
            self._answer = (command.short, by)
            self._polls = self._settings.rejoin_key_polls
            mac = self._macs[parent.radio]
            mac.configure(short=command.short, pan_id=parent.pan_id, channel=parent.channel)

    @property
    def awaits_key(self) -> bool:
        return self.active and self._answer is not None

    def take_key(self, octets: bytes) -> None:
        """Take an APS frame without NWK security. Raises DecodeError unless it is the network key for this node."""
        state, network, parent = self._state, self._state.network, self._parent
        if network is None or parent is None or self._answer is None:
            raise DecodeError("a network key that was not awaited", data=octets)
        centre = state.peer(network.trust_centre)
        if centre.security is None or centre.key is None:
            raise DecodeError("no link key with the trust centre", data=octets)
        try:
            command, source, counter = open_network_key(octets, centre.security, state.eui)
        except IntegrityError:
            command, source, counter = self._of_replacement(octets, centre.key)
        else:
            if source != centre.eui or counter < centre.aps_next:
                raise DecodeError("a replayed Transport-Key", data=octets)
        short, by = self._answer
        state.take_network_key(command.key, command.key_sequence, source)
        state.aps_heard(state.peer(source), counter)
        self._enter(parent, short, by)
        if source != centre.eui:
            state.set_short(state.peer(source), ShortAddress(0))
            state.clear_key(centre)

    def _of_replacement(self, octets: bytes, key: LinkKey) -> tuple[TransportNetworkKey, Eui64, int]:
        """Take the network key from another trust centre, which has proved that it has the backup of the former one.

        That holds the hash of the link key, and under this the key comes. It counts as preconfigured: a key has to be
        established anew. Source: ZSE 07-5356 5.4.2.2.3.
        """
        hashed = LinkKey(aes_mmo(key))
        command, source, counter = open_network_key(octets, ApsSecurity(hashed), self._state.eui)
        known = self._state.peers.get(source)
        if known is not None and known.key == hashed and counter < known.aps_next:
            raise DecodeError("a replayed Transport-Key", data=octets)
        self._state.set_key(source, hashed)
        return command, source, counter

    def _enter(self, parent: Candidate, short: ShortAddress, by: Eui64) -> None:
        state, network = self._state, self._state.network
        if network is None:
            return
        self._attempt += 1
        self.active, self._answer, self._without_key = False, None, False
        self._failed.clear()
        state.set_short(state.peer(by), parent.short)
        state.enter(
            network._replace(
                pan_id=parent.pan_id,
                channel=parent.channel if parent.radio == 0 else network.channel,
                short=short,
                parent=by,
                parent_short=parent.short,
                parent_radio=parent.radio,
                depth=parent.beacon.depth + 1,
                update_id=parent.beacon.update_id,
            )
        )
        self._user.came_back(False)
