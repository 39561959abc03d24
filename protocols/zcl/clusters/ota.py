"""OTA Upgrade cluster (0x0019). The hub is server, a device that updates is client.

Little-endian; reserved field control bits are ignored, and so is what follows the last field. `decode` and `encode`
handle whole ZCL frames, the classes payloads. Source: ZCL 07-5123-08 11.13.
"""

import struct
from collections.abc import Callable
from enum import IntEnum
from typing import Final, NamedTuple, Self

from protocols.addresses import Eui64
from protocols.errors import DecodeError, TruncatedError, UsageError
from protocols.zcl.frame import CLIENT_COMMAND, SERVER_COMMAND, SERVER_RESPONSE, ZclFrame

CLUSTER = 0x0019
WILDCARD_16 = 0xFFFF  # manufacturer code, image type
WILDCARD_32 = 0xFFFF_FFFF  # file version
UPGRADE_WAIT = 0xFFFF_FFFF  # upgrade time: until told


class Attribute(IntEnum):
    """Attributes, all on the client's side."""

    UPGRADE_SERVER_ID = 0x0000
    FILE_OFFSET = 0x0001
    CURRENT_FILE_VERSION = 0x0002
    CURRENT_STACK_VERSION = 0x0003
    DOWNLOADED_FILE_VERSION = 0x0004
    DOWNLOADED_STACK_VERSION = 0x0005
    IMAGE_UPGRADE_STATUS = 0x0006
    MANUFACTURER_ID = 0x0007
    IMAGE_TYPE_ID = 0x0008
    MINIMUM_BLOCK_PERIOD = 0x0009
    IMAGE_STAMP = 0x000A
    UPGRADE_ACTIVATION_POLICY = 0x000B
    UPGRADE_TIMEOUT_POLICY = 0x000C


class UpgradeStatus(IntEnum):
    """Values of IMAGE_UPGRADE_STATUS."""

    NORMAL = 0
    DOWNLOAD_IN_PROGRESS = 1
    DOWNLOAD_COMPLETE = 2
    WAITING_TO_UPGRADE = 3
    COUNT_DOWN = 4
    WAIT_FOR_MORE = 5
    WAITING_FOR_EXTERNAL_EVENT = 6


def _unpack(layout: struct.Struct, octets: bytes, offset: int = 0) -> tuple[int, ...]:
    if offset + layout.size > len(octets):
        raise TruncatedError("OTA command stops early", offset=len(octets), data=octets)
    return layout.unpack_from(octets, offset)


class ImageNotify(NamedTuple):
    """Server to client, command 0x00. Each further field needs the ones before it."""

    query_jitter: int  # 1 to 100, a threshold for a draw
    manufacturer_code: int | None = None  # 16 bits
    image_type: int | None = None  # 16 bits
    new_file_version: int | None = None  # 32 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        payload_type, jitter = _unpack(struct.Struct("<BB"), octets)
        if payload_type > 3:
            raise DecodeError(f"Image Notify of type {payload_type}", data=octets)
        layout = struct.Struct(("<", "<H", "<HH", "<HHI")[payload_type])
        return cls(jitter, *_unpack(layout, octets, 2))

    def encode(self) -> bytes:
        given = [field for field in self[1:] if field is not None]
        if any(field is None for field in self[1 : 1 + len(given)]):
            raise UsageError("a field of Image Notify needs the ones before it")
        layout = ("<BB", "<BBH", "<BBHH", "<BBHHI")[len(given)]
        return struct.pack(layout, len(given), self.query_jitter, *given)


class QueryNextImageRequest(NamedTuple):
    """Client to server, command 0x01."""

    manufacturer_code: int  # 16 bits
    image_type: int  # 16 bits
    file_version: int  # 32 bits, of the image now running
    hardware_version: int | None = None  # 16 bits

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        control, *identity = _unpack(_QUERY, octets)
        hardware = _unpack(_U16, octets, _QUERY.size)[0] if control & 1 else None
        return cls(identity[0], identity[1], identity[2], hardware)

    def encode(self) -> bytes:
        if self.hardware_version is None:
            return _QUERY.pack(0, *self[:3])
        return _QUERY.pack(1, *self[:3]) + _U16.pack(self.hardware_version)


_new = tuple.__new__
_HEAD = struct.Struct("<BBB")
_QUERY = struct.Struct("<BHHI")
_U16 = struct.Struct("<H")


class QueryNextImageResponse(NamedTuple):
    """Server to client, command 0x02. Fields after a status other than SUCCESS are not sent."""

    status: int  # ZclStatus
    manufacturer_code: int = 0  # 16 bits
    image_type: int = 0  # 16 bits
    file_version: int = 0  # 32 bits
    image_size: int = 0  # 32 bits, octets of the whole file

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        (status,) = _unpack(_U8, octets)
        return cls(status) if status else cls(status, *_unpack(_IMAGE, octets, 1))

    def encode(self) -> bytes:
        return bytes((self.status,)) if self.status else b"\0" + _IMAGE.pack(*self[1:])


