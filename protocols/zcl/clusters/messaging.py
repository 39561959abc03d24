"""Messaging cluster (0x0703): texts that the meter (server) has displays (clients) show. Source: ZSE 07-5356 D.5."""

import struct
from enum import IntEnum
from typing import Final, NamedTuple, Self

from protocols.octets import Reader
from protocols.zcl.command_set import CommandSet, unpack

CLUSTER = 0x0703
UNTIL_CHANGED = 0xFFFF  # duration
NOW = 0  # start time

_HEAD = struct.Struct("<IBIH")
_CANCEL = struct.Struct("<IB")
_TIME = struct.Struct("<I")
_CONFIRM = struct.Struct("<II")


class Importance(IntEnum):
    """Bits 2 and 3 of the message control."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3


CONFIRMATION_REQUIRED = 0x80  # bit 7 of the message control


def control_of(importance: Importance, *, confirm: bool) -> int:
    """Return the message control of a normal transmission."""
    return importance << 2 | (CONFIRMATION_REQUIRED if confirm else 0)


class DisplayMessage(NamedTuple):
    """Server to client, command 0x00."""

    message_id: int  # 32 bits
    control: int  # 8 bits: transmission 0-1, importance 2-3, confirmation 7
    start_time: int  # UTCTime; 0: now
    duration: int  # minutes
    text: bytes  # UTF-8, at most 254 octets

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        number, control, start, duration = unpack(_HEAD, octets)
        reader = Reader(octets[_HEAD.size :])
        return cls(number, control, start, duration, reader.octets(reader.uint8()))

    def encode(self) -> bytes:
        return _HEAD.pack(*self[:4]) + bytes((len(self.text),)) + self.text

    @property
    def wants_confirmation(self) -> bool:
        return bool(self.control & CONFIRMATION_REQUIRED)


class CancelMessage(NamedTuple):
    """Server to client, command 0x01."""

    message_id: int  # 32 bits
    control: int = 0  # 8 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_CANCEL, octets))

    def encode(self) -> bytes:
        return _CANCEL.pack(*self)


class CancelAllMessages(NamedTuple):
    """Server to client, command 0x03."""

    implementation_time: int  # UTCTime; 0: now

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_TIME, octets))

    def encode(self) -> bytes:
        return _TIME.pack(*self)


class GetLastMessage(NamedTuple):
    """Client to server, command 0x00."""

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls()

    def encode(self) -> bytes:
        return b""


class MessageConfirmation(NamedTuple):
    """Client to server, command 0x01."""

    message_id: int  # 32 bits
    confirmation_time: int  # UTCTime

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_CONFIRM, octets))

    def encode(self) -> bytes:
        return _CONFIRM.pack(*self)


COMMANDS: Final = CommandSet(
    "Messaging",
    from_client={0x00: GetLastMessage, 0x01: MessageConfirmation},
    from_server={0x00: DisplayMessage, 0x01: CancelMessage, 0x03: CancelAllMessages},
)
