"""The Smart Metering Inventory (SMI): devices, their status, and the history of every change with its cause."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from gateway.dsp.effects import Turn, Value
from gateway.dsp.products import CURRENT, UNLISTED, ProductsList
from gateway.dsp.records import Device, InventoryChange, Premises, User
from gateway.dsp.rows import Table, Version, append, to_values
from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceStatus, DeviceType

SUPPLIER_ROLES = ("IS", "GS")
OPERATOR_ROLES = ("ED", "GT")
METERS = (DeviceType.ESME, DeviceType.GSME)
GONE = (DeviceStatus.DECOMMISSIONED, DeviceStatus.WITHDRAWN)
_SUSPENDABLE = (DeviceStatus.COMMISSIONED, DeviceStatus.INSTALLED_NOT_COMMISSIONED, DeviceStatus.WHITELISTED)
_NOT_TOLD = ("device", "added", "commissioned", "suspended_from")  # follow from other fields


class Inventory:
    def __init__(self, products: ProductsList) -> None:
        self._products = products
        self._devices = Table(Device)
        self._on_hub: dict[Eui64, dict[Eui64, None]] = {}
        self.users = Table(User)
        self.premises = Table(Premises)

    # --- reading ---

    def device(self, eui: Eui64) -> Device | None:
        return self._devices.get(eui)

    def __iter__(self) -> Iterator[Device]:
        return iter(self._devices)

    def on_hub(self, hub: Eui64) -> list[Device]:
        """Return the hub and the devices associated with it, in order of their identifiers."""
        found = [self._devices.get(eui) for eui in sorted({*self._on_hub.get(hub, ()), hub})]
        return [device for device in found if device is not None]

    def hub_of(self, device: Device) -> Device | None:
        """Return the CHF a device is reached over; a CHF is its own."""
        if device.type is DeviceType.CHF:
            return device
        return None if device.hub is None else self._devices.get(device.hub)

    def roles(self, user: Eui64) -> tuple[str, ...]:
        """Return the roles of a user, empty if it is none."""
        row = self.users.get(user)
        return tuple(row.roles.split()) if row else ()

    def responsible_suppliers(self, device: Device) -> list[Eui64]:
        """Return the suppliers of the metering points a device serves, in order, each once.

        A meter has its own supplier; any other device those of the meters on its hub.
        """
        return list(dict.fromkeys(p.supplier for p in self._premises_of(device) if p.supplier is not None))

    def network_operators(self, device: Device) -> list[Eui64]:
        rows = self._premises_of(device)
        return list(dict.fromkeys(p.network_operator for p in rows if p.network_operator is not None))

    def operator_of(self, mpxn: str) -> Eui64 | None:
        row = self.premises.get(mpxn)
        return row.network_operator if row else None

    def _premises_of(self, device: Device) -> list[Premises]:
        hub = device.device if device.type is DeviceType.CHF else device.hub
        serving = [device] if device.type in METERS or hub is None else self.on_hub(hub)
        rows = [self.premises.get(served.mpxn) for served in serving if served.mpxn is not None]
        return [row for row in rows if row is not None]

    # --- writing ---

    def add(self, turn: Turn, device: Device, cause: str) -> None:
        """Put a new device in; an earlier row of the same identifier is replaced."""
        self._insert(device)
        self._devices.put(turn, device)
        values = to_values(device)
        told = ("status", "firmware_version", "variant", "hub")
        for field in told:
            if values[field] is not None:
                self._record(turn, device.device, field, None, values[field], cause)

    def change(self, turn: Turn, device: Device, cause: str, **changes: Any) -> Device:  # noqa: ANN401 - any field of Device
        """Change fields of a device, each with a history row; nothing is written where nothing differs."""
        changed = replace(device, **changes)
        if changed == device:
            return device
        old, new = to_values(device), to_values(changed)
        self._remove(device)
        self._insert(changed)
        self._devices.put(turn, changed)
        for field in (f.name for f in fields(Device) if f.name not in _NOT_TOLD):
            if old[field] != new[field]:
                self._record(turn, device.device, field, old[field], new[field], cause)
        return changed

    def set_status(self, turn: Turn, device: Device, status: DeviceStatus, cause: str) -> Device:
        """Change the status; the first Commissioned sets the date."""
        commissioned = device.commissioned
        if status is DeviceStatus.COMMISSIONED and commissioned is None:
            commissioned = turn.now
        return self.change(turn, device, cause, status=status, commissioned=commissioned)

    def remove(self, turn: Turn, device: Device, cause: str) -> None:
        self._remove(device)
        self._devices.drop(turn, device)
        status = None if device.status is None else str(device.status)
        self._record(turn, device.device, "status", status, None, cause)

    def version_reported(self, turn: Turn, device: Device, version: int, cause: str) -> Device:
        """A device said which firmware it runs: record it, then see whether it is, or is no longer, Suspended."""
        changed = self.change(turn, device, cause, firmware_version=Version(version))
        return self.review_suspension(turn, changed, cause)

    def follow_log(self, turn: Turn, hub: Device, log: Mapping[Eui64, bool], counter: int) -> None:
        """A hub told its whole device log: by device, whether it has a link key there, so has joined."""
        cause = f"8F12 counter {counter}"
        for eui, joined in log.items():
            device = self._devices.get(eui)
            if device is None or device.type is DeviceType.CHF:
                continue
            changes: dict[str, object] = {"hub": hub.device}
            if joined and device.status in (DeviceStatus.PENDING, DeviceStatus.WHITELISTED):
                changes["status"] = DeviceStatus.INSTALLED_NOT_COMMISSIONED
            elif device.status is DeviceStatus.PENDING:
                changes["status"] = DeviceStatus.WHITELISTED
            self.change(turn, device, cause, **changes)
        for device in self.on_hub(hub.device):
            if device.device not in log and device.type not in (DeviceType.CHF, DeviceType.GPF):
                back = DeviceStatus.PENDING if device.status is DeviceStatus.WHITELISTED else device.status
                self.change(turn, device, cause, hub=None, status=back)

    def review_suspension(self, turn: Turn, device: Device, cause: str) -> Device:
        """Suspend a device whose firmware is not approved; give back its status once it is (MP105)."""
        if device.type in UNLISTED or not self._products.knows(device):
            return device
        entry = self._products.of(device)
        approved = entry is not None and entry.status == CURRENT
        if device.status is DeviceStatus.SUSPENDED and approved:
            back = device.suspended_from or DeviceStatus.COMMISSIONED
            return self.change(turn, device, cause, status=back, suspended_from=None)
        if device.status in _SUSPENDABLE and not approved:
            return self.change(turn, device, cause, status=DeviceStatus.SUSPENDED, suspended_from=device.status)
        return device

    def load(self, tables: Mapping[str, Iterable[Mapping[str, Value]]]) -> None:
        self._devices.load(tables.get(Device.TABLE, ()))
        self.users.load(tables.get(User.TABLE, ()))
        self.premises.load(tables.get(Premises.TABLE, ()))
        for device in self._devices:
            self._insert(device)

    def _record(self, turn: Turn, device: Eui64, field: str, old: Value, new: Value, cause: str) -> None:
        before, after = (None if value is None else str(value) for value in (old, new))
        append(turn, InventoryChange(turn.now, device, field, before, after, cause))
        turn.note("inventory", device=str(device), field=field, old=before, new=after, cause=cause)

    def _insert(self, device: Device) -> None:
        if device.hub is not None and device.type is not DeviceType.CHF:
            self._on_hub.setdefault(device.hub, {})[device.device] = None

    def _remove(self, device: Device) -> None:
        if device.hub is not None:
            self._on_hub.get(device.hub, {}).pop(device.device, None)
