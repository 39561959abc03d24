"""What must hold of a firmware image before any device is looked at (11.1, 11.4)."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from gateway.dsp.acb import Acb
from gateway.dsp.products import ProductsList
from gateway.dsp.records import Device, Product
from gateway.dsp.rows import Version
from gateway.dsp.services import RefusedError
from gateway.dsp.settings import DspSettings
from protocols.addresses import Eui64
from protocols.duis.bodies import UpdateFirmware, UpdatePpmidFirmware
from protocols.duis.inventory import DeviceType
from protocols.errors import DecodeError, IntegrityError
from protocols.ota.image import FirmwareImage, OtaHeader

TYPES = {
    "11.1": (DeviceType.ESME, DeviceType.GSME, DeviceType.HCALCS),
    "11.4": (DeviceType.PPMID,),
}
"""Device types a firmware service takes; 11.1 images bear the supplier's signature, 11.4 ones none."""

_SMALL = (DeviceType.HCALCS, DeviceType.PPMID)
_VERSION = re.compile("[0-9A-Fa-f]{8}")


class ApprovedImage(NamedTuple):
    """An image that passed all checks, with the current products list entries for it."""

    header: OtaHeader
    octets: bytes  # the file
    version: Version
    hash: bytes  # of the manufacturer image, 32 octets
    entries: Sequence[Product]

    def suits(self, device: Device) -> bool:
        """Whether the image is approved for the product of a device and its header admits the hardware."""
        product = (device.type, device.manufacturer, device.model)
        if product not in [(entry.type, entry.manufacturer, entry.model) for entry in self.entries]:
            return False
        if f"{self.header.manufacturer:04X}" != device.manufacturer.upper():
            return False
        hardware = self.header.hardware_range
        return hardware is None or hardware.admits(int(device.model[-4:], 16))

    def gbcs_version(self, device: Device) -> str | None:
        """Return the GBCS version of the image on the product of a device."""
        product = (device.type, device.manufacturer, device.model)
        entries = (each for each in self.entries if (each.type, each.manufacturer, each.model) == product)
        return next((entry.gbcs_version for entry in entries), None)


class ImageChecks:
    def __init__(self, settings: DspSettings, products: ProductsList, acb: Acb) -> None:
        self._settings, self._products, self._acb = settings, products, acb

    def check(
        self, user: Eui64, service: str, body: UpdateFirmware | UpdatePpmidFirmware, listed: Sequence[Device]
    ) -> ApprovedImage:
        """Return the image. Raises RefusedError: 01 header, size or version, 02 products list, 06 signature.

        listed: the devices of the request that the inventory knows; an HCALCS among them bounds the size.
        """
        image, version = self._structure(service, body)
        if any(device.type in _SMALL for device in listed):
            self._check_size(service, len(body.firmware_image))
        approved = self._products.approved_images(version, image.hash)
        entries = [entry for entry in approved if entry.type in TYPES[service]]
        if not entries:
            raise RefusedError(
                _code(service, 2), f"no current entry for version {version:08X}, hash {image.hash.hex()}"
            )
        if image.signature is not None:
            self._check_signature(user, service, image.manufacturer_image, image.signature)
        return ApprovedImage(image.header, body.firmware_image, version, image.hash, entries)

    def gbcs_version_fits(self, image: ApprovedImage, device: Device) -> bool:
        """Whether a device may go to the GBCS version of the image: by default not to an earlier major one."""
        running, coming = self._products.gbcs_version(device), image.gbcs_version(device)
        if self._settings.gbcs_may_go_back or running is None or coming is None:
            return True
        return _major(coming) >= _major(running)

    def _structure(self, service: str, body: UpdateFirmware | UpdatePpmidFirmware) -> tuple[FirmwareImage, Version]:
        if service == "11.4":
            self._check_size(service, len(body.firmware_image))
        try:
            image = FirmwareImage.decode(body.firmware_image, signed=service == "11.1")
        except DecodeError as error:
            raise RefusedError(_code(service, 1), f"image: {error}") from error
        if not _VERSION.fullmatch(body.firmware_version):
            raise RefusedError(_code(service, 1), f"firmware version {body.firmware_version!r} is not eight hex digits")
        version = int(body.firmware_version, 16)
        if version != image.header.file_version:
            raise RefusedError(
                _code(service, 1), f"version {version:08X} requested, {image.header.file_version:08X} in the OTA header"
            )
        return image, Version(version)

    def _check_size(self, service: str, size: int) -> None:
        limit = self._settings.small_image_limit
        if size > limit:
            raise RefusedError(_code(service, 1), f"image of {size} octets, at most {limit}")

    def _check_signature(self, user: Eui64, service: str, image: bytes, signature: bytes) -> None:
        try:
            self._acb.verify_image_signature(user, image, signature)
        except IntegrityError as error:
            raise RefusedError(_code(service, 6), error.what) from error


def _code(service: str, number: int) -> str:
    """Return the error code of a firmware service: its two-digit parts and number."""
    major, minor = service.split(".")
    return f"E{int(major):02}{int(minor):02}{number:02}"


def _major(gbcs_version: str) -> int:
    major = gbcs_version.split(".")[0]
    return int(major) if major.isdecimal() else 0


def no_device_left(service: str) -> str:
    return _code(service, 3)


def warning(service: str) -> str:
    """Return the code that says some devices were left out."""
    return "W" + _code(service, 1)[1:]
