"""HCALCS and the tracked ESME by 11.1 and 11.3, at once, dated and cancelled, with real power cuts between."""

from gateway.assembly.story.bridges import ppmid
from gateway.assembly.story.steps import (
    StoryError,
    cut_so_that_the_alert_arrives,
    distribute,
    executed,
    told,
)
from gateway.assembly.world import World
from gateway.users.mailbox import device_alert
from protocols.addresses import Eui64
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from protocols.ota.image import FirmwareImage, Kind

WINDOW = 30 * MINUTE  # MP102B
LONG_CUT = 5 * MINUTE
SHORT_CUT = 2 * MINUTE + 59 * SECOND


async def hcalcs(world: World) -> None:
    """11.1 distributes, 11.3 activates (SM7-R4, R5)."""
    device = world.home("home-1").device("hcalcs").eui
    image = world.images.release(Kind.HCALCS, 1)
    await _distributed(world, device, image)
    await world.clock.sleep_until(world.clock.now() + HOUR)
    await executed(world, world.supplier.activate(device, image.hash), "11.3 for the HCALCS")


async def outage_of_an_untracked_home(world: World) -> None:
    """A real cut in home 2, whose ESME is not tracked (MP102B-G9)."""
    world.home("home-2").mains.cut(LONG_CUT)
    await world.clock.sleep_until(world.clock.now() + 15 * MINUTE)


async def esme_at_once(world: World) -> None:
    """Version 2 at once; in its window the PPMID is updated, and a real cut's alert comes in the last second."""
    home = world.home("home-1")
    esme = home.device("esme").eui
    image = world.images.release(Kind.ESME, 1)
    await _distributed(world, esme, image)
    start = world.clock.now()
    activation = world.supplier.activate(esme, image.hash)
    await executed(world, activation, "11.3 for the ESME, at once")
    await told(world, ppmid(world))
    await cut_so_that_the_alert_arrives(world, home, start + WINDOW - SECOND, LONG_CUT)
    await world.clock.sleep_until(start + WINDOW + 30 * MINUTE)


async def esme_dated(world: World) -> None:
    """Version 3 in two days; real cuts before, and one whose alert comes as the window closes."""
    home = world.home("home-1")
    esme = home.device("esme").eui
    image = world.images.release(Kind.ESME, 2)
    await _distributed(world, esme, image)
    _too_far_ahead_is_refused(world, image)
    date = _whole_second(world.clock.now() + 2 * DAY)
    await executed(world, world.supplier.activate(esme, image.hash, date), "11.3 for the ESME, dated")
    await world.clock.sleep_until(world.clock.now() + 6 * HOUR)
    home.mains.cut(SHORT_CUT)
    await world.clock.sleep_until(world.clock.now() + 6 * HOUR)
    home.mains.cut(LONG_CUT)
    await world.clock.sleep_until(date)
    await cut_so_that_the_alert_arrives(world, home, date + WINDOW, LONG_CUT)
    await world.supplier.wait_for(device_alert(0x8F66, esme), what="8F66 of the ESME", within=2 * HOUR)
    await world.clock.sleep_until(date + WINDOW + 30 * MINUTE)


async def esme_cancelled(world: World) -> None:
    """Version 4: once with its signature altered on the way, then good, dated, and cancelled."""
    home = world.home("home-1")
    esme = home.device("esme").eui
    image = world.images.release(Kind.ESME, 3)
    world.csp.alter_image(image.header.file_version, len(image.encode()) - 1)
    if await distribute(world, esme, image):
        world.note_failure(StoryError("the ESME took an image whose signature does not verify"))
    await _distributed(world, esme, image)
    date = _whole_second(world.clock.now() + DAY)
    await executed(world, world.supplier.activate(esme, image.hash, date), "11.3 to be cancelled")
    await world.clock.sleep_until(world.clock.now() + HOUR)
    await executed(world, world.supplier.cancel(esme, image.hash), "the cancellation")
    await world.clock.sleep_until(date + 2 * HOUR)


def _too_far_ahead_is_refused(world: World, image: FirmwareImage) -> None:
    """MP102B-G7: at most 30 days ahead."""
    esme = world.home("home-1").device("esme").eui
    far = world.supplier.activate(esme, image.hash, _whole_second(world.clock.now() + 31 * DAY))
    if far.accepted:
        raise StoryError("an activation 31 days ahead was accepted")


async def _distributed(world: World, device: Eui64, image: FirmwareImage) -> None:
    if not await distribute(world, device, image):
        raise StoryError(f"{device} refused image {image.header.file_version:08X}")


def _whole_second(when: int) -> int:
    return when - when % SECOND
