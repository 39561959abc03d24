"""A life drawn: outages and transfers of each device over time, as PNG and in the terminal."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from gateway.assembly.life import days
from gateway.assembly.life.days import Life, Span
from protocols.errors import InputError
from protocols.interfaces import DAY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WAY_OUT = "install hanlab[plots], or leave the plots out with --no-plots"


def write(life: Life, path: Path) -> None:
    """Write a PNG; InputError without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise InputError(f"plots need matplotlib: {WAY_OUT}") from missing
    names = devices(life)
    figure = Figure(figsize=(12, 2 + 0.5 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    outages, transfers = figure.subplots(2, 1, sharex=True)
    _bars(outages, names, life.outages, life.begin, "tab:red")
    outages.set_title("without power")
    _bars(transfers, names, life.transfers, life.begin, "tab:blue")
    transfers.set_title("images on their way")
    transfers.set_xlabel("days")
    transfers.set_xlim(0, (life.end - life.begin) / DAY)
    figure.savefig(path, dpi=100, metadata={"Software": None})


def in_terminal(life: Life, columns: int) -> Table:
    """Return the same as a strip a device, `columns` characters long: X without power, = an image on its way."""
    table = Table(title="over the days: X without power, = an image on its way")
    table.add_column("device")
    table.add_column(f"{days.day_of(life.begin)} to {days.day_of(life.end)}", no_wrap=True)
    for name in devices(life):
        strip = ["."] * columns
        for mark, spans in (("=", life.transfers), ("X", life.outages)):
            for span in spans:
                if span.device == name:
                    first, last = (_column(life, when, columns) for when in (span.begin, span.end))
                    strip[first : last + 1] = mark * (last + 1 - first)
        table.add_row(name, "".join(strip))
    return table


def _column(life: Life, when: int, columns: int) -> int:
    return min(columns - 1, (when - life.begin) * columns // max(1, life.end - life.begin))


def devices(life: Life) -> list[str]:
    """Return everybody who lived, in order of name."""
    return sorted({day.device for day in life.days})


def _bars(axes: "Axes", names: Sequence[str], spans: Sequence[Span], begin: int, colour: str) -> None:
    """Draw a row a device; what is too short to be seen gets the width of the thinnest line."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.5, len(names) - 0.5)
    axes.grid(axis="x", alpha=0.3)
    for span in spans:
        stretch = ((span.begin - begin) / DAY, (span.end - span.begin) / DAY)
        axes.broken_barh([stretch], (names.index(span.device) - 0.35, 0.7), color=colour, edgecolor=colour)
