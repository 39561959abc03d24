"""What the DCC itself does to inventory and products list, without a service request."""

from collections.abc import Iterable, Sequence

from gateway.dsp.effects import Turn
from gateway.dsp.inventory import Inventory
from gateway.dsp.products import ProductsList
from gateway.dsp.records import Device, Product
from gateway.dsp.statuses import Trigger, allowed
from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceStatus, DeviceType, PpmidVariant
from protocols.errors import InputError


class Administration:
    def __init__(self, inventory: Inventory, products: ProductsList) -> None:
        self._inventory, self._products = inventory, products

    def update_products(self, turn: Turn, products: Iterable[Product]) -> None:
        """Put entries on the list, then suspend and restore the devices of these products as it now says."""
        changed = set()
        for product in products:
            self._products.put(turn, product)
            changed.add((product.type, product.manufacturer, product.model))
        for device in list(self._inventory):
            if (device.type, device.manufacturer, device.model) in changed:
                self._inventory.review_suspension(turn, device, "products list")

    def add_devices(self, turn: Turn, devices: Sequence[Device]) -> None:
        """Put devices into the inventory, all or none: each is new, and its hub is there or comes with it."""
        coming = {device.device for device in devices}
        for device in devices:
            if self._inventory.device(device.device) is not None:
                raise InputError(f"{device.device.hyphenated} is in the inventory")
            if device.hub is not None and device.hub not in coming and self._inventory.device(device.hub) is None:
                raise InputError(f"{device.device.hyphenated}: its hub {device.hub.hyphenated} is nowhere")
        for device in devices:
            self._inventory.add(turn, device, "import")

    def recover(self, turn: Turn, devices: Iterable[Eui64], *, complete: bool) -> None:
        trigger, status = Trigger.RECOVERY_BEGUN, DeviceStatus.RECOVERY
        if complete:
            trigger, status = Trigger.RECOVERY_DONE, DeviceStatus.RECOVERED
        found = [(eui, self._inventory.device(eui)) for eui in devices]
        for eui, device in found:
            if device is None or not allowed(trigger, device.type, device.status, status):
                raise InputError(f"recovery: {eui} is {'unknown' if device is None else device.status}")
        for _, device in found:
            if device is not None:
                before = device.recovered_from if complete else device.status
                self._inventory.set_status(turn, device, trigger, status, str(trigger), recovered_from=before)

    def correct_variant(self, turn: Turn, eui: Eui64, variant: str) -> None:
        device = self._inventory.device(eui)
        if device is None or device.type is not DeviceType.PPMID:
            raise InputError(f"variant: {eui} is no PPMID of the inventory")
        try:
            amended = PpmidVariant(variant)
        except ValueError:
            raise InputError(f"variant {variant!r}: one of {', '.join(PpmidVariant)} expected") from None
        self._inventory.change(turn, device, "correction", variant=amended)
