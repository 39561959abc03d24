"""ZCL data types: attribute values to octets and back.

Numbers, enumerations, bitmaps, times and addresses are `int`, strings are `bytes`. Floating point numbers and invalid
values keep their pattern, except strings, where the length 0xFF gives None. Source: ZCL 07-5123-08 2.6.2.
"""

from typing import Final

from protocols.errors import DecodeError, UsageError
from protocols.octets import Reader

Value = int | bytes | None

NO_DATA = 0x00
BOOLEAN = 0x10
BITMAP8 = 0x18
BITMAP16 = 0x19
BITMAP24 = 0x1A
BITMAP32 = 0x1B
UINT8 = 0x20
UINT16 = 0x21
UINT24 = 0x22
UINT32 = 0x23
UINT48 = 0x25
INT8 = 0x28
INT16 = 0x29
INT24 = 0x2A
INT32 = 0x2B
ENUM8 = 0x30
ENUM16 = 0x31
OCTET_STRING = 0x41
CHARACTER_STRING = 0x42
UTC_TIME = 0xE2
CLUSTER_ID = 0xE8
EUI64 = 0xF0
KEY128 = 0xF1

_UNSIGNED: Final[dict[int, int]] = {
    NO_DATA: 0,
    BOOLEAN: 1,
    **{0x08 + n: n + 1 for n in range(8)},  # general data of 8 to 64 bits
    **{0x18 + n: n + 1 for n in range(8)},  # bitmaps
    **{0x20 + n: n + 1 for n in range(8)},  # unsigned
    ENUM8: 1,
    ENUM16: 2,
    0x38: 2,  # floating point, of half, single and double precision
    0x39: 4,
    0x3A: 8,
    0xE0: 4,  # time of day
    0xE1: 4,  # date
    UTC_TIME: 4,
    CLUSTER_ID: 2,
    0xE9: 2,  # attribute id
    0xEA: 4,  # BACnet OID
    EUI64: 8,
}
_SIGNED: Final[dict[int, int]] = {0x28 + n: n + 1 for n in range(8)}
_STRINGS: Final[dict[int, int]] = {OCTET_STRING: 1, CHARACTER_STRING: 1, 0x43: 2, 0x44: 2}  # size of the length


def is_analogue(data_type: int) -> bool:
    """Tell whether values of the type are amounts, of which a change has a size. Source: ZCL 07-5123-08 table 2-10."""
    return 0x20 <= data_type <= 0x2F or 0x38 <= data_type <= 0x3A or 0xE0 <= data_type <= UTC_TIME


def read_value(reader: Reader, data_type: int) -> Value:
    """Read one value; DecodeError for types that are not built (structures)."""
    if (size := _UNSIGNED.get(data_type)) is not None:
        return reader.uint(size) if size else None
    if (size := _SIGNED.get(data_type)) is not None:
        return int.from_bytes(reader.octets(size), "little", signed=True)
    if (size := _STRINGS.get(data_type)) is not None:
        length = reader.uint(size)
        return None if length == (1 << 8 * size) - 1 else reader.octets(length)
    if data_type == KEY128:
        return reader.octets(16)
    raise DecodeError(f"ZCL data type {data_type:#04x} is not handled", offset=reader.offset, data=reader.data)


def write_value(data_type: int, value: Value) -> bytes:
    """Return the octets of one value, without its type."""
    if data_type == KEY128 and isinstance(value, bytes):
        return value
    if (size := _STRINGS.get(data_type)) is not None and not isinstance(value, int):
        if value is None:
            return b"\xff" * size
        return len(value).to_bytes(size, "little") + value
    if data_type == NO_DATA and value is None:
        return b""
    if isinstance(value, int):
        if (size := _UNSIGNED.get(data_type)) is not None:
            return value.to_bytes(size, "little")
        if (size := _SIGNED.get(data_type)) is not None:
            return value.to_bytes(size, "little", signed=True)
    raise UsageError(f"{value!r} is not of ZCL data type {data_type:#04x}")
