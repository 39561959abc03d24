"""Signatures of the profile verify; every other form, place or algorithm and every altered octet is refused."""

import hashlib
from collections.abc import Callable

import pytest
from lxml import etree

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.duis.errors import DuisError, SignatureError
from protocols.duis.requests import parse_request
from protocols.duis.responses import parse_response
from protocols.duis.signature import Verdict, XmlSignature, XmlSigner, judge, read_signature
from protocols.duis.signature_profile import DS, write_signature, write_signed_info
from protocols.errors import UsageError
from protocols.gbcs.smki import RemotePartyRole, TestPki
from protocols.interfaces import DAY
from tests.support.duis_documents import REQUEST_DOCUMENTS, RESPONSE_DOCUMENTS, SUPPLIER
from tests.support.xmldsig import SIGNATURE, inserted, unsigned, with_placeholder

NOW = 1_772_442_000_000_000_000  # 2026-03-02T09:00:00Z
ENTROPY = SeededEntropy(7)
PKI = TestPki(ENTROPY, NOW)
USER, DSP = RemotePartyRole.XML_SIGNING_USER, RemotePartyRole.XML_SIGNING_DSP
PAIR = PKI.xml_signing(SUPPLIER, USER)
OTHER = PKI.xml_signing(Eui64(0x90B3D51F30020000), USER)
SIGNER = XmlSigner(PAIR.key, PAIR.certificate, ENTROPY)
PLAIN = REQUEST_DOCUMENTS["8.2 by device"]
SIGNED = SIGNER.sign(PLAIN)
EXCLUSIVE = b"http://www.w3.org/2001/10/xml-exc-c14n#"
INCLUSIVE = b"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"


def verify(octets: bytes) -> None:
    """Read a request and verify it as the supplier's."""
    signature = parse_request(octets).signature
    assert signature is not None
    signature.verify(PAIR.certificate, USER, NOW)


def read_only(octets: bytes) -> XmlSignature:
    """Read the signature of what need not be a DUIS document."""
    root = etree.fromstring(octets, etree.XMLParser(remove_comments=True, remove_pis=True))
    signature = read_signature(root, octets)
    assert signature is not None
    return signature


# --- good ones -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", REQUEST_DOCUMENTS)
def test_every_request_is_signed_and_verified(name: str) -> None:
    octets = SIGNER.sign(REQUEST_DOCUMENTS[name])
    verify(octets)
    assert unsigned(octets) == REQUEST_DOCUMENTS[name]
    assert parse_request(octets) == parse_request(REQUEST_DOCUMENTS[name])


@pytest.mark.parametrize("name", RESPONSE_DOCUMENTS)
def test_every_response_is_signed_and_verified(name: str) -> None:
    signature = parse_response(SIGNER.sign(RESPONSE_DOCUMENTS[name])).signature
    assert judge(signature, PAIR.certificate, USER, NOW) == (Verdict.VALID, "")


def test_the_same_document_gives_the_same_octets() -> None:
    again = TestPki(SeededEntropy(7), NOW).xml_signing(SUPPLIER, USER)
    assert XmlSigner(again.key, again.certificate, SeededEntropy(7)).sign(PLAIN) == SIGNED
    assert XmlSigner(OTHER.key, OTHER.certificate, ENTROPY).sign(PLAIN) != SIGNED


def test_the_digest_is_of_the_inclusive_form_of_the_document_without_signature() -> None:
    """Namespaces nobody uses count, so that the exclusive form has another digest."""
    octets = PLAIN.replace(b"<sr:Request ", b'<sr:Request xmlns:ra="urn:unused" ')
    root = etree.fromstring(octets)
    digests = [
        hashlib.sha256(etree.tostring(root, method="c14n", exclusive=exclusive, with_comments=False)).digest()
        for exclusive in (False, True)
    ]
    assert digests[0] != digests[1]
    good, wrong = (_signed_with(octets, digest) for digest in digests)
    assert good == SIGNER.sign(octets)
    verify(good)
    with pytest.raises(SignatureError, match="the document is not the one that was signed"):
        verify(wrong)


