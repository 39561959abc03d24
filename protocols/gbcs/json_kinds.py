"""How single values of payload fields stand in JSON, by the type of the field."""

import types
import typing
from enum import IntEnum
from typing import Protocol, Union

from protocols.addresses import Eui64
from protocols.errors import DecodeError, InputError, UsageError
from protocols.gbcs import times
from protocols.gbcs.codes import VERSION, named
from protocols.gbcs.json_fields import Json, hexadecimal
from protocols.gbcs.times import INSTANT

_SMALLEST, _LARGEST = -(1 << 63), (1 << 64) - 1
_EXAMPLE_OCTETS = {"image_hash": 32, "install_code": 16, "key_hash": 16, "key_id": 8, "last_communication": 12}


class Kind(Protocol):
    """One way to write a value; a value that cannot be read raises InputError that names `where`."""

    def show(self, value: object) -> Json: ...
    def read(self, value: object, where: str) -> object: ...
    def example(self, name: str) -> Json: ...


class Number:
    def show(self, value: object) -> Json:
        return typing.cast(int, value)

    def read(self, value: object, where: str) -> object:
        return read_number(value, where)

    def example(self, name: str) -> Json:
        return 1


class Flag:
    def show(self, value: object) -> Json:
        return bool(value)

    def read(self, value: object, where: str) -> object:
        if not isinstance(value, bool):
            raise InputError(f"{where}: neither true nor false")
        return value

    def example(self, name: str) -> Json:
        return True


class Octets:
    def show(self, value: object) -> Json:
        return hexadecimal(typing.cast(bytes, value))

    def read(self, value: object, where: str) -> object:
        try:
            return bytes.fromhex(read_text(value, where))
        except ValueError:
            raise InputError(f"{where}: not hexadecimal") from None

    def example(self, name: str) -> Json:
        return "00" * next((size for part, size in _EXAMPLE_OCTETS.items() if name.endswith(part)), 0)


class Identifier:
    def show(self, value: object) -> Json:
        return str(value)

    def read(self, value: object, where: str) -> object:
        try:
            return Eui64.parse(read_text(value, where))
        except InputError as error:
            raise InputError(f"{where}: {error}") from None

    def example(self, name: str) -> Json:
        return "90b3d51f30010000" if name.endswith("entity") else "00db1234567890a0"


class Moment:
    def show(self, value: object) -> Json:
        text = times.generalized_time(typing.cast(int, value)).decode()
        return f"{text[:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:]}"

    def read(self, value: object, where: str) -> object:
        digits = read_text(value, where).replace("-", "").replace("T", "").replace(":", "")
        try:
            return times.parse_generalized_time(digits.encode(errors="replace"))
        except DecodeError:
            raise InputError(f"{where}: not a time as 2030-01-15T09:00:00Z") from None

    def example(self, name: str) -> Json:
        return "2030-01-15T09:00:00Z" if name.startswith("execution") else "2026-03-02T09:00:00Z"


class FirmwareVersion:
    def show(self, value: object) -> Json:
        return f"{typing.cast(int, value):08X}"

    def read(self, value: object, where: str) -> object:
        if isinstance(value, int):
            return read_number(value, where)
        text = read_text(value, where)
        if len(text) != 8 or any(digit not in "0123456789abcdefABCDEF" for digit in text):
            raise InputError(f"{where}: not 8 hexadecimal digits")
        return int(text, 16)

    def example(self, name: str) -> Json:
        return "0123ABCD"


class Code:
    """A code of a table; one that is open takes numbers the table does not have."""

    def __init__(self, table: type[IntEnum], *, is_open: bool) -> None:
        self._table, self._is_open = table, is_open

    def show(self, value: object) -> Json:
        return value.name if isinstance(value, IntEnum) else typing.cast(int, value)

    def read(self, value: object, where: str) -> object:
        names = self._table.__members__
        if isinstance(value, str) and value.upper() in names:
            return names[value.upper()]
        number = None if isinstance(value, str) else named(self._table, read_number(value, where))
        if number is None or not (self._is_open or isinstance(number, self._table)):
            raise InputError(f"{where}: none of {', '.join(names)}")
        return number

    def example(self, name: str) -> Json:
        return next(iter(self._table)).name


class Maybe:
    """A value or null."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def show(self, value: object) -> Json:
        return None if value is None else self._kind.show(value)

    def read(self, value: object, where: str) -> object:
        return None if value is None else self._kind.read(value, where)

    def example(self, name: str) -> Json:
        return self._kind.example(name) or None


class Many:
    """A list of values."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind

    def show(self, value: object) -> Json:
        return [self._kind.show(item) for item in typing.cast(tuple[object, ...], value)]

    def read(self, value: object, where: str) -> object:
        if not isinstance(value, list):
            raise InputError(f"{where}: not a list")
        return tuple(self._kind.read(item, f"{where}[{index}]") for index, item in enumerate(value))

    def example(self, name: str) -> Json:
        return [self._kind.example(name)]


def scalar_kind(hint: object) -> Kind:
    """Return the kind of a single value; UsageError for a type no payload field has."""
    if typing.get_origin(hint) in (Union, types.UnionType):
        table, number = typing.get_args(hint)
        if number is int and issubclass(table, IntEnum):
            return Code(table, is_open=True)
    marks = getattr(hint, "__metadata__", ())
    if INSTANT in marks:
        return Moment()
    if VERSION in marks:
        return FirmwareVersion()
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return Code(hint, is_open=False)
    kinds: dict[object, Kind] = {int: Number(), bool: Flag(), bytes: Octets(), Eui64: Identifier()}
    if hint not in kinds:
        raise UsageError(f"a payload field of type {hint}")
    return kinds[hint]


def read_text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{where}: not a text")
    return value


def read_number(value: object, where: str) -> int:
    """Read an integer of 64 bits, signed or not; the payload's own encoding knows the exact range."""
    if not isinstance(value, int) or isinstance(value, bool) or not _SMALLEST <= value <= _LARGEST:
        raise InputError(f"{where}: not an integer of 64 bits")
    return value
