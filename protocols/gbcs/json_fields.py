"""Plain JSON values, and reading them back with errors that name the field."""

from collections.abc import Mapping
from typing import Self, TypeAlias

from protocols.errors import InputError

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | float | bool | None"


class Fields:
    """One JSON object and where it stands; every mistake raises InputError with that place."""

    __slots__ = ("values", "where")

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise InputError(f"{where}: not a JSON object")
        self.values: dict[str, object] = value
        self.where = where

    def has(self, name: str) -> bool:
        """Tell whether the field is there and not null."""
        return self.values.get(name) is not None

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not isinstance(value, str):
            raise InputError(f"{self.where}.{name}: a text is missing")
        return value

    def flag(self, name: str) -> bool:
        value = self.values.get(name)
        if not isinstance(value, bool):
            raise InputError(f"{self.where}.{name}: neither true nor false")
        return value

    def number(self, name: str, bits: int) -> int:
        """Return an integer from 0 to 2**bits - 1."""
        value = self.integer(name)
        if not 0 <= value < 1 << bits:
            raise InputError(f"{self.where}.{name}: {value} does not fit {bits} bits")
        return value

    def integer(self, name: str) -> int:
        value = self.values.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise InputError(f"{self.where}.{name}: an integer is missing")
        return value

    def octets(self, name: str, length: int | None = None) -> bytes:
        """Return octets written in hexadecimal, of that length if one is given."""
        text = self.text(name)
        try:
            octets = bytes.fromhex(text)
        except ValueError:
            raise InputError(f"{self.where}.{name}: not hexadecimal") from None
        if length is not None and len(octets) != length:
            raise InputError(f"{self.where}.{name}: {len(octets)} octets instead of {length}")
        return octets

    def object(self, name: str) -> Self:
        return type(self)(self.values.get(name), f"{self.where}.{name}")

    def objects(self, name: str) -> list[Self]:
        value = self.values.get(name)
        if not isinstance(value, list):
            raise InputError(f"{self.where}.{name}: a list is missing")
        return [type(self)(item, f"{self.where}.{name}[{index}]") for index, item in enumerate(value)]


def hexadecimal(octets: bytes) -> str:
    """Return octets as the trees write them."""
    return octets.hex().upper()
