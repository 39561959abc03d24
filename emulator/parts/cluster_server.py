"""One side of one cluster as a device shows it: a table of attributes, and the commands of the cluster it takes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from protocols.errors import DecodeError
from protocols.interfaces import Received
from protocols.zcl.attribute_server import ANSWERS, DEFAULT, Attribute, AttributeServer
from protocols.zcl.foundation import default_response_to
from protocols.zcl.frame import ZclFrame, ZclStatus

Command = Callable[[ZclFrame, Received], bytes | int | None]
"""Carries a command out. Returns the answer (a whole ZCL frame), or the status of a Default Response (0 is sent only
if the other side wants it), or None if nothing is to be answered. DecodeError: answered MALFORMED_COMMAND."""

_NO_COMMANDS: Final[Mapping[int, Command]] = {}


class ClusterServer:
    """Give it to `HanApplication.serve`, which finds the endpoints that list the cluster.

    A handler that `HanApplication.on` has for the same cluster gets what is left: answers, reports, and the commands
    of the cluster if `commands` is empty.
    """

    def __init__(
        self,
        cluster: int,
        attributes: Mapping[int, Attribute],
        *,
        commands: Mapping[int, Command] = _NO_COMMANDS,
        generated: Sequence[int] = (),
        from_server: bool = True,
        name: str = "",
    ) -> None:
        """attributes: by their 16-bit ids. from_server: False for attributes of the client's side.

        generated: the ids of the commands this side sends, for their discovery. name: tells its cells from those of
        another server of the cluster in the same device.
        """
        self.cluster, self.from_server, self.commands = cluster, from_server, dict(commands)
        self.name = name
        self.attributes = AttributeServer(
            attributes, from_server=from_server, received=tuple(commands), generated=generated
        )

    def takes(self, frame: ZclFrame, *, handled: bool) -> bool:
        """Tell whether a frame is for this side; `handled`: somebody else takes the cluster's own commands."""
        if frame.from_server == self.from_server:
            return False
        if frame.cluster_specific:
            return bool(self.commands) or not handled
        return frame.command not in ANSWERS

    def answer(self, frame: ZclFrame, event: Received, now: int) -> bytes | None:
        """Return the ZCL frame that answers `frame`, None where none is due."""
        if not frame.cluster_specific:
            answer = self.attributes.answer(frame, now)
            return None if answer is None or _is_silent(answer, event) else answer
        command = self.commands.get(frame.command) if frame.manufacturer is None else None
        if command is None:
            return default_response(frame, ZclStatus.UNSUP_CLUSTER_COMMAND, event)
        try:
            result = command(frame, event)
        except DecodeError:
            result = ZclStatus.MALFORMED_COMMAND
        return default_response(frame, result, event) if isinstance(result, int) else result


def default_response(frame: ZclFrame, status: int, event: Received) -> bytes | None:
    """Return the Default Response to `frame` if one is due: none to broadcasts, nor to answers, nor unwanted."""
    if event.broadcast or (not frame.cluster_specific and frame.command in ANSWERS):
        return None
    if status == ZclStatus.SUCCESS and frame.default_response_disabled:
        return None
    return default_response_to(frame, status)


def refusal(event: Received) -> bytes | None:
    """Return the answer to a frame without the link key its cluster needs: FAILURE. Source: ZSE 07-5356 5.4.6."""
    try:
        return default_response(ZclFrame.decode(event.aps.payload), ZclStatus.FAILURE, event)
    except DecodeError:
        return None


def _is_silent(answer: bytes, event: Received) -> bool:
    return event.broadcast and ZclFrame.decode(answer).command == DEFAULT