_U8 = struct.Struct("<B")
_IMAGE = struct.Struct("<HHII")


class ImageBlockRequest(NamedTuple):
    """Client to server, command 0x03."""

    manufacturer_code: int  # 16 bits
    image_type: int  # 16 bits
    file_version: int  # 32 bits
    file_offset: int  # 32 bits
    maximum_data_size: int  # 8 bits
    request_node: Eui64 | None = None
    minimum_block_period: int | None = None  # 16 bits

    @classmethod
    def decode(cls, octets: bytes) -> "ImageBlockRequest":
        control, *fixed = _unpack(_BLOCK_REQUEST, octets)
        if not control & 3:
            return _new(cls, (*fixed, None, None))
        offset, node, period = _BLOCK_REQUEST.size, None, None
        if control & 1:
            node, offset = Eui64(_unpack(_U64, octets, offset)[0]), offset + 8
        if control & 2:
            period = _unpack(_U16, octets, offset)[0]
        return _new(cls, (*fixed, node, period))

    def encode(self) -> bytes:
        manufacturer, image_type, version, offset, size, node, period = self
        control, optional = 0, b""
        if node is not None:
            control, optional = 1, node.wire
        if period is not None:
            control, optional = control | 2, optional + _U16.pack(period)
        return _BLOCK_REQUEST.pack(control, manufacturer, image_type, version, offset, size) + optional


_BLOCK_REQUEST = struct.Struct("<BHHIIB")
_U64 = struct.Struct("<Q")


class ImagePageRequest(NamedTuple):
    """Client to server, command 0x04; optional."""

    manufacturer_code: int  # 16 bits
    image_type: int  # 16 bits
    file_version: int  # 32 bits
    file_offset: int  # 32 bits
    maximum_data_size: int  # 8 bits
    page_size: int  # 16 bits, octets
    response_spacing: int  # 16 bits, ms
    request_node: Eui64 | None = None

    @classmethod
    def decode(cls, octets: bytes) -> "ImagePageRequest":
        control, *fixed = _unpack(_PAGE_REQUEST, octets)
        node = Eui64(_unpack(_U64, octets, _PAGE_REQUEST.size)[0]) if control & 1 else None
        return _new(cls, (*fixed, node))

    def encode(self) -> bytes:
        node = b"" if self.request_node is None else self.request_node.wire
        return _PAGE_REQUEST.pack(self.request_node is not None, *self[:7]) + node


_PAGE_REQUEST = struct.Struct("<BHHIIBHH")


class ImageBlockResponse(NamedTuple):
    """Server to client, command 0x05, status SUCCESS."""

    manufacturer_code: int  # 16 bits
    image_type: int  # 16 bits
    file_version: int  # 32 bits
    file_offset: int  # 32 bits
    data: bytes  # at most 255 octets

    def encode(self) -> bytes:
        manufacturer, image_type, version, offset, data = self
        return _BLOCK.pack(0, manufacturer, image_type, version, offset, len(data)) + data


_BLOCK = struct.Struct("<BHHIIB")


class ImageBlockWait(NamedTuple):
    """Server to client, command 0x05, status WAIT_FOR_DATA."""

    current_time: int  # 32 bits, s; the difference of the two counts
    request_time: int  # 32 bits, s
    minimum_block_period: int | None = None  # 16 bits; older servers leave it out

    def encode(self) -> bytes:
        period = b"" if self.minimum_block_period is None else _U16.pack(self.minimum_block_period)
        return _WAIT.pack(0x97, self.current_time, self.request_time) + period


_WAIT = struct.Struct("<BII")


class ImageBlockRefused(NamedTuple):
    """Server to client, command 0x05, any other status: ABORT, NO_IMAGE_AVAILABLE."""

    status: int  # ZclStatus

    def encode(self) -> bytes:
        return bytes((self.status,))


def decode_block_response(octets: bytes) -> ImageBlockResponse | ImageBlockWait | ImageBlockRefused:
    """Read the payload of command 0x05."""
    if len(octets) >= 14 and not octets[0]:
        _, manufacturer, image_type, version, offset, size = _BLOCK.unpack_from(octets)
        data = octets[14 : 14 + size]
        if len(data) == size:
            return _new(ImageBlockResponse, (manufacturer, image_type, version, offset, data))
    if not octets or not octets[0]:
        raise TruncatedError("image block stops early", offset=len(octets), data=octets)
    if octets[0] != 0x97:
        return ImageBlockRefused(octets[0])
    _, current, request = _unpack(_WAIT, octets)
    period = _U16.unpack_from(octets, _WAIT.size)[0] if len(octets) >= _WAIT.size + 2 else None
    return ImageBlockWait(current, request, period)


