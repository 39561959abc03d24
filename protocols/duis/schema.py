"""The XML schema, by schemaVersion.

`duis.xsd` is one file. A declaration with the attribute `hl:switch` exists only in the versions whose row names that
switch; which versions those are is data, below.
"""

import functools
from importlib import resources
from typing import Any, NamedTuple

from lxml import etree

from protocols.duis.errors import DuisError

_SWITCH = "{https://hanlab.invalid/duis/switch}switch"
PPMID_VARIANT = "ppmid-variant"


class SchemaVersion(NamedTuple):
    number: str
    switches: tuple[str, ...]  # of duis.xsd


SCHEMA_VERSIONS: dict[str, SchemaVersion] = {
    version.number: version
    for version in (
        SchemaVersion("5.1", ()),
        SchemaVersion("5.2", ()),
        SchemaVersion("5.3", ()),
        SchemaVersion("5.4", ()),
        SchemaVersion("5.5", (PPMID_VARIANT,)),  # inferred: the number MP170's DUIS release will carry is not public
    )
}
"""The published schema is 5.4; earlier numbers, seen on published messages, are read by it."""

CURRENT_VERSION = "5.5"
"""What is written unless told otherwise."""

PUBLISHED_VERSION = "5.4"
"""The newest one that is published: what nobody asked for is written in it, since none of it needs more."""

PPMID_VARIANT_VERSION = "5.5"
"""The first version with the element PPMIDVariant (SEC modification MP170)."""


class Fault(NamedTuple):
    """The first thing the schema refuses."""

    message: str
    line: int
    element: str


def has_ppmid_variant(schema_version: str) -> bool:
    """Tell whether documents of this version carry PPMIDVariant."""
    row = SCHEMA_VERSIONS.get(schema_version)
    return row is not None and PPMID_VARIANT in row.switches


def version_of(number: str | None, line: int | None) -> SchemaVersion:
    """Return the row of a document's schemaVersion. Raises DuisError for one not known."""
    row = SCHEMA_VERSIONS.get(number or "")
    if row is None:
        shown = "no schemaVersion" if number is None else f"unknown schemaVersion {number[:20]!r}"
        raise DuisError(f"{shown}; known: {', '.join(SCHEMA_VERSIONS)}", line=line)
    return row


def check(root: etree._Element, version: SchemaVersion) -> Fault | None:
    """Validate a document; None if it is valid."""
    schema = _schema(version.switches)
    if schema.validate(root.getroottree()):
        return None
    log: Any = schema.error_log
    entry = log[0]
    path = (entry.path or "").rsplit("/", 1)[-1]
    element = path.split("[", 1)[0].rsplit(":", 1)[-1]
    return Fault(_shorten(entry.message), entry.line, _element_of(entry.message) or element)


def source(switches: tuple[str, ...]) -> bytes:
    """Return the schema as it stands with these switches on."""
    root = etree.fromstring(resources.files(__package__).joinpath("duis.xsd").read_bytes())
    for declaration in list(root.iter("{http://www.w3.org/2001/XMLSchema}element")):
        switch = declaration.get(_SWITCH)
        if switch is not None:
            del declaration.attrib[_SWITCH]
        parent = declaration.getparent()
        if switch is not None and switch not in switches and parent is not None:
            parent.remove(declaration)
    return etree.tostring(root)


@functools.cache
def _schema(switches: tuple[str, ...]) -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(source(switches)))


def _element_of(message: str) -> str:
    """Return the local name in libxml2's `Element '{namespace}name': ...`."""
    if not message.startswith("Element '"):
        return ""
    return message[9:].split("'", 1)[0].rsplit("}", 1)[-1]


def _shorten(message: str) -> str:
    """Drop the namespace from libxml2's text, and the rest of a long one."""
    text = message.replace("{http://www.dccinterface.co.uk/ServiceUserGateway}", "")
    text = text.split(": ", 1)[1] if text.startswith("Element '") and ": " in text else text
    text = text.removeprefix("[facet 'enumeration'] ")
    return text if len(text) <= 200 else text[:200] + "..."
