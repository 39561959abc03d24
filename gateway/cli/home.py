"""`hanlab home`: show a home, or let it live."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from protocols.errors import InputError

if TYPE_CHECKING:  # imported when a home is shown
    from rich.table import Table

    from gateway.assembly.survey import LinkBudget, Route, Survey

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Homes as described."
)

_PRINTED_WIDTH = 120  # columns, where the output is no terminal
_NOWHERE = "does not join"


@app.callback()
def home() -> None:
    """Homes as their descriptions have them."""


@app.command()
def show(
    described: Annotated[str, typer.Argument(metavar="HOME", help="A home's YAML file, or the name of a shipped one.")],
    mermaid: Annotated[bool, typer.Option("--mermaid", help="A Mermaid flowchart instead of tables.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the short virtual run in which the devices join.")] = 1,
) -> None:
    """Topology, link budgets and routes: places give the links, joining in a short virtual run gives the tree."""
    from emulator.home import find_home
    from gateway.assembly.survey import survey

    if mermaid and as_json:
        raise InputError("--mermaid or --json, not both")
    found = survey(find_home(described), seed=seed)
    if as_json:
        print(json.dumps(report(found), indent=1, ensure_ascii=False))
    elif mermaid:
        print("\n".join(flowchart(found)))
    else:
        _print_tables(found)


@app.command()
def run(
    described: Annotated[str, typer.Argument(metavar="HOME", help="A home's YAML file, or the name of a shipped one.")],
    length: Annotated[str, typer.Option("--for", help="How long it lives: days, hours or minutes, e.g. 30d.")] = "30d",
    out: Annotated[Path, typer.Option(help="Folder of evidence; one of an earlier run is made anew.")] = Path("run"),
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same octets.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as one JSON object instead of tables.")] = False,
    progress: Annotated[bool, typer.Option("--progress/--no-progress", help="Show progress on a terminal.")] = True,
    plots: Annotated[bool, typer.Option("--plots/--no-plots", help="Draw the life: a PNG, and in the text.")] = True,
) -> None:
    """Let a home live: firmware rounds, power cuts, reads; leaves a folder of evidence and judges it."""
    from gateway.cli.home_run import run as lived

    lived(described, length, out, seed, as_json=as_json, progress=progress, drawn=plots)


# --- JSON -------------------------------------------------------------------------------------------------------


def report(found: "Survey") -> dict[str, object]:
    """Return what `--json` prints."""
    return {
        "home": found.home,
        "pan_id": f"{found.pan_id:04X}",
        "channel": found.channel,
        "backhaul_channel": found.backhaul_channel,
        "seconds": found.seconds,
        "nodes": [node._asdict() | {"eui": str(node.eui)} for node in found.nodes],
        "links": [link._asdict() | {"loss": float(f"{link.loss:.6g}")} for link in found.links],
        "routes": [route._asdict() | {"joined": bool(route.hops)} for route in found.routes],
    }


# --- tables -----------------------------------------------------------------------------------------------------


def _print_tables(found: "Survey") -> None:
    import sys

    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else _PRINTED_WIDTH, highlight=False)
    console.print(_routes(found))
    console.print(_links(found))
    console.print(f"PAN {found.pan_id:04X}; the tree stood after {found.seconds:,} virtual seconds")


def _routes(found: "Survey") -> "Table":
    from rich.table import Table

    table = Table(title=f"{found.home}: nodes and their ways to the hub")
    for heading in ("node", "kind", "place", "EUI-64"):
        table.add_column(heading)
    table.add_column("dBm", justify="right")
    table.add_column("way to the hub")
    ways = {route.device: _way(route) for route in found.routes}
    for node in found.nodes:
        table.add_row(node.name, node.kind, node.place, str(node.eui), f"{node.power:g}", ways.get(node.name, ""))
    return table


def _way(route: "Route") -> str:
    return " > ".join(route.hops) if route.hops else _NOWHERE


def _links(found: "Survey") -> "Table":
    from rich.table import Table

    table = Table(title=f"{found.home}: links")
    for heading in ("between", "and", "band"):
        table.add_column(heading)
    for heading in ("channel", "RSSI dBm", "LQI", "frames lost"):
        table.add_column(heading, justify="right")
    for link in found.links:
        channel = found.backhaul_channel if link.band == "backhaul" else found.channel
        table.add_row(
            link.one, link.other, link.band, str(channel), str(link.rssi), str(link.lqi), f"{100 * link.loss:.2f} %"
        )
    return table


# --- Mermaid ----------------------------------------------------------------------------------------------------


def flowchart(found: "Survey") -> Iterator[str]:
    """Yield the lines of a flowchart: places as boxes, the tree as arrows to the hub, other links dotted."""
    yield "flowchart BT"
    places = dict.fromkeys(node.place for node in found.nodes)
    for number, place in enumerate(places):
        yield f'  subgraph place{number}["{_text(place)}"]'
        for node in found.nodes:
            if node.place == place:
                kind = "" if node.kind == node.name else f"<br/>{node.kind}"
                yield f'    {_id(node.name)}["{node.name}{kind}"]'
        yield "  end"
    tree = {(route.device, route.hops[0]): route for route in found.routes if route.hops}
    for (device, parent), route in tree.items():
        arrow = "==>" if route.over_backhaul else "-->"
        yield f"  {_id(device)} {arrow}{_label(found, device, parent, route)} {_id(parent)}"
    for link in found.links:
        if (link.one, link.other) not in tree and (link.other, link.one) not in tree:
            yield f'  {_id(link.one)} -.-|"{link.rssi} dBm"| {_id(link.other)}'
    lost = [_id(route.device) for route in found.routes if not route.hops]
    if lost:
        yield "  classDef lost stroke-dasharray: 4"
        yield f"  class {','.join(lost)} lost"


def _label(found: "Survey", device: str, parent: str, route: "Route") -> str:
    link = _between(found, device, parent, over_backhaul=route.over_backhaul)
    if link is None:
        return ""
    band = "backhaul, " if link.band == "backhaul" else ""
    return f'|"{band}{link.rssi} dBm, LQI {link.lqi}"|'


def _between(found: "Survey", one: str, other: str, *, over_backhaul: bool) -> "LinkBudget | None":
    for link in found.links:
        if {link.one, link.other} == {one, other} and (link.band == "backhaul") == over_backhaul:
            return link
    return None


def _id(name: str) -> str:
    """Return a name Mermaid takes: `end` and dashes mean something to it."""
    return "n_" + re.sub(r"[^a-z0-9]", "_", name)


def _text(place: str) -> str:
    return place.replace('"', "#quot;")
