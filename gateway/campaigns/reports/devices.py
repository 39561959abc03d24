"""ESI-034 and ESI-034i: the devices of the inventory, with the field SMETS Variant Type for ESME and PPMID (MP170)."""

from gateway.campaigns.reports.estate import Entry, estate, variant
from gateway.campaigns.reports.report import Cell, Period, Report, moment
from gateway.campaigns.sources import Source

ESI_034 = (
    "device_id", "device_type", "smets_variant_type", "device_status", "manufacturer", "model", "firmware_version",
    "smets_version", "hub", "mpxn", "date_commissioned",
)  # fmt: skip


def esi_034(source: Source, period: Period) -> Report:
    """All devices as they stood at the end of the period."""
    return Report("esi-034", period.name, ESI_034, [_row(entry) for entry in estate(source, period)])


def esi_034i(source: Source, period: Period) -> Report:
    """The devices that were added or changed in the period, as they stood at its end; ours: `i` for increment."""
    changes = source.rows("inventory_history")
    changed: dict[str, int] = {change["device"]: change["time"] for change in changes if change["time"] in period}
    rows = [
        (*_row(entry), moment(changed[entry["device"]]))
        for entry in estate(source, period)
        if entry["device"] in changed
    ]
    return Report("esi-034i", period.name, (*ESI_034, "changed"), rows)


def _row(entry: Entry) -> tuple[Cell, ...]:
    return (
        entry["device"], entry["type"], variant(entry), entry["status"], entry["manufacturer"], entry["model"],
        entry["firmware_version"], entry["smets_version"], entry["hub"], entry["mpxn"], moment(entry["commissioned"]),
    )  # fmt: skip
