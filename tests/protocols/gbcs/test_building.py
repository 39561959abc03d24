"""Messages from JSON: the reference commands octet by octet, protection by originator, and what is refused."""

import json
from dataclasses import replace
from typing import Any

import pytest

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.errors import InputError
from protocols.gbcs import building, payload_json, payloads
from protocols.gbcs.envelope import Category, Cra, Message
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.protection import ABSENT, VALID, check
from protocols.gbcs.smki import RemotePartyRole, TestPki
from protocols.gbcs.use_cases.table import USE_CASES
from tests.support.vectors import rtds_keystore, rtds_names, rtds_octets

ENTROPY = SeededEntropy(7)
COMMANDS = [name for name in rtds_names() if "_COMMAND_" in name]
CS06: dict[str, Any] = {
    "originator": "90b3d51f30010000", "target": "00db1234567890a0", "counter": 5, "payload": {"image_hash": "00" * 32},
}  # fmt: skip


def described(message: Message) -> dict[str, Any]:
    """Return what a person would write for a message, nothing that follows from something else."""
    payload = payloads.decode_payload(message)
    assert payload is not None
    fields: dict[str, Any] = dict(payload_json.to_json(payload))
    fields = {name: value for name, value in fields.items() if name not in ("counter", "originator_counter")}
    if "control" in fields:
        fields["control"] = {name: value for name, value in fields["control"].items() if name != "counter"}
    written = {
        "originator": str(message.originator),
        "target": str(message.target),
        "counter": message.counter,
        "payload": fields,
    }
    if message.supplementary_party is not None:
        written |= {
            "supplementary_party": str(message.supplementary_party),
            "supplementary_counter": message.supplementary_counter,
        }
    return json.loads(json.dumps(written))  # type: ignore[no-any-return]


@pytest.mark.judge("rtds")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_reference_command_is_built_from_its_fields(name: str) -> None:
    octets = rtds_octets(name)
    message = Message.decode(octets)
    written = described(message)
    row = building.find(f"{message.message_code:04X}", written)
    built = building.build(row, written, rtds_keystore(), ENTROPY)
    again = Message.decode(built)
    assert again.signed_octets() == message.signed_octets()
    verdict = check(again, rtds_keystore())
    if message.signature:
        assert (verdict.signature, verdict.mac) == (VALID, ABSENT if message.mac is None else VALID)
    else:
        assert built == octets


@pytest.mark.judge("rtds")
@pytest.mark.parametrize("name", [name for name in rtds_names() if "_PRECOMMAND_" in name])
def test_a_reference_pre_command_is_built_without_keys(name: str) -> None:
    message = Message.decode(rtds_octets(name))
    written = described(message)
    row = building.find(USE_CASES[message.message_code].name, written)
    assert building.build(row, written, None, ENTROPY) == rtds_octets(name)


def test_responses_and_alerts_are_built_with_a_devices_keys() -> None:
    pki = TestPki(ENTROPY, 0)
    keys = Keystore()
    keys.add(pki.device(Eui64.parse("00db1234567890a4")), private=True)
    broker = Eui64.parse("90b3d51f30000002")
    keys.add(pki.organisation(broker, RemotePartyRole.ACCESS_CONTROL_BROKER), private=False)
    envelope = {"originator": "00db1234567890a4", "target": str(broker), "counter": 7}
    alert = {**envelope, "payload": {"time": "2026-03-02T09:00:00Z", "firmware_version": "00000002"}}
    message = Message.decode(building.build(building.find("CS09", alert), alert, keys, ENTROPY))
    assert message.category is Category.CRITICAL_ALERT
    assert check(message, keys) == (VALID, ABSENT)
    response = {**envelope, "cra": "response", "payload": {"firmware_version": 2}}
    message = Message.decode(building.build(building.find("CS08", response), response, keys, ENTROPY))
    assert message.category is Category.NON_CRITICAL_RESPONSE
    assert check(message, keys) == (ABSENT, VALID)
    dated = {**envelope, "cra": "response", "date_time": 1_420_070_400_000_000_000, "payload": {}}
    message = Message.decode(building.build(building.find("CS06", dated), dated, keys, ENTROPY))
    assert message.date_time.hex() == "07df0101ff000000008000ff"
    with pytest.raises(InputError, match="only commands exist unprotected, not a response"):
        building.build(building.find("CS08", response), response, None, ENTROPY)


@pytest.mark.judge("rtds")
def test_protection_can_be_asked_for_otherwise() -> None:
    row = building.find("CS06", CS06)
    wanted = {
        (True, True): Category.CRITICAL_COMMAND,
        (True, False): Category.SIGNED_COMMAND,
        (False, True): Category.NON_CRITICAL_COMMAND,
        (False, False): Category.PRE_COMMAND,
    }
    for (signed, mac), category in wanted.items():
        octets = building.build(row, CS06 | {"signed": signed, "mac": mac}, rtds_keystore(), ENTROPY)
        assert Message.decode(octets).category is category


