"""Firmware files: the Zigbee OTA header, the GB form with its signature, and the emulated products' own image."""

import hashlib
import struct
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Self

from protocols.errors import DecodeError, InputError, TruncatedError
from protocols.octets import Reader

FILE_IDENTIFIER = 0x0BEEF11E
HEADER_VERSION = 0x0100
STACK_VERSION_PRO = 0x0002
SIZE_LIMIT = 768_000  # octets with header: 750 KB of 1,024 octets; PPMID, HCALCS and bridges
SIGNATURE_OCTETS = 64
TRAILER_OCTETS = 2 + SIGNATURE_OCTETS  # force-replace flag, signature length, r, s
GB_HEADER_OCTETS = 60

_CREDENTIAL_VERSION, _DESTINATION, _HARDWARE_RANGE = 0x01, 0x02, 0x04  # field control bits
_FIXED = struct.Struct("<IHHHHHIH32sI")
_SUB_ELEMENT = struct.Struct("<HI")


class Kind(Enum):
    """The kinds of device whose images hanlab builds."""

    ESME = "esme"
    GSME = "gsme"
    HCALCS = "hcalcs"
    PPMID = "ppmid"
    BRIDGE1 = "bridge1"
    BRIDGE2 = "bridge2"
    BRIDGE3 = "bridge3"
    BRIDGE4 = "bridge4"
    HUB = "hub"

    @property
    def signed(self) -> bool:
        """Whether a signature follows the manufacturer image: the supplier's, of a hub the WAN provider's."""
        return self in _SIGNED_KINDS

    @property
    def size_limit(self) -> int | None:
        """Largest file in octets, None where no limit is public."""
        return None if self in (Kind.ESME, Kind.GSME, Kind.HUB) else SIZE_LIMIT


_SIGNED_KINDS = (Kind.ESME, Kind.GSME, Kind.HCALCS, Kind.HUB)


class HardwareRange(NamedTuple):
    """Hardware versions an image is for: high octet version, low octet revision; both ends included."""

    minimum: int  # 16 bits
    maximum: int  # 16 bits

    def admits(self, hardware_version: int | None) -> bool:
        """Return whether the image suits `hardware_version`; an unknown one is left to the device to judge."""
        return hardware_version is None or self.minimum <= hardware_version <= self.maximum


