"""MAC sublayer of one radio: data frames, scanning, association, and frames held for sleeping children."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from protocols.addresses import NO_SHORT_ADDRESS, Eui64, ShortAddress
from protocols.errors import DecodeError
from protocols.interfaces import Handle, RadioLink, Random, TransmitStatus
from protocols.mac.beacon import Beacon
from protocols.mac.commands import (
    AssociationRequest,
    AssociationResponse,
    BeaconRequest,
    Capability,
    CoordinatorRealignment,
    DataRequest,
    OrphanNotification,
    decode_command,
)
from protocols.mac.frame import (
    ACK_REQUEST,
    BROADCAST_PAN,
    PENDING,
    PLAIN,
    PLAIN_DATA,
    PLAIN_DATA_MASK,
    UNICAST,
    FrameType,
    MacFrame,
)
from protocols.stack.express import seal_frame
from protocols.stack.hooks import nobody
from protocols.stack.indirect import IndirectQueue
from protocols.stack.settings import StackSettings
from protocols.stack.timers import Timers

if TYPE_CHECKING:
    from protocols.nwk.security import NwkSecurity
    from protocols.stack.express import Express

BROADCAST = ShortAddress(0xFFFF)
_PLAIN_SIZE = PLAIN.size
_SENT = TransmitStatus.OK
_ASSOCIATION_POLLS = 4  # data requests until the response must have come

Sent = Callable[[TransmitStatus, bool], object]  # told how it went, and the pending bit of the acknowledgement
Taken = Callable[[bool], object]  # told whether a held frame was fetched
Realigned = Callable[[CoordinatorRealignment | None, Eui64 | None], object]  # the answer and who gave it
Associated = Callable[[ShortAddress | None, Eui64 | None], object]  # own short address and the parent, or None


class Candidate(NamedTuple):
    """A router heard in a scan."""

    radio: int
    channel: int
    pan_id: int
    short: ShortAddress
    lqi: int
    beacon: Beacon


class MacUser(Protocol):
    """Who decides on children."""

    def beacon(self) -> Beacon | None:
        """Return what to answer to a beacon request, None not to."""
        ...

    def associate(self, radio: int, eui: Eui64, capability: Capability) -> AssociationResponse | None:
        """Return the answer to an association request, None to stay silent."""
        ...

    def associated(self, radio: int, eui: Eui64) -> None:
        """The child has its association response."""
        ...

    def orphan(self, radio: int, eui: Eui64) -> CoordinatorRealignment | None:
        """Return the answer to an orphan notification, None to stay silent."""
        ...

    def polled(self, radio: int, source: ShortAddress) -> None:
        """A data request came for which nothing waits."""
        ...


class _Nobody:
    """The listener of a radio that is off."""

    __slots__ = ()

    def received(self, frame: bytes, rssi: int, lqi: int, timestamp: int) -> None:
        """Hear nothing."""

    def transmitted(self, handle: Handle, status: TransmitStatus, pending: bool) -> None:
        """Expect nothing."""


class MacLayer:
    """`protocols.interfaces.RadioListener` of one radio."""

    __slots__ = (
        "_association", "_away", "_coordinator", "_done", "_off", "_orphan", "_radio", "_random", "_receiver_on",
        "_retries", "_scan", "_sequence", "_settings", "_timers", "channel", "deliver", "express", "failed", "index",
        "indirect", "last", "own_extended", "pan_id", "polled", "sent", "short", "user",
    )  # fmt: skip

    def __init__(
        self, index: int, eui: Eui64, radio: RadioLink, timers: Timers, settings: StackSettings, random: Random
    ) -> None:
        self.index, self._radio = index, radio
        self.own_extended = eui
        self._timers, self._settings, self._random = timers, settings, random
        self._sequence, self._retries = random.randrange(0, 256), settings.mac_retries
        self.short, self.pan_id, self.channel = NO_SHORT_ADDRESS, BROADCAST_PAN, 11
        self._receiver_on = self._coordinator = self._off = False
        self.user: MacUser | None = None
        self.deliver: Callable[[int, int, bytes, int], object] = nobody
        self.express: Express | None = None  # takes ordinary messages up
        self.indirect = IndirectQueue(self, radio, timers, settings)
        self.sent = self.failed = 0  # transmissions
        self._done: dict[Handle, Sent] = {}
        self.last: dict[int, bytes] = {}  # by source: drops frames repeated for a lost acknowledgement
        self._scan: list[Candidate] | None = None
        self._association: Associated | None = None
        self._orphan: Realigned | None = None
        self._away = False  # on a scan: nothing else is sent
        self.polled: Callable[[bool], object] | None = None  # a frame came; `more` wait at the parent
        radio.attach(self)

    # --- configuration -----------------------------------------------------------------------------------------

    def configure(
        self,
        *,
        short: ShortAddress,
        pan_id: int,
        channel: int,
        receiver_on: bool = True,
        coordinator: bool = False,
    ) -> None:
        self.short, self.pan_id, self.channel = short, pan_id, channel
        self._receiver_on, self._coordinator, self._away = receiver_on, coordinator, False
        self._apply()

    def set_receiver(self, *, on: bool) -> None:
        if on != self._receiver_on:
            self._receiver_on = on
            self._apply()

    def _apply(self) -> None:
        if self._off:
            return
        self._radio.configure(
            eui=self.own_extended,
            short=self.short,
            pan_id=self.pan_id,
            channel=self.channel,
            receiver_on=self._receiver_on,
            coordinator=self._coordinator,
        )

    def shut(self) -> None:
        """Switch the radio off for good: what is queued is dropped, nothing is heard or sent any more."""
        self._radio.attach(_Nobody())
        self._off = True

    # --- sending -----------------------------------------------------------------------------------------------

    def send(self, destination: int, payload: bytes, done: Sent | None = None) -> None:
        """Send a NWK frame to a neighbour, or to all of them without acknowledgement."""
        if self._off or self._away:
            if self._away and done is not None:
                self._timers.soon(done, TransmitStatus.NO_ACK, False)
            return
        self._sequence = sequence = self._sequence + 1 & 0xFF
        control = PLAIN_DATA if destination == 0xFFFF else UNICAST
        frame = PLAIN.pack(control, sequence, self.pan_id, destination, self.short) + payload
        handle = self._radio.transmit(frame, retries=self._retries)
        if done is not None:
            self._done[handle] = done

    def send_sealed(
        self, destination: int, header: bytes, security: NwkSecurity, counter: int, payload: bytes, done: Sent
    ) -> None:
        """Send an APS frame to a neighbour under the network key: what `send` of `security.protect` does, in one step.

        header: of NWK, without optional fields.
        """
        if self._off or self._away:
            self.send(destination, b"", done)
            return
        self._sequence = sequence = self._sequence + 1 & 0xFF
        frame = seal_frame(
            sequence, self.pan_id, destination, self.short, header, security, self.own_extended, counter, payload
        )
        self._done[self._radio.transmit(frame, retries=self._retries)] = done

    def transmit(
        self,
        kind: FrameType,
        payload: bytes,
        *,
        to: ShortAddress | Eui64 | None,
        source: ShortAddress | Eui64 | None,
        source_pan: int | None = None,
        to_pan: int | None = None,
        pending: bool = False,
        done: Sent | None = None,
    ) -> None:
        """Send any frame; `done(status, pending bit of the acknowledgement)`."""
        if self._off:
            return
        self._sequence = (self._sequence + 1) & 0xFF
        pan = None if to is None else self.pan_id if to_pan is None else to_pan
        from_pan = None if source is None else self.pan_id if source_pan is None else source_pan
        unicast = to is not None and to != BROADCAST
        frame = MacFrame(kind, self._sequence, pan, to, from_pan, source, payload, unicast, pending)
        handle = self._radio.transmit(frame.encode(), retries=self._settings.mac_retries)
        if done is not None:
            self._done[handle] = done

    def energy(self, channel: int) -> int:
        """Return the energy on `channel` now, in dBm."""
        return self._radio.energy_scan(channel)

    def transmitted(self, handle: Handle, status: TransmitStatus, pending: bool) -> None:
        self.sent += 1
        if status is not _SENT:
            self.failed += 1
        done = self._done.pop(handle, None)
        if done is not None:
            done(status, pending)

    # --- receiving ---------------------------------------------------------------------------------------------

    def received(self, frame: bytes, rssi: int, lqi: int, timestamp: int) -> None:
        if self.express is not None and self.express.receive(self, frame, lqi):
            if self.polled is not None:
                self.polled(frame[0] & PENDING != 0)
            return
        if len(frame) >= _PLAIN_SIZE:
            control, _, _, _, source = PLAIN.unpack_from(frame)
            if control & PLAIN_DATA_MASK == PLAIN_DATA:
                self._data(source, frame, lqi, control)
                return
        try:
            decoded = MacFrame.decode(frame)
            if decoded.frame_type == FrameType.COMMAND:
                self._command(decoded)
            elif decoded.frame_type == FrameType.BEACON:
                self._beacon(decoded, lqi)
        except DecodeError:
            return

    def _data(self, source: int, frame: bytes, lqi: int, control: int) -> None:
        if not control & ACK_REQUEST:
            self.deliver(self.index, source, frame[_PLAIN_SIZE:], lqi)
        elif self.last.get(source) != frame:  # some stacks give two frames in a row one number: compare it all
            self.last[source] = frame
            self.deliver(self.index, source, frame[_PLAIN_SIZE:], lqi)
        if self.polled is not None:
            self.polled(control & PENDING != 0)

    def _command(self, frame: MacFrame) -> None:
        command, source, user = decode_command(frame.payload), frame.source, self.user
        if isinstance(command, DataRequest) and source is not None:
            if not self.indirect.requested(source) and user is not None and not isinstance(source, Eui64):
                user.polled(self.index, ShortAddress(source))
        elif isinstance(command, AssociationResponse) and self._association is not None:
            parent = source if isinstance(source, Eui64) else None
            self._end_association(command.short if command.status == 0 else None, parent)
        elif isinstance(command, CoordinatorRealignment) and isinstance(source, Eui64):
            self._end_orphan(command, source)
        elif user is None:
            return
        elif isinstance(command, BeaconRequest):
            self._timers.after(self._random.randrange(1, self._settings.beacon_jitter), self._send_beacon, user)
        elif isinstance(command, AssociationRequest) and isinstance(source, Eui64):
            response = user.associate(self.index, source, command.capability)
            if response is not None:
                self.indirect.hold_response(source, response)
        elif isinstance(command, OrphanNotification) and isinstance(source, Eui64):
            self._realign(user, source)

    def _send_beacon(self, user: MacUser) -> None:
        beacon = user.beacon()
        if beacon is not None:
            self.transmit(FrameType.BEACON, beacon.encode(), to=None, source=self.short)

    def _realign(self, user: MacUser, orphan: Eui64) -> None:
        answer = user.orphan(self.index, orphan)
        if answer is not None:
            own = self.own_extended
            self.transmit(FrameType.COMMAND, answer.encode(), to=orphan, to_pan=BROADCAST_PAN, source=own)

    def response_delivered(self, eui: Eui64) -> None:
        if self.user is not None:
            self.user.associated(self.index, eui)

    def _beacon(self, frame: MacFrame, lqi: int) -> None:
        if self._scan is None or frame.source_pan is None or frame.source is None:
            return
        beacon = Beacon.decode(frame.payload)
        source = ShortAddress(frame.source)
        self._scan.append(Candidate(self.index, self.channel, frame.source_pan, source, lqi, beacon))

    # --- joining -----------------------------------------------------------------------------------------------

    def scan(self, channels: Sequence[int], done: Callable[[list[Candidate]], object]) -> None:
        """Look for routers on each of `channels`, then tell which were heard."""
        self._scan = []
        self._scan_next(list(channels), done)

    def _scan_next(self, channels: list[int], done: Callable[[list[Candidate]], object]) -> None:
        if not channels:
            heard, self._scan = self._scan or [], None
            done(heard)
            return
        self.configure(short=NO_SHORT_ADDRESS, pan_id=BROADCAST_PAN, channel=channels.pop(0))
        self._away = True
        self.transmit(FrameType.COMMAND, BeaconRequest().encode(), to=BROADCAST, source=None)
        self._timers.after(self._settings.scan_wait, self._scan_next, channels, done)

    def orphan(self, channels: Sequence[int], done: Realigned) -> None:
        """Ask on each of `channels` whether the parent is there; `done` gets its answer or None."""
        if not channels:
            self._end_orphan(None, None)
            return
        self._orphan = done
        self.configure(short=NO_SHORT_ADDRESS, pan_id=BROADCAST_PAN, channel=channels[0])
        self._away = True
        notification, own = OrphanNotification().encode(), self.own_extended
        self.transmit(FrameType.COMMAND, notification, to=BROADCAST, source=own)
        self._timers.after(self._settings.response_wait, self._no_realignment, tuple(channels[1:]), done)

    def _no_realignment(self, channels: tuple[int, ...], done: Realigned) -> None:
        if self._orphan is done:
            if channels:
                self.orphan(channels, done)
            else:
                self._end_orphan(None, None)

    def _end_orphan(self, answer: CoordinatorRealignment | None, by: Eui64 | None) -> None:
        done, self._orphan = self._orphan, None
        if done is not None:
            done(answer, by)

    def associate(self, parent: Candidate, capability: Capability, done: Associated) -> None:
        """Ask `parent` for admission; `done` gets the short address, or None if refused or unanswered."""
        self.configure(short=NO_SHORT_ADDRESS, pan_id=parent.pan_id, channel=parent.channel)
        self._association = done

        def requested(status: TransmitStatus, pending: bool) -> None:
            if status is TransmitStatus.OK:
                self._timers.after(self._settings.response_wait, self._ask_response, parent, _ASSOCIATION_POLLS)
            else:
                self._end_association(None)

        request = AssociationRequest(capability).encode()
        self.transmit(
            FrameType.COMMAND,
            request,
            to=parent.short,
            source=self.own_extended,
            source_pan=BROADCAST_PAN,
            done=requested,
        )

    def _ask_response(self, parent: Candidate, left: int) -> None:
        if self._association is None:
            return
        if not left:
            self._end_association(None)
            return
        self.transmit(FrameType.COMMAND, DataRequest().encode(), to=parent.short, source=self.own_extended)
        self._timers.after(self._settings.response_wait // 2, self._ask_response, parent, left - 1)

    def _end_association(self, short: ShortAddress | None, parent: Eui64 | None = None) -> None:
        done, self._association = self._association, None
        if done is not None:
            done(short, parent)
