"""SR 11.4 brings each bridge and the PPMID its own image; what is wrong is refused."""

import asyncio

from emulator.home.builder import Home
from gateway.assembly.story.steps import StoryError, accepted, refused, told, update_ppmid
from gateway.assembly.world import World
from protocols.interfaces import SECOND
from protocols.ota.image import Kind


async def both_homes(world: World) -> None:
    """Update the bridges of both homes side by side, one request a device."""
    for home in world.homes:
        accepted(world.supplier.read_inventory(home.chf), f"8.2 for {home.name}")
    _unknown_image_is_refused(world)
    async with asyncio.TaskGroup() as group:
        group.create_task(told(world, _home_1(world)))
        group.create_task(told(world, _home_2(world)))


def _unknown_image_is_refused(world: World) -> None:
    """An image of a version that is listed, but with other octets: its hash is on no list."""
    home = world.home("home-1")
    good = world.images.release(Kind.BRIDGE1, 1)
    octets = bytearray(good.encode())
    octets[len(octets) // 2] ^= 0x80
    exchange = world.supplier.update_ppmid_firmware(
        [home.device("bridge-1").eui], bytes(octets), good.header.file_version
    )
    refused(exchange, "E110402", "11.4 with an image of unknown hash")


async def _home_1(world: World) -> None:
    home = world.home("home-1")
    first = asyncio.create_task(_updated(world, home, "bridge-1"))
    await world.clock.sleep_until(world.clock.now() + 5 * SECOND)
    try:
        _second_update_is_blocked(world, home)
    finally:
        await first
    await _updated(world, home, "bridge-3")


async def _home_2(world: World) -> None:
    home = world.home("home-2")
    await _updated(world, home, "bridge-1")
    altered = world.images.release(Kind.BRIDGE2, 1)
    world.csp.alter_image(altered.header.file_version, len(altered.encode()) // 2)
    if await update_ppmid(world, home.device("bridge-2").eui, altered):
        raise StoryError("home-2/bridge-2 activated an image altered on its way")
    await _updated(world, home, "bridge-2")
    await _updated(world, home, "bridge-4")


def _second_update_is_blocked(world: World, home: Home) -> None:
    again = world.images.release(Kind.BRIDGE1, 1)
    eui = home.device("bridge-1").eui
    exchange = world.supplier.update_ppmid_firmware([eui], again.encode(), again.header.file_version)
    refused(exchange, "W110401", "11.4 for a device whose update is open")


async def _updated(world: World, home: Home, name: str) -> None:
    device = home.device(name)
    kind = Kind(device.description.kind)
    if not await update_ppmid(world, device.eui, world.images.release(kind, 1)):
        raise StoryError(f"{home.name}/{name} did not activate its image")


async def ppmid(world: World) -> None:
    """Update the PPMID of home 1."""
    await _updated(world, world.home("home-1"), "ppmid")
