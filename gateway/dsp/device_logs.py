"""The device logs of hubs: 8.11 adds and removes, 8.12.1 restores one on another hub, CS14 tells the whole of it."""

from gateway.dsp.acb import Acb
from gateway.dsp.answers import Answers, Counters
from gateway.dsp.dispatch import Dispatch
from gateway.dsp.effects import Turn
from gateway.dsp.inventory import METERS, Inventory
from gateway.dsp.products import UNLISTED
from gateway.dsp.records import Command, Device, DeviceLog
from gateway.dsp.rows import Table, Unsigned
from gateway.dsp.services import (
    LOG_ADD_BLOCK,
    LOG_DEVICE_STATUS,
    LOG_DEVICE_TYPE,
    LOG_DEVICE_UNKNOWN,
    LOG_MPXN,
    LOG_NOT_ON_HUB,
    LOG_ROLE,
    NO_DEVICE_LOG,
    SUPPLIER_ROLES,
    RefusedError,
)
from gateway.dsp.statuses import Trigger
from gateway.dsp.validation import Target, Validation
from protocols.addresses import Eui64
from protocols.duis.alerts import PpmidRemoval, UpdateHanDeviceLogResult
from protocols.duis.bodies import AddDeviceToChfWhitelist, RequestType, RestoreHanDeviceLog, UpdateHanDeviceLog
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.duis.requests import Request
from protocols.gbcs.device_log import HashedKey, LogBackup
from protocols.gbcs.use_cases import ccs01, ccs02, ccs03

_LOG_TYPES = {
    DeviceType.ESME: ccs01.LogDeviceType.ESME,
    DeviceType.GSME: ccs01.LogDeviceType.GSME,
    DeviceType.HCALCS: ccs01.LogDeviceType.HCALCS,
    DeviceType.PPMID: ccs01.LogDeviceType.PPMID,
    DeviceType.IHD: ccs01.LogDeviceType.IHD,
    DeviceType.CAD: ccs01.LogDeviceType.CAD,
}
_OF_HUB = (DeviceType.CHF, DeviceType.GPF)


