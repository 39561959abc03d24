"""Binds dataclasses to XML elements: each field, in element order, names its element and its type.

A field's metadata is made by `leaf`, `group`, `choice`, `many` or `text`. A field whose value is None, or an empty
tuple, has no element. Types are written and read here only; order, presence and facets are the schema's to check.
`writing` and `reading` carry the elements.
"""

import base64
import binascii
import dataclasses
from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from typing import Any, NamedTuple

from protocols.addresses import Eui64
from protocols.duis.identifiers import EUI_FORM, RequestId, eui_of
from protocols.duis.times import format_date, format_date_time, parse_date, parse_date_time
from protocols.errors import InputError

NAMESPACE = "http://www.dccinterface.co.uk/ServiceUserGateway"
MAX_IMAGE = 10_240_000  # octets, decoded. Source: DUIS XML schema V5.4


class Image(str):
    """A long base64 text: the schema check of our own octets leaves it out."""

    __slots__ = ()


class Simple(NamedTuple):
    """How one simple type is read from text (InputError if it cannot be) and written."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]


class Kind(Enum):
    LEAF = 0
    GROUP = 1
    CHOICE = 2
    MANY = 3
    TEXT = 4
    SERVICE = 5
    LISTED = 6


class Binding(NamedTuple):
    kind: Kind
    name: str  # of the element; for a choice of the element around it, if any
    simple: Simple | None = None
    members: tuple[type[Any], ...] = ()


def leaf(name: str, simple: Simple) -> Mapping[str, Binding]:
    """Bind to an element with simple content."""
    return {"duis": Binding(Kind.LEAF, name, simple)}


def group(name: str, member: type[Any]) -> Mapping[str, Binding]:
    """Bind to an element that holds another bound dataclass."""
    return {"duis": Binding(Kind.GROUP, name, None, (member,))}


def many(name: str, member: type[Any]) -> Mapping[str, Binding]:
    """Bind a tuple to repeated elements."""
    return {"duis": Binding(Kind.MANY, name, None, (member,))}


def listed(name: str, simple: Simple) -> Mapping[str, Binding]:
    """Bind a tuple to repeated elements with simple content."""
    return {"duis": Binding(Kind.LISTED, name, simple)}


def choice(*members: type[Any], within: str = "") -> Mapping[str, Binding]:
    """Bind to exactly one of several named dataclasses, inside an element `within` if one is named."""
    return {"duis": Binding(Kind.CHOICE, within, None, members)}


def text(simple: Simple) -> Mapping[str, Binding]:
    """Bind to the text of the dataclass's own element."""
    return {"duis": Binding(Kind.TEXT, "", simple)}


def service() -> Mapping[str, Binding]:
    """Bind a ServiceReferenceVariant to its two elements: ServiceReference, its first two numbers, and itself."""
    return {"duis": Binding(Kind.SERVICE, "ServiceReferenceVariant", STRING)}


def bindings(bound: type[Any]) -> tuple[tuple[str, Binding], ...]:
    """Return (attribute, binding) of each bound field in element order."""
    known = _BINDINGS.get(bound)
    if known is None:
        known = _BINDINGS[bound] = _bindings(bound)
    return known


_BINDINGS: dict[type[Any], tuple[tuple[str, Binding], ...]] = {}


def _bindings(bound: type[Any]) -> tuple[tuple[str, Binding], ...]:
    return tuple((f.name, f.metadata["duis"]) for f in dataclasses.fields(bound) if "duis" in f.metadata)


# --- simple types --------------------------------------------------------------------------------------------------


def _read_base64(written: str) -> bytes:
    packed = written.encode("ascii", "replace").translate(None, b" \t\r\n")
    try:
        octets = base64.b64decode(packed, validate=True)
    except binascii.Error as error:
        raise InputError(f"not base64: {error}") from None
    tail = octets[len(octets) // 3 * 3 :]
    if tail and base64.b64encode(tail) != packed[-4:]:
        raise InputError("not base64: bits left over")
    return octets


def _read_image(written: str) -> bytes:
    image = _read_base64(written)
    if len(image) > MAX_IMAGE:
        raise InputError(f"image of {len(image):,} octets, at most {MAX_IMAGE:,}")
    return image


def _read_eui_list(written: str) -> tuple[Eui64, ...]:
    return tuple(_read_eui(item) for item in written.split(","))


def _read_eui(written: str) -> Eui64:
    if EUI_FORM.fullmatch(written) is None:
        raise InputError(f"not an EUI-64 of DUIS: {written[:40]!r}")
    return eui_of(written)


def _write_hex(value: bytes) -> str:
    return value.hex().upper()


def _write_code(value: int) -> str:
    return value.to_bytes(2, "big").hex().upper()


def _write_text(value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, not {type(value).__name__}")
    return str(value)


def _write_number(value: int) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"number expected, not {type(value).__name__}")
    return str(int(value))


def enumerated(names: type[StrEnum]) -> Simple:
    """Return the type of a closed list of texts."""
    return Simple(names, _write_text)


STRING = Simple(str, _write_text)
INTEGER = Simple(int, _write_number)
BOOLEAN = Simple(lambda written: written.strip() in ("true", "1"), lambda value: "true" if value else "false")
DATE_TIME = Simple(parse_date_time, format_date_time)  # int ns UTC
DATE = Simple(parse_date, format_date)  # int ns UTC, start of the day
EUI = Simple(_read_eui, lambda value: value.hyphenated)
EUI_LIST = Simple(_read_eui_list, lambda value: ",".join(item.hyphenated for item in value))
REQUEST_ID = Simple(RequestId.parse, str)
HEX = Simple(lambda written: bytes.fromhex(written.strip()), _write_hex)
ALERT_CODE = Simple(lambda written: int(written.strip(), 16), _write_code)  # 16 bits
BASE64 = Simple(_read_base64, lambda value: base64.b64encode(value).decode("ascii"))
IMAGE = Simple(_read_image, lambda value: Image(base64.b64encode(value).decode("ascii")))
