"""The DSP with its store under it: what came in, what it led to and what goes out are one commit.

Nothing is acknowledged, answered or sent before the commit that holds it; whoever gets no acknowledgement sends again.
So after a crash nothing that was acknowledged is lost, and what comes again is known by its number and done once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from gateway.dsp.effects import Append, Note, Reply, ToCsp, ToUser, Turn, WakeAt, Write
from gateway.dsp.submissions import Submission
from gateway.store import Line, Outgoing, Received, Rows
from protocols.addresses import Eui64
from protocols.wan.line import CSP, Frame, Kind


class Machine(Protocol):
    """The DSP as it is driven; `gateway.dsp.machine.Dsp` is one."""

    def read(self, user: Eui64, octets: bytes, now: int) -> Submission: ...
    def handle(self, submission: Submission) -> Turn: ...
    def from_csp(self, octets: bytes, now: int) -> Turn: ...
    def wake(self, now: int) -> Turn: ...
    def restore(self, tables: Rows) -> None: ...
    def start(self, now: int) -> Turn: ...


class TurnStore(Protocol):
    """What is asked of a store; `gateway.store.Store` is one."""

    def load(self) -> Rows: ...
    def lines(self) -> list[Line]: ...
    def outbox(self) -> list[Outgoing]: ...
    def reply(self, line: str, message_id: int) -> bytes | None: ...
    def commit(
        self,
        rows: list[Write | Append],
        *,
        received: list[Received],
        outgoing: list[Outgoing],
        settled: list[tuple[str, int]],
        lines: list[Line],
    ) -> None: ...


@dataclass(slots=True)
class _Progress:
    """How far one line has come."""

    committed: int = 0  # last message taken from it that is in the store
    received: int = 0  # last message taken from it
    sent: int = 0  # last message given to it


class _Taken(NamedTuple):
    message: Received
    read: Submission | None  # None: of the CSP


class ServedDsp:
    """One DSP restored from its store. Call `take`, `settle`, `wake` as things come, then `flush` for all of them.

    `take` reads and judges, `flush` handles, in the order things were taken: each of the two, done many times in a row,
    is a quarter faster than one after the other.

    now: ns UTC. release: takes a line and a frame for it; called in `flush` and `take`, after the commit only.
    If `flush` raises, this object is of no more use: the process ends, and another goes on from the store.
    """

    def __init__(
        self,
        dsp: Machine,
        store: TurnStore,
        now: Callable[[], int],
        release: Callable[[str, Frame], None],
        note: Callable[[Note], None] | None = None,
    ) -> None:
        self._dsp, self._store, self._now, self._release, self._note = dsp, store, now, release, note
        self._progress = {line.line: _Progress(line.received, line.received, line.sent) for line in store.lines()}
        self._unsettled: dict[str, dict[int, bytes]] = {}
        for message in store.outbox():
            self._unsettled.setdefault(message.line, {})[message.message_id] = message.octets
        self.wake_at: int | None = None
        self._begin_group()
        dsp.restore(store.load())
        self._add(dsp.start(now()))
        self.flush()

    def _begin_group(self) -> None:
        self._taken: list[_Taken] = []
        self._rows: list[Write | Append] = []
        self._received: list[Received] = []
        self._outgoing: list[Outgoing] = []
        self._settled: list[tuple[str, int]] = []
        self._moved: dict[str, None] = {}  # lines that came further

    # --- what comes in ---

    def take(self, line: str, number: int, octets: bytes) -> None:
        """Take a message of a line; one known by its number is only acknowledged again."""
        progress = self._line(line)
        if number <= progress.committed:
            self._release(line, Frame(Kind.ACKNOWLEDGEMENT, number, self._store.reply(line, number) or b""))
        if number <= progress.received:
            return  # or it stands in the group under way, and will be acknowledged with it
        now = self._now()
        read = None if line == CSP else self._dsp.read(Eui64.parse(line), octets, now)
        progress.received = number
        self._taken.append(_Taken(Received(line, number, now, octets), read))
        self._moved[line] = None

    def settle(self, line: str, number: int) -> None:
        """A line has stored a message of ours: it is sent no more."""
        if self._unsettled.get(line, {}).pop(number, None) is not None:
            self._settled.append((line, number))

    def wake(self) -> None:
        """Do what is due."""
        self._handle()
        self.wake_at = None
        self._add(self._dsp.wake(self._now()))

    def administer(self, turn: Turn) -> None:
        """Commit a turn that no line asked for, and release what it led to."""
        self._handle()
        self._add(turn)
        self.flush()

    def opened(self, line: str) -> list[Frame]:
        """Return what a line gets first: how far it has come, then all it has not acknowledged."""
        unsettled = self._unsettled.get(line, {})
        welcome = Frame(Kind.WELCOME, self._line(line).received)
        return [welcome, *(Frame(Kind.MESSAGE, number, octets) for number, octets in unsettled.items())]

    # --- turns ---

    def _line(self, line: str) -> _Progress:
        return self._progress.setdefault(line, _Progress())

    def _add(self, turn: Turn) -> bytes | None:
        """Put a turn into the group under way; return its answer."""
        reply = None
        for effect in turn.effects:
            match effect:
                case Write() | Append():
                    self._rows.append(effect)
                case Reply(octets):
                    reply = octets
                case ToUser(user, octets):
                    self._send(str(user), octets)
                case ToCsp(octets):
                    self._send(CSP, octets)
                case WakeAt(when):
                    self.wake_at = when
                case Note() if self._note is not None:
                    self._note(effect)
        return reply

    def _send(self, line: str, octets: bytes) -> None:
        progress = self._line(line)
        progress.sent += 1
        self._outgoing.append(Outgoing(line, progress.sent, octets))
        self._moved[line] = None

    # --- out ---

    def flush(self) -> None:
        """Handle all that came since the last call, commit it in one transaction, then release what it led to."""
        self._handle()
        self._commit()
        received, outgoing = self._received, self._outgoing
        self._begin_group()
        self._let_go(received, outgoing)

    def _handle(self) -> None:
        for message, read in self._taken:
            turn = self._dsp.from_csp(message.octets, message.time) if read is None else self._dsp.handle(read)
            self._received.append(message._replace(reply=self._add(turn)))
        self._taken = []

    def _commit(self) -> None:
        self._store.commit(
            self._rows,
            received=self._received,
            outgoing=self._outgoing,
            settled=self._settled,
            lines=[Line(line, self._line(line).received, self._line(line).sent) for line in self._moved],
        )

    def _let_go(self, received: list[Received], outgoing: list[Outgoing]) -> None:
        for taken in received:
            progress = self._line(taken.line)
            progress.committed = max(progress.committed, taken.message_id)
            self._release(taken.line, Frame(Kind.ACKNOWLEDGEMENT, taken.message_id, taken.reply or b""))
        for line, number, octets in outgoing:
            self._unsettled.setdefault(line, {})[number] = octets
            self._release(line, Frame(Kind.MESSAGE, number, octets))
