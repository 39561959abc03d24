"""`summary.json`: what a run did, in figures. Everything in it but `wall_seconds` repeats with the seed."""

from collections.abc import Mapping
from typing import Any

from emulator.home.builder import Home, HomeDevice
from gateway.assembly.folder import FORMAT, iso
from gateway.assembly.ledger import DeviceRecord
from gateway.assembly.parties import ACB
from gateway.assembly.world import World
from gateway.campaigns.verify import Check
from gateway.dsp.effects import Value
from gateway.store.store import Rows
from protocols.duis.signature import Verdict
from protocols.interfaces import SECOND

_VARIANTS = {"ppmid": "PPMID"} | {f"bridge{n}": f"AltHAN Bridge {n}" for n in range(1, 5)}


def summarise(world: World, rows: Rows, wall_seconds: float) -> dict[str, Any]:
    """Return the summary without its checks. rows: of the store, as they stand at the end."""
    return {
        "format": FORMAT,
        "seed": world.seed,
        "virtual_seconds": (world.clock.now() - world.clock.start) // SECOND,
        "wall_seconds": round(wall_seconds, 3),
        "repeatable": not world.clock.held,
        "xml_signature": _xml_signature(world),
        "sabotage": world.sabotage,
        "frames": world.capture.frames,
        "story_failures": world.failures,
        "devices": [_device(world, home, device) for home, device in world.devices],
        "alerts": [_alert(row) for row in rows["alerts"]],
        "suppression": _suppression(rows),
        "parties": _parties(world),
        "checks": [],
    }


def with_checks(summary: dict[str, Any], checks: list[Check]) -> dict[str, Any]:
    """Return the summary completed by the verdict on its own folder."""
    found = [
        {"requirement": check.requirement, "name": check.name, "passed": check.passed, "evidence": check.evidence}
        for check in checks
    ]
    return summary | {"checks": found}


def _xml_signature(world: World) -> Verdict:
    """Return what DSP and users found: valid only if every request and every message verified."""
    received = (delivery for user in (world.supplier, world.operator) for delivery in user.mailbox.deliveries)
    found = {*world.ledger.request_signatures, *(str(delivery.signature) for delivery in received)}
    if found == {Verdict.VALID}:
        return Verdict.VALID
    return Verdict.INVALID if Verdict.INVALID in found else Verdict.ABSENT


def _parties(world: World) -> dict[str, str]:
    """Return the names of hubs, users and the access control broker by EUI-64."""
    hubs = {str(home.description.hub.chf): f"{home.name}/hub" for home in world.homes}
    hubs |= {str(home.chf): home.hub_name for home in world.homes}
    return hubs | {str(user.eui): user.name for user in (world.supplier, world.operator)} | {str(ACB): "broker"}


def _device(world: World, home: Home, device: HomeDevice) -> dict[str, Any]:
    record = world.ledger.of(f"{home.name}/{device.name}")
    made = device.product
    return {
        "eui": str(device.eui),
        "name": f"{home.name}/{device.name}",
        "kind": device.description.kind,
        "variant": _VARIANTS.get(device.description.kind),
        "tracked": device.description.tracked,
        "hub": str(home.chf),
        "from_version": None if made is None else f"{made.versions[0]:08X}",
        "to_version": None if made is None else f"{device.device.firmware_version:08X}",
        "blocks": record.blocks,
        "retries": record.retries,
        "octets": record.octets,
        "virtual_seconds": record.downloading // SECOND,
        "result": _result(device, record),
    }


def _result(device: HomeDevice, record: DeviceRecord) -> str:
    if device.product is None:
        return "not updatable"
    if device.device.firmware_version != device.product.versions[0]:
        return "updated"
    return "not updated" if record.octets else "not in this demo"


def _alert(row: Mapping[str, Value]) -> dict[str, Any]:
    return {
        "time": iso(_time(row["time"])),
        "code": row["code"],
        "origin": row["originator"],
        "decision": row["decision"],
        "recipient": row["recipient"],
        "signature": row["signature"],
    }


def _suppression(rows: Rows) -> dict[str, Any]:
    decisions = [row["decision"] for row in rows["power_outage_audit"]]
    windows = [
        {"esme": row["esme"], "start": iso(_time(row["start"])), "end": iso(_time(row["end"])), "kind": row["kind"],
         "state": row["state"]}
        for row in rows["suppression_windows"]
    ]  # fmt: skip
    return {
        "windows": windows,
        "suppressed": decisions.count("suppressed"),
        "delivered": decisions.count("delivered"),
    }


def _time(value: object) -> int:
    return value if isinstance(value, int) else 0
