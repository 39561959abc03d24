"""Writes bound dataclasses as elements, in the one layout whose text is Canonical XML already.

Two spaces a level, every element with an end tag, `&#xD;` for a carriage return. What follows from the class of a value
and its depth is worked out once.
"""

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeAlias

from protocols.caching import once
from protocols.duis.binding import Binding, Image, Kind, bindings
from protocols.errors import UsageError

_STEP = "  "
_REMEMBERED = 4096  # values of one kind
_SPECIAL = re.compile("[&<>\r]")
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}

_Parts: TypeAlias = list[str]
_Writer: TypeAlias = Callable[[_Parts, Any], None]


def write(name: str, value: object) -> list[str]:
    """Return the parts of element `name` holding the bound dataclass `value`, each line ended.

    The first part is the start tag and nothing else. Raises UsageError for a value that has no form.
    """
    parts: _Parts = []
    _element(name, type(value), 0)(parts, value)
    return parts


@once
def _element(name: str, bound: type[Any], depth: int) -> _Writer:
    """Return what writes a value of a class as an element."""
    content = bindings(bound)
    if content and content[0][1].kind is Kind.TEXT:
        attribute, binding = content[0]
        return _text_of(attribute, _leaf(name, binding, depth))
    opening, closing = f"{_STEP * depth}<sr:{name}>", f"{_STEP * depth}</sr:{name}>\n"
    empty = f"{opening}</sr:{name}>\n"
    writers = tuple(_field(binding, depth + 1) for _, binding in content)
    values_of = _values_of([attribute for attribute, _ in content])

    def write_element(parts: _Parts, value: object) -> None:
        before = len(parts)
        parts.append(f"{opening}\n")
        for held, writer in zip(values_of(value), writers, strict=True):
            if held is not None and held != ():
                writer(parts, held)
        if len(parts) == before + 1:
            parts[before] = empty
        else:
            parts.append(closing)

    return write_element


def _values_of(attributes: list[str]) -> Callable[[object], tuple[Any, ...]]:
    """Return what fetches these attributes of an object at once."""
    if len(attributes) > 1:
        return attrgetter(*attributes)
    return lambda value: tuple(getattr(value, attribute) for attribute in attributes)


def _text_of(attribute: str, writer: _Writer) -> _Writer:
    def write_text(parts: _Parts, value: object) -> None:
        writer(parts, getattr(value, attribute))

    return write_text


def _field(binding: Binding, depth: int) -> _Writer:
    """Return what writes the value of a field that has one."""
    match binding.kind:
        case Kind.GROUP:
            return _element(binding.name, binding.members[0], depth)
        case Kind.MANY:
            return _many(_remembering(_element(binding.name, binding.members[0], depth)))
        case Kind.LISTED:
            return _many(_leaf(binding.name, binding, depth))
        case Kind.SERVICE:
            return _service(_leaf("ServiceReference", binding, depth), _leaf(binding.name, binding, depth))
        case Kind.CHOICE if binding.name:
            return _around(binding.name, depth)
        case Kind.CHOICE:
            return _member(depth)
        case _:
            return _leaf(binding.name, binding, depth)


def _many(writer: _Writer) -> _Writer:
    def write_all(parts: _Parts, value: tuple[object, ...]) -> None:
        for item in value:
            writer(parts, item)

    return write_all


def _remembering(writer: _Writer) -> _Writer:
    """Keep what was written of a value, by its identity: lists hold the same frozen values again and again."""
    known: dict[int, tuple[object, str]] = {}

    def write_known(parts: _Parts, value: object) -> None:
        found = known.get(id(value))
        if found is None or found[0] is not value:
            own: _Parts = []
            writer(own, value)
            if len(known) >= _REMEMBERED:
                known.clear()
            found = known[id(value)] = (value, "".join(own))
        parts.append(found[1])

    return write_known


def _service(reference: _Writer, variant: _Writer) -> _Writer:
    def write_service(parts: _Parts, value: str) -> None:
        reference(parts, reference_of(str(value)))
        variant(parts, value)

    return write_service


def reference_of(variant: str) -> str:
    """Return the ServiceReference of a ServiceReferenceVariant."""
    return ".".join(variant.split(".")[:2])


def _around(name: str, depth: int) -> _Writer:
    opening, closing = f"{_STEP * depth}<sr:{name}>\n", f"{_STEP * depth}</sr:{name}>\n"
    member = _member(depth + 1)

    def write_around(parts: _Parts, value: object) -> None:
        parts.append(opening)
        member(parts, value)
        parts.append(closing)

    return write_around


def _member(depth: int) -> _Writer:
    def write_member(parts: _Parts, value: object) -> None:
        name: str = getattr(value, "ELEMENT", "")
        if not name:
            raise UsageError(f"{type(value).__name__} is no member of the choice")
        _element(name, type(value), depth)(parts, value)

    return write_member


def _leaf(name: str, binding: Binding, depth: int) -> _Writer:
    assert binding.simple is not None
    opening, closing, form = f"{_STEP * depth}<sr:{name}>", f"</sr:{name}>\n", binding.simple.write

    def write_leaf(parts: _Parts, value: object) -> None:
        try:
            written = form(value)
        except (AttributeError, TypeError, ValueError) as error:
            raise UsageError(f"{name}: {error}") from error
        if isinstance(written, Image):
            parts += (opening, written, closing)
        elif written.isalnum():
            parts.append(f"{opening}{written}{closing}")
        else:
            parts.append(f"{opening}{_SPECIAL.sub(_reference, written)}{closing}")

    return write_leaf


def _reference(special: re.Match[str]) -> str:
    return _REFERENCES[special[0]]
