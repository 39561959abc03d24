"""ECS61a, read what an ESME knows of the switches it controls, its own (ALCS) and HCALCS (service request 7.7).

Source: RTDS 4.5.0. Of an entry's script the high octet is a switch, from 1, and the low one closes it (1) or opens
it (2). [I]
"""

from dataclasses import dataclass
from typing import Final, Self

from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.gbcs import dlms
from protocols.gbcs.codes import AccessResult
from protocols.gbcs.dlms import GET, Descriptor
from protocols.gbcs.lengths import encode_length, read_length
from protocols.octets import Reader

MESSAGE_CODE = 0x00BB
SWITCHES = 5

_DATA, _SPECIAL_DAYS, _SCHEDULE, _SWITCH = 1, 11, 10, 70  # classes
_VISIBLE_STRING = 0x0A
_SCRIPTS = dlms.octet_string(bytes.fromhex("00000A0067FF"))
_NO_VALIDITY = dlms.uint16(0xFFFF)
EVERY_DAY: Final = 0x7F
_CLOSES, _OPENS = 1, 2
_ENTRY_ITEMS, _DAY_ITEMS = 10, 3
_COUNT = 3 * SWITCHES + 2

REQUESTS: Final = (
    *(Descriptor(GET, _DATA, bytes((0, 0, 94, 44, 0, 11 + n)), 2) for n in range(SWITCHES)),
    *(Descriptor(GET, _DATA, bytes((0, 0, 94, 44, 0, 21 + n)), 2) for n in range(SWITCHES)),
    Descriptor(GET, _SPECIAL_DAYS, bytes((0, 0, 11, 0, 3, 255)), 2),
    Descriptor(GET, _SCHEDULE, bytes((0, 0, 12, 0, 2, 255)), 2),
    *(Descriptor(GET, _SWITCH, bytes((0, n, 0x60, 3, 0x0A, 0xFF)), 2) for n in range(1, SWITCHES + 1)),
)


@dataclass(frozen=True, slots=True)
class Command:
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        return dlms.access_request(self.counter, REQUESTS, [dlms.NULL] * _COUNT)

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        request = dlms.parse_access_request(octets, REQUESTS)
        dlms.expect(request.data, dlms.NULL * _COUNT, "data of gets")
        request.data.finish()
        return cls(request.counter)


@dataclass(frozen=True, slots=True)
class SpecialDay:
    index: int  # 16 bits
    date: bytes  # 5 octets as of DLMS, FF where it is any
    schedule: int  # 8 bits


@dataclass(frozen=True, slots=True)
class Entry:
    """A change of switches, at a time of day."""

    index: int  # 16 bits
    switch: int  # from 1
    closes: bool
    time: bytes  # 4 octets: hour, minute, second, hundredths; UTC
    weekdays: int = EVERY_DAY  # 7 bits, Monday first
    special_days: int = 0  # 4 bits, by schedule
    begin: bytes = b"\xff" * 5  # a date
    end: bytes = b"\xff" * 5
    enabled: bool = True

    def encode(self) -> bytes:
        dates = (dlms.octet_string(date) for date in (self.begin, self.end))
        script = self.switch << 8 | (_CLOSES if self.closes else _OPENS)
        return dlms.structure(
            dlms.uint16(self.index), dlms.boolean(self.enabled), _SCRIPTS, dlms.uint16(script),
            dlms.octet_string(self.time), _NO_VALIDITY, bytes((dlms.BIT_STRING, 7, self.weekdays << 1)),
            bytes((dlms.BIT_STRING, 4, self.special_days << 4)), *dates,
        )  # fmt: skip

    @classmethod
    def read(cls, reader: Reader) -> Self:
        dlms.read_structure(reader, _ENTRY_ITEMS)
        index, enabled = dlms.read_uint16(reader), dlms.read_boolean(reader)
        dlms.expect(reader, _SCRIPTS, "name of the scripts")
        switch, script = divmod(dlms.read_uint16(reader), 0x100)
        if script not in (_CLOSES, _OPENS):
            raise DecodeError("a script that neither closes nor opens", offset=reader.offset, data=reader.data)
        time = dlms.read_octet_string(reader, 4)
        dlms.expect(reader, _NO_VALIDITY, "validity window")
        weekdays, special_days = _read_bits(reader, 7), _read_bits(reader, 4)
        begin, end = (dlms.read_octet_string(reader, 5) for _ in range(2))
        return cls(index, switch, script == _CLOSES, time, weekdays, special_days, begin, end, enabled)


