"""Service requests that become one non-critical command: 8.11 to the hub, 11.2 to any device with firmware."""

from gateway.dsp.acb import Acb
from gateway.dsp.answers import Answers, Counters
from gateway.dsp.commands import Commands
from gateway.dsp.effects import Turn
from gateway.dsp.firmware import Firmware
from gateway.dsp.inventory import METERS, OPERATOR_ROLES, SUPPLIER_ROLES, Inventory
from gateway.dsp.products import UNLISTED
from gateway.dsp.records import Command, Device
from gateway.dsp.rows import Unsigned
from gateway.dsp.validation import (
    LOG_ADD_BLOCK,
    LOG_DEVICE_STATUS,
    LOG_DEVICE_TYPE,
    LOG_DEVICE_UNKNOWN,
    LOG_MPXN,
    LOG_NOT_BUILT,
    LOG_ROLE,
    RefusedError,
    Target,
)
from protocols.addresses import Eui64
from protocols.duis.alerts import UpdateHanDeviceLogResult
from protocols.duis.bodies import AddDeviceToChfWhitelist, ReadFirmwareVersion, RequestType, UpdateHanDeviceLog
from protocols.duis.codes import ACCEPTED
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.duis.requests import Request
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.use_cases import ccs01, cs08, ecs52

_LOG_TYPES = {
    DeviceType.ESME: ccs01.LogDeviceType.ESME,
    DeviceType.GSME: ccs01.LogDeviceType.GSME,
    DeviceType.HCALCS: ccs01.LogDeviceType.HCALCS,
    DeviceType.PPMID: ccs01.LogDeviceType.PPMID,
    DeviceType.IHD: ccs01.LogDeviceType.IHD,
    DeviceType.CAD: ccs01.LogDeviceType.CAD,
}
_READ_BY_ECS52 = (DeviceType.ESME, DeviceType.CHF)


