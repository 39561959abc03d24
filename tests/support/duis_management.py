"""DUIS documents of the services around joining, hubs and the life of a device, and of the alerts they lead to."""

from protocols.duis import alerts, bodies
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceType
from protocols.duis.responses import DccAlertMessage
from protocols.interfaces import DAY
from tests.support.duis_forms import CHF, DSP, ESME, NOON, PPMID, SUPPLIER, RequestCase, ResponseCase, dcc_alert, tree

MANAGEMENT_REQUESTS = {
    "4.1.1": RequestCase(
        ESME, 1, "4.1.1", bodies.ReadInstantaneousImportRegisters(), tree("ReadInstantaneousImportRegisters /")
    ),
    "7.7": RequestCase(ESME, 1, "7.7", bodies.ReadAlcsData(), tree("ReadALCSData /")),
    "4.10": RequestCase(
        ESME, 1, "4.10", bodies.ReadNetworkData(period=bodies.ReadLogPeriod(start=NOON - DAY, end=NOON)),
        tree(
            "ReadNetworkData", ">ReadLogPeriod", ">>StartDateTime 2026-03-01T12:00:00.000Z",
            ">>EndDateTime 2026-03-02T12:00:00.000Z",
        ),
    ),
    "6.13": RequestCase(
        ESME, 1, "6.13",
        bodies.ReadEventOrSecurityLog(
            period=bodies.ReadLogPeriod(start=NOON - DAY, end=NOON), log=bodies.LogToRead.POWER_EVENT
        ),
        tree(
            "ReadEventOrSecurityLog", ">ReadLogPeriod", ">>StartDateTime 2026-03-01T12:00:00.000Z",
            ">>EndDateTime 2026-03-02T12:00:00.000Z", ">LogToRead PowerEvent",
        ),
    ),
    "8.1.1": RequestCase(
        ESME, 4, "8.1.1", bodies.CommissionDevice(current_date_time=NOON, tolerance_period=60),
        tree(
            "CommissionDeviceSynchroniseClock", ">CurrentDateTime 2026-03-02T12:00:00.000Z", ">TolerancePeriod 60",
        ),
    ),
    "8.3": RequestCase(
        DSP, 8, "8.3", bodies.DecommissionDevice(device_id=ESME),
        tree("DecommissionDevice", ">DeviceID 00-DB-12-34-56-78-90-A0"),
    ),
    "8.5": RequestCase(
        ESME, 1, "8.5",
        bodies.ServiceOptOut(
            execution_date_time=NOON, acb_floor_seq_number=0,
            replacement_certificates=bodies.ReplacementCertificates(key_agreement=b"new"),
            certification_path=bodies.CertificationPath(certificates=(b"one", b"two")), apply_time_based_checks=True,
        ),
        tree(
            "ServiceOptOut", ">ExecutionDateTime 2026-03-02T12:00:00.000Z", ">ACBFloorSeqNumber 0",
            ">ReplacementCertificates", ">>KeyAgreementCertificate bmV3", ">CertificationPathCertificates",
            ">>Certificate b25l", ">>Certificate dHdv", ">ApplyTimeBasedCPVChecks true",
        ),
    ),
    "8.7.1": RequestCase(
        ESME, 4, "8.7.1", bodies.JoinServiceCritical(other_device_id=PPMID),
        tree("JoinServiceCritical", ">OtherDeviceID 00-DB-12-34-56-78-90-A4"),
    ),
    "8.7.2": RequestCase(
        PPMID, 1, "8.7.2", bodies.JoinServiceNonCritical(other_device_id=ESME),
        tree("JoinServiceNonCritical", ">OtherDeviceID 00-DB-12-34-56-78-90-A0"),
    ),
    "8.8.1": RequestCase(
        ESME, 4, "8.8.1", bodies.UnjoinServiceCritical(other_device_id=PPMID),
        tree("UnjoinServiceCritical", ">OtherDeviceID 00-DB-12-34-56-78-90-A4"),
    ),
    "8.8.2": RequestCase(
        PPMID, 1, "8.8.2", bodies.UnjoinServiceNonCritical(other_device_id=ESME),
        tree("UnjoinServiceNonCritical", ">OtherDeviceID 00-DB-12-34-56-78-90-A0"),
    ),
    "8.12.1": RequestCase(
        CHF, 1, "8.12.1", bodies.RestoreHanDeviceLog(old_chf_id=ESME),
        tree("RestoreHANDeviceLog", ">OldCHFID 00-DB-12-34-56-78-90-A0"),
    ),
    "8.13": RequestCase(
        DSP, 8, "8.13",
        bodies.ReturnLocalCommandResponse(
            original_request_id=RequestId(SUPPLIER, ESME, 1000), device_gbcs_response=b"\xdf\x09\x02"
        ),
        tree(
            "ReturnLocalCommandResponse",
            ">OriginalRequestID 90-B3-D5-1F-30-01-00-00:00-DB-12-34-56-78-90-A0:1000", ">DeviceGBCSResponse 3wkC",
        ),
    ),
    "8.14.1": RequestCase(
        DSP, 8, "8.14.1",
        bodies.ChfInstallSuccessSmWan(
            device_id=CHF, install_type="Replacement CHF Install", install_date_time=NOON, user_ref_id="job 7",
            mpxn="1000999888", gis_data="51.5 -0.1", aerial_install=True, location="Basement or Cellar",
            additional_information="none",
        ),
        tree(
            "CHFInstallSuccessSMWAN", ">DeviceID 00-DB-12-34-56-78-90-A2", ">CHFInstallType Replacement CHF Install",
            ">InstallDateTime 2026-03-02T12:00:00.000Z", ">UserRefID job 7", ">MPxN 1000999888",
            ">GISData 51.5 -0.1", ">AerialInstall true", ">CHFLocation Basement or Cellar",
            ">AdditionalInformation none",
        ),
    ),
    "8.14.2": RequestCase(
        DSP, 8, "8.14.2",
        bodies.ChfInstallSuccessNoSmWan(
            device_id=CHF, install_type="CHF Install - no SM WAN", mpxn="1000999888", aerial_install=False,
            location="Basement or Cellar", premise_type="House", metal_obstruction=False,
            connectivity_obstruction=True, shared_obstruction=False,
        ),
        tree(
            "CHFInstallSuccessNoSMWAN", ">DeviceID 00-DB-12-34-56-78-90-A2",
            ">CHFInstallType CHF Install - no SM WAN", ">MPxN 1000999888", ">AerialInstall false",
            ">CHFLocation Basement or Cellar", ">PremiseType House", ">MetalObstructionCheck false",
            ">ConnectivityObstructionCheck true", ">SharedObstructionCheck false",
        ),
    ),
    "8.14.3": RequestCase(
        DSP, 8, "8.14.3",
        bodies.ChfFaultReturn(
            device_id=CHF, return_type="Fault identified prior to installation", other_device_id=ESME,
            connection_method="Hot-shoe", fault_reason="Damaged case",
        ),
        tree(
            "CHFFaultReturn", ">DeviceID 00-DB-12-34-56-78-90-A2",
            ">CHFFaultReturnType Fault identified prior to installation", ">OtherDeviceID 00-DB-12-34-56-78-90-A0",
            ">CHFConnectionMethod Hot-shoe", ">CHFFaultReason Damaged case",
        ),
    ),
    "8.14.4": RequestCase(
        DSP, 8, "8.14.4",
        bodies.ChfNoFaultReturn(
            device_id=CHF, return_type="No Fault Return (general)", user_ref_date_time=NOON, incident_reference="INC1"
        ),
        tree(
            "CHFNoFaultReturn", ">DeviceID 00-DB-12-34-56-78-90-A2",
            ">CHFNoFaultReturnType No Fault Return (general)", ">UserRefDateTime 2026-03-02T12:00:00.000Z",
            ">IncidentReference INC1",
        ),
    ),
}  # fmt: skip

