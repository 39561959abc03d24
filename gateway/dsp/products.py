"""The Central Products List (CPL): which firmware on which product is approved.

Entries are never forgotten: one removed from the list still tells the status Cancelled. The list does not know
bridges; they appear as PPMID and are told apart by the inventory alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gateway.dsp.effects import Turn, Value
from gateway.dsp.records import Device, Product
from gateway.dsp.rows import Table, Version
from protocols.duis.inventory import DeviceType, ProductStatus
from protocols.errors import InputError

CURRENT, REMOVED = "Current", "Removed"
UNLISTED = (DeviceType.IHD, DeviceType.CAD)  # free text, never checked
_STATUS = {CURRENT: ProductStatus.ACTIVE, REMOVED: ProductStatus.CANCELLED}


class ProductsList:
    def __init__(self) -> None:
        self.entries = Table(Product)
        self._by_image: dict[tuple[Version, bytes], list[Product]] = {}
        self._known: dict[tuple[DeviceType, str, str], dict[bytes, Version]] = {}

    def put(self, turn: Turn, product: Product) -> None:
        """Add or change an entry. Raises InputError for a hash that is not 32 octets or an unknown status."""
        if len(product.hash) != 32 or product.status not in _STATUS:
            raise InputError(f"products list: {product.manufacturer} {product.model}: hash of 32 octets and a status")
        known = self.entries.get(product.type, product.manufacturer, product.model, product.firmware_version)
        self.entries.put(turn, product)
        if known is not None:
            self._by_image[known.firmware_version, known.hash].remove(known)
        self._index(product)

    def remove(self, turn: Turn, product: Product) -> None:
        """Take the approval back."""
        self.put(turn, replace(product, status=REMOVED))

    def load(self, rows: Iterable[Mapping[str, Value]]) -> None:
        self.entries.load(rows)
        for entry in self.entries:
            self._index(entry)

    def find(self, kind: DeviceType, manufacturer: str, model: str, version: int | None) -> Product | None:
        """Return the entry, current or removed."""
        return self.entries.get(kind, manufacturer, model, version)

    def of(self, device: Device) -> Product | None:
        """Return the entry of the firmware the inventory records for a device."""
        return self.find(device.type, device.manufacturer, device.model, device.firmware_version)

    def knows(self, device: Device) -> bool:
        """Whether the list names the product of a device, in any version."""
        return (device.type, device.manufacturer, device.model) in self._known

    def lists(self, kind: DeviceType, manufacturer: str, model: str, version: int | None) -> bool:
        """Whether the combination is approved now."""
        entry = self.find(kind, manufacturer, model, version)
        return entry is not None and entry.status == CURRENT

    def approved_images(self, version: int, image_hash: bytes) -> list[Product]:
        """Return the current entries with this version and hash of the manufacturer image."""
        return [entry for entry in self._by_image.get((Version(version), image_hash), ()) if entry.status == CURRENT]

    def version_of_image(self, device: Device, image_hash: bytes) -> Version | None:
        """Return the firmware version this hash means on the product of `device`."""
        return self._known.get((device.type, device.manufacturer, device.model), {}).get(image_hash)

    def gbcs_version(self, device: Device) -> str | None:
        entry = self.of(device)
        return None if entry is None else entry.gbcs_version

    @staticmethod
    def status(entry: Product | None) -> ProductStatus:
        """Return the status users see; a version no entry knows counts as cancelled."""
        return ProductStatus.CANCELLED if entry is None else _STATUS[entry.status]

    def _index(self, entry: Product) -> None:
        self._by_image.setdefault((entry.firmware_version, entry.hash), []).append(entry)
        product = (entry.type, entry.manufacturer, entry.model)
        self._known.setdefault(product, {})[entry.hash] = entry.firmware_version