class DeviceLogs:
    def __init__(
        self,
        inventory: Inventory,
        validation: Validation,
        acb: Acb,
        answers: Answers,
        counters: Counters,
        dispatch: Dispatch,
    ) -> None:
        self._inventory, self._validation, self._acb = inventory, validation, acb
        self._answers, self._counters, self._dispatch = answers, counters, dispatch
        self.table = Table(DeviceLog)

    # --- 8.11 ---

    def update(self, turn: Turn, user: Eui64, request: Request, target: Target, body: UpdateHanDeviceLog) -> str:
        """Have the hub add a device to its device log and let it join (CCS01), or remove one (CCS02)."""
        if (body.request_type is RequestType.ADD) is not (body.add is not None):
            raise RefusedError(LOG_ADD_BLOCK, f"AddDeviceToCHFWhitelist does not go with {body.request_type}")
        device = self._loggable(user, body.device_id)
        mpxns: tuple[str | None, str | None, str | None] = (None, None, None)
        if body.add is None:
            if device.hub != target.hub.device:
                raise RefusedError(LOG_NOT_ON_HUB, f"{device.device} is not on {target.hub.device}")
            counter = self._counters.next(turn, "broker")
            code, payload = ccs02.MESSAGE_CODE, ccs02.Command(device.device, counter).encode()
        else:
            mpxns = _mpxns(device, body.add)
            counter = self._counters.next(turn, "broker")
            code, payload = ccs01.MESSAGE_CODE, _addition(device, body.add, counter)
        on_behalf = (user, request.request_id.counter)
        message = self._acb.on_behalf(target.device.device, counter, on_behalf, code, payload)
        return self._dispatch.send(
            turn, request, target, message, at=body.execution_date_time, subject=device.device, mpxns=mpxns
        )

    def _loggable(self, user: Eui64, eui: Eui64) -> Device:
        device = self._inventory.device(eui)
        if device is None:
            raise RefusedError(LOG_DEVICE_UNKNOWN, f"{eui} is not in the inventory")
        if device.type not in _LOG_TYPES:
            raise RefusedError(LOG_DEVICE_TYPE, f"{device.type} does not stand in a device log")
        if device.type not in UNLISTED and not any(r in SUPPLIER_ROLES for r in self._inventory.roles(user)):
            raise RefusedError(LOG_ROLE, f"an Other User adds and removes IHD and CAD only, not {device.type}")
        return device

    def answered(self, turn: Turn, command: Command, *, success: bool) -> None:
        """The hub answered CCS01 or CCS02: N24 and the inventory follows, or N25, as without any, and nothing does."""
        device = None if command.subject is None else self._inventory.device(command.subject)
        cause = f"8.11 {command.request_id}"
        if success and device is not None and command.message_code == ccs01.MESSAGE_CODE:
            changes: dict[str, object] = {
                name: value
                for name in ("mpxn", "secondary_mpan", "export_mpan")
                if (value := getattr(command, name)) is not None
            }
            self._inventory.logged(turn, device, command.hub, cause, **changes)
        elif success and device is not None and device.hub == command.hub:
            self._left(turn, device, cause)
        payload = UpdateHanDeviceLogResult(request_id=RequestId.parse(command.request_id))
        self._answers.dcc_alert(turn, command.user, "N24" if success else "N25", payload)

    # --- 8.12.1 ---

    def restore(self, turn: Turn, user: Eui64, request: Request, target: Target, body: RestoreHanDeviceLog) -> str:
        """Have a hub take over the device log of the one it replaces (CCS03)."""
        old = self._inventory.device(body.old_chf_id)
        if old is None:
            raise RefusedError("E19", f"{body.old_chf_id} is not in the inventory")
        if old.type is not DeviceType.CHF:
            raise RefusedError("E11", f"{old.device} is a {old.type}")
        if not self._validation.authorised(user, old):
            raise RefusedError("E4", f"{user} has no rights on {old.device}")
        log = self.table.get(old.device)
        if log is None:
            raise RefusedError(NO_DEVICE_LOG, f"{old.device} never told its device log")
        counter = self._counters.next(turn, "broker")
        keys = tuple(HashedKey(device, key_hash) for device, key_hash in _read(log).items())
        payload = ccs03.Command(log.extended_pan_id, keys, counter).encode()
        on_behalf = (user, request.request_id.counter)
        message = self._acb.on_behalf(target.device.device, counter, on_behalf, ccs03.MESSAGE_CODE, payload)
        return self._dispatch.send(turn, request, target, message, subject=old.device)

    def restored(self, turn: Turn, command: Command, response: ccs03.Response) -> None:
        """The new hub took the log over: the devices of the old one are on it now, whatever their status."""
        if not response.success or command.subject is None:
            return
        cause = f"8.12.1 {command.request_id}"
        old, new = self._inventory.device(command.subject), self._inventory.device(command.hub)
        if old is not None and new is not None and new.mpxn is None:
            self._inventory.change(turn, new, cause, mpxn=old.mpxn)
        for device in self._inventory.on_hub(command.subject):
            if device.type not in _OF_HUB:
                self._inventory.change(turn, device, cause, hub=command.hub)

    # --- CS14 ---

    def told(self, turn: Turn, hub: Device, log: LogBackup, counter: int) -> None:
        """Follow the whole device log of a hub. One that a newer one overtook changes nothing."""
        last = self.table.get(hub.device)
        if last is not None and counter <= last.counter:
            return
        before = {} if last is None else _read(last)
        keys = " ".join(f"{key.device}:{key.key_hash.hex()}" for key in log.keys)
        self.table.put(turn, DeviceLog(hub.device, Unsigned(counter), turn.now, log.extended_pan_id, keys))
        cause = f"8F12 counter {counter}"
        for key in log.keys:
            self._stands(turn, hub, key, before.get(key.device), cause)
        listed = {key.device for key in log.keys}
        for device in self._inventory.on_hub(hub.device):
            if device.device not in listed and device.type not in _OF_HUB:
                self._left(turn, device, cause)

    def _stands(self, turn: Turn, hub: Device, key: HashedKey, known: bytes | None, cause: str) -> None:
        """A device stands in the log: with a link key it has joined, with another one than before anew."""
        device = self._inventory.device(key.device)
        if device is None or device.type is DeviceType.CHF:
            return
        device = self._inventory.logged(turn, device, hub.device, cause)
        if not key.key_hash or key.key_hash == known:
            return
        if device.status is DeviceStatus.WHITELISTED:
            joined = DeviceStatus.INSTALLED_NOT_COMMISSIONED
            self._inventory.set_status(turn, device, Trigger.JOINED_HAN, joined, cause, joined=turn.now)
        else:
            self._inventory.change(turn, device, cause, joined=turn.now)

    def _left(self, turn: Turn, device: Device, cause: str) -> None:
        """A device is in the log no longer; of a PPMID its suppliers are told (N43)."""
        hub = device.hub
        self._inventory.unlogged(turn, device, cause)
        if device.type is DeviceType.PPMID and hub is not None:
            payload = PpmidRemoval(ppmid_device_id=device.device, chf_device_id=hub)
            for supplier in self._inventory.responsible_suppliers(device):
                self._answers.dcc_alert(turn, supplier, "N43", payload)


def _addition(device: Device, add: AddDeviceToChfWhitelist, counter: int) -> bytes:
    return ccs01.Command(
        device.device, add.install_code, _LOG_TYPES[device.type], add.join_time_period, counter=counter
    ).encode()


def _mpxns(device: Device, add: AddDeviceToChfWhitelist) -> tuple[str | None, str | None, str | None]:
    """Return the metering points to record once the hub has the device. Raises RefusedError."""
    if device.status not in (None, DeviceStatus.PENDING):
        raise RefusedError(LOG_DEVICE_STATUS, f"{device.device} is {device.status}")
    electricity = add.secondary_import_mpan is not None or add.export_mpan is not None
    if electricity and device.type is not DeviceType.ESME:
        raise RefusedError(LOG_MPXN, f"{device.type} has neither secondary nor export MPAN")
    if add.import_mpxn is not None and device.type not in METERS:
        raise RefusedError(LOG_MPXN, f"{device.type} has no ImportMPxN")
    return add.import_mpxn, add.secondary_import_mpan, add.export_mpan


def _read(log: DeviceLog) -> dict[Eui64, bytes]:
    """Return the devices of a log in its order, each with the hash of its link key, empty without one."""
    pairs = (entry.split(":") for entry in log.keys.split())
    return {Eui64.parse(device): bytes.fromhex(key_hash) for device, key_hash in pairs}
