"""A virtual lab for Python programs: homes, WAN, CSP, DSP and users in one process and one virtual time."""

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from emulator import clock
from emulator.home import HomeDescription, shipped_homes
from gateway.assembly import summary
from gateway.assembly.folder import RunFolder
from gateway.assembly.story import arrival, joining
from gateway.assembly.world import World
from gateway.campaigns.verify import Check, verify

T = TypeVar("T")


class Lab:
    """Runs stories in a world of its own and leaves their evidence in a folder.

    ```python
    with Lab("evidence", seed=7) as lab:
        lab.run(lab.everybody_joins)
        lab.run(lab.devices_are_joined)
        lab.run(lambda world: world.clock.sleep(HOUR))
    ```
    """

    def __init__(self, out: Path | str, *, homes: Sequence[HomeDescription] | None = None, seed: int = 1) -> None:
        """homes: read by `Home` descriptions, the shipped ones if left out. Raises InputError for a foreign folder."""
        self.world = World(homes if homes is not None else shipped_homes(), seed=seed, folder=RunFolder(Path(out)))
        self._open = True

    def run(self, story: Callable[[World], Coroutine[Any, Any, T]]) -> T:
        """Run a coroutine in virtual time to its end; time stands still between two calls."""
        return clock.run(self.world.clock, lambda: story(self.world))

    async def everybody_joins(self, world: World) -> None:
        """Install, pre-notify, whitelist and switch on every device of every home, and wait until it has joined."""
        for home in world.homes:
            await arrival.everybody_joins(world, home)

    async def devices_are_joined(self, world: World) -> None:
        """Join the devices of every home to each other (8.7.1, 8.7.2): displays and switches speak with meters then."""
        for home in world.homes:
            await joining.devices_are_joined(world, home)

    def close(self) -> None:
        """Complete the folder's files."""
        if self._open:
            self._open = False
            rows = self.world.store.load()
            self.world.close()
            self.world.folder.write_json("summary.json", summary.summarise(self.world, rows, 0.0))

    def verify(self) -> list[Check]:
        """Close, and recompute every check of `hanlab verify` from the folder."""
        self.close()
        return verify(self.world.folder.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
