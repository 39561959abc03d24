"""`hanlab capture`: follow a growing capture into Wireshark, with its keys, and lint any capture by named rules."""

import json
import shlex
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from protocols.errors import InputError
from protocols.interfaces import MILLISECOND, SECOND

if TYPE_CHECKING:
    from gateway.campaigns.lint import Report

_RUN = Path("run")  # where `hanlab demo` leaves a run if nobody says where


class _Captures(TyperGroup):
    """`hanlab capture --follow` alone follows the run in its usual place."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401  typer keeps the type to itself
        return super().parse_args(ctx, [*args, str(_RUN)] if args == ["--follow"] else args)


app = typer.Typer(cls=_Captures, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

EXIT_FAILED = 1
_SHOWN = 10  # findings of a rule; --json has all


class PeriodUnit(StrEnum):
    """Of the minimum block period."""

    MS = "ms"
    S = "s"


@app.callback(invoke_without_command=True)
def capture(
    follow_place: Annotated[
        Path | None, typer.Option("--follow", metavar="[DIR|FILE]", help="The same as the subcommand follow.")
    ] = None,
) -> None:
    """Captures of the air: pcapng, or classic pcap of a sniffer."""
    if follow_place is not None:
        follow(follow_place)
        raise typer.Exit


@app.command()
def follow(
    place: Annotated[
        Path, typer.Argument(metavar="DIR|FILE", help="An output folder of a run, or a pcapng file.")
    ] = _RUN,
) -> None:
    """Stream a growing capture to standard output.

    For example: hanlab capture follow run | wireshark -k -i -

    Waits for a file that is not there yet. Ends with Ctrl-C, when the reader goes, or when the run of DIR is over.
    """
    from gateway.cli.capture_follow import follow as stream

    if sys.stdout.isatty():
        raise InputError("a capture is no text: pipe it, for example into wireshark -k -i -")
    try:
        stream(place, sys.stdout.fileno())
    except KeyboardInterrupt:
        raise typer.Exit from None


@app.command("keys")
def keys_command(
    place: Annotated[Path, typer.Argument(metavar="DIR|K", help="An output folder of a run, or a key table.")],
) -> None:
    """Print a key table as options of Wireshark and tshark, quoted for a shell.

    For example: eval "tshark -r run/capture.pcapng $(hanlab capture keys run)"

    Wireshark finds later network keys in what it opens with these; of a run that goes on, keys that are established
    later stand in the table then.
    """
    from protocols.pcapng import key_row, read_keys

    table = place / "keys.txt" if place.is_dir() else place
    try:
        found = read_keys(table.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{table}: {error}") from None
    rows = dict.fromkeys(key_row(*each).strip() for each in found)
    print(" ".join(f"-o {shlex.quote(f'uat:zigbee_pc_keys:{row}')}" for row in rows))


@app.command("lint")
def lint_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="pcapng or classic pcap, of hanlab or a sniffer.")],
    keys: Annotated[Path, typer.Option("--keys", metavar="K", help="Rows of Wireshark's zigbee_pc_keys table.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    ignored: Annotated[list[str] | None, typer.Option("--ignore", metavar="RULE", help="Leave a rule out.")] = None,
    block_size: Annotated[int | None, typer.Option(help="Octets a block may have at most.", min=1, max=255)] = None,
    period_unit: Annotated[PeriodUnit, typer.Option(help="Of the minimum block period.")] = PeriodUnit.MS,
    repeats: Annotated[int, typer.Option(help="Requests for an offset beyond the first, in a row.", min=0)] = 10,
    mac_retries: Annotated[int, typer.Option(help="Repetitions of a MAC frame.", min=0)] = 3,
    unacknowledged: Annotated[
        float, typer.Option(help="Share of frames without ack allowed; more where links lose frames.", min=0, max=1)
    ] = 0.01,
) -> None:
    """Put a capture to named rules: blocks, periods, retries, counters, acknowledgements, bad images, security.

    Link types 195, 230 and 283 (frames with, without FCS, with TAP header), and 1: ZEP over UDP, port 17754.
    Exit 0 if no rule is broken, 1 if one is, 2 if a file cannot be read.
    """
    from gateway.campaigns.lint import RULES, LintSettings, lint_file

    left_out = tuple(ignored or ())
    for rule in left_out:
        if rule not in RULES:
            raise InputError(f"no rule {rule!r}; the rules: {', '.join(RULES)}")
    settings = LintSettings(
        block_size=block_size,
        period_unit=SECOND if period_unit is PeriodUnit.S else MILLISECOND,
        repeats=repeats,
        mac_retries=mac_retries,
        unacknowledged=unacknowledged,
    )
    found = lint_file(file, keys, settings)
    if not found.frames:
        raise InputError(f"{file}: no IEEE 802.15.4 frame in it")
    told = report(found, left_out)
    print(json.dumps(told, indent=1) if as_json else "\n".join(lines(told)))
    if not told["passed"]:
        raise typer.Exit(EXIT_FAILED)


def report(found: "Report", left_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what `--json` prints."""
    from gateway.campaigns.lint import RULES

    rules = []
    for rule, says in RULES.items():
        if rule not in left_out:
            findings = [{"frames": finding.frames, "what": finding.what} for finding in found.of(rule)]
            rules.append({"rule": rule, "says": says, "checked": found.checked[rule], "findings": findings})
    broken = [each["rule"] for each in rules if each["findings"]]
    return {"passed": not broken, "broken": broken, "frames": found.frames, "rules": rules}


def lines(told: dict[str, Any]) -> list[str]:
    """Return the text form: a line a rule, the findings of broken ones below."""
    shown = []
    for each in told["rules"]:
        findings = each["findings"]
        verdict = f"BROKEN {len(findings)}" if findings else "kept" if each["checked"] else "not seen"
        shown.append(f"{each['rule']:<14} {verdict:<12} {each['checked']:>9,} checked  {each['says']}")
        for finding in findings[:_SHOWN]:
            frames = ", ".join(str(frame) for frame in finding["frames"][:_SHOWN])
            shown.append(f"    frame {frames}: {finding['what']}")
        if len(findings) > _SHOWN:
            shown.append(f"    and {len(findings) - _SHOWN} more")
    outcome = f"broken: {', '.join(told['broken'])}" if told["broken"] else "no rule broken"
    return [*shown, f"{told['frames']:,} frames; {outcome}"]
