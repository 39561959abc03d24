"""MP105: inventory entries that were wrong because the response of an 11.3 was lost, and what repaired them."""

from collections.abc import Sequence

from gateway.campaigns.reports.estate import estate
from gateway.campaigns.reports.report import Period, Report, moment
from gateway.campaigns.sources import Row, Source
from gateway.dsp.records import ActivationState
from protocols.interfaces import HOUR

_UNANSWERED = (ActivationState.SENT, ActivationState.OVERDUE)
_BY = ("11.2", "11.3", "8F66", "8F67", "N39")  # what a repair came by, as the history's cause begins
COLUMNS = (
    "device_id", "device_type", "activated", "version_before", "version_after", "repaired", "repaired_by",
    "hours_wrong", "status",
)  # fmt: skip


def mp105(source: Source, period: Period) -> Report:
    """Each 11.3 of the period whose response never came, and the next change of its device's version.

    repaired empty: the entry still holds the old version; whether that is wrong only the device knows.
    """
    entries = {entry["device"]: entry for entry in estate(source, period)}
    versions: dict[str, list[Row]] = {}
    for change in source.rows("inventory_history"):
        if change["field"] == "firmware_version":
            versions.setdefault(change["device"], []).append(change)
    rows = []
    for activation in source.rows("activations"):
        if activation["state"] in _UNANSWERED and activation["accepted"] in period and activation["device"] in entries:
            entry, since = entries[activation["device"]], activation["execution"] or activation["accepted"]
            repair = _repair(versions.get(activation["device"], ()), since)
            rows.append(
                (
                    entry["device"], entry["type"], moment(since),
                    entry["firmware_version"] if repair is None else repair["old"],
                    None if repair is None else repair["new"], moment(None if repair is None else repair["time"]),
                    None if repair is None else str(repair["cause"]).split(" ")[0],
                    None if repair is None else round((repair["time"] - since) / HOUR, 1), entry["status"],
                )
            )  # fmt: skip
    return Report("mp105", period.name, COLUMNS, rows)


def _repair(changes: Sequence[Row], since: int) -> Row | None:
    return next((c for c in changes if c["time"] > since and str(c["cause"]).startswith(_BY)), None)
