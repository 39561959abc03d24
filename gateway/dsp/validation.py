"""The checks every request passes, in their documented order, and the refusal that ends them.

Order: schema; XML signature (both before this module); the user (E1, E2, E3); command variant (E12); counter; device
known (E19), of a type the service takes (E11), within the user's rights (E4), of a status that allows it (E5),
reachable (E20). What only one service asks follows in that service. Nothing is written before all checks have passed.
"""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.dsp.inventory import METERS, OPERATOR_ROLES, SUPPLIER_ROLES, Inventory
from gateway.dsp.records import Device, RequestCounter
from gateway.dsp.rows import Table
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis.bodies import SignedPreCommand
from protocols.duis.codes import EMULATOR_CODES
from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.duis.requests import ALLOWED_COMMAND_VARIANTS, CommandVariant, Request
from protocols.errors import HanlabError

SCHEMA_INVALID = EMULATOR_CODES["schema-invalid"]
SIGNATURE_INVALID = EMULATOR_CODES["signature-invalid"]
COUNTER_NOT_RISING = EMULATOR_CODES["counter-not-rising"]
DATE_TOO_FAR = EMULATOR_CODES["execution-date-too-far"]
PRE_COMMAND_MISMATCH = EMULATOR_CODES["pre-command-mismatch"]

# The texts of E0811xx are not public; the use of each number is this project's.
LOG_DEVICE_UNKNOWN = "E081101"
LOG_DEVICE_STATUS = "E081102"
LOG_DEVICE_TYPE = "E081104"
LOG_ADD_BLOCK = "E081105"
LOG_NOT_BUILT = "E081106"
LOG_ROLE = "E081107"
LOG_MPXN = "E081108"

ALL_ROLES = ("IS", "ES", "GS", "RSA", "ED", "GT", "OU")
_LOCAL = (CommandVariant.LOCAL, CommandVariant.TO_DEVICE_AND_LOCAL)
_SIGNED = (CommandVariant.SIGNED_TO_DEVICE, CommandVariant.SIGNED_LOCAL, CommandVariant.SIGNED_TO_DEVICE_AND_LOCAL)


class RefusedError(HanlabError):
    """A request ends here. `code` is the response code; the text is for the timeline, not for the user."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Service(NamedTuple):
    """Who may use a service and which types it is addressed to; no types: it is addressed to the DSP."""

    roles: tuple[str, ...]
    targets: tuple[DeviceType, ...] = ()


SERVICES: Mapping[str, Service] = {
    "8.2": Service(ALL_ROLES),
    "8.4": Service(ALL_ROLES),
    "8.11": Service((*SUPPLIER_ROLES, "OU"), (DeviceType.CHF,)),
    "11.1": Service(SUPPLIER_ROLES),
    "11.2": Service(ALL_ROLES, (DeviceType.ESME, DeviceType.CHF, DeviceType.PPMID, DeviceType.HCALCS)),
    "11.3": Service(SUPPLIER_ROLES, (DeviceType.ESME, DeviceType.GSME, DeviceType.HCALCS)),
    "11.4": Service(SUPPLIER_ROLES),
    "12.2": Service(ALL_ROLES),
}
"""11.2 to a GSME (GCS38) is not built."""


class Target(NamedTuple):
    """A device a command may go to now, and the hub it goes over."""

    device: Device
    hub: Device


class Validation:
    """Checks requests against settings and inventory; changes neither."""

    def __init__(self, settings: DspSettings, inventory: Inventory, dsp: Eui64) -> None:
        self._settings, self._inventory, self._dsp = settings, inventory, dsp
        self.counters = Table(RequestCounter)

    def check(self, user: Eui64, request: Request) -> Target | None:
        """Return the target of a device request, None for one to the DSP itself. Raises RefusedError."""
        service = SERVICES[request.service]
        self._check_user(user, request, service)
        self._check_variant(request)
        self._check_counter(request)
        if not service.targets:
            if request.request_id.target != self._dsp:
                raise RefusedError("E19", f"{request.request_id.target} is not the DSP")
            return None
        return self._check_target(user, request, service)

    def eligible(self, service: str, device: Device) -> bool:
        """Whether the statuses of a device and its hub allow the service (E5)."""
        statuses = self._settings.eligible.get(service, {}).get(device.type, frozenset())
        if device.status not in statuses:
            return False
        hub = self._inventory.hub_of(device)
        if device.type in (*METERS, DeviceType.CHF) or not self._settings.hub_must_be_commissioned:
            return True
        return hub is not None and hub.status is DeviceStatus.COMMISSIONED

    def authorised(self, user: Eui64, device: Device) -> bool:
        """Whether a user may act on a device (E4).

        Suppliers and network operators of a metering point the device serves; the user that pre-notified a device
        which serves none yet; Other Users any device.
        """
        inventory, roles = self._inventory, self._inventory.roles(user)
        if any(role in SUPPLIER_ROLES for role in roles):
            responsible = inventory.responsible_suppliers(device)
            if user in responsible or (not responsible and device.owner == user):
                return True
        if any(role in OPERATOR_ROLES for role in roles) and user in inventory.network_operators(device):
            return True
        return "OU" in roles

    def _check_user(self, user: Eui64, request: Request, service: Service) -> None:
        row = self._inventory.users.get(user)
        if row is None:
            raise RefusedError("E1", f"{user} is no user")
        if request.request_id.originator != user:
            raise RefusedError("E1", f"the request names {request.request_id.originator}, it came from {user}")
        if not any(role in service.roles for role in row.roles.split()):
            raise RefusedError("E2", f"{row.roles} may not use {request.service}")
        if not row.active:
            raise RefusedError("E3", f"{user} is not active")

    def _check_variant(self, request: Request) -> None:
        variant = request.command_variant
        if variant not in ALLOWED_COMMAND_VARIANTS[request.service]:
            raise RefusedError("E12", f"command variant {variant} of {request.service}")
        if isinstance(request.body, SignedPreCommand) is not (variant in _SIGNED):
            raise RefusedError("E12", f"command variant {variant} with {type(request.body).__name__}")
        if variant in _LOCAL:
            raise RefusedError("E17", f"{request.service} is not available as local command")

    def _check_counter(self, request: Request) -> None:
        """Counters rise for each pair of user and target; a Signed Pre-Command repeats that of its Transform."""
        if request.command_variant in _SIGNED:
            return
        originator, target, counter = request.request_id
        last = self.counters.get(originator, target)
        if last is not None and counter <= last.counter:
            raise RefusedError(COUNTER_NOT_RISING, f"counter {counter} after {last.counter}")

    def _check_target(self, user: Eui64, request: Request, service: Service) -> Target:
        device = self._inventory.device(request.request_id.target)
        if device is None:
            raise RefusedError("E19", f"{request.request_id.target} is not in the inventory")
        if device.type not in service.targets:
            raise RefusedError("E11", f"{request.service} does not apply to {device.type}")
        if not self.authorised(user, device):
            raise RefusedError("E4", f"{user} has no rights on {device.device}")
        if not self.eligible(request.service, device):
            raise RefusedError("E5", f"{device.device} is {device.status}")
        hub = self._inventory.hub_of(device)
        if hub is None:
            raise RefusedError("E20", f"{device.device} has no hub")
        return Target(device, hub)
