"""Products list and inventory as CSV: a header line, a line a row, an empty cell for what is not known.

A file is read whole or not at all. Errors name the file, the line and the column.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from gateway.dsp.products import CURRENT, REMOVED
from gateway.dsp.records import Device, Product
from gateway.dsp.rows import Row, Version, column_names, from_values, to_values
from protocols.duis.inventory import POLYPHASE, SINGLE_ELEMENT, TWIN_ELEMENT, DeviceType
from protocols.errors import InputError

R = TypeVar("R", bound=Row)

_ELECTRICITY = "Electricity Metering Equipment"
DEVICE_TYPES: dict[str, tuple[DeviceType, str | None]] = {
    f"Single Element {_ELECTRICITY}": (DeviceType.ESME, SINGLE_ELEMENT),
    f"Twin Element {_ELECTRICITY}": (DeviceType.ESME, TWIN_ELEMENT),
    f"Polyphase {_ELECTRICITY}": (DeviceType.ESME, POLYPHASE),
    "Gas Smart Metering Equipment": (DeviceType.GSME, None),
    "Prepayment Interface Device": (DeviceType.PPMID, None),
    "HAN Connected Auxiliary Load Control Switch": (DeviceType.HCALCS, None),
    "Communications Hub Function": (DeviceType.CHF, None),
    "Gas Proxy Function": (DeviceType.GPF, None),
    str(DeviceType.ESME): (DeviceType.ESME, None),  # of a kind not told
}
"""What the products list calls types. Bridges are prepayment interface devices to it (MP170)."""

PRODUCT_COLUMNS = (
    "device_type", "manufacturer", "model", "hardware_version", "firmware_version", "smets_version", "gbcs_version",
    "status", "hash",
)  # fmt: skip


def read_products(text: str, source: str = "products list") -> list[Product]:
    """Read a products list. Octets may be written with colons, as the published list does. Raises InputError."""
    products: dict[tuple[object, ...], int] = {}
    found = []
    for line, cells in _lines(text, PRODUCT_COLUMNS, source):
        product = _Cells(cells, f"{source} line {line}").product()
        key = (product.type, product.manufacturer, product.model, product.firmware_version)
        if key in products:
            raise InputError(f"{source} line {line}: the product of line {products[key]} again")
        products[key] = line
        found.append(product)
    return found


def write_products(products: Iterable[Product]) -> str:
    """Write a products list as it is read."""
    names = {meaning: name for name, meaning in DEVICE_TYPES.items()}
    rows = (
        (
            names[product.type, product.equipment], _colons(product.manufacturer), _colons(product.model[:4]),
            _colons(product.model[4:]), _colons(f"{product.firmware_version:08X}"), product.smets_version,
            product.gbcs_version, product.status, _colons(product.hash.hex().upper()),
        )
        for product in products
    )  # fmt: skip
    return _written(PRODUCT_COLUMNS, rows)


def read_devices(text: str, source: str = "inventory") -> list[Device]:
    """Read devices in the columns of the inventory's table; any order, optional ones may be left out."""
    return _read_rows(Device, text, source)


def write_devices(devices: Iterable[Device]) -> str:
    """Write devices as they are read."""
    return _written(column_names(Device), (to_values(device).values() for device in devices))


class _Cells:
    """The cells of one line, read one by one under the names of their columns."""

    def __init__(self, cells: Mapping[str, str], place: str) -> None:
        self._cells, self._place = cells, place

    def product(self) -> Product:
        kind, equipment = self._read("device_type", _device_type)
        model = self._read("model", _octets(2)) + self._read("hardware_version", _octets(2))
        return Product(
            type=kind, manufacturer=self._read("manufacturer", _octets(2)), model=model,
            firmware_version=Version(int(self._read("firmware_version", _octets(4)), 16)),
            smets_version=self._read("smets_version", _text), gbcs_version=self._read("gbcs_version", _text),
            hash=bytes.fromhex(self._read("hash", _octets(32))), status=self._read("status", _status),
            equipment=equipment,
        )  # fmt: skip

    def _read(self, column: str, read: Callable[[str], Any]) -> Any:  # noqa: ANN401 - what `read` returns
        try:
            return read(self._cells[column].strip())
        except ValueError as error:
            raise InputError(f"{self._place}, column {column}: {error}") from None


def _device_type(text: str) -> tuple[DeviceType, str | None]:
    if text not in DEVICE_TYPES:
        raise ValueError(f"{text[:60]!r} is none of {', '.join(DEVICE_TYPES)}")
    return DEVICE_TYPES[text]


def _status(text: str) -> str:
    if text not in (CURRENT, REMOVED):
        raise ValueError(f"{text[:20]!r} is neither {CURRENT} nor {REMOVED}")
    return text


def _text(text: str) -> str:
    if not 1 <= len(text) <= 20:
        raise ValueError("1 to 20 characters expected")
    return text


def _octets(size: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        digits = text.replace(":", "").upper()
        if len(digits) != 2 * size or not set(digits) <= set("0123456789ABCDEF"):
            raise ValueError(f"{text[:80]!r} is not {size} octets in hexadecimal")
        return digits

    return read


def _colons(digits: str) -> str:
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))


def _read_rows(row: type[R], text: str, source: str) -> list[R]:
    found: dict[tuple[object, ...], tuple[int, R]] = {}
    needed = tuple(row.KEY)
    for line, cells in _lines(text, needed, source, others=column_names(row)):
        values = {name: _value(row, name, cell) for name, cell in cells.items()}
        try:
            made = from_values(row, values)
        except InputError as error:
            raise InputError(f"{source} line {line}, {str(error).removeprefix(f'table {row.TABLE}: ')}") from None
        key = tuple(getattr(made, name) for name in row.KEY)
        if key in found:
            raise InputError(f"{source} line {line}: the row of line {found[key][0]} again")
        found[key] = (line, made)
    return [made for _, made in found.values()]


def _value(row: type[Row], name: str, cell: str) -> str | int | None:
    """Return a cell in the form of the store: numbers where the column holds one."""
    if cell == "":
        return None
    kind = str(row.__dataclass_fields__[name].type)
    return int(cell) if kind.startswith("int") and cell.lstrip("-").isdecimal() else cell


def _lines(
    text: str, needed: tuple[str, ...], source: str, others: tuple[str, ...] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield line number and cells by column, blank lines skipped. Raises InputError for a wrong header or length."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        faults = [f"unknown column {name[:40]!r}" for name in header if name not in needed and name not in others]
        faults += [f"no column {name!r}" for name in needed if name not in header]
        faults += ["a column twice"] * (len(set(header)) != len(header))
        if faults:
            raise InputError(f"{source} line 1: {faults[0]}")
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise InputError(f"{source} line {reader.line_num}: {len(cells)} cells, {len(header)} columns")
            yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise InputError(f"{source} line {reader.line_num}: {error}") from error


def _written(columns: tuple[str, ...], rows: Iterable[Iterable[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue()
