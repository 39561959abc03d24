"""`hanlab home run`."""

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from protocols.errors import InputError
from protocols.interfaces import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from rich.console import Console

EXIT_FAILED = 1
_PRINTED_WIDTH = 120  # columns, where the output is no terminal
_STRIP = 76  # columns of a device's strip
_UNITS = {"d": DAY, "h": HOUR, "m": MINUTE}


def duration(text: str) -> int:
    """Return the ns of e.g. 30d, 36h or 2880m; InputError for anything else."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([dhm])", text)
    if found is None:
        raise InputError(f"--for {text!r}: a number with d, h or m expected, such as 30d")
    return int(found[1]) * _UNITS[found[2]]


def run(described: str, length: str, out: Path, seed: int, *, as_json: bool, progress: bool, drawn: bool) -> None:
    """Run a life, show it, and exit 1 if a check fails."""
    from rich.console import Console

    from emulator.home import find_home
    from gateway.assembly.life.run import live

    console = Console(width=None if sys.stdout.isatty() else _PRINTED_WIDTH, highlight=False)
    shown = console if progress and console.is_terminal and not as_json else None
    home, wanted = find_home(described), duration(length)
    try:
        summary = live(home, out, duration=wanted, seed=seed, drawn=drawn, console=shown)
    except KeyboardInterrupt:
        print(f"hanlab: interrupted; what there is stands in {out}", file=sys.stderr)
        raise typer.Exit(130) from None
    if as_json:
        print(json.dumps(summary, indent=1, ensure_ascii=False))
    else:
        _show(summary, out, console, drawn=drawn)
    if not all(check["passed"] for check in summary["checks"]):
        raise typer.Exit(EXIT_FAILED)


def _show(summary: dict[str, Any], out: Path, console: "Console", *, drawn: bool) -> None:
    from gateway.assembly import tables
    from gateway.assembly.life import days, strips
    from gateway.assembly.life.tables import day_tables

    life = days.read(out)
    for table in day_tables(life):
        console.print(table)
    tables.show(summary, console)
    if drawn:
        console.print(strips.in_terminal(life, _STRIP))
    failed = [check for check in summary["checks"] if not check["passed"]]
    for check in failed:
        console.print(f"[red]failed[/] {check['requirement']} {check['name']}: {check['evidence']}")
    total = len(summary["checks"])
    console.print(f"{total - len(failed)} of {total} checks passed; evidence in {out}")
