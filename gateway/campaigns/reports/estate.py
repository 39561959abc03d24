"""The inventory as it stood at the end of a period: the rows of now, taken back by their history."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.campaigns.reports.report import Period
from gateway.campaigns.sources import Source
from protocols.duis.inventory import DeviceType, PpmidVariant

Entry = Mapping[str, Any]


def estate(source: Source, period: Period) -> list[Entry]:
    """Return the devices there were, a row of the inventory each, by identifier."""
    entries = {row["device"]: dict(row) for row in source.rows("inventory") if (row["added"] or 0) < period.over}
    for change in reversed(source.rows("inventory_history")):
        entry = entries.get(change["device"])
        if entry is not None and change["time"] >= period.over and change["field"] in entry:
            entry[change["field"]] = change["old"]
    return [entries[device] for device in sorted(entries)]


def variant(entry: Entry) -> str | None:
    """Return the variant as every view tells it: a PPMID recorded before there were variants is a plain one."""
    if entry["type"] == DeviceType.PPMID:
        return entry["variant"] or str(PpmidVariant.PPMID)
    found = entry["variant"]
    return None if found is None else str(found)


def is_bridge(entry: Entry) -> bool:
    return entry["type"] == DeviceType.PPMID and variant(entry) != PpmidVariant.PPMID


def mpxn_of(entries: Sequence[Entry], hub: str | None, kind: DeviceType) -> str | None:
    """Return the import MPxN of the meter of a kind on a hub, of the first where there are several."""
    found = [entry["mpxn"] for entry in entries if entry["hub"] == hub and entry["type"] == kind and entry["mpxn"]]
    return found[0] if hub is not None and found else None


def newest_versions(source: Source) -> dict[tuple[str, str, str], str]:
    """Return the highest Current firmware version of each type, manufacturer and model on the products list."""
    newest: dict[tuple[str, str, str], str] = {}
    for product in source.rows("products"):
        if product["status"] == "Current":
            key = product["type"], product["manufacturer"], product["model"]
            newest[key] = max(newest.get(key, ""), product["firmware_version"])
    return newest
