"""The form of every general command, for readers of captures that only want to know whether it can be read.

Source: ZCL 07-5123-08 2.5. `attribute_server.py` carries them out.
"""

from collections.abc import Callable
from typing import Final

from protocols.errors import DecodeError
from protocols.octets import Reader
from protocols.zcl import foundation
from protocols.zcl.attribute_server import (
    CONFIGURE,
    CONFIGURE_RESPONSE,
    DISCOVER,
    DISCOVER_EXTENDED,
    DISCOVER_GENERATED,
    DISCOVER_RECEIVED,
    READ_CONFIGURATION,
    READ_CONFIGURATION_RESPONSE,
    WRITE,
    WRITE_NO_RESPONSE,
    WRITE_RESPONSE,
    WRITE_UNDIVIDED,
    Configuration,
)
from protocols.zcl.data_types import read_value
from protocols.zcl.foundation import GlobalCommand
from protocols.zcl.frame import ZclFrame

_STRUCTURED: Final = (0x0E, 0x0F, 0x10)  # read, write and answer within structures: their inside is not looked at


def check(frame: ZclFrame) -> GlobalCommand | None:
    """Raise DecodeError for a general command that stops early, has something behind it, or is none.

    Returns what `foundation.decode` gives for those it knows.
    """
    form = _FORMS.get(frame.command)
    if form is None:
        return None if frame.command in _STRUCTURED else foundation.decode(frame)
    reader = Reader(frame.payload)
    form(reader)
    if reader.remaining:
        raise DecodeError(f"octets behind general command {frame.command:#04x}", offset=reader.offset, data=reader.data)
    return None


def _each(one: Callable[[Reader], object]) -> Callable[[Reader], None]:
    """Return what reads one record after another to the end."""

    def all_of(reader: Reader) -> None:
        while reader.remaining:
            one(reader)

    return all_of


def _value(reader: Reader) -> None:
    reader.uint(2)
    read_value(reader, reader.uint8())


def _statuses(octets: int) -> Callable[[Reader], None]:
    """Return what reads one SUCCESS for all, or records of a status and so many octets."""

    def form(reader: Reader) -> None:
        if reader.remaining == 1:
            reader.uint8()
        else:
            _each(lambda rest: rest.octets(1 + octets))(reader)

    return form


def _configuration(reader: Reader) -> None:
    direction = reader.uint8()
    reader.uint(2)
    if direction:
        reader.uint(2)  # time-out of reports to come in
    else:
        Configuration.read(reader)


def _configuration_read(reader: Reader) -> None:
    if reader.uint8():
        reader.octets(3)
    else:
        _configuration(reader)


def _asked(octets: int) -> Callable[[Reader], object]:
    return lambda reader: reader.octets(octets)


def _told(octets: int) -> Callable[[Reader], None]:
    """Return what reads whether the list is complete, and its rows of so many octets."""

    def form(reader: Reader) -> None:
        reader.uint8()
        _each(lambda rest: rest.octets(octets))(reader)

    return form


_FORMS: Final[dict[int, Callable[[Reader], object]]] = {
    WRITE: _each(_value),
    WRITE_UNDIVIDED: _each(_value),
    WRITE_NO_RESPONSE: _each(_value),
    WRITE_RESPONSE: _statuses(2),
    CONFIGURE: _each(_configuration),
    CONFIGURE_RESPONSE: _statuses(3),
    READ_CONFIGURATION: _each(_asked(3)),
    READ_CONFIGURATION_RESPONSE: _each(_configuration_read),
    DISCOVER: _asked(3),
    DISCOVER + 1: _told(3),
    DISCOVER_RECEIVED: _asked(2),
    DISCOVER_RECEIVED + 1: _told(1),
    DISCOVER_GENERATED: _asked(2),
    DISCOVER_GENERATED + 1: _told(1),
    DISCOVER_EXTENDED: _asked(3),
    DISCOVER_EXTENDED + 1: _told(4),
}
