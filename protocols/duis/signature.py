"""The XML signature of a DUIS document, in the one profile the interface has. Anything else is refused.

Enveloped, the last child of the root; one reference to the whole document with the enveloped-signature transform, so
that its digest is SHA-256 over inclusive Canonical XML 1.0 without comments; SignedInfo in exclusive canonical form;
ECDSA P-256 with SHA-256, r then s; the key told by issuer name and serial number.
Source: the published request templates and responses; W3C XML Signature Syntax and Processing 1.1.
"""

import hashlib
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from lxml import etree

from protocols.duis.binding import BASE64
from protocols.duis.errors import SignatureError
from protocols.duis.signature_profile import DS, match, write_signature, write_signed_info
from protocols.errors import InputError, UsageError
from protocols.gbcs.smki import Certificate, RemotePartyRole
from protocols.interfaces import Entropy

_NAME = f"{{{DS}}}Signature"
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?(?:<\?xml[ \t\r\n][^>]*>)?")
_COMMA = re.compile(r"\s*,\s*")
_OCTETS = 64  # r and s
_PLACEHOLDER_VALUE, _PLACEHOLDER_SERIAL = b"default", 1234567890  # of the published request templates


class Verdict(StrEnum):
    """What became of checking a document's signature."""

    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"
    PLACEHOLDER = "placeholder"  # the dummy of the published request templates


class Judgement(NamedTuple):
    verdict: Verdict
    reason: str = ""  # one line, empty for a valid one


@dataclass(frozen=True, slots=True)
class XmlSignature:
    """A signature as it was read with its document; `verify` tells whether it can be believed.

    fault: why it cannot, whatever the key: not of the profile, or the document is not the one that was signed.
    """

    issuer: str = ""  # of the signer's certificate, RFC 4514 with or without blanks
    serial: int = 0
    signed_info: bytes = b""  # canonical
    value: bytes = b""  # 64 octets
    fault: str = ""
    placeholder: bool = False

    def verify(self, certificate: Certificate, role: RemotePartyRole, now: int) -> None:
        """Raise SignatureError unless the key of `certificate` made the signature.

        role: that the certificate must have, for XML signing. now: ns UTC, at which it must be valid.
        """
        if self.fault:
            raise SignatureError(self.fault)
        if certificate.role is not role:
            raise SignatureError(f"the certificate is not one of a {role.name}")
        if not certificate.valid_from <= now <= certificate.valid_until + 999_999_999:
            raise SignatureError("the certificate is not valid at this time")
        if self.serial != certificate.serial or _plain(self.issuer) != _plain(certificate.issuer_name):
            raise SignatureError(
                f"the key is that of {self.issuer[:80]} {self.serial}, "
                f"not of {certificate.issuer_name} {certificate.serial}"
            )
        r, s = int.from_bytes(self.value[:32], "big"), int.from_bytes(self.value[32:], "big")
        try:
            certificate.public_key.verify(encode_dss_signature(r, s), self.signed_info, ECDSA(SHA256()))
        except InvalidSignature:
            raise SignatureError("the signature does not verify", element="SignatureValue") from None


def judge(
    signature: XmlSignature | None, certificate: Certificate | None, role: RemotePartyRole, now: int
) -> Judgement:
    """Judge the signature of a document by the certificate its sender must have; both may be missing."""
    if signature is None:
        return Judgement(Verdict.ABSENT, "no signature")
    if signature.placeholder:
        return Judgement(Verdict.PLACEHOLDER, signature.fault)
    if certificate is None:
        return Judgement(Verdict.INVALID, "no XML signing certificate of the sender")
    try:
        signature.verify(certificate, role, now)
    except SignatureError as error:
        return Judgement(Verdict.INVALID, str(error))
    return Judgement(Verdict.VALID)


def read_signature(root: etree._Element, octets: bytes) -> XmlSignature | None:
    """Take the signature out of a parsed document and compute its digest; None if it has none.

    root: parsed from `octets` without comments and processing instructions; it is left without its signature.
    """
    found = list(root.iter(_NAME))
    if not found:
        return None
    try:
        return _read(root, found, octets)
    except SignatureError as error:
        return XmlSignature(fault=str(error))


