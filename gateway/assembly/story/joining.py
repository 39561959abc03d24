"""Devices of a home are joined to each other by service requests 8.7.1 and 8.7.2, as an installer has it done."""

from emulator.home.builder import Home
from emulator.home.pairs import GPF, Join, joins
from gateway.assembly.story.steps import StoryError, executed, told
from gateway.assembly.world import World
from gateway.users.mailbox import Delivery
from protocols.addresses import Eui64
from protocols.gbcs.codes import JoinCode
from protocols.gbcs.use_cases import cs03

_CRITICAL = {("esme", "hcalcs"), ("esme", "ppmid"), ("hcalcs", "esme"), ("gsme", "ppmid")}
"""Kinds of device and other that 8.7.1 joins; 8.7.2 the rest."""


async def devices_are_joined(world: World, home: Home) -> None:
    """Send every join of the home; one that fails is noted, and the next is sent."""
    for join in joins(home.description):
        await told(world, _joined(world, home, join))


async def displays_are_joined_to_the_gpf(world: World, home: Home) -> None:
    """Join displays to the GPF of another hub: its log is empty."""
    for join in joins(home.description):
        if GPF in join:
            await told(world, _joined(world, home, join))


async def _joined(world: World, home: Home, join: Join) -> None:
    device, other = _eui(home, join.device), _eui(home, join.other)
    if (_kind(home, join.device), _kind(home, join.other)) in _CRITICAL:
        what = f"8.7.1 for {home.name}/{join.device} and {join.other}"
        delivery = await executed(world, world.supplier.join_critical(device, other), what)
    else:
        what = f"8.7.2 for {home.name}/{join.device} and {join.other}"
        delivery = await executed(world, world.supplier.join(device, other), what)
    code = _code(delivery)
    if code != JoinCode.SUCCESS:
        raise StoryError(f"{what}: the device answered {code!r}")


def _eui(home: Home, name: str) -> Eui64:
    return home.gpf if name == GPF else home.device(name).eui


def _kind(home: Home, name: str) -> str:
    return GPF if name == GPF else home.device(name).description.kind


def _code(delivery: Delivery) -> JoinCode | int | None:
    """Return what the device said; None for an answer without its message."""
    return None if delivery.gbcs is None else cs03.Response.decode(delivery.gbcs.message.payload).code
