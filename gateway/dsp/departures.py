"""8.3 and 8.5: devices leave; and what any change of status leads to: alerts, and the end of what was to come."""

from collections.abc import Callable

from gateway.dsp.answers import Answers
from gateway.dsp.broker_credentials import BrokerCredentials, NewCredentials, replaced
from gateway.dsp.commands import Commands
from gateway.dsp.dispatch import Dispatch
from gateway.dsp.effects import Turn
from gateway.dsp.inventory import METERS, Inventory
from gateway.dsp.products import UNLISTED
from gateway.dsp.records import Command, Device, Schedule
from gateway.dsp.rows import Table
from gateway.dsp.services import RefusedError
from gateway.dsp.settings import DspSettings
from gateway.dsp.statuses import Trigger
from gateway.dsp.suppression import Suppression
from gateway.dsp.tracking import Tracking
from gateway.dsp.validation import Target, Validation
from protocols.addresses import Eui64
from protocols.duis import alerts
from protocols.duis.bodies import DecommissionDevice, ServiceOptOut
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceStatus, DeviceType
from protocols.duis.requests import Request
from protocols.errors import InputError
from protocols.gbcs.use_cases import cs02b

_MOST_ASSOCIATED = 7  # devices in one alert. Source: DUIS XML schema V5.4
_SMALL = (DeviceType.PPMID, DeviceType.HCALCS)
# What ends with a status: the alert for each schedule, and for each dated command not sent yet.
_ENDS = {
    Trigger.DECOMMISSIONED: ("N3", "N7"),
    Trigger.OPTED_OUT: ("N4", "N7"),
    Trigger.PRODUCT_NOT_APPROVED: ("N5", "N7"),
    Trigger.HUB_STATUS_UPDATE: ("N37", "N36"),
}


