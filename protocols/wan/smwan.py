"""Messages between DSP and CSP. The format is this project's own.

Layout: magic `HLSM`, version octet, kind octet, then the fields in the order of the classes below.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Self

from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.octets import Reader
from protocols.wan.fields import put_block, put_text, take_block, take_eui, take_flag, take_header, take_text

MAGIC = b"HLSM"
VERSION = 2

_STATUS = struct.Struct(">QQIQBB")
_OUTAGE_FIELDS = "QQQII"  # those of PowerOutage
_OUTAGE = struct.Struct(f">{_OUTAGE_FIELDS}")


class Kind(IntEnum):
    GBCS_TO_HUB = 1
    FIRMWARE_TO_HUBS = 2
    GBCS_FROM_HUB = 0x81
    FIRMWARE_DELIVERY_STATUS = 0x82
    POWER_OUTAGE = 0x83
    GBCS_UNDELIVERABLE = 0x84
    HUB_FIRMWARE_ACTIVATED = 0x85


OUTAGE = struct.Struct(f">{len(MAGIC) + 2}s{_OUTAGE_FIELDS}")
"""A whole PowerOutage message: OUTAGE_START, then its fields. For who takes very many of them."""

OUTAGE_START = MAGIC + bytes((VERSION, Kind.POWER_OUTAGE))


def _frame(kind: Kind, body: bytes) -> bytes:
    return MAGIC + bytes((VERSION, kind)) + body


class FirmwareTarget(NamedTuple):
    hub: Eui64  # CHF
    device: Eui64
    device_type: str  # of the inventory as the CSP knows it: ESME, GSME, HCALCS, PPMID (a bridge is a PPMID here)


@dataclass(frozen=True, slots=True)
class GbcsToHub:
    """DSP to CSP: carry a GBCS message to `device`, which is the hub's CHF or a device behind it."""

    hub: Eui64
    device: Eui64
    message: bytes

    def encode(self) -> bytes:
        return _frame(Kind.GBCS_TO_HUB, self.hub.big + self.device.big + put_block(self.message))

    @classmethod
    def take(cls, reader: Reader) -> Self:
        return cls(take_eui(reader), take_eui(reader), take_block(reader))


@dataclass(frozen=True, slots=True)
class FirmwareToHubs:
    """DSP to CSP: deliver one OTA image to the hubs of all targets.

    targets: (hub, device, device type) each; plain tuples serve. image: the OTA file.
    """

    request_id: str
    targets: tuple[FirmwareTarget | tuple[Eui64, Eui64, str], ...]
    image: bytes

    def encode(self) -> bytes:
        parts = [put_text(self.request_id), len(self.targets).to_bytes(4, "big")]
        parts += [hub.big + device.big + put_text(device_type) for hub, device, device_type in self.targets]
        return _frame(Kind.FIRMWARE_TO_HUBS, b"".join(parts) + put_block(self.image))

    @classmethod
    def take(cls, reader: Reader) -> Self:
        request_id = take_text(reader)
        count = reader.uint_be(4)
        targets = tuple(_take_target(reader) for _ in range(count))
        return cls(request_id, targets, take_block(reader))


def _take_target(reader: Reader) -> FirmwareTarget:
    return FirmwareTarget(take_eui(reader), take_eui(reader), take_text(reader))


@dataclass(frozen=True, slots=True)
class GbcsFromHub:
    """CSP to DSP: a GBCS message of `device`, which is the hub's CHF or a device behind it."""

    hub: Eui64
    device: Eui64
    message: bytes

    def encode(self) -> bytes:
        return _frame(Kind.GBCS_FROM_HUB, self.hub.big + self.device.big + put_block(self.message))

    @classmethod
    def take(cls, reader: Reader) -> Self:
        return cls(take_eui(reader), take_eui(reader), take_block(reader))


