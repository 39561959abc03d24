import pytest
from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.wan import smwan
from protocols.wan.smwan import (
    VERSION,
    FirmwareDeliveryStatus,
    FirmwareTarget,
    FirmwareToHubs,
    GbcsFromHub,
    GbcsToHub,
    GbcsUndeliverable,
    HubFirmwareActivated,
    PowerOutage,
    SmWanMessage,
)
from tests.support.codec_property import assert_codec, uint32, uint64

HUB, DEVICE = Eui64(0x00DB1234567890A2), Eui64(0x00DB1234567890A4)

euis = st.builds(Eui64, uint64)
texts = st.text(max_size=60)
octet_strings = st.binary(max_size=40)
messages: st.SearchStrategy[SmWanMessage] = st.one_of(
    st.builds(GbcsToHub, euis, euis, octet_strings),
    st.builds(
        FirmwareToHubs,
        texts,
        st.lists(st.builds(FirmwareTarget, euis, euis, texts), max_size=4).map(tuple),
        octet_strings,
    ),
    st.builds(GbcsFromHub, euis, euis, octet_strings),
    st.builds(FirmwareDeliveryStatus, texts, euis, euis, uint32, uint64, st.booleans(), st.booleans()),
    st.builds(PowerOutage, euis, uint64, uint64, uint32, uint32),
    st.builds(GbcsUndeliverable, euis, euis, octet_strings),
    st.builds(HubFirmwareActivated, euis, uint32, uint64),
)


def test_every_message_survives_the_wire_and_noise_is_harmless() -> None:
    noise = st.one_of(octet_strings, octet_strings.map(lambda tail: b"HLSM\x02" + tail))
    assert_codec(messages, lambda message: message.encode(), smwan.decode, noise=noise, examples=200)


def test_the_octets_of_a_delivery_status() -> None:
    octets = FirmwareDeliveryStatus("a:b:1", HUB, DEVICE, 0x0123ABCD, 5, True).encode()
    assert octets.hex() == (
        "484c534d" "02" "82" "05613a623a31" "00db1234567890a2" "00db1234567890a4" "0123abcd" "0000000000000005" "0101"
    )  # fmt: skip


def test_a_newer_version_is_refused_by_name() -> None:
    octets = bytearray(PowerOutage(HUB, 0).encode())
    octets[4] = VERSION + 1
    with pytest.raises(DecodeError, match="version 3, newer than 2"):
        smwan.decode(bytes(octets))


def test_a_flag_is_nought_or_one() -> None:
    octets = FirmwareDeliveryStatus("r", HUB, DEVICE, 1, 1, False).encode()
    with pytest.raises(DecodeError, match="flag octet is 0x02"):
        smwan.decode(octets[:-1] + b"\x02")


def test_a_text_has_255_octets_at_most() -> None:
    assert smwan.decode(FirmwareToHubs("x" * 255, (), b"").encode()) == FirmwareToHubs("x" * 255, (), b"")
    with pytest.raises(UsageError):
        FirmwareToHubs("x" * 256, (), b"").encode()
