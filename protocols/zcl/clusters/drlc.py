"""Demand Response and Load Control cluster (0x0701): the meter (server) has a load switch (client) go on and off.

Source: ZSE 07-5356 D.2.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple, Self

from protocols.octets import Reader
from protocols.zcl.command_set import CommandSet, unpack

CLUSTER = 0x0701
NOW = 0  # start time
WATER_HEATER = 0x0004  # bit of the device class
SIMPLE_LOADS = 0x0080
NO_OFFSET, NO_SET_POINT, NO_ADJUSTMENT = 0xFF, -0x8000, -0x80
NO_SIGNATURE = 0

_EVENT = struct.Struct("<IHBIHBBBhhbBB")
_CANCEL = struct.Struct("<IHBBI")
_STATUS = struct.Struct("<IBIBhhbBBB")
_SCHEDULED = struct.Struct("<IB")


class EventStatus(IntEnum):
    """What became of an event."""

    RECEIVED = 0x01
    STARTED = 0x02
    COMPLETED = 0x03
    OPTED_OUT = 0x04
    OPTED_IN = 0x05
    CANCELLED = 0x06
    SUPERSEDED = 0x07
    REJECTED_EXPIRED = 0xFB
    REJECTED = 0xFE


class LoadControlEvent(NamedTuple):
    """Server to client, command 0x00. Here a duty cycle of 100 closes the switch, 0 opens it."""

    issuer_event_id: int  # 32 bits
    device_class: int  # 16 bits
    enrollment_group: int  # 8 bits; 0: all
    start_time: int  # UTCTime; 0: now
    duration: int  # minutes, at most 1440
    criticality: int  # 8 bits
    duty_cycle: int  # 0 to 100 %; 0xFF: not used
    event_control: int = 0  # 8 bits: randomise start 0, end 1

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        event, loads, group, start, duration, criticality, *_, duty_cycle, control = unpack(_EVENT, octets)
        return cls(event, loads, group, start, duration, criticality, duty_cycle, control)

    def encode(self) -> bytes:
        unused = (NO_OFFSET, NO_OFFSET, NO_SET_POINT, NO_SET_POINT, NO_ADJUSTMENT)
        return _EVENT.pack(*self[:6], *unused, *self[6:])


class CancelLoadControlEvent(NamedTuple):
    """Server to client, command 0x01."""

    issuer_event_id: int  # 32 bits
    device_class: int  # 16 bits
    enrollment_group: int = 0  # 8 bits
    control: int = 0  # 8 bits
    effective_time: int = NOW  # UTCTime

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        return cls(*unpack(_CANCEL, octets))

    def encode(self) -> bytes:
        return _CANCEL.pack(*self)


class ReportEventStatus(NamedTuple):
    """Client to server, command 0x00, unsigned."""

    issuer_event_id: int  # 32 bits
    status: int  # EventStatus
    status_time: int  # UTCTime
    criticality: int  # 8 bits
    duty_cycle: int  # 8 bits
    event_control: int = 0  # 8 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        event, status, when, criticality, *_, duty_cycle, control, _ = unpack(_STATUS, octets)
        return cls(event, status, when, criticality, duty_cycle, control)

    def encode(self) -> bytes:
        applied = (NO_SET_POINT, NO_SET_POINT, NO_ADJUSTMENT)
        return _STATUS.pack(*self[:4], *applied, *self[4:], NO_SIGNATURE)


class GetScheduledEvents(NamedTuple):
    """Client to server, command 0x01."""

    start_time: int  # UTCTime
    number_of_events: int  # 8 bits; 0: all

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = Reader(octets)
        return cls(reader.uint(4), reader.uint8())

    def encode(self) -> bytes:
        return _SCHEDULED.pack(*self)


COMMANDS: Final = CommandSet(
    "Demand Response and Load Control",
    from_client={0x00: ReportEventStatus, 0x01: GetScheduledEvents},
    from_server={0x00: LoadControlEvent, 0x01: CancelLoadControlEvent},
)
