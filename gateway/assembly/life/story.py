"""What the people around one home do in its life."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from emulator.devices.esme import Esme
from emulator.home.builder import Home, HomeDevice
from gateway.assembly.life.plan import Plan, has_boost
from gateway.assembly.life.swap import answers_reads, swap
from gateway.assembly.story.arrival import everybody_joins
from gateway.assembly.story.joining import a_display_is_out_for_a_while, devices_are_joined
from gateway.assembly.story.steps import StoryError, accepted, answer, distribute, executed, told, update_ppmid
from gateway.assembly.world import START, World
from protocols.addresses import Eui64
from protocols.duis.bodies import LogToRead
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from protocols.ota.image import FirmwareImage, Kind

Chapter = tuple[int, str, Callable[[], Awaitable[None]]]  # when (ns UTC), title, what happens

_BEFORE_ACTIVATION = 10 * MINUTE  # between an image and its 11.3
_AFTER_ACTIVATION = 40 * MINUTE  # an ESME and the hub it feeds are back, and the window is over
_GAS_PERIOD = 3600  # s: a gas meter sleeps for half an hour
_PATIENCE = 3 * HOUR  # for the answer to a signed command
_ABSENCE = 31 * MINUTE  # longer than a display waits between two reads
_READ_EVERY = 15 * MINUTE  # between reads of one round
_BY_COMMAND = ("esme", "gsme", "hcalcs")


async def tell(world: World, home: Home, plan: Plan) -> None:
    """Live until the end of the plan; a chapter that goes wrong is noted, and the next is told."""
    _step(world, "the devices join")
    await told(world, everybody_joins(world, home))
    await told(world, _gas_meters_are_commissioned(world, home))
    await told(world, devices_are_joined(world, home))
    for when, title, chapter in chapters(world, home, plan):
        await world.clock.sleep_until(max(when, world.clock.now()))
        _step(world, title)
        await told(world, chapter())
    await world.clock.sleep_until(plan.end)


async def _gas_meters_are_commissioned(world: World, home: Home) -> None:
    """8.1.1: before, no image goes to them."""
    for device in home.devices:
        if device.description.kind == "gsme":
            what = f"8.1.1 for {home.name}/{device.name}"
            await executed(world, world.supplier.commission_gas(device.eui, _GAS_PERIOD), what, within=_PATIENCE)


def chapters(world: World, home: Home, plan: Plan) -> Sequence[Chapter]:
    """Return what happens, in order of time."""
    found: list[Chapter] = [
        (plan.first_round, "first round of firmware", partial(firmware_round, world, home, 1)),
        (
            plan.absence,
            "a display is unjoined for a while",
            partial(a_display_is_out_for_a_while, world, home, _ABSENCE),
        ),
        (plan.second_round, "second round of firmware", partial(firmware_round, world, home, 2)),
        (plan.swap, "the hub is replaced", partial(swap, world, home, plan)),
        *((when, "versions and inventory are read", partial(reads, world, home)) for when in plan.readings),
    ]
    if home.description.replacement is None:
        found = [chapter for chapter in found if chapter[0] != plan.swap]
    if home.description.phases > 1:
        found.append((plan.phase_cuts[0][0], "phases are cut", partial(cut_phases, world, home, plan)))
    if has_boost(home.description):
        found.append((plan.boost[0], "the boost button is pressed", partial(boost, home, plan.boost[1])))
    for number, (when, duration) in enumerate(plan.cuts, 1):
        found.append((when, f"power cut {number}", partial(cut, world, home, duration)))
    return sorted(found, key=lambda chapter: chapter[0])


def _step(world: World, title: str) -> None:
    world.timeline.note("story", "step", title=title)


# --- firmware ------------------------------------------------------------------------------------------------------


async def firmware_round(world: World, home: Home, number: int) -> None:
    """Bring every device this release: bridges and PPMID by 11.4, the rest by 11.1 and 11.3, the ESME last."""
    for device in sorted(home.devices, key=lambda device: device.description.kind == "esme"):
        if device.product is not None and number < len(device.product.versions):
            await told(world, _update(world, home, device, number))


async def _update(world: World, home: Home, device: HomeDevice, number: int) -> None:
    kind = Kind(device.description.kind)
    image = world.images.release(kind, number)
    name = f"{home.name}/{device.name}"
    if device.description.kind not in _BY_COMMAND:
        if not device.tunnelled:
            await _update_unheard(world, device, image, name)
        elif not await update_ppmid(world, device.eui, image):
            raise StoryError(f"{name} did not activate its image")
        return
    if not await distribute(world, device.eui, image):
        raise StoryError(f"{name} refused its image")
    await world.clock.sleep(_BEFORE_ACTIVATION)
    command = world.supplier.activate(device.eui, image.hash)
    await executed(world, command, f"11.3 for {name}", within=_PATIENCE)
    if kind is Kind.ESME:
        await world.clock.sleep(_AFTER_ACTIVATION)


async def _update_unheard(world: World, device: HomeDevice, image: FirmwareImage, name: str) -> None:
    """Send 11.4 to a bridge that has no tunnel to tell by, and see it run the image."""
    version = image.header.file_version
    accepted(world.supplier.update_ppmid_firmware([device.eui], image.encode(), version), f"11.4 for {name}")
    await world.happenings.event(name, "activated", within=HOUR, to_version=f"{version:08X}")


# --- supply --------------------------------------------------------------------------------------------------------


async def cut(world: World, home: Home, duration: int) -> None:
    """Cut the mains and wait until everything is back."""
    world.timeline.note("story", "mains-cut", home=home.name, duration=duration)
    home.mains.cut(duration)
    await world.clock.sleep(duration + HOUR)


async def cut_phases(world: World, home: Home, plan: Plan) -> None:
    """Cut one phase after another, two, and all with one of them already gone."""
    for when, duration, phases in plan.phase_cuts:
        await world.clock.sleep_until(max(when, world.clock.now()))
        told_as = " ".join(map(str, phases))
        world.timeline.note("story", "phases-cut", home=home.name, duration=duration, phases=told_as)
        home.mains.cut(duration, phases)
    await world.clock.sleep(10 * MINUTE)


async def boost(home: Home, minutes: int) -> None:
    """Press the button of the meter."""
    for each in home.devices:
        if isinstance(each.device, Esme) and each.description.powers_hub:
            each.device.meter.auxiliary.press_boost(minutes)


# --- reading -------------------------------------------------------------------------------------------------------


async def reads(world: World, home: Home) -> None:
    """Read the version of every device that a user may ask by 11.2, logs and voltages, and the inventory by 8.2."""
    for device in home.devices:
        if device.product is not None and device.description.kind != "gsme" and answers_reads(home, device):
            await told(world, _read(world, home, device))
            await world.clock.sleep(_READ_EVERY)
    for device in home.devices:
        if device.description.powers_hub:
            await told(world, _read_logs(world, device.eui, f"{home.name}/{device.name}"))
    accepted(world.supplier.read_inventory(home.chf), f"8.2 for {home.name}")


async def _read_logs(world: World, esme: Eui64, name: str) -> None:
    """Have the network operator read voltages and power events, and the supplier the security log and switches."""
    now, operator, supplier = world.clock.now(), world.operator, world.supplier
    now -= now % SECOND
    await answer(world, operator.read_network_data(esme, now - DAY, now), f"4.10 for {name}", operator)
    await answer(world, operator.read_log(esme, LogToRead.POWER_EVENT, START, now), f"6.13 for {name}", operator)
    await answer(world, supplier.read_log(esme, LogToRead.SECURITY, START, now), f"6.13 for {name}")
    await answer(world, supplier.read_switches(esme), f"7.7 for {name}")


async def _read(world: World, home: Home, device: HomeDevice) -> None:
    await answer(world, world.supplier.read_version(device.eui), f"11.2 for {home.name}/{device.name}")
