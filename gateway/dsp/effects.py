"""What a turn of the DSP asks its driver to do, in order."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.addresses import Eui64

Value = str | int | None  # of one column: times ns UTC, EUI-64 as 16 lower hex digits, versions as 8 upper ones


@dataclass(frozen=True, slots=True)
class Reply:
    """The synchronous answer to the request of this turn, DUIS octets."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class ToUser:
    """Deliver a DUIS response or alert to the user's receive service."""

    user: Eui64
    octets: bytes


@dataclass(frozen=True, slots=True)
class ToCsp:
    """Hand a message of `protocols.wan.smwan` to the CSP."""

    octets: bytes


class Write(NamedTuple):
    """Put the row of this key into a table, or remove it if `values` is None. `values` holds the key columns too."""

    table: str
    key: tuple[Value, ...]  # in the order of the table's primary key
    values: Mapping[str, Value] | None


class Append(NamedTuple):
    """Add a row to a table of records, which are never changed."""

    table: str
    row: tuple[Value, ...]  # all columns, in the order of the table


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Call `Dsp.wake` at this time (ns UTC). A later one of the same or another turn replaces it."""

    when: int


@dataclass(frozen=True, slots=True)
class Note:
    """Say something for the timeline of a run: `recorder.note("dsp", event, **fields)`."""

    event: str
    fields: Mapping[str, str | int | bool | None]


Effect = Reply | ToUser | ToCsp | Write | Append | WakeAt | Note


@dataclass(slots=True)
class Turn:
    """One input handled at one instant, and what follows from it."""

    now: int  # ns UTC
    effects: list[Effect] = field(default_factory=list)
    gate: Callable[[], None] | None = None  # called once before the first effect; what it raises keeps the turn empty
    late_replies_to: Eui64 | None = None  # this user no longer waits for the answer: it is delivered

    def reply(self, octets: bytes) -> None:
        self._open()
        user = self.late_replies_to
        self.effects.append(Reply(octets) if user is None else ToUser(user, octets))

    def to_user(self, user: Eui64, octets: bytes) -> None:
        self._open()
        self.effects.append(ToUser(user, octets))

    def to_csp(self, octets: bytes) -> None:
        self._open()
        self.effects.append(ToCsp(octets))

    def write(self, table: str, key: tuple[Value, ...], values: Mapping[str, Value] | None) -> None:
        self._open()
        self.effects.append(Write(table, key, values))

    def append(self, table: str, row: tuple[Value, ...]) -> None:
        self._open()
        self.effects.append(Append(table, row))

    def _open(self) -> None:
        gate, self.gate = self.gate, None
        if gate is not None:
            gate()

    def wake_at(self, when: int) -> None:
        self.effects.append(WakeAt(when))

    def note(self, event: str, **fields: str | int | bool | None) -> None:
        self.effects.append(Note(event, fields))

    @property
    def rows(self) -> list[Write | Append]:
        """What the store must commit before anything else of this turn is carried out."""
        return [effect for effect in self.effects if isinstance(effect, Write | Append)]
