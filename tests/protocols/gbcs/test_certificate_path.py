"""Certificate paths, roles, usages and validity, on our own PKI and on the certificates RTDS carries."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.errors import DecodeError, IntegrityError
from protocols.gbcs.certificate_path import check_device, check_path, check_remote_party, check_validity
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import Authorities, Certificate, KeyPair, RemotePartyRole, TestPki
from protocols.gbcs.times import LAST_SECOND
from protocols.gbcs.use_cases import cs02b
from protocols.interfaces import DAY, SECOND
from tests.support.codec_property import uint8
from tests.support.vectors import rtds_names, rtds_octets

NOW = 1_772_442_000 * SECOND
PKI, OTHER = TestPki(SeededEntropy(7), NOW), TestPki(SeededEntropy(8), NOW)
SUPPLIER, DEVICE = Eui64(0x90B3D51F30010000), Eui64(0x00DB1234567890A4)
ORGANISATION = PKI.organisation(SUPPLIER, RemotePartyRole.SUPPLIER)
ISSUERS = (PKI.issuing, PKI.device_issuing)


def test_entities_lead_to_the_root_through_their_authority() -> None:
    assert check_path(ORGANISATION.ds_certificate, ISSUERS, PKI.root, NOW) == (PKI.issuing, PKI.root)
    assert check_path(PKI.device(DEVICE).ka_certificate, ISSUERS, PKI.root, NOW) == (PKI.device_issuing, PKI.root)
    assert check_path(PKI.issuing, (), PKI.root, NOW) == (PKI.root,)
    assert check_path(PKI.root, (), PKI.root, NOW) == ()


@pytest.mark.parametrize(
    ("issuers", "root"),
    [
        ((), PKI.root),
        ((PKI.device_issuing,), PKI.root),
        ((OTHER.issuing,), PKI.root),
        ((PKI.issuing,), OTHER.root),
        ((ORGANISATION.ds_certificate, PKI.device(DEVICE).ds_certificate), PKI.root),
    ],
)
def test_without_the_right_authority_there_is_no_path(issuers: tuple[Certificate, ...], root: Certificate) -> None:
    with pytest.raises(IntegrityError, match="none of the authorities issued"):
        check_path(ORGANISATION.ds_certificate, issuers, root, NOW)


def test_an_authority_of_the_same_name_and_another_key_issued_nothing() -> None:
    forged = Authorities(*(KeyPair(OTHER.authorities.root.key, pair.certificate) for pair in PKI.authorities))
    impostor = TestPki(SeededEntropy(9), NOW, forged).organisation(SUPPLIER, RemotePartyRole.SUPPLIER)
    with pytest.raises(IntegrityError, match="none of the authorities issued"):
        check_path(impostor.ds_certificate, ISSUERS, PKI.root, NOW)


@pytest.mark.filterwarnings("error")
@settings(max_examples=400, deadline=None, database=None)
@given(st.data())
def test_a_damaged_certificate_raises_our_own_error_or_none(data: st.DataObject) -> None:
    sound = data.draw(st.sampled_from((ORGANISATION.ka_certificate, PKI.device(DEVICE).ds_certificate, PKI.issuing)))
    der = bytearray(sound.der)
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(uint8)
    reads: tuple[Callable[[Certificate], object], ...] = (
        lambda c: c.public_key, lambda c: c.eui, lambda c: c.role, lambda c: c.usage, lambda c: c.key_id,
        lambda c: c.issuer_key_id, lambda c: c.issuer, lambda c: c.subject, lambda c: c.valid_from,
        lambda c: c.valid_until, lambda c: c.is_authority, repr, hash,
    )  # fmt: skip
    for read in reads:
        with suppress(DecodeError):
            read(Certificate(bytes(der)))
    if bytes(der) != sound.der:
        with pytest.raises(DecodeError):  # IntegrityError is one
            check_path(Certificate(bytes(der)), ISSUERS, PKI.root, NOW)


def test_every_flipped_octet_of_a_certificate_breaks_its_path() -> None:
    der = ORGANISATION.ka_certificate.der
    accepted = list[int]()
    for index in range(len(der)):
        flipped = der[:index] + bytes((der[index] ^ 1,)) + der[index + 1 :]
        try:
            check_path(Certificate(flipped), ISSUERS, PKI.root, NOW)
            check_remote_party(Certificate(flipped), RemotePartyRole.SUPPLIER, "ka")
            accepted.append(index)
        except DecodeError:  # IntegrityError is one
            continue
    assert accepted == []


def test_validity_counts_on_the_whole_path_unless_it_is_switched_off() -> None:
    start = NOW - NOW % DAY
    last = ORGANISATION.ds_certificate.valid_until
    for instant in (start, last, last + SECOND - 1):
        check_path(ORGANISATION.ds_certificate, ISSUERS, PKI.root, instant)
    for instant in (start - 1, last + SECOND, 0, LAST_SECOND):
        with pytest.raises(IntegrityError, match="not valid at the time"):
            check_path(ORGANISATION.ds_certificate, ISSUERS, PKI.root, instant)
        check_path(ORGANISATION.ds_certificate, ISSUERS, PKI.root, None)
    device = PKI.device(DEVICE).ds_certificate
    check_validity(device, LAST_SECOND)
    with pytest.raises(IntegrityError, match="not valid at the time"):
        check_path(device, ISSUERS, PKI.root, PKI.root.valid_until + SECOND)


def test_a_certificate_of_an_earlier_start_has_run_out() -> None:
    earlier = TestPki(SeededEntropy(7), NOW - 4000 * DAY).organisation(SUPPLIER, RemotePartyRole.SUPPLIER)
    check_path(earlier.ds_certificate, ISSUERS, PKI.root, None)
    with pytest.raises(IntegrityError, match="not valid at the time"):
        check_path(earlier.ds_certificate, ISSUERS, PKI.root, NOW)


def test_a_path_that_is_too_long_is_refused() -> None:
    authorities = PKI.authorities
    chain = list[Certificate]()
    for generation in range(6):
        deeper = TestPki(SeededEntropy(20 + generation), NOW)
        signed = deeper._authority(
            "link", deeper.root.subject, deeper.authorities.root.key, authorities.root.certificate.subject,
            authorities.root.key, authorities.root.certificate.key_id,
        )  # fmt: skip
        authorities = Authorities(KeyPair(deeper.authorities.root.key, signed), *deeper.authorities[1:])
        chain.append(signed)
    with pytest.raises(IntegrityError, match="too long"):
        check_path(chain[-1], chain, PKI.root, NOW)
    assert len(check_path(chain[3], chain, PKI.root, NOW)) == 4


@pytest.mark.parametrize(
    ("certificate", "role", "usage"),
    [
        (ORGANISATION.ds_certificate, RemotePartyRole.SUPPLIER, "ds"),
        (ORGANISATION.ka_certificate, RemotePartyRole.SUPPLIER, "ka"),
        (PKI.root, RemotePartyRole.ROOT, "ca"),
        (PKI.issuing, RemotePartyRole.ISSUING_AUTHORITY, "ca"),
    ],
)
def test_a_remote_party_is_taken_for_what_it_is(certificate: Certificate, role: RemotePartyRole, usage: str) -> None:
    check_remote_party(certificate, role, usage)
    for other_role in RemotePartyRole:
        for other_usage in ("ds", "ka", "ca"):
            if (other_role, other_usage) != (role, usage):
                with pytest.raises(IntegrityError):
                    check_remote_party(certificate, other_role, other_usage)


def test_a_device_is_no_remote_party_and_the_other_way_round() -> None:
    device = PKI.device(DEVICE)
    check_device(device.ds_certificate, DEVICE, "ds")
    for certificate, eui, usage in (
        (device.ds_certificate, DEVICE, "ka"),
        (device.ds_certificate, DEVICE + 1, "ds"),
        (ORGANISATION.ds_certificate, SUPPLIER, "ds"),
    ):
        with pytest.raises(IntegrityError, match="not a"):
            check_device(certificate, eui, usage)
    with pytest.raises(IntegrityError, match="of role none instead of SUPPLIER"):
        check_remote_party(device.ds_certificate, RemotePartyRole.SUPPLIER, "ds")


def test_generations_have_keys_of_their_own_and_the_same_name() -> None:
    again = PKI.organisation(SUPPLIER, RemotePartyRole.SUPPLIER, 1)
    assert again.eui == again.ds_certificate.eui == SUPPLIER
    assert again.ds_certificate.key_id != ORGANISATION.ds_certificate.key_id
    assert again == TestPki(SeededEntropy(7), NOW).organisation(SUPPLIER, RemotePartyRole.SUPPLIER, 1) or (
        again.ds_certificate == TestPki(SeededEntropy(7), NOW).organisation(
            SUPPLIER, RemotePartyRole.SUPPLIER, 1).ds_certificate
    )  # fmt: skip
    check_path(again.ka_certificate, ISSUERS, PKI.root, NOW)
    prepayment = PKI.prepayment(SUPPLIER)
    assert prepayment.certificate.key_id != ORGANISATION.ka_certificate.key_id
    check_remote_party(prepayment.certificate, RemotePartyRole.SUPPLIER, "ka")


def test_given_authorities_issue_like_made_ones() -> None:
    given = TestPki(SeededEntropy(7), NOW, PKI.authorities)
    assert given.device(DEVICE).ds_certificate == PKI.device(DEVICE).ds_certificate
    assert (given.root, given.issuing, given.device_issuing) == (PKI.root, PKI.issuing, PKI.device_issuing)


@pytest.mark.judge("rtds")
@pytest.mark.parametrize("name", [name for name in rtds_names() if "CS02b" in name and "SUCCESS_COMMAND" in name])
def test_certificates_of_reference_commands_are_issued_by_their_path(name: str) -> None:
    command = cs02b.Command.decode(Message.decode(rtds_octets(name)).payload)
    (issuing,) = map(Certificate, command.path)
    assert issuing.role is RemotePartyRole.ISSUING_AUTHORITY
    for replacement in command.replacements:
        certificate = Certificate(replacement.certificate)
        assert check_path(certificate, (), issuing, certificate.valid_from) == (issuing,)
        check_remote_party(certificate, replacement.cell.role, certificate.usage)
        damaged = replace(replacement, certificate=replacement.certificate[:-1] + b"\xff")
        with pytest.raises(IntegrityError):
            check_path(Certificate(damaged.certificate), (), issuing, None)
