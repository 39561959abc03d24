"""The chapters in order. One that goes wrong is noted and the next is told: the checks judge, not the story."""

from collections.abc import Awaitable, Callable

from gateway.assembly.story import arrival, bridges, electricity, joining, reading
from gateway.assembly.story.steps import told
from gateway.assembly.world import World
from protocols.interfaces import HOUR

Chapter = Callable[[World], Awaitable[None]]


async def arrive(world: World) -> None:
    for home in world.homes:
        await arrival.everybody_joins(world, home)


async def join(world: World) -> None:
    for home in world.homes:
        await joining.devices_are_joined(world, home)


CHAPTERS: tuple[tuple[str, Chapter], ...] = (
    ("devices are pre-notified, whitelisted and join", arrive),
    ("devices are joined to each other (8.7.1, 8.7.2)", join),
    ("bridges are updated (11.4)", bridges.both_homes),
    ("the HCALCS is updated (11.1, 11.3)", electricity.hcalcs),
    ("a real power cut in home 2", electricity.outage_of_an_untracked_home),
    ("the ESME is updated at once, the PPMID meanwhile", electricity.esme_at_once),
    ("the ESME is updated on a date, real power cuts before and after", electricity.esme_dated),
    ("an activation of the ESME is cancelled", electricity.esme_cancelled),
    ("versions and inventory are read (11.2, 8.2)", reading.versions_and_inventory),
)


async def tell(world: World) -> None:
    """Tell the whole story; afterwards every message that was on its way has arrived."""
    for title, chapter in CHAPTERS:
        world.timeline.note("story", "step", title=title)
        await told(world, chapter(world))
    await world.clock.sleep_until(world.clock.now() + HOUR)
