"""DLMS payloads: access request and response, data notification.

Each bears a long invoke id: `20` and the low 24 bits of the originator counter. All numbers are big-endian.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from protocols.errors import DecodeError, UsageError
from protocols.gbcs import times
from protocols.gbcs.codes import AccessResult, named
from protocols.gbcs.lengths import encode_length, read_length
from protocols.octets import Reader

ACCESS_REQUEST = 0xD9
ACCESS_RESPONSE = 0xDA
DATA_NOTIFICATION = 0x0F

GET, SET, ACTION, GET_WITH_SELECTION = 1, 2, 3, 4

NULL = b"\x00"
ARRAY = 0x01
STRUCTURE = 0x02
BOOLEAN = 0x03
BIT_STRING = 0x04
OCTET_STRING = 0x09
INT8 = 0x0F
UINT8 = 0x11
UINT16 = 0x12
UINT32 = 0x06
COMPACT_ARRAY = 0x13
ENUM = 0x16

_DESCRIPTOR = struct.Struct(">BH6sB")
_INVOKE_ID = 0x20
_FIXED_OCTETS = {
    0x00: 0,
    BOOLEAN: 1,
    0x05: 4,
    0x06: 4,
    INT8: 1,
    0x10: 2,
    UINT8: 1,
    UINT16: 2,
    0x14: 8,
    0x15: 8,
    ENUM: 1,
}
_STRINGS = (OCTET_STRING, 0x0A, 0x0C)
_DEEPEST = 16
_COUNTER_MASK = 0xFFFFFF


class Descriptor(NamedTuple):
    """One attribute or method of an access request."""

    choice: int  # GET, SET, ACTION or GET_WITH_SELECTION
    class_id: int  # 16 bits
    instance: bytes  # OBIS, 6 octets
    member: int  # attribute or method, 8 bits
    selection: bytes = b""  # access selector and its parameters, with GET_WITH_SELECTION alone

    def encode(self) -> bytes:
        return _DESCRIPTOR.pack(self.choice, self.class_id, self.instance, self.member) + self.selection

    @classmethod
    def read(cls, reader: Reader) -> "Descriptor":
        found = cls(*_DESCRIPTOR.unpack(reader.octets(_DESCRIPTOR.size)))
        if found.choice != GET_WITH_SELECTION:
            return found
        return found._replace(selection=reader.octets(1) + read_element(reader))


class AccessRequest(NamedTuple):
    counter: int  # low 24 bits of the originator counter
    descriptors: tuple[Descriptor, ...]
    data: Reader  # at the first of as many data elements


class AccessResponse(NamedTuple):
    counter: int  # low 24 bits of the originator counter
    data: tuple[bytes, ...]  # one encoded element a descriptor
    results: tuple[tuple[int, int], ...]  # choice and result of each

    @property
    def codes(self) -> "tuple[AccessResult | int, ...]":
        """The results without their choices."""
        return tuple(named(AccessResult, result) for _, result in self.results)


class Notification(NamedTuple):
    counter: int  # low 24 bits of the originator counter
    alert_code: int  # 16 bits
    time: int  # ns since 1970 UTC
    more: Reader  # at the elements after the time; their number was checked


def octet_string(octets: bytes) -> bytes:
    return bytes((OCTET_STRING,)) + encode_length(len(octets)) + octets


def structure(*items: bytes) -> bytes:
    return bytes((STRUCTURE, len(items))) + b"".join(items)


def scaler_unit(scaler: int, unit: int) -> bytes:
    """Return the scaler and unit of a register: the power of 10, and a unit of the Blue Book (255: none)."""
    return structure(int8(scaler), enum(unit))


def array(*items: bytes) -> bytes:
    return bytes((ARRAY,)) + encode_length(len(items)) + b"".join(items)


def bit_string_8(bits: int) -> bytes:
    """Return a bit-string of 8 bits."""
    return bytes((BIT_STRING, 8, bits))


def int8(value: int) -> bytes:
    return bytes((INT8, value & 0xFF))


def uint8(value: int) -> bytes:
    return bytes((UINT8, value))


def uint32(value: int) -> bytes:
    return bytes((UINT32,)) + value.to_bytes(4, "big")


def uint16(value: int) -> bytes:
    return bytes((UINT16,)) + value.to_bytes(2, "big")


def enum(value: int) -> bytes:
    return bytes((ENUM, value))


def boolean(value: bool) -> bytes:
    return bytes((BOOLEAN, 0xFF if value else 0x00))


def date_time(instant: int) -> bytes:
    """Return an octet-string of 12 with a date-time; the instant is ns since 1970 UTC."""
    return octet_string(times.dlms_date_time(instant))


def expect(reader: Reader, octets: bytes, what: str) -> None:
    """Read octets that have only one right value; DecodeError for any other."""
    start = reader.offset
    if reader.octets(len(octets)) != octets:
        raise DecodeError(f"{what} is not {octets.hex().upper()}", offset=start, data=reader.data)


def read_octet_string(reader: Reader, *lengths: int) -> bytes:
    """Read an octet-string whose length is one of `lengths`, of any length without them."""
    expect(reader, bytes((OCTET_STRING,)), "tag of an octet-string")
    start = reader.offset
    length = read_length(reader)
    if lengths and length not in lengths:
        raise DecodeError(f"an octet-string of {length} octets", offset=start, data=reader.data)
    return reader.octets(length)


def read_date_time(reader: Reader) -> int:
    """Read an octet-string of 12 with a date-time; return ns since 1970 UTC."""
    return times.parse_dlms_date_time(read_octet_string(reader, 12))


def read_structure(reader: Reader, items: int) -> None:
    """Read the head of a structure of so many items."""
    expect(reader, bytes((STRUCTURE, items)), "structure")


def read_one_structure(reader: Reader, allowed: Sequence[int]) -> int:
    """Read the head of a structure whose number of items is one of `allowed`; return it."""
    expect(reader, bytes((STRUCTURE,)), "tag of a structure")
    start = reader.offset
    items = reader.uint8()
    if items not in allowed:
        raise DecodeError(f"a structure of {items} items", offset=start, data=reader.data)
    return items


def read_array(reader: Reader) -> int:
    """Read the head of an array and return the number of its items."""
    expect(reader, bytes((ARRAY,)), "tag of an array")
    return read_length(reader)


def read_bit_string_8(reader: Reader) -> int:
    expect(reader, bytes((BIT_STRING, 8)), "bit-string of 8")
    return reader.uint8()


def read_int8(reader: Reader) -> int:
    expect(reader, bytes((INT8,)), "tag of an integer")
    return (reader.uint8() ^ 0x80) - 0x80


def read_uint8(reader: Reader) -> int:
    expect(reader, bytes((UINT8,)), "tag of an unsigned")
    return reader.uint8()


def read_uint32(reader: Reader) -> int:
    expect(reader, bytes((UINT32,)), "tag of a double-long-unsigned")
    return reader.uint_be(4)


def read_uint16(reader: Reader) -> int:
    expect(reader, bytes((UINT16,)), "tag of a long-unsigned")
    return reader.uint_be(2)


def read_enum(reader: Reader) -> int:
    expect(reader, bytes((ENUM,)), "tag of an enum")
    return reader.uint8()


def read_boolean(reader: Reader) -> bool:
    expect(reader, bytes((BOOLEAN,)), "tag of a boolean")
    return reader.uint8() != 0


def access_request(counter: int, descriptors: Sequence[Descriptor], data: Sequence[bytes]) -> bytes:
    """Return an access request; `data` has one encoded element a descriptor, NULL for a get."""
    if len(descriptors) != len(data):
        raise UsageError("an access request has as many data elements as descriptors")
    listed = b"".join(descriptor.encode() for descriptor in descriptors)
    count = bytes((len(data),))
    return _head(ACCESS_REQUEST, counter) + count + listed + count + b"".join(data)


def access_response(counter: int, data: Sequence[bytes], results: Sequence[tuple[int, int]]) -> bytes:
    """Return an access response; `results` are choice and result of each element."""
    count = bytes((len(data),))
    listed = b"".join(bytes(result) for result in results)
    return _head(ACCESS_RESPONSE, counter) + b"\x00" + count + b"".join(data) + bytes((len(results),)) + listed


def data_notification(counter: int, alert_code: int, time: int, *more: bytes) -> bytes:
    """Return an alert: a structure of alert code, time and further encoded elements."""
    return _head(DATA_NOTIFICATION, counter) + structure(uint16(alert_code), date_time(time), *more)


def parse_access_request(octets: bytes, expected: Sequence[Descriptor]) -> AccessRequest:
    """Read up to the data elements; their reader must be emptied and finished by the caller.

    Raises DecodeError for other descriptors than `expected`, whatever they select.
    """
    reader = Reader(octets)
    counter = _read_head(reader, ACCESS_REQUEST)
    count = reader.uint8()
    descriptors = tuple(Descriptor.read(reader) for _ in range(count))
    if [descriptor._replace(selection=b"") for descriptor in descriptors] != list(expected):
        raise DecodeError("other requests than those of the use case", offset=reader.offset, data=octets)
    expect(reader, bytes((count,)), "number of data elements")
    return AccessRequest(counter, descriptors, reader)


def parse_access_response(octets: bytes, choices: Sequence[int]) -> AccessResponse:
    """Read a whole access response; DecodeError unless its results are of these choices."""
    reader = Reader(octets)
    counter = _read_head(reader, ACCESS_RESPONSE)
    expect(reader, b"\x00", "access request specification")
    count = reader.uint8()
    data = tuple(read_element(reader) for _ in range(count))
    expect(reader, bytes((count,)), "number of results")
    results = tuple((reader.uint8(), reader.uint8()) for _ in range(count))
    reader.finish("octets after the results")
    if tuple(choice for choice, _ in results) != tuple(choices):
        raise DecodeError("other results than those of the use case", data=octets)
    return AccessResponse(counter, data, results)


def expect_nulls(data: Sequence[bytes]) -> None:
    """Raise DecodeError unless every element is null."""
    for element in data:
        if element != NULL:
            raise DecodeError("data where none belongs", data=element)


def parse_data_notification(octets: bytes, more: int) -> Notification:
    """Read an alert up to its time; `more` elements must follow, for the caller to read and finish."""
    reader = Reader(octets)
    counter = _read_head(reader, DATA_NOTIFICATION)
    expect(reader, bytes((STRUCTURE, 2 + more)), "structure of the alert")
    return Notification(counter, read_uint16(reader), read_date_time(reader), reader)


def _head(tag: int, counter: int) -> bytes:
    return bytes((tag, _INVOKE_ID)) + (counter & _COUNTER_MASK).to_bytes(3, "big") + b"\x00"


def _read_head(reader: Reader, tag: int) -> int:
    """Read tag, invoke id and the empty date-time; return the low 24 bits of the counter."""
    expect(reader, bytes((tag, _INVOKE_ID)), "tag and invoke id")
    counter = reader.uint_be(3)
    expect(reader, b"\x00", "date-time of the APDU")
    return counter


def read_element(reader: Reader) -> bytes:
    """Return the next data element whole, whatever is in it."""
    start = reader.offset
    _pass(reader, _DEEPEST)
    return reader.data[start : reader.offset]


def _pass(reader: Reader, depth: int) -> None:
    start = reader.offset
    tag = reader.uint8()
    if tag in _FIXED_OCTETS:
        reader.octets(_FIXED_OCTETS[tag])
    elif tag in _STRINGS:
        reader.octets(read_length(reader))
    elif tag == BIT_STRING:
        reader.octets((read_length(reader) + 7) // 8)
    elif tag in (ARRAY, STRUCTURE) and depth:
        for _ in range(read_length(reader)):
            _pass(reader, depth - 1)
    elif tag == COMPACT_ARRAY:
        _pass_description(reader, depth)
        reader.octets(read_length(reader))
    else:
        raise DecodeError(f"data of tag {tag:02X}, or too deep", offset=start, data=reader.data)


def _pass_description(reader: Reader, depth: int) -> None:
    """Pass the description of a compact array's elements."""
    start = reader.offset
    tag = reader.uint8()
    if tag in (ARRAY, STRUCTURE) and not depth:
        raise DecodeError("a description too deep", offset=start, data=reader.data)
    if tag == ARRAY:
        reader.octets(2)
        _pass_description(reader, depth - 1)
    elif tag == STRUCTURE:
        for _ in range(reader.uint8()):
            _pass_description(reader, depth - 1)
