"""Offers an `Rcp` to one host at a time: over TCP, or over a pseudo-terminal where the system has them.

Frames leave at the pace of a real dongle's serial line. Some hosts depend on it: they lose their way when the outcome
of a transmission and the answer to it come in one read.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from typing import cast

from emulator.dongle.rcp import Rcp
from emulator.real_clock import RealTimeClock
from protocols.errors import InputError

BAUD = 460_800  # of the line, both ways; 10 bits an octet
UNREAD_LIMIT = 64 * 1024  # octets a host may leave unread before frames to it are dropped
_BACKLOG = 1.0  # seconds of frames the line may hold


class Line:
    """The serial line of a dongle: who is at its other end now. `rcp` is set before anything is connected."""

    rcp: Rcp

    def __init__(self, clock: RealTimeClock, tell: Callable[[str], None] = lambda text: None) -> None:
        """`tell` hears of hosts that come and go."""
        self._clock, self._tell = clock, tell
        self._transport: asyncio.WriteTransport | None = None
        self._free_at = 0.0  # loop time at which the line has sent all it was given
        self.dropped = 0  # frames that nobody read

    def write(self, frame: bytes) -> None:
        """Send one frame to the host, in one piece; without a host it is lost, as on an open line."""
        transport = self._transport
        if transport is None:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        begin = max(now, self._free_at)
        if transport.get_write_buffer_size() > UNREAD_LIMIT or begin - now > _BACKLOG:
            self.dropped += 1
            return
        self._free_at = begin + len(frame) * 10 / BAUD
        loop.call_at(self._free_at, self._sent, transport, frame)

    def _sent(self, transport: asyncio.WriteTransport, frame: bytes) -> None:
        if transport is self._transport:
            transport.write(frame)

    def take(self, octets: bytes) -> None:
        self._clock.catch_up()
        self.rcp.feed(octets)

    def connect(self, transport: asyncio.WriteTransport, who: str | None = None) -> None:
        """Let `transport` be the line; a connection there is ends: the newest host has the dongle.

        who: the host, None where that cannot be told.
        """
        old, self._transport = self._transport, transport
        if old is not None:
            self._tell("another host takes the dongle")
            old.close()
        self._clock.catch_up()
        self.rcp.plug()
        if who is not None:
            self._tell(f"host connected: {who}")

    def disconnect(self, transport: asyncio.BaseTransport | None) -> None:
        """The host is gone: the radio is off, as that of a dongle pulled out."""
        if transport is self._transport:
            self._transport = None
            self._clock.catch_up()
            self.rcp.unplug()
            self._tell("host disconnected")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Connection(asyncio.Protocol):
    """One TCP connection of a host. asyncio sets TCP_NODELAY."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        host, port = transport.get_extra_info("peername")[:2]
        self._line.connect(self._transport, f"{host}:{port}")

    def data_received(self, data: bytes) -> None:
        self._line.take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._line.disconnect(self._transport)


async def serve_tcp(line: Line, host: str, port: int) -> asyncio.Server:
    """Listen on one address; port 0 takes a free one. Raises InputError if the address cannot be had."""
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(lambda: _Connection(line), host, port)
    except OSError as wrong:
        raise InputError(f"tcp://{host}:{port} cannot be served: {wrong.strerror or wrong}") from wrong


async def serve_pty(line: Line) -> str:
    """Open a pseudo-terminal and return the path of the end that a host opens like a serial port."""
    if sys.platform == "win32":
        raise InputError("this system has no pseudo-terminals; use --rcp tcp://127.0.0.1:PORT")
    import tty  # POSIX only

    ours, theirs = os.openpty()  # `theirs` stays open, so that the line lives on between two hosts
    tty.setraw(theirs)
    loop = asyncio.get_running_loop()
    file = os.fdopen(ours, "r+b", buffering=0)
    writing, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(os.dup(ours), "wb", buffering=0))
    await loop.connect_read_pipe(lambda: _PtyEnd(line), file)
    line.connect(writing)
    return os.ttyname(theirs)


class _PtyEnd(asyncio.Protocol):
    def __init__(self, line: Line) -> None:
        self._line = line

    def data_received(self, data: bytes) -> None:
        self._line.take(data)
