"""A radio on the simulated air: CSMA-CA, acknowledgements, retries and the address filter of an RCP."""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from emulator.air.reception import survives
from emulator.air.timing import (
    ACK_SPAN,
    ACK_WAIT,
    AIRTIME,
    BACKOFF_PERIOD,
    CCA,
    FCS_OCTETS,
    INTERFRAME_SPACE,
    MAX_BACKOFFS,
    MAX_BE,
    MAX_PHY_PACKET,
    MIN_BE,
    TURNAROUND,
)
from emulator.air.transmission import BEACON, BROADCAST, EXTENDED, PENDING, SHORT, TYPE, OnAir, Transmission
from protocols.addresses import Eui64, ShortAddress
from protocols.errors import UsageError
from protocols.interfaces import Handle, Rank, TransmitStatus
from protocols.mac.frame import acknowledgement, fcs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from emulator.air.band import Band
    from emulator.air.link import Link
    from emulator.air.medium import Capture, RadioNetwork
    from protocols.interfaces import Clock, RadioListener, Random

_RADIO = int(Rank.RADIO)
_OK, _NO_ACK, _NO_ACCESS = TransmitStatus.OK, TransmitStatus.NO_ACK, TransmitStatus.CHANNEL_ACCESS_FAILURE
_LONGEST = MAX_PHY_PACKET - FCS_OCTETS


def _acknowledgements(*, pending: bool) -> tuple[bytes, ...]:
    """Return the acknowledgements by sequence number, FCS included."""
    frames = (acknowledgement(sequence, pending=pending) for sequence in range(256))
    return tuple(frame + fcs(frame) for frame in frames)


_ACKS, _ACKS_PENDING = _acknowledgements(pending=False), _acknowledgements(pending=True)


class RadioStatistics(NamedTuple):
    """Counts since the radio was made."""

    sent: int  # transmissions on the air, acknowledgements excepted, retries included
    octets: int  # of those, FCS included
    retries: int
    no_ack: int
    no_access: int
    received: int  # frames handed to the listener
    lost: int  # frames for this radio whose FCS failed: noise or collision


