"""Each device's day, as a table."""

from rich.table import Table

from gateway.assembly.life.days import DeviceDay, Life
from protocols.interfaces import MINUTE

_TOLD = 60  # characters


def day_table(life: Life) -> Table:
    """Return one row a device and day on which something happened."""
    table = Table(title="each device's day")
    for heading in ("day", "device"):
        table.add_column(heading)
    for heading in ("joined", "minutes off", "image octets"):
        table.add_column(heading, justify="right")
    for heading in ("now runs", "alerts", "told"):
        table.add_column(heading)
    for day in life.days:
        table.add_row(
            day.day, day.device, _count(day.joined), f"{day.off / MINUTE:,.1f}" if day.off else "",
            _count(day.downloaded), day.activated, " ".join(day.alerts), _told(day),
        )  # fmt: skip
    return table


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _told(day: DeviceDay) -> str:
    text = ", ".join(f"{name} {value}" for name, value in day.told.items())
    return text if len(text) <= _TOLD else text[: _TOLD - 3] + "..."
