"""What the inventory calls things, and DSPInventory, the answer to service request 8.2.

Names and order of elements: DUIS XML schema V5.4; PPMIDVariant: SEC modification MP170.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from protocols.addresses import Eui64
from protocols.duis.binding import DATE, EUI, INTEGER, STRING, enumerated, group, leaf, many


class DeviceType(StrEnum):
    ESME = "ESME"
    GSME = "GSME"
    GPF = "GPF"
    CHF = "CHF"
    HCALCS = "HCALCS"
    PPMID = "PPMID"
    IHD = "IHD"
    CAD = "CAD"


class DeviceStatus(StrEnum):
    PENDING = "Pending"
    WHITELISTED = "Whitelisted"
    INSTALLED_NOT_COMMISSIONED = "InstalledNotCommissioned"
    COMMISSIONED = "Commissioned"
    DECOMMISSIONED = "Decommissioned"
    WITHDRAWN = "Withdrawn"
    SUSPENDED = "Suspended"
    RECOVERY = "Recovery"
    RECOVERED = "Recovered"


class PpmidVariant(StrEnum):
    """A bridge is a PPMID of one of the last four kinds."""

    PPMID = "PPMID"
    ALT_HAN_BRIDGE_1 = "AltHAN Bridge 1"
    ALT_HAN_BRIDGE_2 = "AltHAN Bridge 2"
    ALT_HAN_BRIDGE_3 = "AltHAN Bridge 3"
    ALT_HAN_BRIDGE_4 = "AltHAN Bridge 4"


class ProductStatus(StrEnum):
    """Of a firmware version and of its entry on the products list."""

    ACTIVE = "Active"
    CANCELLED = "Cancelled"
    EXPIRED = "Expired"
    WITHDRAWN = "Withdrawn"


SINGLE_ELEMENT, TWIN_ELEMENT, POLYPHASE = "single element", "twin element", "polyphase"  # kinds of ESME
_SINGLE = ("A", "AD", "ADE", "ADF", "ADEF", "AEF", "AF", "AG", "AEG", "ADG", "ADEG")
_TWIN = ("B", "BD", "BDE", "BF", "BDF", "BDEF", "BEF")
_POLYPHASE = ("C", "CD", "CDE", "CDEF", "CF", "CDF", "CEF")
ESME_VARIANTS = (*_SINGLE, *_TWIN, *_POLYPHASE)
ESME_VARIANTS_OF = {SINGLE_ELEMENT: _SINGLE, TWIN_ELEMENT: _TWIN, POLYPHASE: _POLYPHASE}


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyFilter:
    """Both texts compare without regard to case."""

    post_code: str = field(metadata=leaf("PostCode", STRING))  # 6 to 8 characters
    address_identifier: str = field(metadata=leaf("AddressIdentifier", STRING))  # up to 30


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryDevice:
    """One device of DSPInventory. Which items apply to which type: facts of SR 8.2, kept by the DSP."""

    device_id: Eui64 = field(metadata=leaf("DeviceID", EUI))
    device_type: DeviceType = field(metadata=leaf("DeviceType", enumerated(DeviceType)))
    device_status: DeviceStatus | None = field(default=None, metadata=leaf("DeviceStatus", enumerated(DeviceStatus)))
    device_manufacturer: str = field(metadata=leaf("DeviceManufacturer", STRING))
    device_model: str = field(metadata=leaf("DeviceModel", STRING))
    smets_chts_version: str | None = field(default=None, metadata=leaf("SMETSCHTSVersion", STRING))
    device_firmware_version: str | None = field(default=None, metadata=leaf("DeviceFirmwareVersion", STRING))
    device_firmware_version_status: ProductStatus | None = field(
        default=None, metadata=leaf("DeviceFirmwareVersionStatus", enumerated(ProductStatus))
    )
    cpl_status: ProductStatus | None = field(default=None, metadata=leaf("CPLStatus", enumerated(ProductStatus)))
    date_commissioned: int | None = field(default=None, metadata=leaf("DateCommissioned", DATE))  # ns, start of day
    import_mpxn: str | None = field(default=None, metadata=leaf("ImportMPxN", STRING))
    secondary_import_mpan: str | None = field(default=None, metadata=leaf("SecondaryImportMPAN", STRING))
    export_mpan: str | None = field(default=None, metadata=leaf("ExportMPAN", STRING))
    esme_variant: str | None = field(default=None, metadata=leaf("ESMEVariant", STRING))
    ppmid_variant: PpmidVariant | None = field(default=None, metadata=leaf("PPMIDVariant", enumerated(PpmidVariant)))
    uprn: int | None = field(default=None, metadata=leaf("UPRN", INTEGER))
    property_filter: PropertyFilter | None = field(default=None, metadata=group("PropertyFilter", PropertyFilter))
    csp_region: str | None = field(default=None, metadata=leaf("CSPRegion", STRING))
    device_gbcs_version: str | None = field(default=None, metadata=leaf("DeviceGBCSVersion", STRING))
    han_variant: str | None = field(default=None, metadata=leaf("HANVariant", STRING))
    s1sp: str | None = field(default=None, metadata=leaf("S1SP", STRING))
    connectivity: str | None = field(default=None, metadata=leaf("Connectivity", STRING))


@dataclass(frozen=True, slots=True, kw_only=True)
class DspInventory:
    ELEMENT: ClassVar[str] = "DSPInventory"

    devices: tuple[InventoryDevice, ...] = field(metadata=many("Device", InventoryDevice))  # 1 to 17
