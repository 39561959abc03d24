"""The tables at the end of a run."""

import re
from typing import Any

from rich.console import Console
from rich.table import Table

from protocols.duis.alerts import DCC_ALERT_TABLE
from protocols.gbcs.alert_names import alert_name


def show(summary: dict[str, Any], console: Console) -> None:
    """Print devices, alerts and figures of a summary."""
    console.print(_devices(summary["devices"]))
    names = {device["eui"]: device["name"] for device in summary["devices"]} | summary["parties"]
    console.print(_alerts(summary["alerts"], names))
    wall, virtual = summary["wall_seconds"], summary["virtual_seconds"]
    console.print(
        f"{virtual:,} virtual seconds in {wall:.1f} s ({virtual / max(wall, 1e-3):,.0f} times real time), "
        f"{summary['frames']:,} frames; AD1 suppressed {summary['suppression']['suppressed']}, "
        f"delivered {summary['suppression']['delivered']}"
    )
    for failure in summary["story_failures"]:
        console.print(f"story: {failure}", style="yellow")


def _devices(devices: list[dict[str, Any]]) -> Table:
    table = Table(title="devices")
    for heading in ("device", "variant", "from", "to"):
        table.add_column(heading)
    for heading in ("blocks", "retries", "octets", "minutes"):
        table.add_column(heading, justify="right")
    table.add_column("result")
    for device in devices:
        table.add_row(
            device["name"], device["variant"] or "", device["from_version"] or "", device["to_version"] or "",
            f"{device['blocks']:,}", f"{device['retries']:,}", f"{device['octets']:,}",
            f"{device['virtual_seconds'] / 60:.1f}", device["result"],
        )  # fmt: skip
    return table


def _alerts(alerts: list[dict[str, Any]], names: dict[str, str]) -> Table:
    table = Table(title="alerts delivered and suppressed")
    for heading in ("time", "alert", "origin", "recipient", "decision", "signature"):
        table.add_column(heading)
    for alert in alerts:
        code, origin, recipient = alert["code"], alert["origin"], alert["recipient"]
        table.add_row(
            alert["time"][5:19].replace("T", " "), f"{code} {meaning(code)}", names.get(origin, origin),
            names.get(recipient, recipient or ""), alert["decision"], alert["signature"],
        )  # fmt: skip
    return table


def meaning(code: str) -> str:
    """Return what the code of an alert means in words: a device's, four hexadecimal digits, or a DCC alert's."""
    row = DCC_ALERT_TABLE.get(code)
    if row is not None:
        return row.meaning
    return alert_name(int(code, 16)) if re.fullmatch("[0-9A-F]{4}", code) else "unknown"
