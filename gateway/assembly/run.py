"""One run from beginning to end: build the world, tell the story, close the files, and let the folder be judged."""

import time
from collections.abc import Coroutine, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console

from emulator import clock
from gateway.assembly import progress, sabotage, stories, summary
from gateway.assembly.folder import RunFolder
from gateway.assembly.world import World
from gateway.campaigns.verify import verify


def demo(
    out: Path, *, seed: int, planted: str | None, console: Console | None, story: str | None = None
) -> dict[str, Any]:
    """Run the demo into the folder `out` and return its summary, checks included.

    planted: name of a sabotage. console: where to show the progress, None for nowhere. story: its name, by default the
    one that shows what is planted. Raises InputError for an unknown sabotage or story, or a folder that is not ours.
    """
    faults = None if planted is None else sabotage.planted(planted)
    chosen = stories.story(sabotage.story_of(planted) if story is None else story)
    world = World(chosen.homes(), seed=seed, folder=RunFolder(out), faults=faults, sabotage=planted)
    extra = {} if chosen.kind is None else {"kind": chosen.kind}
    return perform(world, chosen.tell(world), console=console, extra=extra)


def perform(
    world: World, story: Coroutine[Any, Any, None], *, console: Console | None, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Let the story happen in its world, close that, and have the folder judged; return the summary.

    extra: more for the summary, in front. Interrupted by a person, it leaves a summary that says so.
    """
    began = time.monotonic()
    try:
        with nullcontext() if console is None else progress.shown(world, console):
            clock.run(world.clock, lambda: story)
    except KeyboardInterrupt:
        _finish(world, began, {"interrupted": True} | dict(extra or {}))
        raise
    done = _finish(world, began, extra or {})
    with nullcontext() if console is None else console.status("checking the evidence"):
        checks = verify(world.folder.path)
    judged = summary.with_checks(done, checks)
    world.folder.write_json("summary.json", judged)
    return judged


def _finish(world: World, began: float, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Close the world and write its summary, the checks still empty."""
    rows = world.store.load()
    world.close()
    done = dict(extra) | summary.summarise(world, rows, time.monotonic() - began)
    world.folder.write_json("summary.json", done)
    return done