class DeviceServices:
    def __init__(
        self,
        inventory: Inventory,
        acb: Acb,
        answers: Answers,
        counters: Counters,
        commands: Commands,
        firmware: Firmware,
    ) -> None:
        self._inventory, self._acb, self._answers, self._counters = inventory, acb, answers, counters
        self._commands, self._firmware = commands, firmware

    # --- 11.2 ---

    def read_version(self, turn: Turn, user: Eui64, request: Request, target: Target) -> str:
        """Send the read: as the user where the device knows it, else as the broker on its behalf."""
        body, device = request.body, target.device
        if not isinstance(body, ReadFirmwareVersion):
            raise RefusedError("E12", "no read in the request")
        if device.type is DeviceType.ESME and self._known_to(device, user):
            message = self._direct(request.request_id)
        else:
            code = ecs52.MESSAGE_CODE if device.type in _READ_BY_ECS52 else cs08.MESSAGE_CODE
            message = self._fronted(turn, request.request_id, code)
        self._send(turn, request, target, message, at=body.execution_date_time)
        return ACCEPTED

    def version_read(self, turn: Turn, command: Command, version: int | None) -> None:
        """A device answered a read; a failed one tells nothing."""
        device = self._inventory.device(command.device)
        if device is None or version is None:
            return
        self._inventory.version_reported(turn, device, version, f"11.2 {command.request_id}")
        self._firmware.activated(turn, device.device, version)

    def _known_to(self, device: Device, user: Eui64) -> bool:
        """Whether a meter holds credentials of the user: its supplier and its network operator."""
        roles = self._inventory.roles(user)
        if any(role in SUPPLIER_ROLES for role in roles) and user in self._inventory.responsible_suppliers(device):
            return True
        return any(role in OPERATOR_ROLES for role in roles) and user in self._inventory.network_operators(device)

    @staticmethod
    def _direct(request_id: RequestId) -> Message:
        user, device, counter = request_id
        payload = ecs52.Command(counter).encode()
        return Message(Cra.COMMAND, counter, user, device, message_code=ecs52.MESSAGE_CODE, payload=payload)

    def _fronted(self, turn: Turn, request_id: RequestId, code: int) -> Message:
        """Return a command of the broker with the user and its counter in other information."""
        user, device, user_counter = request_id
        counter = self._counters.next(turn, "broker")
        payload = ecs52.Command(counter).encode() if code == ecs52.MESSAGE_CODE else cs08.Command().encode()
        return self._acb.on_behalf(device, counter, (user, user_counter), code, payload)

    # --- 8.11 ---

    def update_log(self, turn: Turn, user: Eui64, request: Request, target: Target) -> str:
        """Have the hub add a device to its device log and let it join (CCS01)."""
        body = request.body
        if not isinstance(body, UpdateHanDeviceLog):
            raise RefusedError("E12", "no device log in the request")
        if body.request_type is not RequestType.ADD:
            raise RefusedError(LOG_NOT_BUILT, "Remove is not built")
        if body.add is None:
            raise RefusedError(LOG_ADD_BLOCK, "AddDeviceToCHFWhitelist is missing")
        device = self._addable(user, body.device_id, body.add)
        counter = self._counters.next(turn, "broker")
        payload = ccs01.Command(
            device.device, body.add.install_code, _LOG_TYPES[device.type], body.add.join_time_period, counter=counter
        ).encode()
        user_counter = (user, request.request_id.counter)
        message = self._acb.on_behalf(target.device.device, counter, user_counter, ccs01.MESSAGE_CODE, payload)
        self._send(
            turn, request, target, message, at=body.execution_date_time, subject=device.device,
            mpxn=body.add.import_mpxn,
        )  # fmt: skip
        return ACCEPTED

    def _addable(self, user: Eui64, eui: Eui64, add: AddDeviceToChfWhitelist) -> Device:
        device = self._inventory.device(eui)
        if device is None:
            raise RefusedError(LOG_DEVICE_UNKNOWN, f"{eui} is not in the inventory")
        if device.type not in _LOG_TYPES:
            raise RefusedError(LOG_DEVICE_TYPE, f"{device.type} is not added to a device log")
        if device.status not in (None, DeviceStatus.PENDING):
            raise RefusedError(LOG_DEVICE_STATUS, f"{eui} is {device.status}")
        if device.type not in UNLISTED and not any(r in SUPPLIER_ROLES for r in self._inventory.roles(user)):
            raise RefusedError(LOG_ROLE, f"an Other User adds IHD and CAD only, not {device.type}")
        if add.import_mpxn is not None and device.type not in METERS:
            raise RefusedError(LOG_MPXN, f"{device.type} has no ImportMPxN")
        return device

    def log_updated(self, turn: Turn, command: Command, *, success: bool) -> None:
        """The hub answered CCS01: N24 and the device is Whitelisted on that hub, or N25 and nothing changes."""
        device = None if command.subject is None else self._inventory.device(command.subject)
        if success and device is not None:
            changes: dict[str, object] = {"hub": command.hub}
            if device.status is DeviceStatus.PENDING:
                changes["status"] = DeviceStatus.WHITELISTED
            if command.mpxn is not None:
                changes["mpxn"] = command.mpxn
            self._inventory.change(turn, device, f"8.11 {command.request_id}", **changes)
        payload = UpdateHanDeviceLogResult(request_id=RequestId.parse(command.request_id))
        self._answers.dcc_alert(turn, command.user, "N24" if success else "N25", payload)

    # --- both ---

    def _send(
        self,
        turn: Turn,
        request: Request,
        target: Target,
        message: Message,
        *,
        at: int | None,
        subject: Eui64 | None = None,
        mpxn: str | None = None,
    ) -> None:
        octets = self._acb.command(message)
        command = Command(
            originator=message.originator, device=message.target, counter=Unsigned(message.counter),
            request_id=str(request.request_id), user=request.request_id.originator, service=request.service,
            hub=target.hub.device, message_code=message.message_code, due=turn.now, subject=subject, mpxn=mpxn,
        )  # fmt: skip
        self._commands.send(turn, command, octets, at)
        self._answers.reply(turn, request, ACCEPTED)
