"""Encrypted parts: made and opened in both forms, refused when touched, shown by the document."""

import hashlib
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.errors import IntegrityError
from protocols.gbcs import dlms, document, encryption, gbz, security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.listing import listing
from protocols.gbcs.smki import Credentials, RemotePartyRole, TestPki
from protocols.gbcs.times import ZIGBEE_EPOCH
from protocols.gbcs.tree_encrypted import encrypted_nodes, sealed_octets
from tests.support.codec_property import uint64

ENTROPY = SeededEntropy(7)
PKI = TestPki(ENTROPY, 0)
ESME, GSME = PKI.device(Eui64(0x00DB1234567890A0)), PKI.device(Eui64(0x00DB1234567890A1))
SUPPLIER = PKI.organisation(Eui64(0x90B3D51F30010000), RemotePartyRole.SUPPLIER)
BROKER = PKI.organisation(Eui64(0x90B3D51F30000002), RemotePartyRole.ACCESS_CONTROL_BROKER)
STRANGER = PKI.organisation(Eui64(0x90B3D51F30050000), RemotePartyRole.OTHER)
Z = bytes(range(32))
PLAINTEXT = dlms.array(dlms.structure(dlms.date_time(0), dlms.uint16(7)))


def agreed(one: Credentials, other: Credentials) -> bytes:
    return security.shared_secret(one.ka_key, other.ka_certificate.public_key)


def dlms_response(sender: Credentials, target: Credentials, z: bytes, plaintext: bytes, **fields: object) -> Message:
    """Return a response of an ESME that reads a protected attribute, with its MAC."""
    bare = Message(Cra.RESPONSE, 0x3E8, sender.eui, target.eui, message_code=0x0060)
    bare = replace(bare, **fields)  # type: ignore[arg-type]
    value = encryption.dlms_value(encryption.seal(plaintext, bare, z), bare)
    payload = dlms.access_response(bare.counter, (value,), ((dlms.ACTION, 0),))
    return security.add_mac(replace(bare, payload=payload), agreed(sender, target))


def keystore(*credentials: Credentials, private: Credentials | None) -> Keystore:
    keys = Keystore()
    for held in credentials:
        keys.add(held, private=held is private)
    return keys


def test_the_seal_follows_the_sheet_step_by_step() -> None:
    message = Message(Cra.RESPONSE, 0x3E8, ESME.eui, SUPPLIER.eui, message_code=0x0060)
    info = bytes.fromhex("60857406080300") + ESME.eui.big + bytes.fromhex("0904") + (0x3E8).to_bytes(8, "big")
    key = hashlib.sha256(bytes.fromhex("00000001") + Z + info + SUPPLIER.eui.big).digest()[:16]
    expected = AESGCM(key).encrypt(ESME.eui.big + bytes(4), PLAINTEXT, b"\x31")[:-4]
    assert encryption.seal(PLAINTEXT, message, Z) == bytes.fromhex("3100000000") + expected
    assert encryption.unseal(encryption.seal(PLAINTEXT, message, Z), message, Z) == PLAINTEXT


def test_the_dlms_form_is_that_of_the_sheet() -> None:
    message = Message(Cra.RESPONSE, 0x3E8, ESME.eui, SUPPLIER.eui, message_code=0x0060)
    sealed = encryption.seal(PLAINTEXT, message, Z)
    form = (
        "0202 0101 0202 1602 0205 0909 04 00000000000003E8 0908 00DB1234567890A0 0908 90B3D51F30010000 0900"
        "0202 1602 0202 090102 0900 09"
    )
    assert encryption.dlms_value(sealed, message) == bytes.fromhex(form) + bytes((len(sealed),)) + sealed


def test_the_zigbee_form_is_that_of_the_sheet() -> None:
    message = Message(Cra.RESPONSE, 0x3E8, GSME.eui, SUPPLIER.eui, message_code=0x0077)
    sealed = encryption.seal(b"\x01\x02\x03", message, Z)
    component = encryption.gbz_component(0x0702, bytes((8, 0, 6)), sealed, last=True)
    assert component == bytes.fromhex("03 0702 001B 0000 080006 0014") + sealed
    assert encryption.gbz_component(0x0702, bytes((8, 0, 6)), sealed, last=False)[0] == 2


