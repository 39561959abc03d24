"""A recorder that keeps what actors say."""

from typing import NamedTuple


class Entry(NamedTuple):
    actor: str
    event: str
    fields: dict[str, str | int | bool | None]


class Timeline:
    """`protocols.interfaces.Recorder` in memory."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def note(self, actor: str, event: str, **fields: str | int | bool | None) -> None:
        self.entries.append(Entry(actor, event, fields))

    def of(self, event: str) -> list[dict[str, str | int | bool | None]]:
        """Return the fields of every `event`, in order."""
        return [entry.fields for entry in self.entries if entry.event == event]
