"""Devices are pre-notified, whitelisted, switched on and join their hub over the air."""

from emulator.home.builder import Home, HomeDevice
from gateway.assembly.story.steps import accepted, answer
from gateway.assembly.world import World
from gateway.users.mailbox import dcc_alert
from protocols.duis.bodies import DevicePrenotification
from protocols.duis.inventory import DeviceType, PpmidVariant
from protocols.interfaces import DAY, HOUR

SMETS_VERSION = "5.0"
_TYPES = {
    "gsme": DeviceType.GSME,
    "hcalcs": DeviceType.HCALCS,
    "ihd": DeviceType.IHD,
    "cad": DeviceType.CAD,
    "ppmid": DeviceType.PPMID,
}
_VARIANTS = {
    "ppmid": PpmidVariant.PPMID,
    "bridge1": PpmidVariant.ALT_HAN_BRIDGE_1,
    "bridge2": PpmidVariant.ALT_HAN_BRIDGE_2,
    "bridge3": PpmidVariant.ALT_HAN_BRIDGE_3,
    "bridge4": PpmidVariant.ALT_HAN_BRIDGE_4,
}


async def everybody_joins(world: World, home: Home) -> None:
    """Bring a whole home on the air."""
    await installed_devices_join(world, home)
    await new_devices_arrive(world, home)


async def installed_devices_join(world: World, home: Home) -> None:
    """Switch the hub on, then what was installed before."""
    home.start_hub()
    for device in home.devices:
        if device.description.installed:
            home.switch_on(device)
            await joined(world, home, device)


async def new_devices_arrive(world: World, home: Home) -> None:
    """Bring every other device into the home, those nearest the hub first, as the description lists them."""
    later = [device for device in home.devices if not device.description.installed]
    for device in sorted(later, key=lambda device: _distance(home, device)):
        await _arrive(world, home, device)


def _distance(home: Home, device: HomeDevice) -> int:
    """Return 0 for a bridge at the hub, 1 for one behind it, 2 for everything else."""
    if not device.description.is_bridge:
        return 2
    return 1 if device.description.partner is not None else 0


async def _arrive(world: World, home: Home, device: HomeDevice) -> None:
    accepted(world.supplier.pre_notify(notification(device)), f"12.2 for {home.name}/{device.name}")
    whitelist = world.supplier.add_to_log(home.chf, device.eui, device.description.install_code)
    await answer(world, whitelist, f"8.11 for {home.name}/{device.name}")
    await world.supplier.wait_for(
        dcc_alert("N24", request_id=whitelist.request_id), what=f"N24 for {device.name}", within=DAY
    )
    home.switch_on(device)
    await joined(world, home, device)


async def joined(world: World, home: Home, device: HomeDevice) -> None:
    """Wait until the device has joined, and the hub has a tunnel to it if its kind has one."""
    await world.happenings.event(f"{home.name}/{device.name}", "joined", within=HOUR)
    if device.tunnelled:
        await world.happenings.event(f"{home.name}/hub", "tunnel-open", within=HOUR, device=str(device.eui))


def notification(device: HomeDevice) -> DevicePrenotification:
    """Return SR 12.2 for a device: free text for an IHD, codes and firmware version for the rest."""
    kind = device.description.kind
    variant = _VARIANTS.get(kind)
    product = device.product
    return DevicePrenotification(
        device_id=device.eui,
        device_manufacturer="Displays Ltd" if product is None else f"{product.manufacturer:04X}",
        device_model="Kitchen display" if product is None else product.model_text,
        device_type=DeviceType.PPMID if variant is not None else _TYPES[kind],
        smets_chts_version=None if kind == "cad" else SMETS_VERSION,
        firmware_version=None if product is None else f"{product.versions[0]:08X}",
        ppmid_variant=variant,
    )
