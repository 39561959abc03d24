"""Each device's day, added up from the timeline of a run."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from protocols.errors import InputError
from protocols.interfaces import DAY, MINUTE, SECOND
from protocols.zcl.clusters.metering import Attribute as Metering

Line = Mapping[str, Any]

_METERED = ("time", "ns", "actor", "event")
_HALF_HOUR = 30 * MINUTE
_ZIGBEE_EPOCH = 946_684_800  # s from 1970 to 2000-01-01 UTC
_SNAPSHOT = f"{Metering.READING_SNAPSHOT_TIME:04X}"  # as the hub tells what it mirrored


@dataclass(slots=True)
class DeviceDay:
    """What one device went through on one day (UTC). Times in ns, amounts in octets."""

    day: str  # e.g. 2026-03-02
    device: str  # e.g. home-1/esme
    off: int = 0  # time without power, restarts included
    joined: int = 0  # times it came into a network, or back into one
    downloaded: int = 0  # octets of images it has taken whole
    activated: str = ""  # the version it went to
    alerts: list[str] = field(default_factory=list)  # codes
    told: dict[str, str | int | bool | None] = field(default_factory=dict)  # what it told of itself at midnight


Point: TypeAlias = tuple[int, int]  # time in ns since 1970 UTC, value


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time of one device: an outage, or what follows once another has taken its place."""

    device: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """How an image of `size` octets came to a device; one that stopped half way has less than `size` at its end."""

    device: str
    version: str
    size: int
    kept: tuple[Point, ...]  # octets that are stored, from 0 on

    @property
    def begin(self) -> int:
        return self.kept[0][0]

    @property
    def end(self) -> int:
        return self.kept[-1][0]


@dataclass(frozen=True, slots=True)
class Life:
    """A run as it is shown. Times in ns since 1970 UTC."""

    begin: int
    end: int
    days: tuple[DeviceDay, ...]  # by day, then device
    outages: tuple[Span, ...]
    transfers: tuple[Transfer, ...]  # in order of their ends
    demand: Mapping[str, tuple[Point, ...]]  # by meter: W, the mean of each half-hour, as its profile has it
    lags: Mapping[str, tuple[Point, ...]]
    """By display: s, how old the gas reading was that it showed; by hub: that the mirror held when the next came."""
    steps: tuple[tuple[int, str], ...] = ()  # when a chapter of the story began, and its title
    replaced: tuple[Span, ...] = ()  # of hubs, since another took their place


def read(folder: Path) -> Life:
    """Read the timeline of a run; InputError if there is none, or a line is no event."""
    path = folder / "timeline.jsonl"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return lived(json.loads(line) for line in lines)
    except (OSError, json.JSONDecodeError, KeyError) as error:
        raise InputError(f"{path}: no timeline: {error}") from error


def lived(lines: Iterable[Line]) -> Life:
    """Add up the lines of a timeline, which are in order of time."""
    book = _Book()
    for line in lines:
        book.note(line)
    return book.close()


def day_of(when: int) -> str:
    return f"{datetime.fromtimestamp(when // SECOND, UTC):%Y-%m-%d}"