class Departures:
    def __init__(
        self,
        settings: DspSettings,
        inventory: Inventory,
        validation: Validation,
        credentials: BrokerCredentials,
        answers: Answers,
        commands: Commands,
        dispatch: Dispatch,
        tracking: Tracking,
        suppression: Suppression,
    ) -> None:
        self._settings, self._inventory, self._validation = settings, inventory, validation
        self._credentials, self._answers = credentials, answers
        self._commands, self._dispatch = commands, dispatch
        self._tracking, self._suppression = tracking, suppression
        self.schedules = Table(Schedule)
        inventory.watchers.append(self.status_changed)

    # --- 8.3 ---

    def decommission(self, turn: Turn, user: Eui64, body: DecommissionDevice, cause: str) -> None:
        """Take a device out of use; a hub takes its GPF along, an IHD or CAD, having no status, is deleted."""
        device = self._inventory.device(body.device_id)
        if device is None:
            raise RefusedError("E19", f"{body.device_id} is not in the inventory")
        if device.type is DeviceType.GPF:
            raise RefusedError("E11", "a GPF is decommissioned with its hub")
        if not self._validation.authorised(user, device):
            raise RefusedError("E4", f"{user} has no rights on {device.device}")
        if device.type in UNLISTED:
            self._inventory.remove(turn, device, cause)
            self._tell(turn, device, "N9", alerts.DeviceRemovedFromInventory())
            return
        if device.status not in self._settings.eligible["8.3"][device.type]:
            raise RefusedError("E5", f"{device.device} is {device.status}")
        gpf = None if device.associated_gpf is None else self._inventory.device(device.associated_gpf)
        for each in (device, *([] if gpf is None else [gpf])):
            if each.status in self._settings.eligible["8.3"][each.type]:
                decommissioned = DeviceStatus.DECOMMISSIONED
                self._inventory.set_status(turn, each, Trigger.DECOMMISSIONED, decommissioned, cause)

    # --- 8.5 ---

    def opt_out(self, turn: Turn, request: Request, target: Target, body: ServiceOptOut) -> str:
        """Have a meter replace the broker's credentials by those given (CS02b, mode ACB by ACB)."""
        given = body.replacement_certificates
        new = NewCredentials(
            given.digital_signing, given.key_agreement, body.certification_path.certificates,
            floor=body.acb_floor_seq_number, check_times=body.apply_time_based_checks,
        )  # fmt: skip
        try:
            message = self._credentials.message(turn, target.device.device, new.checked())
        except InputError as error:
            raise RefusedError("E12", str(error)) from error
        return self._dispatch.send(turn, request, target, message, at=body.execution_date_time)

    def opted_out(self, turn: Turn, command: Command, response: cs02b.Response) -> None:
        """The meter replaced the broker's credentials: it is Withdrawn."""
        device = self._inventory.device(command.device)
        if device is not None and replaced(response) and device.status is DeviceStatus.COMMISSIONED:
            cause = f"8.5 {command.request_id}"
            self._inventory.set_status(turn, device, Trigger.OPTED_OUT, DeviceStatus.WITHDRAWN, cause)

    # --- what follows from a change of status ---

    def status_changed(self, turn: Turn, device: Device, trigger: Trigger) -> None:
        """Tell users, and end what was to happen to a device that is gone or suspended."""
        if trigger is Trigger.HUB_STATUS_UPDATE and device.status is not DeviceStatus.WITHDRAWN:
            return
        if trigger in _ENDS:
            self._end(turn, device, trigger)
        if trigger is Trigger.PRODUCT_NOT_APPROVED:
            self._tell(turn, device, "N28", alerts.DeviceSuspended())
        elif trigger is Trigger.PRODUCT_APPROVED:
            self._tell(turn, device, "N29", alerts.DeviceRestored())
        elif trigger is Trigger.RECOVERY_DONE:
            self._tell(turn, device, "N31", alerts.RecoveryComplete())
        elif trigger in (Trigger.DECOMMISSIONED, Trigger.OPTED_OUT):
            self._tell_of_leaving(turn, device, trigger)

    def _end(self, turn: Turn, device: Device, trigger: Trigger) -> None:
        schedule_code, command_code = _ENDS[trigger]
        affected: Callable[[Eui64], bool] = device.device.__eq__
        if device.type is DeviceType.CHF:
            affected = {each.device for each in self._inventory.on_hub(device.device)}.__contains__
        for schedule in [each for each in self.schedules if affected(each.device)]:
            self.schedules.drop(turn, schedule)
            removal = alerts.DspScheduleRemoval(device_id=schedule.device, dsp_schedule_id=schedule.schedule_id)
            self._answers.dcc_alert(turn, schedule.owner, schedule_code, removal)
        for command in self._commands.cancel_held(turn, lambda command: affected(command.device)):
            request_id = RequestId.parse(command.request_id)
            failure = alerts.CommandFailure(command_request_id=request_id, device_id=command.device)
            self._answers.dcc_alert(turn, command.user, command_code, failure)
        if trigger is Trigger.PRODUCT_NOT_APPROVED:
            return  # its image and its dated activation are what may restore it
        for each in self._inventory.on_hub(device.device) if device.type is DeviceType.CHF else [device]:
            self._suppression.remove(turn, each.device)
            self._tracking.left(turn, each.device)

    def _tell(self, turn: Turn, device: Device, code: str, change: alerts.StatusChange) -> None:
        """Raise an alert with the responsible suppliers and network operators of a device."""
        users = (*self._inventory.responsible_suppliers(device), *self._inventory.network_operators(device))
        payload = alerts.DeviceStatusChangeEvent(device_id=device.device, change=change)
        for user in dict.fromkeys(users):
            self._answers.dcc_alert(turn, user, code, payload)

    def _tell_of_leaving(self, turn: Turn, device: Device, trigger: Trigger) -> None:
        if device.type is DeviceType.CHF:
            self._tell(turn, device, "N8", alerts.ChfDecommissioning())
        elif device.type in METERS:
            decommissioned = trigger is Trigger.DECOMMISSIONED
            on_hub = [] if device.hub is None else self._inventory.on_hub(device.hub)
            associated = [each for each in on_hub if each.type in _SMALL][:_MOST_ASSOCIATED]
            change = alerts.MeterDecommissioningOrWithdrawal(
                gone=alerts.Gone.DECOMMISSIONED if decommissioned else alerts.Gone.WITHDRAWN,
                associated=tuple(
                    alerts.AssociatedType1Device(device_id=each.device, device_type=each.type) for each in associated
                ),
            )
            self._tell(turn, device, "N1" if decommissioned else "N2", change)
        elif device.type is not DeviceType.GPF:
            self._tell(turn, device, "N9", alerts.DeviceRemovedFromInventory())