def _signed_with(octets: bytes, digest: bytes) -> bytes:
    info = write_signed_info(digest)
    value = ENTROPY.sign(PAIR.key, info)
    return inserted(octets, write_signature(info, value, PAIR.certificate.issuer_name, PAIR.certificate.serial))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.replace(b"</ds:KeyInfo>", b"\r\n\t </ds:KeyInfo>"),
        lambda s: s.replace(b"CN=Z1,OU=07", b"\n CN=Z1 , OU=07\n"),
        lambda s: s.replace(b"<ds:X509SerialNumber>", b"<ds:X509SerialNumber> 0"),
        lambda s: _broken_value(s, b"&#13;\n"),
        lambda s: _broken_value(s, b"\n      "),
        lambda s: s.replace(b"<ds:SignatureValue>", b'<ds:SignatureValue xmlns="urn:quirk">'),
        lambda s: b"\xef\xbb\xbf" + s,
        lambda s: s.replace(b"\n", b"\r\n"),
        lambda s: s.replace(b'<?xml version="1.0" encoding="UTF-8"?>\n', b""),
        lambda s: s.replace(b">8.2</", b"><![CDATA[8.2]]></"),
        lambda s: s.replace(b">8.2</", b">&#x38;.2</"),
    ],
)
def test_what_does_not_count_may_differ(change: Callable[[bytes], bytes]) -> None:
    """White space outside what is signed, the spelling of XML, a base64 value in lines that end in `&#13;`."""
    changed = change(SIGNED)
    assert changed != SIGNED
    verify(changed)


def _broken_value(octets: bytes, ending: bytes) -> bytes:
    at = octets.index(b"<ds:SignatureValue>") + len(b"<ds:SignatureValue>") + 76
    return octets[:at] + ending + octets[at:]


@pytest.mark.parametrize(("before", "after"), [(b"\n  ", b"\n"), (b"", b"\n\n\t"), (b" ", b"")])
def test_white_space_around_the_signature_is_signed_and_stays(before: bytes, after: bytes) -> None:
    """The transform takes the element out and nothing else."""
    around = PLAIN.replace(b"</sr:Body>\n", b"</sr:Body>" + before + after)
    element = SIGNATURE.search(SIGNER.sign(around))
    assert element is not None
    body_end = around.index(b"</sr:Body>") + len(b"</sr:Body>")
    verify(around[:body_end] + before + element[0] + after + around[body_end + len(before) + len(after) :])


# --- altered -------------------------------------------------------------------------------------------------------


def test_no_octet_may_be_altered() -> None:
    """The lowest bit of each octet from the root's start tag to its end tag, in turn."""
    refused = 0
    for at in range(SIGNED.index(b"<sr:Request"), SIGNED.rindex(b">") + 1):
        altered = SIGNED[:at] + bytes((SIGNED[at] ^ 1,)) + SIGNED[at + 1 :]
        try:
            request = parse_request(altered)
        except DuisError:
            refused += 1
            continue
        assert judge(request.signature, PAIR.certificate, USER, NOW).verdict is not Verdict.VALID, (at, altered)
        refused += 1
    assert refused > 1500


@pytest.mark.parametrize("value", [bytes(64), b"\xff" * 64, bytes(63), bytes(65), b""])
def test_a_value_that_is_no_signature_is_refused(value: bytes) -> None:
    info = write_signed_info(hashlib.sha256(etree.tostring(etree.fromstring(PLAIN), method="c14n")).digest())
    element = write_signature(info, value, PAIR.certificate.issuer_name, PAIR.certificate.serial)
    with pytest.raises(SignatureError, match="element SignatureValue: "):
        verify(inserted(PLAIN, element))


# --- another form ----------------------------------------------------------------------------------------------------

