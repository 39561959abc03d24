"""`hanlab suppression replay`: what other rules would have done with a recorded stream of power outages."""

import gc
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from protocols.errors import InputError
from protocols.interfaces import SECOND

if TYPE_CHECKING:
    from gateway.campaigns.replay.comparison import Verdict
    from gateway.campaigns.replay.rules import Rules
    from gateway.campaigns.replay.stream import Event
    from gateway.dsp.tracked import TrackedList

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def suppression() -> None:
    """Suppression of AD1 around firmware activations (MP102B)."""


@app.command()
def replay(
    stream: Annotated[str, typer.Argument(metavar="STREAM", help="A run's folder, a store, JSON lines or CSV.")],
    rules: Annotated[list[Path], typer.Option("--rules", help="A YAML file; give it once for each set of rules.")],
    tracked: Annotated[Path | None, typer.Option(help="The list, for rules that name none of their own.")] = None,
    bad_share: Annotated[float, typer.Option(min=0, max=1, help="Share of its lines that may be no EUI-64.")] = 0.01,
    shown: Annotated[int, typer.Option("--show", min=0, help="Alerts named for each set of rules.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object with every alert that differs.")] = False,
) -> None:
    """Tell what is lost, leaked or late under each set of rules.

    By the true cause of each outage where the stream tells it, else held against the first set of rules.
    """
    from gateway.campaigns.replay.comparison import compare
    from gateway.campaigns.replay.replay import replay as replayed
    from gateway.campaigns.replay.rules import read_rules

    gc.disable()  # nothing here makes cycles, and looking for them among a million events takes half the time
    sets = [read_rules(path) for path in rules]
    events, known = _stream(stream)
    lists = _lists(sets, tracked, bad_share, known)
    try:
        verdicts = compare([replayed(events, one, lists[one.tracked or tracked]) for one in sets])
    except InputError as error:
        raise InputError(f"{stream}: {error}") from error
    if as_json:
        print(json.dumps([_plain(verdict) for verdict in verdicts], indent=1))
    else:
        _show(verdicts, shown)


def _stream(place: str) -> "tuple[list[Event], TrackedList | None]":
    """Return the events, and the list where the recording itself knows who was on it."""
    from gateway.campaigns.replay.stream import read_stream
    from gateway.dsp.tracked import TrackedList

    path = Path(place)
    if path.suffix in (".jsonl", ".csv"):
        return read_stream(path), None
    from gateway.campaigns.replay.recorded import recorded_events
    from gateway.campaigns.sources import read_source

    recorded = recorded_events(read_source(place))
    return recorded.events, TrackedList(recorded.tracked)


def _lists(
    sets: "Sequence[Rules]", tracked: Path | None, bad_share: float, known: "TrackedList | None"
) -> "dict[Path | None, TrackedList]":
    """Return each list that a set of rules wants, read once."""
    from gateway.dsp.tracked_file import read_tracked

    lists: dict[Path | None, TrackedList] = {} if known is None else {None: known}
    for wanted in dict.fromkeys(one.tracked or tracked for one in sets):
        if wanted is not None:
            lists[wanted] = read_tracked(wanted, bad_share)
        elif known is None:
            raise InputError("no list: give --tracked, or name one in each set of rules")
    return lists


def _plain(verdict: "Verdict") -> dict[str, object]:
    return verdict._asdict() | {"differences": [difference._asdict() for difference in verdict.differences]}


_COLUMNS = (
    "rules", "list", "alerts", "delivered", "suppressed", "lost", "leaked", "late", "median late", "judged by",
)  # fmt: skip


def _show(verdicts: "Sequence[Verdict]", shown: int) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, width=None if Console().is_terminal else 120)
    columns = (
        "rules",
        "list",
        "alerts",
        "delivered",
        "suppressed",
        "lost",
        "leaked",
        "late",
        "median late",
        "judged by",
    )
    table = Table(*columns, box=None, pad_edge=False)
    for verdict in verdicts:
        late = "" if verdict.median_late_seconds is None else f"{verdict.median_late_seconds} s"
        counts = (verdict.alerts, verdict.delivered, verdict.suppressed, verdict.lost, verdict.leaked, verdict.late)
        table.add_row(verdict.rules, verdict.list_version, *(f"{n:,}" for n in counts), late, verdict.judged_by)
    console.print(table)
    for verdict in verdicts:
        for one in verdict.differences[:shown]:
            received = datetime.fromtimestamp(one.received // SECOND, UTC)
            late = "" if one.late_seconds is None else f" by {one.late_seconds} s"
            alert = f"hub {one.hub} MPxN {one.mpxn or 'unknown'} received {received:%Y-%m-%d %H:%M:%SZ}"
            console.print(f"{verdict.rules}: {one.what}{late}: {alert}", soft_wrap=True)
        if len(verdict.differences) > shown:
            console.print(f"{verdict.rules}: and {len(verdict.differences) - shown:,} more")
