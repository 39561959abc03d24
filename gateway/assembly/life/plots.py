"""A life drawn as PNG: demand, age of gas readings, outages and images over the days, each firmware round from near."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.assembly.life.days import Life, Point, Transfer
from protocols.errors import InputError
from protocols.interfaces import HOUR, MINUTE, SECOND

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WAY_OUT = "install hanlab[plots], or leave the plots out with --no-plots"
STRETCHES = 240
"""Into so many parts a life is cut where the highest value of each is drawn."""

_APART = 12 * HOUR  # between the images of two rounds
_ROUNDS = 3  # drawn from near
_OFF, _IMAGE, _STEP, _REPLACED = "tab:red", "tab:blue", "0.6", "0.85"


def write(life: Life, path: Path) -> None:
    """Write a PNG; InputError without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as missing:
        raise InputError(f"plots need matplotlib: {WAY_OUT}") from missing
    names = devices(life)
    strips = 0.28 * len(names) + 0.4  # inches
    figure = Figure(figsize=(14, 8.5 + strips), layout="constrained")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(2, 1, height_ratios=(5.5 + strips, 3))
    _draw_days(parts[0], life, names, strips)
    _draw_rounds(parts[1], life)
    figure.savefig(path, dpi=100, metadata={"Software": None})


def devices(life: Life) -> list[str]:
    """Return everybody who lived, in order of name."""
    return sorted({day.device for day in life.days})


# --- over the days -------------------------------------------------------------------------------------------------


def _draw_days(figure: "Figure", life: Life, names: Sequence[str], strips: float) -> None:
    demand, lag, power = figure.subplots(3, 1, sharex=True, height_ratios=(2.2, 2.2, strips))
    _lines(demand, life.demand)
    demand.set_ylabel("W")
    demand.set_title("demand: mean of each half-hour", loc="left")
    _lines(lag, {name: list(highest(life, points)) for name, points in life.lags.items()}, unit=60)
    lag.set_ylabel("minutes")
    lag.set_title(f"how old gas readings get, highest of {_span(life)}: in the hub's mirror, on displays", loc="left")
    _bars(power, names, life)
    power.set_title("without power (red), an image on its way (blue), replaced by another (grey)", loc="left")
    power.set_xlim(_date(life.begin), _date(life.end))
    _mark_steps(life, demand, lag, power)


def highest(life: Life, points: Sequence[Point], stretches: int = STRETCHES) -> Iterator[Point]:
    """Yield the highest value of each stretch of the life that has one, at the time at which it stood."""
    best: dict[int, Point] = {}
    for when, value in points:
        place = stretch(life, when, stretches)
        if place not in best or value > best[place][1]:
            best[place] = (when, value)
    yield from best.values()


def stretch(life: Life, when: int, stretches: int) -> int:
    """Return in which of so many equal stretches of the life a time lies, from 0 on."""
    return min(stretches - 1, max(0, when - life.begin) * stretches // max(1, life.end - life.begin))


def _span(life: Life) -> str:
    return f"{(life.end - life.begin) / STRETCHES / HOUR:.1f} hours"


def _date(when: int) -> datetime:
    return datetime.fromtimestamp(when / SECOND, UTC)


def _lines(axes: "Axes", curves: Mapping[str, Sequence[Point]], *, unit: int = 1) -> None:
    """Draw values in units of so many."""
    for name, points in curves.items():
        times = [_date(when) for when, _ in points]
        axes.plot(times, [value / unit for _, value in points], linewidth=0.8, label=name)  # type: ignore[arg-type]
    if curves:
        _legend(axes)
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    axes.grid(alpha=0.3)


def _legend(axes: "Axes") -> None:
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize="small", frameon=False)


def _bars(axes: "Axes", names: Sequence[str], life: Life) -> None:
    """Draw a row a device from above; what is too short to be seen gets the width of the thinnest line."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)
    shown = ((life.outages, _OFF, -0.4, 0.4), (life.transfers, _IMAGE, 0.0, 0.4), (life.replaced, _REPLACED, -0.4, 0.8))
    for spans, colour, top, height in shown:
        for span in spans:
            begin, end = _date(span.begin), _date(span.end)
            place = (names.index(span.device) + top, height)
            axes.broken_barh([(begin, end - begin)], place, color=colour, edgecolor=colour)  # type: ignore[list-item]


def _mark_steps(life: Life, top: "Axes", *others: "Axes") -> None:
    """Draw a line where a chapter of the story begins, its title above the uppermost axes."""
    for when, title in life.steps:
        for axes in (top, *others):
            axes.axvline(_date(when), color=_STEP, linewidth=0.7, linestyle=":")  # type: ignore[arg-type]
        top.annotate(
            title, (_date(when), 1), xycoords=("data", "axes fraction"), xytext=(2, -3),
            textcoords="offset points", rotation=90, va="top", fontsize="x-small", color="0.4",
        )  # fmt: skip


# --- firmware rounds from near -------------------------------------------------------------------------------------


def _draw_rounds(figure: "Figure", life: Life) -> None:
    """Draw the rounds side by side; a device has one colour in all of them."""
    found = rounds(life)[:_ROUNDS]
    if not found:
        return
    panels = figure.subplots(1, len(found), sharey=True, squeeze=False)[0]
    names = sorted({transfer.device for transfers in found for transfer in transfers})
    for axes, transfers in zip(panels, found, strict=True):
        for number, name in enumerate(names):
            own = [transfer for transfer in transfers if transfer.device == name]
            times, shares = _course(own, transfers[0].begin)
            axes.plot(times, shares, marker=".", markersize=3, linewidth=0.9, label=name, color=f"C{number}")
        axes.set_title(f"images from {_date(transfers[0].begin):%d %B %H:%M}", loc="left")
        axes.set_xlabel("minutes")
        axes.set_xlim(0, max(1, axes.get_xlim()[1]))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("% of the image stored")
    _legend(panels[-1])


def _course(transfers: Sequence[Transfer], begin: int) -> tuple[list[float], list[float]]:
    """Return minutes since `begin` and per cent, with a gap after each transfer."""
    times, shares = list[float](), list[float]()
    for transfer in transfers:
        times += [*((when - begin) / MINUTE for when, _ in transfer.kept), float("nan")]
        shares += [*(100 * octets / transfer.size for _, octets in transfer.kept), float("nan")]
    return times, shares


def rounds(life: Life) -> list[list[Transfer]]:
    """Return the transfers in groups between which no image was on its way for half a day."""
    found = list[list[Transfer]]()
    for transfer in sorted(life.transfers, key=lambda each: each.begin):
        if not found or transfer.begin - max(each.end for each in found[-1]) > _APART:
            found.append([])
        found[-1].append(transfer)
    return found
