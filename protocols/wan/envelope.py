"""The envelope between hub and CSP. The format is this project's own.

Layout: magic `HLWN`, version octet, kind octet, epoch (8), message id (8), oldest id (8), body. Epoch is the number of
the sender's run of ids, larger after it lost its memory; every id below `oldest` is settled for the sender. An
acknowledgement has the id, and the epoch, of the message it acknowledges, and no body.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Self

from protocols.addresses import Eui64
from protocols.errors import DecodeError, UsageError
from protocols.octets import Reader
from protocols.wan.fields import put_block, put_text, take_block, take_eui, take_header, take_text

MAGIC = b"HLWN"
VERSION = 1

_HEADER = struct.Struct(">4sBBQQQ")


class Kind(IntEnum):
    ACKNOWLEDGEMENT = 0
    GBCS_CARRIED = 1
    FIRMWARE_IMAGE_DELIVERY = 2
    POWER_LOSS = 3
    HUB_FIRMWARE_REPORT = 4


THE_HUB = 255
"""Type code of an image that is for the hub itself, whose CHF is the only target."""


class ImageTarget(NamedTuple):
    device: Eui64
    type_code: int  # 8 bits, numbering of CCS01 (0 ESME, 1 GSME, 13 HCALCS, 132 PPMID); of the hub itself THE_HUB


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Either way: the message of this epoch and id is held safely."""

    def encode(self) -> bytes:
        return b""

    @classmethod
    def take(cls, reader: Reader) -> Self:
        return cls()


@dataclass(frozen=True, slots=True)
class GbcsCarried:
    """Either way: a GBCS message to or from `device`, which is the CHF itself or a device behind it."""

    device: Eui64
    message: bytes

    def encode(self) -> bytes:
        return self.device.big + put_block(self.message)

    @classmethod
    def take(cls, reader: Reader) -> Self:
        return cls(take_eui(reader), take_block(reader))


@dataclass(frozen=True, slots=True)
class FirmwareImageDelivery:
    """CSP to hub: one OTA image and the devices it is for. targets: (device, type code) each; plain tuples serve."""

    request_id: str
    targets: tuple[ImageTarget | tuple[Eui64, int], ...]
    image: bytes

    def encode(self) -> bytes:
        if len(self.targets) > 0xFF:
            raise UsageError(f"{len(self.targets)} devices of one hub")
        parts = [put_text(self.request_id), bytes((len(self.targets),))]
        parts += [device.big + bytes((type_code,)) for device, type_code in self.targets]
        return b"".join(parts) + put_block(self.image)

    @classmethod
    def take(cls, reader: Reader) -> Self:
        request_id = take_text(reader)
        count = reader.uint8()
        targets = tuple(ImageTarget(take_eui(reader), reader.uint8()) for _ in range(count))
        return cls(request_id, targets, take_block(reader))


@dataclass(frozen=True, slots=True)
class PowerLoss:
    """Hub to CSP: the supply is away for three minutes."""

    hub: Eui64  # CHF
    started: int  # ns since 1970 UTC, when the supply went

    def encode(self) -> bytes:
        return self.hub.big + self.started.to_bytes(8, "big")

    @classmethod
    def take(cls, reader: Reader) -> Self:
        return cls(take_eui(reader), reader.uint_be(8))


class HubFirmwareOutcome(IntEnum):
    ACTIVATED = 0
    REFUSED = 1  # the image is not good, or not for this hub
    FAILED = 2  # it did not run once it was booted; the one before runs again


@dataclass(frozen=True, slots=True)
class HubFirmwareReport:
    """Hub to CSP: what came of an image for the hub itself."""

    hub: Eui64  # CHF
    version: int  # 32 bits, of the image
    running: int  # 32 bits, of what runs now
    outcome: HubFirmwareOutcome

    def encode(self) -> bytes:
        return self.hub.big + struct.pack(">IIB", self.version, self.running, self.outcome)

    @classmethod
    def take(cls, reader: Reader) -> Self:
        hub, version, running = take_eui(reader), reader.uint_be(4), reader.uint_be(4)
        outcome = reader.uint8()
        if outcome not in tuple(HubFirmwareOutcome):
            raise DecodeError(f"unknown outcome {outcome:#04x} of hub firmware", offset=reader.offset - 1)
        return cls(hub, version, running, HubFirmwareOutcome(outcome))


WanMessage = GbcsCarried | FirmwareImageDelivery | PowerLoss | HubFirmwareReport
Body = WanMessage | Acknowledgement

_KINDS: dict[type[Body], Kind] = {
    Acknowledgement: Kind.ACKNOWLEDGEMENT,
    GbcsCarried: Kind.GBCS_CARRIED,
    FirmwareImageDelivery: Kind.FIRMWARE_IMAGE_DELIVERY,
    PowerLoss: Kind.POWER_LOSS,
    HubFirmwareReport: Kind.HUB_FIRMWARE_REPORT,
}
_TAKERS: dict[int, Callable[[Reader], Body]] = {
    Kind.ACKNOWLEDGEMENT: Acknowledgement.take,
    Kind.GBCS_CARRIED: GbcsCarried.take,
    Kind.FIRMWARE_IMAGE_DELIVERY: FirmwareImageDelivery.take,
    Kind.POWER_LOSS: PowerLoss.take,
    Kind.HUB_FIRMWARE_REPORT: HubFirmwareReport.take,
}


@dataclass(frozen=True, slots=True)
class Envelope:
    epoch: int  # 64 bits
    message_id: int  # 64 bits
    oldest: int  # 64 bits, lowest id the sender still holds
    body: Body

    def encode(self) -> bytes:
        kind = _KINDS[type(self.body)]
        return _HEADER.pack(MAGIC, VERSION, kind, self.epoch, self.message_id, self.oldest) + self.body.encode()

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        """Decode one whole envelope; DecodeError for anything else, a newer version included."""
        reader = take_header(octets, MAGIC, VERSION, "a WAN envelope")
        kind = reader.uint8()
        taker = _TAKERS.get(kind)
        if taker is None:
            raise DecodeError(f"unknown kind {kind:#04x} of a WAN envelope", offset=reader.offset - 1, data=octets)
        epoch, message_id, oldest = reader.uint_be(8), reader.uint_be(8), reader.uint_be(8)
        body = taker(reader)
        reader.finish()
        return cls(epoch, message_id, oldest, body)
