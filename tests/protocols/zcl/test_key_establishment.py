"""Messages of the Key Establishment cluster."""

from typing import Any

import pytest
from hypothesis import strategies as st

from protocols.crypto import ecqv
from protocols.crypto.suites import Suite
from protocols.errors import DecodeError, TruncatedError
from protocols.zcl.clusters import key_establishment
from protocols.zcl.clusters.key_establishment import (
    ConfirmKey,
    EphemeralData,
    InitiateKeyEstablishment,
    KeyEstablishmentCommand,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from protocols.zcl.frame import ZclFrame
from tests.support.codec_property import assert_codec, uint8, uint16
from tests.support.security_vectors import cases

COMMANDS: list[st.SearchStrategy[KeyEstablishmentCommand]] = [
    st.builds(InitiateKeyEstablishment, uint16, uint8, uint8, st.binary(max_size=80)),
    st.builds(EphemeralData, st.binary(max_size=40)),
    st.builds(ConfirmKey, st.binary(max_size=20)),
    st.builds(TerminateKeyEstablishment, uint8, uint8, uint16),
]
security = pytest.mark.judge("security")


@security
@pytest.mark.parametrize("vector", cases("key_establishment_frames"))
def test_published_frame_is_read_and_written(vector: dict[str, Any]) -> None:
    octets = bytes.fromhex(vector["zcl_frame"])
    frame = ZclFrame.decode(octets)
    command = key_establishment.decode(frame)
    assert isinstance(command, InitiateKeyEstablishment)
    assert f"{frame.control:02x}" == vector["frame_control"]
    assert frame.from_server == vector["direction"].startswith("server")
    assert (frame.transaction, frame.command) == (vector["transaction"], vector["command"])
    assert command.suite == vector["suite"]
    assert command.ephemeral_data_generate_time == vector["ephemeral_data_generate_time"]
    assert command.confirm_key_generate_time == vector["confirm_key_generate_time"]
    certificate = ecqv.decode(command.identity, Suite(command.suite))
    assert certificate.subject.big.hex() == vector["certificate_subject"]
    assert certificate.issuer.big.hex() == vector["certificate_issuer"]
    assert key_establishment.encode(command, frame.transaction, from_server=True) == octets


@security
@pytest.mark.parametrize("vector", cases("key_establishment"))
def test_published_payloads_are_read_and_written(vector: dict[str, Any]) -> None:
    messages = vector["messages"]
    for name, payload in messages.items():
        number = ("initiate", "ephemeral", "confirm").index(name.split("_")[0])
        from_server = "response" in name
        octets = bytes((9 if from_server else 1, 200, number)) + bytes.fromhex(payload)
        command = key_establishment.decode(ZclFrame.decode(octets))
        assert type(command) is (InitiateKeyEstablishment, EphemeralData, ConfirmKey)[number]
        assert key_establishment.encode(command, 200, from_server=from_server) == octets
    sizes = [len(payload) // 2 for payload in messages.values()]
    assert sizes == ([52, 52, 22, 22, 16, 16] if vector["suite"] == 1 else [78, 78, 37, 37, 16, 16])


@pytest.mark.parametrize("commands", COMMANDS)
@pytest.mark.parametrize("from_server", [False, True])
def test_command_survives_the_wire(commands: st.SearchStrategy[KeyEstablishmentCommand], from_server: bool) -> None:
    assert_codec(
        commands,
        lambda command: key_establishment.encode(command, 3, from_server=from_server),
        lambda octets: key_establishment.decode(ZclFrame.decode(octets)),
        noise=st.binary(max_size=30).map(lambda tail: bytes((9 if from_server else 1, 3)) + tail),
        examples=60,
    )


def test_terminate_is_four_octets() -> None:
    command = TerminateKeyEstablishment(TerminateStatus.NO_RESOURCES, 10, 0x0003)
    assert key_establishment.encode(command, 7, from_server=True).hex() == "090703" + "040a0300"


def test_status_is_named_where_the_standard_names_it() -> None:
    assert TerminateStatus.named(6) is TerminateStatus.INVALID_CERTIFICATE
    assert TerminateStatus.named(7) == 7


@pytest.mark.parametrize("octets", ["090104", "0901ff", "080100", "0d5e1101005a"])
def test_what_is_no_command_of_the_cluster_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError, match="no key establishment command"):
        key_establishment.decode(ZclFrame.decode(bytes.fromhex(octets)))


@pytest.mark.parametrize("octets", ["010100" + "020003", "010103" + "010000"])
def test_command_that_stops_early_is_truncated(octets: str) -> None:
    with pytest.raises(TruncatedError, match="stops early"):
        key_establishment.decode(ZclFrame.decode(bytes.fromhex(octets)))
