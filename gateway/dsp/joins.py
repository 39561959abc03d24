"""Service requests 8.7.1, 8.7.2, 8.8.1 and 8.8.2: devices join and leave each other; 8.1.1: a meter's clock is set.

Which pairs may join, by which use case, is a table. A bridge is joined with nothing (`variants`).
"""

from typing import NamedTuple

from gateway.dsp import variants
from gateway.dsp.acb import Acb
from gateway.dsp.answers import Counters
from gateway.dsp.critical import Critical
from gateway.dsp.dispatch import Dispatch
from gateway.dsp.effects import Turn
from gateway.dsp.inventory import METERS, Inventory
from gateway.dsp.records import Command, Device
from gateway.dsp.services import SUPPLIER_ROLES, RefusedError
from gateway.dsp.statuses import Trigger, allowed
from gateway.dsp.validation import Target
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.inventory import DeviceStatus
from protocols.duis.inventory import DeviceType as Type
from protocols.duis.requests import Request
from protocols.gbcs import codes
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs03, cs04, ecs70, gcs28
from protocols.gbcs.use_cases.cs03 import MethodAndRole
from protocols.interfaces import SECOND


class Pair(NamedTuple):
    """How a target is joined to another device."""

    message_code: int
    method: MethodAndRole
    certificate: bool = False  # the other's key agreement certificate goes along


_TO_METER = Pair(cs03.MESSAGE_CODE_A1, MethodAndRole.A_INITIATOR)
_TO_OTHER = Pair(cs03.MESSAGE_CODE_A2, MethodAndRole.A_RESPONDER)
_BOTH_SIDES = Pair(cs03.MESSAGE_CODE_C, MethodAndRole.C, certificate=True)
_LOOSE = Pair(cs03.MESSAGE_CODE_B, MethodAndRole.B)

CRITICAL_PAIRS: dict[tuple[Type, Type], Pair] = {
    (Type.ESME, Type.HCALCS): _TO_METER,
    (Type.ESME, Type.PPMID): _TO_METER,
    (Type.HCALCS, Type.ESME): _TO_OTHER,
    (Type.GSME, Type.PPMID): _BOTH_SIDES,
}
NON_CRITICAL_PAIRS: dict[tuple[Type, Type], Pair] = {
    (Type.ESME, Type.IHD): _LOOSE,
    (Type.ESME, Type.CAD): _LOOSE,
    (Type.GSME, Type.GPF): _LOOSE,
    (Type.GPF, Type.PPMID): _LOOSE,
    (Type.GPF, Type.IHD): _LOOSE,
    (Type.GPF, Type.CAD): _LOOSE,
    (Type.PPMID, Type.ESME): _TO_OTHER,
    (Type.PPMID, Type.GSME): _BOTH_SIDES,
}
_GBCS_TYPES = {
    Type.GSME: codes.DeviceType.GSME,
    Type.ESME: codes.DeviceType.ESME,
    Type.GPF: codes.DeviceType.GPF,
    Type.HCALCS: codes.DeviceType.HCALCS,
    Type.PPMID: codes.DeviceType.PPMID,
    Type.IHD: codes.DeviceType.TYPE_2,
    Type.CAD: codes.DeviceType.TYPE_2,
}
JOIN_CODES = (cs03.MESSAGE_CODE_A1, cs03.MESSAGE_CODE_A2, cs03.MESSAGE_CODE_B, cs03.MESSAGE_CODE_C)
_SMALL = (Type.HCALCS, Type.PPMID)
_CRITICAL_CODES = {"8.7.1": "E080702", "8.8.1": "E080801"}
_NON_CRITICAL_CODES = {"8.7.2": "E080721", "8.8.2": "E080821"}
_ROLE_CODES = {"8.7.2": "E080722", "8.8.2": "E080822"}

Critically = bodies.JoinServiceCritical | bodies.UnjoinServiceCritical
NonCritically = bodies.JoinServiceNonCritical | bodies.UnjoinServiceNonCritical


