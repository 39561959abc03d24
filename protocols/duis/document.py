"""A DUIS document, octets to dataclass and back: safe parsing, size limits, schema, binding."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from lxml import etree

from protocols.duis.binding import MAX_IMAGE, NAMESPACE, Image
from protocols.duis.errors import DuisError
from protocols.duis.identifiers import RequestId
from protocols.duis.reading import line_of, local_name, read
from protocols.duis.schema import check, version_of
from protocols.duis.signature import Written, XmlSignature, read_signature
from protocols.duis.writing import write
from protocols.errors import InputError, UsageError

MAX_DOCUMENT = 20_000_000  # octets: the largest image in lines of base64, the longest list of devices, and room

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_HUGE = 8_000_000  # octets; libxml2 refuses texts of 10,000,000 unless told otherwise
_IMAGE = f"{{{NAMESPACE}}}FirmwareImage"
_IMAGE_START = re.compile(rb"<(?:[^\s<>/:=\"']+:)?FirmwareImage(?:\s[^<>]*)?>")
_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s++|<\?.*?\?>|<!--.*?-->)*+", re.DOTALL)
_PLACE = re.compile(r", line \d+, column \d+$")  # libxml2 repeats it in its text
_DECLARED = re.compile(rb"(?:\xef\xbb\xbf)?<\?xml\s[^>]*?encoding\s*=\s*[\"']([^\"'>]*)[\"']")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Document(Generic[T]):
    value: T
    schema_version: str
    signature: XmlSignature | None  # read, not verified


def encode_document(name: str, value: object, schema_version: str, *, checked: bool = True) -> Written:
    """Write `value` as root element `name`.

    The same value gives the same octets: UTF-8, prefix sr, two spaces a level, no signature.
    Raises UsageError for a value that has no form and, if `checked`, where our own schema refuses the outcome.
    """
    parts = write(name, value)
    parts[0] = f'{_DECLARATION}<sr:{name} xmlns:sr="{NAMESPACE}" schemaVersion="{schema_version}">\n'
    try:
        octets = "".join(parts).encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(f"not a DUIS document: {error}") from error
    if checked:
        _check_own(octets, parts)
    return Written(octets)


def _check_own(octets: bytes, parts: list[str]) -> None:
    """Hold what we wrote against the schema; images by their length alone."""
    images = [part for part in parts if isinstance(part, Image)]
    bare = "".join("" if isinstance(part, Image) else part for part in parts).encode() if images else octets
    try:
        root = _tree(bare, huge=False)
        fault = check(root, version_of(root.get("schemaVersion"), None))
    except DuisError as error:
        raise UsageError(f"not a DUIS document: {error}") from error
    if fault is not None:
        raise UsageError(f"{fault.element}: {fault.message}")
    if any(_decoded(len(image.rstrip("="))) > MAX_IMAGE for image in images):
        raise UsageError(f"FirmwareImage of more than {MAX_IMAGE:,} octets")


def parse_document(octets: bytes, name: str, bound: type[T]) -> Document[T]:
    """Read a document with root element `name`. Raises DuisError; nothing else for any octets."""
    _refuse_early(octets)
    root = _tree(octets, huge=len(octets) > _HUGE)
    if root.tag != f"{{{NAMESPACE}}}{name}":
        raise DuisError(f"root element {name} expected", line=line_of(root), element=local_name(root))
    try:
        return _read_checked(root, bound, octets)
    except DuisError as error:
        header = f"{{{NAMESPACE}}}Header/{{{NAMESPACE}}}"
        raise DuisError(
            error.what, line=error.line, column=error.column, element=error.element,
            request_id=_request_id(root.findtext(f"{header}RequestID")),
            service=root.findtext(f"{header}ServiceReferenceVariant"),
        ) from error  # fmt: skip


def _read_checked(root: etree._Element, bound: type[T], octets: bytes) -> Document[T]:
    version = version_of(root.get("schemaVersion"), line_of(root))
    images = [(element, element.text) for element in root.iter(_IMAGE)]
    for element, _ in images:
        element.text = ""  # its type and length are checked by our own code: `_refuse_early` and the binding
    fault = check(root, version)
    if fault is not None:
        raise DuisError(fault.message, line=fault.line, element=fault.element)
    for element, image in images:
        element.text = image
    return Document(read(bound, root), version.number, read_signature(root, octets))


def _request_id(text: str | None) -> RequestId | None:
    try:
        return None if text is None else RequestId.parse(text)
    except InputError:
        return None


@cache
def _parser(huge: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=huge,
        remove_comments=True,
        remove_pis=True,
    )


def _tree(octets: bytes, *, huge: bool) -> etree._Element:
    try:
        root = etree.fromstring(octets, _parser(huge))
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise DuisError(_PLACE.sub("", error.msg or "not XML"), line=max(line, 1), column=max(column, 1)) from None
    except ValueError as error:
        raise DuisError(f"not XML: {error}") from None
    docinfo: Any = root.getroottree().docinfo
    if docinfo.doctype:
        raise DuisError("a document type is not allowed", line=1)
    return root


def _refuse_early(octets: bytes) -> None:
    """Refuse by plain search what must not reach the XML parser: too long, not UTF-8, a document type."""
    if len(octets) > MAX_DOCUMENT:
        raise DuisError(f"document of {len(octets):,} octets, at most {MAX_DOCUMENT:,} are read")
    declared = _DECLARED.match(octets)
    if declared is not None and declared[1].upper() not in (b"UTF-8", b"US-ASCII", b"ASCII"):
        raise DuisError(f"encoding UTF-8 expected, not {declared[1][:20].decode('ascii', 'replace')}", line=1)
    prolog = _PROLOG.match(octets)
    start = 0 if prolog is None else prolog.end()
    if octets[start : start + 9].upper() == b"<!DOCTYPE":
        raise DuisError("a document type is not allowed", line=_line_at(octets, start))
    for opening in _IMAGE_START.finditer(octets):
        _refuse_long_image(octets, opening)


def _refuse_long_image(octets: bytes, opening: "re.Match[bytes]") -> None:
    end = octets.find(b"<", opening.end())
    text = octets[opening.end() : len(octets) if end < 0 else end]
    if len(text) <= MAX_IMAGE:
        return  # base64 is longer than what it stands for
    size = _decoded(len(text.replace(b"&#13;", b"").translate(None, b" \t\r\n=")))
    if size > MAX_IMAGE:
        line = _line_at(octets, opening.start())
        raise DuisError(f"image of {size:,} octets, at most {MAX_IMAGE:,}", line=line, element="FirmwareImage")


def _decoded(characters: int) -> int:
    """Return the octets that many base64 characters, without padding, stand for."""
    return characters * 3 // 4


def _line_at(octets: bytes, offset: int) -> int:
    return octets.count(b"\n", 0, offset) + 1
