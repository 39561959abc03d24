"""GBCS messages that wait for a device, in storage cells."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.devices.communications_hub.alarms import Alarms
from protocols.addresses import Eui64
from protocols.interfaces import Storage

_PREFIX = "queue/"


@dataclass(slots=True, eq=False)
class Waiting:
    """One message; it stays in storage until `MessageQueue.done`."""

    device: Eui64
    cell: str
    expires: int  # ns
    octets: bytes


@dataclass(slots=True)
class _Line:
    """The messages of one device."""

    messages: deque[Waiting] = field(default_factory=deque)
    next_number: int = 0


class MessageQueue:
    """First in, first out for each device. What expires is dropped and told to `expired(device, octets)`."""

    def __init__(self, storage: Storage, alarms: Alarms, expired: Callable[[Eui64, bytes], None]) -> None:
        self._storage, self._alarms, self._expired = storage, alarms, expired
        self._lines: dict[Eui64, _Line] = {}
        for cell in storage.cells():
            if cell.startswith(_PREFIX) and (octets := storage.get(cell)) is not None:
                self._restore(cell, octets)

    def put(self, device: Eui64, octets: bytes, lifetime: int) -> None:
        """Queue a message for `lifetime` ns."""
        line = self._line(device)
        expires = self._alarms.now() + lifetime
        message = Waiting(device, f"{_PREFIX}{device}/{line.next_number:016x}", expires, octets)
        line.next_number += 1
        self._storage.put(message.cell, expires.to_bytes(8, "big") + octets)
        self._enter(line, message)

    def first(self, device: Eui64) -> Waiting | None:
        """Return the message to send next, without taking it out."""
        line = self._lines.get(device)
        return line.messages[0] if line is not None and line.messages else None

    def waiting(self, device: Eui64) -> int:
        """Return how many messages are in line."""
        line = self._lines.get(device)
        return 0 if line is None else len(line.messages)

    def forget(self, device: Eui64) -> None:
        """Drop what is in line for a device that has left."""
        line = self._lines.pop(device, None)
        for message in () if line is None else line.messages:
            self.done(message)

    def take(self, message: Waiting) -> None:
        """Take a message out of the line, not out of the storage."""
        self._line(message.device).messages.remove(message)

    def put_back(self, messages: list[Waiting]) -> None:
        """Put messages taken before back in front, in their order; expired ones are dropped."""
        for message in reversed(messages):
            self._line(message.device).messages.appendleft(message)
        for message in messages:
            self._expire(message)

    def done(self, message: Waiting) -> None:
        """Forget a message that was taken."""
        self._storage.delete(message.cell)

    def _restore(self, cell: str, octets: bytes) -> None:
        device, number = cell.removeprefix(_PREFIX).split("/")
        line = self._line(Eui64.parse(device))
        line.next_number = max(line.next_number, int(number, 16) + 1)
        message = Waiting(Eui64.parse(device), cell, int.from_bytes(octets[:8], "big"), octets[8:])
        self._enter(line, message)

    def _enter(self, line: _Line, message: Waiting) -> None:
        line.messages.append(message)
        self._alarms.after(max(0, message.expires - self._alarms.now()), self._expire, message)

    def _expire(self, message: Waiting) -> None:
        line = self._line(message.device)
        if message in line.messages and message.expires <= self._alarms.now():
            line.messages.remove(message)
            self._expired(message.device, message.octets)  # first: a power cut in between has it told again, not never
            self.done(message)

    def _line(self, device: Eui64) -> _Line:
        return self._lines.setdefault(device, _Line())
