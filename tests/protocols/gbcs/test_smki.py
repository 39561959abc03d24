"""Certificates of the test SMKI, read by `cryptography` and compared with the published profile."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs.smki import Certificate, Credentials, RemotePartyRole, TestPki
from protocols.interfaces import DAY
from tests.support.vectors import vectors_dir

NOW = 1_772_442_000_000_000_000  # 2026-03-02T09:00:00Z
DEVICE, SUPPLIER = Eui64(0x00DB1234567890A0), Eui64(0x90B3D51F30010000)
POLICY = "1.2.826.0.1.8641679.1.2.1.4"


@pytest.fixture(scope="module")
def pki() -> TestPki:
    return TestPki(SeededEntropy(7), NOW)


def published() -> Iterator[tuple[Eui64, str, Certificate]]:
    for file in sorted((vectors_dir() / "rtds" / "keystore").glob("*.pem")):
        loaded = x509.load_pem_x509_certificate(file.read_bytes())
        name, usage = file.stem[:16], file.stem[17:]
        yield Eui64.parse(name), usage.removeprefix("pp-"), Certificate(loaded.public_bytes(Encoding.DER))


def load(certificate: Certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.der)


def expected_key_id(certificate: Certificate) -> bytes:
    point = certificate.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    digest = int.from_bytes(hashlib.sha1(point).digest(), "big")
    return (4 << 60 | digest & (1 << 60) - 1).to_bytes(8, "big")


@pytest.mark.judge("rtds")
def test_published_certificates_name_entity_usage_and_key() -> None:
    found = list(published())
    assert len(found) == 22
    for eui, usage, certificate in found:
        assert (certificate.eui, certificate.usage) == (eui, usage)
        assert certificate.key_id == expected_key_id(certificate)


@pytest.mark.judge("rtds")
def test_published_roles_are_read() -> None:
    roles = {eui: certificate.role for eui, _, certificate in published()}
    assert roles[Eui64(0x90B3D51F30000002)] is RemotePartyRole.ACCESS_CONTROL_BROKER
    assert roles[Eui64(0x90B3D51F30020000)] is RemotePartyRole.NETWORK_OPERATOR
    assert roles[Eui64(0x90B3D51F30000007)] is RemotePartyRole.WAN_PROVIDER
    assert roles[DEVICE] is None


@pytest.mark.judge("rtds")
def test_a_device_certificate_has_the_fields_of_a_published_one(pki: TestPki) -> None:
    model = next(load(certificate) for eui, usage, certificate in published() if (eui, usage) == (DEVICE, "ds"))
    own = load(pki.device(DEVICE).ds_certificate)
    assert own.version is model.version
    assert own.subject == model.subject
    assert own.not_valid_after_utc == model.not_valid_after_utc == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert own.signature_algorithm_oid == model.signature_algorithm_oid
    assert shape(own) == shape(model)
    assert value(own, x509.KeyUsage) == value(model, x509.KeyUsage)
    assert value(own, x509.SubjectAlternativeName) == value(model, x509.SubjectAlternativeName)


@pytest.mark.judge("rtds")
def test_an_organisation_certificate_has_the_fields_of_a_published_one(pki: TestPki) -> None:
    model = next(load(certificate) for eui, usage, certificate in published() if (eui, usage) == (SUPPLIER, "ka"))
    own = load(pki.organisation(SUPPLIER, RemotePartyRole.SUPPLIER).ka_certificate)
    assert own.version is model.version
    assert own.issuer == model.issuer
    assert own.subject == model.subject
    assert own.not_valid_before_utc == datetime(2026, 3, 2, tzinfo=UTC)
    assert own.not_valid_after_utc == datetime(2036, 2, 29, 23, 59, 59, tzinfo=UTC)
    assert shape(own) == shape(model)
    assert value(own, x509.KeyUsage) == value(model, x509.KeyUsage)
    assert value(own, x509.CertificatePolicies) == value(model, x509.CertificatePolicies)


def shape(certificate: x509.Certificate) -> list[tuple[str, bool]]:
    """Return the extensions in order, with whether they are critical."""
    return [(extension.oid.dotted_string, extension.critical) for extension in certificate.extensions]


def value(certificate: x509.Certificate, kind: type[x509.ExtensionType]) -> x509.ExtensionType:
    return certificate.extensions.get_extension_for_class(kind).value


def every(credentials: Credentials) -> tuple[Certificate, Certificate]:
    return credentials.ds_certificate, credentials.ka_certificate


def test_a_certificate_names_its_entity_role_and_usage(pki: TestPki) -> None:
    device, supplier = pki.device(DEVICE), pki.organisation(SUPPLIER, RemotePartyRole.SUPPLIER)
    assert [(c.eui, c.role, c.usage) for c in every(device)] == [(DEVICE, None, "ds"), (DEVICE, None, "ka")]
    assert [(c.eui, c.role, c.usage) for c in every(supplier)] == [
        (SUPPLIER, RemotePartyRole.SUPPLIER, "ds"),
        (SUPPLIER, RemotePartyRole.SUPPLIER, "ka"),
    ]
    assert device.ds_key.public_key() == device.ds_certificate.public_key
    assert device.ka_key.public_key() == device.ka_certificate.public_key


def test_key_identifiers_follow_the_eight_octet_rule(pki: TestPki) -> None:
    supplier = pki.organisation(SUPPLIER, RemotePartyRole.SUPPLIER)
    for certificate in (*every(pki.device(DEVICE)), *every(supplier), pki.root, pki.issuing):
        assert certificate.key_id == expected_key_id(certificate)
        assert len(certificate.key_id) == 8
    authority = load(supplier.ds_certificate).extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    assert authority.value.key_identifier == pki.issuing.key_id


def test_the_sizes_are_those_of_the_profile(pki: TestPki) -> None:
    for number in range(20):
        assert all(410 <= len(c.der) <= 430 for c in every(pki.device(Eui64(number))))
        assert all(
            400 <= len(c.der) <= 433 for c in every(pki.organisation(Eui64(number), RemotePartyRole.NETWORK_OPERATOR))
        )


def test_serial_numbers_have_16_octets_and_differ(pki: TestPki) -> None:
    serials = [load(c).serial_number for number in range(20) for c in every(pki.device(Eui64(number)))]
    assert len({*serials}) == 40
    assert all((serial.bit_length() + 7) // 8 == 16 for serial in serials)


def test_the_chain_of_issuers_verifies(pki: TestPki) -> None:
    pki.root.verify_issued_by(pki.root)
    pki.issuing.verify_issued_by(pki.root)
    pki.device_issuing.verify_issued_by(pki.root)
    for certificate in every(pki.organisation(SUPPLIER, RemotePartyRole.SUPPLIER)):
        certificate.verify_issued_by(pki.issuing)
    for certificate in every(pki.device(DEVICE)):
        certificate.verify_issued_by(pki.device_issuing)
        with pytest.raises(IntegrityError):
            certificate.verify_issued_by(pki.issuing)
    load(pki.issuing).verify_directly_issued_by(load(pki.root))
    load(pki.device(DEVICE).ds_certificate).verify_directly_issued_by(load(pki.device_issuing))


def test_an_authority_names_no_entity(pki: TestPki) -> None:
    assert pki.root.usage == pki.issuing.usage == "ca"
    assert (pki.root.role, pki.issuing.role) == (RemotePartyRole.ROOT, RemotePartyRole.ISSUING_AUTHORITY)
    with pytest.raises(DecodeError, match="names no entity"):
        _ = pki.issuing.eui


def test_the_same_seed_gives_the_same_certificates_in_any_order() -> None:
    first, second = TestPki(SeededEntropy(3), NOW), TestPki(SeededEntropy(3), NOW + DAY // 2)
    devices = [first.device(Eui64(number)) for number in (1, 2, 3)]
    again = [second.device(Eui64(number)) for number in (3, 2, 1)]
    assert [every(credentials) for credentials in devices] == [every(credentials) for credentials in reversed(again)]
    assert first.device(Eui64(1)) is devices[0]
    assert every(TestPki(SeededEntropy(4), NOW).device(Eui64(1))) != every(devices[0])
    assert TestPki(SeededEntropy(3), NOW + DAY).root != first.root


@pytest.mark.parametrize("octets", [b"", b"\x30\x00", bytes(400)])
def test_what_is_no_certificate_is_refused(octets: bytes) -> None:
    with pytest.raises(DecodeError, match="not a certificate"):
        Certificate(octets)
