"""Logs read between two times: selective access by a range, answered by a compact array of rows.

Source: GBCS V3.1 9.1.5 and mapping tables, RTDS 4.5.0 (ECS23, ECS35).
"""

from collections.abc import Iterable, Iterator

from protocols.errors import DecodeError
from protocols.gbcs import dlms
from protocols.gbcs.dlms import GET_WITH_SELECTION, Descriptor
from protocols.gbcs.lengths import encode_length, read_length
from protocols.gbcs.times import from_zigbee_time, zigbee_time
from protocols.octets import Reader

_PROFILE, _BUFFER = 0x0007, 2  # class, attribute
_BY_RANGE = b"\x01"  # access selector
_CLOCK = dlms.structure(
    dlms.uint16(1), dlms.octet_string(bytes.fromhex("00005E2C64FF")), dlms.int8(2), dlms.uint16(0)
)  # what the range is of: the time of an entry
_ALL_COLUMNS = dlms.array()
_COMPACT_ARRAY = b"\x13"
_ITEMS = 4


def log(instance: bytes, begin: int, end: int) -> Descriptor:
    """Return the request for the entries of a log from begin to end, both included, ns since 1970 UTC."""
    return Descriptor(GET_WITH_SELECTION, _PROFILE, instance, _BUFFER, _selection(begin, end))


def any_log(instance: bytes) -> Descriptor:
    """Return what `parse_access_request` expects of such a request, whatever its range."""
    return Descriptor(GET_WITH_SELECTION, _PROFILE, instance, _BUFFER)


def _selection(begin: int, end: int) -> bytes:
    times = (dlms.uint32(zigbee_time(each)) for each in (begin, end))
    return _BY_RANGE + dlms.structure(_CLOCK, *times, _ALL_COLUMNS)


def range_of(descriptor: Descriptor) -> tuple[int, int]:
    """Return begin and end of a request, ns since 1970 UTC; DecodeError for another selection than by range of time."""
    reader = Reader(descriptor.selection)
    dlms.expect(reader, _BY_RANGE, "access selector")
    dlms.read_structure(reader, _ITEMS)
    dlms.expect(reader, _CLOCK, "what the range is of")
    begin, end = (from_zigbee_time(dlms.read_uint32(reader)) for _ in range(2))
    dlms.expect(reader, _ALL_COLUMNS, "columns selected")
    reader.finish()
    return begin, end


def compact_array(columns: bytes, rows: Iterable[bytes]) -> bytes:
    """Return rows under the description of their columns: a structure of so many types."""
    octets = b"".join(rows)
    return _COMPACT_ARRAY + _description(columns) + encode_length(len(octets)) + octets


def columns_of(data: bytes, allowed: Iterable[bytes]) -> bytes:
    """Return which of the allowed columns an element has, a compact array; DecodeError for any other."""
    for columns in allowed:
        if data.startswith(_COMPACT_ARRAY + _description(columns)):
            return columns
    raise DecodeError("not a log of the use case", data=data)


def rows_of(data: bytes, columns: bytes) -> Iterator[Reader]:
    """Give one reader, at the beginning of each row; whoever reads takes a whole row before the next."""
    reader = Reader(data)
    dlms.expect(reader, _COMPACT_ARRAY + _description(columns), "description of a log")
    length = read_length(reader)
    if length != reader.remaining:
        raise DecodeError("a log of another length", offset=reader.offset, data=data)
    while reader.remaining:
        yield reader


def _description(columns: bytes) -> bytes:
    return bytes((dlms.STRUCTURE, len(columns))) + columns