@pytest.mark.judge("rtds")
def test_a_command_for_an_unknown_remote_party_brings_its_certificate() -> None:
    party = rtds_keystore().certificate(Eui64.parse("90b3d51f30010000"), "ka")
    assert party is not None
    written = {
        "originator": "90b3d51f30000002", "target": "00db1234567890a0", "counter": 5, "supplementary_counter": 6,
        "supplementary_party": "90b3d51f30010000", "certificate": party.der.hex(),
    }  # fmt: skip
    octets = building.build(building.find("ECS52", written), written, rtds_keystore(), ENTROPY)
    message = Message.decode(octets)
    assert (message.certificate, message.supplementary_counter) == (party.der, 6)
    assert check(message, rtds_keystore()) == (ABSENT, VALID)


def test_fields_that_repeat_the_counter_may_be_given_and_then_count() -> None:
    row = building.find("CS06", CS06)
    default = building.unprotected(row, CS06).payload
    other = CS06 | {"payload": CS06["payload"] | {"originator_counter": 9}}
    assert building.unprotected(row, other).payload == default.replace(b"\x02\x01\x05", b"\x02\x01\x09")


@pytest.mark.parametrize(
    ("name", "message", "complaint"),
    [
        ("CS99", CS06, "use case 'CS99': unknown"),
        ("ECS66", CS06, "use case 'ECS66': known by name only, its payload is not built here"),
        ("CS02b", CS06, "use case 'CS02b': several, e.g. 'CS02b any by contingency'; or give payload.control.mode"),
        ("CS02b", {"payload": {"control": {"mode": "NOBODY_BY_NOBODY"}}}, "several"),
    ],
)
def test_a_name_that_is_not_one_use_case_is_refused(name: str, message: object, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        building.find(name, message)


@pytest.mark.parametrize("mode", [7, "SUPPLIER_BY_TCOS", "supplier_by_tcos"])
def test_the_mode_of_a_replacement_says_which_use_case_it_is(mode: object) -> None:
    assert building.find("CS02b", {"payload": {"control": {"mode": mode}}}).message_code == 0x0107


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"originator": "90b3"}, "not an EUI-64"),
        ({"originator": None}, "message.originator: a text is missing"),
        ({"counter": 1 << 64}, "message.counter: .* does not fit 64 bits"),
        ({"counter": "5"}, "message.counter: an integer is missing"),
        ({"cra": "question"}, "message.cra: neither command"),
        ({"cra": "alert"}, "CS06 has no alert"),
        ({"sender": 1}, "message.sender: unknown; the fields are cra, originator"),
        ({"date_time": "00"}, "message.date_time: 1 octets instead of 12"),
        ({"payload": []}, "message.payload: not a JSON object"),
        ({"payload": {}}, "message.payload.image_hash: missing"),
        ({"supplementary_counter": 5}, "supplementary fields or certificate"),
    ],
)
def test_a_wrong_description_is_refused_by_field(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as caught:
        building.build(building.find("CS06", CS06), CS06 | change, None, ENTROPY)
    assert "\n" not in str(caught.value)


def test_missing_keys_are_named_by_their_files() -> None:
    row, keys = building.find("CS06", CS06), Keystore()
    with pytest.raises(InputError, match=r"the key store has no 90b3d51f30010000-ds.key"):
        building.build(row, CS06, keys, ENTROPY)
    with pytest.raises(InputError, match="0 access control brokers with a ka certificate"):
        building.build(row, CS06 | {"signed": False}, keys, ENTROPY)
    pki = TestPki(ENTROPY, 0)
    broker = pki.organisation(Eui64.parse("90b3d51f30000002"), RemotePartyRole.ACCESS_CONTROL_BROKER)
    keys.add(broker, private=False)
    with pytest.raises(InputError, match=r"the key store has no 00db1234567890a0-ka.pem"):
        building.build(row, CS06 | {"signed": False}, keys, ENTROPY)
    keys.add(pki.device(Eui64.parse("00db1234567890a0")), private=False)
    with pytest.raises(InputError, match=r"the key store has no 90b3d51f30000002-ka.key"):
        building.build(row, CS06 | {"signed": False}, keys, ENTROPY)


@pytest.mark.parametrize("code", [row.message_code for row in USE_CASES.values() if row.module is not None])
def test_a_template_is_built_as_it_stands(code: int) -> None:
    row = USE_CASES[code]
    template: dict[str, Any] = json.loads(json.dumps(building.describe_template(row, row.directions[0])))
    if row.directions[0] is Cra.ALERT:
        message = building.unprotected(row, template)
        assert payloads.decode_payload(message) is not None
        return
    if "control" in template["payload"]:  # the certificates are the user's
        template["payload"] |= {"replacements": [], "path": []}
    message = Message.decode(building.build(building.find(row.name, template), template, None, ENTROPY))
    assert message.message_code == code
    assert replace(message, signature=None) == message
