"""The form of the signature element: which elements, attributes and algorithms, in which order, and nothing beside."""

import base64
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


def match(element: etree._Element, form: Form) -> dict[str, str]:
    """Return the texts of a signature by element, blanks around them off. Raises SignatureError for another form."""
    texts: dict[str, str] = {}
    _match(element, form, texts)
    return texts


def _match(element: etree._Element, form: Form, texts: dict[str, str]) -> None:
    if element.tag != form.tag:
        raise _fault(f"{form.name} expected", element)
    attributes = [(str(name), str(value)) for name, value in element.items()]
    if attributes != ([form.attribute] if form.attribute else []):
        raise _fault(_attribute_fault(form, attributes), element)
    children, text = list(element), (element.text or "").strip(_BLANKS)
    if not (form.children or form.empty):
        texts[form.name] = text
        text = ""
    if text:
        raise _fault("text where none belongs", element)
    for child, expected in zip(children, form.children, strict=False):
        _match(child, expected, texts)
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
