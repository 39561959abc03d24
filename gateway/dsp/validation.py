"""The checks every request passes, in their documented order, and the refusal that ends them.

Order: schema; XML signature (both before this module); web service (E13); the user (E1, E2, E3); command variant (E12,
E17); counter; device known (E19), of a type the service takes (E11), within the user's rights (E4), of a status that
allows it (E5), reachable (E20). What only one service asks follows in that service, anomaly thresholds last. Nothing is
written before all checks have passed.
"""

from enum import StrEnum
from typing import NamedTuple

from gateway.dsp import variants
from gateway.dsp.inventory import METERS, Inventory
from gateway.dsp.records import Device, RequestCounter
from gateway.dsp.rows import Table
from gateway.dsp.services import COUNTER_NOT_RISING, OPERATOR_ROLES, SERVICES, SUPPLIER_ROLES, RefusedError, Service
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis.bodies import JoinServiceNonCritical, SignedPreCommand
from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.duis.requests import ALLOWED_COMMAND_VARIANTS, CommandVariant, Request

_LOCAL = (CommandVariant.LOCAL, CommandVariant.TO_DEVICE_AND_LOCAL)
_SIGNED_LOCAL = (CommandVariant.SIGNED_LOCAL, CommandVariant.SIGNED_TO_DEVICE_AND_LOCAL)
_SIGNED = (CommandVariant.SIGNED_TO_DEVICE, *_SIGNED_LOCAL)


class WebService(StrEnum):
    """Where a request is posted. Source: DUIS, by command variant."""

    SEND_COMMAND = "Send Command"
    NON_DEVICE = "Non-Device"
    TRANSFORM = "Transform"


WEB_SERVICE_OF = {
    CommandVariant.TO_DEVICE: WebService.SEND_COMMAND,
    CommandVariant.LOCAL: WebService.NON_DEVICE,
    CommandVariant.TO_DEVICE_AND_LOCAL: WebService.SEND_COMMAND,
    CommandVariant.TRANSFORM: WebService.TRANSFORM,
    CommandVariant.SIGNED_TO_DEVICE: WebService.SEND_COMMAND,
    CommandVariant.SIGNED_LOCAL: WebService.NON_DEVICE,
    CommandVariant.SIGNED_TO_DEVICE_AND_LOCAL: WebService.SEND_COMMAND,
    CommandVariant.DCC_ONLY: WebService.NON_DEVICE,
}


class Target(NamedTuple):
    """A device a command may go to now, and the hub it goes over."""

    device: Device
    hub: Device


class Validation:
    """Checks requests against settings and inventory; changes neither."""

    def __init__(self, settings: DspSettings, inventory: Inventory, dsp: Eui64) -> None:
        self._settings, self._inventory, self._dsp = settings, inventory, dsp
        self.counters = Table(RequestCounter)

    def check(
        self, user: Eui64, request: Request, posted_to: WebService | None = None, *, repeated: bool = False
    ) -> Target | None:
        """Return the target of a device request, None for one to the DSP itself. Raises RefusedError.

        posted_to: the web service it came by, None where there is none. repeated: its counter was accepted before.
        """
        service = SERVICES[request.service]
        if posted_to is not None and posted_to is not WEB_SERVICE_OF.get(request.command_variant, posted_to):
            raise RefusedError("E13", f"command variant {request.command_variant} posted to {posted_to}")
        self._check_user(user, request, service)
        self._check_variant(user, request)
        if not repeated:
            self._check_counter(request)
        if not service.targets:
            if request.request_id.target != self._dsp:
                raise RefusedError("E19", f"{request.request_id.target} is not the DSP")
            return None
        return self._check_target(user, request, service)

    def eligible(self, service: str, device: Device) -> bool:
        """Whether the statuses of a device and its hub allow the service (E5)."""
        statuses = self._settings.eligible.get(service, {}).get(device.type, frozenset())
        if variants.counts_unjoined(device, service, self._settings):
            statuses |= self._settings.before_join
        if device.status not in statuses:
            return False
        hub = self._inventory.hub_of(device)
        if device.type in (*METERS, DeviceType.CHF, DeviceType.GPF) or not self._settings.hub_must_be_commissioned:
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

    def _check_variant(self, user: Eui64, request: Request) -> None:
        variant = request.command_variant
        if variant not in ALLOWED_COMMAND_VARIANTS[request.service]:
            raise RefusedError("E12", f"command variant {variant} of {request.service}")
        if isinstance(request.body, SignedPreCommand) is not (variant in _SIGNED):
            raise RefusedError("E12", f"command variant {variant} with {type(request.body).__name__}")
        if variant in (*_LOCAL, *_SIGNED_LOCAL):
            self._check_local(user, request)

    def _check_local(self, user: Eui64, request: Request) -> None:
        """Local delivery is for suppliers, who alone can return the answer (8.13), and for now, not for a date."""
        if not any(role in SUPPLIER_ROLES for role in self._inventory.roles(user)):
            raise RefusedError("E17", f"{user} is no supplier: {request.service} is not available as local command")
        dated = getattr(request.body, "execution_date_time", None) is not None
        if dated and request.command_variant in _LOCAL:
            raise RefusedError("E17", "a command the DSP is to hold until a date is not available locally")

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
        if not variants.reachable(device, request.service, self._settings):
            raise RefusedError("E11", f"{request.service} to a {device.type} needs SECMP0007")
        if not self._has_own_rights(request, device) and not self.authorised(user, device):
            raise RefusedError("E4", f"{user} has no rights on {device.device}")
        if not self.eligible(request.service, device):
            raise RefusedError("E5", f"{device.device} is {device.status}")
        hub = self._inventory.hub_of(device)
        if hub is None:
            raise RefusedError("E20", f"{device.device} has no hub")
        return Target(device, hub)

    def _has_own_rights(self, request: Request, device: Device) -> bool:
        """Whether rights are the service's own: a GSME joined to its GPF is open to more than the GSME's supplier."""
        if not isinstance(request.body, JoinServiceNonCritical) or device.type is not DeviceType.GSME:
            return False
        other = self._inventory.device(request.body.other_device_id)
        return other is not None and other.type is DeviceType.GPF
