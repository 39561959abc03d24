"""Values of properties: octets to Python values and back, one data type a property.

Data types have the letters of draft-rquattle-spinel-unified 3.1, spelt out: an extended address is 8 octets big-endian,
numbers are little-endian, a text ends with a zero octet.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.octets import Reader
from protocols.spinel.numbers import Property
from protocols.spinel.packed import read_packed, write_packed

Value = bool | int | str | Eui64 | tuple[int, ...]


class DataType(NamedTuple):
    read: Callable[[Reader], Value]
    write: Callable[[Value], bytes]


def _number(value: Value) -> int:
    if not isinstance(value, int):
        raise UsageError(f"{value!r} is not a number")
    return value


def _numbers(value: Value) -> tuple[int, ...]:
    if not isinstance(value, tuple):
        raise UsageError(f"{value!r} is not a list")
    return value


def _read_boolean(reader: Reader) -> Value:
    octet = reader.uint8()
    if octet > 1:
        raise DecodeError(f"a boolean of {octet}", offset=reader.offset - 1, data=reader.data)
    return bool(octet)


def _read_text(reader: Reader) -> Value:
    octets, end, rest = reader.rest().partition(b"\0")
    if not end or rest:
        raise DecodeError("a text that does not end with the only zero octet", data=reader.data)
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise DecodeError("a text that is not UTF-8", data=reader.data) from None


def _write_text(value: Value) -> bytes:
    if not isinstance(value, str) or "\0" in value:
        raise UsageError(f"{value!r} is not a text")
    return value.encode() + b"\0"


def _unsigned(size: int) -> DataType:
    return DataType(lambda reader: reader.uint(size), lambda value: _number(value).to_bytes(size, "little"))


def _array(item: DataType) -> DataType:
    def read(reader: Reader) -> Value:
        values = []
        while reader.remaining:
            values.append(_number(item.read(reader)))
        return tuple(values)

    return DataType(read, lambda value: b"".join(item.write(each) for each in _numbers(value)))


def _pair(first: DataType, second: DataType) -> DataType:
    def write(value: Value) -> bytes:
        one, two = _numbers(value)
        return first.write(one) + second.write(two)

    return DataType(lambda reader: (_number(first.read(reader)), _number(second.read(reader))), write)


def _read_int8(reader: Reader) -> Value:
    return int.from_bytes(reader.octets(1), "little", signed=True)


BOOLEAN = DataType(_read_boolean, lambda value: bytes((bool(value),)))
UINT8, UINT16 = _unsigned(1), _unsigned(2)
INT8 = DataType(_read_int8, lambda value: _number(value).to_bytes(1, "little", signed=True))
PACKED = DataType(read_packed, lambda value: write_packed(_number(value)))
TEXT = DataType(_read_text, _write_text)
EUI64 = DataType(lambda reader: Eui64.from_big(reader.octets(8)), lambda value: Eui64(_number(value)).big)

TYPES: Final[dict[int, DataType]] = {
    Property.LAST_STATUS: PACKED,
    Property.PROTOCOL_VERSION: _pair(PACKED, PACKED),
    Property.NCP_VERSION: TEXT,
    Property.INTERFACE_TYPE: PACKED,
    Property.CAPS: _array(PACKED),
    Property.HWADDR: EUI64,
    Property.PHY_ENABLED: BOOLEAN,
    Property.PHY_CHAN: UINT8,
    Property.PHY_CHAN_SUPPORTED: _array(UINT8),
    Property.PHY_TX_POWER: INT8,
    Property.PHY_RSSI: INT8,
    Property.PHY_RX_SENSITIVITY: INT8,
    Property.MAC_SCAN_STATE: UINT8,
    Property.MAC_SCAN_MASK: _array(UINT8),
    Property.MAC_SCAN_PERIOD: UINT16,
    Property.MAC_15_4_LADDR: EUI64,
    Property.MAC_15_4_SADDR: UINT16,
    Property.MAC_15_4_PANID: UINT16,
    Property.MAC_RAW_STREAM_ENABLED: BOOLEAN,
    Property.MAC_ENERGY_SCAN_RESULT: _pair(UINT8, INT8),
    Property.MAC_RX_ON_WHEN_IDLE_MODE: BOOLEAN,
    Property.RCP_API_VERSION: PACKED,
    Property.RCP_MIN_HOST_API_VERSION: PACKED,
    Property.MAC_SRC_MATCH_ENABLED: BOOLEAN,
    Property.MAC_SRC_MATCH_SHORT_ADDRESSES: _array(UINT16),
    Property.MAC_SRC_MATCH_EXTENDED_ADDRESSES: _array(EUI64),
}


def read_value(number: int, octets: bytes) -> Value:
    """Return the value of property `number`; DecodeError if the octets are not of its type or it has none here."""
    data_type = TYPES.get(number)
    if data_type is None:
        raise DecodeError(f"property {number} has no plain value", data=octets)
    reader = Reader(octets)
    value = data_type.read(reader)
    reader.finish()
    return value


def write_value(number: int, value: Value) -> bytes:
    """Return the octets of a value. Raises UsageError for a value of another type."""
    data_type = TYPES.get(number)
    if data_type is None:
        raise UsageError(f"property {number} has no plain value")
    return data_type.write(value)
