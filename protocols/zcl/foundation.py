"""Commands of every cluster: read attributes, report attributes, default response. Source: ZCL 07-5123-08 2.5.

The classes hold payloads; `encode` gives the whole ZCL frame, `decode` takes one.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, Self

from protocols.errors import DecodeError
from protocols.octets import Reader
from protocols.zcl.data_types import Value, read_value, write_value
from protocols.zcl.frame import GLOBAL_FROM_CLIENT, GLOBAL_FROM_SERVER, ZclFrame

_DISABLE_DEFAULT_RESPONSE = 0x10


class ReadAttributes(NamedTuple):
    """Command 0x00."""

    attributes: tuple[int, ...]  # 16 bits each

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = Reader(octets)
        attributes = []
        while reader.remaining:
            attributes.append(reader.uint(2))
        return cls(tuple(attributes))

    def encode(self) -> bytes:
        return b"".join(attribute.to_bytes(2, "little") for attribute in self.attributes)


class AttributeRead(NamedTuple):
    """One record of a Read Attributes Response."""

    attribute: int  # 16 bits
    status: int  # ZclStatus
    data_type: int = 0  # 8 bits, of SUCCESS only
    value: Value = None


class ReadAttributesResponse(NamedTuple):
    """Command 0x01."""

    records: tuple[AttributeRead, ...]

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = Reader(octets)
        records = []
        while reader.remaining:
            attribute, status = reader.uint(2), reader.uint8()
            if status:
                records.append(AttributeRead(attribute, status))
            else:
                data_type = reader.uint8()
                records.append(AttributeRead(attribute, status, data_type, read_value(reader, data_type)))
        return cls(tuple(records))

    def encode(self) -> bytes:
        octets = b""
        for attribute, status, data_type, value in self.records:
            octets += attribute.to_bytes(2, "little") + bytes((status,))
            if not status:
                octets += bytes((data_type,)) + write_value(data_type, value)
        return octets


class AttributeReport(NamedTuple):
    """One record of a Report Attributes command."""

    attribute: int  # 16 bits
    data_type: int  # 8 bits
    value: Value


class ReportAttributes(NamedTuple):
    """Command 0x0A."""

    records: tuple[AttributeReport, ...]

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = Reader(octets)
        records = []
        while reader.remaining:
            attribute, data_type = reader.uint(2), reader.uint8()
            records.append(AttributeReport(attribute, data_type, read_value(reader, data_type)))
        return cls(tuple(records))

    def encode(self) -> bytes:
        return b"".join(
            attribute.to_bytes(2, "little") + bytes((data_type,)) + write_value(data_type, value)
            for attribute, data_type, value in self.records
        )


class DefaultResponse(NamedTuple):
    """Command 0x0B."""

    command: int  # 8 bits, the one that is answered
    status: int  # ZclStatus

    @classmethod
    def decode(cls, octets: bytes) -> Self:
        reader = Reader(octets)
        return cls(reader.uint8(), reader.uint8())

    def encode(self) -> bytes:
        return bytes(self)


GlobalCommand = ReadAttributes | ReadAttributesResponse | ReportAttributes | DefaultResponse

_IDS: Final[dict[type, int]] = {
    ReadAttributes: 0x00,
    ReadAttributesResponse: 0x01,
    ReportAttributes: 0x0A,
    DefaultResponse: 0x0B,
}
_DECODERS: Final[dict[int, Callable[[bytes], GlobalCommand]]] = {
    0x00: ReadAttributes.decode,
    0x01: ReadAttributesResponse.decode,
    0x0A: ReportAttributes.decode,
    0x0B: DefaultResponse.decode,
}


def decode(frame: ZclFrame) -> GlobalCommand:
    """Return the command of a frame that is not cluster-specific; DecodeError for those not built."""
    decoder = None if frame.cluster_specific else _DECODERS.get(frame.command)
    if decoder is None:
        raise DecodeError(f"no global ZCL command {frame.command:#04x} of frame control {frame.control:02x}")
    return decoder(frame.payload)


def encode(command: GlobalCommand, transaction: int, *, from_server: bool, default_response: bool = False) -> bytes:
    """Return the whole ZCL frame.

    from_server: who sends is the server of the cluster, as with a read response or a default response to a client.
    """
    control = GLOBAL_FROM_SERVER if from_server else GLOBAL_FROM_CLIENT
    if not default_response:
        control |= _DISABLE_DEFAULT_RESPONSE
    return bytes((control, transaction, _IDS[type(command)])) + command.encode()


def default_response_to(frame: ZclFrame, status: int) -> bytes:
    """Return the Default Response (a whole ZCL frame) to `frame` just received."""
    return encode(DefaultResponse(frame.command, status), frame.transaction, from_server=not frame.from_server)