class SimulatedRadio:
    """`protocols.interfaces.RadioLink` on the simulated air. Attaching a listener resets the radio, as an RCP does.

    A frame lost by noise, by a burst or by a collision is one whose FCS fails at that receiver: the receiver drops it.
    """

    def __init__(
        self, name: str, network: RadioNetwork, band: Band, clock: Clock, random: Random, capture: Capture | None
    ) -> None:
        self.name, self.network, self.band = name, network, band
        self.links: dict[SimulatedRadio, Link] = {}  # changed by `connect` only
        self._reach: tuple[Link, ...] = ()  # the same links
        self._clock, self._now, self._chance = clock, clock.now, random.random
        self._capture: Callable[[str, int, bytes], None] | None = None if capture is None else capture.frame
        self._listener: RadioListener | None = None
        self._eui, self.short, self._pan, self.channel = Eui64(0), ShortAddress(0xFFFE), BROADCAST, 11
        self.receiver_on = self._coordinator = False
        self._pending: frozenset[int] = frozenset()
        self.source_match = True  # off: every data request is acknowledged with the pending bit
        self._queue: deque[Transmission] = deque()
        self._current: Transmission | None = None
        self._busy_until = 0
        self._handle = Handle(0)
        self._sent = self._octets = self._retries = self._no_ack = self._no_access = self._received = self.lost = 0

    def connect(self, receiver: SimulatedRadio, link: Link | None) -> None:
        """Let `receiver` hear this radio over `link`, or not any more."""
        if link is None:
            self.links.pop(receiver, None)
        else:
            self.links[receiver] = link
        self._reach = tuple(self.links.values())

    # --- RadioLink ---------------------------------------------------------------------------------------------

    def attach(self, listener: RadioListener) -> None:
        self._listener = listener
        self.receiver_on = False
        self._queue.clear()
        if self._current is not None:
            self._current.aborted = True
            self._current = None
        self._pending = frozenset()

    def configure(
        self, *, eui: Eui64, short: ShortAddress, pan_id: int, channel: int, receiver_on: bool, coordinator: bool
    ) -> None:
        self._eui, self.short, self._pan, self.channel = eui, short, pan_id, channel
        self.receiver_on, self._coordinator = receiver_on, coordinator

    def transmit(self, frame: bytes, *, csma: bool = True, retries: int = 3) -> Handle:
        if not 3 <= len(frame) <= _LONGEST:
            raise UsageError(f"a frame of {len(frame)} octets does not fit the air")
        self._handle = handle = Handle(self._handle + 1)
        try:
            new = Transmission(frame + fcs(frame), self, handle, csma=csma, retries=retries)
        except (IndexError, struct.error):
            raise UsageError("a frame that ends within its addresses") from None
        queue = self._queue
        if self._current is not None:
            queue.append(new)
        elif queue:  # told of the end of one frame, the user gives another: those that wait go first
            queue.append(new)
            self._attempt(queue.popleft())
        else:
            self._attempt(new)
        return handle

    def set_pending(self, addresses: Collection[Eui64 | ShortAddress]) -> None:
        self._pending = frozenset(int(address) for address in addresses)

    def energy_scan(self, channel: int) -> int:
        return self.band.energy(self, channel, self._clock.now())

    @property
    def statistics(self) -> RadioStatistics:
        return RadioStatistics(
            self._sent, self._octets, self._retries, self._no_ack, self._no_access, self._received, self.lost
        )

    # --- sending -----------------------------------------------------------------------------------------------

    def _attempt(self, out: Transmission) -> None:
        """Begin CSMA-CA, or go on the air at once without it."""
        self._current = out
        out.channel = self.channel
        out.backoffs, out.exponent = 0, MIN_BE
        earliest = self._now()
        if earliest < self._busy_until:
            earliest = self._busy_until
        if out.csma:
            self._back_off(out, earliest)
        else:
            self._clock.call_at(earliest, self._go_on_air, out, rank=_RADIO)

    def _assess(self, out: Transmission) -> None:
        """End of the clear channel assessment. Source: IEEE 802.15.4-2015 clause 6.2.5.1."""
        if out.aborted:
            return
        now = self._now()
        if now < self._busy_until:  # the radio acknowledges somebody meanwhile
            self._back_off(out, self._busy_until)
        elif self.band.busy(self, out.channel, now):
            out.backoffs += 1
            out.exponent = min(out.exponent + 1, MAX_BE)
            if out.backoffs > MAX_BACKOFFS:
                self._no_access += 1
                self._end(out, _NO_ACCESS, pending=False)
            else:
                self._back_off(out, now)
        else:
            self._go_on_air(out)

    def _back_off(self, out: Transmission, earliest: int) -> None:
        wait = int(self._chance() * (1 << out.exponent)) * BACKOFF_PERIOD + CCA
        self._clock.call_at(earliest + wait, self._assess, out, rank=_RADIO)

    def _go_on_air(self, out: Transmission) -> None:
        if out.aborted:
            return
        size = len(out.octets)
        out.start = start = self._now() + TURNAROUND
        out.end = end = start + AIRTIME[size]
        self._sent += 1
        self._octets += size
        self.band.begin(out)
        self._clock.call_at(end, self._frame_ended, out, rank=_RADIO)

    def _frame_ended(self, out: Transmission) -> None:
        """The frame is out: let those in reach receive it, and wait for an acknowledgement if one is due."""
        if out.aborted:
            return
        end, octets = out.end, out.octets
        if self._capture is not None:
            self._capture(self.network.name, end, octets)
        self._busy_until = end + INTERFRAME_SPACE[len(octets)]
        acknowledger: SimulatedRadio | None = None
        channel = out.channel
        wanted = out.address if out.mode == SHORT and out.address != BROADCAST else None
        for link in self._reach:
            receiver = link.receiver
            if wanted is not None and receiver.short != wanted:  # most of them, told apart at once
                continue
            if receiver.channel == channel and receiver.receiver_on and receiver.accepts(out):
                if receiver.hears(out, link):
                    if out.ack_request and acknowledger is None and out.address != BROADCAST:
                        acknowledger = receiver
                        receiver.acknowledge(out)
                    receiver.take(out, link)
                else:
                    receiver.lost += 1
        if self._current is not out:  # the listener of a receiver switched this radio off
            return
        if not out.ack_request:
            self._end(out, _OK, pending=False)
        elif acknowledger is None:
            self._clock.call_at(end + ACK_WAIT, self._unacknowledged, out, rank=_RADIO)

    def acknowledged(self, out: Transmission, ack: OnAir) -> None:
        """The acknowledgement is out; hear it, or wait for the rest of the acknowledgement time in vain."""
        if self._capture is not None:
            self._capture(ack.radio.network.name, ack.end, ack.octets)
        if out.aborted:
            return
        link = ack.radio.links.get(self)
        if link is not None and self.hears(ack, link):
            self._busy_for(ack.end + INTERFRAME_SPACE[len(out.octets)])
            self._end(out, _OK, pending=bool(ack.octets[0] & PENDING))
        else:
            self._clock.call_at(out.end + ACK_WAIT, self._unacknowledged, out, rank=_RADIO)

    def _unacknowledged(self, out: Transmission) -> None:
        if out.aborted:
            return
        if out.retries:
            out.retries -= 1
            self._retries += 1
            out.overlaps = ()
            self._attempt(out)
        else:
            self._no_ack += 1
            self._end(out, _NO_ACK, pending=False)

    def _end(self, out: Transmission, status: TransmitStatus, *, pending: bool) -> None:
        self._current = None
        if self._listener is not None:
            self._listener.transmitted(out.handle, status, pending)
        if self._current is None and self._queue:
            self._attempt(self._queue.popleft())

    def _busy_for(self, until: int) -> None:
        """Let the radio begin nothing before then."""
        if until > self._busy_until:
            self._busy_until = until

    # --- receiving ---------------------------------------------------------------------------------------------

    def accepts(self, out: Transmission) -> bool:
        """The address filter. Source: IEEE 802.15.4-2015 clause 6.7.2."""
        pan = self._pan
        if out.mode == SHORT:
            return out.address in (self.short, BROADCAST) and out.pan in (pan, BROADCAST)
        if out.mode == EXTENDED:
            return out.address == self._eui and out.pan in (pan, BROADCAST)
        if out.octets[0] & TYPE == BEACON:
            return pan in (BROADCAST, out.pan)
        return self._coordinator and out.pan == pan

    def hears(self, out: OnAir, link: Link) -> bool:
        """Return whether the frame comes over `link` with a good FCS."""
        if link.plain and not out.overlaps and not self.band.jammers:
            return not link.loss or link.random.random() >= link.loss
        return survives(out, link, self.band)

    def acknowledge(self, out: Transmission) -> None:
        end = out.end + ACK_SPAN
        pending = out.source >= 0 and (out.source in self._pending or not self.source_match)
        octets = (_ACKS_PENDING if pending else _ACKS)[out.sequence]
        ack = OnAir(octets, self, out.channel, out.end + TURNAROUND, end)
        self.band.begin(ack)
        self._busy_for(end + INTERFRAME_SPACE[len(out.octets)])
        self._clock.call_at(end, out.radio.acknowledged, out, ack, rank=_RADIO)

    def take(self, out: Transmission, link: Link) -> None:
        self._received += 1
        if self._listener is not None:
            self._listener.received(out.octets[:-2], link.rssi, link.lqi, out.end)
