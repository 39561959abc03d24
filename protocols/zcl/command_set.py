"""The commands of one cluster by side and number: whole ZCL frames to values and back."""

import struct
from collections.abc import Mapping
from typing import Protocol, Self

from protocols.errors import DecodeError, TruncatedError, UsageError
from protocols.zcl.frame import CLIENT_COMMAND, SERVER_COMMAND, ZclFrame

_DISABLE_DEFAULT_RESPONSE = 0x10


class Command(Protocol):
    """A payload."""

    @classmethod
    def decode(cls, octets: bytes) -> Self: ...
    def encode(self) -> bytes: ...


class CommandSet:
    """What client and server of a cluster may send, by command id."""

    def __init__(
        self, cluster: str, *, from_client: Mapping[int, type[Command]], from_server: Mapping[int, type[Command]]
    ) -> None:
        """cluster: its name, for errors."""
        self.cluster, self.from_client, self.from_server = cluster, dict(from_client), dict(from_server)
        self._client_ids = {kind: number for number, kind in from_client.items()}
        self._server_ids = {kind: number for number, kind in from_server.items()}

    def decode(self, frame: ZclFrame) -> Command:
        """Return the command of a cluster-specific frame; DecodeError for one the cluster does not have."""
        side = self.from_server if frame.from_server else self.from_client
        kind = side.get(frame.command) if frame.cluster_specific and frame.manufacturer is None else None
        if kind is None:
            raise DecodeError(f"no {self.cluster} command {frame.command:#04x} of frame control {frame.control:02x}")
        return kind.decode(frame.payload)

    def encode(self, command: Command, transaction: int, *, from_server: bool, default_response: bool = False) -> bytes:
        """Return the whole ZCL frame; UsageError if this side never sends the command.

        default_response: ask for a Default Response even on success; the APS acknowledgement tells the same.
        """
        number = (self._server_ids if from_server else self._client_ids).get(type(command))
        if number is None:
            side = "server" if from_server else "client"
            raise UsageError(f"{type(command).__name__} is not sent by a {side} of {self.cluster}")
        control = SERVER_COMMAND if from_server else CLIENT_COMMAND
        if not default_response:
            control |= _DISABLE_DEFAULT_RESPONSE
        return bytes((control, transaction, number)) + command.encode()


def unpack(layout: struct.Struct, octets: bytes) -> tuple[int, ...]:
    """Return the fields in front; TruncatedError if there are fewer octets than the layout has."""
    if layout.size > len(octets):
        raise TruncatedError("a ZCL command stops early", offset=len(octets), data=octets)
    return layout.unpack_from(octets)
