"""What several chapters of the story do: wait with a check, send an image, cut the mains to the nanosecond."""

from collections.abc import Awaitable

from emulator.home.builder import Home
from gateway.assembly.world import World
from gateway.users.mailbox import Delivery, answers, dcc_alert, device_alert
from gateway.users.supplier import Activation
from gateway.users.user import Exchange, ServiceUser
from protocols.addresses import Eui64
from protocols.duis.alerts import ActivateImageResultCode, PpmidAlert
from protocols.errors import HanlabError
from protocols.interfaces import DAY, HOUR
from protocols.ota.image import FirmwareImage

IMAGE_ARRIVES_WITHIN = 12 * HOUR


class StoryError(HanlabError):
    """The story went another way than it is told."""


def accepted(exchange: Exchange | Activation, what: str) -> None:
    """Raise StoryError unless the DSP took the request."""
    if not exchange.accepted:
        raise StoryError(f"{what}: the DSP answered {exchange.code}")


def refused(exchange: Exchange | Activation, code: str, what: str) -> None:
    """Raise StoryError unless the DSP answered with this error code."""
    if exchange.code != code:
        raise StoryError(f"{what}: {code} expected, the DSP answered {exchange.code}")


async def told(world: World, part: Awaitable[None]) -> None:
    """Tell a part of the story; what goes wrong in it is noted and ends this part only."""
    try:
        await part
    except HanlabError as error:
        world.note_failure(error)


async def answer(world: World, exchange: Exchange, what: str, user: ServiceUser | None = None) -> Delivery:
    """Return the device's answer to a user, the supplier by default; StoryError if the DSP reports that none came."""
    accepted(exchange, what)
    delivery = await (world.supplier if user is None else user).answer_to(exchange, within=2 * DAY)
    if delivery.code != "I0":
        raise StoryError(f"{what}: {delivery.code}")
    return delivery


async def executed(world: World, request: Exchange | Activation, what: str, *, within: int = 2 * HOUR) -> Delivery:
    """Return a device's answer to a command; StoryError if the DSP took none or reports that none came."""
    accepted(request, what)
    delivery = await world.supplier.wait_for(answers(request.request_id), what=f"answer to {what}", within=within)
    if delivery.code != "I0":
        raise StoryError(f"{what}: {delivery.code}")
    return delivery


async def update_ppmid(world: World, device: Eui64, image: FirmwareImage) -> bool:
    """Send SR 11.4 for one device and wait for the end of it; return whether it was activated."""
    mark = world.supplier.mailbox.mark
    version = image.header.file_version
    accepted(world.supplier.update_ppmid_firmware([device], image.encode(), version), f"11.4 for {device}")
    ended = await world.supplier.wait_for(
        lambda delivery: _n39(delivery, device) or _transfer_failed(delivery, device),
        what=f"the outcome of 11.4 for {device}",
        within=IMAGE_ARRIVES_WITHIN,
        after=mark,
    )
    alert = ended.dcc_alert
    return (
        isinstance(alert, PpmidAlert)
        and alert.firmware_upgrade is not None
        and alert.firmware_upgrade.result is ActivateImageResultCode.ACTIVATION_SUCCESS
    )


def _n39(delivery: Delivery, device: Eui64) -> bool:
    return dcc_alert("N39", device_id=device)(delivery)


def _transfer_failed(delivery: Delivery, device: Eui64) -> bool:
    alert = delivery.dcc_alert
    transfer = getattr(alert, "firmware_transfer", None)
    return (
        transfer is not None
        and getattr(alert, "alert_code", None) == 0x8F89
        and getattr(transfer, "other_device_id", None) == device
    )


async def distribute(world: World, device: Eui64, image: FirmwareImage) -> bool:
    """Send SR 11.1 for one device; return True when it reports the image as good (8F72), False for 8F1C."""
    mark = world.supplier.mailbox.mark
    version = image.header.file_version
    accepted(world.supplier.update_firmware([device], image.encode(), version), f"11.1 for {device}")
    good, bad = device_alert(0x8F72, device), device_alert(0x8F1C, device)
    ended = await world.supplier.wait_for(
        lambda delivery: good(delivery) or bad(delivery),
        what=f"8F72 or 8F1C of {device}",
        within=IMAGE_ARRIVES_WITHIN,
        after=mark,
    )
    return good(ended)


async def cut_so_that_the_alert_arrives(world: World, home: Home, at: int, duration: int) -> None:
    """Cut the mains of `home` for `duration` ns at the instant that brings its AD1 to the DSP at exactly `at`."""
    await world.clock.sleep_until(at - world.outage_latency)
    home.mains.cut(duration)
