import hashlib
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.entropy import SeededEntropy
from protocols.errors import DecodeError, InputError, TruncatedError
from protocols.ota.image import (
    SIZE_LIMIT,
    FirmwareImage,
    HardwareRange,
    Kind,
    OtaHeader,
    ProductImage,
    SubElement,
    build_image,
    minimum_size,
    sub_elements,
)
from tests.support.codec_property import assert_codec, uint16, uint32

SAMPLE_TEXT = b"CriticalSoftware sample firmware image_" * 6 + b"\n"
SAMPLE_HEADER = OtaHeader(
    0x121D, 0x0084, 0xACDCACDC, 295, b"I am a GFI PPMID firmware image ", hardware_range=HardwareRange(0x1111, 0x1211)
)


def sign(octets: bytes) -> bytes:
    entropy = SeededEntropy(1)
    return entropy.sign(entropy.private_key("supplier"), octets)


def built(kind: Kind, size: int = 4096, version: int = 0x01000100) -> FirmwareImage:
    signer = sign if kind.signed else None
    return build_image(kind, version=version, size=size, manufacturer=0x1A01, model=0xE5010102, sign=signer)


def test_the_published_ppmid_sample_is_rebuilt_octet_by_octet() -> None:
    file = SAMPLE_HEADER.encode() + SAMPLE_TEXT
    assert hashlib.sha256(file).hexdigest() == "eb9bc9140bd389530bf3b2974270cc4d2ba1bfd3822ddc5faad4801125847c32"
    assert FirmwareImage.decode(file, signed=False) == (SAMPLE_HEADER, SAMPLE_TEXT, None, 0)


def test_a_ppmid_image_with_40_in_place_of_a_signature_length_is_not_cut() -> None:
    body = SAMPLE_TEXT[:-65] + b"\x40" + SAMPLE_TEXT[-64:]
    file = SAMPLE_HEADER.encode() + body
    assert FirmwareImage.decode(file, signed=False).manufacturer_image == body


@pytest.mark.parametrize("kind", list(Kind))
def test_an_image_has_exactly_the_size_asked_for(kind: Kind) -> None:
    for size in (minimum_size(kind), 4096, 20_480):
        file = built(kind, size).encode()
        assert len(file) == size == OtaHeader.decode(file).total_size


def test_the_same_arguments_make_the_same_octets() -> None:
    assert built(Kind.ESME).encode() == built(Kind.ESME).encode()
    assert built(Kind.ESME).encode() != built(Kind.ESME, version=0x01000200).encode()


def test_the_hardware_range_follows_from_the_model() -> None:
    assert built(Kind.PPMID).header.hardware_range == HardwareRange(0x0102, 0x0102)


@pytest.mark.requirement("SM7-R10", "MP170-A2")
@pytest.mark.parametrize("kind", [Kind.PPMID, Kind.HCALCS, Kind.BRIDGE1, Kind.BRIDGE4])
def test_the_limit_is_768000_octets_of_the_whole_file(kind: Kind) -> None:
    assert len(built(kind, SIZE_LIMIT).encode()) == 768_000
    with pytest.raises(InputError, match="at most 768000 octets"):
        built(kind, SIZE_LIMIT + 1)


def test_an_image_too_small_for_its_own_fields_is_refused() -> None:
    with pytest.raises(InputError, match="at least"):
        built(Kind.ESME, minimum_size(Kind.ESME) - 1)


def test_a_meter_image_needs_a_signature_and_a_bridge_image_must_not_have_one() -> None:
    with pytest.raises(InputError, match="signing key is needed"):
        build_image(Kind.GSME, version=1, size=4096, manufacturer=1, model=1)
    with pytest.raises(InputError, match="no signing key"):
        build_image(Kind.BRIDGE2, version=1, size=4096, manufacturer=1, model=1, sign=sign)


def test_the_signature_covers_the_manufacturer_image_only() -> None:
    image = built(Kind.ESME)
    assert image.signature == sign(image.manufacturer_image)
    assert image.encode()[-66:-64] == b"\x00\x40"
    assert image.hash == hashlib.sha256(image.manufacturer_image).digest()


def test_a_file_of_another_length_than_its_header_says_is_refused() -> None:
    file = built(Kind.PPMID).encode()
    with pytest.raises(TruncatedError, match="4096 octets expected, 4095 found"):
        FirmwareImage.decode(file[:-1], signed=False)
    with pytest.raises(DecodeError, match="4096 octets expected, 4097 found"):
        FirmwareImage.decode(file + b"\x00", signed=False)


@given(st.integers(0, 4096 - 61), st.integers(1, 255))
def test_any_altered_octet_of_a_manufacturer_image_is_found(position: int, difference: int) -> None:
    content = bytearray(built(Kind.BRIDGE1).manufacturer_image)
    content[position] ^= difference
    with pytest.raises(DecodeError):
        ProductImage.decode(bytes(content))


def test_sub_elements_of_an_ordinary_zigbee_file_are_read() -> None:
    body = bytes.fromhex("0000 03000000 010203 0300 10000000") + bytes(16)
    assert sub_elements(body) == (SubElement(0x0000, b"\x01\x02\x03"), SubElement(0x0003, bytes(16)))
    with pytest.raises(TruncatedError):
        sub_elements(body[:-1])


def test_fields_of_a_later_header_revision_are_skipped() -> None:
    header = SAMPLE_HEADER._replace(extension=b"\x01\x02", total_size=64)
    file = header.encode() + b"\xaa\xbb"
    assert FirmwareImage.decode(file, signed=False) == (header, b"\xaa\xbb", None, 0)


headers = st.builds(
    OtaHeader,
    uint16,
    uint16,
    uint32,
    uint32,
    st.binary(max_size=32).map(lambda text: text.rstrip(b"\x00")),
    uint16,
    st.none() | st.builds(HardwareRange, uint16, uint16),
    st.none() | st.integers(0, 255),
    st.none() | st.binary(min_size=8, max_size=8),
    uint16,
    st.binary(max_size=4),
)
products = st.builds(ProductImage, st.sampled_from(Kind), uint16, uint32, uint32, st.binary(max_size=64))


def test_headers_survive_and_noise_is_harmless() -> None:
    noise = st.binary(max_size=80).map(lambda tail: SAMPLE_HEADER.encode()[:10] + tail)
    assert_codec(headers, OtaHeader.encode, OtaHeader.decode, noise=noise | st.binary(max_size=80))


def test_product_images_survive_and_noise_is_harmless() -> None:
    assert_codec(products, ProductImage.encode, ProductImage.decode)


@pytest.mark.judge("zigpy")
def test_zigpy_reads_the_same_header() -> None:
    zigpy = import_module("zigpy.ota.image")
    header, rest = zigpy.OTAImageHeader.deserialize(built(Kind.ESME).encode())
    assert (header.manufacturer_id, header.image_type, header.file_version) == (0x1A01, 0x0000, 0x01000100)
    assert (header.image_size, header.header_length, len(rest)) == (4096, 60, 4036)
    assert (header.minimum_hardware_version, header.maximum_hardware_version) == (0x0102, 0x0102)
