"""Service request 8.2: which devices a search finds, and what users see of each."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gateway.dsp import variants
from gateway.dsp.inventory import METERS, Inventory
from gateway.dsp.products import UNLISTED, ProductsList
from gateway.dsp.records import Device, Premises, Product
from gateway.dsp.rows import version_text
from gateway.dsp.services import RefusedError
from protocols.addresses import Eui64
from protocols.duis.bodies import ReadInventory
from protocols.duis.inventory import DeviceType, DspInventory, InventoryDevice, PropertyFilter

_MOST = 17  # devices in one answer. Source: DUIS XML schema V5.4


class _Sources(NamedTuple):
    """What an entry of an answer is made of. Rows are never changed, only replaced."""

    device: Device
    entry: Product | None
    premises: Premises | None
    schema_version: str

    def are(self, other: "_Sources") -> bool:
        return all(one is another for one, another in zip(self[:3], other[:3], strict=True)) and self[3] == other[3]


class InventoryReading:
    def __init__(self, inventory: Inventory, products: ProductsList) -> None:
        self._inventory, self._products = inventory, products
        self._made: dict[Eui64, tuple[_Sources, InventoryDevice]] = {}  # what was shown last of a device, and of what

    def read(self, body: ReadInventory, schema_version: str) -> DspInventory:
        """Return the devices of the premises a search pins down, in order of their identifiers. Raises RefusedError."""
        devices = self._search(body)
        if not devices:
            raise RefusedError("E080202", "the premises has no device")
        if len(devices) > _MOST:
            raise RefusedError("E080201", f"{len(devices)} devices found, at most {_MOST} are told")
        return DspInventory(devices=tuple(self._shown(device, schema_version) for device in devices))

    def _search(self, body: ReadInventory) -> list[Device]:
        if body.device_id is not None:
            device = self._inventory.device(body.device_id)
            if device is None:
                raise RefusedError("E19", f"{body.device_id} is not in the inventory")
            return self._household([device])
        mpxns = self._pinned_down(body)
        return self._household(device for device in self._inventory if device.mpxn in mpxns)

    def _pinned_down(self, body: ReadInventory) -> list[str]:
        """Return the metering points of the one premises found."""
        rows = [row for row in self._inventory.premises if _wanted(body)(row)]
        if len({(row.uprn, _folded(row.postcode), _folded(row.address)) for row in rows}) != 1:
            raise RefusedError("E080201", "the search does not pin down one premises")
        return [row.mpxn for row in rows]

    def _household(self, found: Iterable[Device]) -> list[Device]:
        """Return the devices and all that share a hub with one of them."""
        household: dict[int, Device] = {}
        for device in found:
            hub = device.device if device.type is DeviceType.CHF else device.hub
            shared = [device] if hub is None else self._inventory.on_hub(hub)
            household |= {other.device: other for other in shared}
        return [household[eui] for eui in sorted(household)]

    def _shown(self, device: Device, schema_version: str) -> InventoryDevice:
        """Return what users see of a device, made anew where a row it is made of is another than before."""
        entry = None if device.type in UNLISTED else self._products.of(device)
        premises = self._inventory.premises.get(device.mpxn) if device.mpxn and device.type in METERS else None
        sources = _Sources(device, entry, premises, schema_version)
        known = self._made.get(device.device)
        if known is not None and known[0].are(sources):
            return known[1]
        shown = self._show(sources)
        self._made[device.device] = sources, shown
        return shown

    def _show(self, sources: "_Sources") -> InventoryDevice:
        device, entry, premises, schema_version = sources
        has_firmware = device.firmware_version is not None
        status = self._products.status(entry) if has_firmware else None
        return InventoryDevice(
            device_id=device.device,
            device_type=device.type,
            device_status=device.status,
            device_manufacturer=device.manufacturer,
            device_model=device.model,
            smets_chts_version=device.smets_version,
            device_firmware_version=version_text(device.firmware_version),
            device_firmware_version_status=status,
            cpl_status=status,
            date_commissioned=device.commissioned,
            import_mpxn=device.mpxn if device.type in METERS else None,
            secondary_import_mpan=device.secondary_mpan,
            export_mpan=device.export_mpan,
            esme_variant=device.variant if device.type is DeviceType.ESME else None,
            ppmid_variant=variants.shown(device, schema_version),
            uprn=int(premises.uprn) if premises and premises.uprn else None,
            property_filter=_property(premises),
            csp_region=device.csp_region,
            device_gbcs_version=entry.gbcs_version if entry and has_firmware else None,
            han_variant=device.han_variant,
        )


def _property(premises: Premises | None) -> PropertyFilter | None:
    if premises is None or premises.postcode is None or premises.address is None:
        return None
    return PropertyFilter(post_code=premises.postcode, address_identifier=premises.address)


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def _wanted(body: ReadInventory) -> Callable[[Premises], bool]:
    """Return the test a metering point passes if the search means it."""
    if body.uprn is not None:
        uprn = str(body.uprn)
        return lambda row: row.uprn == uprn
    if body.property_filter is not None:
        postcode = body.property_filter.post_code.casefold()
        address = body.property_filter.address_identifier.casefold()
        return lambda row: (_folded(row.postcode), _folded(row.address)) == (postcode, address)
    return lambda row: row.mpxn == body.mpxn
