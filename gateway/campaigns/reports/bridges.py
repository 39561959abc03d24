"""Alt HAN bridges: the monthly report to AltHANCo, its own list held against it, distribution, downloads a year."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from gateway.campaigns.reports.estate import Entry, estate, is_bridge, mpxn_of, newest_versions, variant
from gateway.campaigns.reports.report import Cell, Period, Report, counted, day
from gateway.campaigns.sources import Row, Source
from gateway.dsp.records import UpdateState
from protocols.duis.alerts import TransferResponseCode
from protocols.duis.inventory import DeviceType
from protocols.errors import InputError
from protocols.interfaces import SECOND

ALTHANCO = (
    "status", "device_id", "manufacturer", "model", "active_version", "variant", "hub", "mpan", "mprn",
    "behind", "out_of_step", "update_discarded",
)  # fmt: skip
DOWNLOADS_A_YEAR = 2  # MP170
_COMPARED = ("status", "manufacturer", "model", "active_version", "variant", "hub", "mpan", "mprn")


def althanco(source: Source, period: Period) -> Report:
    """Every bridge as it stood at the end of the period.

    behind: its product has a newer Current version on the products list. out_of_step: the bridges of its installation,
    which is its hub, are of versions that differ: some behind and some not, or two of one product unlike.
    update_discarded: the hub discarded the last image for it, as after a hub swap or to make room for another.
    """
    entries = estate(source, period)
    newest, discarded = newest_versions(source), _discarded(source, period)
    bridges = [entry for entry in entries if is_bridge(entry)]
    behind = {entry["device"]: _behind(entry, newest) for entry in bridges}
    mixed = _mixed(bridges, behind)
    rows = [
        (
            entry["status"], entry["device"], entry["manufacturer"], entry["model"], entry["firmware_version"],
            variant(entry), entry["hub"], mpxn_of(entries, entry["hub"], DeviceType.ESME),
            mpxn_of(entries, entry["hub"], DeviceType.GSME), behind[entry["device"]], entry["hub"] in mixed,
            entry["device"] in discarded,
        )
        for entry in bridges
    ]  # fmt: skip
    return Report("althanco", period.name, ALTHANCO, rows)


def _behind(entry: Entry, newest: Mapping[tuple[str, str, str], str]) -> bool:
    version = newest.get((entry["type"], entry["manufacturer"], entry["model"]), "")
    return (entry["firmware_version"] or "") < version


def _mixed(bridges: list[Entry], behind: Mapping[str, bool]) -> set[str]:
    """Return the hubs whose bridges are of versions out of step."""
    homes: dict[str, list[Entry]] = defaultdict(list)
    for entry in bridges:
        if entry["hub"] is not None:
            homes[entry["hub"]].append(entry)
    return {hub for hub, mine in homes.items() if _unlike(mine, behind)}


def _unlike(mine: list[Entry], behind: Mapping[str, bool]) -> bool:
    products = {(entry["manufacturer"], entry["model"]) for entry in mine}
    versions = {(entry["manufacturer"], entry["model"], entry["firmware_version"]) for entry in mine}
    return len(versions) > len(products) or len({behind[entry["device"]] for entry in mine}) > 1


def _discarded(source: Source, period: Period) -> set[str]:
    """Return the devices whose last update of the period or before was discarded at the hub."""
    last: dict[str, bool] = {}
    for change in source.rows("firmware_update_history"):
        if change["time"] < period.over:
            last[change["device"]] = TransferResponseCode.FIRMWARE_IMAGE_DISCARDED in (change["reason"] or "")
    return {device for device, discarded in last.items() if discarded}


def compare(source: Source, period: Period, path: Path) -> Report:
    """AltHANCo's own list, a CSV with column device_id and any others of the report, held against the report.

    difference: missing here, missing there, or the name of the column. Raises InputError: file, line.
    """
    ours = {str(row[1]): dict(zip(ALTHANCO, row, strict=True)) for row in althanco(source, period).rows}
    theirs = _read(path)
    rows: list[tuple[Cell, ...]] = []
    for device in sorted({*ours, *theirs}):
        here, there = ours.get(device), theirs.get(device)
        if here is None or there is None:
            rows.append((device, "missing here" if here is None else "missing there", None, None))
            continue
        rows += [
            (device, column, here[column], there[column])
            for column in _COMPARED
            if column in there and there[column].strip().lower() != str(here[column] or "").lower()
        ]
    return Report("althanco-compare", period.name, ("device_id", "difference", "here", "there"), rows)


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if "device_id" not in (reader.fieldnames or ()):
                raise InputError(f"{path}: line 1: no column device_id")
            found: dict[str, dict[str, str]] = {}
            for row in reader:
                device = (row["device_id"] or "").replace("-", "").replace(":", "").strip().lower()
                if len(device) != 16 or None in row or None in row.values():
                    raise InputError(f"{path}: line {reader.line_num}: not a device with the cells of the header")
                if device in found:
                    raise InputError(f"{path}: line {reader.line_num}: {device} stands there twice")
                found[device] = row
            return found
    except (OSError, UnicodeDecodeError, csv.Error) as wrong:
        raise InputError(f"{path}: cannot be read: {wrong}") from wrong


# --- distribution ----------------------------------------------------------------------------------------------------

_STATES = tuple(
    str(state)
    for state in UpdateState
    if state not in (UpdateState.DISTRIBUTED, UpdateState.SCHEDULED, UpdateState.OVERDUE)
)


def toc(source: Source, period: Period) -> Report:
    """Distribution of firmware to bridges: attempts of the period by product and version, and where they stand.

    Blocked ones never were attempts of their own but are counted. seconds: median from request to activation.
    """
    bridges = {entry["device"]: entry for entry in estate(source, period) if is_bridge(entry)}
    groups: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    spans: dict[tuple[str, str], list[int]] = defaultdict(list)
    for update in source.rows("firmware_updates"):
        if update["device"] in bridges and update["requested"] in period:
            key = str(variant(bridges[update["device"]])), update["version"]
            groups[key][update["state"]] += 1
            if update["state"] == UpdateState.ACTIVATED:
                spans[key].append(update["changed"] - update["requested"])
    for change in source.rows("firmware_update_history"):
        if change["state"] == UpdateState.BLOCKED and change["device"] in bridges and change["time"] in period:
            groups[str(variant(bridges[change["device"]])), change["version"]][UpdateState.BLOCKED] += 1
    rows = [
        (*key, sum(groups[key].values()), *counted(groups[key], _STATES), _seconds(spans[key]))
        for key in sorted(groups)
    ]
    columns = ("variant", "version", "attempts", *(_snake(state) for state in _STATES), "seconds")
    return Report("toc", period.name, columns, rows)


def _seconds(spans: list[int]) -> int | None:
    return round(median(spans) / SECOND) if spans else None


def _snake(state: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in state).lstrip("_")


# --- downloads a year ------------------------------------------------------------------------------------------------


def downloads(source: Source, period: Period) -> Report:
    """Images that reached a PPMID or bridge, by device and calendar year; over: more than two in a year (MP170)."""
    entries = {entry["device"]: entry for entry in estate(source, period) if entry["type"] == DeviceType.PPMID}
    counts: Counter[tuple[str, str]] = Counter()
    for change in _transfers(source):
        if change["device"] in entries and change["time"] in period:
            counts[change["device"], day(change["time"])[:4]] += 1
    rows = [
        (device, variant(entries[device]), int(year), number, number > DOWNLOADS_A_YEAR)
        for (device, year), number in sorted(counts.items())
    ]
    return Report("downloads", period.name, ("device_id", "variant", "year", "downloads", "over"), rows)


def _transfers(source: Source) -> Iterator[Row]:
    """Yield the first word of each update that its device has the image: transferred, or run where that was lost."""
    seen: set[tuple[str, str]] = set()
    for change in source.rows("firmware_update_history"):
        key = change["request_id"], change["device"]
        if change["state"] in (UpdateState.TRANSFERRED, UpdateState.ACTIVATED) and key not in seen:
            seen.add(key)
            yield change