def _read(root: etree._Element, found: list[etree._Element], octets: bytes) -> XmlSignature:
    signature = found[0]
    if len(found) > 1:
        raise _fault("a second signature", found[1])
    if len(root) == 0 or root[-1] is not signature:
        raise _fault("not the last child of the root", signature)
    parts = match(signature, _canonical(signature, exclusive=True))
    value, digest = _base64(parts.value, "SignatureValue"), _base64(parts.digest, "DigestValue")
    serial = parts.serial
    if not (serial.isascii() and serial.isdecimal() and len(serial) <= 50):
        raise SignatureError("not a decimal number", element="X509SerialNumber")
    if value == digest == _PLACEHOLDER_VALUE and int(serial) == _PLACEHOLDER_SERIAL:
        return XmlSignature(fault="the placeholder of a template", placeholder=True)
    if len(value) != _OCTETS:
        raise SignatureError(f"{len(value)} octets, not {_OCTETS}", element="SignatureValue")
    _refuse_unseen(octets)
    if _digest_without(root, signature) != digest:
        raise SignatureError("the document is not the one that was signed", element="DigestValue")
    return XmlSignature(parts.issuer, int(serial), parts.signed_info, value)


def _refuse_unseen(octets: bytes) -> None:
    """Refuse what a signed document could hold without our reading it: comments and processing instructions."""
    declaration = _DECLARATION.match(octets)
    start = 0 if declaration is None else declaration.end()
    for mark, what in ((b"<!--", "a comment"), (b"<?", "a processing instruction")):
        at = octets.find(mark, start)
        if at >= 0:
            raise SignatureError(f"{what} in a signed document", line=octets.count(b"\n", 0, at) + 1)


def _digest_without(root: etree._Element, signature: etree._Element) -> bytes:
    """Apply the enveloped-signature transform and return the digest; white space behind the signature stays."""
    before = signature.getprevious()
    if signature.tail and before is not None:
        before.tail = (before.tail or "") + signature.tail
    elif signature.tail:
        root.text = (root.text or "") + signature.tail
    root.remove(signature)
    return hashlib.sha256(_canonical(root, exclusive=False)).digest()


def _canonical(element: etree._Element, *, exclusive: bool) -> bytes:
    try:
        return etree.tostring(element, method="c14n", exclusive=exclusive, with_comments=False)
    except etree.C14NError as error:
        raise SignatureError(f"no canonical form: {error}") from None


def _base64(text: str, name: str) -> bytes:
    try:
        octets: bytes = BASE64.read(text)
    except InputError as error:
        raise SignatureError(str(error), element=name) from None
    return octets


def _plain(name: str) -> str:
    return _COMMA.sub(",", name.strip())


def _fault(what: str, element: etree._Element) -> SignatureError:
    line: object = element.sourceline
    return SignatureError(what, line=line if isinstance(line, int) else None, element="Signature")


class Written(bytes):
    """A document as we write it: behind the line of its declaration the text is its own inclusive canonical form."""

    __slots__ = ()

    @property
    def canonical(self) -> bytes:
        return self[self.index(b"\n") + 1 :].rstrip(b"\n")


class XmlSigner:
    """Signs documents with one key; the same document gives the same octets where `entropy` repeats itself."""

    def __init__(self, key: EllipticCurvePrivateKey, certificate: Certificate, entropy: Entropy) -> None:
        self._key, self._entropy = key, entropy
        self._issuer, self._serial = certificate.issuer_name, certificate.serial

    def sign(self, octets: bytes) -> bytes:
        """Return a document with its signature put before the end of the root; nothing else of it changes.

        Raises UsageError for octets that are no document, have a signature, a comment or a processing instruction.
        """
        if isinstance(octets, Written):
            return self._signed(octets, octets.canonical)
        parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True, huge_tree=True)
        try:
            root = etree.fromstring(octets, parser)
            _refuse_unseen(octets)
            canonical = _canonical(root, exclusive=False)
        except (etree.XMLSyntaxError, ValueError, SignatureError) as error:
            raise UsageError(f"cannot be signed: {error}") from error
        if octets.rfind(b"</") < 0 or next(root.iter(_NAME), None) is not None:
            raise UsageError("cannot be signed: an empty document, or one that is signed")
        return self._signed(octets, canonical)

    def _signed(self, octets: bytes, canonical: bytes) -> bytes:
        signed_info = write_signed_info(hashlib.sha256(canonical).digest())
        value = self._entropy.sign(self._key, signed_info)
        end = octets.rfind(b"</")
        return octets[:end] + write_signature(signed_info, value, self._issuer, self._serial) + octets[end:]
