"""Which part carries out which request, once the common checks have passed."""

from dataclasses import dataclass

from gateway.dsp.acb import Acb
from gateway.dsp.activation import Activations
from gateway.dsp.answers import Answers
from gateway.dsp.critical import Critical
from gateway.dsp.departures import Departures
from gateway.dsp.device_logs import DeviceLogs
from gateway.dsp.effects import Turn
from gateway.dsp.firmware import Firmware
from gateway.dsp.hub_status import HubStatus
from gateway.dsp.inventory_reading import InventoryReading
from gateway.dsp.inventory_services import InventoryServices
from gateway.dsp.joins import Joins
from gateway.dsp.reads import Reads
from gateway.dsp.reports import Reports
from gateway.dsp.services import RefusedError
from gateway.dsp.validation import Target
from protocols.addresses import Eui64
from protocols.duis import bodies
from protocols.duis.codes import ACCEPTED, SUCCESS
from protocols.duis.requests import Request


@dataclass(frozen=True, slots=True)
class Router:
    """Each method returns the response code of the synchronous answer it gave. Raises RefusedError."""

    acb: Acb
    answers: Answers
    reading: InventoryReading
    inventory_services: InventoryServices
    firmware: Firmware
    activations: Activations
    critical: Critical
    joins: Joins
    device_logs: DeviceLogs
    reads: Reads
    departures: Departures
    hub_status: HubStatus
    reports: Reports

    def carry_out(self, turn: Turn, user: Eui64, request: Request, target: Target | None) -> str:
        """Carry out a request that passed the common checks. target: None for one to the DSP itself."""
        if target is None:
            return self._own_service(turn, user, request)
        if not self.acb.reaches(target.device.device):
            raise RefusedError("E20", f"no key agreement certificate of {target.device.device}")
        return self._device_service(turn, user, request, target)

    def _own_service(self, turn: Turn, user: Eui64, request: Request) -> str:
        body = request.body
        match body:
            case bodies.ReadInventory():
                found = self.reading.read(body, request.schema_version)
                self.answers.reply(turn, request, SUCCESS, found)
                return SUCCESS
            case bodies.UpdateFirmware() | bodies.UpdatePpmidFirmware():
                code, warnings = self.firmware.request(turn, user, request)
                self.answers.reply(turn, request, code, warnings)
                return code
            case _:
                code = self._acknowledged(turn, user, request)
        self.answers.reply(turn, request, code)
        return code

    def _acknowledged(self, turn: Turn, user: Eui64, request: Request) -> str:
        """Carry out what leads to a code and no data."""
        cause = f"{request.service} {request.request_id}"
        match request.body:
            case bodies.DevicePrenotification() as body:
                self.inventory_services.prenotify(turn, user, body, request.schema_version, cause)
            case bodies.UpdateInventory() as body:
                self.inventory_services.update(turn, user, body, cause)
            case bodies.DecommissionDevice() as body:
                self.departures.decommission(turn, user, body, cause)
            case bodies.ReturnLocalCommandResponse() as body:
                self.reports.returned(turn, user, body)
            case (
                bodies.ChfInstallSuccessSmWan()
                | bodies.ChfInstallSuccessNoSmWan()
                | bodies.ChfFaultReturn()
                | bodies.ChfNoFaultReturn()
            ) as body:
                return self.hub_status.update(turn, user, body, cause)
            case other:
                raise RefusedError("E12", f"{type(other).__name__} is not for the DSP")
        return ACCEPTED

    def _device_service(self, turn: Turn, user: Eui64, request: Request, target: Target) -> str:
        match request.body:
            case bodies.ActivateFirmware():
                return self.activations.transform(turn, user, request, target)
            case bodies.SignedPreCommand() if request.service == "11.3":
                return self.activations.signed(turn, user, request, target)
            case bodies.SignedPreCommand():
                return self.critical.signed(turn, user, request, target)
            case bodies.JoinServiceCritical() | bodies.UnjoinServiceCritical() as body:
                return self.joins.transform(turn, request, target, body)
            case bodies.JoinServiceNonCritical() | bodies.UnjoinServiceNonCritical() as body:
                return self.joins.request(turn, user, request, target, body)
            case bodies.CommissionDevice() as body:
                return self.joins.set_clock(turn, request, target, body)
            case bodies.ReadFirmwareVersion() | bodies.ReadInstantaneousImportRegisters() as body:
                return self.reads.request(turn, user, request, target, body)
            case bodies.ReadNetworkData() | bodies.ReadEventOrSecurityLog() | bodies.ReadAlcsData() as body:
                return self.reads.request(turn, user, request, target, body)
            case bodies.UpdateHanDeviceLog() as body:
                return self.device_logs.update(turn, user, request, target, body)
            case bodies.RestoreHanDeviceLog() as body:
                return self.device_logs.restore(turn, user, request, target, body)
            case bodies.ServiceOptOut() as body:
                return self.departures.opt_out(turn, request, target, body)
            case other:
                raise RefusedError("E12", f"{type(other).__name__} is not for a device")
