"""One run of a fleet from beginning to end: build it, tell its story, close the files, let the folder be judged."""

import time
from pathlib import Path
from typing import Any

from emulator import clock
from emulator.fleet.home import LeanHome
from gateway.assembly import summary
from gateway.assembly.fleet.estate import VARIANTS
from gateway.assembly.fleet.plan import BATTERY, FleetPlan, HomePlan, Repair
from gateway.assembly.fleet.story import tell
from gateway.assembly.fleet.world import FleetWorld
from gateway.assembly.folder import FORMAT, RunFolder
from gateway.assembly.parties import NETWORK_OPERATOR, SUPPLIER
from gateway.campaigns.verify import verify
from gateway.campaigns.verify.registry import FLEET
from protocols.duis.signature import Verdict
from protocols.interfaces import SECOND


def fleet(plan: FleetPlan, out: Path, *, seed: int) -> dict[str, Any]:
    """Run a fleet into the folder `out` and return its summary, checks included.

    Raises InputError for a folder that is not ours.
    """
    began = time.monotonic()
    world = FleetWorld(plan, RunFolder(out), seed=seed)
    clock.run(world.clock, lambda: tell(world))
    world.close()
    done = _summary(world, time.monotonic() - began)
    world.folder.write_json("summary.json", done)
    judged = summary.with_checks(done, verify(world.folder.path))
    world.folder.write_json("summary.json", judged)
    return judged


def _summary(world: FleetWorld, wall_seconds: float) -> dict[str, Any]:
    plan = world.plan
    received = [d.signature for user in (world.supplier, world.operator) for d in user.mailbox.deliveries]
    return {
        "format": FORMAT,
        "kind": FLEET,
        "seed": world.seed,
        "plan": _plan(plan),
        "virtual_seconds": (world.clock.now() - world.clock.start) // SECOND,
        "wall_seconds": round(wall_seconds, 3),
        "repeatable": not world.clock.held,
        "xml_signature": Verdict.VALID if set(received) <= {Verdict.VALID} else Verdict.INVALID,
        "devices": [row for home, made in zip(world.plans, world.homes, strict=True) for row in _devices(home, made)],
        "parties": {str(SUPPLIER): "supplier", str(NETWORK_OPERATOR): "network-operator"},
        "checks": [],
    }


def _plan(plan: FleetPlan) -> dict[str, Any]:
    told = {name: getattr(plan, name) for name in plan.__dataclass_fields__ if name != "bridges"}
    told["repair"] = str(Repair(plan.repair))
    return told | {"bridges": {kind.value: number for kind, number in plan.bridges.items()}}


def _devices(home: HomePlan, made: LeanHome) -> list[dict[str, Any]]:
    hub = str(home.chf)
    rows = [
        {"eui": str(meter.eui), "name": meter.name, "kind": meter.kind.name.lower(), "variant": None,
         "tracked": home.tracked and meter is made.esme, "hub": hub, "to_version": f"{meter.firmware_version:08X}"}
        for meter in made.meters
    ]  # fmt: skip
    return rows + [
        {"eui": str(bridge.eui), "name": bridge.name, "kind": bridge.made.kind.value,
         "variant": str(VARIANTS[bridge.made.kind]), "battery": bridge.made.kind in BATTERY, "tracked": False,
         "hub": hub, "to_version": f"{bridge.firmware_version:08X}"}
        for bridge in made.bridges
    ]  # fmt: skip
