"""`hanlab tracked`: the list of ESME of MP102B, packed and inspected. Nothing shows what it holds."""

import json
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateway.dsp.tracked import TrackedList

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

_LIST = typer.Argument(metavar="LIST", help="Text, one EUI-64 a line, or a packed list.")
_BAD_SHARE = typer.Option(min=0, max=1, help="Share of lines that may be no EUI-64; above it the list is refused.")
_JSON = typer.Option("--json", help="One JSON object.")


@app.command()
def inspect(
    path: Annotated[Path, _LIST],
    bad_share: Annotated[float, _BAD_SHARE] = 0.01,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Tell how many identifiers a list has, how long it takes to load and what memory it takes."""
    tracked, seconds = _loaded(path, bad_share)
    _tell(path, tracked, seconds, as_json=as_json)


@app.command()
def pack(
    path: Annotated[Path, _LIST],
    out: Annotated[Path, typer.Option(help="File of the packed list, for its owner alone; replaced at once.")],
    bad_share: Annotated[float, _BAD_SHARE] = 0.01,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Write a list packed: 8 octets an identifier, in order, with a hash; it loads in a fraction of the time."""
    from gateway.dsp.tracked_file import write_cache

    tracked, seconds = _loaded(path, bad_share)
    write_cache(out, tracked)
    _tell(path, tracked, seconds, as_json=as_json)


def _loaded(path: Path, bad_share: float) -> "tuple[TrackedList, float]":
    from gateway.dsp.tracked_file import read_tracked

    begun = perf_counter()
    tracked = read_tracked(path, bad_share)
    return tracked, perf_counter() - begun


def _tell(path: Path, tracked: "TrackedList", seconds: float, *, as_json: bool) -> None:
    summary, size = tracked.summary, path.stat().st_size
    if as_json:
        told = {"load_seconds": round(seconds, 3), "memory_octets": tracked.packed_octets, "file_octets": size}
        print(json.dumps(summary._asdict() | told, indent=1))
        return
    lines = f" (line {', '.join(map(str, summary.bad_lines))})" if summary.bad_lines else ""
    print(
        f"{summary.identifiers:,} identifiers, {summary.duplicates:,} duplicates, {summary.rejects:,} lines that are "
        f"none{lines}; version {summary.version}\n"
        f"loaded in {seconds:.2f} s from {size:,} octets; {tracked.packed_octets:,} octets in memory"
    )
