"""The commands of the OTA Upgrade cluster (0x0019) as the two machines need them: whole ZCL frames, little-endian.

Source: ZCL 07-5123 §11.13. Block requests and responses, the bulk of the traffic, are packed by the machines.
"""

import struct
from enum import IntEnum
from typing import NamedTuple, Self

from protocols.errors import DecodeError
from protocols.octets import Reader

CLUSTER = 0x0019

IMAGE_NOTIFY = 0x00
QUERY_NEXT_IMAGE_REQUEST = 0x01
QUERY_NEXT_IMAGE_RESPONSE = 0x02
IMAGE_BLOCK_REQUEST = 0x03
IMAGE_PAGE_REQUEST = 0x04
IMAGE_BLOCK_RESPONSE = 0x05
UPGRADE_END_REQUEST = 0x06
UPGRADE_END_RESPONSE = 0x07

_DEFAULT_RESPONSE = 0x0B
_ANY_ID, _ANY_VERSION = 0xFFFF, 0xFFFFFFFF
_CLUSTER_SPECIFIC, _MANUFACTURER_SPECIFIC, _FROM_SERVER, _NO_DEFAULT = 0x01, 0x04, 0x08, 0x10


class OtaStatus(IntEnum):
    """ZCL status octets that the cluster uses. Source: ZCL 07-5123 §2.6.3."""

    SUCCESS = 0x00
    FAILURE = 0x01
    NOT_AUTHORIZED = 0x7E
    MALFORMED_COMMAND = 0x80
    UNSUP_CLUSTER_COMMAND = 0x81
    INVALID_FIELD = 0x85
    INVALID_VALUE = 0x87
    INSUFFICIENT_SPACE = 0x89
    TIMEOUT = 0x94
    ABORT = 0x95
    INVALID_IMAGE = 0x96
    WAIT_FOR_DATA = 0x97
    NO_IMAGE_AVAILABLE = 0x98
    REQUIRE_MORE_IMAGE = 0x99


class ImageId(NamedTuple):
    """Manufacturer, image type (16 bits each), file version (32 bits)."""

    manufacturer: int
    image_type: int
    version: int


class ZclFrame(NamedTuple):
    """A ZCL frame without manufacturer code, split."""

    control: int
    sequence: int
    command: int
    payload: bytes

    @property
    def cluster_specific(self) -> bool:
        return self.control & 0x03 == _CLUSTER_SPECIFIC

    @property
    def wants_default_response(self) -> bool:
        return not self.control & _NO_DEFAULT

    def answer(self, status: int) -> bytes:
        """Return the Default Response to this frame."""
        direction = 0 if self.control & _FROM_SERVER else _FROM_SERVER
        return bytes([_NO_DEFAULT | direction, self.sequence, _DEFAULT_RESPONSE, self.command, status])


def split_frame(octets: bytes) -> ZclFrame:
    """Read the ZCL header; DecodeError if it stops early or is manufacturer specific."""
    reader = Reader(octets)
    control, sequence, command = reader.octets(3)
    if control & _MANUFACTURER_SPECIFIC:
        raise DecodeError("manufacturer specific frame", offset=0, data=octets)
    return ZclFrame(control, sequence, command, reader.rest())


def malformed(octets: bytes) -> bytes | None:
    """Return the Default Response MALFORMED_COMMAND to a frame, None if it is too short or itself not a command."""
    if len(octets) < 3 or octets[0] & (_MANUFACTURER_SPECIFIC | 0x03) != _CLUSTER_SPECIFIC:
        return None
    return ZclFrame(octets[0], octets[1], octets[2], b"").answer(OtaStatus.MALFORMED_COMMAND)


class DefaultResponse(NamedTuple):
    command: int
    status: int


def decode_default_response(frame: ZclFrame) -> DefaultResponse | None:
    """Return the Default Response in `frame`, None for any other foundation command."""
    if frame.command != _DEFAULT_RESPONSE:
        return None
    reader = Reader(frame.payload)
    return DefaultResponse(reader.uint8(), reader.uint8())


def _request(sequence: int, command: int, payload: bytes) -> bytes:
    return bytes([_CLUSTER_SPECIFIC, sequence, command]) + payload


def _response(sequence: int, command: int, payload: bytes) -> bytes:
    return bytes([_CLUSTER_SPECIFIC | _FROM_SERVER | _NO_DEFAULT, sequence, command]) + payload


# --- Image Notify --------------------------------------------------------------------------------------------------

_NOTIFY_LENGTHS = (2, 4, 6, 10)


class ImageNotify(NamedTuple):
    """Server to client, 0x00. The number of fields present is the payload type."""

    jitter: int  # 1 to 100
    manufacturer: int | None = None
    image_type: int | None = None
    version: int | None = None

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        form, jitter = reader.octets(2)
        if form >= len(_NOTIFY_LENGTHS) or len(payload) != _NOTIFY_LENGTHS[form] or not 1 <= jitter <= 100:
            raise DecodeError("Image Notify", offset=0, data=payload)
        return cls(
            jitter,
            reader.uint(2) if form >= 1 else None,
            reader.uint(2) if form >= 2 else None,
            reader.uint(4) if form >= 3 else None,
        )

    def encode(self, sequence: int) -> bytes:
        payload = bytes([sum(field is not None for field in self[1:]), self.jitter])
        for value, size in zip(self[1:], (2, 2, 4), strict=True):
            if value is None:
                break
            payload += value.to_bytes(size, "little")
        return bytes([_CLUSTER_SPECIFIC | _FROM_SERVER, sequence, IMAGE_NOTIFY]) + payload


# --- Query Next Image ----------------------------------------------------------------------------------------------