class UpgradeEndRequest(NamedTuple):
    """Client to server, command 0x06."""

    status: int  # ZclStatus: SUCCESS, INVALID_IMAGE, REQUIRE_MORE_IMAGE, ABORT
    manufacturer_code: int  # 16 bits
    image_type: int  # 16 bits
    file_version: int  # 32 bits

    @classmethod
    def decode(cls, octets: bytes) -> "UpgradeEndRequest":
        return _new(cls, _unpack(_QUERY, octets))

    def encode(self) -> bytes:
        return _QUERY.pack(*self)


class UpgradeEndResponse(NamedTuple):
    """Server to client, command 0x07."""

    manufacturer_code: int  # 16 bits, may be a wildcard like the next two
    image_type: int  # 16 bits
    file_version: int  # 32 bits
    current_time: int  # 32 bits, s
    upgrade_time: int  # 32 bits, s; UPGRADE_WAIT

    @classmethod
    def decode(cls, octets: bytes) -> "UpgradeEndResponse":
        return _new(cls, _unpack(_END_RESPONSE, octets))

    def encode(self) -> bytes:
        return _END_RESPONSE.pack(*self)


_END_RESPONSE = struct.Struct("<HHIII")


class QuerySpecificFileRequest(NamedTuple):
    """Client to server, command 0x08; optional."""

    request_node: Eui64
    manufacturer_code: int  # 16 bits
    image_type: int  # 16 bits
    file_version: int  # 32 bits
    current_stack_version: int  # 16 bits

    @classmethod
    def decode(cls, octets: bytes) -> "QuerySpecificFileRequest":
        node, *rest = _unpack(_SPECIFIC, octets)
        return _new(cls, (Eui64(node), *rest))

    def encode(self) -> bytes:
        return _SPECIFIC.pack(*self)


_SPECIFIC = struct.Struct("<QHHIH")


class QuerySpecificFileResponse(QueryNextImageResponse):
    """Server to client, command 0x09; optional. The form is that of Query Next Image Response."""

    __slots__ = ()


OtaCommand = (
    ImageNotify
    | QueryNextImageRequest
    | QueryNextImageResponse
    | ImageBlockRequest
    | ImagePageRequest
    | ImageBlockResponse
    | ImageBlockWait
    | ImageBlockRefused
    | UpgradeEndRequest
    | UpgradeEndResponse
    | QuerySpecificFileRequest
    | QuerySpecificFileResponse
)

# Command class -> (frame control, command id).
_SENT_AS: Final[dict[type, tuple[int, int]]] = {
    ImageNotify: (SERVER_COMMAND, 0x00),
    QueryNextImageRequest: (CLIENT_COMMAND, 0x01),
    QueryNextImageResponse: (SERVER_RESPONSE, 0x02),
    ImageBlockRequest: (CLIENT_COMMAND, 0x03),
    ImagePageRequest: (CLIENT_COMMAND, 0x04),
    ImageBlockResponse: (SERVER_RESPONSE, 0x05),
    ImageBlockWait: (SERVER_RESPONSE, 0x05),
    ImageBlockRefused: (SERVER_RESPONSE, 0x05),
    UpgradeEndRequest: (CLIENT_COMMAND, 0x06),
    UpgradeEndResponse: (SERVER_RESPONSE, 0x07),
    QuerySpecificFileRequest: (CLIENT_COMMAND, 0x08),
    QuerySpecificFileResponse: (SERVER_RESPONSE, 0x09),
}

# Decoders of the payload, by the frame control bits cluster-specific and direction and by command id.
_DECODERS: Final[dict[int, Callable[[bytes], OtaCommand]]] = {
    0x0900: ImageNotify.decode,
    0x0101: QueryNextImageRequest.decode,
    0x0902: QueryNextImageResponse.decode,
    0x0103: ImageBlockRequest.decode,
    0x0104: ImagePageRequest.decode,
    0x0905: decode_block_response,
    0x0106: UpgradeEndRequest.decode,
    0x0907: UpgradeEndResponse.decode,
    0x0108: QuerySpecificFileRequest.decode,
    0x0909: QuerySpecificFileResponse.decode,
}


def decode(frame: ZclFrame) -> OtaCommand:
    """Return the command of a cluster-specific frame; DecodeError for one the cluster does not have."""
    control, _, command, payload, manufacturer = frame
    decoder = _DECODERS.get((control & 0x09) << 8 | command)
    if decoder is None or manufacturer is not None:
        raise DecodeError(f"no OTA command {command:#04x} of frame control {control:02x}")
    return decoder(payload)


def encode(command: OtaCommand, transaction: int) -> bytes:
    """Return the whole ZCL frame: requests 0x01, responses 0x19, Image Notify 0x09 as frame control."""
    control, identifier = _SENT_AS[type(command)]
    return _HEAD.pack(control, transaction, identifier) + command.encode()