@settings(deadline=None, database=None)
@given(st.binary(max_size=200), uint64, st.none() | uint64, st.data())
def test_a_sealed_part_opens_for_its_envelope_only(
    plaintext: bytes, counter: int, other: int | None, data: st.DataObject
) -> None:
    message = Message(Cra.RESPONSE, counter, ESME.eui, BROKER.eui, supplementary_party=STRANGER.eui)
    message = replace(message, supplementary_counter=5, supplementary_originator_counter=other)
    sealed = encryption.seal(plaintext, message, Z)
    assert encryption.unseal(sealed, message, Z) == plaintext
    flipped = bytearray(sealed)
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    flipped[bit // 8] ^= 0x80 >> bit % 8
    wrong = (
        (bytes(flipped), message, Z),
        (sealed[:-1], message, Z),
        (sealed, replace(message, originator=GSME.eui), Z),
        (sealed, replace(message, supplementary_party=SUPPLIER.eui), Z),
        (sealed, replace(message, supplementary_originator_counter=counter ^ 1 if other is None else other ^ 1), Z),
        (sealed, message, Z[::-1]),
        (b"", message, Z),
    )
    for octets, envelope, secret in wrong:
        with pytest.raises(IntegrityError):
            encryption.unseal(octets, envelope, secret)


def test_decode_shows_the_plaintext_to_who_has_the_key() -> None:
    message = dlms_response(ESME, SUPPLIER, agreed(ESME, SUPPLIER), PLAINTEXT)
    described = document.describe(message, "here", keystore(ESME, SUPPLIER, private=SUPPLIER))
    (node,) = encrypted_nodes(described["payload"])  # type: ignore[arg-type]
    assert described["encrypted"] == "valid"
    assert described["mac"] == "valid"
    shown = node["decrypted"]
    assert isinstance(shown, dict)
    assert shown["type"] == "array"
    assert document.restore(json.loads(json.dumps(described))) == message.encode()
    lines = listing(message, described)
    assert any("long-unsigned  7" in line for line in lines)
    assert [line[:5] for line in lines if "long-unsigned  7" in line] == ["     "]


def test_the_device_itself_may_hold_the_key() -> None:
    message = dlms_response(ESME, SUPPLIER, agreed(ESME, SUPPLIER), PLAINTEXT)
    assert document.describe(message, "here", keystore(ESME, SUPPLIER, private=ESME))["encrypted"] == "valid"


def test_data_for_an_unknown_remote_party_opens_with_its_key() -> None:
    fields = {
        "supplementary_party": STRANGER.eui, "supplementary_counter": 5, "supplementary_originator_counter": 77,
    }  # fmt: skip
    message = dlms_response(ESME, BROKER, agreed(ESME, STRANGER), PLAINTEXT, **fields)
    assert Message.decode(message.encode()) == message
    described = document.describe(message, "here", keystore(ESME, BROKER, STRANGER, private=STRANGER))
    assert described["encrypted"] == "valid"
    without = document.describe(message, "here", keystore(ESME, BROKER, private=BROKER))
    assert str(without["encrypted"]).startswith(f"unchecked: no key agreement key of {ESME.eui} or {STRANGER.eui}")
    assert without["mac"] == "valid"
    assert document.describe(message, "here", None)["encrypted"] == "unchecked: no key store given"


def test_an_altered_part_is_invalid_and_still_shown_sealed() -> None:
    message = dlms_response(ESME, SUPPLIER, Z, PLAINTEXT)
    described = document.describe(message, "here", keystore(ESME, SUPPLIER, private=SUPPLIER))
    assert described["encrypted"] == "invalid"
    (node,) = encrypted_nodes(described["payload"])  # type: ignore[arg-type]
    assert "decrypted" not in node


def test_a_zigbee_response_of_several_frames_is_opened() -> None:
    bare = Message(Cra.RESPONSE, 0x3E8, GSME.eui, SUPPLIER.eui, message_code=0x0077)
    z = agreed(GSME, SUPPLIER)
    plain = bytes.fromhex("00 0702 0006 080001 0602C0")
    parts = [encryption.gbz_component(0x0702, bytes((9, 1, 6)), encryption.seal(b"log", bare, z), last=True)]
    payload = gbz.PROFILE + b"\x02" + plain + parts[0]
    message = security.add_mac(replace(bare, payload=payload), z)
    described = document.describe(message, "here", keystore(GSME, SUPPLIER, private=SUPPLIER))
    tree = described["payload"]
    assert isinstance(tree, dict)
    assert tree["form"] == "GBZ components"
    (node,) = encrypted_nodes(tree)
    assert sealed_octets(node) == encryption.seal(b"log", bare, z)
    assert (described["encrypted"], node["decrypted"]) == ("valid", b"log".hex().upper())
    assert document.restore(json.loads(json.dumps(described))) == message.encode()


def test_an_alert_has_the_two_elements_in_its_own_structure() -> None:
    bare = Message(Cra.ALERT, 0x7D0, ESME.eui, SUPPLIER.eui, message_code=0x0061)
    sealed = encryption.seal(dlms.uint8(5), bare, agreed(ESME, SUPPLIER))
    payload = dlms.data_notification(bare.counter, 0x8F0A, 0, *encryption.dlms_parts(sealed, bare))
    message = security.sign(replace(bare, payload=payload), ESME.ds_key, ENTROPY)
    described = document.describe(message, "here", keystore(ESME, SUPPLIER, private=SUPPLIER))
    assert (described["use_case"], described["alert_code"], described["encrypted"]) == ("ECS68", "8F0A", "valid")


def test_a_zigbee_alert_with_an_encrypted_component_is_opened() -> None:
    bare = Message(Cra.ALERT, 0xBB8, GSME.eui, SUPPLIER.eui, message_code=0x008B)
    sealed = encryption.seal(b"\x00", bare, agreed(GSME, SUPPLIER))
    component = encryption.gbz_component(0x0705, bytes((9, 0, 5)), sealed, last=True)
    alert = replace(bare, payload=gbz.alert(0x8F0A, ZIGBEE_EPOCH, component))
    message = security.sign(alert, GSME.ds_key, ENTROPY)
    described = document.describe(message, "here", keystore(GSME, SUPPLIER, private=SUPPLIER))
    assert (described["use_case"], described["alert_code"], described["encrypted"]) == ("GCS53", "8F0A", "valid")
    assert document.restore(json.loads(json.dumps(described))) == message.encode()


def test_octets_that_only_begin_alike_are_not_taken_for_encrypted() -> None:
    lookalike = dlms.octet_string(encryption.SECURITY_HEADER + bytes(12))
    payload = dlms.data_notification(5, 0x8F0A, 0, dlms.array(dlms.uint8(1)), lookalike)
    message = Message(Cra.ALERT, 5, ESME.eui, SUPPLIER.eui, message_code=0x0061, payload=payload, signature=bytes(64))
    assert document.describe(message, "here", None)["encrypted"] == "absent"
