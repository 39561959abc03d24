"""Verdicts depend on the keys that are there, and only on them."""

from dataclasses import replace

import pytest

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.gbcs import security
from protocols.gbcs.envelope import Cra, Message
from protocols.gbcs.keystore import Keystore
from protocols.gbcs.protection import ABSENT, INVALID, VALID, Verdict, check
from protocols.gbcs.smki import RemotePartyRole, TestPki

ENTROPY = SeededEntropy(2)
PKI = TestPki(ENTROPY, 0)
SUPPLIER = PKI.organisation(Eui64(0x90B3D51F30010000), RemotePartyRole.SUPPLIER)
BROKER = PKI.organisation(Eui64(0x90B3D51F30000002), RemotePartyRole.ACCESS_CONTROL_BROKER)
SECOND_BROKER = PKI.organisation(Eui64(0x90B3D51F30000003), RemotePartyRole.ACCESS_CONTROL_BROKER)
DEVICE = PKI.device(Eui64(0x00DB1234567890A0))
Z = security.shared_secret(BROKER.ka_key, DEVICE.ka_certificate.public_key)


@pytest.fixture
def command() -> Message:
    plain = Message(Cra.COMMAND, 1, SUPPLIER.eui, DEVICE.eui, message_code=0x0012, payload=b"\x05\x00")
    return security.add_mac(security.sign(plain, SUPPLIER.ds_key, ENTROPY), Z)


def keystore(*, device_key: bool = False, broker_key: bool = False) -> Keystore:
    keys = Keystore()
    keys.add(SUPPLIER, private=False)
    keys.add(DEVICE, private=device_key)
    keys.add(BROKER, private=broker_key)
    return keys


@pytest.mark.parametrize("side", ["device_key", "broker_key"])
def test_the_private_key_of_either_side_checks_a_mac(command: Message, side: str) -> None:
    assert check(command, keystore(**{side: True})) == Verdict(VALID, VALID)
    assert check(replace(command, mac=bytes(12)), keystore(**{side: True})) == Verdict(VALID, INVALID)


def test_a_response_is_checked_between_its_own_parties() -> None:
    z = security.shared_secret(DEVICE.ka_key, SUPPLIER.ka_certificate.public_key)
    plain = Message(Cra.RESPONSE, 1, DEVICE.eui, SUPPLIER.eui, message_code=0x0059, payload=b"\x05\x00")
    response = security.add_mac(plain, z)
    keys = keystore(broker_key=True)
    assert check(response, keys).mac.startswith("unchecked: no key agreement key of ")
    keys.add(SUPPLIER, private=True)
    assert check(response, keys) == Verdict(ABSENT, VALID)


def test_a_command_between_two_devices_is_checked_between_them() -> None:
    other = PKI.device(Eui64(0x00DB1234567890A4))
    z = security.shared_secret(other.ka_key, DEVICE.ka_certificate.public_key)
    plain = Message(Cra.COMMAND, 1, other.eui, DEVICE.eui, message_code=0x0090, payload=b"\x05\x00")
    command = security.add_mac(plain, z)
    keys = keystore(broker_key=True)
    keys.add(other, private=False)
    assert check(command, keys).mac.startswith(f"unchecked: no key agreement key of {other.eui} or {DEVICE.eui}")
    keys.add(other, private=True)
    assert check(command, keys) == Verdict(ABSENT, VALID)


def test_one_of_several_brokers_made_the_mac(command: Message) -> None:
    keys = keystore(device_key=True)
    keys.add(SECOND_BROKER, private=False)
    assert check(command, keys).mac == VALID


def test_a_changed_payload_fails_both(command: Message) -> None:
    changed = replace(command, payload=b"\x30\x00")
    assert check(changed, keystore(device_key=True)) == Verdict(INVALID, INVALID)


def test_what_is_missing_is_said(command: Message) -> None:
    assert check(command, None) == Verdict("unchecked: no key store given", "unchecked: no key store given")
    assert check(command, Keystore()) == Verdict(
        f"unchecked: no signing certificate of {SUPPLIER.eui}",
        "unchecked: no key agreement certificate of an access control broker",
    )
    assert check(command, keystore()).mac == (
        f"unchecked: no key agreement key of {BROKER.eui} or {DEVICE.eui} with the other's certificate"
    )


def test_a_pre_command_has_neither(command: Message) -> None:
    assert check(replace(command, signature=None, mac=None), keystore()) == Verdict(ABSENT, ABSENT)
