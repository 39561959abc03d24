"""Where rows of the DSP are read from: a run's folder, a store's file, or the URL of a store."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gateway.campaigns.verify.folder import Event, read_store, read_summary, read_timeline

Row = Mapping[str, Any]
_SQLITE = "sqlite:///"


class Source(NamedTuple):
    """tables: rows by table, as the store has them. timeline, summary: of a run's folder, else empty."""

    name: str
    tables: Mapping[str, Sequence[Row]]
    timeline: Sequence[Event] = ()
    summary: Mapping[str, Any] = {}

    def rows(self, table: str) -> Sequence[Row]:
        return self.tables.get(table, ())


def read_source(place: str) -> Source:
    """Read `place`: a folder, a file, or a URL as of SQLAlchemy. Raises InputError where there is no store."""
    if place.startswith(_SQLITE):
        return Source(place, read_store(Path(place.removeprefix(_SQLITE))))
    if "://" in place:
        from gateway.store import Store

        store = Store(place)
        try:
            return Source(place, store.load())
        finally:
            store.close()
    path = Path(place)
    if not path.is_dir():
        return Source(place, read_store(path))
    if not (path / "timeline.jsonl").is_file():
        return Source(place, read_store(path / "store.db"))
    timeline, summary = read_timeline(path / "timeline.jsonl"), read_summary(path / "summary.json")
    return Source(place, read_store(path / "store.db"), timeline, summary)
