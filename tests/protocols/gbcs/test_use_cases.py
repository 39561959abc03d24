"""Payloads of the use cases against the octets of RTDS, and as codecs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import pytest
from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.gbcs.codes import AccessResult, AlertCode, named
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.times import LAST_SECOND, ZIGBEE_EPOCH
from protocols.gbcs.use_cases import alert_code_of, ccs01, ccs08, cs06, cs08, cs09, ecs52, ecs80, fdra, use_case_of
from protocols.interfaces import SECOND
from tests.support.codec_property import assert_codec, uint8, uint16, uint32, uint64
from tests.support.vectors import rtds_octets


class Payload(Protocol):
    def encode(self) -> bytes: ...


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return round(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * SECOND


NEW_YEAR = at(2015, 1, 1)
HASH = bytes.fromhex("AA758690730934FF0685AA758690730934FF0685657788990011223344556677")
ESME, PPMID = Eui64(0x00DB1234567890A0), Eui64(0x00DB1234567890A4)

VECTORS: list[tuple[str, int, Payload, Callable[[bytes], Payload]]] = [
    ("CS06_11.3_IMMEDIATE_SUCCESS_COMMAND", 0x0012, cs06.Command(HASH, 0x3E8), cs06.Command.decode),
    (
        "CS06_11.3_FUTURE_DATED_SUCCESS_COMMAND",
        0x0012,
        cs06.Command(HASH, 0x3E9, at(2030, 1, 15, 9)),
        cs06.Command.decode,
    ),
    (
        "CS06_11.3_CANCELLATION_SUCCESS_COMMAND",
        0x0012,
        cs06.Command(HASH, 0x3EA, cs06.CANCEL),
        cs06.Command.decode,
    ),
    (
        "CS06_11.3_IMMEDIATE_SUCCESS_RESPONSE",
        0x0012,
        cs06.Response(cs06.Outcome(cs06.OutcomeCode.SUCCESS, 0x0123ABCE)),
        cs06.Response.decode,
    ),
    ("CS06_11.3_FUTURE_DATED_SUCCESS_RESPONSE", 0x0012, cs06.Response(), cs06.Response.decode),
    ("CS06_11.3_CANCELLATION_SUCCESS_RESPONSE", 0x0012, cs06.Response(None), cs06.Response.decode),
    (
        "CS06_11.3_8F66_FUTURE_DATED_SUCCESS_ALERT",
        0x00CA,
        cs06.Alert(
            AlertCode.FUTURE_DATED_COMMAND_DONE,
            at(2030, 1, 15, 9),
            0x3E9,
            cs06.Outcome(cs06.OutcomeCode.SUCCESS, 0x0123ABCF),
        ),
        cs06.Alert.decode,
    ),
    ("CS08_11.2_SUCCESS_COMMAND", 0x0129, cs08.Command(), cs08.Command.decode),
    ("CS08_11.2_SUCCESS_RESPONSE", 0x0129, cs08.Response(0x0123ABCD), cs08.Response.decode),
    ("CS09_NA_8F8B_ALERT", 0x012B, cs09.Alert(NEW_YEAR, 0x1234ABCD), cs09.Alert.decode),
    (
        "CCS08_NA_NA_ALERT",
        0x0128,
        ccs08.Alert(AlertCode.FIRMWARE_TRANSFERRED, NEW_YEAR, PPMID, 0x0123ABCD, ccs08.TransferCode.TRANSFERRED),
        ccs08.Alert.decode,
    ),
    (
        "CCS01_8.11_SUCCESS_COMMAND",
        0x0001,
        ccs01.Command(ESME, b"0123456789ABCDEF", ccs01.LogDeviceType.ESME, 90, True, 0x516),
        ccs01.Command.decode,
    ),
    ("CCS01_8.11_SUCCESS_RESPONSE", 0x0001, ccs01.Response(counter=0x516), ccs01.Response.decode),
    ("ECS52_11.2_SUCCESS_COMMAND", 0x0059, ecs52.Command(0x3E8), ecs52.Command.decode),
    ("ECS52_11.2_SUCCESS_RESPONSE", 0x0059, ecs52.Response(0x0123ABCD, counter=0x3E8), ecs52.Response.decode),
    (
        "FDRA-DLMS_NA_8F72_ALERT",
        0x00CE,
        fdra.Alert(AlertCode.FIRMWARE_VERIFIED, NEW_YEAR, b"\x01" * 32, 0x7D0),
        fdra.Alert.decode,
    ),
    (
        "FDRA-ZigBee_NA_8F72_ALERT",
        0x00CF,
        fdra.GsmeAlert(AlertCode.FIRMWARE_VERIFIED, NEW_YEAR, b"\xa1" * 32),
        fdra.GsmeAlert.decode,
    ),
    (
        "ECS80_NA_8F36_ALERT",
        0x0067,
        ecs80.Alert(
            AlertCode.SUPPLY_RESTORED_AFTER_OUTAGE,
            NEW_YEAR,
            at(2014, 12, 31, 23, 50),
            at(2014, 12, 31, 23, 59),
            0x7D3,
        ),
        ecs80.Alert.decode,
    ),
]

instants = st.integers(0, LAST_SECOND // SECOND).map(lambda second: second * SECOND)
zigbee_instants = uint32.map(lambda second: ZIGBEE_EPOCH + second * SECOND)
alert_codes = uint16.map(lambda number: named(AlertCode, number))
uint24 = st.integers(0, 0xFFFFFF)
hashes = st.binary(min_size=32, max_size=32)
euis = st.builds(Eui64, uint64)
outcomes = st.builds(cs06.Outcome, uint8.map(lambda number: named(cs06.OutcomeCode, number)), uint32)
results = uint8.map(lambda number: named(AccessResult, number))
failures = results.filter(lambda result: result != AccessResult.SUCCESS)
device_types = uint8.map(lambda number: named(ccs01.LogDeviceType, number))
install_codes = st.sampled_from(ccs01.INSTALL_CODE_LENGTHS).flatmap(lambda n: st.binary(min_size=n, max_size=n))


@pytest.mark.judge("rtds")
@pytest.mark.parametrize(("name", "code", "payload", "decode"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_a_payload_has_the_octets_of_the_reference_message(
    name: str, code: int, payload: Payload, decode: Callable[[bytes], Payload]
) -> None:
    message = Message.decode(rtds_octets(f"/{name}"))
    assert message.message_code == code
    assert payload.encode() == message.payload
    assert decode(message.payload) == payload


def test_commands_are_codecs() -> None:
    assert_codec(
        st.builds(cs06.Command, hashes, uint64, st.none() | instants), cs06.Command.encode, cs06.Command.decode
    )
    assert_codec(st.builds(cs08.Command), cs08.Command.encode, cs08.Command.decode, examples=10)
    assert_codec(
        st.builds(ccs01.Command, euis, install_codes, device_types, uint16, st.booleans(), uint24),
        ccs01.Command.encode,
        ccs01.Command.decode,
    )
    assert_codec(st.builds(ecs52.Command, uint24), ecs52.Command.encode, ecs52.Command.decode)


def test_responses_are_codecs() -> None:
    assert_codec(st.builds(cs06.Response, st.none() | outcomes), cs06.Response.encode, cs06.Response.decode)
    assert_codec(
        st.builds(cs08.Response, uint32, uint8.map(lambda number: named(cs08.ReadCode, number))),
        cs08.Response.encode,
        cs08.Response.decode,
    )
    assert_codec(
        st.builds(ccs01.Response, results, results, results, uint24), ccs01.Response.encode, ccs01.Response.decode
    )
    versions = st.builds(ecs52.Response, uint32, counter=uint24)
    assert_codec(
        versions | st.builds(ecs52.Response, st.none(), failures, uint24), ecs52.Response.encode, ecs52.Response.decode
    )


def test_alerts_are_codecs() -> None:
    assert_codec(st.builds(cs06.Alert, alert_codes, instants, uint64, outcomes), cs06.Alert.encode, cs06.Alert.decode)
    activations = uint8.map(lambda number: named(cs09.ActivationCode, number))
    assert_codec(
        st.builds(cs09.Alert, instants, uint32, activations, alert_codes), cs09.Alert.encode, cs09.Alert.decode
    )
    transfers = uint8.map(lambda number: named(ccs08.TransferCode, number))
    assert_codec(
        st.builds(ccs08.Alert, alert_codes, instants, euis, uint32, transfers), ccs08.Alert.encode, ccs08.Alert.decode
    )
    assert_codec(st.builds(fdra.Alert, alert_codes, instants, hashes, uint24), fdra.Alert.encode, fdra.Alert.decode)
    assert_codec(
        st.builds(fdra.GsmeAlert, alert_codes, zigbee_instants, hashes), fdra.GsmeAlert.encode, fdra.GsmeAlert.decode
    )
    assert_codec(
        st.builds(ecs80.Alert, alert_codes, instants, instants, instants, uint24),
        ecs80.Alert.encode,
        ecs80.Alert.decode,
    )


def test_only_the_low_24_bits_of_a_counter_are_sent() -> None:
    assert ecs52.Command(0x0182AC7B5A07).encode() == ecs52.Command(0x7B5A07).encode()


def test_the_other_obis_of_a_version_request_is_accepted() -> None:
    other = ecs52.Command(5).encode().replace(bytes.fromhex("0000000201FF"), bytes.fromhex("0100000201FF"))
    assert ecs52.Command.decode(other) == ecs52.Command(5)
    with pytest.raises(DecodeError):
        ecs52.Command.decode(other.replace(bytes.fromhex("0201FF02"), bytes.fromhex("0201FF03")))


def test_a_version_beside_a_failure_is_refused() -> None:
    for contradiction in (ecs52.Response(1, AccessResult.HARDWARE_FAULT), ecs52.Response(None)):
        with pytest.raises(DecodeError):
            ecs52.Response.decode(contradiction.encode())


def test_the_error_of_a_version_request_has_its_documented_octets() -> None:
    failed = ecs52.Response(None, AccessResult.HARDWARE_FAULT, 0x3E8)
    assert failed.encode().hex() == "da200003e8000001" + "00" + "010101"


def test_a_device_log_answer_tells_success() -> None:
    assert ccs01.Response().success
    assert not ccs01.Response(AccessResult.OTHER_REASON).success
    assert ccs01.Response(AccessResult.SUCCESS, AccessResult.HARDWARE_FAULT, AccessResult.OTHER_REASON).encode()[
        -7:
    ] == bytes.fromhex("03 0300 0201 02FA")


def test_an_image_that_failed_verification_is_told_in_the_form_of_8f72() -> None:
    verified = fdra.Alert(AlertCode.FIRMWARE_VERIFIED, NEW_YEAR, HASH, 1).encode()
    failed = fdra.Alert(AlertCode.FIRMWARE_VERIFICATION_FAILED, NEW_YEAR, HASH, 1).encode()
    assert failed == verified.replace(b"\x8f\x72", b"\x8f\x1c")


def test_der_that_is_not_in_its_shortest_form_is_refused() -> None:
    good = cs08.Response(0x0123ABCD).encode()
    for bad in (
        good.replace(b"\x02\x01\x00", b"\x02\x02\x00\x00").replace(b"\x30\x09", b"\x30\x0a"),
        b"\x30\x81" + good[1:],
        good + b"\x00",
        good.replace(b"\x30\x09", b"\x31\x09"),
    ):
        with pytest.raises(DecodeError):
            cs08.Response.decode(bad)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (cs09.Alert(NEW_YEAR, 1).encode(), 0x8F8B),
        (fdra.Alert(AlertCode.FIRMWARE_VERIFIED, NEW_YEAR, HASH).encode(), 0x8F72),
        (fdra.GsmeAlert(AlertCode.FIRMWARE_VERIFICATION_FAILED, NEW_YEAR, HASH).encode(), 0x8F1C),
        (b"\x30\x82\x00\x05\x02\x03\x00\x8f\x66", 0x8F66),
    ],
)
def test_the_alert_code_is_found_in_every_encoding(payload: bytes, code: int) -> None:
    assert alert_code_of(Message(Cra.ALERT, 1, PPMID, ESME, payload=payload)) == code
    assert alert_code_of(Message(Cra.RESPONSE, 1, PPMID, ESME, payload=payload)) is None


@pytest.mark.parametrize(
    "payload", [b"", b"\x05\x00", b"\x30\x03\x02\x01\x05", b"\x01\x09\x00\x8f", b"\x0f" + bytes(9)]
)
def test_an_alert_without_a_code_is_refused(payload: bytes) -> None:
    with pytest.raises(DecodeError):
        alert_code_of(Message(Cra.ALERT, 1, PPMID, ESME, payload=payload))


def test_use_cases_have_names() -> None:
    assert use_case_of(cs06.MESSAGE_CODE) == "CS06"
    assert use_case_of(0xFFFF) == "unknown"
