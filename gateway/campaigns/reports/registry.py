"""All reports by name."""

from collections.abc import Callable
from typing import NamedTuple

from gateway.campaigns.reports import bridges, devices, downloads, outages, repairs
from gateway.campaigns.reports.report import Period, Report
from gateway.campaigns.sources import Source
from protocols.errors import InputError


class Known(NamedTuple):
    help: str
    make: Callable[[Source, Period], Report]


REPORTS: dict[str, Known] = {
    "althanco": Known("bridges at the end of the month, with versions out of step", bridges.althanco),
    "esi-034": Known("all devices, with SMETS Variant Type", devices.esi_034),
    "esi-034i": Known("devices added or changed", devices.esi_034i),
    "toc": Known("distribution of firmware to bridges", bridges.toc),
    "pm-2.2": Known("monthly firmware download performance", downloads.pm_2_2),
    "downloads": Known("downloads a device and year", bridges.downloads),
    "outcomes": Known("every update and its outcome, by supplier", downloads.outcomes),
    "suppression": Known("power outages delivered and suppressed, by day and operator", outages.suppression),
    "false-ad1": Known("false power outages with and without the feature", outages.false_ad1),
    "mp105": Known("11.3 without a response, and what repaired the inventory", repairs.mp105),
}


def report(name: str, source: Source, period: Period) -> Report:
    """Make a report. Raises InputError for a name there is none of."""
    known = REPORTS.get(name)
    if known is None:
        raise InputError(f"no report {name!r}; there are: {', '.join(REPORTS)}")
    return known.make(source, period)
