"""What a device holds against an image before it runs it: the file, its header, what it was made for, its signature."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from firmware_images import Product
from protocols.errors import DecodeError
from protocols.ota.image import FirmwareImage, ProductImage


def image_fault(file: bytes, product: Product, version: int) -> str | None:
    """Return what is wrong with a file said to hold `version` for `product`, None if it may run there.

    The signature is not looked at: `signature_good`.
    """
    try:
        image = FirmwareImage.decode(file, signed=product.kind.signed)
        content = ProductImage.decode(image.manufacturer_image)
    except DecodeError as error:
        return error.what
    return _header_fault(image, product, version) or _content_fault(content, product, version)


def _header_fault(image: FirmwareImage, product: Product, version: int) -> str | None:
    header = image.header
    if (header.manufacturer, header.image_type) != (product.manufacturer, product.image_type):
        return f"image of {header.manufacturer:04X} type {header.image_type:04X}"
    if header.file_version != version:
        return f"version {header.file_version:08X} in the header"
    hardware = header.hardware_range
    if hardware is not None and not hardware.admits(product.hardware_version):
        return f"not for hardware {product.hardware_version:04X}"
    return None


def _content_fault(content: ProductImage, product: Product, version: int) -> str | None:
    named = (content.kind, content.manufacturer, content.model)
    if named != (product.kind, product.manufacturer, product.model):
        return f"made for {content.kind.value} {content.manufacturer:04X} {content.model:08X}"
    return None if content.version == version else f"version {content.version:08X} inside"


def signature_good(image: FirmwareImage, key: EllipticCurvePublicKey | None) -> bool:
    """Return whether the owner of `key` signed the manufacturer image; nobody did where the device knows no key."""
    if key is None or image.signature is None:
        return False
    r, s = image.signature[:32], image.signature[32:]
    encoded = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    try:
        key.verify(encoded, image.manufacturer_image, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
