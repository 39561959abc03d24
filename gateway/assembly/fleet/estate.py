"""What the DSP knows of a fleet when its run begins."""

from collections.abc import Iterator, Sequence

from firmware_images import product
from gateway.assembly.fleet.plan import HomePlan
from gateway.assembly.images import SMETS_VERSION, Releases
from gateway.assembly.parties import NETWORK_OPERATOR, SUPPLIER
from gateway.dsp.effects import Turn
from gateway.dsp.machine import Dsp
from gateway.dsp.records import Device, Premises, User
from gateway.dsp.rows import Version
from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceStatus, DeviceType, PpmidVariant
from protocols.ota.image import Kind

_HUB = ("121D", "00A20101", 0x0A200100)  # manufacturer, model, version
_TYPES = {Kind.ESME: DeviceType.ESME, Kind.GSME: DeviceType.GSME}
VARIANTS = {
    Kind.BRIDGE1: PpmidVariant.ALT_HAN_BRIDGE_1,
    Kind.BRIDGE2: PpmidVariant.ALT_HAN_BRIDGE_2,
    Kind.BRIDGE3: PpmidVariant.ALT_HAN_BRIDGE_3,
    Kind.BRIDGE4: PpmidVariant.ALT_HAN_BRIDGE_4,
}


def provision(dsp: Dsp, homes: Sequence[HomePlan], images: Releases, now: int) -> Turn:
    """Lay the DSP's first state; return the turn that stores it."""
    return dsp.provision(
        now,
        users=[User(SUPPLIER, "IS GS"), User(NETWORK_OPERATOR, "ED")],
        premises=[row for home in homes for row in _premises(home)],
        devices=[row for home in homes for row in _devices(home, now)],
        products=images.products_list(),
    )


def _premises(home: HomePlan) -> list[Premises]:
    where = {"postcode": f"ZE{home.number // 10 % 100} {home.number % 10}ZZ", "address": str(home.number)}
    electricity = Premises(home.mpan, SUPPLIER, NETWORK_OPERATOR, **where)
    return [electricity, *([Premises(home.mprn, SUPPLIER, None, **where)] if home.gas else [])]


def _devices(home: HomePlan, now: int) -> Iterator[Device]:
    manufacturer, model, version = _HUB
    for eui, function in ((home.chf, DeviceType.CHF), (home.gpf, DeviceType.GPF)):
        hub = function is DeviceType.CHF
        yield Device(
            device=eui, type=function, status=DeviceStatus.COMMISSIONED, hub=home.chf, owner=SUPPLIER,
            manufacturer=manufacturer, model=model, firmware_version=Version(version), smets_version="1.3",
            mpxn=home.mpan if hub else None, associated_gpf=home.gpf if hub else None,
            han_variant="Single Band" if hub else None, added=now, commissioned=now,
        )  # fmt: skip
    yield _device(home, home.esme, Kind.ESME, DeviceStatus.COMMISSIONED, now, mpxn=home.mpan, variant="A")
    if home.gas:
        yield _device(home, home.gsme, Kind.GSME, DeviceStatus.COMMISSIONED, now, mpxn=home.mprn)
    for place, kind in enumerate(home.bridges):
        status = DeviceStatus.INSTALLED_NOT_COMMISSIONED
        yield _device(home, home.bridge(place), kind, status, now, variant=VARIANTS[kind])


def _device(
    home: HomePlan, eui: Eui64, kind: Kind, status: DeviceStatus, now: int,
    *, mpxn: str | None = None, variant: str | None = None,
) -> Device:  # fmt: skip
    made = product(kind)
    return Device(
        device=eui, type=_TYPES.get(kind, DeviceType.PPMID), status=status, hub=home.chf, owner=SUPPLIER,
        manufacturer=f"{made.manufacturer:04X}", model=made.model_text, firmware_version=Version(made.versions[0]),
        smets_version=SMETS_VERSION, mpxn=mpxn, variant=variant, added=now,
        commissioned=now if status is DeviceStatus.COMMISSIONED else None,
    )  # fmt: skip
