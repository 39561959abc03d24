"""The bodies of the service requests. Fields stand in the order of their elements (DUIS XML schema V5.4)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias, get_args

from protocols.addresses import Eui64
from protocols.duis.binding import (
    BASE64,
    BOOLEAN,
    DATE_TIME,
    EUI,
    EUI_LIST,
    HEX,
    IMAGE,
    INTEGER,
    REQUEST_ID,
    STRING,
    choice,
    enumerated,
    group,
    leaf,
    listed,
    text,
)
from protocols.duis.identifiers import RequestId
from protocols.duis.inventory import DeviceStatus, DeviceType, PpmidVariant, PropertyFilter

_STATUS = enumerated(DeviceStatus)
_VARIANT = enumerated(PpmidVariant)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInventory:
    """SR 8.2: exactly one of the four."""

    ELEMENT: ClassVar[str] = "ReadInventory"

    uprn: int | None = field(default=None, metadata=leaf("UPRN", INTEGER))
    device_id: Eui64 | None = field(default=None, metadata=leaf("DeviceID", EUI))
    mpxn: str | None = field(default=None, metadata=leaf("MPxN", STRING))
    property_filter: PropertyFilter | None = field(default=None, metadata=group("PropertyFilter", PropertyFilter))


@dataclass(frozen=True, slots=True)
class UpdateDeviceStatusExceptCh:
    ELEMENT: ClassVar[str] = "UpdateDeviceStatusExceptCH"

    status: DeviceStatus = field(metadata=text(_STATUS))  # Pending or InstalledNotCommissioned


@dataclass(frozen=True, slots=True)
class UpdateDeviceStatusCh:
    ELEMENT: ClassVar[str] = "UpdateDeviceStatusCH"

    status: DeviceStatus = field(metadata=text(_STATUS))  # Commissioned, InstalledNotCommissioned or Withdrawn


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateDeviceDetails:
    """Nothing at all is valid here; the DSP answers E080408."""

    ELEMENT: ClassVar[str] = "UpdateDeviceDetails"

    device_manufacturer: str | None = field(default=None, metadata=leaf("DeviceManufacturer", STRING))
    device_model: str | None = field(default=None, metadata=leaf("DeviceModel", STRING))
    smets_chts_version: str | None = field(default=None, metadata=leaf("SMETSCHTSVersion", STRING))
    firmware_version: str | None = field(default=None, metadata=leaf("FirmwareVersion", STRING))
    esme_variant: str | None = field(default=None, metadata=leaf("ESMEVariant", STRING))
    ppmid_variant: PpmidVariant | None = field(default=None, metadata=leaf("PPMIDVariant", _VARIANT))


@dataclass(frozen=True, slots=True)
class DeleteDevice:
    ELEMENT: ClassVar[str] = "DeleteDevice"


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMpxn:
    """Exactly one of the three."""

    ELEMENT: ClassVar[str] = "UpdateMPxN"

    import_mpxn: str | None = field(default=None, metadata=leaf("ImportMPxN", STRING))
    secondary_import_mpan: str | None = field(default=None, metadata=leaf("SecondaryImportMPAN", STRING))
    export_mpan: str | None = field(default=None, metadata=leaf("ExportMPAN", STRING))


InventoryChange: TypeAlias = (
    UpdateDeviceStatusExceptCh | UpdateDeviceStatusCh | UpdateDeviceDetails | DeleteDevice | UpdateMpxn
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateInventory:
    """SR 8.4."""

    ELEMENT: ClassVar[str] = "UpdateInventory"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    change: InventoryChange = field(
        metadata=choice(UpdateDeviceStatusExceptCh, UpdateDeviceStatusCh, UpdateDeviceDetails, DeleteDevice, UpdateMpxn)
    )


class RequestType(StrEnum):
    ADD = "Add"
    REMOVE = "Remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDeviceToChfWhitelist:
    join_time_period: int = field(metadata=leaf("JoinTimePeriod", INTEGER))  # 1 to 3600 s
    install_code: bytes = field(metadata=leaf("InstallCode", HEX))  # 6 to 16 octets, without CRC
    import_mpxn: str | None = field(default=None, metadata=leaf("ImportMPxN", STRING))
    secondary_import_mpan: str | None = field(default=None, metadata=leaf("SecondaryImportMPAN", STRING))
    export_mpan: str | None = field(default=None, metadata=leaf("ExportMPAN", STRING))


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateHanDeviceLog:
    """SR 8.11, addressed to the CHF."""

    ELEMENT: ClassVar[str] = "UpdateHANDeviceLog"

    execution_date_time: int | None = field(default=None, metadata=leaf("ExecutionDateTime", DATE_TIME))  # ns
    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    request_type: RequestType = field(metadata=leaf("RequestType", enumerated(RequestType)))
    add: AddDeviceToChfWhitelist | None = field(
        default=None, metadata=group("AddDeviceToCHFWhitelist", AddDeviceToChfWhitelist)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFirmware:
    """SR 11.1: ESME, GSME and HCALCS."""

    ELEMENT: ClassVar[str] = "UpdateFirmware"

    firmware_image: bytes = field(metadata=leaf("FirmwareImage", IMAGE))  # at most 10,240,000 octets
    firmware_version: str = field(metadata=leaf("FirmwareVersion", STRING))  # 1 to 8 characters, as a rule XXXXXXXX
    device_ids: tuple[Eui64, ...] = field(metadata=leaf("DeviceIDList", EUI_LIST))  # 1 to 50,000


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatePpmidFirmware:
    """SR 11.4: PPMID and bridges; distribution and activation in one."""

    ELEMENT: ClassVar[str] = "UpdatePPMIDFirmware"

    firmware_image: bytes = field(metadata=leaf("FirmwareImage", IMAGE))
    firmware_version: str = field(metadata=leaf("FirmwareVersion", STRING))
    device_ids: tuple[Eui64, ...] = field(metadata=leaf("DeviceIDList", EUI_LIST))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFirmwareVersion:
    """SR 11.2."""

    ELEMENT: ClassVar[str] = "ReadFirmwareVersion"

    execution_date_time: int | None = field(default=None, metadata=leaf("ExecutionDateTime", DATE_TIME))  # ns


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateFirmware:
    """SR 11.3; `times.CANCELLATION_DATE_TIME` cancels."""

    ELEMENT: ClassVar[str] = "ActivateFirmware"

    execution_date_time: int | None = field(default=None, metadata=leaf("ExecutionDateTime", DATE_TIME))  # ns
    firmware_hash: bytes = field(metadata=leaf("FirmwareHash", HEX))  # 32 octets


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPreCommand:
    """Command variants 5 to 7 of a critical service: the pre-command with the user's signature field."""

    ELEMENT: ClassVar[str] = "SignedPreCommand"

    execution_date_time: int | None = field(default=None, metadata=leaf("ExecutionDateTime", DATE_TIME))  # ns
    gbcs_payload: bytes = field(metadata=leaf("GBCSPayload", BASE64))


