"""Serves a DSP on a Unix socket: one connection a line, all that came in one turn of the loop committed together."""

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from gateway.northbound.served import ServedDsp
from protocols.addresses import Eui64
from protocols.errors import DecodeError, InputError
from protocols.interfaces import SECOND
from protocols.wan.line import CSP, HIGHEST, Frame, FrameReader, Kind, line_of

_log = logging.getLogger(__name__)

_LARGEST_GROUP = 4096  # messages of one commit
_LONGEST_ALARM = 86_400.0  # seconds; the loop takes no longer ones gladly, and waking for nothing does no harm


class LineServer:
    """Connections to one served DSP; made in a running loop.

    make: called with `release`, returns the DSP. now: ns UTC.
    """

    def __init__(self, make: Callable[[Callable[[str, Frame], None]], ServedDsp], now: Callable[[], int]) -> None:
        self._loop = asyncio.get_running_loop()
        self._now = now
        self._connections: dict[str, _Connection] = {}
        self._flushing: asyncio.Handle | None = None
        self._waking: asyncio.TimerHandle | None = None
        self._waiting = 0  # messages of the group under way
        self._failed: asyncio.Future[None] = self._loop.create_future()
        self._served = make(self.release)

    async def run(self, path: Path, opened: Callable[[], None]) -> None:
        """Serve on a socket that its owner alone may connect to, until cancelled. Raises what ended the DSP.

        A socket left at the path by a process that was killed is replaced. opened: called once it can be connected to.
        """
        mask = os.umask(0o177)
        try:
            server = await self._loop.create_unix_server(lambda: _Connection(self), path)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror or error}") from error
        finally:
            os.umask(mask)
        self._set_alarm()
        opened()
        try:
            await self._failed
        finally:
            server.close()
            if self._flushing is not None and not self._failed.done():
                self._flush()
            for connection in list(self._connections.values()):
                connection.close()

    # --- lines ---

    def release(self, line: str, frame: Frame) -> None:
        """Send a frame if its line is open; a message stays in the outbox in any case."""
        connection = self._connections.get(line)
        if connection is not None:
            connection.write(frame)

    def opened(self, line: str, connection: "_Connection") -> None:
        """Give a line what it has not acknowledged; an earlier connection of the same line ends."""
        earlier = self._connections.pop(line, None)
        if earlier is not None:
            earlier.close()
        self._connections[line] = connection
        for frame in self._served.opened(line):
            connection.write(frame)

    def closed(self, line: str, connection: "_Connection") -> None:
        if self._connections.get(line) is connection:
            del self._connections[line]

    def take(self, line: str, frame: Frame) -> None:
        """Take a frame of an open line. Raises DecodeError for one that does not belong there."""
        if frame.kind not in (Kind.MESSAGE, Kind.ACKNOWLEDGEMENT) or not 1 <= frame.number <= HIGHEST:
            raise DecodeError(f"{frame.kind.name.lower()} {frame.number} does not go this way")
        if frame.kind is Kind.MESSAGE:
            self._guard(self._served.take, line, frame.number, frame.octets)
        else:
            self._served.settle(line, frame.number)
        self._waiting += 1
        if self._waiting >= _LARGEST_GROUP:
            self._flush()
        elif self._flushing is None:
            self._flushing = self._loop.call_soon(self._flush)

    # --- the DSP ---

    def _flush(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
        self._flushing, self._waiting = None, 0
        self._guard(self._served.flush)
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None
        if self._served.wake_at is not None:
            delay = max(0, self._served.wake_at - self._now()) / SECOND
            self._waking = self._loop.call_later(min(delay, _LONGEST_ALARM), self._wake)

    def _wake(self) -> None:
        self._waking = None
        self._guard(self._served.wake)
        self._flush()

    def _guard(self, act: Callable[..., None], *arguments: object) -> None:
        """Do something with the DSP. What it raises ends the process: memory and store may differ then."""
        if self._failed.done():
            return
        try:
            act(*arguments)
        except Exception as error:  # noqa: BLE001 - handed to who awaits `run`, which raises it
            self._failed.set_exception(error)


class _Connection(asyncio.Protocol):
    def __init__(self, server: LineServer) -> None:
        self._server, self._reader = server, FrameReader()
        self._line: str | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._line is not None:
            self._server.closed(self._line, self)

    def data_received(self, data: bytes) -> None:
        try:
            for frame in self._reader.feed(data):
                if self._line is None:
                    self._open(frame)
                else:
                    self._server.take(self._line, frame)
        except DecodeError as error:
            _log.warning("line %s: %s", self._line, error)
            self.write(Frame(Kind.REFUSAL, 0, str(error).encode()))
            self.close()

    def _open(self, frame: Frame) -> None:
        line = line_of(frame)
        try:
            if line != CSP and str(Eui64.parse(line)) != line:
                raise InputError(line)
        except InputError:
            raise DecodeError(f"{line[:40]!r} is no line: {CSP} or 16 lower hexadecimal digits") from None
        self._line = line
        self._server.opened(line, self)

    def write(self, frame: Frame) -> None:
        if self._transport is not None:
            self._transport.write(frame.encode())

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
