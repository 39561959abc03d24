"""Everything that turns on PPMIDVariant (MP170) and SECMP0007. No other module of the DSP knows what a bridge is.

An Alt HAN bridge is a PPMID with a variant of its own. The variant comes from 12.2 alone; neither the products list,
nor the CSP, nor the hub knows it.
"""

from gateway.dsp.records import Device
from gateway.dsp.services import RefusedError
from gateway.dsp.settings import DspSettings
from protocols.duis.inventory import DeviceType, PpmidVariant
from protocols.duis.schema import has_ppmid_variant

_BY_SECMP0007 = (DeviceType.PPMID, DeviceType.HCALCS)
_FIRMWARE_SERVICES = ("11.1", "11.2", "11.3", "11.4")


def is_bridge(device: Device) -> bool:
    return device.type is DeviceType.PPMID and device.variant not in (None, PpmidVariant.PPMID)


def prenotified(kind: DeviceType, variant: PpmidVariant | None, schema_version: str) -> PpmidVariant | None:
    """Return the variant a pre-notification gives its device.

    Mandatory for a PPMID and absent otherwise (E120204); a request of a schema that has no such element means a plain
    PPMID.
    """
    if kind is not DeviceType.PPMID:
        if variant is not None:
            raise RefusedError("E120204", f"PPMIDVariant does not apply to {kind}")
        return None
    if variant is None and has_ppmid_variant(schema_version):
        raise RefusedError("E120204", "PPMIDVariant is missing")
    return variant or PpmidVariant.PPMID


def amended(device: Device, variant: PpmidVariant | None) -> str | None:
    """Return the variant after an update of details; E080409 where the type has none."""
    if variant is None:
        return device.variant
    if device.type is not DeviceType.PPMID:
        raise RefusedError("E080409", f"PPMIDVariant does not apply to {device.type}")
    return variant


def shown(device: Device, schema_version: str) -> PpmidVariant | None:
    """Return what an inventory answer of this schema says; a record older than MP170 is a plain PPMID."""
    if device.type is not DeviceType.PPMID or not has_ppmid_variant(schema_version):
        return None
    return PpmidVariant(device.variant) if device.variant else PpmidVariant.PPMID


def type_for_csp(device: Device) -> str:
    """Return the device type the CSP is told: a bridge is a PPMID to it."""
    return str(device.type)


def refuse_join(code: str, *devices: Device) -> None:
    """Refuse to join or unjoin a bridge with anything."""
    for device in devices:
        if is_bridge(device):
            raise RefusedError(code, f"{device.device} is {device.variant}, which is not joined")


def counts_unjoined(device: Device, service: str, settings: DspSettings) -> bool:
    """Whether a device that no join has commissioned yet counts for firmware services.

    A bridge always: joins are barred for it, and they alone commission a PPMID. Other devices by a setting.
    """
    if service not in _FIRMWARE_SERVICES or device.type not in _BY_SECMP0007:
        return False
    return is_bridge(device) or settings.unjoined_count


def reachable(device: Device, service: str, settings: DspSettings) -> bool:
    """Whether SECMP0007 is in force where a firmware service needs it."""
    return settings.secmp0007 or service not in _FIRMWARE_SERVICES or device.type not in _BY_SECMP0007
