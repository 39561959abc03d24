"""Reads elements into bound dataclasses. Order and presence were checked by the schema before."""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from lxml import etree

from protocols.caching import once
from protocols.duis.binding import NAMESPACE, Binding, Kind, bindings
from protocols.duis.errors import DuisError
from protocols.duis.writing import reference_of
from protocols.errors import InputError

T = TypeVar("T")

_PREFIX = f"{{{NAMESPACE}}}"
_REFERENCE = _PREFIX + "ServiceReference"

_Reader: TypeAlias = Callable[[Any], Any]  # of an element
_Place: TypeAlias = tuple[str, _Reader, bool]  # attribute, what reads a child, whether there may be several


def read(bound: type[T], element: etree._Element) -> T:
    """Return `bound` read from a schema-valid element; DuisError where a value is one that only we refuse."""
    value: T = _reader(bound)(element)
    return value


@once
def _reader(bound: type[Any]) -> _Reader:
    """Return what reads an element into a class."""
    content = bindings(bound)
    if content and content[0][1].kind is Kind.TEXT:
        attribute, binding = content[0]
        text = _leaf(binding)
        return lambda element: _made(bound, {attribute: text(element)}, element)
    places = {tag: place for attribute, binding in content for tag, place in _places(attribute, binding)}

    def read_element(element: etree._Element) -> object:
        values: dict[str, Any] = {}
        for child in element:
            place = places.get(child.tag)
            if place is None:
                continue
            attribute, reader, several = place
            values[attribute] = (*values.get(attribute, ()), reader(child)) if several else reader(child)
        return _made(bound, values, element)

    return read_element


def _made(bound: type[Any], values: dict[str, Any], element: etree._Element) -> object:
    try:
        return bound(**values)
    except TypeError as error:
        raise DuisError(str(error), line=line_of(element), element=local_name(element)) from error


def _places(attribute: str, binding: Binding) -> list[tuple[str, _Place]]:
    """Return by tag what reads the children a field stands for."""
    tag = _PREFIX + binding.name
    match binding.kind:
        case Kind.GROUP | Kind.MANY:
            return [(tag, (attribute, _reader(binding.members[0]), binding.kind is Kind.MANY))]
        case Kind.LISTED:
            return [(tag, (attribute, _leaf(binding), True))]
        case Kind.SERVICE:
            return [(tag, (attribute, _service, False))]
        case Kind.CHOICE if binding.name:
            return [(tag, (attribute, _inside(binding), False))]
        case Kind.CHOICE:
            return [(_PREFIX + member.ELEMENT, (attribute, _later(member), False)) for member in binding.members]
        case _:
            return [(tag, (attribute, _leaf(binding), False))]


def _later(member: type[Any]) -> _Reader:
    """Read by the reader of a class, which is made when it is first needed: there are many, and few are met."""
    return lambda element: _reader(member)(element)


def _inside(binding: Binding) -> _Reader:
    """Read the one child of an element around a choice."""
    members = {_PREFIX + member.ELEMENT: member for member in binding.members}

    def read_inside(element: etree._Element) -> object:
        for child in element:
            member = members.get(child.tag)
            if member is not None:
                return _reader(member)(child)
        return None

    return read_inside


def _service(element: etree._Element) -> str:
    variant = element.text or ""
    before = element.getprevious()
    reference = before.text if before is not None and before.tag == _REFERENCE else None
    if reference != reference_of(variant):
        raise DuisError(
            f"variant {variant} is not of service {reference or ''}", line=line_of(element), element=local_name(element)
        )
    return variant


def _leaf(binding: Binding) -> _Reader:
    assert binding.simple is not None
    form = binding.simple.read

    def read_leaf(element: etree._Element) -> object:
        try:
            return form(element.text or "")
        except (InputError, ValueError) as error:
            raise DuisError(str(error), line=line_of(element), element=local_name(element)) from error

    return read_leaf


def local_name(element: etree._Element) -> str:
    return etree.QName(element).localname


def line_of(element: etree._Element) -> int | None:
    """Return the line the element starts at, from 1."""
    line: object = element.sourceline
    return line if isinstance(line, int) else None