class _Book:
    def __init__(self) -> None:
        self._days: dict[tuple[str, str], DeviceDay] = {}
        self._off: dict[str, int] = {}  # since when
        self._replaced: dict[str, int] = {}  # since when
        self._loading: dict[str, Transfer] = {}
        self._outages: list[Span] = []
        self._transfers: list[Transfer] = []
        self._demand: dict[str, list[Point]] = {}
        self._lags: dict[str, list[Point]] = {}
        self._mirrored: dict[str, int] = {}  # by hub: of when the reading in the mirror is, s since 2000
        self._steps: list[tuple[int, str]] = []
        self._begin: int | None = None
        self._end = 0

    def note(self, line: Line) -> None:
        now, actor, event = line["ns"], line["actor"], line["event"]
        self._begin = now if self._begin is None else self._begin
        self._end = now
        if event == "step":
            self._steps.append((now, str(line["title"])))
        if "/" not in actor or actor in self._replaced:
            return
        day = self._day(now, actor)
        if event == "power-off":
            self._off.setdefault(actor, now)
        elif event == "power-on":
            self._on(actor, now)
        elif event == "replaced":
            self._on(actor, now)  # it is without power for good, which is no outage
            self._replaced[actor] = now
        elif event == "joined":
            day.joined += 1
        elif event.startswith("download-"):
            self._download(day, now, event, line)
        elif event == "activated":
            day.activated = line["to_version"]
        elif event == "alert-sent":
            day.alerts.append(line["code"])
        elif event == "day":
            self._row(actor, now, line)
        elif event == "shown" and line.get("gas_at"):
            self._aged(actor, now, line["gas_at"])
        elif event == "mirrored" and _SNAPSHOT in line:
            before, self._mirrored[actor] = self._mirrored.get(actor), line[_SNAPSHOT]
            if before is not None:
                self._aged(actor, now, before)

    def _download(self, day: DeviceDay, now: int, event: str, line: Line) -> None:
        """Follow an image on its way; one that goes on after a restart keeps what it has."""
        actor, loading = day.device, self._loading.get(day.device)
        if event == "download-started":
            if loading is not None and (loading.version, loading.size) == (line.get("version", ""), line["size"]):
                return
            self._given_up(actor)
            self._loading[actor] = Transfer(actor, line.get("version", ""), line["size"], ((now, 0),))
        elif event == "download-kept" and loading is not None:
            self._loading[actor] = replace(loading, kept=(*loading.kept, (now, line["octets"])))
        elif event == "download-finished" and loading is not None:
            del self._loading[actor]
            self._transfers.append(replace(loading, kept=(*loading.kept, (now, loading.size))))
            day.downloaded += loading.size

    def _given_up(self, actor: str) -> None:
        loading = self._loading.pop(actor, None)
        if loading is not None:
            self._transfers.append(loading)

    def _aged(self, actor: str, now: int, taken: int) -> None:
        """Note how old a reading is that was taken so many s after 2000."""
        self._lags.setdefault(actor, []).append((now, now // SECOND - _ZIGBEE_EPOCH - taken))

    def _row(self, actor: str, now: int, line: Line) -> None:
        """Take the row that a device told of its day, which may be late: it was off at midnight."""
        date = line.get("date", day_of(now - 1))
        told = {name: value for name, value in line.items() if name not in _METERED}
        self._days.setdefault((date, actor), DeviceDay(date, actor)).told = told
        if line.get("kind") == "esme":
            self._curve(actor, date, str(line.get("profile", "")))
            if "second_profile" in line:
                self._curve(f"{actor}, second element", date, str(line["second_profile"]))

    def _curve(self, name: str, date: str, profile: str) -> None:
        """Take the half-hours of a day, Wh each, as power."""
        midnight = int(datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()) * SECOND
        curve = self._demand.setdefault(name, [])
        for number, entry in enumerate(profile.split()):
            if entry != "-":
                curve.append((midnight + number * _HALF_HOUR, int(entry) * DAY // _HALF_HOUR // 24))

    def close(self) -> Life:
        for actor in list(self._off):
            self._on(actor, self._end)
        for actor in list(self._loading):
            self._given_up(actor)
        days = sorted(self._days.values(), key=lambda day: (day.day, day.device))
        return Life(
            self._begin or 0, self._end, tuple(days), tuple(self._outages), tuple(self._transfers),
            {actor: tuple(points) for actor, points in self._demand.items()},
            {actor: tuple(points) for actor, points in self._lags.items()}, tuple(self._steps),
            tuple(Span(actor, since, self._end) for actor, since in self._replaced.items()),
        )  # fmt: skip

    def _day(self, now: int, actor: str) -> DeviceDay:
        day = day_of(now)
        return self._days.setdefault((day, actor), DeviceDay(day, actor))

    def _on(self, actor: str, now: int) -> None:
        begin = self._off.pop(actor, None)
        if begin is None or begin == now:
            return
        self._outages.append(Span(actor, begin, now))
        for start, end in _by_day(begin, now):
            self._day(start, actor).off += end - start


def _by_day(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a stretch of time at midnights."""
    while begin < end:
        midnight = (begin // DAY + 1) * DAY
        yield begin, min(end, midnight)
        begin = midnight


def as_json(day: DeviceDay) -> dict[str, Any]:
    return asdict(day)
