"""Payload dataclasses as JSON and back: the names are those of their fields.

Octets are hexadecimal, identifiers 16 digits, codes the standard's name or a number, instants `2030-01-15T09:00:00Z`,
firmware versions 8 hexadecimal digits.
"""

import dataclasses
import typing
from collections.abc import Mapping
from typing import TypeVar

from protocols.errors import DecodeError, InputError, UsageError
from protocols.gbcs.json_fields import Fields, Json
from protocols.gbcs.json_kinds import Kind, Many, Maybe, scalar_kind
from protocols.gbcs.payloads import Payload

P = TypeVar("P", bound=Payload)


def to_json(payload: Payload) -> dict[str, Json]:
    """Return the fields of a payload."""
    return _record(type(payload)).fields_of(payload)


def from_json(kind: type[P], fields: Fields) -> P:
    """Return the payload the fields describe; those with a default may be missing.

    Raises InputError that names the field for one that is missing, unknown, or does not fit.
    """
    payload = _record(kind).build(fields)
    if not isinstance(payload, kind):
        raise UsageError(f"not a {kind.__name__}")
    try:
        fits = kind.decode(payload.encode()) == payload
    except (DecodeError, UsageError, OverflowError, ValueError) as error:
        raise InputError(f"{fields.where}: {str(error).splitlines()[0]}") from None
    if not fits:
        raise InputError(f"{fields.where}: something does not fit its field")
    return payload


def template(kind: type[Payload]) -> dict[str, Json]:
    """Return fields to start from, every one filled in; the values are examples."""
    return _record(kind).examples()


def field_names(kind: type[Payload]) -> tuple[str, ...]:
    return tuple(_record(kind).kinds)


class Record:
    """A dataclass: one JSON object."""

    def __init__(self, kind: type) -> None:
        hints = typing.get_type_hints(kind, include_extras=True)
        self.kind = kind
        listed = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
        self.kinds: Mapping[str, Kind] = {field.name: _kind_of(hints[field.name]) for field in listed}
        self.required = [field.name for field in listed if field.default is dataclasses.MISSING]

    def fields_of(self, value: object) -> dict[str, Json]:
        return {name: kind.show(getattr(value, name)) for name, kind in self.kinds.items()}

    def build(self, fields: Fields) -> object:
        unknown = next((name for name in fields.values if name not in self.kinds), None)
        if unknown is not None:
            raise InputError(f"{fields.where}.{unknown}: unknown; the fields are {', '.join(self.kinds) or 'none'}")
        missing = next((name for name in self.required if name not in fields.values), None)
        if missing is not None:
            raise InputError(f"{fields.where}.{missing}: missing")
        read = {name: self.kinds[name].read(value, f"{fields.where}.{name}") for name, value in fields.values.items()}
        return self.kind(**read)

    def examples(self) -> dict[str, Json]:
        return {name: kind.example(name) for name, kind in self.kinds.items()}

    def show(self, value: object) -> Json:
        return self.fields_of(value)

    def read(self, value: object, where: str) -> object:
        return self.build(Fields(value, where))

    def example(self, name: str) -> Json:
        return self.examples()


_RECORDS: dict[type, Record] = {}


def _record(kind: type) -> Record:
    """Return the record of a dataclass; each is read once."""
    if kind not in _RECORDS:
        _RECORDS[kind] = Record(kind)
    return _RECORDS[kind]


def _kind_of(hint: object) -> Kind:
    """Return how values of a field's type are written."""
    members = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return Many(_kind_of(members[0]))
    if type(None) in members:
        (inner,) = (member for member in members if member is not type(None))
        return Maybe(_kind_of(inner))
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _record(hint)
    return scalar_kind(hint)
