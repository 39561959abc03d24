"""`hanlab verify`: recompute every check of a run from its output folder alone."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:  # the checks need lxml and cryptography: imported only when there is something to check
    from gateway.campaigns.verify import Check

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

EXIT_FAILED = 1


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The output folder of a run.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Recompute every check of a run from its output folder alone.

    Exit 0 if all checks pass, 1 if one fails, 2 if the folder cannot be read.
    """
    from gateway.campaigns.verify import verify as judged

    checks = judged(folder)
    if as_json:
        print(json.dumps(report(checks), indent=1, ensure_ascii=False))
    else:
        show(checks)
    if not all(check.passed for check in checks):
        raise typer.Exit(EXIT_FAILED)


def failed_requirements(checks: "Sequence[Check]") -> list[str]:
    """Return the ids of the requirements with a failed check, each once."""
    return list(dict.fromkeys(check.requirement for check in checks if not check.passed))


def report(checks: "Sequence[Check]") -> dict[str, object]:
    """Return what `--json` prints; `checks` is also the form of summary.json."""
    failed = failed_requirements(checks)
    return {"passed": not failed, "failed": failed, "checks": [check._asdict() for check in checks]}


SHOWN = 240  # characters of evidence on a terminal; a failed check, a pipe and --json show all


def show(checks: "Sequence[Check]") -> None:
    """Print the table, failed checks in colour, and the verdict; a line a check where nobody looks."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if console.is_terminal:
        table = Table("requirement", "check", "", "evidence", pad_edge=False, box=None, padding=(0, 2, 0, 0))
        table.columns[0].no_wrap = table.columns[2].no_wrap = True
        table.columns[3].overflow = "fold"
        for check in checks:
            style, verdict = ("", "passed") if check.passed else ("bold red", "FAILED")
            evidence = check.evidence
            if check.passed and len(evidence) > SHOWN:
                evidence = evidence[:SHOWN].rstrip() + " ..."
            table.add_row(*(Text(cell, style) for cell in (check.requirement, check.name, verdict, evidence)))
        console.print(table)
    else:
        for check in checks:
            verdict = "passed" if check.passed else "FAILED"
            print(f"{verdict}  {check.requirement:<10}  {check.name}: {check.evidence}")
    failed = failed_requirements(checks)
    verdict = f"failed: {', '.join(failed)}" if failed else f"all {len(checks)} checks passed"
    console.print(Text(verdict, "bold red" if failed else ""), soft_wrap=True)
