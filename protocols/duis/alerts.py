"""Payloads of DCC alerts, and the table of their codes. Element order: DUIS XML schema V5.4."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, NamedTuple, TypeAlias, get_args

from protocols.addresses import Eui64
from protocols.duis.binding import (
    ALERT_CODE,
    DATE_TIME,
    EUI,
    EUI_LIST,
    INTEGER,
    REQUEST_ID,
    STRING,
    choice,
    enumerated,
    group,
    leaf,
    many,
)
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceType


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOutageEvent:
    """AD1: the hub has been without supply for at least 3 minutes. Names the hub and one MPxN, never the ESME."""

    ELEMENT: ClassVar[str] = "PowerOutageEvent"

    comms_hub_device_id: Eui64 = field(metadata=leaf("CommsHubDeviceID", EUI))
    start_date_time: int = field(metadata=leaf("StartDateTime", DATE_TIME))  # ns
    mpxn: str = field(metadata=leaf("MPxN", STRING))  # 1 to 13 characters


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterMpxns:
    import_mpxn: str = field(metadata=leaf("ImportMPxN", STRING))
    secondary_import_mpan: str | None = field(default=None, metadata=leaf("SecondaryImportMPAN", STRING))
    export_mpan: str | None = field(default=None, metadata=leaf("ExportMPAN", STRING))


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterIdentity:
    ELEMENT: ClassVar[str] = "MeterIdentity"

    mpxns: MeterMpxns = field(metadata=group("MeterMPxNs", MeterMpxns))
    esme_variant: str | None = field(default=None, metadata=leaf("ESMEVariant", STRING))


class Gone(StrEnum):
    """How a meter left; the texts are inferred."""

    DECOMMISSIONED = "Decommissioned"
    WITHDRAWN = "Withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssociatedType1Device:
    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    device_type: DeviceType = field(metadata=leaf("DeviceType", enumerated(DeviceType)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterDecommissioningOrWithdrawal:
    """N1, N2; at most seven associated devices are named."""

    ELEMENT: ClassVar[str] = "MeterDecommissioningOrWithdrawal"

    gone: Gone = field(metadata=leaf("MeterDecommissionOrWithdrawal", enumerated(Gone)))
    associated: tuple[AssociatedType1Device, ...] = field(
        default=(), metadata=many("AssociatedType1Device", AssociatedType1Device)
    )


@dataclass(frozen=True, slots=True)
class DeviceRemovedFromInventory:
    """N9."""

    ELEMENT: ClassVar[str] = "DeviceRemovedFromInventory"


@dataclass(frozen=True, slots=True)
class ChfDecommissioning:
    """N8."""

    ELEMENT: ClassVar[str] = "CHFDecommissioning"


@dataclass(frozen=True, slots=True)
class DeviceSuspended:
    """N28."""

    ELEMENT: ClassVar[str] = "DeviceSuspended"


@dataclass(frozen=True, slots=True)
class DeviceRestored:
    """N29."""

    ELEMENT: ClassVar[str] = "DeviceRestored"


@dataclass(frozen=True, slots=True)
class RecoveryComplete:
    ELEMENT: ClassVar[str] = "RecoveryComplete"


StatusChange: TypeAlias = (
    MeterIdentity
    | MeterDecommissioningOrWithdrawal
    | DeviceRemovedFromInventory
    | ChfDecommissioning
    | DeviceSuspended
    | DeviceRestored
    | RecoveryComplete
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatusChangeEvent:
    """N1, N2, N8, N9, N16, N28, N29: the status of a device, or what identifies it, has changed."""

    ELEMENT: ClassVar[str] = "DeviceStatusChangeEvent"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    change: StatusChange = field(metadata=choice(*get_args(StatusChange), within="DeviceStatusChange"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DspScheduleRemoval:
    """N3 to N6, N17, N37."""

    ELEMENT: ClassVar[str] = "DSPScheduleRemoval"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    dsp_schedule_id: int = field(metadata=leaf("DSPScheduleID", INTEGER))


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFailure:
    """N7, N10 to N15, N33 to N36."""

    ELEMENT: ClassVar[str] = "CommandFailure"

    command_request_id: RequestId = field(metadata=leaf("CommandRequestID", REQUEST_ID))
    dsp_schedule_id: int | None = field(default=None, metadata=leaf("DSPScheduleID", INTEGER))
    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareDistributionFailure:
    """N18 to N23."""

    ELEMENT: ClassVar[str] = "FirmwareDistributionFailure"

    update_firmware_request_id: RequestId = field(metadata=leaf("UpdateFirmwareRequestID", REQUEST_ID))
    meter_ids: tuple[Eui64, ...] = field(metadata=leaf("MeterIDs", EUI_LIST))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateHanDeviceLogResult:
    """N24, N25."""

    ELEMENT: ClassVar[str] = "UpdateHANDeviceLogResult"

    request_id: RequestId = field(metadata=leaf("UpdateHANDeviceLogServiceRequestID", REQUEST_ID))


class ActivateImageResultCode(StrEnum):
    ACTIVATION_SUCCESS = "ActivationSuccess"
    ACTIVATION_FAILURE = "ActivationFailure"


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidFirmwareUpgradeAlert:
    firmware_version: str = field(metadata=leaf("FirmwareVersion", STRING))
    result: ActivateImageResultCode = field(
        metadata=leaf("ActivateImageResultCode", enumerated(ActivateImageResultCode))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidAlert:
    """N39: what a PPMID or bridge reported, 8F8B for a firmware activation."""

    ELEMENT: ClassVar[str] = "PPMIDAlert"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    device_alert_code: int = field(metadata=leaf("DeviceAlertCode", ALERT_CODE))  # 16 bits
    timestamp: int | None = field(default=None, metadata=leaf("Timestamp", DATE_TIME))  # ns
    firmware_upgrade: PpmidFirmwareUpgradeAlert | None = field(
        default=None, metadata=group("PPMIDFirmwareUpgradeAlert", PpmidFirmwareUpgradeAlert)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareVersionMismatch:
    """N49 to N52."""

    ELEMENT: ClassVar[str] = "FirmwareVersionMismatch"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    device_type: DeviceType = field(metadata=leaf("DeviceType", enumerated(DeviceType)))
    firmware_version_smi: str = field(metadata=leaf("FirmwareVersionSMI", STRING))
    firmware_version_device: str = field(metadata=leaf("FirmwareVersionDevice", STRING))


class CommsHubTransferStatus(StrEnum):
    SUCCESS = "Success"
    FAILURE = "Failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class CspFirmwareDeliveryStatus:
    """N60, N61: whether the image reached the hub."""

    ELEMENT: ClassVar[str] = "CSPFirmwareDeliveryStatus"

    update_firmware_request_id: RequestId = field(metadata=leaf("UpdateFirmwareRequestID", REQUEST_ID))
    comms_hub_device_id: Eui64 = field(metadata=leaf("CommsHubDeviceID", EUI))
    target_device_id: Eui64 = field(metadata=leaf("TargetDeviceID", EUI))
    firmware_version: str = field(metadata=leaf("FirmwareVersion", STRING))
    time_stamp: int = field(metadata=leaf("TimeStamp", DATE_TIME))  # ns
    status: CommsHubTransferStatus = field(metadata=leaf("CommsHubTransferStatus", enumerated(CommsHubTransferStatus)))


class TransferResponseCode(StrEnum):
    """In the order of CCS08's numbers 0 to 3."""

    FILE_TRANSFER_SUCCESS = "FileTransferSuccess"
    FIRMWARE_IMAGE_DISCARDED = "FirmwareImageDiscarded"
    HARDWARE_VERSION_MISMATCH = "HardwareVersionMismatch"
    FILE_TRANSFER_FAILURE = "FileTransferFailure"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareTransferAlert:
    update_firmware_request_id: RequestId | None = field(
        default=None, metadata=leaf("UpdateFirmwareRequestID", REQUEST_ID)
    )
    other_device_id: Eui64 = field(metadata=leaf("OtherDeviceID", EUI))
    firmware_version: str = field(metadata=leaf("FirmwareVersion", STRING))
    transfer_response_code: TransferResponseCode = field(
        metadata=leaf("TransferResponseCode", enumerated(TransferResponseCode))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommsHubAlert:
    """N62: the hub's firmware transfer alert, 8F8A or 8F89."""

    ELEMENT: ClassVar[str] = "CommsHubAlert"

    comms_hub_device_id: Eui64 = field(metadata=leaf("CommsHubDeviceID", EUI))
    alert_code: int = field(metadata=leaf("AlertCode", ALERT_CODE))  # 16 bits
    time_stamp: int | None = field(default=None, metadata=leaf("TimeStamp", DATE_TIME))  # ns
    firmware_transfer: FirmwareTransferAlert | None = field(
        default=None, metadata=group("FirmwareTransferAlert", FirmwareTransferAlert)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommsHubFirmwareActivation:
    """N63: a hub runs another firmware of its own."""

    ELEMENT: ClassVar[str] = "CommsHubFirmwareActivation"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))  # the CHF
    firmware_version: str = field(metadata=leaf("FirmwareVersion", STRING))  # eight hexadecimal digits


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidRemoval:
    """N43."""

    ELEMENT: ClassVar[str] = "PPMIDRemoval"

    ppmid_device_id: Eui64 = field(metadata=leaf("PPMIDDeviceID", EUI))
    chf_device_id: Eui64 = field(metadata=leaf("CHFDeviceID", EUI))


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareUpgradeRequested:
    """N58: tells the other responsible supplier."""

    ELEMENT: ClassVar[str] = "FirmwareUpgradeRequested"

    device_type: DeviceType = field(metadata=leaf("DeviceType", enumerated(DeviceType)))
    firmware_version: str = field(metadata=leaf("FirmwareVersion", STRING))
    device_list: tuple[Eui64, ...] = field(metadata=leaf("DeviceList", EUI_LIST))