class Joins:
    def __init__(
        self, inventory: Inventory, acb: Acb, counters: Counters, critical: Critical, dispatch: Dispatch
    ) -> None:
        self._inventory, self._acb, self._counters = inventory, acb, counters
        self._critical, self._dispatch = critical, dispatch

    # --- requests ---

    def transform(self, turn: Turn, request: Request, target: Target, body: Critically) -> str:
        """8.7.1 and 8.8.1, command variant 4: the pre-command of CS03A1, CS03A2, CS03C or CS04AC."""
        code = _CRITICAL_CODES[request.service]
        other, pair = self._other(target.device, body.other_device_id, CRITICAL_PAIRS, code)
        variants.refuse_join(code, other)
        if isinstance(body, bodies.UnjoinServiceCritical):
            payload = cs04.Command(other.device).encode()
            return self._critical.transform(turn, request, target, cs04.MESSAGE_CODE_AC, payload, other.device)
        payload = self._join_payload(pair, other)
        return self._critical.transform(turn, request, target, pair.message_code, payload, other.device)

    def request(self, turn: Turn, user: Eui64, request: Request, target: Target, body: NonCritically) -> str:
        """8.7.2 and 8.8.2."""
        code = _NON_CRITICAL_CODES[request.service]
        other, pair = self._other(target.device, body.other_device_id, NON_CRITICAL_PAIRS, code)
        variants.refuse_join(code, target.device, other)
        self._check_rights(user, request.service, target, other)
        joining = isinstance(body, bodies.JoinServiceNonCritical)
        payload = self._join_payload(pair, other) if joining else cs04.Command(other.device).encode()
        loose = pair is _LOOSE
        message_code = pair.message_code
        if not joining:
            message_code = cs04.MESSAGE_CODE_B if loose else cs04.MESSAGE_CODE_AC
        message = self._message(turn, user, request, target.device, message_code, payload)
        if not loose:
            message = self._acb.signed(message)
        return self._dispatch.send(turn, request, target, message, subject=other.device)

    def set_clock(self, turn: Turn, request: Request, target: Target, body: bodies.CommissionDevice) -> str:
        """8.1.1, command variant 4: the pre-command of ECS70 or GCS28."""
        start = body.current_date_time - body.current_date_time % SECOND
        end = start + body.tolerance_period * SECOND
        if target.device.type is Type.ESME:
            payload = ecs70.Command(start, end, request.request_id.counter).encode()
            return self._critical.transform(turn, request, target, ecs70.MESSAGE_CODE, payload)
        payload = gcs28.Command(start, end).encode()
        return self._critical.transform(turn, request, target, gcs28.MESSAGE_CODE, payload)

    def _other(
        self, target: Device, other: Eui64, pairs: dict[tuple[Type, Type], Pair], code: str
    ) -> tuple[Device, Pair]:
        """Return the other device and how the two join. Raises RefusedError unless both are on one hub, of a pair."""
        device = self._inventory.device(other)
        if device is None:
            raise RefusedError(code, f"{other} is not in the inventory")
        pair = pairs.get((target.type, device.type))
        if pair is None:
            raise RefusedError(code, f"{target.type} and {device.type} are no pair of this service")
        if device.hub != target.hub:
            raise RefusedError(code, f"{other} is not on the hub of {target.device}")
        return device, pair

    def _check_rights(self, user: Eui64, service: str, target: Target, other: Device) -> None:
        roles = self._inventory.roles(user)
        if not any(role in SUPPLIER_ROLES for role in roles):
            if other.type is not Type.CAD:
                raise RefusedError(_ROLE_CODES[service], f"an Other User joins CAD only, not {other.type}")
            return
        if service == "8.7.2" and (target.device.type, other.type) == (Type.GSME, Type.GPF):
            on_hub = self._inventory.on_hub(target.hub.device)
            if not any(user in self._inventory.responsible_suppliers(device) for device in on_hub):
                raise RefusedError("E080723", f"{user} is responsible for no device on {target.hub.device}")

    def _join_payload(self, pair: Pair, other: Device) -> bytes:
        certificate = None
        if pair.certificate:
            certificate = self._acb.key_agreement_certificate(other.device)
            if certificate is None:
                raise RefusedError("E20", f"no key agreement certificate of {other.device}")
        return cs03.Command(pair.method, other.device, _GBCS_TYPES[other.type], certificate).encode()

    def _message(self, turn: Turn, user: Eui64, request: Request, device: Device, code: int, payload: bytes) -> Message:
        """Return the command, of the user where a meter knows it, else of the broker on its behalf."""
        originator, target, counter = request.request_id
        if device.type in METERS and user in self._inventory.responsible_suppliers(device):
            return Message(Cra.COMMAND, counter, originator, target, message_code=code, payload=payload)
        own = self._counters.next(turn, "broker")
        return self._acb.on_behalf(device.device, own, (originator, counter), code, payload)

    # --- what the devices say ---

    def joined(self, turn: Turn, command: Command, response: cs03.Response) -> None:
        """A device joined another: HCALCS, PPMID and GPF are Commissioned by it where hub and meter are."""
        pair = [self._inventory.device(eui) for eui in (command.device, command.subject) if eui is not None]
        devices = [device for device in pair if device is not None]
        hub = self._inventory.device(command.hub)
        if response.code != codes.JoinCode.SUCCESS or len(devices) != 2 or hub is None:
            return
        if hub.status is not DeviceStatus.COMMISSIONED:
            return
        meters = [device for device in devices if device.type in METERS]
        if not meters or meters[0].status is not DeviceStatus.COMMISSIONED:
            return
        for device in devices:
            self._commission(turn, command, device)

    def _commission(self, turn: Turn, command: Command, device: Device) -> None:
        trigger = Trigger.JOINED_METER if device.type in _SMALL else Trigger.JOINED_GAS_METER
        wanted = "8.7.1" if trigger is Trigger.JOINED_METER else "8.7.2"
        if command.service == wanted and allowed(trigger, device.type, device.status, DeviceStatus.COMMISSIONED):
            cause = f"{command.service} {command.request_id}"
            self._inventory.set_status(turn, device, trigger, DeviceStatus.COMMISSIONED, cause)

    def clock_set(self, turn: Turn, command: Command, *, success: bool) -> None:
        """A meter answered ECS70 or GCS28: it is Commissioned by success."""
        device = self._inventory.device(command.device)
        if device is None or not success:
            return
        if allowed(Trigger.CLOCK_SET, device.type, device.status, DeviceStatus.COMMISSIONED):
            cause = f"8.1.1 {command.request_id}"
            self._inventory.set_status(turn, device, Trigger.CLOCK_SET, DeviceStatus.COMMISSIONED, cause)
