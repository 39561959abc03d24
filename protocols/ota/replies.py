"""Default Responses, as the two OTA machines send and read them. Source: ZCL 07-5123 §2.5.12."""

from typing import NamedTuple

from protocols.errors import TruncatedError
from protocols.zcl.frame import ZclFrame

_COMMAND = 0x0B
_TYPE, _CLUSTER_SPECIFIC, _FROM_SERVER, _NO_DEFAULT = 0x03, 0x01, 0x08, 0x10


class DefaultResponse(NamedTuple):
    command: int  # 8 bits, the one answered
    status: int  # ZclStatus


def default_response(frame: ZclFrame, status: int) -> bytes:
    """Return the Default Response to `frame`, the other way."""
    control = _NO_DEFAULT if frame.from_server else _NO_DEFAULT | _FROM_SERVER
    payload = bytes((frame.command, status))
    return ZclFrame(control, frame.transaction, _COMMAND, payload, frame.manufacturer).encode()


def decode_default_response(frame: ZclFrame) -> DefaultResponse | None:
    """Return the Default Response in `frame`, None for any other foundation command."""
    if frame.control & _TYPE or frame.command != _COMMAND:
        return None
    if len(frame.payload) < 2:
        raise TruncatedError("Default Response stops early", offset=len(frame.payload), data=frame.payload)
    return DefaultResponse(frame.payload[0], frame.payload[1])
