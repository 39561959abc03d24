"""The Smart Metering Inventory (SMI): devices, their status, and the history of every change with its cause.

Statuses change by the table of `statuses` and in no other way.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

from gateway.dsp.effects import Turn, Value
from gateway.dsp.products import CURRENT, UNLISTED, ProductsList
from gateway.dsp.records import Device, InventoryChange, Premises, User
from gateway.dsp.rows import Table, Version, append, to_values
from gateway.dsp.statuses import SUSPENDABLE, Trigger, allowed
from protocols.addresses import Eui64
from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.errors import UsageError

METERS = (DeviceType.ESME, DeviceType.GSME)
_NOT_TOLD = ("device", "added", "commissioned", "suspended_from", "recovered_from", "joined")  # follow from others

Watcher = Callable[[Turn, Device, Trigger], None]


class Inventory:
    def __init__(self, products: ProductsList) -> None:
        self._products = products
        self._devices = Table(Device)
        self._on_hub: dict[Eui64, dict[Eui64, None]] = {}
        self.users = Table(User)
        self.premises = Table(Premises)
        self.registered: list[Callable[[], None]] = []  # each is told of new registration data
        self.moved: list[Callable[[Eui64], None]] = []  # each is told of a device that changes, and of its hub
        self.watchers: list[Watcher] = []  # each is told of every change of status, with the device as it now is

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

    def register(self, turn: Turn, premises: Premises) -> None:
        """Put registration data in; an earlier row of the same metering point is replaced."""
        self.premises.put(turn, premises)
        for told in self.registered:
            told()

    def add(self, turn: Turn, device: Device, cause: str) -> None:
        """Put a new device in; an earlier row of the same identifier is replaced."""
        if (earlier := self._devices.get(device.device)) is not None:
            self._remove(earlier)
        self._devices.put(turn, device)
        self._insert(device)
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
        self._devices.put(turn, changed)
        self._remove(device)
        self._insert(changed)
        for field in (f.name for f in fields(Device) if f.name not in _NOT_TOLD):
            if old[field] != new[field]:
                self._record(turn, device.device, field, old[field], new[field], cause)
        return changed

    def set_status(
        self,
        turn: Turn,
        device: Device,
        trigger: Trigger,
        status: DeviceStatus,
        cause: str,
        **changes: Any,  # noqa: ANN401 - any field of Device
    ) -> Device:
        """Change the status by a row of the table, other fields with it; the first Commissioned sets the date.

        A Recovered device is judged by its status before Recovery. Raises UsageError where the table has no such row.
        """
        if not allowed(trigger, device.type, self.judged(device), status):
            raise UsageError(f"{trigger} does not make a {device.type} {status} that is {device.status}")
        if status is DeviceStatus.COMMISSIONED and device.commissioned is None:
            changes["commissioned"] = turn.now
        changes["suspended_from"] = device.status if status is DeviceStatus.SUSPENDED else None
        changed = self.change(turn, device, cause, status=status, **changes)
        for told in self.watchers:
            told(turn, changed, trigger)
        return changed

    @staticmethod
    def judged(device: Device) -> DeviceStatus | None:
        """Return the status a change is judged by."""
        return device.recovered_from if device.status is DeviceStatus.RECOVERED else device.status

    def remove(self, turn: Turn, device: Device, cause: str) -> None:
        self._devices.drop(turn, device)
        self._remove(device)
        status = None if device.status is None else str(device.status)
        self._record(turn, device.device, "status", status, None, cause)

    def version_reported(self, turn: Turn, device: Device, version: int, cause: str) -> Device:
        """A device said which firmware it runs: record it, then see whether it is, or is no longer, Suspended."""
        changed = self.change(turn, device, cause, firmware_version=Version(version))
        return self.review_suspension(turn, changed, cause)

    def logged(self, turn: Turn, device: Device, hub: Eui64, cause: str, **changes: Any) -> Device:  # noqa: ANN401
        """A device is in the device log of a hub."""
        if device.status is DeviceStatus.PENDING:
            return self.set_status(turn, device, Trigger.LOGGED, DeviceStatus.WHITELISTED, cause, hub=hub, **changes)
        return self.change(turn, device, cause, hub=hub, **changes)

    def unlogged(self, turn: Turn, device: Device, cause: str) -> Device:
        """A device is no longer in the device log of its hub."""
        if device.status is DeviceStatus.WHITELISTED:
            return self.set_status(turn, device, Trigger.UNLOGGED, DeviceStatus.PENDING, cause, hub=None)
        return self.change(turn, device, cause, hub=None)

    def review_suspension(self, turn: Turn, device: Device, cause: str) -> Device:
        """Suspend a device whose firmware is not approved; give back its status once it is (MP105)."""
        if device.type in UNLISTED or not self._products.knows(device):
            return device
        entry = self._products.of(device)
        approved = entry is not None and entry.status == CURRENT
        if device.status is DeviceStatus.SUSPENDED and approved:
            back = device.suspended_from or DeviceStatus.COMMISSIONED
            return self.set_status(turn, device, Trigger.PRODUCT_APPROVED, back, cause)
        if device.status in SUSPENDABLE and not approved:
            return self.set_status(turn, device, Trigger.PRODUCT_NOT_APPROVED, DeviceStatus.SUSPENDED, cause)
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
        self._tell(device)
        if device.hub is not None and device.type is not DeviceType.CHF:
            self._on_hub.setdefault(device.hub, {})[device.device] = None

    def _remove(self, device: Device) -> None:
        self._tell(device)
        if device.hub is not None:
            self._on_hub.get(device.hub, {}).pop(device.device, None)

    def _tell(self, device: Device) -> None:
        for told in self.moved:
            told(device.device)
            if device.hub is not None:
                told(device.hub)
