"""SR 11.2 to a bridge, the HCALCS and the ESME, and the inventory at the end."""

from gateway.assembly.story.steps import accepted, answer
from gateway.assembly.world import World

READ = (("home-1", "bridge-3"), ("home-1", "hcalcs"), ("home-1", "ppmid"), ("home-2", "bridge-4"), ("home-1", "esme"))


async def versions_and_inventory(world: World) -> None:
    for home_name, name in READ:
        device = world.home(home_name).device(name)
        await answer(world, world.supplier.read_version(device.eui), f"11.2 for {home_name}/{name}")
    for home in world.homes:
        accepted(world.supplier.read_inventory(home.chf), f"8.2 for {home.name}")