class OtaHeader(NamedTuple):
    """The header of an OTA file, little-endian. Source: ZCL 07-5123 §11.4; lengths of optional fields follow bits."""

    manufacturer: int  # 16 bits
    image_type: int  # 16 bits
    file_version: int  # 32 bits
    total_size: int  # octets of the whole file
    header_string: bytes = b""  # at most 32 octets, padded with 00
    stack_version: int = STACK_VERSION_PRO
    hardware_range: HardwareRange | None = None
    credential_version: int | None = None  # 8 bits
    destination: bytes | None = None  # EUI-64, 8 octets, little-endian
    header_version: int = HEADER_VERSION
    extension: bytes = b""  # octets of a longer header, beyond the fields known here

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read the header at the front of `octets`; DecodeError for a wrong identifier or length."""
        reader = Reader(octets)
        fixed = _FIXED.unpack(reader.octets(_FIXED.size))
        identifier, header_version, length, control, manufacturer, image_type, version, stack, text, total = fixed
        if identifier != FILE_IDENTIFIER:
            raise DecodeError("OTA file identifier 1ef1ee0b expected", offset=0, data=octets)
        credential = reader.uint8() if control & _CREDENTIAL_VERSION else None
        destination = reader.octets(8) if control & _DESTINATION else None
        hardware = HardwareRange(reader.uint(2), reader.uint(2)) if control & _HARDWARE_RANGE else None
        if length < reader.offset:
            raise DecodeError(f"header length {length} shorter than its fields", offset=6, data=octets)
        extension = reader.octets(length - reader.offset)
        return cls(
            manufacturer, image_type, version, total, text.rstrip(b"\x00"), stack, hardware, credential, destination,
            header_version, extension,
        )  # fmt: skip

    def encode(self) -> bytes:
        control, tail = 0, b""
        if self.credential_version is not None:
            control, tail = control | _CREDENTIAL_VERSION, tail + bytes([self.credential_version])
        if self.destination is not None:
            control, tail = control | _DESTINATION, tail + self.destination
        if self.hardware_range is not None:
            control, tail = control | _HARDWARE_RANGE, tail + struct.pack("<HH", *self.hardware_range)
        tail += self.extension
        fixed = _FIXED.pack(
            FILE_IDENTIFIER, self.header_version, _FIXED.size + len(tail), control, self.manufacturer, self.image_type,
            self.file_version, self.stack_version, self.header_string, self.total_size,
        )  # fmt: skip
        return fixed + tail


class SubElement(NamedTuple):
    """A tagged part of an ordinary Zigbee file: tag u16, length u32, data."""

    tag: int
    data: bytes


SUB_ELEMENT_NAMES = {
    0x0000: "Upgrade image",
    0x0001: "ECDSA signature, suite 1",
    0x0002: "Signing certificate, suite 1",
    0x0003: "Image integrity code",
    0x0004: "Picture data",
    0x0005: "ECDSA signature, suite 2",
    0x0006: "Signing certificate, suite 2",
}


def sub_elements(body: bytes) -> tuple[SubElement, ...]:
    """Read what follows the header of an ordinary Zigbee file; DecodeError if it is not made of sub-elements."""
    reader, found = Reader(body), []
    while reader.remaining:
        tag, length = _SUB_ELEMENT.unpack(reader.octets(_SUB_ELEMENT.size))
        found.append(SubElement(tag, reader.octets(length)))
    return tuple(found)


class FirmwareImage(NamedTuple):
    """A file in the GB form: header, manufacturer image and, for meters and HCALCS, flag, length and signature."""

    header: OtaHeader
    manufacturer_image: bytes
    signature: bytes | None = None  # 64 octets r then s, over the manufacturer image only
    force_replace: int = 0  # 8 bits

    @classmethod
    def decode(cls, octets: bytes, *, signed: bool) -> Self:
        """Read a whole file. `signed` follows from the kind of device, never from the octets.

        Raises TruncatedError for a file shorter than its header says, DecodeError for a longer one or a bad trailer.
        """
        header, body = split(octets)
        if not signed:
            return cls(header, body)
        if len(body) < TRAILER_OCTETS:
            raise TruncatedError("no room for the signature", offset=len(octets), data=b"")
        image, trailer = body[:-TRAILER_OCTETS], body[-TRAILER_OCTETS:]
        if trailer[1] != SIGNATURE_OCTETS:
            raise DecodeError("signature length 40 expected", offset=len(octets) - TRAILER_OCTETS + 1, data=trailer)
        return cls(header, image, trailer[2:], trailer[0])

    def encode(self) -> bytes:
        trailer = b"" if self.signature is None else bytes([self.force_replace, SIGNATURE_OCTETS]) + self.signature
        return self.header.encode() + self.manufacturer_image + trailer

    @property
    def hash(self) -> bytes:
        """SHA-256 of the manufacturer image, 32 octets: the hash of CPL, CS06 and 8F72."""
        return manufacturer_image_hash(self.manufacturer_image)


def split(octets: bytes) -> tuple[OtaHeader, bytes]:
    """Return header and everything after it; the file must be exactly as long as the header says."""
    header = OtaHeader.decode(octets)
    if len(octets) < header.total_size:
        raise TruncatedError(f"file of {header.total_size} octets expected, {len(octets)} found", offset=len(octets))
    if len(octets) > header.total_size:
        raise DecodeError(f"file of {header.total_size} octets expected, {len(octets)} found", offset=header.total_size)
    return header, octets[int.from_bytes(octets[6:8], "little") :]


def body_of(octets: bytes) -> bytes:
    """Return what follows the header of a file; all of it if there is no good header of that length."""
    try:
        return split(octets)[1]
    except DecodeError:
        return octets


def manufacturer_image_hash(manufacturer_image: bytes) -> bytes:
    return hashlib.sha256(manufacturer_image).digest()


# --- the manufacturer image of the emulated products ---------------------------------------------------------------

_MAGIC = b"HLFW"
_FORMAT = 1
_PRODUCT = struct.Struct(">4sBBHIII")
_DIGEST_OCTETS = 32
_KIND_CODES = {kind: code for code, kind in enumerate(Kind, start=1)}
_KINDS_BY_CODE = {code: kind for kind, code in _KIND_CODES.items()}
MINIMUM_MANUFACTURER_IMAGE = _PRODUCT.size + _DIGEST_OCTETS


class ProductImage(NamedTuple):
    """The manufacturer image of an emulated product, big-endian.

    Octets: "HLFW", format 01, kind, manufacturer (2), model (4), version (4), payload length (4), payload, SHA-256 of
    all before it. The digest lets a device refuse an image that nobody signed.
    """

    kind: Kind
    manufacturer: int  # 16 bits
    model: int  # 32 bits: model (16), hardware version (8), hardware revision (8)
    version: int  # 32 bits
    payload: bytes

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Read a manufacturer image; DecodeError names what is wrong, the digest last."""
        reader = Reader(octets)
        magic, form, code, manufacturer, model, version, length = _PRODUCT.unpack(reader.octets(_PRODUCT.size))
        if magic != _MAGIC or form != _FORMAT:
            raise DecodeError("not a manufacturer image of an emulated product", offset=0, data=octets)
        kind = _KINDS_BY_CODE.get(code)
        if kind is None:
            raise DecodeError(f"unknown kind {code:02X}", offset=5, data=octets)
        payload, digest = reader.octets(length), reader.octets(_DIGEST_OCTETS)
        reader.finish("octets after the digest")
        if hashlib.sha256(octets[:-_DIGEST_OCTETS]).digest() != digest:
            raise DecodeError("digest does not match", offset=len(octets) - _DIGEST_OCTETS)
        return cls(kind, manufacturer, model, version, payload)

    def encode(self) -> bytes:
        head = (_MAGIC, _FORMAT, _KIND_CODES[self.kind], self.manufacturer, self.model, self.version, len(self.payload))
        body = _PRODUCT.pack(*head) + self.payload
        return body + hashlib.sha256(body).digest()


