"""`hanlab demo`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.assembly import run, tables
from gateway.assembly.sabotage import SABOTAGES
from gateway.assembly.stories import STORIES

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_PRINTED_WIDTH = 120  # columns, where the output is no terminal
_PLANTS = "Plant a defect that verify must find: " + ", ".join(SABOTAGES) + "."
_STORIES = "; ".join(f"{name}: {each.about}" for name, each in STORIES.items()) + "."


@app.command()
def demo(
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same octets.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder of evidence; one of an earlier run is made anew.")] = Path("run"),
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="Show progress on a terminal.")] = True,
    sabotage: Annotated[str | None, typer.Option(help=_PLANTS)] = None,
    story: Annotated[str | None, typer.Option(help=_STORIES)] = None,
) -> None:
    """Virtual homes update their devices over the air; leaves a folder of evidence."""
    console = Console(width=None if sys.stdout.isatty() else _PRINTED_WIDTH)
    shown = console if progress and console.is_terminal else None
    try:
        summary = run.demo(out, seed=seed, planted=sabotage, console=shown, story=story)
    except KeyboardInterrupt:
        print(f"hanlab: interrupted; what there is stands in {out}", file=sys.stderr)
        raise typer.Exit(130) from None
    tables.show(summary, console)
    failed = [check for check in summary["checks"] if not check["passed"]]
    for check in failed:
        console.print(f"[red]failed[/] {check['requirement']} {check['name']}: {check['evidence']}")
    console.print(
        f"{len(summary['checks']) - len(failed)} of {len(summary['checks'])} checks passed; evidence in {out}"
    )
    raise typer.Exit(1 if failed else 0)
