"""What the DSP knows when a run begins: users, registration data, the products list, devices installed before."""

from collections.abc import Sequence

from emulator.home.description import DeviceDescription, HomeDescription, HubDescription
from firmware_images import product
from gateway.assembly.images import CHTS_VERSION, SMETS_VERSION, Releases, hub_entry
from gateway.assembly.parties import NETWORK_OPERATOR, SUPPLIER
from gateway.dsp.effects import Turn
from gateway.dsp.machine import Dsp
from gateway.dsp.records import Device, Premises, User
from gateway.dsp.rows import Version
from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.ota.image import Kind

_TYPES = {"esme": DeviceType.ESME, "ihd": DeviceType.IHD, "gsme": DeviceType.GSME}


def provision(dsp: Dsp, homes: Sequence[HomeDescription], images: Releases, now: int) -> Turn:
    """Lay the DSP's first state; return the turn that stores it."""
    hubs = {(home.hub.manufacturer, home.hub.model, home.hub.version) for home in homes}
    return dsp.provision(
        now,
        users=[User(SUPPLIER, "IS GS"), User(NETWORK_OPERATOR, "ED")],
        premises=[premises for home in homes for premises in _premises(home)],
        devices=[device for home in homes for device in _devices(home, now)],
        products=[*images.products_list(), *(hub_entry(*hub) for hub in sorted(hubs) if not _shipped(*hub))],
    )


def _shipped(manufacturer: str, model: str, version: int) -> bool:
    """Whether a hub is of the shipped make, whose versions the products list has."""
    made = product(Kind.HUB)
    return (manufacturer, model) == (f"{made.manufacturer:04X}", made.model_text) and version in made.versions


def _premises(home: HomeDescription) -> list[Premises]:
    where = home.premises
    electricity = Premises(
        mpxn=where.import_mpxn,
        supplier=SUPPLIER,
        network_operator=NETWORK_OPERATOR,
        postcode=where.postcode,
        address=where.address_identifier,
    )
    if where.gas_mpxn is None:
        return [electricity]
    return [electricity, Premises(mpxn=where.gas_mpxn, supplier=SUPPLIER, network_operator=None)]


def _devices(home: HomeDescription, now: int) -> list[Device]:
    hubs = _hub(home.hub, now, home.premises.import_mpxn)
    if home.replacement is not None:
        hubs += _hub(home.replacement, now)
    return [*hubs, *(_installed(home, device, now) for device in home.devices if device.installed)]


def _hub(hub: HubDescription, now: int, mpxn: str | None = None) -> list[Device]:
    """Return CHF and GPF of a hub: Commissioned at a metering point, or Pending in somebody's van."""
    status, commissioned = (DeviceStatus.PENDING, None) if mpxn is None else (DeviceStatus.COMMISSIONED, now)
    chf = Device(
        device=hub.chf, type=DeviceType.CHF, status=status, hub=hub.chf, owner=SUPPLIER,
        mpxn=mpxn, smets_version=CHTS_VERSION, associated_gpf=hub.gpf,
        han_variant="Single Band", added=now, commissioned=commissioned, manufacturer=hub.manufacturer,
        model=hub.model, firmware_version=Version(hub.version),
    )  # fmt: skip
    gpf = Device(
        device=hub.gpf, type=DeviceType.GPF, status=status, hub=hub.chf, owner=SUPPLIER,
        smets_version=CHTS_VERSION, added=now, commissioned=commissioned, manufacturer=hub.manufacturer,
        model=hub.model, firmware_version=Version(hub.version),
    )  # fmt: skip
    return [chf, gpf]


def _installed(home: HomeDescription, device: DeviceDescription, now: int) -> Device:
    """Return the row of a device installed before the run: a meter is Commissioned, a display has no status."""
    meter = device.kind in ("esme", "gsme")
    made = product(Kind(device.kind)) if meter else None
    return Device(
        device=device.eui,
        type=_TYPES[device.kind],
        status=DeviceStatus.COMMISSIONED if meter else None,
        manufacturer="Displays Ltd" if made is None else f"{made.manufacturer:04X}",
        model="Kitchen display" if made is None else made.model_text,
        firmware_version=None if made is None else Version(made.versions[0]),
        variant=device.variant if device.kind == "esme" else None,
        hub=home.hub.chf,
        owner=SUPPLIER,
        mpxn=home.premises.import_mpxn if device.kind == "esme" else None,
        smets_version=SMETS_VERSION,
        added=now,
        commissioned=now if meter else None,
    )
