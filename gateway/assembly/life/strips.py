"""A life as strips of characters, for a terminal."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from gateway.assembly.life.days import Life, Point, day_of
from gateway.assembly.life.plots import devices, highest, stretch
from protocols.interfaces import MINUTE, SECOND

_BLOCKS = "▁▂▃▄▅▆▇█"
_NOTHING = " "
_QUIET, _OFF, _IMAGE, _BOTH, _REPLACED = "·", "X", "=", "#", " "


def in_terminal(life: Life, columns: int) -> Table:
    """Return the demand of meters, the age of gas readings, outages and images, as strips of so many characters."""
    table = Table(title=f"{day_of(life.begin)} to {day_of(life.end)}", caption=_caption())
    table.add_column("device")
    table.add_column("up to", justify="right")
    table.add_column("over the days", no_wrap=True)
    _add_bars(table, life, "demand", life.demand, columns, unit=1, unit_name="W")
    ages = {name: list(highest(life, points, columns)) for name, points in life.lags.items()}
    _add_bars(table, life, "gas age", ages, columns, unit=MINUTE // SECOND, unit_name="min")
    for name in devices(life):
        table.add_row(name, "", _strip(life, name, columns))
    return table


def _caption() -> str:
    marks = f"{_OFF} without power, {_IMAGE} an image on its way, {_BOTH} both; nothing once replaced"
    return f"bars: means, up to the highest; {marks}"


def _add_bars(
    table: Table, life: Life, what: str, curves: Mapping[str, Sequence[Point]], columns: int, *, unit: int,
    unit_name: str,
) -> None:  # fmt: skip
    """Add a row a curve: the mean of each stretch, of the highest mean so many eighths."""
    for name, points in curves.items():
        means = _means(life, points, columns)
        most = max((mean for mean in means if mean is not None), default=0)
        bars = [_NOTHING if mean is None else _block(mean, most) for mean in means]
        table.add_row(f"{name} {what}", f"{most // unit:,} {unit_name}", "".join(bars))
    if curves:
        table.add_section()


def _block(value: int, most: int) -> str:
    return _BLOCKS[max(0, value) * (len(_BLOCKS) - 1) // max(most, 1)]


def _means(life: Life, points: Sequence[Point], columns: int) -> list[int | None]:
    """Return the means of the stretches, None for one without a value."""
    sums, counts = [0] * columns, [0] * columns
    for when, value in points:
        place = stretch(life, when, columns)
        sums[place] += value
        counts[place] += 1
    return [total // number if number else None for total, number in zip(sums, counts, strict=True)]


def _strip(life: Life, name: str, columns: int) -> str:
    """Return what befell a device; something short takes a character."""
    marks = [_QUIET] * columns
    for mark, spans in ((_OFF, life.outages), (_IMAGE, life.transfers)):
        for span in spans:
            if span.device == name:
                first, last = (stretch(life, when, columns) for when in (span.begin, span.end))
                for place in range(first, last + 1):
                    marks[place] = mark if marks[place] in (_QUIET, mark) else _BOTH
    for span in life.replaced:
        if span.device == name:
            first = stretch(life, span.begin, columns) + 1
            marks[first:] = _REPLACED * (columns - first)
    return "".join(marks)
