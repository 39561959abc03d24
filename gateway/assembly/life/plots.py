"""A life drawn: demand, age of gas readings, images and outages over time, as PNG and in the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from gateway.assembly.life import days
from gateway.assembly.life.days import Life, Point, Span
from protocols.errors import InputError
from protocols.interfaces import DAY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLOCKS = " ▁▂▃▄▅▆▇█"
WAY_OUT = "install hanlab[plots], or leave the plots out with --no-plots"


def write(life: Life, path: Path) -> None:
    """Write a PNG; InputError without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise InputError(f"plots need matplotlib: {WAY_OUT}") from missing
    names = devices(life)
    figure = Figure(figsize=(12, 8 + 0.3 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    demand, lag, progress, outages = figure.subplots(4, 1, sharex=True, height_ratios=(2, 2, 2, 0.3 * len(names)))
    _lines(demand, life.demand, life.begin)
    demand.set_title("demand, W: mean of each half-hour")
    _lines(lag, life.lags, life.begin)
    lag.set_title("age of the gas reading a display shows, s")
    _progress(progress, life)
    progress.set_title("images, octets taken")
    _bars(outages, names, life.outages, life.begin, "tab:red")
    outages.set_title("without power")
    outages.set_xlabel("days")
    outages.set_xlim(0, (life.end - life.begin) / DAY)
    figure.savefig(path, dpi=100, metadata={"Software": None})


def in_terminal(life: Life, columns: int) -> Table:
    """Return the same as strips of `columns` characters: means as bars; X without power, = an image on its way."""
    table = Table(title="over the days: bars up to the highest; X without power, = an image on its way")
    table.add_column("device")
    table.add_column(f"{days.day_of(life.begin)} to {days.day_of(life.end)}", no_wrap=True)
    for name, points in life.demand.items():
        table.add_row(f"{name} W", _spark(life, points, columns))
    for name, points in life.lags.items():
        table.add_row(f"{name} gas age", _spark(life, points, columns))
    for name in devices(life):
        strip = ["."] * columns
        for mark, spans in (("=", life.transfers), ("X", life.outages)):
            for span in spans:
                if span.device == name:
                    first, last = (_column(life, when, columns) for when in (span.begin, span.end))
                    strip[first : last + 1] = mark * (last + 1 - first)
        table.add_row(name, "".join(strip))
    return table


def _spark(life: Life, points: Sequence[Point], columns: int) -> str:
    """Return the means of `points` in as many stretches of time, the highest as a full block."""
    sums, counts = [0] * columns, [0] * columns
    for when, value in points:
        column = _column(life, when, columns)
        sums[column] += value
        counts[column] += 1
    means = [total // number if number else 0 for total, number in zip(sums, counts, strict=True)]
    most = max(*means, 1)
    return "".join(_BLOCKS[max(0, mean) * (len(_BLOCKS) - 1) // most] for mean in means)


def _column(life: Life, when: int, columns: int) -> int:
    return min(columns - 1, max(0, when - life.begin) * columns // max(1, life.end - life.begin))


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


def _lines(axes: "Axes", curves: Mapping[str, Sequence[Point]], begin: int) -> None:
    for name, points in curves.items():
        axes.plot(
            [(when - begin) / DAY for when, _ in points], [value for _, value in points], linewidth=0.8, label=name
        )
    if curves:
        axes.legend(loc="upper right", fontsize="small")
    axes.grid(alpha=0.3)


def _progress(axes: "Axes", life: Life) -> None:
    """Draw how the octets of each device's images add up."""
    for name in devices(life):
        times, octets = [0.0], [0]
        for span in life.transfers:
            if span.device == name:
                times += [(span.begin - life.begin) / DAY, (span.end - life.begin) / DAY]
                octets += [octets[-1], octets[-1] + span.size]
        if len(times) > 1:
            axes.plot([*times, (life.end - life.begin) / DAY], [*octets, octets[-1]], label=name)
    axes.legend(loc="upper left", fontsize="small")
    axes.grid(alpha=0.3)
