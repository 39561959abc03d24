"""`hanlab report`: what the DCC reports, from a store, as a table, CSV or JSON."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.campaigns.reports.report import Report

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

_NAMES = "althanco, esi-034, esi-034i, toc, pm-2.2, downloads, outcomes, suppression, false-ad1 or mp105."


class Form(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command()
def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_NAMES)],
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A run's folder, a store's file, or its URL.")],
    month: Annotated[str | None, typer.Option(help="A calendar month, e.g. 2026-03; else all recorded.")] = None,
    form: Annotated[Form, typer.Option("--format", help="How it is written.")] = Form.TABLE,
    against: Annotated[
        Path | None, typer.Option(help="With althanco: a CSV with device_id to hold against it; tells differences.")
    ] = None,
) -> None:
    """Make a report from a store, which is left as it is."""
    from gateway.campaigns.reports import report as reports
    from gateway.campaigns.reports.bridges import compare
    from gateway.campaigns.reports.registry import report as made
    from gateway.campaigns.sources import read_source
    from protocols.errors import InputError

    if against is not None and name != "althanco":
        raise InputError(f"--against goes with althanco, not with {name}")
    period = reports.ALL if month is None else reports.month(month)
    rows = read_source(source)
    found = made(name, rows, period) if against is None else compare(rows, period, against)
    if form is Form.TABLE:
        _show(found)
    else:
        print(found.csv() if form is Form.CSV else found.json(), end="" if form is Form.CSV else "\n")


def _show(found: "Report") -> None:
    from rich.console import Console
    from rich.table import Table

    from gateway.campaigns.reports.report import plain

    console = Console(highlight=False, width=None if Console().is_terminal else 250)
    table = Table(*found.columns, box=None, pad_edge=False)
    for row in found.rows:
        table.add_row(*map(plain, row))
    console.print(f"{found.name}, {found.period}: {len(found.rows)} rows")
    if found.rows:
        console.print(table)
