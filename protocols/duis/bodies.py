"""The bodies of the service requests. Fields stand in the order of their elements (DUIS XML schema V5.4)."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias

from protocols.addresses import Eui64
from protocols.duis.binding import (
    BASE64,
    DATE_TIME,
    EUI,
    EUI_LIST,
    HEX,
    IMAGE,
    INTEGER,
    STRING,
    choice,
    enumerated,
    group,
    leaf,
    text,
)
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
)
REQUEST_BODIES: tuple[type[RequestBody], ...] = (
    ReadInventory,
    UpdateInventory,
    UpdateHanDeviceLog,
    UpdateFirmware,
    UpdatePpmidFirmware,
    ReadFirmwareVersion,
    ActivateFirmware,
    SignedPreCommand,
    DevicePrenotification,
)
