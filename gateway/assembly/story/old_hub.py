"""A hub of before SECMP0007: what its devices cannot get from it, and what new firmware of its own changes (SM7-R9)."""

import asyncio
from collections.abc import Sequence

from emulator.home import shipped_homes
from emulator.home.builder import Home, HomeDevice
from emulator.home.description import HomeDescription
from firmware_images import product
from gateway.assembly.story.arrival import everybody_joins
from gateway.assembly.story.joining import devices_are_joined
from gateway.assembly.story.steps import StoryError, accepted, answer, distribute, executed, told, update_ppmid
from gateway.assembly.world import World
from gateway.users.mailbox import dcc_alert
from protocols.errors import HanlabError
from protocols.interfaces import DAY, HOUR, MINUTE
from protocols.ota.image import Kind

HOME = "home-1"
_SMALL = ("ppmid", "bridge-1", "hcalcs")  # by SECMP0007
_GIVEN_UP_WITHIN = 4 * DAY  # the CSP tries for three
_REPORTED_WITHIN = HOUR  # what came of an image for the hub


def homes() -> Sequence[HomeDescription]:
    """Return the home whose hub has the first firmware of its make, which serves meters alone."""
    found = next(home for home in shipped_homes() if home.name == HOME)
    hub = found.hub.model_copy(update={"version": product(Kind.HUB).versions[0], "secmp0007": False})
    return [found.model_copy(update={"hub": hub})]


async def tell(world: World) -> None:
    """Tell the whole story; a chapter that goes wrong is noted, and the next is told."""
    home = world.home(HOME)
    for title, chapter in (
        ("the devices join", everybody_joins(world, home)),
        ("devices are joined to each other", devices_are_joined(world, home)),
        ("versions are read", _reads(world, home)),
        ("images for PPMID, HCALCS and bridge do not arrive", _nothing_arrives(world, home)),
        ("the ESME gets its image all the same", _esme(world, home)),
        ("the hub refuses an image altered on its way", _altered(world, home)),
        ("the hub runs new firmware", _updated(world, home)),
        ("PPMID, HCALCS and bridge are updated", _everything_arrives(world, home)),
        ("versions are read again", _reads(world, home)),
    ):
        world.timeline.note("story", "step", title=title)
        await told(world, chapter)
    await world.clock.sleep_until(world.clock.now() + HOUR)


async def _reads(world: World, home: Home) -> None:
    """11.2 to the hub, its PPMID and a bridge, and the inventory."""
    await _hub_read(world, home)
    for name in ("ppmid", "bridge-1", "hcalcs", "esme"):
        await answer(world, world.supplier.read_version(home.device(name).eui), f"11.2 for {home.name}/{name}")
    accepted(world.supplier.read_inventory(home.chf), f"8.2 for {home.name}")


async def _hub_read(world: World, home: Home) -> None:
    await answer(world, world.supplier.read_version(home.chf), f"11.2 for the hub of {home.name}")


# --- images for devices --------------------------------------------------------------------------------------------


async def _nothing_arrives(world: World, home: Home) -> None:
    """Send each its image side by side; the CSP gives up after days."""
    async with asyncio.TaskGroup() as group:
        for name in _SMALL:
            group.create_task(told(world, _in_vain(world, home.device(name))))


async def _in_vain(world: World, device: HomeDevice) -> None:
    image = world.images.release(Kind(device.description.kind), 1)
    mark, octets, version = world.supplier.mailbox.mark, image.encode(), image.header.file_version
    send = world.supplier.update_firmware if device.name == "hcalcs" else world.supplier.update_ppmid_firmware
    accepted(send([device.eui], octets, version), f"an image for {device.name}")
    ended = await world.supplier.wait_for(
        dcc_alert(("N60", "N61"), target_device_id=device.eui),
        what=f"N61 for {device.name}", within=_GIVEN_UP_WITHIN, after=mark,
    )  # fmt: skip
    if not dcc_alert("N61")(ended):
        raise StoryError(f"a hub without SECMP0007 took an image for {device.name}")


async def _esme(world: World, home: Home) -> None:
    """11.1 to the ESME: its image the hub has always served (SM7-R7)."""
    if not await distribute(world, home.device("esme").eui, world.images.release(Kind.ESME, 1)):
        raise StoryError("the ESME refused its image")


async def _everything_arrives(world: World, home: Home) -> None:
    for name in _SMALL:
        device = home.device(name)
        image = world.images.release(Kind(device.description.kind), 1)
        if device.name != "hcalcs":
            if not await update_ppmid(world, device.eui, image):
                raise StoryError(f"{home.name}/{name} did not activate its image")
            continue
        if not await distribute(world, device.eui, image):
            raise StoryError(f"{home.name}/{name} refused its image")
        await world.clock.sleep(10 * MINUTE)
        await executed(world, world.supplier.activate(device.eui, image.hash), f"11.3 for {home.name}/{name}")


# --- images for the hub --------------------------------------------------------------------------------------------


async def _altered(world: World, home: Home) -> None:
    """The CSP brings the new firmware, one octet of which is altered: the hub stays as it is, no user is told."""
    image = world.images.release(Kind.HUB, 1)
    world.csp.alter_image(image.header.file_version, len(image.encode()) - 1)
    await _hub_updated(world, home, "REFUSED")


async def _updated(world: World, home: Home) -> None:
    """The same firmware as it was signed: N63, and 11.2 and 8.2 tell of it."""
    mark = world.supplier.mailbox.mark
    await _hub_updated(world, home, "ACTIVATED")
    await world.supplier.wait_for(
        dcc_alert("N63", device_id=home.chf), what="N63 of the hub", within=_REPORTED_WITHIN, after=mark
    )


async def _hub_updated(world: World, home: Home, outcome: str) -> None:
    world.update_hub(home, world.images.release(Kind.HUB, 1))
    try:
        await world.happenings.event("csp", "hub-firmware", within=_REPORTED_WITHIN, outcome=outcome)
    finally:
        await world.clock.sleep(5 * MINUTE)
    try:
        await _hub_read(world, home)
    except HanlabError as error:
        raise StoryError(f"after an image that was to be {outcome}: {error}") from error
