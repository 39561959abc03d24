"""Each device's day: a table a device, a row a day, and what the days add up to."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from rich.table import Table

from gateway.assembly.life.days import DeviceDay, Life
from protocols.interfaces import MINUTE

_POUND = 100_000  # accounts count hundred-thousandths
_TOTAL = "all"


@dataclass(frozen=True, slots=True)
class Column:
    """What a device tells of its day under `field`, shown in units of `per` with so many digits.

    sums: it is what the day took, and days add up. rises: it is a register, of which the day's rise is shown; these
    add up too. Without either it is what stood there at midnight. beside: shown only where that field is not always 0.
    """

    heading: str
    field: str
    per: int = 1
    digits: int = 0
    sums: bool = False
    rises: bool = False
    beside: str = ""

    def shown(self, value: int) -> str:
        return f"{value / self.per:,.{self.digits}f}"


_day = partial(Column, sums=True)
_rise = partial(Column, rises=True)
_METER = (
    _rise("cost £", "cost", _POUND, 2),
    Column("balance £", "balance", _POUND, 2),
)
_READ = (
    _day("reads", "reads"), _day("failed", "failed"), Column("import kWh", "import_wh", 1000, 3),
    Column("export kWh", "export_wh", 1000, 3), Column("today kWh", "today_wh", 1000, 3),
    Column("gas m³", "gas_l", 1000, 3), Column("balance £", "balance", _POUND, 2), _day("prices", "prices"),
    _day("messages", "messages"),
)  # fmt: skip
COLUMNS: dict[str, tuple[Column, ...]] = {
    "esme": (
        _day("used kWh", "day_import_wh", 1000, 3), _rise("tier 1", "tier_1_wh", 1000, 3, beside="tier_2_wh"),
        _rise("tier 2", "tier_2_wh", 1000, 3), _day("given kWh", "day_export_wh", 1000, 3),
        _rise("element 2", "second_wh", 1000, 3), Column("register", "import_wh", 1000, 3), *_METER,
        Column("V least", "voltage_least", 10, 1), Column("V most", "voltage_most", 10, 1),
    ),
    "gsme": (
        _day("used m³", "day_gas_l", 1000, 3), Column("register", "gas_l", 1000, 3), *_METER,
        Column("battery %", "battery"), _day("wakes", "wakes"),
    ),
    "hcalcs": (_day("hours on", "seconds_on", 3600, 2), _day("switched", "switched")),
    "ppmid": _READ,
    "ihd": _READ,
    "cad": _READ,
}  # fmt: skip
"""By the kind that a row of the day names."""


def day_tables(life: Life) -> Iterator[Table]:
    """Yield a table a device, in order of name, without days of which there is nothing to tell, nor such columns."""
    for device, days in groupby(sorted(life.days, key=lambda day: day.device), key=lambda day: day.device):
        lived = [day for day in days if _has_something(day)]
        if lived:
            yield _table(device, lived)


def _has_something(day: DeviceDay) -> bool:
    return bool(day.told or day.alerts or day.joined or day.off or day.downloaded or day.activated)


def _table(device: str, days: Sequence[DeviceDay]) -> Table:
    table = Table(title=f"{device}: each day", show_footer=True)
    table.add_column("day", _TOTAL, no_wrap=True)
    rows = [[day.day] for day in days]
    for column in _columns(days):
        values = _values(column, days)
        for row, value in zip(rows, values, strict=True):
            row.append("" if value is None else column.shown(value))
        total = sum(value for value in values if value is not None)
        adds_up = column.sums or column.rises
        table.add_column(column.heading, column.shown(total) if adds_up else "", justify="right", no_wrap=True)
    table.add_column("what happened", _happened(_together(days)))
    for row, day in zip(rows, days, strict=True):
        table.add_row(*row, _happened(day))
    return table


def _columns(days: Sequence[DeviceDay]) -> list[Column]:
    """Return the columns of the device's kind that have something to say."""
    kind = next((str(day.told["kind"]) for day in days if "kind" in day.told), "")
    told = {field for day in days for field, value in day.told.items() if value}
    return [each for each in COLUMNS.get(kind, ()) if each.field in told and (not each.beside or each.beside in told)]


def _values(column: Column, days: Sequence[DeviceDay]) -> list[int | None]:
    """Return what a column has for each day, in its smallest unit; a register begins at 0."""
    found, before = list[int | None](), 0
    for day in days:
        value = day.told.get(column.field)
        if not isinstance(value, int):
            found.append(None)
            continue
        found.append(value - before if column.rises else value)
        before = value
    return found


def _together(days: Sequence[DeviceDay]) -> DeviceDay:
    """Return the days as one: the version is the last."""
    whole = DeviceDay("", days[0].device)
    for day in days:
        whole.joined += day.joined
        whole.off += day.off
        whole.downloaded += day.downloaded
        whole.activated = day.activated or whole.activated
        whole.alerts += day.alerts
    return whole


def _happened(day: DeviceDay) -> str:
    """Tell in words, and alerts in the order in which each came first, with how often: `8F12 x12`."""
    alerts = [code if number == 1 else f"{code} x{number}" for code, number in Counter(day.alerts).items()]
    parts = [
        "joined" * bool(day.joined),
        f"off {day.off / MINUTE:,.1f} min" if day.off else "",
        f"{day.downloaded:,} octets" if day.downloaded else "",
        f"runs {day.activated}" if day.activated else "",
        " ".join(alerts),
    ]
    return ", ".join(filter(None, parts))