@dataclass(frozen=True, slots=True)
class Response:
    """Of switches 1 to 5. A failed get, which the standard allows of each, is not modelled but of the states."""

    descriptions: tuple[bytes, ...]
    hcalcs: tuple[Eui64, ...]  # 0 where none is joined, as for the meter's own
    special_days: tuple[SpecialDay, ...]
    entries: tuple[Entry, ...]
    states: tuple[bool | None, ...]  # whether closed; None on failure
    results: tuple[AccessResult | int, ...] = (AccessResult.SUCCESS,) * SWITCHES  # of the states
    counter: int = 0  # the message's originator counter; only its low 24 bits are sent

    def encode(self) -> bytes:
        data = [bytes((_VISIBLE_STRING,)) + encode_length(len(text)) + text for text in self.descriptions]
        data += [dlms.octet_string(eui.big) for eui in self.hcalcs]
        days = (
            dlms.structure(dlms.uint16(day.index), dlms.octet_string(day.date), dlms.uint8(day.schedule))
            for day in self.special_days
        )
        data += [dlms.array(*days), dlms.array(*(entry.encode() for entry in self.entries))]
        data += [dlms.NULL if state is None else dlms.boolean(state) for state in self.states]
        codes = (*(AccessResult.SUCCESS,) * (_COUNT - SWITCHES), *self.results)
        return dlms.access_response(self.counter, data, [(GET, code) for code in codes])

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        response = dlms.parse_access_response(octets, (GET,) * _COUNT)
        if any(response.codes[:-SWITCHES]):
            raise DecodeError("a failed get of what is always there", data=octets)
        readers = [Reader(each) for each in response.data[:-SWITCHES]]
        descriptions = tuple(_read_text(reader) for reader in readers[:SWITCHES])
        hcalcs = tuple(Eui64.from_big(dlms.read_octet_string(r, 8)) for r in readers[SWITCHES : 2 * SWITCHES])
        days = tuple(_read_day(readers[-2]) for _ in range(dlms.read_array(readers[-2])))
        entries = tuple(Entry.read(readers[-1]) for _ in range(dlms.read_array(readers[-1])))
        for reader in readers:
            reader.finish()
        states, results = tuple(map(_state, response.data[-SWITCHES:])), response.codes[-SWITCHES:]
        if any((state is None) == (code == AccessResult.SUCCESS) for state, code in zip(states, results, strict=True)):
            raise DecodeError("a state and a failure, or neither", data=octets)
        return cls(descriptions, hcalcs, days, entries, states, results, response.counter)


def _read_text(reader: Reader) -> bytes:
    dlms.expect(reader, bytes((_VISIBLE_STRING,)), "tag of a visible string")
    return reader.octets(read_length(reader))


def _read_day(reader: Reader) -> SpecialDay:
    dlms.read_structure(reader, _DAY_ITEMS)
    return SpecialDay(dlms.read_uint16(reader), dlms.read_octet_string(reader, 5), dlms.read_uint8(reader))


def _read_bits(reader: Reader, count: int) -> int:
    dlms.expect(reader, bytes((dlms.BIT_STRING, count)), f"bit-string of {count}")
    start, octet = reader.offset, reader.uint8()
    if octet & (0xFF >> count):
        raise DecodeError("more bits than there are", offset=start, data=reader.data)
    return octet >> (8 - count)


def _state(data: bytes) -> bool | None:
    reader = Reader(data)
    state = None if data == dlms.NULL else dlms.read_boolean(reader)
    reader.octets(1 if state is None else 0)
    reader.finish()
    return state
