"""One life from beginning to end, and what is shown of it."""

from pathlib import Path
from typing import Any

from rich.console import Console

from emulator.home import HomeDescription
from gateway.assembly.folder import RunFolder
from gateway.assembly.life import days, plots, story
from gateway.assembly.life.plan import planned
from gateway.assembly.run import perform
from gateway.assembly.world import START, World
from gateway.campaigns.verify.registry import LIFE


def live(
    description: HomeDescription, out: Path, *, duration: int, seed: int, drawn: bool, console: Console | None = None
) -> dict[str, Any]:
    """Let a home live for `duration` ns into the folder `out`; return its summary, checks included.

    drawn: with plots. console: where to show the progress, None for nowhere.
    Raises InputError for a life too short, a home without a hub of ours, or a folder that is not ours.
    """
    plan = planned(START, duration)
    world = World([description], seed=seed, folder=RunFolder(out))
    told = story.tell(world, world.homes[0], plan)
    summary = perform(world, told, console=console, extra={"kind": LIFE, "plan": plan.as_json(description)})
    lived = days.read(out)
    world.folder.write_json("days.json", [days.as_json(day) for day in lived.days])
    if drawn:
        plots.write(lived, world.folder.file("plots/life.png"))
    return summary
