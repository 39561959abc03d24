"""At-least-once delivery between hub and CSP over a link that loses, doubles and reorders. Without I/O.

Order is not kept: a message is handed over when it comes. One session serves one hub, both ways; each side has its own.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.errors import DecodeError
from protocols.interfaces import SECOND, Storage
from protocols.octets import Reader
from protocols.wan.envelope import Acknowledgement, Envelope, WanMessage

RESEND_AFTER = 60 * SECOND


class Arrival(NamedTuple):
    """What one envelope of the peer brought."""

    epoch: int
    message_id: int
    message: WanMessage | None  # None: an acknowledgement, a duplicate or a leftover; nothing to do but `accept`
    acknowledged: (
        bool | None
    )  # the peer now holds our message `message_id`; False: told before; None: no acknowledgement


@dataclass(slots=True)
class _Held:
    octets: bytes
    due: int  # ns since 1970 UTC, when it is sent again


@dataclass(slots=True)
class _Heard:
    """Which ids of the peer were taken: all below `floor`, and `above`."""

    epoch: int = 0
    floor: int = 0
    above: list[int] = field(default_factory=list)

    def follow(self, epoch: int, oldest: int) -> None:
        """Forget what the peer has settled, all of it where it began a new run of ids."""
        if epoch > self.epoch:
            self.epoch, self.floor, self.above = epoch, oldest, []
        self.floor = max(self.floor, oldest)
        self._tidy()

    def knows(self, message_id: int) -> bool:
        return message_id < self.floor or message_id in self.above

    def add(self, message_id: int) -> None:
        if not self.knows(message_id):
            self.above = sorted([*self.above, message_id])
            self._tidy()

    def _tidy(self) -> None:
        self.above = [i for i in self.above if i >= self.floor]
        while self.above and self.above[0] == self.floor:
            self.floor = self.above.pop(0) + 1

    def encode(self) -> bytes:
        return b"".join(number.to_bytes(8, "big") for number in (self.epoch, self.floor, *self.above))

    @classmethod
    def decode(cls, octets: bytes) -> "_Heard":
        reader = Reader(octets)
        heard = cls(reader.uint_be(8), reader.uint_be(8))
        while reader.remaining:
            heard.above.append(reader.uint_be(8))
        return heard


class WanSession:
    """One side of the link between a hub and its CSP.

    storage: cells `<name>/...` keep what is not acknowledged and what was taken, so that a power cut loses nothing;
    None keeps it in memory only. resend_after: ns until a message without acknowledgement goes out again.
    """

    def __init__(self, storage: Storage | None = None, *, name: str = "wan", resend_after: int = RESEND_AFTER) -> None:
        self._storage, self._name, self._resend_after = storage, name, resend_after
        self._epoch, self._next = 0, 0
        self._held: dict[int, _Held] = {}
        self._heard = _Heard()
        self.resent = 0
        if storage is not None:
            self._restore(storage)

    @property
    def deadline(self) -> int | None:
        """When `wake` is due, ns since 1970 UTC; None while nothing is held."""
        return min((held.due for held in self._held.values()), default=None)

    @property
    def held(self) -> tuple[int, ...]:
        """Ids sent and not acknowledged, oldest first."""
        return tuple(sorted(self._held))

    def send(self, message: WanMessage, now: int) -> tuple[int, bytes]:
        """Hold `message` until it is acknowledged; return its id and the octets to transmit now."""
        if not self._epoch:
            self._epoch = max(1, now)
        message_id = self._next
        octets = Envelope(self._epoch, message_id, min(self._held, default=message_id), message).encode()
        self._held[message_id] = _Held(octets, now + self._resend_after)
        self._next = message_id + 1
        self._put(f"out/{message_id:016x}", octets)
        self._put("next", self._epoch.to_bytes(8, "big") + self._next.to_bytes(8, "big"))
        return message_id, octets

    def received(self, octets: bytes) -> Arrival:
        """Take an envelope of the peer; DecodeError if it is none.

        The caller does what `message` asks for, then calls `accept`; a cut between the two makes the peer send again.
        """
        envelope = Envelope.decode(octets)
        body = envelope.body
        if isinstance(body, Acknowledgement):
            mine = envelope.epoch == self._epoch and self._held.pop(envelope.message_id, None) is not None
            if mine:
                self._delete(f"out/{envelope.message_id:016x}")
            return Arrival(envelope.epoch, envelope.message_id, None, mine)
        if envelope.oldest > envelope.message_id:
            raise DecodeError(f"oldest id {envelope.oldest} above the message's own {envelope.message_id}", data=octets)
        if envelope.epoch >= self._heard.epoch:
            self._heard.follow(envelope.epoch, envelope.oldest)
        stale = envelope.epoch < self._heard.epoch or self._heard.knows(envelope.message_id)
        return Arrival(envelope.epoch, envelope.message_id, None if stale else body, None)

    def accept(self, arrival: Arrival) -> bytes | None:
        """Note that the message of `arrival` is dealt with; return the acknowledgement to transmit, or None."""
        if arrival.acknowledged is not None or arrival.epoch != self._heard.epoch:
            return None
        if arrival.message is not None:
            self._heard.add(arrival.message_id)
            self._put("in", self._heard.encode())
        elif not self._heard.knows(arrival.message_id):
            return None
        return Envelope(arrival.epoch, arrival.message_id, arrival.message_id, Acknowledgement()).encode()

    def wake(self, now: int) -> list[bytes]:
        """Return what is due to be sent again."""
        due = [self._held[i] for i in self.held if self._held[i].due <= now]
        for held in due:
            held.due = now + self._resend_after
        self.resent += len(due)
        return [held.octets for held in due]

    def resume(self, now: int) -> list[bytes]:
        """Return everything held, at once: after a restart."""
        for held in self._held.values():
            held.due = now
        return self.wake(now)

    def withdraw(self, message_id: int) -> bool:
        """Stop sending a message; False if it was acknowledged before or is unknown."""
        if self._held.pop(message_id, None) is None:
            return False
        self._delete(f"out/{message_id:016x}")
        return True

    def _restore(self, storage: Storage) -> None:
        if (heard := storage.get(f"{self._name}/in")) is not None:
            self._heard = _Heard.decode(heard)
        if (following := storage.get(f"{self._name}/next")) is not None:
            self._epoch, self._next = int.from_bytes(following[:8], "big"), int.from_bytes(following[8:], "big")
        prefix = f"{self._name}/out/"
        for cell in storage.cells():
            if cell.startswith(prefix) and (octets := storage.get(cell)) is not None:
                envelope = Envelope.decode(octets)
                self._held[envelope.message_id] = _Held(octets, 0)
                self._epoch, self._next = envelope.epoch, max(self._next, envelope.message_id + 1)

    def _put(self, cell: str, value: bytes) -> None:
        if self._storage is not None:
            self._storage.put(f"{self._name}/{cell}", value)

    def _delete(self, cell: str) -> None:
        if self._storage is not None:
            self._storage.delete(f"{self._name}/{cell}")
