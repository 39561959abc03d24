"""One end of a line to a served DSP, blocking: who sends, waits for the acknowledgement, and fetches what came."""

import socket
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from protocols.errors import HanlabError, InputError
from protocols.wan.line import Frame, FrameReader, Kind, hello

_CHUNK = 1 << 16


class LineError(HanlabError):
    """The line is gone, or the DSP refused it: what was not acknowledged may have been taken or not."""


class LineClient:
    """A line that is open until `close`. `inbox` grows with messages in order, each once; `acknowledge` lets go of one.

    last: the number of the last message handed on before, to know a repeated one.
    Raises InputError if nobody serves at the path, LineError if the line is refused.
    """

    def __init__(self, path: Path, line: str, *, timeout: float = 30.0, last: int = 0) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout)
        self._timeout = timeout
        self._reader = FrameReader()
        self._frames: deque[Frame] = deque()
        self._answers: dict[int, bytes] = {}
        self._taken = last
        self.inbox: deque[Frame] = deque()
        self.repeated = 0  # messages that came although they were there
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise InputError(f"{path}: no DSP is served there ({error.strerror or error})") from error
        self._send(hello(line))
        self.number = self._next().number  # of the last message the DSP took from this line

    def send(self, octets: bytes) -> bytes:
        """Send a message under the next number and return its answer, empty where there is none."""
        self.post(octets, self.number + 1)
        return self.answer(self.number)

    def post(self, octets: bytes, number: int) -> None:
        """Send a message without waiting; a number the DSP has already does nothing but bring its answer again."""
        self.number = max(self.number, number)
        self._send(Frame(Kind.MESSAGE, number, octets).encode())

    def answer(self, number: int) -> bytes:
        """Wait for the acknowledgement of a message and return the answer in it."""
        while number not in self._answers:
            self._dispatch(self._next())
        return self._answers.pop(number)

    def wait(self) -> Frame:
        """Return the next message of the DSP; it stays in the DSP's outbox until `acknowledge`."""
        while not self.inbox:
            self._dispatch(self._next())
        return self.inbox.popleft()

    def wait_for(self, seconds: float) -> Frame | None:
        """Return the next message of the DSP as `wait`, None if there is none in time."""
        self._socket.settimeout(seconds)
        try:
            return self.wait()
        except TimeoutError:
            return None
        finally:
            self._socket.settimeout(self._timeout)

    def acknowledge(self, number: int) -> None:
        """Say that a message is stored here."""
        self._send(Frame(Kind.ACKNOWLEDGEMENT, number).encode())

    def close(self) -> None:
        self._socket.close()

    def _dispatch(self, frame: Frame) -> None:
        if frame.kind is Kind.ACKNOWLEDGEMENT:
            self._answers[frame.number] = frame.octets
        elif frame.kind is Kind.MESSAGE and frame.number > self._taken:
            self._taken = frame.number
            self.inbox.append(frame)
        elif frame.kind is Kind.MESSAGE:
            self.repeated += 1
            self.acknowledge(frame.number)

    def _next(self) -> Frame:
        while not self._frames:
            try:
                octets = self._socket.recv(_CHUNK)
            except TimeoutError:
                raise
            except OSError as error:
                self._lost(str(error))
            if not octets:
                self._lost("the DSP closed the line")
            self._frames.extend(self._reader.feed(octets))
        frame = self._frames.popleft()
        if frame.kind is Kind.REFUSAL:
            self._lost(frame.octets.decode("utf-8", "replace"))
        return frame

    def _send(self, octets: bytes) -> None:
        try:
            self._socket.sendall(octets)
        except OSError as error:
            self._lost(str(error))

    def _lost(self, why: str) -> NoReturn:
        self.close()
        raise LineError(why) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
