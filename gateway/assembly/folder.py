"""The output folder of a run: everything `hanlab verify` needs, in open formats."""

import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TextIO

from protocols.errors import InputError
from protocols.interfaces import SECOND

MARKER = ".hanlab-run"
FORMAT = 1


def iso(when: int) -> str:
    """Return nanoseconds since 1970 as ISO 8601 UTC with nine decimals."""
    seconds, rest = divmod(when, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


class RunFolder:
    """A folder this program made. One made by anybody else is never touched."""

    def __init__(self, path: Path) -> None:
        if path.exists() and not path.is_dir():
            raise InputError(f"{path}: is not a folder")
        if path.is_dir() and any(path.iterdir()):
            if not (path / MARKER).exists():
                raise InputError(f"{path}: not empty and not made by hanlab; choose another --out")
            shutil.rmtree(path)
        path.mkdir(parents=True, exist_ok=True)
        (path / MARKER).write_text(f"{FORMAT}\n", encoding="utf-8")
        self.path = path

    def file(self, name: str) -> Path:
        """Return the path of a file of this run; its folder exists."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write_json(self, name: str, value: object) -> None:
        text = json.dumps(value, indent=1, ensure_ascii=False)
        self.file(name).write_text(text + "\n", encoding="utf-8")


class Now(Protocol):
    """The part of a clock that evidence needs."""

    def now(self) -> int: ...


class TimelineListener(Protocol):
    """Somebody who watches a run: the progress display, the reports."""

    def noted(self, now: int, actor: str, event: str, fields: Mapping[str, str | int | bool | None]) -> None: ...


class Timeline:
    """`protocols.interfaces.Recorder`: one JSON object a line, in the order things happened."""

    def __init__(self, clock: Now, stream: TextIO) -> None:
        self._clock, self._stream = clock, stream
        self.listeners: list[TimelineListener] = []

    def note(self, actor: str, event: str, **fields: str | int | bool | None) -> None:
        now = self._clock.now()
        line = {"time": iso(now), "ns": now, "actor": actor, "event": event} | dict(sorted(fields.items()))
        self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        for listener in self.listeners:
            listener.noted(now, actor, event, fields)


class MessageLog:
    """Octets one party got or sent, a file each, named by order and time."""

    def __init__(self, folder: RunFolder, clock: Now, name: str) -> None:
        self._folder, self._clock, self._name = folder, clock, name
        self._count = 0

    def keep(self, octets: bytes) -> None:
        self._count += 1
        self._folder.file(f"{self._name}/{self._count:06d}-{self._clock.now()}.xml").write_bytes(octets)


class PackedMessageLog:
    """Octets one party got or sent, all in one file, a line each: for runs with thousands of them."""

    def __init__(self, folder: RunFolder, clock: Now, name: str) -> None:
        self._file, self._clock = folder.file(f"{name}.jsonl"), clock
        self._file.touch()
        self._stream = self._file.open("a", encoding="utf-8", newline="\n")

    def keep(self, octets: bytes) -> None:
        """Keep UTF-8 octets."""
        self._stream.write(json.dumps({"ns": self._clock.now(), "message": octets.decode()}) + "\n")

    def close(self) -> None:
        self._stream.close()