_QUERY = struct.Struct("<BHHI")
_OFFER = struct.Struct("<HHII")


class QueryNextImageRequest(NamedTuple):
    """Client to server, 0x01."""

    manufacturer: int
    image_type: int
    version: int  # running now
    hardware_version: int | None = None

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        control, manufacturer, image_type, version = _QUERY.unpack(reader.octets(_QUERY.size))
        return cls(manufacturer, image_type, version, reader.uint(2) if control & 0x01 else None)

    def encode(self, sequence: int) -> bytes:
        has = self.hardware_version is not None
        payload = _QUERY.pack(int(has), self.manufacturer, self.image_type, self.version)
        if self.hardware_version is not None:
            payload += self.hardware_version.to_bytes(2, "little")
        return _request(sequence, QUERY_NEXT_IMAGE_REQUEST, payload)


class QueryNextImageResponse(NamedTuple):
    """Server to client, 0x02; the fields after the status are 0 unless it is SUCCESS."""

    status: int
    manufacturer: int = 0
    image_type: int = 0
    version: int = 0
    size: int = 0  # octets of the file

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        status = reader.uint8()
        if status != OtaStatus.SUCCESS:
            return cls(status)
        return cls(status, *_OFFER.unpack(reader.octets(_OFFER.size)))

    def encode(self, sequence: int) -> bytes:
        payload = bytes([self.status])
        if self.status == OtaStatus.SUCCESS:
            payload += _OFFER.pack(*self[1:])
        return _response(sequence, QUERY_NEXT_IMAGE_RESPONSE, payload)


# --- Image Block ---------------------------------------------------------------------------------------------------

_BLOCK_REQUEST = struct.Struct("<BHHIIB")
_BLOCK = struct.Struct("<BHHIIB")
_WAIT = struct.Struct("<BIIH")


class ImageBlockRequest(NamedTuple):
    """Client to server, 0x03; node address and block period are read and dropped."""

    image: ImageId
    offset: int
    size: int  # most octets wanted

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        control, maker, kind, version, offset, size = _BLOCK_REQUEST.unpack(reader.octets(_BLOCK_REQUEST.size))
        reader.octets((8 if control & 0x01 else 0) + (2 if control & 0x02 else 0))
        return cls(ImageId(maker, kind, version), offset, size)

    def encode(self, sequence: int) -> bytes:
        payload = _BLOCK_REQUEST.pack(0, *self.image, self.offset, self.size)
        return _request(sequence, IMAGE_BLOCK_REQUEST, payload)


class ImageBlock(NamedTuple):
    """Server to client, 0x05 with SUCCESS."""

    image: ImageId
    offset: int
    data: bytes

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        status, maker, kind, version, offset, count = _BLOCK.unpack(reader.octets(_BLOCK.size))
        if status != OtaStatus.SUCCESS or count != reader.remaining:
            raise DecodeError("Image Block Response", offset=0, data=payload)
        return cls(ImageId(maker, kind, version), offset, reader.rest())

    def encode(self, sequence: int) -> bytes:
        head = _BLOCK.pack(OtaStatus.SUCCESS, *self.image, self.offset, len(self.data))
        return _response(sequence, IMAGE_BLOCK_RESPONSE, head + self.data)


class BlockStatus(NamedTuple):
    """Server to client, 0x05 without data; the times belong to WAIT_FOR_DATA."""

    status: int
    current_time: int = 0  # s
    request_time: int = 0  # s
    block_period: int = 0  # unit: a property of the cluster revision; older senders omit it

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        reader = Reader(payload)
        status = reader.uint8()
        if status != OtaStatus.WAIT_FOR_DATA:
            return cls(status)
        current, request = reader.uint(4), reader.uint(4)
        return cls(status, current, request, reader.uint(2) if reader.remaining else 0)

    def encode(self, sequence: int) -> bytes:
        payload = _WAIT.pack(*self) if self.status == OtaStatus.WAIT_FOR_DATA else bytes([self.status])
        return _response(sequence, IMAGE_BLOCK_RESPONSE, payload)


# --- Upgrade End ---------------------------------------------------------------------------------------------------

_END = struct.Struct("<BHHI")
_END_RESPONSE = struct.Struct("<HHIII")


class UpgradeEndRequest(NamedTuple):
    """Client to server, 0x06."""

    status: int
    image: ImageId

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        status, *image = _END.unpack(Reader(payload).octets(_END.size))
        return cls(status, ImageId(*image))

    def encode(self, sequence: int) -> bytes:
        return _request(sequence, UPGRADE_END_REQUEST, _END.pack(self.status, *self.image))


class UpgradeEndResponse(NamedTuple):
    """Server to client, 0x07; each part of the image may be a wildcard."""

    image: ImageId
    current_time: int  # s
    upgrade_time: int  # s, FFFFFFFF: wait

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        maker, kind, version, current, upgrade = _END_RESPONSE.unpack(Reader(payload).octets(_END_RESPONSE.size))
        return cls(ImageId(maker, kind, version), current, upgrade)

    def encode(self, sequence: int) -> bytes:
        payload = _END_RESPONSE.pack(*self.image, self.current_time, self.upgrade_time)
        return _response(sequence, UPGRADE_END_RESPONSE, payload)

    def matches(self, image: ImageId) -> bool:
        return (
            self.image.manufacturer in (_ANY_ID, image.manufacturer)
            and self.image.image_type in (_ANY_ID, image.image_type)
            and self.image.version in (_ANY_VERSION, image.version)
        )


ANY_IMAGE = ImageId(_ANY_ID, _ANY_ID, _ANY_VERSION)
