"""What a person sees while a run goes on: a bar a device, the virtual clock, how much faster than real time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gateway.assembly.folder import iso
from gateway.assembly.happenings import Fields
from gateway.assembly.world import World
from protocols.interfaces import SECOND

_BAR = 40  # columns


class ProgressDisplay:
    """Watches the timeline for the step told, and the devices for their downloads."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._began = time.monotonic()
        self._step = ""
        world.timeline.listeners.append(self)

    def noted(self, now: int, actor: str, event: str, fields: Fields) -> None:
        if event == "step":
            self._step = str(fields.get("title"))

    def __rich__(self) -> RenderableType:
        return Group(self._clock_line(), self._bars())

    def _clock_line(self) -> Text:
        clock = self._world.clock
        elapsed = (clock.now() - clock.start) / SECOND
        wall = max(time.monotonic() - self._began, 1e-3)
        return Text(f"{iso(clock.now())[:19]}Z  {elapsed / wall:,.0f} times real time  {self._step}", style="bold")

    def _bars(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for home, device in self._world.devices:
            if device.product is None:
                continue
            statistics, running = device.device.statistics, device.device.firmware_version
            done, size = statistics.octets, statistics.size
            table.add_row(
                f"{home.name}/{device.name}",
                f"{running:08X}",
                ProgressBar(total=max(size, 1), completed=done, width=_BAR),
                f"{done:,} octets" if done else "",
            )
        return table


@contextmanager
def shown(world: World, console: Console) -> Iterator[None]:
    """Show the progress of `world` on a terminal until the block ends."""
    with Live(ProgressDisplay(world), console=console, refresh_per_second=8, transient=True):
        yield