@dataclass(frozen=True, slots=True, kw_only=True)
class UserThresholdBreach:
    """N46: the user sent more than its threshold allows."""

    ELEMENT: ClassVar[str] = "ADUserThresholdBreach"

    request_id: RequestId = field(metadata=leaf("RequestID", REQUEST_ID))
    quarantine_event_ref: str = field(metadata=leaf("QuarantineEventRef", STRING))


@dataclass(frozen=True, slots=True, kw_only=True)
class DccThresholdBreach:
    """N47: all users together sent more than the DCC's threshold allows."""

    ELEMENT: ClassVar[str] = "ADDCCThresholdBreach"

    request_id: RequestId = field(metadata=leaf("RequestID", REQUEST_ID))
    quarantine_event_ref: str = field(metadata=leaf("QuarantineEventRef", STRING))


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedRequest:
    ELEMENT: ClassVar[str] = "QuarantinedRequest"

    breach: UserThresholdBreach | DccThresholdBreach = field(metadata=choice(UserThresholdBreach, DccThresholdBreach))


DccAlert: TypeAlias = (
    PowerOutageEvent
    | DeviceStatusChangeEvent
    | DspScheduleRemoval
    | CommandFailure
    | FirmwareDistributionFailure
    | UpdateHanDeviceLogResult
    | PpmidAlert
    | PpmidRemoval
    | FirmwareVersionMismatch
    | FirmwareUpgradeRequested
    | CspFirmwareDeliveryStatus
    | CommsHubAlert
    | CommsHubFirmwareActivation
    | QuarantinedRequest
)
DCC_ALERTS: tuple[type[DccAlert], ...] = get_args(DccAlert)