@dataclass(frozen=True, slots=True)
class FirmwareDeliveryStatus:
    """CSP to DSP: whether the hub took the image for one device; the DSP makes N60 or N61 of it."""

    request_id: str
    hub: Eui64
    device: Eui64
    version: int  # 32 bits, file version of the OTA header
    time: int  # ns since 1970 UTC
    success: bool
    identified: bool = True  # False: the CSP does not know the hub, or cannot serve the type; nothing was sent

    def encode(self) -> bytes:
        fixed = _STATUS.pack(self.hub, self.device, self.version, self.time, self.success, self.identified)
        return _frame(Kind.FIRMWARE_DELIVERY_STATUS, put_text(self.request_id) + fixed)

    @classmethod
    def take(cls, reader: Reader) -> Self:
        request_id = take_text(reader)
        hub, device = take_eui(reader), take_eui(reader)
        version, time = reader.uint_be(4), reader.uint_be(8)
        return cls(request_id, hub, device, version, time, take_flag(reader), take_flag(reader))


class PowerOutage(NamedTuple):
    """CSP to DSP: the hub has been without supply for three minutes or more. Source of AD1.

    Where the CSP throttles such alerts, a sequence identifier and a count stand in for those it kept back.
    """

    hub: Eui64
    started: int  # ns since 1970 UTC
    taken: int = 0  # ns since 1970 UTC, when the CSP took it from the hub; 0: not told
    throttled_sequence: int = 0  # 32 bits
    throttled_count: int = 0  # 32 bits; 0: not throttled

    def encode(self) -> bytes:
        return OUTAGE.pack(OUTAGE_START, *self)

    @classmethod
    def of(cls, octets: bytes) -> Self:
        """Take a whole message that is known to be one."""
        _, hub, *others = OUTAGE.unpack(octets)
        return cls(Eui64(hub), *others)

    @classmethod
    def take(cls, reader: Reader) -> Self:
        hub, *others = _OUTAGE.unpack(reader.octets(_OUTAGE.size))
        return cls(Eui64(hub), *others)


@dataclass(frozen=True, slots=True)
class GbcsUndeliverable:
    """CSP to DSP: a GBCS message cannot be carried to its hub."""

    hub: Eui64
    device: Eui64
    message: bytes  # as the DSP gave it

    def encode(self) -> bytes:
        return _frame(Kind.GBCS_UNDELIVERABLE, self.hub.big + self.device.big + put_block(self.message))

    @classmethod
    def take(cls, reader: Reader) -> Self:
        return cls(take_eui(reader), take_eui(reader), take_block(reader))


@dataclass(frozen=True, slots=True)
class HubFirmwareActivated:
    """CSP to DSP: a hub runs another firmware of its own, which the CSP brought it. Source of N63."""

    hub: Eui64
    version: int  # 32 bits
    time: int  # ns since 1970 UTC, when the CSP heard of it

    def encode(self) -> bytes:
        return _frame(Kind.HUB_FIRMWARE_ACTIVATED, struct.pack(">QIQ", self.hub, self.version, self.time))

    @classmethod
    def take(cls, reader: Reader) -> Self:
        return cls(take_eui(reader), reader.uint_be(4), reader.uint_be(8))


SmWanMessage = (
    GbcsToHub
    | FirmwareToHubs
    | GbcsFromHub
    | FirmwareDeliveryStatus
    | PowerOutage
    | GbcsUndeliverable
    | HubFirmwareActivated
)


_TAKERS: dict[int, Callable[[Reader], SmWanMessage]] = {
    Kind.GBCS_TO_HUB: GbcsToHub.take,
    Kind.FIRMWARE_TO_HUBS: FirmwareToHubs.take,
    Kind.GBCS_FROM_HUB: GbcsFromHub.take,
    Kind.FIRMWARE_DELIVERY_STATUS: FirmwareDeliveryStatus.take,
    Kind.POWER_OUTAGE: PowerOutage.take,
    Kind.GBCS_UNDELIVERABLE: GbcsUndeliverable.take,
    Kind.HUB_FIRMWARE_ACTIVATED: HubFirmwareActivated.take,
}


def decode(octets: bytes) -> SmWanMessage:
    """Decode one whole message; DecodeError for anything else, a newer version included."""
    reader = take_header(octets, MAGIC, VERSION, "a DSP-CSP message")
    kind = reader.uint8()
    taker = _TAKERS.get(kind)
    if taker is None:
        raise DecodeError(f"unknown kind {kind:#04x} of a DSP-CSP message", offset=reader.offset - 1, data=octets)
    message = taker(reader)
    reader.finish()
    return message
