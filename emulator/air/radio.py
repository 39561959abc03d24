"""A radio on the simulated air: CSMA-CA, acknowledgements, retries and the address filter of an RCP."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from emulator.air.header import (
    ACK_REQUEST,
    ACKNOWLEDGEMENT,
    BEACON,
    BROADCAST,
    COMMAND,
    LONGEST_HEADER,
    PENDING,
    TO_ALL,
    TO_EXTENDED,
    TO_MODE,
    TO_SHORT,
    TYPE,
    asks_for_data,
    header_size,
)
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
from emulator.air.transmission import Transmission
from protocols.addresses import Eui64, ShortAddress
from protocols.errors import UsageError
from protocols.interfaces import TransmitStatus
from protocols.mac.frame import acknowledgement, fcs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from emulator.air.band import Band
    from emulator.air.link import Link, Losses
    from emulator.air.medium import RadioNetwork, Tap
    from protocols.interfaces import Clock, Handle, RadioListener, Random

_OK, _NO_ACK, _NO_ACCESS = TransmitStatus.OK, TransmitStatus.NO_ACK, TransmitStatus.CHANNEL_ACCESS_FAILURE
_NONE_PENDING: Final = frozenset[int]()
_FIRST_CHOICES = 1 << MIN_BE
_FIRST_WAITS: Final = tuple(periods * BACKOFF_PERIOD + CCA for periods in range(_FIRST_CHOICES))  # back-off, assessment
_LONGEST = MAX_PHY_PACKET - FCS_OCTETS


def _acknowledgements(*, pending: bool) -> tuple[bytes, ...]:
    """Return the acknowledgements by sequence number, FCS included."""
    frames = (acknowledgement(sequence, pending=pending) for sequence in range(256))
    return tuple(frame + fcs(frame) for frame in frames)


_ACKS, _ACKS_PENDING = _acknowledgements(pending=False), _acknowledgements(pending=True)


def _check_size(frame: bytes) -> None:
    """Raise UsageError for a frame that is too long, or ends within its addresses."""
    if not 3 <= len(frame) <= _LONGEST:
        raise UsageError(f"a frame of {len(frame)} octets does not fit the air")
    if len(frame) < header_size(frame):
        raise UsageError("a frame that ends within its addresses")


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

    __slots__ = (
        "_addressed", "_addressed_at", "_busy_until", "_clock", "_coordinator", "_current", "_eui",
        "_handles", "_listener", "_no_access", "_no_ack", "_octets", "_pan", "_pending",
        "_queue", "_random", "_reach", "_received", "_retries", "_sent", "band", "channel", "links", "losses", "lost",
        "name", "network", "receiver_on", "short", "source_match", "tap",
    )  # fmt: skip

    losses: Losses  # of the directions from here

    def __init__(
        self, name: str, network: RadioNetwork, band: Band, clock: Clock, random: Random, tap: Tap | None
    ) -> None:
        self.name, self.network, self.band = name, network, band
        self.links: dict[SimulatedRadio, Link] = {}  # changed by `connect` only
        self._reach: tuple[Link, ...] = ()  # the same links
        self._addressed: dict[bytes, tuple[tuple[Link, ...], bool]] = {}  # by PAN id and short address: `_addressees`
        self._addressed_at = 0  # count of changed addresses in the band that this is good for
        self._clock, self._random = clock, random
        self.tap = tap  # of the capture
        self._listener: RadioListener | None = None
        self._eui, self.short, self._pan, self.channel = Eui64(0), ShortAddress(0xFFFE), BROADCAST, 11
        self.receiver_on = self._coordinator = False
        self._pending = _NONE_PENDING
        self.source_match = True  # off: every data request is acknowledged with the pending bit
        self._queue: list[Transmission] = []
        self._current: Transmission | None = None
        self._busy_until = 0
        self._handles = cast("Iterator[Handle]", count(1))
        self._sent = self._octets = self._retries = self._no_ack = self._no_access = self._received = self.lost = 0

    def connect(self, receiver: SimulatedRadio, link: Link | None) -> None:
        """Let `receiver` hear this radio over `link`, or not any more."""
        if link is None:
            self.links.pop(receiver, None)
        else:
            self.links[receiver] = link
        self._reach = tuple(self.links.values())
        self._addressed.clear()

    # --- RadioLink ---------------------------------------------------------------------------------------------

    def attach(self, listener: RadioListener) -> None:
        self._listener = listener
        self.receiver_on = False
        self._queue.clear()
        if self._current is not None:
            self.band.settle(self._clock.now())
            self._current.aborted = True
            self._current = None
        self._pending = _NONE_PENDING

    def configure(
        self, *, eui: Eui64, short: ShortAddress, pan_id: int, channel: int, receiver_on: bool, coordinator: bool
    ) -> None:
        if (self._eui, self.short, self._pan) != (eui, short, pan_id):
            self._eui, self.short, self._pan = eui, short, pan_id
            self.band.addresses += 1
        self.channel, self.receiver_on, self._coordinator = channel, receiver_on, coordinator

    def transmit(self, frame: bytes, *, csma: bool = True, retries: int = 3) -> Handle:
        if not LONGEST_HEADER <= len(frame) <= _LONGEST:
            _check_size(frame)
        handle = next(self._handles)
        new, queue = Transmission(frame + fcs(frame), self, handle, csma, retries), self._queue
        if self._current is None and not queue:
            self._attempt(new)
            return handle
        queue.append(new)
        if self._current is None:  # told of the end of one frame, the user gives another: those that wait go first
            self._attempt(queue.pop(0))
        return handle

    def set_pending(self, addresses: Collection[Eui64 | ShortAddress]) -> None:
        self._pending = frozenset(int(address) for address in addresses) or _NONE_PENDING

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
        out.channel, out.backoffs = self.channel, 0
        clock, band = self._clock, self.band
        earliest = clock.now()
        if band.presumed is not None:
            band.settle(earliest)
        alone = not band.contending
        band.contending += 1
        if earliest < self._busy_until:
            earliest = self._busy_until
        if not out.csma:
            clock.radio_at(earliest, self._begin, out)
            return
        end = earliest + _FIRST_WAITS[int(self._random.random() * _FIRST_CHOICES)]
        if alone and band.quiet_from + CCA <= end and not band.jammers:
            band.presumed = out
            out.start = start = end + TURNAROUND
            out.end = end = start + AIRTIME[len(out.octets)]
            clock.radio_at(end, self._presumed_ended, out)
        else:
            clock.radio_at(end, self._assess, out, end)

    def _begin(self, out: Transmission) -> None:
        if out.aborted:
            self.band.contending -= 1
        else:
            self._go_on_air(out, self._clock.now())

    def assess(self, out: Transmission, end: int, now: int) -> None:
        """Let the assessment of a presumed frame, which ends at `end`, be made or have been made."""
        if end <= now:
            self._go_on_air(out, end)
        else:
            self._clock.radio_at(end, self._assess, out, end)

    def _assess(self, out: Transmission, now: int) -> None:
        """End of the clear channel assessment. Source: IEEE 802.15.4-2015 clause 6.2.5.1."""
        if out.aborted:
            self.band.contending -= 1
        elif now < self._busy_until:  # the radio acknowledges somebody meanwhile
            self._back_off(out, self._busy_until)
        elif not self.band.busy(self, out.channel, now):
            self._go_on_air(out, now)
        elif out.backoffs == MAX_BACKOFFS:
            self.band.contending -= 1
            self._no_access += 1
            self._end(out, _NO_ACCESS, pending=False)
        else:
            out.backoffs += 1
            self._back_off(out, now)

    def _back_off(self, out: Transmission, earliest: int) -> None:
        exponent = min(MIN_BE + out.backoffs, MAX_BE)
        end = earliest + int(self._random.random() * (1 << exponent)) * BACKOFF_PERIOD + CCA
        self._clock.radio_at(end, self._assess, out, end)

    def _go_on_air(self, out: Transmission, now: int) -> None:
        out.start = start = now + TURNAROUND
        out.end = end = start + AIRTIME[len(out.octets)]
        self.band.begin(out)
        self._clock.radio_at(end, self._frame_ended, out)

    def _presumed_ended(self, out: Transmission) -> None:
        band = self.band
        if band.presumed is out:  # nobody else came meanwhile
            band.presumed = None
            band.begin(out)
            self._frame_ended(out)

    def _frame_ended(self, out: Transmission) -> None:
        """The frame is out: let those in reach receive it, and wait for an acknowledgement if one is due."""
        self.band.contending -= 1
        octets, end, channel = out.octets, out.end, out.channel
        size = len(octets)
        self._sent += 1
        self._octets += size
        if out.aborted:
            return
        tap = self.tap
        if tap is not None:
            tap(end, octets)
        self._busy_until = end + INTERFRAME_SPACE[size]
        links, answered = self._addressees(octets)
        wanted, acknowledged = octets[0] & ACK_REQUEST, False
        for link in links:
            receiver = link.receiver
            if not receiver.receiver_on or receiver.channel != channel:
                continue
            if not receiver.hears(out, link):
                receiver.lost += 1
                continue
            if wanted and answered and not acknowledged:
                acknowledged = True
                receiver.acknowledge(out)
            receiver.take(octets, link, end)
        if acknowledged or self._current is not out:  # the listener of a receiver switched this radio off
            return
        if wanted:
            self._clock.radio_at(end + ACK_WAIT, self._unacknowledged, out)
        else:
            self._end(out, _OK, pending=False)

    def _addressees(self, octets: bytes) -> tuple[tuple[Link, ...], bool]:
        """Return the links to those in reach whose address filter lets the frame through, and whether they answer.

        A frame to all is not acknowledged, whatever it asks for.
        """
        if octets[1] & TO_MODE != TO_SHORT:
            return tuple([link for link in self._reach if link.receiver.accepts(octets)]), True
        if self._addressed_at != self.band.addresses:
            self._addressed_at = self.band.addresses
            self._addressed.clear()
        address = octets[3:7]
        addressees = self._addressed.get(address)
        if addressees is None:
            links = tuple([link for link in self._reach if link.receiver.accepts(octets)])
            addressees = self._addressed[address] = links, address[2:] != TO_ALL
        return addressees

    def acknowledged(self, out: Transmission, ack: Transmission) -> None:
        """The acknowledgement is out; hear it, or wait for the rest of the acknowledgement time in vain."""
        tap = ack.radio.tap
        if tap is not None:
            tap(ack.end, ack.octets)
        if out.aborted:
            return
        link = ack.radio.links.get(self)
        if link is not None and self.hears(ack, link):
            until = ack.end + INTERFRAME_SPACE[len(out.octets)]
            if until > self._busy_until:
                self._busy_until = until
            self._end(out, _OK, pending=bool(ack.octets[0] & PENDING))
        else:
            self._clock.radio_at(out.end + ACK_WAIT, self._unacknowledged, out)

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
            self._attempt(self._queue.pop(0))

    # --- receiving ---------------------------------------------------------------------------------------------

    def accepts(self, octets: bytes) -> bool:
        """The address filter. Source: IEEE 802.15.4-2015 clause 6.7.2."""
        pan, mode = self._pan, octets[1] & TO_MODE
        named = int.from_bytes(octets[3:5], "little")  # without destination that of the source
        if mode == TO_SHORT:
            return int.from_bytes(octets[5:7], "little") in (self.short, BROADCAST) and named in (pan, BROADCAST)
        if mode == TO_EXTENDED:
            return int.from_bytes(octets[5:13], "little") == self._eui and named in (pan, BROADCAST)
        if octets[0] & TYPE == BEACON:
            return pan in (BROADCAST, named)
        return self._coordinator and named == pan and octets[0] & TYPE != ACKNOWLEDGEMENT

    def hears(self, out: Transmission, link: Link) -> bool:
        """Return whether the frame comes over `link` with a good FCS."""
        if link.plain and not out.overlaps and not self.band.jammers:
            loss, random = link.loss, link.random
            return not loss or (link.draw() if random is None else random.random()) >= loss
        return survives(out, link, self.band)

    def acknowledge(self, out: Transmission) -> None:
        octets, begun, acks = out.octets, out.end, _ACKS
        if octets[0] & TYPE == COMMAND:
            source = asks_for_data(octets)
            if source is not None and (source in self._pending or not self.source_match):
                acks = _ACKS_PENDING
        ack = Transmission(acks[octets[2]], self, out.handle, False, 0)
        ack.channel, ack.start = out.channel, begun + TURNAROUND
        ack.end = end = begun + ACK_SPAN
        self.band.begin(ack)
        until = end + INTERFRAME_SPACE[len(octets)]
        if until > self._busy_until:
            self._busy_until = until
        self._clock.radio_at(end, out.radio.acknowledged, out, ack)

    def take(self, octets: bytes, link: Link, end: int) -> None:
        self._received += 1
        if self._listener is not None:
            self._listener.received(octets[:-FCS_OCTETS], link.rssi, link.lqi, end)
