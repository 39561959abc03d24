"""The inventory as it stood just before a request: what a referee of the DSP's answers looks things up in."""

from typing import NamedTuple

from gateway.campaigns.verify.evidence import Evidence
from gateway.campaigns.verify.fleet_view import History
from gateway.campaigns.verify.messages import Exchange
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.inventory import DeviceType

TYPE_2 = (DeviceType.IHD, DeviceType.CAD)  # without status, not on the products list
_PRODUCT = ("manufacturer", "model", "firmware_version")


class Known(NamedTuple):
    """A device as the inventory had it just before a request."""

    type: str | None  # None: it was not there
    status: str | None
    owner: str | None
    variant: str | None


class Referee:
    """Looks devices up at the time of a request."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self._history = evidence, History(evidence)
        self._added = {row["device"]: row["added"] or 0 for row in evidence.files.store.get("inventory", ())}
        self._products = {
            (row["type"], row["manufacturer"], row["model"], row["firmware_version"])
            for row in evidence.files.store.get("products", ())
        }
        self._supplier = {row["mpxn"]: row["supplier"] for row in evidence.files.store.get("premises", ())}

    def known(self, device: Eui64, exchange: Exchange) -> Known:
        told = self._told(device, exchange)
        deleted = told is not None and not isinstance(told.request.body, bodies.DevicePrenotification)
        if deleted or (told is None and self._added.get(str(device), exchange.time) >= exchange.time):
            return Known(None, None, None, None)
        kind, status, owner, variant = (
            self._history.at(device, name, exchange.time - 1) for name in ("type", "status", "owner", "variant")
        )
        if told is not None and isinstance(told.request.body, bodies.DevicePrenotification):
            kind, owner = str(told.request.body.device_type), str(told.request.request_id.originator)
        return Known(kind, status, owner, variant)

    def _told(self, device: Eui64, exchange: Exchange) -> Exchange | None:
        """Return the last accepted 12.2 or deletion of a device before a request: the store forgets the deleted."""
        found = None
        for earlier in self.evidence.users.exchanges:
            body = earlier.request.body
            deleted = isinstance(body, bodies.UpdateInventory) and isinstance(body.change, bodies.DeleteDevice)
            tells = deleted or isinstance(body, bodies.DevicePrenotification)
            before = earlier.time < exchange.time and earlier.accepted
            if tells and before and getattr(body, "device_id", None) == device:
                found = earlier
        return found

    def lists(self, kind: str | None, manufacturer: str, model: str, version: str) -> bool:
        """Whether the products list has an entry, written with colons or without."""
        written = tuple(text.replace(":", "").upper() for text in (manufacturer, model, version))
        return (kind, *written) in self._products

    def listed_with(self, device: Eui64, details: bodies.UpdateDeviceDetails, exchange: Exchange) -> bool:
        """Whether the list has what a device becomes by new details; types without status are not on it."""
        kind = self.known(device, exchange).type
        old = (self._history.at(device, name, exchange.time - 1) or "" for name in _PRODUCT)
        new = (details.device_manufacturer, details.device_model, details.firmware_version)
        if kind in TYPE_2 or new == (None, None, None):
            return True
        return self.lists(kind, *(one or other for one, other in zip(new, old, strict=True)))

    def supplier_of(self, mpxn: str) -> str | None:
        """Return the registered supplier of a metering point: empty if none, None if there is no such point."""
        return None if mpxn not in self._supplier else self._supplier[mpxn] or ""

    def responsible(self, device: Eui64, exchange: Exchange) -> bool:
        """Whether the user is the registered supplier of an import meter on the device's hub."""
        hub = self._history.at(device, "hub", exchange.time - 1) or str(device)
        numbers = [
            self._history.at(Eui64.parse(row["device"]), "mpxn", exchange.time - 1)
            for row in self.evidence.files.store.get("inventory", ())
            if hub in (row["hub"], row["device"])
        ]
        originator = str(exchange.request.request_id.originator)
        return any(self._supplier.get(number) == originator for number in numbers if number)