class DccAlertRow(NamedTuple):
    meaning: str
    payload: type[DccAlert]
    inferred: bool  # what the code means, or that it carries this payload, is our reading


DCC_ALERT_TABLE: dict[str, DccAlertRow] = {
    "AD1": DccAlertRow("hub without supply for at least 3 minutes", PowerOutageEvent, False),
    "N1": DccAlertRow("meter decommissioned", DeviceStatusChangeEvent, True),
    "N2": DccAlertRow("meter withdrawn", DeviceStatusChangeEvent, True),
    "N3": DccAlertRow("schedule removed: device decommissioned", DspScheduleRemoval, True),
    "N4": DccAlertRow("schedule removed: device withdrawn", DspScheduleRemoval, True),
    "N5": DccAlertRow("schedule removed: device suspended", DspScheduleRemoval, True),
    "N7": DccAlertRow("future dated request cancelled: device suspended or gone", CommandFailure, True),
    "N8": DccAlertRow("hub decommissioned", DeviceStatusChangeEvent, True),
    "N9": DccAlertRow("device removed from the inventory", DeviceStatusChangeEvent, True),
    "N16": DccAlertRow("identity recorded for a meter", DeviceStatusChangeEvent, True),
    "N22": DccAlertRow("firmware distribution: device not identifiable at the CSP", FirmwareDistributionFailure, True),
    "N24": DccAlertRow("update of the HAN device log succeeded", UpdateHanDeviceLogResult, False),
    "N25": DccAlertRow("update of the HAN device log doubtful", UpdateHanDeviceLogResult, True),
    "N28": DccAlertRow("device suspended", DeviceStatusChangeEvent, True),
    "N29": DccAlertRow("device restored from suspension", DeviceStatusChangeEvent, True),
    "N31": DccAlertRow("device recovered", DeviceStatusChangeEvent, True),
    "N36": DccAlertRow("future dated request cancelled: hub withdrawn", CommandFailure, True),
    "N37": DccAlertRow("schedule removed: hub withdrawn", DspScheduleRemoval, True),
    "N39": DccAlertRow("alert of a PPMID or bridge", PpmidAlert, False),
    "N43": DccAlertRow("PPMID removed from a hub", PpmidRemoval, True),
    "N46": DccAlertRow("request quarantined: threshold of the user", QuarantinedRequest, True),
    "N47": DccAlertRow("request quarantined: threshold of the DCC", QuarantinedRequest, True),
    "N52": DccAlertRow("GSME firmware version mismatch seen through the GPF", FirmwareVersionMismatch, False),
    "N58": DccAlertRow("firmware upgrade requested by the other supplier", FirmwareUpgradeRequested, True),
    "N60": DccAlertRow("firmware image delivered to the hub", CspFirmwareDeliveryStatus, True),
    "N61": DccAlertRow("firmware image not delivered to the hub", CspFirmwareDeliveryStatus, True),
    "N62": DccAlertRow("firmware transfer alert of the hub", CommsHubAlert, True),
    "N63": DccAlertRow("firmware of the hub itself activated", CommsHubFirmwareActivation, True),
}
"""The codes this project raises. Source: SEC modification texts and DUIS XML schema V5.4; `inferred` as marked."""
