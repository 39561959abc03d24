"""`hanlab fleet`: many homes without radio, in a folder that `hanlab verify` judges; or idle ones on the air."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from protocols.errors import InputError

if TYPE_CHECKING:
    from gateway.assembly.fleet.plan import FleetPlan, Repair
    from protocols.ota.image import Kind

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same run.")]
Out = Annotated[Path, typer.Option(help="Folder of evidence; one of an earlier run is made anew.")]
Json = Annotated[bool, typer.Option("--json", help="The summary as one JSON object.")]
Loss = Annotated[float, typer.Option(min=0, max=1, help="Share of the responses of 11.3 that get lost.")]
Gas = Annotated[float, typer.Option(min=0, max=1, help="Share of homes with a GSME too.")]
RepairBy = Annotated[str, typer.Option("--repair", help="read (11.2), retry (11.3 again) or none.")]


@app.command()
def mp105(
    meters: Annotated[int, typer.Option(min=1, help="ESME, a home each.")] = 1000,
    loss: Loss = 0.2,
    gas: Gas = 0.0,
    repair: RepairBy = "read",
    feature: Annotated[bool, typer.Option("--feature/--no-feature", help="Whether the DSP has MP105.")] = True,
    removed: Annotated[bool, typer.Option("--suspend/--no-suspend", help="Take the old firmware off the list.")] = True,
    seed: Seed = 1,
    out: Out = Path("fleet"),
    as_json: Json = False,
) -> None:
    """Update and activate a fleet of meters, lose responses, and repair the inventory: wrong before, wrong after."""
    from gateway.assembly.fleet.plan import FleetPlan

    plan = FleetPlan(
        homes=meters, lost_responses=loss, gas_share=gas, repair=_repair(repair), mp105=feature, removed=removed
    )
    _run(plan, out, seed, as_json=as_json)


@app.command()
def mixed(
    homes: Annotated[int, typer.Option(min=1, help="Each with hub and ESME.")] = 100,
    bridges: Annotated[
        str, typer.Option(help="How many of each product, e.g. 1=40,2=20,4=10.")
    ] = "1=40,2=30,3=20,4=10",
    downloads: Annotated[int, typer.Option(min=0, max=2, help="Images a bridge and year.")] = 2,
    tracked: Annotated[float, typer.Option(min=0, max=1, help="Share of ESME on the list of MP102B.")] = 0.7,
    dated: Annotated[float, typer.Option(min=0, max=1, help="Share of activations dated a day ahead.")] = 0.3,
    mains_cuts: Annotated[int, typer.Option(min=0, help="Real losses of the mains.")] = 100,
    loss: Loss = 0.2,
    gas: Gas = 0.5,
    repair: RepairBy = "read",
    suppression: Annotated[bool, typer.Option("--suppression/--no-suppression", help="MP102B on or off.")] = True,
    seed: Seed = 1,
    out: Out = Path("fleet"),
    as_json: Json = False,
) -> None:
    """All at once: activations and real outages (MP102B), lost responses (MP105), bridges (MP170)."""
    from gateway.assembly.fleet.plan import FleetPlan

    plan = FleetPlan(
        homes=homes, lost_responses=loss, gas_share=gas, repair=_repair(repair), tracked_share=tracked,
        dated_share=dated, mains_cuts=mains_cuts, bridges=_bridges(bridges), downloads=downloads,
        suppression=suppression,
    )  # fmt: skip
    _run(plan, out, seed, as_json=as_json)


@app.command()
def idle(
    homes: Annotated[int, typer.Option(min=1, help="Each on an air of its own.")] = 1000,
    devices: Annotated[int, typer.Option(min=1, help="Beside the hub, in each home.")] = 5,
    minutes: Annotated[int, typer.Option(min=1, help="Of virtual time.")] = 60,
    seed: Seed = 1,
    capture: Annotated[Path | None, typer.Option(help="Write the frames of all homes (pcapng), keys beside.")] = None,
    as_json: Json = False,
) -> None:
    """Let homes idle on the air, a report a minute from each device: whole stacks, and how fast time goes."""
    from gateway.assembly.fleet.idle import idle as let_idle
    from gateway.assembly.fleet.idle import keys_beside

    done = let_idle(homes, devices, minutes, seed=seed, capture=capture)
    if as_json:
        print(json.dumps(done._asdict() | {"device_hours_a_second": round(done.speed, 1)}, indent=1))
    else:
        print(f"{homes:,} homes of {devices} devices, {minutes:,} virtual minutes")
        print(f"{done.sent:,} reports sent, {done.read:,} read, {done.torn:,} out of order, {done.refused:,} refused")
        print(f"{done.seconds:.1f} s of processor time: {done.speed:,.0f} device-hours a second")
        if capture is not None:
            print(f"{done.frames:,} frames in {capture}, keys in {keys_beside(capture)}")
    if not done.whole:
        raise typer.Exit(1)


def _repair(text: str) -> "Repair":
    from gateway.assembly.fleet.plan import Repair

    try:
        return Repair(text)
    except ValueError:
        raise InputError(f"--repair {text}: read, retry or none") from None


def _bridges(text: str) -> "Mapping[Kind, int]":
    from protocols.ota.image import Kind

    found = {}
    for part in filter(None, text.split(",")):
        product, _, number = part.partition("=")
        if product not in ("1", "2", "3", "4") or not number.isdecimal():
            raise InputError(f"--bridges {part}: not PRODUCT=NUMBER with a product from 1 to 4")
        found[Kind(f"bridge{product}")] = int(number)
    return found


def _run(plan: "FleetPlan", out: Path, seed: int, *, as_json: bool) -> None:
    from gateway.assembly.fleet.run import fleet
    from gateway.campaigns.verify import Check
    from gateway.cli.verify import show

    summary = fleet(plan, out, seed=seed)
    checks = [Check(**check) for check in summary["checks"]]
    if as_json:
        print(json.dumps(summary, indent=1))
    else:
        days = summary["virtual_seconds"] / 86_400
        print(f"{len(summary['devices'])} devices, {days:.1f} virtual days; evidence in {out}")
        show(checks)
    if not all(check.passed for check in checks):
        raise typer.Exit(1)
