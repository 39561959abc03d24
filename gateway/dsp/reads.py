"""Service requests that read: 11.2 from any device with firmware, 4.1.1 from meters, 4.10, 6.13 and 7.7 from ESMEs."""

from gateway.dsp.acb import Acb
from gateway.dsp.answers import Answers, Counters
from gateway.dsp.dispatch import Dispatch
from gateway.dsp.effects import Turn
from gateway.dsp.inventory import METERS, Inventory
from gateway.dsp.records import Command, Device
from gateway.dsp.rows import version_text
from gateway.dsp.services import NOT_OFFERED, OPERATOR_ROLES, SUPPLIER_ROLES, RefusedError
from gateway.dsp.tracking import Tracking
from gateway.dsp.validation import Target
from protocols.addresses import Eui64
from protocols.duis.alerts import FirmwareVersionMismatch
from protocols.duis.bodies import (
    LogToRead,
    ReadAlcsData,
    ReadEventOrSecurityLog,
    ReadFirmwareVersion,
    ReadInstantaneousImportRegisters,
    ReadNetworkData,
)
from protocols.duis.inventory import ESME_VARIANTS_OF, POLYPHASE, DeviceType
from protocols.duis.requests import Request
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import cs08, ecs17b, ecs23, ecs35, ecs52, ecs61a, gcs13a, gcs38

_VERSION_CODES = {
    DeviceType.ESME: ecs52.MESSAGE_CODE,
    DeviceType.CHF: ecs52.MESSAGE_CODE,
    DeviceType.GSME: gcs38.MESSAGE_CODE,
    DeviceType.GPF: gcs38.MESSAGE_CODE,
    DeviceType.PPMID: cs08.MESSAGE_CODE,
    DeviceType.HCALCS: cs08.MESSAGE_CODE,
}
_REGISTER_CODES = {
    DeviceType.ESME: ecs17b.MESSAGE_CODE,
    DeviceType.GSME: gcs13a.MESSAGE_CODE,
    DeviceType.GPF: gcs13a.MESSAGE_CODE,  # which mirrors the meter
}
_LOGS = {
    LogToRead.EVENT: ecs35.Log.EVENT,
    LogToRead.SECURITY: ecs35.Log.SECURITY,
    LogToRead.POWER_EVENT: ecs35.Log.POWER,
}
REGISTER_CODES = (
    ecs17b.MESSAGE_CODE, gcs13a.MESSAGE_CODE, *ecs23.MESSAGE_CODES.values(), *ecs35.MESSAGE_CODES.values(),
    ecs61a.MESSAGE_CODE,
)  # fmt: skip
"""Of answers that are for the user alone."""

Read = ReadFirmwareVersion | ReadInstantaneousImportRegisters | ReadNetworkData | ReadEventOrSecurityLog | ReadAlcsData


class Reads:
    def __init__(
        self,
        inventory: Inventory,
        acb: Acb,
        answers: Answers,
        counters: Counters,
        dispatch: Dispatch,
        tracking: Tracking,
    ) -> None:
        self._inventory, self._acb, self._answers, self._counters = inventory, acb, answers, counters
        self._dispatch, self._tracking = dispatch, tracking

    def request(self, turn: Turn, user: Eui64, request: Request, target: Target, body: Read) -> str:
        """Send the read: as the user where the device knows it, else as the broker on its behalf."""
        device = target.device
        code = self._code(body, device)
        originator, eui, counter = request.request_id
        if device.type in METERS and self._known_to(device, user):
            payload = _payload(code, counter, originator, eui, body)
            message = Message(Cra.COMMAND, counter, originator, eui, message_code=code, payload=payload)
        else:
            own = self._counters.next(turn, "broker")
            payload = _payload(code, own, self._acb.eui, eui, body)
            message = self._acb.on_behalf(eui, own, (originator, counter), code, payload)
        return self._dispatch.send(turn, request, target, message, at=getattr(body, "execution_date_time", None))

    def _code(self, body: Read, device: Device) -> int:
        """Return the message code of a read; RefusedError for what is not offered: logs of others than ESMEs."""
        if isinstance(body, ReadNetworkData | ReadEventOrSecurityLog) and device.type is not DeviceType.ESME:
            raise RefusedError(NOT_OFFERED, f"logs of a {device.type} are not offered")
        match body:
            case ReadNetworkData():
                phases = 3 if device.variant in ESME_VARIANTS_OF[POLYPHASE] else 1
                return ecs23.MESSAGE_CODES[phases]
            case ReadEventOrSecurityLog(log=LogToRead.ALCS_EVENT):
                raise RefusedError(NOT_OFFERED, "the log of auxiliary switches is not offered")
            case ReadEventOrSecurityLog():
                return ecs35.MESSAGE_CODES[_LOGS[body.log]]
            case ReadAlcsData():
                return ecs61a.MESSAGE_CODE
            case ReadFirmwareVersion():
                return _VERSION_CODES[device.type]
            case _:
                return _REGISTER_CODES[device.type]

    def version_read(self, turn: Turn, command: Command, version: int | None) -> None:
        """A device answered an 11.2; a failed one tells nothing. A GPF speaks of its GSME, which only tells (N52)."""
        device = self._inventory.device(command.device)
        if device is None or version is None:
            return
        if device.type is DeviceType.GPF:
            self._mirrored(turn, device, version)
            return
        self._inventory.version_reported(turn, device, version, f"11.2 {command.request_id}")
        self._tracking.activated(turn, device.device, version)

    def _mirrored(self, turn: Turn, gpf: Device, version: int) -> None:
        """Raise N52 where the firmware a GPF shows for its GSME is not what the inventory has; nothing else changes."""
        hub = self._inventory.hub_of(gpf)
        on_hub = [] if hub is None else self._inventory.on_hub(hub.device)
        for gsme in (device for device in on_hub if device.type is DeviceType.GSME):
            if gsme.firmware_version in (None, version):
                continue
            payload = FirmwareVersionMismatch(
                device_id=gsme.device,
                device_type=gsme.type,
                firmware_version_smi=version_text(gsme.firmware_version) or "",
                firmware_version_device=f"{version:08X}",
            )
            for supplier in self._inventory.responsible_suppliers(gsme):
                self._answers.dcc_alert(turn, supplier, "N52", payload)

    def _known_to(self, device: Device, user: Eui64) -> bool:
        """Whether a meter holds credentials of the user: its supplier and its network operator."""
        roles = self._inventory.roles(user)
        if any(role in SUPPLIER_ROLES for role in roles) and user in self._inventory.responsible_suppliers(device):
            return True
        return any(role in OPERATOR_ROLES for role in roles) and user in self._inventory.network_operators(device)


def _payload(code: int, counter: int, originator: Eui64, target: Eui64, body: Read) -> bytes:
    match body:
        case ReadNetworkData(period=period):
            phases = next(phases for phases, each in ecs23.MESSAGE_CODES.items() if each == code)
            return ecs23.Command(period.start, period.end, phases, counter).encode()
        case ReadEventOrSecurityLog(period=period):
            return ecs35.Command(_LOGS[body.log], period.start, period.end, counter).encode()
        case ReadAlcsData():
            return ecs61a.Command(counter).encode()
        case _:
            pass
    if code == ecs52.MESSAGE_CODE:
        return ecs52.Command(counter).encode()
    if code == ecs17b.MESSAGE_CODE:
        return ecs17b.Command(counter, originator, target).encode()
    if code == gcs13a.MESSAGE_CODE:
        return gcs13a.Command().encode()
    return gcs38.Command().encode() if code == gcs38.MESSAGE_CODE else cs08.Command().encode()
