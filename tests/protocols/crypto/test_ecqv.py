"""Implicit certificates: published ones, tampered ones, and those of the test authority."""

from typing import Any

import pytest
from hypothesis import strategies as st

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.crypto import ecqv
from protocols.crypto.certificate_authority import TEST_ISSUER, CertificateAuthority
from protocols.crypto.ecqv import Authority, Certificate, Credentials, Suite1Certificate, Suite2Certificate
from protocols.crypto.suites import Suite
from protocols.errors import DecodeError
from protocols.interfaces import SECOND
from tests.support.codec_property import assert_codec, uint8, uint32, uint64
from tests.support.security_vectors import cases

Vector = dict[str, Any]
security = pytest.mark.judge("security")
suites = pytest.mark.parametrize("suite", list(Suite))
NOW = 1_772_442_000 * SECOND
SUBJECT = Eui64(0x00DB1234567890A1)


def certificate_of(vector: Vector) -> tuple[Certificate, Authority]:
    suite = Suite(vector["suite"])
    certificate = ecqv.decode(bytes.fromhex(vector["certificate"]), suite)
    return certificate, Authority(suite, certificate.issuer, bytes.fromhex(vector["ca_public_key"]))


@security
@pytest.mark.parametrize("vector", cases("certificates"))
def test_published_certificate_gives_its_public_key(vector: Vector) -> None:
    certificate, authority = certificate_of(vector)
    curve = certificate.suite.curve
    assert certificate.encode().hex() == vector["certificate"]
    assert certificate.subject.big.hex() == vector["subject"]
    assert certificate.issuer.big.hex() == vector["issuer"]
    assert f"{ecqv.certificate_hash(certificate):032x}" == vector["cert_hash_e"]
    assert curve.compress(ecqv.public_key(certificate, authority)).hex() == vector["public_key"]
    assert Credentials(certificate, int(vector["private_key"], 16), authority).consistent
    assert not Credentials(certificate, int(vector["private_key"], 16) + 1, authority).consistent


@security
@pytest.mark.parametrize("vector", cases("certificates"))
def test_published_certificate_has_its_fields(vector: Vector) -> None:
    certificate, _ = certificate_of(vector)
    if isinstance(certificate, Suite1Certificate):
        assert certificate.attributes.hex() == vector["attributes"]
        assert certificate.attributes[:2].hex() == vector["profile_id"]
        assert certificate.serves_key_agreement
    else:
        assert certificate.type == ecqv.TYPE_IMPLICIT
        assert f"{certificate.curve:02x} {certificate.hash:02x}" == f"{vector['curve']} {vector['hash']}"
        assert f"{certificate.key_usage:02x}" == vector["key_usage"]
        assert certificate.serial.hex() == vector["serial"]
        assert certificate.valid_from == vector["valid_from"]
        assert f"{certificate.valid_to:08x}" == vector["valid_to"]
        assert certificate.serves_key_agreement == vector["usable_for_key_agreement"]


@security
@pytest.mark.parametrize("vector", cases("certificate_negative"))
def test_tampered_certificate_gives_another_key_or_none(vector: Vector) -> None:
    certificate, authority = certificate_of(vector)
    if vector["reconstructed"] is None:
        with pytest.raises(DecodeError, match="has this x"):
            ecqv.public_key(certificate, authority)
        return
    curve = certificate.suite.curve
    assert curve.compress(ecqv.public_key(certificate, authority)).hex() == vector["reconstructed"]
    assert vector["reconstructed"] != vector["genuine_public_key"]


eui64s = uint64.map(Eui64)
suite_1 = st.builds(
    Suite1Certificate,
    st.binary(min_size=22, max_size=22),
    eui64s,
    eui64s,
    st.binary(min_size=10, max_size=10),
)
suite_2 = st.builds(
    Suite2Certificate,
    uint8,
    st.binary(min_size=8, max_size=8),
    uint8,
    uint8,
    eui64s,
    st.integers(0, (1 << 40) - 1),
    uint32,
    eui64s,
    uint8,
    st.binary(min_size=37, max_size=37),
)


@pytest.mark.parametrize(("certificates", "suite"), [(suite_1, Suite.SUITE_1), (suite_2, Suite.SUITE_2)])
def test_certificate_survives_the_wire(certificates: st.SearchStrategy[Certificate], suite: Suite) -> None:
    size = suite.certificate_octets
    noise = st.binary(min_size=size - 1, max_size=size + 1)
    assert_codec(certificates, lambda held: held.encode(), lambda octets: ecqv.decode(octets, suite), noise=noise)


@suites
def test_authority_issues_certificates_that_hold(suite: Suite) -> None:
    authority = CertificateAuthority(suite, SeededEntropy(1))
    issued = authority.issue(SUBJECT, NOW)
    certificate = issued.certificate
    assert issued.consistent
    assert len(certificate.encode()) == suite.certificate_octets
    assert ecqv.decode(certificate.encode(), suite) == certificate
    assert (certificate.suite, certificate.subject, certificate.issuer) == (suite, SUBJECT, TEST_ISSUER)
    assert certificate.serves_key_agreement
    if isinstance(certificate, Suite2Certificate):
        assert (certificate.valid_from, certificate.valid_to) == (NOW // SECOND, ecqv.NO_END)
    else:
        assert certificate.attributes[:2].hex() == "0109"


@suites
def test_authority_repeats_itself_in_any_order(suite: Suite) -> None:
    first, again = (CertificateAuthority(suite, SeededEntropy(1)) for _ in range(2))
    other = first.issue(Eui64(2), NOW)
    assert first.issue(SUBJECT, NOW) == again.issue(SUBJECT, NOW)
    assert again.issue(Eui64(2), NOW) == other
    assert CertificateAuthority(suite, SeededEntropy(2)).authority != first.authority
    assert CertificateAuthority(suite, SeededEntropy(1), Eui64(5)).authority != first.authority


@suites
def test_another_authority_or_another_octet_breaks_a_certificate(suite: Suite) -> None:
    issued = CertificateAuthority(suite, SeededEntropy(1)).issue(SUBJECT, NOW)
    foreign = CertificateAuthority(suite, SeededEntropy(2)).authority
    assert not issued._replace(authority=foreign).consistent
    renamed = issued.certificate._replace(subject=Eui64(3))
    assert not issued._replace(certificate=renamed).consistent


def test_certificate_for_signatures_only_serves_no_key_agreement() -> None:
    issued = CertificateAuthority(Suite.SUITE_2, SeededEntropy(1)).issue(SUBJECT, NOW, key_usage=ecqv.DIGITAL_SIGNATURE)
    assert issued.consistent
    assert not issued.certificate.serves_key_agreement


@suites
def test_reconstruction_to_infinity_is_refused(suite: Suite) -> None:
    """An authority chosen so that its key cancels e P."""
    curve = suite.curve
    certificate = CertificateAuthority(suite, SeededEntropy(1)).issue(SUBJECT, NOW).certificate
    product = curve.multiply(ecqv.certificate_hash(certificate), curve.decompress(certificate.reconstruction))
    opposite = curve.negate(product)
    assert opposite is not None
    with pytest.raises(DecodeError, match="infinity"):
        ecqv.public_key(certificate, Authority(suite, TEST_ISSUER, curve.compress(opposite)))


@suites
def test_private_key_is_not_shown(suite: Suite) -> None:
    issued = CertificateAuthority(suite, SeededEntropy(1)).issue(SUBJECT, NOW)
    assert repr(issued) == f"Credentials({suite.name}, {SUBJECT})"
