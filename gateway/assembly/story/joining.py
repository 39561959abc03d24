"""Devices of a home are joined to each other by service requests 8.7.1 and 8.7.2, as an installer has it done."""

from emulator.home.builder import Home
from emulator.home.pairs import DISPLAYS, GPF, Join, joins
from gateway.assembly.story.steps import StoryError, executed, told
from gateway.assembly.world import World
from protocols.addresses import Eui64
from protocols.gbcs.codes import JoinCode
from protocols.gbcs.use_cases import cs03, cs04
from protocols.gbcs.use_cases.cs04 import UnjoinCode

_CRITICAL = {("esme", "hcalcs"), ("esme", "ppmid"), ("hcalcs", "esme"), ("gsme", "ppmid")}
"""Kinds of device and other that 8.7.1 joins and 8.8.1 parts; 8.7.2 and 8.8.2 do the rest."""
_GAS = "gsme"


async def devices_are_joined(world: World, home: Home) -> None:
    """Send every join of the home; one that fails is noted, and the next is sent."""
    for join in joins(home.description):
        await told(world, _joined(world, home, join))


async def displays_are_joined_to_the_gpf(world: World, home: Home) -> None:
    """Join displays to the GPF of another hub: its log is empty."""
    for join in joins(home.description):
        if GPF in join:
            await told(world, _joined(world, home, join))


async def a_display_is_out_for_a_while(world: World, home: Home, absence: int) -> None:
    """Unjoin the home's last display by 8.8.1 and 8.8.2, and join it again after `absence` ns."""
    displays = [device.name for device in home.devices if device.description.kind in DISPLAYS]
    if not displays:
        return
    concerned = [join for join in joins(home.description) if displays[-1] in join and _GAS not in _kinds(home, join)]
    for join in concerned:
        await told(world, _unjoined(world, home, join))
    await world.clock.sleep(absence)
    for join in concerned:
        await told(world, _joined(world, home, join))


async def _unjoined(world: World, home: Home, join: Join) -> None:
    device, other, supplier = _eui(home, join.device), _eui(home, join.other), world.supplier
    critical = _kinds(home, join) in _CRITICAL
    what = f"{'8.8.1' if critical else '8.8.2'} for {home.name}/{join.device} and {join.other}"
    request = supplier.unjoin_critical(device, other) if critical else supplier.unjoin(device, other)
    delivery = await executed(world, request, what)
    code = None if delivery.gbcs is None else cs04.Response.decode(delivery.gbcs.message.payload).code
    if code != UnjoinCode.SUCCESS:
        raise StoryError(f"{what}: the device answered {code!r}")


async def _joined(world: World, home: Home, join: Join) -> None:
    device, other, supplier = _eui(home, join.device), _eui(home, join.other), world.supplier
    critical = _kinds(home, join) in _CRITICAL
    what = f"{'8.7.1' if critical else '8.7.2'} for {home.name}/{join.device} and {join.other}"
    request = supplier.join_critical(device, other) if critical else supplier.join(device, other)
    delivery = await executed(world, request, what)
    code = None if delivery.gbcs is None else cs03.Response.decode(delivery.gbcs.message.payload).code
    if code != JoinCode.SUCCESS:
        raise StoryError(f"{what}: the device answered {code!r}")


def _eui(home: Home, name: str) -> Eui64:
    return home.gpf if name == GPF else home.device(name).eui


def _kinds(home: Home, join: Join) -> tuple[str, str]:
    one, other = (GPF if name == GPF else home.device(name).description.kind for name in join)
    return one, other
