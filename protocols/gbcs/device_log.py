"""Device logs as several use cases carry them: who is in a log, link key hashes, how well devices are heard."""

from dataclasses import dataclass
from typing import Self

from protocols.addresses import Eui64
from protocols.errors import UsageError
from protocols.gbcs import der, dlms
from protocols.gbcs.codes import DeviceType, named
from protocols.gbcs.der import DerReader
from protocols.gbcs.dlms import Descriptor
from protocols.gbcs.times import Instant
from protocols.octets import Reader

CLASS = 0x0068  # ZigBee network control
LOG = bytes.fromhex("00001E0300FF")
HISTORIC_LOG = bytes.fromhex("00001E0301FF")
HASH_OCTETS = 16

REGISTER, UNREGISTER, BACKUP, RESTORE = 1, 2, 4, 5  # methods
ATTRIBUTE_OPEN_JOINING, ATTRIBUTE_JOIN_TIMEOUT, ATTRIBUTE_DEVICES = 2, 3, 4


def descriptor(choice: int, member: int, instance: bytes = LOG) -> Descriptor:
    """Return the descriptor of an attribute or method of a log."""
    return Descriptor(choice, CLASS, instance, member)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A device in the log of a meter, PPMID, HCALCS or GPF."""

    device: Eui64
    device_type: DeviceType | int

    def encode(self) -> bytes:
        return der.sequence(der.octet_string(self.device.big), der.integer(self.device_type))

    @classmethod
    def read(cls, reader: DerReader) -> Self:
        inner = reader.sequence()
        entry = cls(Eui64.from_big(inner.octet_string(8)), named(DeviceType, inner.unsigned(8)))
        inner.finish()
        return entry


@dataclass(frozen=True, slots=True)
class HashedKey:
    device: Eui64
    key_hash: bytes  # 16 octets, AES-MMO of the link key; empty while there is none

    def encode(self) -> bytes:
        return dlms.structure(dlms.octet_string(self.device.big), dlms.octet_string(self.key_hash))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        dlms.read_structure(reader, 2)
        return cls(Eui64.from_big(dlms.read_octet_string(reader, 8)), dlms.read_octet_string(reader, 0, HASH_OCTETS))


def encode_keys(keys: tuple[HashedKey, ...]) -> bytes:
    return dlms.array(*(key.encode() for key in keys))


def read_keys(reader: Reader) -> tuple[HashedKey, ...]:
    return tuple(HashedKey.read(reader) for _ in range(dlms.read_array(reader)))


@dataclass(frozen=True, slots=True)
class LogBackup:
    """The whole log of a hub, with what a replacement hub needs to know the devices again."""

    time: Instant
    extended_pan_id: Eui64
    keys: tuple[HashedKey, ...]

    def encode(self) -> bytes:
        return dlms.structure(
            dlms.date_time(self.time), dlms.octet_string(self.extended_pan_id.big), encode_keys(self.keys)
        )

    @classmethod
    def read(cls, reader: Reader) -> Self:
        dlms.read_structure(reader, 3)
        time, pan = dlms.read_date_time(reader), Eui64.from_big(dlms.read_octet_string(reader, 8))
        return cls(time, pan, read_keys(reader))


@dataclass(frozen=True, slots=True)
class DeviceState:
    """A device in the hub's log and how well the hub hears it."""

    device: Eui64
    status: int  # 8 bits
    max_rssi: int  # dBm, 8 bits signed
    average_rssi: int
    min_rssi: int
    max_lqi: int  # 8 bits
    average_lqi: int
    min_lqi: int
    last_communication: bytes  # 12 octets, DLMS date-time as the hub gives it, weekday told or not
    hops: int  # 8 bits, as those that follow
    failures: int
    successes: int
    application_version: int
    stack_version: int

    def encode(self) -> bytes:
        if len(self.last_communication) != 12:
            raise UsageError(f"a DLMS date-time of {len(self.last_communication)} octets")
        counts = (self.hops, self.failures, self.successes, self.application_version, self.stack_version)
        return dlms.structure(
            dlms.octet_string(self.device.big),
            dlms.bit_string_8(self.status),
            *(dlms.int8(rssi) for rssi in (self.max_rssi, self.average_rssi, self.min_rssi)),
            *(dlms.uint8(lqi) for lqi in (self.max_lqi, self.average_lqi, self.min_lqi)),
            dlms.octet_string(self.last_communication),
            *(dlms.uint8(count) for count in counts),
        )

    @classmethod
    def read(cls, reader: Reader) -> Self:
        dlms.read_structure(reader, 14)
        return cls(
            Eui64.from_big(dlms.read_octet_string(reader, 8)),
            dlms.read_bit_string_8(reader),
            dlms.read_int8(reader),
            dlms.read_int8(reader),
            dlms.read_int8(reader),
            dlms.read_uint8(reader),
            dlms.read_uint8(reader),
            dlms.read_uint8(reader),
            dlms.read_octet_string(reader, 12),
            dlms.read_uint8(reader),
            dlms.read_uint8(reader),
            dlms.read_uint8(reader),
            dlms.read_uint8(reader),
            dlms.read_uint8(reader),
        )