@dataclass(frozen=True, slots=True, kw_only=True)
class DevicePrenotification:
    """SR 12.2."""

    ELEMENT: ClassVar[str] = "DevicePrenotification"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    device_manufacturer: str = field(metadata=leaf("DeviceManufacturer", STRING))
    device_model: str = field(metadata=leaf("DeviceModel", STRING))
    device_type: DeviceType = field(metadata=leaf("DeviceType", enumerated(DeviceType)))
    smets_chts_version: str | None = field(default=None, metadata=leaf("SMETSCHTSVersion", STRING))
    firmware_version: str | None = field(default=None, metadata=leaf("FirmwareVersion", STRING))
    esme_variant: str | None = field(default=None, metadata=leaf("ESMEVariant", STRING))
    associated_gpf_device_id: Eui64 | None = field(default=None, metadata=leaf("AssociatedGPFDeviceID", EUI))
    ppmid_variant: PpmidVariant | None = field(default=None, metadata=leaf("PPMIDVariant", _VARIANT))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadInstantaneousImportRegisters:
    """SR 4.1.1, the one read of registers here: it shows what a device's status bars."""

    ELEMENT: ClassVar[str] = "ReadInstantaneousImportRegisters"

    execution_date_time: int | None = field(default=None, metadata=leaf("ExecutionDateTime", DATE_TIME))  # ns


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLogPeriod:
    """ns UTC, both included."""

    start: int = field(metadata=leaf("StartDateTime", DATE_TIME))
    end: int = field(metadata=leaf("EndDateTime", DATE_TIME))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNetworkData:
    """SR 4.10: of an ESME its voltages."""

    ELEMENT: ClassVar[str] = "ReadNetworkData"

    period: ReadLogPeriod = field(metadata=group("ReadLogPeriod", ReadLogPeriod))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAlcsData:
    """SR 7.7: the switches that an ESME controls."""

    ELEMENT: ClassVar[str] = "ReadALCSData"