# --- building ------------------------------------------------------------------------------------------------------

# The samples give 0x0000 (ESME) and 0x0084 (PPMID); the others are free and are this project's choice.
IMAGE_TYPES = {
    Kind.ESME: 0x0000,
    Kind.GSME: 0x0101,
    Kind.HCALCS: 0x0104,
    Kind.PPMID: 0x0084,
    Kind.BRIDGE1: 0x0201,
    Kind.BRIDGE2: 0x0202,
    Kind.BRIDGE3: 0x0203,
    Kind.BRIDGE4: 0x0204,
    Kind.HUB: 0x0300,
}


def hardware_version(model: int) -> int:
    """Return the 16-bit hardware version (version, revision) of a 32-bit model."""
    return model & 0xFFFF


def minimum_size(kind: Kind) -> int:
    """Return the octets of the smallest file `build_image` can make."""
    return GB_HEADER_OCTETS + MINIMUM_MANUFACTURER_IMAGE + (TRAILER_OCTETS if kind.signed else 0)


def build_image(
    kind: Kind,
    *,
    version: int,
    size: int,
    manufacturer: int,
    model: int,
    sign: Callable[[bytes], bytes] | None = None,
    image_type: int | None = None,
    limit: int | None = None,
) -> FirmwareImage:
    """Make an image of exactly `size` octets; the same arguments give the same octets.

    model: 32 bits, see `ProductImage`; the header's hardware range admits its hardware version only.
    sign: returns 64 octets r then s over the manufacturer image; needed for meters and HCALCS, refused for others.
    limit: largest size in octets, by default that of the kind.
    Raises InputError naming the argument.
    """
    limit = kind.size_limit if limit is None else limit
    _check_build(kind, size, limit, signing=sign is not None)
    overhead = minimum_size(kind)
    payload = hashlib.shake_256(b"hanlab payload" + struct.pack(">HII", manufacturer, model, version)).digest(
        size - overhead
    )
    manufacturer_image = ProductImage(kind, manufacturer, model, version, payload).encode()
    hardware = hardware_version(model)
    header = OtaHeader(
        manufacturer,
        IMAGE_TYPES[kind] if image_type is None else image_type,
        version,
        size,
        f"hanlab {kind.value} {model:08X}".encode(),
        hardware_range=HardwareRange(hardware, hardware),
    )
    return FirmwareImage(header, manufacturer_image, None if sign is None else sign(manufacturer_image))


def _check_build(kind: Kind, size: int, limit: int | None, *, signing: bool) -> None:
    if size < minimum_size(kind):
        raise InputError(f"size {size}: an image for {kind.value} has at least {minimum_size(kind)} octets")
    if limit is not None and size > limit:
        raise InputError(f"size {size}: an image for {kind.value} has at most {limit} octets")
    if kind.signed and not signing:
        raise InputError(f"an image for {kind.value} carries a signature: a signing key is needed")
    if not kind.signed and signing:
        raise InputError(f"an image for {kind.value} carries no signature: no signing key belongs here")
