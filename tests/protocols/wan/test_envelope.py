import pytest
from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.wan.envelope import (
    VERSION,
    Acknowledgement,
    Envelope,
    FirmwareImageDelivery,
    GbcsCarried,
    HubFirmwareOutcome,
    HubFirmwareReport,
    ImageTarget,
    PowerLoss,
)
from tests.support.codec_property import assert_codec, uint8, uint32, uint64

HUB, DEVICE = Eui64(0x00DB1234567890A2), Eui64(0x00DB1234567890A4)

euis = st.builds(Eui64, uint64)
texts = st.text(max_size=60)
bodies = st.one_of(
    st.builds(Acknowledgement),
    st.builds(GbcsCarried, euis, st.binary(max_size=40)),
    st.builds(
        FirmwareImageDelivery,
        texts,
        st.lists(st.builds(ImageTarget, euis, uint8), max_size=4).map(tuple),
        st.binary(max_size=40),
    ),
    st.builds(PowerLoss, euis, uint64),
    st.builds(HubFirmwareReport, euis, uint32, uint32, st.sampled_from(HubFirmwareOutcome)),
)
envelopes = st.builds(Envelope, uint64, uint64, uint64, bodies)


def test_every_envelope_survives_the_wire_and_noise_is_harmless() -> None:
    noise = st.one_of(st.binary(max_size=64), st.binary(max_size=48).map(lambda tail: b"HLWN\x01" + tail))
    assert_codec(envelopes, Envelope.encode, Envelope.decode, noise=noise, examples=200)


def test_the_octets_of_a_power_loss() -> None:
    octets = Envelope(1, 2, 2, PowerLoss(HUB, 3)).encode()
    assert octets.hex() == (
        "484c574e" "01" "03" "0000000000000001" "0000000000000002" "0000000000000002"
        "00db1234567890a2" "0000000000000003"
    )  # fmt: skip


def test_an_unknown_outcome_is_refused_with_its_offset() -> None:
    octets = Envelope(1, 2, 2, HubFirmwareReport(HUB, 3, 4, HubFirmwareOutcome.FAILED)).encode()
    assert octets.endswith(bytes.fromhex("00db1234567890a2000000030000000402"))
    with pytest.raises(DecodeError, match="unknown outcome 0x03 of hub firmware at octet 46"):
        Envelope.decode(octets[:-1] + b"\x03")


def test_a_newer_version_is_refused_by_name() -> None:
    octets = bytearray(Envelope(1, 0, 0, GbcsCarried(DEVICE, b"\x01")).encode())
    octets[4] = VERSION + 1
    with pytest.raises(DecodeError, match="version 2, newer than 1 at octet 4"):
        Envelope.decode(bytes(octets))


@pytest.mark.parametrize(
    ("octets", "what"),
    [
        (b"", "4 octets expected"),
        (b"HLSM\x01\x01", "not a WAN envelope"),
        (b"HLWN\x00\x01", "unknown version 0"),
        (b"HLWN\x01\x77" + bytes(24), "unknown kind 0x77"),
        (Envelope(1, 0, 0, Acknowledgement()).encode() + b"\x00", "octets after the end"),
        (Envelope(1, 0, 0, FirmwareImageDelivery("r", (), b"")).encode().replace(b"r", b"\xff"), "not UTF-8"),
    ],
)
def test_other_octets_are_refused(octets: bytes, what: str) -> None:
    with pytest.raises(DecodeError, match=what):
        Envelope.decode(octets)


def test_more_devices_than_a_hub_can_have_are_our_own_mistake() -> None:
    targets = ((DEVICE, 132),) * 256
    with pytest.raises(UsageError):
        FirmwareImageDelivery("r", targets, b"").encode()
