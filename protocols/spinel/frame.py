"""Spinel frames: header, command, payload; and the payload of property commands.

Source: draft-rquattle-spinel-unified sections 3 and 4.
"""

from typing import NamedTuple

from protocols.errors import DecodeError
from protocols.octets import Reader
from protocols.spinel.numbers import Command, Property, Status
from protocols.spinel.packed import read_packed, write_packed

_FLAG = 0x80  # the two upper bits of the header are 10
_FLAG_MASK = 0xC0


class SpinelFrame(NamedTuple):
    """What one HDLC-lite frame carries."""

    tid: int  # 4 bits: 1 to 15 pair a response with its request, 0 is unsolicited
    command: int  # Command
    payload: bytes = b""
    interface: int = 0  # 2 bits

    @classmethod
    def decode(cls, octets: bytes) -> "SpinelFrame":
        """Read a frame; DecodeError if the header is not Spinel's."""
        reader = Reader(octets)
        header = reader.uint8()
        if header & _FLAG_MASK != _FLAG:
            raise DecodeError(f"not a Spinel header: {header:02x}", data=octets)
        return cls(header & 0x0F, read_packed(reader), reader.rest(), header >> 4 & 3)

    def encode(self) -> bytes:
        return bytes((_FLAG | self.interface << 4 | self.tid,)) + write_packed(self.command) + self.payload


class PropertyValue(NamedTuple):
    """Payload of the commands of a property: its number, then its value as octets."""

    property: int  # Property
    value: bytes = b""

    @classmethod
    def decode(cls, payload: bytes) -> "PropertyValue":
        reader = Reader(payload)
        return cls(read_packed(reader), reader.rest())

    def encode(self) -> bytes:
        return write_packed(self.property) + self.value


def value_is(number: int, value: bytes, tid: int = 0) -> SpinelFrame:
    """Return the frame that tells a property's value, in answer to the request `tid` or unsolicited."""
    return SpinelFrame(tid, Command.PROP_VALUE_IS, PropertyValue(number, value).encode())


def last_status(status: Status, tid: int = 0) -> SpinelFrame:
    return value_is(Property.LAST_STATUS, write_packed(status), tid)
