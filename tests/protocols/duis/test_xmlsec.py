"""`xmlsec1` verifies what we sign, by issuer and serial up to the root, and we verify what it signs."""

import base64
from pathlib import Path

import pytest

from emulator.entropy import SeededEntropy
from protocols.addresses import Eui64
from protocols.duis.requests import parse_request
from protocols.duis.responses import parse_response
from protocols.duis.signature import Judgement, Verdict, XmlSigner, judge
from protocols.gbcs.smki import KeyPair, RemotePartyRole, TestPki
from tests.support.duis_documents import REQUEST_DOCUMENTS, RESPONSE_DOCUMENTS
from tests.support.xmldsig import Xmlsec, template

pytestmark = pytest.mark.judge("xmlsec1")

NOW = 1_772_442_000_000_000_000  # 2026-03-02T09:00:00Z
ENTROPY = SeededEntropy(7)
PKI = TestPki(ENTROPY, NOW)
ROLES = {
    "request": (Eui64(0x90B3D51F30010000), RemotePartyRole.XML_SIGNING_USER),
    "response": (Eui64(0x90B3D51F30000002), RemotePartyRole.XML_SIGNING_DSP),
}
DOCUMENTS = {
    **{f"request {name}": octets for name, octets in REQUEST_DOCUMENTS.items()},
    **{f"response {name}": octets for name, octets in RESPONSE_DOCUMENTS.items()},
}
_PLAIN = REQUEST_DOCUMENTS["8.2 by device"]
_BIG = base64.b64encode(bytes(range(256)) * 3000)
ODD = {
    "unused name spaces": _PLAIN.replace(b"<sr:Request ", b'<sr:Request xmlns:ra="urn:a" xmlns:ds="urn:other" '),
    "the form of templates": _PLAIN.replace(
        b"<sr:Request ", b'<sr:Request xmlns:ds="http://www.w3.org/2000/09/xmldsig#" '
    ),
    "a default name space": _PLAIN.replace(b"<sr:", b"<").replace(b"</sr:", b"</").replace(b"xmlns:sr", b"xmlns"),
    "attributes in another order": _PLAIN.replace(b' schemaVersion="5.5"', b"").replace(
        b"<sr:Request ", b"<sr:Request\n schemaVersion = '5.5'\t"
    ),
    "lines of another system": _PLAIN.replace(b"\n", b"\r\n"),
    "character references": _PLAIN.replace(b">8.2</", b">&#x38;&#46;2</").replace(b"</sr:Body>", b"&#13;</sr:Body>"),
    "a CDATA section": _PLAIN.replace(b">8.2</", b"><![CDATA[8.2]]></"),
    "no line breaks": _PLAIN.replace(b"\n", b""),
    "more white space": _PLAIN.replace(b"\n", b"\n\n\t "),
    "a byte order mark": b"\xef\xbb\xbf" + _PLAIN,
    "letters beyond ASCII": REQUEST_DOCUMENTS["8.2 by property"].replace(
        b"Identifier>1", "Identifier>Zürich €".encode()
    ),
    "an image": REQUEST_DOCUMENTS["11.1"].replace(b"aW1hZ2U=", _BIG),
}


def pair_of(octets: bytes) -> tuple[KeyPair, RemotePartyRole]:
    eui, role = ROLES["request" if b"Request " in octets or b"Request\n" in octets else "response"]
    return PKI.xml_signing(eui, role), role


def judged(octets: bytes) -> Judgement:
    pair, role = pair_of(octets)
    is_request = role is RemotePartyRole.XML_SIGNING_USER
    signature = parse_request(octets).signature if is_request else parse_response(octets).signature
    return judge(signature, pair.certificate, role, NOW)


def xmlsec(folder: Path, octets: bytes) -> Xmlsec:
    return Xmlsec(folder, pair_of(octets)[0], (PKI.root, PKI.issuing))


@pytest.mark.parametrize("name", [*DOCUMENTS, *ODD])
def test_xmlsec_verifies_what_we_sign(name: str, tmp_path: Path) -> None:
    octets = (DOCUMENTS | ODD)[name]
    pair, _ = pair_of(octets)
    signed = XmlSigner(pair.key, pair.certificate, ENTROPY).sign(octets)
    assert xmlsec(tmp_path, octets).verify(signed)
    assert judged(signed).verdict is Verdict.VALID


@pytest.mark.parametrize("name", [*DOCUMENTS, *ODD])
def test_we_verify_what_xmlsec_signs(name: str, tmp_path: Path) -> None:
    octets = (DOCUMENTS | ODD)[name]
    signed = xmlsec(tmp_path, octets).sign(template(octets))
    assert judged(signed).verdict is Verdict.VALID


def test_we_verify_a_signature_in_the_default_name_space(tmp_path: Path) -> None:
    empty = template(_PLAIN).replace(b"<ds:", b"<").replace(b"</ds:", b"</")
    assert b"<Signature " in empty
    signed = xmlsec(tmp_path, _PLAIN).sign(empty)
    assert judged(signed).verdict is Verdict.VALID


@pytest.mark.parametrize("change", [(b"90-A2", b"90-A0"), (b"<sr:Body>", b"<sr:Body> "), (b"CN=Z1", b"CN=Z2")])
def test_xmlsec_and_we_refuse_the_same_alterations(change: tuple[bytes, bytes], tmp_path: Path) -> None:
    pair, _ = pair_of(_PLAIN)
    altered = XmlSigner(pair.key, pair.certificate, ENTROPY).sign(_PLAIN).replace(*change)
    assert not xmlsec(tmp_path, _PLAIN).verify(altered)
    assert judged(altered).verdict is Verdict.INVALID
