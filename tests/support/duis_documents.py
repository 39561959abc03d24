"""One DUIS document of each kind, written by hand after the digest of the published schema, with its value.

The order of elements here is the digest's; neither the encoder nor the schema file had a part in these texts.
"""

from protocols.duis.alerts import (
    ActivateImageResultCode,
    CommandFailure,
    CommsHubAlert,
    CommsHubFirmwareActivation,
    CommsHubTransferStatus,
    CspFirmwareDeliveryStatus,
    DeviceStatusChangeEvent,
    FirmwareDistributionFailure,
    FirmwareTransferAlert,
    FirmwareVersionMismatch,
    MeterIdentity,
    MeterMpxns,
    PowerOutageEvent,
    PpmidAlert,
    PpmidFirmwareUpgradeAlert,
    TransferResponseCode,
    UpdateHanDeviceLogResult,
)
from protocols.duis.bodies import (
    ActivateFirmware,
    AddDeviceToChfWhitelist,
    DeleteDevice,
    DevicePrenotification,
    ReadFirmwareVersion,
    ReadInventory,
    RequestType,
    SignedPreCommand,
    UpdateDeviceDetails,
    UpdateDeviceStatusCh,
    UpdateDeviceStatusExceptCh,
    UpdateFirmware,
    UpdateHanDeviceLog,
    UpdateInventory,
    UpdateMpxn,
    UpdatePpmidFirmware,
)
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import (
    DeviceStatus,
    DeviceType,
    DspInventory,
    InventoryDevice,
    PpmidVariant,
    ProductStatus,
    PropertyFilter,
)
from protocols.duis.requests import CommandVariant, Request
from protocols.duis.responses import (
    DccAlertMessage,
    DeviceAlertMessage,
    DspUpdateFirmwareWarning,
    DspUpdatePpmidFirmwareWarning,
    FutureDatedDeviceAlertMessage,
    GbcsPayload,
    LocalCommand,
    PreCommand,
    Response,
    ResponseMessage,
)
from protocols.duis.times import CANCELLATION_DATE_TIME
from tests.support.duis_forms import (
    CHF,
    DCC_ALERT_ID,
    DSP,
    ESME,
    FIRMWARE_REQUEST,
    FIRMWARE_REQUEST_TEXT,
    NOON,
    PPMID,
    REQUEST,
    REQUEST_ID,
    RESPONSE,
    RESPONSE_ID,
    SOLICITED,
    SUPPLIER,
    RequestCase,
    ResponseCase,
    dcc_alert,
    message,
    reference,
    tree,
)
from tests.support.duis_management import MANAGEMENT_ALERTS, MANAGEMENT_REQUESTS

__all__ = ["CHF", "DSP", "ESME", "NOON", "PPMID", "SUPPLIER"]

