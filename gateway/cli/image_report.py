"""What there is to say about an OTA file, and whether it would do for a device of a kind."""

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from protocols.errors import DecodeError, InputError
from protocols.ota.image import (
    IMAGE_TYPES,
    SIGNATURE_OCTETS,
    SUB_ELEMENT_NAMES,
    TRAILER_OCTETS,
    FirmwareImage,
    Kind,
    OtaHeader,
    ProductImage,
    manufacturer_image_hash,
    split,
    sub_elements,
)

Report = Mapping[str, str | int | list[dict[str, str | int]] | None]


def report(octets: bytes) -> Report:
    """Describe an OTA file; DecodeError if it is none, truncated or too long, InputError if over its kind's limit."""
    header, body = split(octets)
    found: dict[str, str | int | list[dict[str, str | int]] | None] = dict(_header(header))
    found["sha256"] = sha256(octets).hexdigest()
    image = _product(octets, body)
    if image is not None:
        firmware, product = image
        if product.kind.size_limit is not None and len(octets) > product.kind.size_limit:
            limit = product.kind.size_limit
            raise InputError(f"{len(octets)} octets: an image for {product.kind.value} has at most {limit}")
        return {**found, "form": "product", **_product_fields(firmware, product)}
    try:
        elements = sub_elements(body)
    except DecodeError:
        elements = ()
    if elements:
        rows = [_element(tag, len(data)) for tag, data in elements]
        return {**found, "form": "sub-elements", "sub_elements": rows}
    return {**found, "form": "plain", **_plain(body)}


def _header(header: OtaHeader) -> Mapping[str, str | int | None]:
    hardware = header.hardware_range
    return {
        "header_version": f"{header.header_version:04X}",
        "manufacturer": f"{header.manufacturer:04X}",
        "image_type": f"{header.image_type:04X}",
        "version": f"{header.file_version:08X}",
        "stack_version": f"{header.stack_version:04X}",
        "header_string": header.header_string.decode("ascii", "backslashreplace"),
        "size": header.total_size,
        "minimum_hardware": None if hardware is None else f"{hardware.minimum:04X}",
        "maximum_hardware": None if hardware is None else f"{hardware.maximum:04X}",
    }


def _product(octets: bytes, body: bytes) -> tuple[FirmwareImage, ProductImage] | None:
    """Return the file as an image of an emulated product, which names its kind itself; None for any other."""
    for signed in (False, True):
        try:
            image = FirmwareImage.decode(octets, signed=signed)
            product = ProductImage.decode(image.manufacturer_image)
        except DecodeError:
            continue
        if product.kind.signed == signed and body:
            return image, product
    return None


def _product_fields(image: FirmwareImage, product: ProductImage) -> Mapping[str, str | int | None]:
    return {
        "kind": product.kind.value,
        "model": f"{product.model:08X}",
        "payload_octets": len(product.payload),
        "manufacturer_image_octets": len(image.manufacturer_image),
        "manufacturer_image_hash": image.hash.hex(),
        "signature": None if image.signature is None else image.signature.hex(),
    }


def _element(tag: int, length: int) -> dict[str, str | int]:
    name = SUB_ELEMENT_NAMES.get(tag, "Manufacturer use" if tag >= 0xF000 else "Reserved")
    return {"tag": f"{tag:04X}", "name": name, "octets": length}


def _plain(body: bytes) -> Mapping[str, str | int | None]:
    """Give both readings: only the kind of device tells whether the last 66 octets are a signature."""
    trailer = body[-TRAILER_OCTETS:]
    found: dict[str, str | int | None] = {
        "manufacturer_image_octets": len(body),
        "manufacturer_image_hash": manufacturer_image_hash(body).hex(),
        "signature": None,
    }
    if len(trailer) == TRAILER_OCTETS and trailer[1] == SIGNATURE_OCTETS:
        found["hash_if_signed"] = manufacturer_image_hash(body[:-TRAILER_OCTETS]).hex()
        found["signature_if_signed"] = trailer[2:].hex()
    return found


# --- verifying -----------------------------------------------------------------------------------------------------


class Finding(NamedTuple):
    name: str
    good: bool | None  # None: not checked
    result: str


def findings(octets: bytes, kind: Kind, key: EllipticCurvePublicKey | None) -> list[Finding]:
    """Check a file of the right length as a device of `kind` would; `key` is the supplier's."""
    try:
        image = FirmwareImage.decode(octets, signed=kind.signed)
    except DecodeError as error:
        return [Finding("form", False, str(error))]
    found = [_content(image, kind)]
    if kind.signed:
        found.append(_signature(image, key))
    if found[0].good is None and not any(finding.good for finding in found):
        found.append(Finding("verdict", False, "nothing in the file proves it"))
    return [*found, Finding("hash", True, image.hash.hex())]


def _content(image: FirmwareImage, kind: Kind) -> Finding:
    """Check the manufacturer image, as far as it is in the form of the emulated products."""
    try:
        product = ProductImage.decode(image.manufacturer_image)
    except DecodeError as error:
        foreign = not image.manufacturer_image.startswith(b"HLFW")
        if foreign and image.header.image_type in (IMAGE_TYPES[kind], 0xFFFF):
            return Finding("content", None, "unchecked: not in the form of an emulated product")
        return Finding("content", False, str(error))
    header = image.header
    if product.kind is not kind:
        return Finding("content", False, f"made for {product.kind.value}")
    if (product.manufacturer, product.version) != (header.manufacturer, header.file_version):
        return Finding("content", False, "names another manufacturer or version than the header")
    if header.hardware_range is not None and not header.hardware_range.admits(product.model & 0xFFFF):
        return Finding("content", False, "names hardware outside the header's range")
    return Finding("content", True, f"{kind.value} {product.model:08X} version {product.version:08X}, digest matches")


def _signature(image: FirmwareImage, key: EllipticCurvePublicKey | None) -> Finding:
    if key is None or image.signature is None:
        return Finding("signature", None, "unchecked: no certificate given")
    r, s = int.from_bytes(image.signature[:32], "big"), int.from_bytes(image.signature[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), image.manufacturer_image, ECDSA(SHA256()))
    except InvalidSignature:
        return Finding("signature", False, "invalid")
    return Finding("signature", True, "valid")
