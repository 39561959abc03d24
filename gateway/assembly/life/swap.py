"""The hub of a home is replaced, and what comes of that for a PPMID and for a bridge (MP170-A10)."""

from emulator.home.builder import Home, HomeDevice
from gateway.assembly.life.plan import Plan
from gateway.assembly.story.joining import displays_are_joined_to_the_gpf
from gateway.assembly.story.steps import StoryError, accepted, answer, told, update_ppmid
from gateway.assembly.world import World
from protocols.duis.inventory import DeviceStatus
from protocols.interfaces import HOUR, MINUTE
from protocols.ota.image import Kind

_ALL_BACK = 12 * HOUR  # devices miss their trust centre in three hours, one behind another later
_ANSWERED_FOR_IT = 26 * HOUR  # the DSP waits 25
NO_ANSWER = "E21"
_STEP = 10 * MINUTE
_SELF_ACTIVATING = ("ppmid", "bridge1", "bridge2", "bridge3", "bridge4")
_EARLIER = 1  # the release that shows whether a device can still be updated


async def swap(world: World, home: Home, plan: Plan) -> None:
    """Replace the hub by 8.4 and 8.12.1, wait until its devices are back, and withdraw the old one by 8.4."""
    former = world.replace_hub(home)
    supplier = world.supplier
    accepted(supplier.set_hub_status(home.chf, DeviceStatus.COMMISSIONED), f"8.4 for the new hub of {home.name}")
    await answer(world, supplier.restore_log(home.chf, former), f"8.12.1 for {home.name}")
    await _everybody_back(world, home)
    accepted(supplier.set_hub_status(former, DeviceStatus.WITHDRAWN), f"8.4 for the old hub of {home.name}")
    await told(world, displays_are_joined_to_the_gpf(world, home))
    for device in home.devices:
        if device.description.kind in _SELF_ACTIVATING and device.tunnelled:
            await told(world, _update_again(world, home, device))
    stranded = [device for device in home.devices if not answers_reads(home, device)]
    if stranded and world.clock.now() + _ANSWERED_FOR_IT < plan.cuts[-1][0]:
        await told(world, _read_in_vain(world, home, stranded[0]))


def answers_reads(home: Home, device: HomeDevice) -> bool:
    """Whether the hub in place has a way to ask the device: none to a bridge that it takes for an IHD."""
    described = device.description
    if not described.is_bridge or described.tunnelling == "always":
        return True
    return described.tunnelling == "until_swap" and home.chf == home.description.hub.chf


async def _read_in_vain(world: World, home: Home, device: HomeDevice) -> None:
    """Ask a bridge that the hub takes for an IHD: the DSP answers in its place."""
    exchange = world.supplier.read_version(device.eui)
    accepted(exchange, f"11.2 for {home.name}/{device.name}")
    delivery = await world.supplier.answer_to(exchange, within=_ANSWERED_FOR_IT)
    if delivery.code != NO_ANSWER:
        raise StoryError(f"11.2 for {home.name}/{device.name} behind a new hub: {delivery.code}")


async def _everybody_back(world: World, home: Home) -> None:
    deadline = world.clock.now() + _ALL_BACK
    while not all(home.keyed(device) for device in home.devices):
        if world.clock.now() > deadline:
            missing = [device.name for device in home.devices if not home.keyed(device)]
            raise StoryError(f"{', '.join(missing)} of {home.name} did not come to the new hub")
        await world.clock.sleep(_STEP)
    await world.clock.sleep(_STEP)  # the tunnels are open by then


async def _update_again(world: World, home: Home, device: HomeDevice) -> None:
    """Send an earlier release by 11.4: what is an IHD to the new hub does not get it."""
    image = world.images.release(Kind(device.description.kind), _EARLIER)
    done = await update_ppmid(world, device.eui, image)
    if done != answers_reads(home, device):
        raise StoryError(f"{home.name}/{device.name} {'took' if done else 'did not take'} an image from the new hub")
