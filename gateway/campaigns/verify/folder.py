"""Reads the output folder of a run into plain values. Nothing is judged here.

Whatever cannot be read raises InputError with the file, and the line where there is one.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gateway.campaigns.verify.shapes import Columns, check_event, check_summary
from protocols.addresses import Eui64
from protocols.crypto.ecqv import Authority
from protocols.crypto.suites import Suite
from protocols.errors import InputError
from protocols.gbcs.keystore import Keystore

FORMAT = 1  # of summary.json; a newer one is refused
AUTHORITIES_FORMAT = 1  # of certificates/cbke.json
STORE_SCHEMA = 2  # of store.db; a newer one is refused

WAN = "wan.jsonl"  # of a fleet without radio, in place of a capture

Value = str | int | bool | None
Row = Mapping[str, Any]  # one row of store.db by column


class Event(NamedTuple):
    """One line of timeline.jsonl."""

    time: int  # ns UTC
    actor: str
    name: str
    fields: Mapping[str, Value]

    def text(self, field: str) -> str:
        """Return a field as text, empty when it is absent."""
        value = self.fields.get(field)
        return "" if value is None else str(value)


class Logged(NamedTuple):
    """One message a user got or sent."""

    user: str
    number: int
    time: int  # ns UTC, of receipt or sending
    octets: bytes

    @property
    def place(self) -> str:
        return f"{self.user}/{self.number:06d}"


@dataclass(frozen=True)
class RunFiles:
    """Everything the folder holds, but the capture, which is only named."""

    path: Path
    summary: Mapping[str, Any]
    timeline: tuple[Event, ...]
    received: tuple[Logged, ...]  # by user, in order of receipt
    sent: tuple[Logged, ...]  # by user, in order of sending
    certificates: Keystore  # of all entities
    organisations: Keystore  # private keys too, of organisations only; empty where the folder has none
    store: Mapping[str, tuple[Row, ...]]  # by table, in order of insertion
    authorities: Mapping[Suite, Authority]  # whose certificates nodes trust in key establishment

    @property
    def capture(self) -> Path:
        return self.path / "capture.pcapng"

    @property
    def wan(self) -> Path:
        """GBCS messages at the hubs, of a run without radio."""
        return self.path / WAN

    @property
    def keys(self) -> Path:
        return self.path / "keys.txt"


def read_folder(path: Path) -> RunFiles:
    """Read an output folder; InputError names what is missing or damaged."""
    if not path.is_dir():
        raise InputError(f"{path}: not a folder")
    summary = read_summary(path / "summary.json") if (path / WAN).is_file() else {}
    for name in () if summary else ("capture.pcapng", "keys.txt"):
        if not (path / name).is_file():
            raise InputError(f"{path / name}: missing")
    return RunFiles(
        path=path,
        summary=summary or read_summary(path / "summary.json"),
        timeline=read_timeline(path / "timeline.jsonl"),
        received=_read_messages(path / "mailboxes"),
        sent=_read_messages(path / "requests"),
        certificates=_read_keys(path / "certificates", wanted=True),
        organisations=_read_keys(path / "keystore", wanted=False),
        store=read_store(path / "store.db"),
        authorities={} if summary else _read_authorities(path / "certificates" / "cbke.json"),
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{path}: missing") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def read_summary(path: Path) -> Mapping[str, Any]:
    try:
        summary = json.loads(_read_text(path))
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: {error}") from error
    if not isinstance(summary, dict):
        raise InputError(f"{path}: not a JSON object")
    check_summary(summary, str(path))
    form = summary.get("format", FORMAT)
    if not isinstance(form, int) or form > FORMAT:
        raise InputError(f"{path}: format {form} is newer than this program reads ({FORMAT})")
    return summary


def _read_authorities(path: Path) -> dict[Suite, Authority]:
    try:
        told = json.loads(_read_text(path))
        if told["format"] > AUTHORITIES_FORMAT:
            raise InputError(f"{path}: format {told['format']} is newer than this program reads ({AUTHORITIES_FORMAT})")
        found = [_authority(one) for one in told["authorities"]]
    except json.JSONDecodeError as error:
        raise InputError(f"{path}: line {error.lineno}: {error.msg}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: no list of authorities: {error}") from error
    return {authority.suite: authority for authority in found}


def _authority(told: Mapping[str, Any]) -> Authority:
    """Raises KeyError, TypeError, ValueError or InputError for what is none."""
    return Authority(Suite(told["suite"]), Eui64.parse(told["issuer"]), bytes.fromhex(told["public_key"]))


def read_timeline(path: Path) -> tuple[Event, ...]:
    events = []
    for number, line in enumerate(_read_text(path).splitlines(), 1):
        try:
            fields = json.loads(line)
            event = Event(fields.pop("ns"), fields.pop("actor"), fields.pop("event"), fields)
        except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
            raise InputError(f"{path}: line {number}: not an event: {error}") from error
        check_event(*event, f"{path}: line {number}")
        events.append(event)
    return tuple(events)


def _read_messages(path: Path) -> tuple[Logged, ...]:
    """Read a folder a user, a file a message; or a file a user, a line a message, of a fleet."""
    if not path.is_dir():
        raise InputError(f"{path}: missing")
    messages: list[Logged] = []
    for user in sorted(path.iterdir()):
        if user.suffix == ".jsonl":
            messages += _read_lines(user)
        for file in sorted(user.glob("*.xml")) if user.is_dir() else ():
            number, _, time = file.stem.partition("-")
            if not (number.isdecimal() and time.isdecimal()):
                raise InputError(f"{file}: not named NNNNNN-<ns>.xml")
            messages.append(Logged(user.name, int(number), int(time), file.read_bytes()))
    return tuple(messages)


def _read_lines(path: Path) -> Iterator[Logged]:
    for number, line in enumerate(_read_text(path).splitlines(), 1):
        try:
            told = json.loads(line)
            yield Logged(path.stem, number, told["ns"], told["message"].encode())
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: line {number}: not a message: {error}") from error


def _read_keys(path: Path, *, wanted: bool) -> Keystore:
    if not wanted and not path.is_dir():
        return Keystore()
    return Keystore.load(path)


def read_store(path: Path) -> dict[str, tuple[Row, ...]]:
    """Read all tables of a store, which is left as it is."""
    if not path.is_file():
        raise InputError(f"{path}: missing")
    log = path.with_name(path.name + "-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)
        try:
            connection.row_factory = sqlite3.Row
            names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            tables = {name: _rows(connection, name, path) for name in sorted(names) if not name.startswith("sqlite_")}
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise InputError(f"{path}: not a store: {error}") from error
    for row in tables.get("alembic_version", ()):
        version = str(row["version_num"])
        if not version.isdecimal() or int(version) > STORE_SCHEMA:
            raise InputError(f"{path}: schema {version} is newer than this program reads ({STORE_SCHEMA})")
    return tables


def _rows(connection: sqlite3.Connection, table: str, path: Path) -> tuple[Row, ...]:
    quoted, columns = table.replace('"', '""'), Columns(connection, table, str(path))
    rows = tuple(dict(row) for row in connection.execute(f'SELECT * FROM "{quoted}"'))  # noqa: S608 - a name of sqlite_master
    for number, row in enumerate(rows, 1):
        columns.check(row, number)
    return rows