_TRANSFORM = b'<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>'
_EXTRA = b'<ds:Transform Algorithm="' + EXCLUSIVE + b'"></ds:Transform>'
FORMS: dict[str, tuple[bytes, bytes, str]] = {
    "inclusive SignedInfo": (EXCLUSIVE, INCLUSIVE, "element CanonicalizationMethod: Algorithm"),
    "SignedInfo with comments": (EXCLUSIVE, EXCLUSIVE + b"WithComments", "element CanonicalizationMethod: Algorithm"),
    "RSA": (b"xmldsig-more#ecdsa-sha256", b"xmldsig-more#rsa-sha256", "element SignatureMethod: Algorithm"),
    "SHA-1": (b"xmldsig-more#ecdsa-sha256", b"xmldsig-more#ecdsa-sha1", "element SignatureMethod: Algorithm"),
    "HMAC": (b"2001/04/xmldsig-more#ecdsa-sha256", b"2000/09/xmldsig#hmac-sha1", "element SignatureMethod: Algorithm"),
    "digest SHA-1": (b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1", "element DigestMethod: Algorithm"),
    "digest SHA-512": (b"xmlenc#sha256", b"xmlenc#sha512", "element DigestMethod: Algorithm"),
    "no digest method": (b"DigestMethod Algorithm", b"DigestMethod Algo", "element DigestMethod: no attribute"),
    "another transform": (b"#enveloped-signature", b"#base64", "element Transform: Algorithm"),
    "a second transform": (_TRANSFORM, _TRANSFORM + _EXTRA, "element Transform: not an element of Transforms"),
    "another transform before": (_TRANSFORM, _EXTRA + _TRANSFORM, "element Transform: Algorithm"),
    "no transform": (_TRANSFORM, b"", "element Transforms: no Transform in it"),
    "a transform with content": (b"></ds:Transform>", b"><x/></ds:Transform>", "element x: not an element"),
    "another reference": (b'URI=""', b'URI="#body"', "element Reference: URI"),
    "a reference without URI": (b' URI=""', b"", "element Reference: no attribute URI"),
    "a reference to an object": (b'URI=""', b'URI="" Type="x"', "element Reference: attributes besides URI"),
    "a named signature": (b"<ds:Signature ", b'<ds:Signature Id="s" ', "element Signature: attribute Id"),
    "a named SignedInfo": (b"<ds:SignedInfo>", b'<ds:SignedInfo Id="s">', "element SignedInfo: attribute Id"),
    "an object": (b"</ds:Signature>", b"<ds:Object/></ds:Signature>", "element Object: not an element of Signature"),
    "text": (b"<ds:KeyInfo>", b"<ds:KeyInfo>Z1", "element KeyInfo: text where none belongs"),
    "text behind": (b"</ds:KeyInfo>", b"</ds:KeyInfo>Z1", "element Signature: text where none belongs"),
    "no key info": (b"ds:KeyInfo>", b"ds:KeyNone>", "element KeyNone: KeyInfo expected"),
    "a key by name": (b"ds:X509Data>", b"ds:KeyName>", "element KeyName: X509Data expected"),
    "a certificate too": (
        b"</ds:X509Data>", b"<ds:X509Certificate/></ds:X509Data>", "element X509Certificate: not an element of X509Data"
    ),
    "a value in an element": (b"</ds:SignatureValue>", b"<b/></ds:SignatureValue>", "element b: not an element"),
    "another namespace": (
        b"<ds:SignatureValue>", b'<ds:SignatureValue xmlns:ds="urn:x">', "element SignatureValue: SignatureValue"
    ),
    "a serial number in words": (b"<ds:X509SerialNumber>", b"<ds:X509SerialNumber>one", "X509SerialNumber: not a"),
    "an endless serial number": (b"<ds:X509SerialNumber>", b"<ds:X509SerialNumber>" + b"1" * 9000, "not a decimal"),
    "a value that is not base64": (b"<ds:SignatureValue>", b"<ds:SignatureValue>!", "element SignatureValue: not base"),
    "a digest that is not base64": (b"<ds:DigestValue>", b"<ds:DigestValue>=", "element DigestValue: not base64"),
    "a comment in a value": (b">8.2</", b">8<!-- -->.2</", "a comment in a signed document"),
    "a comment in front": (b"<sr:Request", b"<!-- --><sr:Request", "a comment in a signed document"),
    "a comment in the signature": (b"<ds:KeyInfo>", b"<!-- --><ds:KeyInfo>", "a comment in a signed document"),
    "an instruction": (b"<sr:Body>", b"<sr:Body><?x y?>", "a processing instruction in a signed document"),
    "an instruction in front": (b"<sr:Request", b"<?x y?><sr:Request", "a processing instruction in a signed document"),
    "an instruction behind": (b"</sr:Request>", b"</sr:Request><?x y?>", "a processing instruction in a signed"),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_another_form_is_refused_and_named(case: str) -> None:
    old, new, told = FORMS[case]
    altered = SIGNED.replace(old, new)
    assert altered != SIGNED
    with pytest.raises(SignatureError) as caught:
        verify(altered)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_second_reference_is_refused() -> None:
    start, end = SIGNED.index(b"<ds:Reference"), SIGNED.index(b"</ds:SignedInfo>")
    with pytest.raises(SignatureError, match="element Reference: not an element of SignedInfo"):
        verify(SIGNED[:end] + SIGNED[start:end] + SIGNED[end:])


def test_elements_under_several_prefixes_are_refused() -> None:
    """What would count is the name space; no signer writes it so."""
    opened = b'<x:X509Data xmlns:x="' + DS.encode() + b'">'
    altered = SIGNED.replace(b"<ds:X509Data>", opened).replace(b"</ds:X509Data>", b"</x:X509Data>")
    with pytest.raises(SignatureError, match="another prefix inside than outside"):
        verify(altered)


def test_a_name_space_without_canonical_form_is_refused() -> None:
    altered = SIGNED.replace(b"<sr:Request ", b'<sr:Request xmlns:odd="relative" ')
    with pytest.raises(SignatureError, match="no canonical form"):
        verify(altered)


# --- another place ---------------------------------------------------------------------------------------------------


def element() -> bytes:
    found = SIGNATURE.search(SIGNED)
    assert found is not None
    return found[0]


WRAPPED = {
    "two signatures": SIGNED.replace(element(), element() * 2),
    "one inside the other": SIGNED.replace(b"</ds:Signature>", element() + b"</ds:Signature>"),
    "one in the body": unsigned(SIGNED).replace(b"</sr:Body>", element() + b"</sr:Body>"),
    "one in front of the body": unsigned(SIGNED).replace(b"<sr:Body>", element() + b"<sr:Body>"),
    "the signed request inside another": inserted(
        PLAIN.replace(b"90-A2", b"90-A0"), SIGNED[SIGNED.index(b"<sr:Request") :].rstrip()
    ),
    "the signed request in an object of another's signature": inserted(
        PLAIN.replace(b"90-A2", b"90-A0"),
        element().replace(
            b"</ds:Signature>", b"<ds:Object>" + PLAIN[PLAIN.index(b"<sr:Request") :] + b"</ds:Object></ds:Signature>"
        ),
    ),
    "as the root": element(),
}


@pytest.mark.parametrize("case", WRAPPED)
def test_a_signature_elsewhere_is_refused(case: str) -> None:
    """By the form of the signature itself; the schema, where it applies, refuses most of these before."""
    signature = read_only(WRAPPED[case])
    assert signature.fault != ""
    with pytest.raises(SignatureError):
        signature.verify(PAIR.certificate, USER, NOW)


@pytest.mark.parametrize("case", WRAPPED)
def test_a_signature_elsewhere_does_not_verify_as_a_request(case: str) -> None:
    with pytest.raises(DuisError):
        verify(WRAPPED[case])


@pytest.mark.parametrize(
    "declared", [b'<!DOCTYPE sr:Request [<!ENTITY v "8.2">]>', b"<!DOCTYPE x [<!ATTLIST x Id ID #REQUIRED>]>"]
)
def test_entities_and_declared_identifiers_are_refused(declared: bytes) -> None:
    octets = SIGNED.replace(b"<sr:Request", declared + b"<sr:Request", 1).replace(b">8.2</", b">&v;</")
    with pytest.raises(DuisError, match="a document type is not allowed"):
        verify(octets)


# --- another key ---------------------------------------------------------------------------------------------------


def test_the_signature_of_another_is_refused() -> None:
    by_other = XmlSigner(OTHER.key, OTHER.certificate, ENTROPY).sign(PLAIN)
    with pytest.raises(SignatureError, match=f"the key is that of CN=Z1,OU=07 {OTHER.certificate.serial}, not of"):
        verify(by_other)
    renamed = by_other.replace(str(OTHER.certificate.serial).encode(), str(PAIR.certificate.serial).encode())
    with pytest.raises(SignatureError, match="the signature does not verify"):
        verify(renamed)


def test_a_certificate_for_another_use_is_refused() -> None:
    supplier = PKI.organisation(SUPPLIER, RemotePartyRole.SUPPLIER)
    octets = XmlSigner(supplier.ds_key, supplier.ds_certificate, ENTROPY).sign(PLAIN)
    signature = parse_request(octets).signature
    assert signature is not None
    with pytest.raises(SignatureError, match="not one of a XML_SIGNING_USER"):
        signature.verify(supplier.ds_certificate, USER, NOW)
    with pytest.raises(SignatureError, match="not one of a XML_SIGNING_DSP"):
        signature.verify(PAIR.certificate, DSP, NOW)


def test_a_certificate_counts_while_it_is_valid() -> None:
    signature = parse_request(SIGNED).signature
    assert signature is not None
    first, last = PAIR.certificate.valid_from, PAIR.certificate.valid_until
    for now in (first, last):
        signature.verify(PAIR.certificate, USER, now)
    for now in (first - 1, last + DAY):
        with pytest.raises(SignatureError, match="not valid at this time"):
            signature.verify(PAIR.certificate, USER, now)


# --- verdicts ------------------------------------------------------------------------------------------------------


def test_verdicts() -> None:
    cases = {
        PLAIN: Verdict.ABSENT,
        SIGNED: Verdict.VALID,
        with_placeholder(PLAIN): Verdict.PLACEHOLDER,
        with_placeholder(PLAIN).replace(b"1234567890<", b"1234567891<"): Verdict.INVALID,
        inserted(PLAIN, b'<ds:KeyInfo xmlns:ds="' + DS.encode() + b'"/>'): Verdict.ABSENT,
    }
    for octets, verdict in cases.items():
        found = judge(parse_request(octets).signature, PAIR.certificate, USER, NOW)
        assert found.verdict is verdict
        assert (found.reason == "") is (verdict is Verdict.VALID)
    without = judge(parse_request(SIGNED).signature, None, USER, NOW)
    assert without == (Verdict.INVALID, "no XML signing certificate of the sender")


def test_a_placeholder_never_verifies() -> None:
    with pytest.raises(SignatureError, match="placeholder"):
        verify(with_placeholder(PLAIN))


@pytest.mark.parametrize(
    "octets", [b"", b"<a", b"<a/>", SIGNED, with_placeholder(PLAIN), PLAIN.replace(b"<sr:Body>", b"<!-- --><sr:Body>")]
)
def test_only_an_unsigned_document_is_signed(octets: bytes) -> None:
    with pytest.raises(UsageError, match="cannot be signed"):
        SIGNER.sign(octets)
