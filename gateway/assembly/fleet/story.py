"""What happens to a fleet: updates, lost responses, real power cuts, a products list that moves on, repairs."""

from collections.abc import Sequence
from dataclasses import replace

from emulator.fleet.meter import LeanMeter
from gateway.assembly.fleet.plan import BRIDGE_KINDS, Repair
from gateway.assembly.fleet.world import FleetWorld
from gateway.users.supplier import Activation
from protocols.addresses import Eui64
from protocols.gbcs.envelope import Cra
from protocols.gbcs.use_cases import cs06
from protocols.gbcs.use_cases.table import DeviceKind
from protocols.interfaces import DAY, HOUR, MINUTE, SECOND
from protocols.ota.image import Kind

BETWEEN = 2 * SECOND  # from one activation to the next
HALF_YEAR = 182 * DAY
RETRIES = 12  # of an 11.3 without a response
BEFORE, AFTER = "before the repair", "after the repair"


async def tell(world: FleetWorld) -> None:
    """Tell the whole story of a fleet's plan."""
    for kind in (Kind.ESME, Kind.GSME):
        _distribute(world, kind)
    await world.clock.sleep(DAY)
    _schedule_mains_cuts(world)
    activations = await _activate(world)
    await world.clock.sleep(2 * DAY + 2 * HOUR)  # responses are given up after 25 hours, dated ones ran
    if world.plan.removed:
        _remove_old_firmware(world)
        await world.clock.sleep(MINUTE)
    _read_inventory(world)
    world.step(BEFORE)
    await _repair(world, _unanswered(world, activations))
    await world.clock.sleep(HOUR)
    world.step(AFTER)
    await _update_bridges(world)
    _read_inventory(world)


def _read_inventory(world: FleetWorld) -> None:
    """The supplier reads every home."""
    for home in world.plans:
        world.supplier.read_inventory(home.chf)


def _of(world: FleetWorld, kind: Kind) -> list[LeanMeter]:
    wanted = DeviceKind.ESME if kind is Kind.ESME else DeviceKind.GSME
    return [meter for meter in world.meters if meter.kind is wanted]


def _distribute(world: FleetWorld, kind: Kind) -> None:
    """Send the next image of all meters of a kind in one 11.1."""
    meters = _of(world, kind)
    if meters:
        image = world.images.release(kind, 1)
        world.supplier.update_firmware([m.eui for m in meters], image.encode(), image.header.file_version)


async def _activate(world: FleetWorld) -> list[Activation]:
    """Activate one meter after the other; the first ones of each kind dated a day ahead."""
    done = []
    for kind in (Kind.ESME, Kind.GSME):
        meters, image_hash = _of(world, kind), world.images.release(kind, 1).hash
        dated = round(len(meters) * world.plan.dated_share)
        for place, meter in enumerate(meters):
            at = world.clock.now() // SECOND * SECOND + DAY if place < dated else None
            done.append(world.supplier.activate(meter.eui, image_hash, at))
            await world.clock.sleep(BETWEEN)
    return done


def _schedule_mains_cuts(world: FleetWorld) -> None:
    random = world.entropy.random("fleet mains cuts")
    begun = world.clock.now()
    for _ in range(world.plan.mains_cuts):
        home = world.homes[random.randrange(len(world.homes))]
        at, duration = begun + random.randrange(2 * DAY), random.randrange(1, 120) * MINUTE
        world.clock.call_at(at, home.cut_mains, duration)


def _outcomes(world: FleetWorld) -> set[tuple[Eui64, int]]:
    """Return (device, counter of the command) of each activation whose outcome the supplier got."""
    found = set()
    for delivery in world.supplier.mailbox.deliveries:
        message = None if delivery.gbcs is None else delivery.gbcs.message
        if message is None:
            continue
        if (message.cra, message.message_code) == (Cra.RESPONSE, cs06.MESSAGE_CODE):
            if cs06.Response.decode(message.payload).outcome is not None:
                found.add((message.originator, message.counter))
        elif (message.cra, message.message_code) == (Cra.ALERT, cs06.ALERT_MESSAGE_CODE):
            found.add((message.originator, cs06.Alert.decode(message.payload).originator_counter))
    return found


def _remove_old_firmware(world: FleetWorld) -> None:
    """The products list moves on: the meters' first releases are no longer on it."""
    first = [world.images.entry(kind, 0) for kind in (Kind.ESME, Kind.GSME)]
    removed = [replace(entry, status="Removed") for entry in first]
    world.dsp_host.begin(world.dsp.update_products(removed, world.clock.now()))


def _unanswered(world: FleetWorld, asked: Sequence[Activation]) -> list[Eui64]:
    """Return the devices of those activations whose outcome the supplier did not get."""
    known = _outcomes(world)
    return [d.request_id.target for d in asked if (d.request_id.target, d.request_id.counter) not in known]


async def _repair(world: FleetWorld, devices: Sequence[Eui64]) -> None:
    """Read each device, or repeat its 11.3 until a response comes, as suppliers' systems do."""
    if world.plan.repair is Repair.READ:
        for device in devices:
            world.supplier.read_version(device)
            await world.clock.sleep(BETWEEN)
    elif world.plan.repair is Repair.RETRY:
        for _ in range(RETRIES):
            asked = []
            for device in devices:
                asked.append(world.supplier.activate(device, _hash_for(world, device)))
                await world.clock.sleep(BETWEEN)
            await world.clock.sleep(HOUR)
            devices = _unanswered(world, asked)


def _hash_for(world: FleetWorld, device: Eui64) -> bytes:
    gas = any(device == meter.eui for meter in _of(world, Kind.GSME))
    return world.images.release(Kind.GSME if gas else Kind.ESME, 1).hash


async def _update_bridges(world: FleetWorld) -> None:
    """One 11.4 a bridge and round, rounds half a year apart."""
    for number in range(1, world.plan.downloads + 1 if world.bridges else 1):
        if number > 1:
            await world.clock.sleep(HALF_YEAR)
        for kind in BRIDGE_KINDS:
            image = world.images.release(kind, number)
            for bridge in world.bridges:
                if bridge.made.kind is kind:
                    version = image.header.file_version
                    world.supplier.update_ppmid_firmware([bridge.eui], image.encode(), version)
                    await world.clock.sleep(BETWEEN)
        await world.clock.sleep(DAY)