REQUESTS = {
    "8.2 by device": RequestCase(
        DSP, 8, "8.2", ReadInventory(device_id=CHF), tree("ReadInventory", ">DeviceID 00-DB-12-34-56-78-90-A2")
    ),
    "8.2 by UPRN": RequestCase(
        DSP, 8, "8.2", ReadInventory(uprn=100012345678), tree("ReadInventory", ">UPRN 100012345678")
    ),
    "8.2 by MPxN": RequestCase(
        DSP, 8, "8.2", ReadInventory(mpxn="1312345678111"), tree("ReadInventory", ">MPxN 1312345678111")
    ),
    "8.2 by property": RequestCase(
        DSP, 8, "8.2",
        ReadInventory(property_filter=PropertyFilter(post_code="AB1 2CD", address_identifier="1 <The> & Only")),
        tree(
            "ReadInventory", ">PropertyFilter", ">>PostCode AB1 2CD",
            ">>AddressIdentifier 1 &lt;The&gt; &amp; Only",
        ),
    ),
    "8.4 delete": RequestCase(
        DSP, 8, "8.4", UpdateInventory(device_id=ESME, change=DeleteDevice()),
        tree("UpdateInventory", ">DeviceID 00-DB-12-34-56-78-90-A0", ">DeleteDevice /"),
    ),
    "8.4 status": RequestCase(
        DSP, 8, "8.4",
        UpdateInventory(device_id=ESME, change=UpdateDeviceStatusExceptCh(DeviceStatus.INSTALLED_NOT_COMMISSIONED)),
        tree(
            "UpdateInventory", ">DeviceID 00-DB-12-34-56-78-90-A0",
            ">UpdateDeviceStatusExceptCH InstalledNotCommissioned",
        ),
    ),
    "8.4 status of the hub": RequestCase(
        DSP, 8, "8.4", UpdateInventory(device_id=CHF, change=UpdateDeviceStatusCh(DeviceStatus.COMMISSIONED)),
        tree("UpdateInventory", ">DeviceID 00-DB-12-34-56-78-90-A2", ">UpdateDeviceStatusCH Commissioned"),
    ),
    "8.4 details": RequestCase(
        DSP, 8, "8.4",
        UpdateInventory(
            device_id=PPMID,
            change=UpdateDeviceDetails(
                device_manufacturer="AB01", device_model="010A030B", smets_chts_version="SMETS V2.0",
                firmware_version="00000002", ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_4,
            ),
        ),
        tree(
            "UpdateInventory", ">DeviceID 00-DB-12-34-56-78-90-A4", ">UpdateDeviceDetails",
            ">>DeviceManufacturer AB01", ">>DeviceModel 010A030B", ">>SMETSCHTSVersion SMETS V2.0",
            ">>FirmwareVersion 00000002", ">>PPMIDVariant AltHAN Bridge 4",
        ),
    ),
    "8.4 MPxN": RequestCase(
        DSP, 8, "8.4", UpdateInventory(device_id=ESME, change=UpdateMpxn(import_mpxn="1312345678111")),
        tree(
            "UpdateInventory", ">DeviceID 00-DB-12-34-56-78-90-A0", ">UpdateMPxN", ">>ImportMPxN 1312345678111"
        ),
    ),
    "8.11 add": RequestCase(
        CHF, 1, "8.11",
        UpdateHanDeviceLog(
            device_id=ESME, request_type=RequestType.ADD,
            add=AddDeviceToChfWhitelist(
                join_time_period=90, install_code=b"0123456789ABCDEF",
                import_mpxn="1312345678111", secondary_import_mpan="1312345678222",
            ),
        ),
        tree(
            "UpdateHANDeviceLog", ">DeviceID 00-DB-12-34-56-78-90-A0", ">RequestType Add",
            ">AddDeviceToCHFWhitelist", ">>JoinTimePeriod 90", ">>InstallCode 30313233343536373839414243444546",
            ">>ImportMPxN 1312345678111", ">>SecondaryImportMPAN 1312345678222",
        ),
    ),
    "8.11 remove": RequestCase(
        CHF, 1, "8.11",
        UpdateHanDeviceLog(execution_date_time=NOON, device_id=ESME, request_type=RequestType.REMOVE),
        tree(
            "UpdateHANDeviceLog", ">ExecutionDateTime 2026-03-02T12:00:00.000Z",
            ">DeviceID 00-DB-12-34-56-78-90-A0", ">RequestType Remove",
        ),
    ),
    "11.1": RequestCase(
        DSP, 8, "11.1",
        UpdateFirmware(firmware_image=b"image", firmware_version="0002012F", device_ids=(ESME, PPMID)),
        tree(
            "UpdateFirmware", ">FirmwareImage aW1hZ2U=", ">FirmwareVersion 0002012F",
            ">DeviceIDList 00-DB-12-34-56-78-90-A0,00-DB-12-34-56-78-90-A4",
        ),
    ),
    "11.2": RequestCase(PPMID, 1, "11.2", ReadFirmwareVersion(), tree("ReadFirmwareVersion /")),
    "11.2 dated": RequestCase(
        PPMID, 1, "11.2", ReadFirmwareVersion(execution_date_time=NOON + 1_500_000),
        tree("ReadFirmwareVersion", ">ExecutionDateTime 2026-03-02T12:00:00.001500000Z"),
    ),
    "11.3": RequestCase(
        ESME, 4, "11.3", ActivateFirmware(firmware_hash=bytes(range(32))),
        tree(
            "ActivateFirmware",
            ">FirmwareHash 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        ),
    ),
    "11.3 cancel": RequestCase(
        ESME, 4, "11.3",
        ActivateFirmware(execution_date_time=CANCELLATION_DATE_TIME, firmware_hash=bytes(range(32))),
        tree(
            "ActivateFirmware", ">ExecutionDateTime 3000-12-31T00:00:00.000Z",
            ">FirmwareHash 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
        ),
    ),
    "11.3 signed": RequestCase(
        ESME, 5, "11.3", SignedPreCommand(gbcs_payload=b"\xdf\x09\x01"),
        tree("SignedPreCommand", ">GBCSPayload 3wkB"),
    ),
    "11.4": RequestCase(
        DSP, 8, "11.4",
        UpdatePpmidFirmware(firmware_image=b"image", firmware_version="00000002", device_ids=(PPMID,)),
        tree(
            "UpdatePPMIDFirmware", ">FirmwareImage aW1hZ2U=", ">FirmwareVersion 00000002",
            ">DeviceIDList 00-DB-12-34-56-78-90-A4",
        ),
    ),
    "12.2 bridge": RequestCase(
        DSP, 8, "12.2",
        DevicePrenotification(
            device_id=PPMID, device_manufacturer="AB01", device_model="010A030B", device_type=DeviceType.PPMID,
            smets_chts_version="SMETS V2.0", firmware_version="00000001",
            ppmid_variant=PpmidVariant.ALT_HAN_BRIDGE_1,
        ),
        tree(
            "DevicePrenotification", ">DeviceID 00-DB-12-34-56-78-90-A4", ">DeviceManufacturer AB01",
            ">DeviceModel 010A030B", ">DeviceType PPMID", ">SMETSCHTSVersion SMETS V2.0",
            ">FirmwareVersion 00000001", ">PPMIDVariant AltHAN Bridge 1",
        ),
    ),
    "12.2 hub": RequestCase(
        DSP, 8, "12.2",
        DevicePrenotification(
            device_id=CHF, device_manufacturer="AB01", device_model="010A030B", device_type=DeviceType.CHF,
            smets_chts_version="CHTS V1.0", firmware_version="00000001", associated_gpf_device_id=ESME,
        ),
        tree(
            "DevicePrenotification", ">DeviceID 00-DB-12-34-56-78-90-A2", ">DeviceManufacturer AB01",
            ">DeviceModel 010A030B", ">DeviceType CHF", ">SMETSCHTSVersion CHTS V1.0",
            ">FirmwareVersion 00000001", ">AssociatedGPFDeviceID 00-DB-12-34-56-78-90-A0",
        ),
    ),
    **MANAGEMENT_REQUESTS,
}  # fmt: skip


def request_of(name: str) -> Request:
    """Return the value of a request document."""
    case = REQUESTS[name]
    return Request(
        request_id=RequestId(SUPPLIER, case.target, 1000),
        command_variant=CommandVariant(case.variant),
        service=case.service,
        body=case.body,
    )


def _request_document(case: RequestCase) -> bytes:
    text = REQUEST.format(
        target=case.target.hyphenated,
        variant=case.variant,
        service=case.service,
        reference=reference(case.service),
        body=case.text,
    )
    return text.encode()


REQUEST_DOCUMENTS = {name: _request_document(case) for name, case in REQUESTS.items()}

RESPONSES = {
    "acknowledgement": ResponseCase("I99", ResponseMessage("11.3"), message("11.3")),
    "refusal": ResponseCase("E080702", ResponseMessage("8.7.1"), message("8.7.1")),
    "pre-command": ResponseCase(
        "I0", ResponseMessage("11.3", PreCommand(gbcs_version="4.3", gbcs_payload=b"\xdf\x09\x01")),
        message("11.3", "PreCommand", ">GBCSVersion 4.3", ">GBCSPayload 3wkB"),
    ),
    "device response": ResponseCase(
        "I0", ResponseMessage("11.2", GbcsPayload(b"\xdd\x00\x00")), message("11.2", "GBCSPayload 3QAA"),
        from_device=True,
    ),
    "local command": ResponseCase(
        "I0", ResponseMessage("11.2", LocalCommand(gbcs_payload=b"\xdd\x00\x00")),
        message("11.2", "LocalCommand", ">GBCSPayload 3QAA"),
    ),
    "inventory": ResponseCase(
        "I0",
        ResponseMessage("8.2", DspInventory(devices=(
            InventoryDevice(
                device_id=ESME, device_type=DeviceType.ESME, device_status=DeviceStatus.COMMISSIONED,
                device_manufacturer="AB01", device_model="010A030B", smets_chts_version="SMETS V2.0",
                device_firmware_version="00000001", device_firmware_version_status=ProductStatus.ACTIVE,
                cpl_status=ProductStatus.ACTIVE, date_commissioned=NOON - 43_200_000_000_000,
                import_mpxn="1312345678111", secondary_import_mpan="1312345678222", export_mpan="1312345678333",
                esme_variant="AD", uprn=12, property_filter=PropertyFilter(post_code="AB1 2CD", address_identifier="1"),
                csp_region="North", device_gbcs_version="4.3", s1sp="SIE", connectivity="Cellular",
            ),
            InventoryDevice(
                device_id=PPMID, device_type=DeviceType.PPMID, device_status=DeviceStatus.PENDING,
                device_manufacturer="AB01", device_model="010A030B", ppmid_variant=PpmidVariant.PPMID,
            ),
            InventoryDevice(
                device_id=CHF, device_type=DeviceType.CHF, device_manufacturer="AB01", device_model="010A030B",
                han_variant="Single Band",
            ),
        ))),
        message(
            "8.2", "DSPInventory",
            ">Device", ">>DeviceID 00-DB-12-34-56-78-90-A0", ">>DeviceType ESME", ">>DeviceStatus Commissioned",
            ">>DeviceManufacturer AB01", ">>DeviceModel 010A030B", ">>SMETSCHTSVersion SMETS V2.0",
            ">>DeviceFirmwareVersion 00000001", ">>DeviceFirmwareVersionStatus Active", ">>CPLStatus Active",
            ">>DateCommissioned 2026-03-02Z", ">>ImportMPxN 1312345678111", ">>SecondaryImportMPAN 1312345678222",
            ">>ExportMPAN 1312345678333", ">>ESMEVariant AD", ">>UPRN 12", ">>PropertyFilter",
            ">>>PostCode AB1 2CD", ">>>AddressIdentifier 1", ">>CSPRegion North", ">>DeviceGBCSVersion 4.3",
            ">>S1SP SIE", ">>Connectivity Cellular",
            ">Device", ">>DeviceID 00-DB-12-34-56-78-90-A4", ">>DeviceType PPMID", ">>DeviceStatus Pending",
            ">>DeviceManufacturer AB01", ">>DeviceModel 010A030B", ">>PPMIDVariant PPMID",
            ">Device", ">>DeviceID 00-DB-12-34-56-78-90-A2", ">>DeviceType CHF", ">>DeviceManufacturer AB01",
            ">>DeviceModel 010A030B", ">>HANVariant Single Band",
        ),
    ),
    "W110101": ResponseCase(
        "W110101",
        ResponseMessage("11.1", DspUpdateFirmwareWarning(
            invalid_device_ids=(ESME,), not_commissioned_device_ids=(CHF,),
            not_applicable_firmware_device_ids=(PPMID,), other_request_in_progress=(ESME, CHF),
            invalid_gbcs_version=(PPMID,),
        )),
        message(
            "11.1", "DSPUpdateFirmwareWarning", ">InvalidDeviceIDList 00-DB-12-34-56-78-90-A0",
            ">NotCommissionedDeviceIDList 00-DB-12-34-56-78-90-A2",
            ">NotApplicableFirmwareDeviceIDList 00-DB-12-34-56-78-90-A4",
            ">OtherRequestInProgressList 00-DB-12-34-56-78-90-A0,00-DB-12-34-56-78-90-A2",
            ">InvalidGBCSVersionList 00-DB-12-34-56-78-90-A4",
        ),
    ),
    "W110401": ResponseCase(
        "W110401", ResponseMessage("11.4", DspUpdatePpmidFirmwareWarning(other_request_in_progress=(PPMID,))),
        message("11.4", "DSPUpdatePPMIDFirmwareWarning", ">OtherRequestInProgressList 00-DB-12-34-56-78-90-A4"),
    ),
    "8F66": ResponseCase(
        "I0", ResponseMessage("11.3", FutureDatedDeviceAlertMessage(alert_code=0x8F66, gbcs_payload=b"\xdf\x09\x03")),
        message(
            "11.3", "FutureDatedDeviceAlertMessage", ">FutureDatedAlertCode 8F66", ">GBCSPayload 3wkD",
            ">InstructionNumber 1", ">TotalCommandInstructions 1",
        ),
        from_device=True,
    ),
    "8F72": ResponseCase(
        "I0", DeviceAlertMessage(alert_code=0x8F72, gbcs_payload=b"\xdf\x09\x03"),
        tree("DeviceAlertMessage", ">AlertCode 8F72", ">GBCSPayload 3wkD"),
        asked=False, from_device=True,
    ),
    "8F35 throttled": ResponseCase(
        "I0",
        DeviceAlertMessage(
            alert_code=0x8F35, throttled_alert_sequence_id=3, throttled_alert_count=12, gbcs_payload=b"\xdf\x09\x03"
        ),
        tree(
            "DeviceAlertMessage", ">AlertCode 8F35", ">ThrottledAlertSequenceId 3", ">ThrottledAlertCount 12",
            ">GBCSPayload 3wkD",
        ),
        asked=False, from_device=True,
    ),
    "AD1": ResponseCase(
        "I0",
        DccAlertMessage(
            dcc_alert_code="AD1",
            alert=PowerOutageEvent(comms_hub_device_id=CHF, start_date_time=NOON, mpxn="1312345678111"),
        ),
        dcc_alert(
            "AD1", "PowerOutageEvent", ">CommsHubDeviceID 00-DB-12-34-56-78-90-A2",
            ">StartDateTime 2026-03-02T12:00:00.000Z", ">MPxN 1312345678111",
        ),
        asked=False,
    ),
    "N16": ResponseCase(
        "I0",
        DccAlertMessage(
            dcc_alert_code="N16",
            alert=DeviceStatusChangeEvent(
                device_id=ESME,
                change=MeterIdentity(mpxns=MeterMpxns(import_mpxn="1312345678111"), esme_variant="A"),
            ),
        ),
        dcc_alert(
            "N16", "DeviceStatusChangeEvent", ">DeviceID 00-DB-12-34-56-78-90-A0", ">DeviceStatusChange",
            ">>MeterIdentity", ">>>MeterMPxNs", ">>>>ImportMPxN 1312345678111", ">>>ESMEVariant A",
        ),
        asked=False,
    ),
    "N22": ResponseCase(
        "I0",
        DccAlertMessage(
            dcc_alert_code="N22",
            alert=FirmwareDistributionFailure(update_firmware_request_id=FIRMWARE_REQUEST, meter_ids=(ESME,)),
        ),
        dcc_alert(
            "N22", "FirmwareDistributionFailure", f">UpdateFirmwareRequestID {FIRMWARE_REQUEST_TEXT}",
            ">MeterIDs 00-DB-12-34-56-78-90-A0",
        ),
        asked=False,
    ),
    "N24": ResponseCase(
        "I0",
        DccAlertMessage(dcc_alert_code="N24", alert=UpdateHanDeviceLogResult(request_id=FIRMWARE_REQUEST)),
        dcc_alert(
            "N24", "UpdateHANDeviceLogResult", f">UpdateHANDeviceLogServiceRequestID {FIRMWARE_REQUEST_TEXT}"
        ),
        asked=False,
    ),
    "N36": ResponseCase(
        "I0",
        DccAlertMessage(
            dcc_alert_code="N36", alert=CommandFailure(command_request_id=FIRMWARE_REQUEST, device_id=ESME)
        ),
        dcc_alert(
            "N36", "CommandFailure", f">CommandRequestID {FIRMWARE_REQUEST_TEXT}",
            ">DeviceID 00-DB-12-34-56-78-90-A0",
        ),
        asked=False,
    ),
    "N39": ResponseCase(
        "I0",
        DccAlertMessage(
            dcc_alert_code="N39",
            alert=PpmidAlert(
                device_id=PPMID, device_alert_code=0x8F8B, timestamp=NOON,
                firmware_upgrade=PpmidFirmwareUpgradeAlert(
                    firmware_version="00000002", result=ActivateImageResultCode.ACTIVATION_SUCCESS
                ),
            ),
        ),
        dcc_alert(
            "N39", "PPMIDAlert", ">DeviceID 00-DB-12-34-56-78-90-A4", ">DeviceAlertCode 8F8B",
            ">Timestamp 2026-03-02T12:00:00.000Z", ">PPMIDFirmwareUpgradeAlert", ">>FirmwareVersion 00000002",
            ">>ActivateImageResultCode ActivationSuccess",
        ),
        asked=False,
    ),
    "N52": ResponseCase(
        "I0",
        DccAlertMessage(
            dcc_alert_code="N52",
            alert=FirmwareVersionMismatch(
                device_id=ESME, device_type=DeviceType.GSME, firmware_version_smi="00000001",
                firmware_version_device="00000002",
            ),
        ),
        dcc_alert(
            "N52", "FirmwareVersionMismatch", ">DeviceID 00-DB-12-34-56-78-90-A0", ">DeviceType GSME",
            ">FirmwareVersionSMI 00000001", ">FirmwareVersionDevice 00000002",
        ),
        asked=False,
    ),
    "N60": ResponseCase(
        "I0",
        DccAlertMessage(
            dcc_alert_code="N60",
            alert=CspFirmwareDeliveryStatus(
                update_firmware_request_id=FIRMWARE_REQUEST, comms_hub_device_id=CHF, target_device_id=PPMID,
                firmware_version="00000002", time_stamp=NOON, status=CommsHubTransferStatus.SUCCESS,
            ),
        ),
        dcc_alert(
            "N60", "CSPFirmwareDeliveryStatus", f">UpdateFirmwareRequestID {FIRMWARE_REQUEST_TEXT}",
            ">CommsHubDeviceID 00-DB-12-34-56-78-90-A2", ">TargetDeviceID 00-DB-12-34-56-78-90-A4",
            ">FirmwareVersion 00000002", ">TimeStamp 2026-03-02T12:00:00.000Z", ">CommsHubTransferStatus Success",
        ),
        asked=False,
    ),
    "N62": ResponseCase(
        "I0",
        DccAlertMessage(
            dcc_alert_code="N62",
            alert=CommsHubAlert(
                comms_hub_device_id=CHF, alert_code=0x8F89, time_stamp=NOON,
                firmware_transfer=FirmwareTransferAlert(
                    update_firmware_request_id=FIRMWARE_REQUEST, other_device_id=PPMID, firmware_version="00000002",
                    transfer_response_code=TransferResponseCode.FILE_TRANSFER_FAILURE,
                ),
            ),
        ),
        dcc_alert(
            "N62", "CommsHubAlert", ">CommsHubDeviceID 00-DB-12-34-56-78-90-A2", ">AlertCode 8F89",
            ">TimeStamp 2026-03-02T12:00:00.000Z", ">FirmwareTransferAlert",
            f">>UpdateFirmwareRequestID {FIRMWARE_REQUEST_TEXT}", ">>OtherDeviceID 00-DB-12-34-56-78-90-A4",
            ">>FirmwareVersion 00000002", ">>TransferResponseCode FileTransferFailure",
        ),
        asked=False,
    ),
    "N63": ResponseCase(
        "I0",
        DccAlertMessage(
            dcc_alert_code="N63", alert=CommsHubFirmwareActivation(device_id=CHF, firmware_version="01000000")
        ),
        dcc_alert(
            "N63", "CommsHubFirmwareActivation", ">DeviceID 00-DB-12-34-56-78-90-A2", ">FirmwareVersion 01000000"
        ),
        asked=False,
    ),
    **MANAGEMENT_ALERTS,
}  # fmt: skip


def response_of(name: str) -> Response:
    """Return the value of a response document."""
    case = RESPONSES[name]
    unasked = RequestId(DSP, SUPPLIER, 5) if case.is_dcc_alert else None
    return Response(
        request_id=SOLICITED if case.asked else None,
        response_id=SOLICITED.answered if case.from_device else unasked,
        response_code=case.code,
        response_date_time=NOON,
        body=case.body,
    )


def _response_document(case: ResponseCase) -> bytes:
    ids = [REQUEST_ID] * case.asked + [RESPONSE_ID] * case.from_device + [DCC_ALERT_ID] * case.is_dcc_alert
    return RESPONSE.format(ids="\n".join(ids), code=case.code, body=case.text).encode()


RESPONSE_DOCUMENTS = {name: _response_document(case) for name, case in RESPONSES.items()}