REQUEST_ID = RequestId(SUPPLIER, ESME, 1000)
REQUEST_ID_TEXT = "90-B3-D5-1F-30-01-00-00:00-DB-12-34-56-78-90-A0:1000"


def _status(change: alerts.StatusChange) -> alerts.DeviceStatusChangeEvent:
    return alerts.DeviceStatusChangeEvent(device_id=ESME, change=change)


def _alert(code: str, payload: alerts.DccAlert, *lines: str) -> ResponseCase:
    return ResponseCase("I0", DccAlertMessage(dcc_alert_code=code, alert=payload), dcc_alert(code, *lines), asked=False)


def _status_lines(*change: str) -> tuple[str, ...]:
    device = ">DeviceID 00-DB-12-34-56-78-90-A0"
    return "DeviceStatusChangeEvent", device, ">DeviceStatusChange", *(">>" + line for line in change)


MANAGEMENT_ALERTS = {
    "N1": _alert(
        "N1",
        _status(
            alerts.MeterDecommissioningOrWithdrawal(
                gone=alerts.Gone.DECOMMISSIONED,
                associated=(alerts.AssociatedType1Device(device_id=PPMID, device_type=DeviceType.PPMID),),
            )
        ),
        *_status_lines(
            "MeterDecommissioningOrWithdrawal", ">MeterDecommissionOrWithdrawal Decommissioned",
            ">AssociatedType1Device", ">>DeviceID 00-DB-12-34-56-78-90-A4", ">>DeviceType PPMID",
        ),
    ),
    "N8": _alert("N8", _status(alerts.ChfDecommissioning()), *_status_lines("CHFDecommissioning /")),
    "N9": _alert("N9", _status(alerts.DeviceRemovedFromInventory()), *_status_lines("DeviceRemovedFromInventory /")),
    "N28": _alert("N28", _status(alerts.DeviceSuspended()), *_status_lines("DeviceSuspended /")),
    "N29": _alert("N29", _status(alerts.DeviceRestored()), *_status_lines("DeviceRestored /")),
    "N31": _alert("N31", _status(alerts.RecoveryComplete()), *_status_lines("RecoveryComplete /")),
    "N37": _alert(
        "N37", alerts.DspScheduleRemoval(device_id=ESME, dsp_schedule_id=123),
        "DSPScheduleRemoval", ">DeviceID 00-DB-12-34-56-78-90-A0", ">DSPScheduleID 123",
    ),
    "N43": _alert(
        "N43", alerts.PpmidRemoval(ppmid_device_id=PPMID, chf_device_id=CHF),
        "PPMIDRemoval", ">PPMIDDeviceID 00-DB-12-34-56-78-90-A4", ">CHFDeviceID 00-DB-12-34-56-78-90-A2",
    ),
    "N46": _alert(
        "N46",
        alerts.QuarantinedRequest(
            breach=alerts.UserThresholdBreach(request_id=REQUEST_ID, quarantine_event_ref="Q1")
        ),
        "QuarantinedRequest", ">ADUserThresholdBreach", f">>RequestID {REQUEST_ID_TEXT}", ">>QuarantineEventRef Q1",
    ),
    "N47": _alert(
        "N47",
        alerts.QuarantinedRequest(breach=alerts.DccThresholdBreach(request_id=REQUEST_ID, quarantine_event_ref="Q2")),
        "QuarantinedRequest", ">ADDCCThresholdBreach", f">>RequestID {REQUEST_ID_TEXT}", ">>QuarantineEventRef Q2",
    ),
    "N58": _alert(
        "N58",
        alerts.FirmwareUpgradeRequested(
            device_type=DeviceType.PPMID, firmware_version="00000002", device_list=(ESME, PPMID)
        ),
        "FirmwareUpgradeRequested", ">DeviceType PPMID", ">FirmwareVersion 00000002",
        ">DeviceList 00-DB-12-34-56-78-90-A0,00-DB-12-34-56-78-90-A4",
    ),
}  # fmt: skip