class LogToRead(StrEnum):
    EVENT = "Event"
    SECURITY = "Security"
    POWER_EVENT = "PowerEvent"
    ALCS_EVENT = "ALCSEvent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEventOrSecurityLog:
    """SR 6.13."""

    ELEMENT: ClassVar[str] = "ReadEventOrSecurityLog"

    period: ReadLogPeriod = field(metadata=group("ReadLogPeriod", ReadLogPeriod))
    log: LogToRead = field(metadata=leaf("LogToRead", enumerated(LogToRead)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionDevice:
    """SR 8.1.1: set a meter's clock for the first time, which commissions it."""

    ELEMENT: ClassVar[str] = "CommissionDeviceSynchroniseClock"

    current_date_time: int = field(metadata=leaf("CurrentDateTime", DATE_TIME))  # ns
    tolerance_period: int = field(metadata=leaf("TolerancePeriod", INTEGER))  # s


@dataclass(frozen=True, slots=True, kw_only=True)
class DecommissionDevice:
    """SR 8.3."""

    ELEMENT: ClassVar[str] = "DecommissionDevice"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacementCertificates:
    """DER; the digital signing certificate stands first where both are there."""

    digital_signing: bytes | None = field(default=None, metadata=leaf("DigitalSigningCertificate", BASE64))
    key_agreement: bytes | None = field(default=None, metadata=leaf("KeyAgreementCertificate", BASE64))


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificationPath:
    certificates: tuple[bytes, ...] = field(metadata=listed("Certificate", BASE64))  # DER


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptOut:
    """SR 8.5: the broker hands its place on a meter to another."""

    ELEMENT: ClassVar[str] = "ServiceOptOut"

    execution_date_time: int | None = field(default=None, metadata=leaf("ExecutionDateTime", DATE_TIME))  # ns
    acb_floor_seq_number: int = field(metadata=leaf("ACBFloorSeqNumber", INTEGER))  # 64 bits
    replacement_certificates: ReplacementCertificates = field(
        metadata=group("ReplacementCertificates", ReplacementCertificates)
    )
    certification_path: CertificationPath = field(metadata=group("CertificationPathCertificates", CertificationPath))
    apply_time_based_checks: bool = field(metadata=leaf("ApplyTimeBasedCPVChecks", BOOLEAN))


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinServiceCritical:
    """SR 8.7.1, addressed to one of the two devices."""

    ELEMENT: ClassVar[str] = "JoinServiceCritical"

    other_device_id: Eui64 = field(metadata=leaf("OtherDeviceID", EUI))


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinServiceNonCritical:
    """SR 8.7.2."""

    ELEMENT: ClassVar[str] = "JoinServiceNonCritical"

    other_device_id: Eui64 = field(metadata=leaf("OtherDeviceID", EUI))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnjoinServiceCritical:
    """SR 8.8.1."""

    ELEMENT: ClassVar[str] = "UnjoinServiceCritical"

    other_device_id: Eui64 = field(metadata=leaf("OtherDeviceID", EUI))


@dataclass(frozen=True, slots=True, kw_only=True)
class UnjoinServiceNonCritical:
    """SR 8.8.2."""

    ELEMENT: ClassVar[str] = "UnjoinServiceNonCritical"

    other_device_id: Eui64 = field(metadata=leaf("OtherDeviceID", EUI))


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreHanDeviceLog:
    """SR 8.12.1, addressed to the CHF that replaces another."""

    ELEMENT: ClassVar[str] = "RestoreHANDeviceLog"

    old_chf_id: Eui64 = field(metadata=leaf("OldCHFID", EUI))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnLocalCommandResponse:
    """SR 8.13: what a device answered to a command delivered locally."""

    ELEMENT: ClassVar[str] = "ReturnLocalCommandResponse"

    original_request_id: RequestId = field(metadata=leaf("OriginalRequestID", REQUEST_ID))
    device_gbcs_response: bytes = field(metadata=leaf("DeviceGBCSResponse", BASE64))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChfInstallSuccessSmWan:
    """SR 8.14.1."""

    ELEMENT: ClassVar[str] = "CHFInstallSuccessSMWAN"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    install_type: str = field(metadata=leaf("CHFInstallType", STRING))
    install_date_time: int | None = field(default=None, metadata=leaf("InstallDateTime", DATE_TIME))  # ns
    user_ref_id: str | None = field(default=None, metadata=leaf("UserRefID", STRING))
    mpxn: str = field(metadata=leaf("MPxN", STRING))
    gis_data: str | None = field(default=None, metadata=leaf("GISData", STRING))
    aerial_install: bool = field(metadata=leaf("AerialInstall", BOOLEAN))
    location: str = field(metadata=leaf("CHFLocation", STRING))
    additional_information: str | None = field(default=None, metadata=leaf("AdditionalInformation", STRING))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChfInstallSuccessNoSmWan:
    """SR 8.14.2."""

    ELEMENT: ClassVar[str] = "CHFInstallSuccessNoSMWAN"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    install_type: str = field(metadata=leaf("CHFInstallType", STRING))
    install_date_time: int | None = field(default=None, metadata=leaf("InstallDateTime", DATE_TIME))  # ns
    user_ref_id: str | None = field(default=None, metadata=leaf("UserRefID", STRING))
    mpxn: str = field(metadata=leaf("MPxN", STRING))
    gis_data: str | None = field(default=None, metadata=leaf("GISData", STRING))
    aerial_install: bool = field(metadata=leaf("AerialInstall", BOOLEAN))
    location: str = field(metadata=leaf("CHFLocation", STRING))
    premise_type: str = field(metadata=leaf("PremiseType", STRING))
    metal_obstruction: bool = field(metadata=leaf("MetalObstructionCheck", BOOLEAN))
    connectivity_obstruction: bool = field(metadata=leaf("ConnectivityObstructionCheck", BOOLEAN))
    shared_obstruction: bool = field(metadata=leaf("SharedObstructionCheck", BOOLEAN))
    additional_information: str | None = field(default=None, metadata=leaf("AdditionalInformation", STRING))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChfFaultReturn:
    """SR 8.14.3."""

    ELEMENT: ClassVar[str] = "CHFFaultReturn"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    return_type: str = field(metadata=leaf("CHFFaultReturnType", STRING))
    user_ref_date_time: int | None = field(default=None, metadata=leaf("UserRefDateTime", DATE_TIME))  # ns
    user_ref_id: str | None = field(default=None, metadata=leaf("UserRefID", STRING))
    other_device_id: Eui64 = field(metadata=leaf("OtherDeviceID", EUI))
    incident_reference: str | None = field(default=None, metadata=leaf("IncidentReference", STRING))
    connection_method: str = field(metadata=leaf("CHFConnectionMethod", STRING))
    fault_reason: str = field(metadata=leaf("CHFFaultReason", STRING))
    additional_information: str | None = field(default=None, metadata=leaf("AdditionalInformation", STRING))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChfNoFaultReturn:
    """SR 8.14.4."""

    ELEMENT: ClassVar[str] = "CHFNoFaultReturn"

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    return_type: str = field(metadata=leaf("CHFNoFaultReturnType", STRING))
    user_ref_date_time: int | None = field(default=None, metadata=leaf("UserRefDateTime", DATE_TIME))  # ns
    user_ref_id: str | None = field(default=None, metadata=leaf("UserRefID", STRING))
    incident_reference: str | None = field(default=None, metadata=leaf("IncidentReference", STRING))
    additional_information: str | None = field(default=None, metadata=leaf("AdditionalInformation", STRING))


ChfStatusUpdate: TypeAlias = ChfInstallSuccessSmWan | ChfInstallSuccessNoSmWan | ChfFaultReturn | ChfNoFaultReturn


RequestBody: TypeAlias = (
    ReadInventory
    | UpdateInventory
    | UpdateHanDeviceLog
    | UpdateFirmware
    | UpdatePpmidFirmware
    | ReadFirmwareVersion
    | ActivateFirmware
    | SignedPreCommand
    | DevicePrenotification
    | ReadInstantaneousImportRegisters
    | ReadNetworkData
    | ReadAlcsData
    | ReadEventOrSecurityLog
    | CommissionDevice
    | DecommissionDevice
    | ServiceOptOut
    | JoinServiceCritical
    | JoinServiceNonCritical
    | UnjoinServiceCritical
    | UnjoinServiceNonCritical
    | RestoreHanDeviceLog
    | ReturnLocalCommandResponse
    | ChfInstallSuccessSmWan
    | ChfInstallSuccessNoSmWan
    | ChfFaultReturn
    | ChfNoFaultReturn
)
REQUEST_BODIES: tuple[type[RequestBody], ...] = get_args(RequestBody)
