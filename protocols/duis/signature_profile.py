"""The form of the signature element: which elements, attributes and algorithms, in which order, and nothing beside.

Its canonical octets are held against one pattern made of the form; only what that refuses is looked at element by
element, to name what is wrong.
"""

import base64
import re
from typing import NamedTuple

from lxml import etree

from protocols.duis.errors import SignatureError

DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ECDSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
ENVELOPED = f"{DS}enveloped-signature"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"

_BLANKS = " \t\r\n"


class Form(NamedTuple):
    """One element: its only attribute, and either its children or, with none, a text."""

    name: str
    attribute: tuple[str, str] | None = None  # name and value
    children: tuple["Form", ...] = ()
    empty: bool = False  # neither children nor text

    @property
    def tag(self) -> str:
        return f"{{{DS}}}{self.name}"


def _algorithm(name: str, algorithm: str) -> Form:
    return Form(name, ("Algorithm", algorithm), empty=True)


_REFERENCE = Form(
    "Reference",
    ("URI", ""),
    (
        Form("Transforms", children=(_algorithm("Transform", ENVELOPED),)),
        _algorithm("DigestMethod", SHA256),
        Form("DigestValue"),
    ),
)
_SIGNED_INFO = Form(
    "SignedInfo",
    children=(
        _algorithm("CanonicalizationMethod", EXCLUSIVE),
        _algorithm("SignatureMethod", ECDSA_SHA256),
        _REFERENCE,
    ),
)
_ISSUER_SERIAL = Form("X509IssuerSerial", children=(Form("X509IssuerName"), Form("X509SerialNumber")))
SIGNATURE = Form(
    "Signature",
    children=(
        _SIGNED_INFO,
        Form("SignatureValue"),
        Form("KeyInfo", children=(Form("X509Data", children=(_ISSUER_SERIAL,)),)),
    ),
)


class Parts(NamedTuple):
    """What a signature says, its texts as they stand but for references to characters."""

    signed_info: bytes  # canonical
    digest: str
    value: str
    issuer: str
    serial: str


_BLANK = rb"(?:[ \t\n]|&#xD;)*+"
_PREFIX = rb"(?(prefix)(?P=prefix):)"  # of all elements that of the first


def _pattern(form: Form, declaration: bytes = b"") -> bytes:
    """Return a pattern of the element in exclusive canonical form, its content a group of its name."""
    content = _BLANK if form.empty else rb"[^<]*+"
    if form.children:
        content = _BLANK + b"".join(_pattern(child) + _BLANK for child in form.children)
    name, attribute = _PREFIX + form.name.encode(), b""
    if form.attribute is not None:
        attribute = re.escape(f' {form.attribute[0]}="{form.attribute[1]}"'.encode())
    start = name if not declaration else rb"(?:(?P<prefix>[^\s<>:=\"]+):)?" + form.name.encode() + declaration
    return b"<" + start + attribute + b">(?P<" + form.name.encode() + b">" + content + b")</" + name + b">"


_CANONICAL = re.compile(_pattern(SIGNATURE, rb" xmlns(?(prefix):(?P=prefix))=" + re.escape(f'"{DS}"'.encode())))


def match(element: etree._Element, canonical: bytes) -> Parts:
    """Return what a signature says. Raises SignatureError for another form.

    canonical: the element in exclusive canonical form.
    """
    found = _CANONICAL.fullmatch(canonical)
    if found is None:
        _explain(element, SIGNATURE)
        raise _fault("another prefix inside than outside", element)
    prefix = found["prefix"]
    name, colon = (b"SignedInfo", b"") if prefix is None else (prefix + b":SignedInfo", b":" + prefix)
    inside = found["SignedInfo"]
    signed_info = b'<%b xmlns%b="%b">%b</%b>' % (name, colon, DS.encode(), inside, name)
    names = ("DigestValue", "SignatureValue", "X509IssuerName", "X509SerialNumber")
    return Parts(signed_info, *(_text(found[name]) for name in names))


def _text(written: bytes) -> str:
    """Return a text of a canonical form."""
    text = written.decode("utf-8").strip(_BLANKS)
    if "&" not in text:
        return text
    for reference, character in (("&#xD;", "\r"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(reference, character)
    return text.strip(_BLANKS)


def _explain(element: etree._Element, form: Form) -> None:
    """Raise SignatureError for the first thing that is not of the form."""
    if element.tag != form.tag:
        raise _fault(f"{form.name} expected", element)
    attributes = [(str(name), str(value)) for name, value in element.items()]
    if attributes != ([form.attribute] if form.attribute else []):
        raise _fault(_attribute_fault(form, attributes), element)
    children, text = list(element), (element.text or "").strip(_BLANKS)
    if text and (form.children or form.empty):
        raise _fault("text where none belongs", element)
    for child, expected in zip(children, form.children, strict=False):
        _explain(child, expected)
        if child.tail and child.tail.strip(_BLANKS):
            raise _fault("text where none belongs", element)
    if len(children) > len(form.children):
        raise _fault(f"not an element of {form.name}", children[len(form.children)])
    if len(children) < len(form.children):
        raise _fault(f"no {form.children[len(children)].name} in it", element)


def _attribute_fault(form: Form, attributes: list[tuple[str, str]]) -> str:
    if form.attribute is None:
        return f"attribute {attributes[0][0][:80]}, none is allowed"
    name, value = form.attribute
    found = dict(attributes).get(name)
    if found is None:
        return f"no attribute {name}"
    if found != value:
        return f"{name} {found[:80]!r}, only {value!r} is allowed"
    return f"attributes besides {name}"


def _fault(what: str, element: etree._Element) -> SignatureError:
    line: object = element.sourceline
    name = etree.QName(element).localname
    return SignatureError(what, line=line if isinstance(line, int) else None, element=name)


# --- writing -------------------------------------------------------------------------------------------------------


def write_signed_info(digest: bytes) -> bytes:
    """Return SignedInfo in exclusive canonical form."""
    return (
        f'<ds:SignedInfo xmlns:ds="{DS}">'
        f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"></ds:CanonicalizationMethod>'
        f'<ds:SignatureMethod Algorithm="{ECDSA_SHA256}"></ds:SignatureMethod>'
        f'<ds:Reference URI=""><ds:Transforms><ds:Transform Algorithm="{ENVELOPED}"></ds:Transform></ds:Transforms>'
        f'<ds:DigestMethod Algorithm="{SHA256}"></ds:DigestMethod>'
        f"<ds:DigestValue>{base64.b64encode(digest).decode()}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    ).encode()


def write_signature(signed_info: bytes, value: bytes, issuer: str, serial: int) -> bytes:
    """Return the element around a canonical SignedInfo; the namespace is declared once, above it."""
    inside = signed_info.decode().replace(f' xmlns:ds="{DS}"', "", 1)
    issuer = issuer.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    key = f"<ds:X509IssuerName>{issuer}</ds:X509IssuerName><ds:X509SerialNumber>{serial}</ds:X509SerialNumber>"
    return (
        f'<ds:Signature xmlns:ds="{DS}">{inside}'
        f"<ds:SignatureValue>{base64.b64encode(value).decode()}</ds:SignatureValue>"
        f"<ds:KeyInfo><ds:X509Data><ds:X509IssuerSerial>{key}</ds:X509IssuerSerial></ds:X509Data></ds:KeyInfo>"
        "</ds:Signature>"
    ).encode()
