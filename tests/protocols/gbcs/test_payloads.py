"""Every payload: the octets of RTDS both ways, round trips, noise, JSON, and the documented failures."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.addresses import Eui64
from protocols.errors import DecodeError, InputError
from protocols.gbcs import payload_json, payloads
from protocols.gbcs.codes import AccessResult, AlertCode, CredentialStatus, JoinCode, ZclStatus
from protocols.gbcs.device_log import LogEntry
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.json_fields import Fields
from protocols.gbcs.use_cases.table import USE_CASES, Language
from tests.support import use_cases as uc
from tests.support.codec_property import assert_codec
from tests.support.gbcs_payloads import PAYLOADS, at
from tests.support.vectors import rtds_names, rtds_octets

ESME, GSME = Eui64(0x00DB1234567890A0), Eui64(0x00DB1234567890A1)
NEW_YEAR = at(2015, 1, 1)
CLASSES = sorted(PAYLOADS, key=lambda kind: (kind.__module__, kind.__name__))
NAMES = [f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}" for kind in CLASSES]

# Octets these payloads save by lengths in their shortest form, where RTDS has longer ones.
SAVED = {
    "CS02bNOByNO_6.15.1_SUCCESS_RESPONSE": 1,
    "CS02bSupplierBySupplier_6.15.1_8F66_FUTURE_DATED_SUCCESS_ALERT": 3,
    "CS02bSupplierBySupplier_6.15.1_IMMEDIATE_SUCCESS_RESPONSE": 3,
    "CS02bNOByNOHandover_6.21_SUCCESS_RESPONSE": 1,
    "CS02bSupplierBySupplierHandover_6.21_SUCCESS_RESPONSE": 3,
    "CS02bSupplierByTransCoS_6.23_8F66_FUTURE_DATED_SUCCESS_ALERT": 3,
    "CS02bSupplierByTransCoS_6.23_IMMEDIATE_SUCCESS_RESPONSE": 3,
    "CS02aMAC_6.24.1_SUCCESS_RESPONSE": 1,
}


def decoded(message: Message) -> payloads.Payload:
    payload = payloads.decode_payload(message)
    assert payload is not None
    return payload


def test_every_payload_class_of_the_table_is_tested() -> None:
    listed = {kind for row in USE_CASES.values() for kind in payloads.classes_of(row).values()}
    assert listed == set(PAYLOADS)


@pytest.mark.judge("rtds")
@pytest.mark.parametrize("name", rtds_names())
def test_a_reference_payload_is_typed_and_comes_back(name: str) -> None:
    message = Message.decode(rtds_octets(name))
    payload = decoded(message)
    encoded = payload.encode()
    saved = SAVED.get(name.split("/")[1].removesuffix("_GBCS.HEX"), 0)
    assert len(message.payload) - len(encoded) == saved
    assert type(payload).decode(encoded) == payload
    if not saved:
        assert encoded == message.payload


@pytest.mark.judge("rtds")
@pytest.mark.parametrize("name", rtds_names())
def test_a_reference_payload_survives_json(name: str) -> None:
    payload = decoded(Message.decode(rtds_octets(name)))
    described = json.loads(json.dumps(payload_json.to_json(payload)))
    assert payload_json.from_json(type(payload), Fields(described, "payload")) == payload


@pytest.mark.parametrize("kind", CLASSES, ids=NAMES)
def test_a_payload_is_a_codec(kind: type[payloads.Payload]) -> None:
    assert_codec(PAYLOADS[kind], kind.encode, kind.decode, examples=40)


@pytest.mark.parametrize("kind", CLASSES, ids=NAMES)
def test_a_payload_survives_json(kind: type[payloads.Payload]) -> None:
    @settings(max_examples=25, deadline=None, database=None)
    @given(PAYLOADS[kind])
    def survives(payload: payloads.Payload) -> None:
        described = json.loads(json.dumps(payload_json.to_json(payload)))
        assert payload_json.from_json(type(payload), Fields(described, "payload")) == payload

    survives()


@settings(deadline=None, database=None)
@given(st.sampled_from(sorted(USE_CASES)), st.sampled_from(Cra), st.binary(max_size=60))
def test_any_payload_of_any_use_case_is_understood_or_not(code: int, cra: Cra, payload: bytes) -> None:
    message = Message(cra, 1, ESME, GSME, message_code=code, payload=payload)
    understood = payloads.understood(message)
    try:
        assert payloads.decode_payload(message) == understood
    except DecodeError:
        assert understood is None


def test_a_payload_in_another_language_or_direction_is_refused() -> None:
    for code, cra, payload in (
        (0x0067, Cra.ALERT, uc.generic_alert.GsmeAlert(0x8F36, NEW_YEAR).encode()),
        (0x012B, Cra.RESPONSE, uc.cs09.Alert(NEW_YEAR, 1).encode()),
        (0x0012, Cra.COMMAND, uc.ccs02.Command(ESME).encode()),
    ):
        with pytest.raises(DecodeError):
            payloads.decode_payload(Message(cra, 1, ESME, GSME, message_code=code, payload=payload))


# --- the sheet's failures, octet by octet ---------------------------------------------------------------------------

FAILURES: list[tuple[payloads.Payload, str]] = [
    (
        uc.ccs01.Response(AccessResult.SUCCESS, AccessResult.HARDWARE_FAULT, AccessResult.OTHER_REASON, 0x516),
        "DA 20000516 00 00 03 000000 03 0300 0201 02FA",
    ),
    (uc.ccs02.Response(AccessResult.HARDWARE_FAULT, 0x516), "DA 20000516 00 00 01 00 01 0301"),
    (uc.ccs03.Response(AccessResult.HARDWARE_FAULT, 0x516), "DA 20000516 00 00 01 00 01 0301"),
    (uc.ccs04.Response(None, AccessResult.HARDWARE_FAULT, 0x514), "DA 20000514 00 00 01 00 01 0101"),
    (
        uc.ccs07.Response(None, None, AccessResult.HARDWARE_FAULT, AccessResult.OTHER_REASON, 0x514),
        "DA 20000514 00 00 02 0000 02 0301 03FA",
    ),
    (uc.gcs38.Response(None, ZclStatus.HARDWARE_FAILURE), "0109 01 01 0702 0006 08 00 01 0602 C0"),
    (uc.cs06.Response(uc.cs06.Outcome(uc.cs06.OutcomeCode.NO_IMAGE, 0x0123ABCF)), "3009 020101 0404 0123ABCF"),
    (uc.cs06.Response(uc.cs06.Outcome(uc.cs06.OutcomeCode.HASH_MISMATCH, 0x0123ABCF)), "3009 020102 0404 0123ABCF"),
    (
        uc.cs06.Response(uc.cs06.Outcome(uc.cs06.OutcomeCode.ACTIVATION_FAILURE, 0x0123ABCF)),
        "3009 020103 0404 0123ABCF",
    ),
    (uc.cs08.Response(0, uc.cs08.ReadCode.FAILED), "3009 0404 00000000 020101"),
    (uc.cs03.Response(JoinCode.INVALID_METHOD_AND_ROLE), "020102"),
    (uc.cs03.Response(JoinCode.INVALID_OR_MISSING_CERTIFICATE), "02010B"),
    (uc.cs03.Response(JoinCode.NO_CBKE_RESPONSE), "02010D"),
    (uc.cs04.Response(uc.cs04.UnjoinCode.NOT_IN_LOG), "020101"),
    (uc.cs02a.Response((uc.cs02a.RemoteParty(6, CredentialStatus.TRUST_ANCHOR_NOT_FOUND),)), "3008 3006 020106 0A0119"),
    (
        uc.cs09.Alert(NEW_YEAR, 0x1234ABCD, uc.cs09.ActivationCode.FAILED),
        "301F 0203008F8B 180F" + b"20150101000000Z".hex() + "0404 1234ABCD 020101",
    ),
    (
        uc.ccs08.Alert(
            AlertCode.FIRMWARE_TRANSFER_FAILED, NEW_YEAR, ESME, 1, uc.ccs08.TransferCode.HARDWARE_VERSION_MISMATCH
        ),
        "3029 0203008F89 180F" + b"20150101000000Z".hex() + "0408 00DB1234567890A0 0404 00000001 020102",
    ),
    (uc.miiwa.GsmeAlert(NEW_YEAR, uc.miiwa.Cause.METROLOGY_FIRMWARE), "0109 01 81A0 1C374A80 0007"),
    (
        uc.ecs100.Alert(NEW_YEAR, 0x0129, 0x514, counter=0x7D0),
        "0F 200007D0 00 0203 12 8F85 090C 07DF0101FF000000008000FF 090A 0129 0000000000000514",
    ),
    (
        uc.fdra.GsmeAlert(AlertCode.FIRMWARE_VERIFICATION_FAILED, NEW_YEAR, bytes(32)),
        "0109 01 8F1C 1C374A80 0920" + "00" * 32,
    ),
    (
        uc.gcs59.Response((uc.gcs59.Restored(LogEntry(GSME, 0), JoinCode.LOG_FULL),)),
        "3016 3014 3012 300D 0408 00DB1234567890A1 020100 020104",
    ),
    (
        uc.gcs62.Alert(NEW_YEAR, (LogEntry(GSME, 0),)),
        "3027 0203008071 180F" + b"20150101000000Z".hex() + "300F 300D 0408 00DB1234567890A1 020100",
    ),
]


@pytest.mark.parametrize(
    ("payload", "octets"),
    FAILURES,
    ids=[f"{type(p).__module__.rpartition('.')[2]}-{i}" for i, (p, _) in enumerate(FAILURES)],
)
def test_a_documented_failure_has_its_octets(payload: payloads.Payload, octets: str) -> None:
    assert payload.encode() == bytes.fromhex(octets)
    assert type(payload).decode(bytes.fromhex(octets)) == payload


@pytest.mark.parametrize("code", range(0x8F35, 0x8F3D))
def test_every_code_of_a_restored_supply_has_the_form_of_8f36(code: int) -> None:
    alert = uc.ecs80.Alert(AlertCode(code), NEW_YEAR, NEW_YEAR, NEW_YEAR, 5)
    known = uc.ecs80.Alert(AlertCode.SUPPLY_RESTORED_AFTER_OUTAGE, NEW_YEAR, NEW_YEAR, NEW_YEAR, 5)
    assert alert.encode() == known.encode().replace(b"\x8f\x36", code.to_bytes(2, "big"))
    assert uc.ecs80.Alert.decode(alert.encode()) == alert


def test_long_lengths_are_accepted_in_credentials_and_nowhere_else() -> None:
    long = bytes.fromhex("30820002 0500")
    assert uc.cs02b.Response.decode(long) == uc.cs02b.Response()
    assert uc.cs02b.Response().encode() == bytes.fromhex("3002 0500")
    with pytest.raises(DecodeError):
        uc.cs06.Response.decode(bytes.fromhex("30820009 020100 0404 00000001"))


@pytest.mark.parametrize(
    "octets",
    [
        "3011 300A 020104 03020308 020100 3003 020102",  # a default written out
        "3011 3007 020104 03020708 3003 020102",  # unused bits that are not the trailing ones
        "3011 3007 020104 03020000 3003 020102",  # no usage
        "3012 3008 020104 0303000800 3003 020102",  # two octets
    ],
)
def test_a_cell_that_is_not_der_is_refused(octets: str) -> None:
    with pytest.raises(DecodeError):
        uc.cs02a.Command.decode(bytes.fromhex(octets))


def test_time_checks_are_written_only_where_they_are_off() -> None:
    control = uc.cs02b.Control(uc.cs02b.Mode.TCOS_BY_TCOS, 1, time_checks=uc.cs02b.TimeChecks.DISAPPLY)
    command = uc.cs02b.Command(control, (), ())
    assert b"\x81\x01\x01" in command.encode()
    for number in (b"\x00", b"\x02"):
        with pytest.raises(DecodeError, match="time checks"):
            uc.cs02b.Command.decode(command.encode().replace(b"\x81\x01\x01", b"\x81\x01" + number))


def test_the_mode_of_a_replacement_is_its_message_code() -> None:
    codes = (0x0102, 0x0109, 0x010A, 0x00CB, 0x0125, 0x0126)
    assert [uc.cs02b.mode_of(code) for code in codes] == [2, 9, None, None, 10, 11]
    assert [uc.cs02b.alert_message_code_of(mode) for mode in (9, 10, 11, 12)] == [0x00CB, 0x0124, 0x0124, 0x00CB]
    assert uc.cs02b.MESSAGE_CODES[uc.cs02b.Mode.SUPPLIER_BY_TCOS] == 0x0107


# --- JSON that does not fit -----------------------------------------------------------------------------------------

WRONG: list[tuple[type[payloads.Payload], dict[str, object], str]] = [
    (
        uc.cs02b.Command,
        {"control": {"mode": 4, "counter": 1}, "replacements": [], "path": ["3000", "30"]},
        "payload: path: no certificate in DER",
    ),
    (uc.cs06.Command, {}, "payload.image_hash: missing"),
    (
        uc.cs06.Command,
        {"image_hash": "00", "originator_counter": 1},
        "payload: .*OCTET STRING of 1 octets instead of 32",
    ),
    (uc.cs06.Command, {"image_hash": "00" * 32, "originator_counter": -1}, "payload: .*does not fit 64 bits"),
    (
        uc.cs06.Command,
        {"image_hash": "00" * 32, "originator_counter": 1, "execution_time": "tomorrow"},
        "not a time as",
    ),
    (
        uc.cs06.Command,
        {"image_hash": "00" * 32, "originator_counter": 1, "execution_time": "\ud800"},
        "not a time as",
    ),
    (uc.cs06.Command, {"image_hash": "0g", "originator_counter": 1}, "payload.image_hash: not hexadecimal"),
    (uc.cs06.Command, {"image_hash": 5, "originator_counter": 1}, "payload.image_hash: not a text"),
    (uc.cs06.Command, {"image_hash": "00" * 32, "originator_counter": True}, "originator_counter: not an integer"),
    (uc.cs06.Command, {"image_hash": "00" * 32, "originator_counter": 1, "hash": ""}, "payload.hash: unknown"),
    (uc.cs06.Response, {"outcome": {"code": "FINE", "firmware_version": "00000001"}}, "outcome.code: none of SUCCESS"),
    (uc.cs06.Response, {"outcome": {"code": 0, "firmware_version": "1"}}, "firmware_version: not 8 hexadecimal digits"),
    (uc.cs06.Response, {"outcome": []}, "payload.outcome: not a JSON object"),
    (uc.ccs02.Command, {"device": "00db"}, "payload.device: not an EUI-64"),
    (uc.ccs02.Command, {"device": None}, "payload.device: not a text"),
    (
        uc.ccs01.Command,
        {"device": str(ESME), "install_code": "00" * 16, "device_type": "ESME", "join_timeout": 1 << 16},
        "payload: ",
    ),
    (
        uc.ccs01.Command,
        {"device": str(ESME), "install_code": "00" * 16, "device_type": 0, "join_timeout": 1, "open_joining": 1},
        "open_joining: neither true nor false",
    ),
    (uc.gcs59.Command, {"entries": {}}, "payload.entries: not a list"),
    (uc.gcs59.Command, {"entries": [{"device": str(ESME)}]}, r"payload.entries\[0\].device_type: missing"),
    (
        uc.cs02b.Command,
        {"control": {"mode": 2, "counter": 1, "time_checks": 7}, "replacements": [], "path": []},
        "control.time_checks: none of APPLY, DISAPPLY",
    ),
]


@pytest.mark.parametrize(("kind", "fields", "complaint"), WRONG, ids=[complaint for *_, complaint in WRONG])
def test_wrong_fields_are_refused_by_name(
    kind: type[payloads.Payload], fields: dict[str, object], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        payload_json.from_json(kind, Fields(fields, "payload"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", CLASSES, ids=NAMES)
def test_a_template_has_every_field(kind: type[payloads.Payload]) -> None:
    template = payload_json.template(kind)
    assert tuple(template) == payload_json.field_names(kind)
    json.dumps(template)


def test_a_use_case_without_a_class_has_no_payload() -> None:
    assert payloads.payload_class(0x0060, Cra.COMMAND, Language.DLMS) is None
    assert payloads.payload_class(0xFFFF, Cra.COMMAND, Language.DER) is None
    assert (
        payloads.decode_payload(Message(Cra.COMMAND, 1, ESME, GSME, message_code=0x0060, payload=b"\x05\x00")) is None
    )
