"""Signature and MAC against the worked values of RTDS, and both ways with own keys."""

import hashlib
from dataclasses import replace

import pytest

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.errors import IntegrityError, UsageError
from protocols.gbcs import security
from protocols.gbcs.envelope import Category, Cra, Message
from protocols.gbcs.security import SharedSecrets
from protocols.gbcs.smki import Certificate, RemotePartyRole, TestPki
from tests.support.vectors import rtds_keystore, rtds_octets

DEVICE, BROKER, SUPPLIER = Eui64(0x00DB1234567890A4), Eui64(0x90B3D51F30000002), Eui64(0x90B3D51F30010000)
NOW = 1_772_442_000_000_000_000

# name in RTDS, target, Z, OtherInfo, key, MAC; from the published messages and keys
WORKED = [
    (
        "CS08_11.2_SUCCESS_COMMAND",
        "00db1234567890a4",
        "9ccfe012cc5df79fe5b98e286d3d4e6a938a35c0536554c60d6b70efc6489114",
        "6085740608030090b3d51f300000020901000000000000051400db1234567890a4",
        "d87c9e7c836010dc3ed75d0c1e1252a0",
        "bdc5e70406017d96ee0f9759",
    ),
    (
        "CS08_11.2_SUCCESS_RESPONSE",
        "00db1234567890a4",
        "9ccfe012cc5df79fe5b98e286d3d4e6a938a35c0536554c60d6b70efc6489114",
        "6085740608030000db1234567890a40902000000000000051490b3d51f30000002",
        "cfbafadb1d03cc0b4e2d06535aeabb71",
        "0da6f255e953f315b792d962",
    ),
    (
        "CS06_11.3_IMMEDIATE_SUCCESS_COMMAND",
        "00db1234567890a0",
        "ed342441df01551a6beaff3b54adc981f4c6a7e71dff4c3e1cc80b3c9f4e5ac0",
        "6085740608030090b3d51f30010000090100000000000003e800db1234567890a0",
        "ec1d51bd8f8bf0cdd2314cf396cc12c0",
        "9f872c379f4fe0e370440625",
    ),
]


@pytest.mark.judge("rtds")
@pytest.mark.parametrize(("name", "device", "z", "other_info", "key", "mac"), WORKED, ids=[w[0] for w in WORKED])
def test_each_step_of_a_mac_gives_its_worked_value(
    name: str, device: str, z: str, other_info: str, key: str, mac: str
) -> None:
    message, keystore = Message.decode(rtds_octets(name)), rtds_keystore()
    broker_key, certificate = keystore.private_key(BROKER, "ka"), keystore.certificate(Eui64.parse(device), "ka")
    assert broker_key is not None
    assert certificate is not None
    secret = security.shared_secret(broker_key, certificate.public_key)
    assert secret.hex() == z
    bound = security.other_info(message.originator, message.cra, message.counter, message.target)
    assert bound.hex() == other_info
    assert security.mac_key(message, secret).hex() == key
    assert security.mac(message, secret).hex() == mac
    assert security.add_mac(replace(message, mac=None), secret) == message


@pytest.mark.judge("rtds")
@pytest.mark.parametrize(
    ("name", "digest"),
    [
        (
            "CS06_11.3_IMMEDIATE_SUCCESS_COMMAND",
            "0526ed6c5393b0ec02d1a5a83e629fbde677320560ee0a44e24ec85afb4f5a23",
        ),
        ("CS09_NA_8F8B_ALERT", "c26876f3fa5d7e2308993dd221baca640bff2f88220327fec5b3057a659683ee"),
    ],
)
def test_a_signature_covers_the_octets_of_the_worked_digest(name: str, digest: str) -> None:
    assert hashlib.sha256(Message.decode(rtds_octets(name)).signed_octets()).hexdigest() == digest


def test_a_command_is_signed_by_the_user_and_gets_the_brokers_mac() -> None:
    entropy = SeededEntropy(1)
    pki = TestPki(entropy, NOW)
    supplier = pki.organisation(SUPPLIER, RemotePartyRole.SUPPLIER)
    broker, device = pki.organisation(BROKER, RemotePartyRole.ACCESS_CONTROL_BROKER), pki.device(DEVICE)
    pre_command = Message(Cra.COMMAND, 1000, SUPPLIER, DEVICE, message_code=0x0012, payload=b"\x05\x00")
    assert pre_command.category is Category.PRE_COMMAND
    signed = security.sign(pre_command, supplier.ds_key, entropy)
    z = SharedSecrets(broker.ka_key).with_(device.ka_certificate.public_key)
    command = Message.decode(security.add_mac(signed, z).encode())
    assert command.category is Category.CRITICAL_COMMAND
    security.verify_signature(command, security.public_key(supplier.ds_certificate))
    security.check_mac(command, SharedSecrets(device.ka_key).with_(broker.ka_certificate.public_key))
    with pytest.raises(IntegrityError, match="signature"):
        security.verify_signature(command, broker.ds_certificate.public_key)
    with pytest.raises(IntegrityError, match="MAC"):
        security.check_mac(command, security.shared_secret(supplier.ka_key, device.ka_certificate.public_key))


def test_a_message_without_protection_fails_the_checks() -> None:
    bare = Message(Cra.COMMAND, 1, SUPPLIER, DEVICE, payload=b"\x05\x00")
    key = SeededEntropy(1).private_key("any").public_key()
    with pytest.raises(IntegrityError, match="without a signature"):
        security.verify_signature(bare, key)
    with pytest.raises(IntegrityError, match="without a signature"):
        security.verify_signature(replace(bare, signature=b""), key)
    with pytest.raises(IntegrityError, match="without a MAC"):
        security.check_mac(bare, bytes(32))
    with pytest.raises(UsageError):
        security.mac(bare, bytes(32))


def test_a_signature_of_zeros_fails() -> None:
    message = Message(Cra.ALERT, 1, DEVICE, BROKER, payload=b"\x05\x00", signature=bytes(64))
    with pytest.raises(IntegrityError):
        security.verify_signature(message, SeededEntropy(1).private_key("any").public_key())


def test_the_same_seed_gives_the_same_signature() -> None:
    message = Message(Cra.ALERT, 1, DEVICE, BROKER, message_code=0x012B, payload=b"\x05\x00")
    first, second = (
        security.sign(message, entropy.private_key("key"), entropy) for entropy in (SeededEntropy(3), SeededEntropy(3))
    )
    other = SeededEntropy(4)
    assert first == second
    assert first.encode() == second.encode()
    assert security.sign(message, other.private_key("key"), other) != first


def test_a_shared_secret_is_computed_once_a_key() -> None:
    entropy = SeededEntropy(1)
    secrets, public = SharedSecrets(entropy.private_key("a")), entropy.private_key("b").public_key()
    assert secrets.with_(public) is secrets.with_(public)
    assert secrets.with_(public) == SharedSecrets(entropy.private_key("b")).with_(entropy.private_key("a").public_key())
    assert secrets.with_(entropy.private_key("c").public_key()) != secrets.with_(public)


def test_the_key_of_a_certificate_is_read_from_its_octets_too() -> None:
    certificate = TestPki(SeededEntropy(1), NOW).device(DEVICE).ds_certificate
    assert security.public_key(certificate.der) == security.public_key(Certificate(certificate.der))
