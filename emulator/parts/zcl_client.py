"""The asking side of a device: reads and commands to others, each with its answer or with None in its time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from emulator.parts.han_application import HanApplication
from emulator.parts.timers import Timers
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.interfaces import SECOND, DeliveryStatus, Received
from protocols.zcl import foundation
from protocols.zcl.command_set import Command, CommandSet
from protocols.zcl.data_types import Value
from protocols.zcl.foundation import ReadAttributes, ReadAttributesResponse
from protocols.zcl.frame import ZclFrame

Values = Mapping[int, Value]
"""Attributes that were read, those with a status other than SUCCESS left out."""

Answered = Callable[[ZclFrame | None], object]
_WAIT: Final = 10 * SECOND  # for an answer [I]


class ZclClient:
    """Questions by cluster and transaction. What comes without being asked for goes to the cluster's `on` handler."""

    def __init__(self, application: HanApplication, timers: Timers, *, wait: int = _WAIT) -> None:
        """wait: ns for an answer."""
        self._application, self._timers, self._wait = application, timers, wait
        self._transaction = 0
        self._asked: dict[tuple[Eui64, int, int], Answered] = {}
        self._unasked: dict[int, Callable[[ZclFrame, Received], object]] = {}
        self._heard: set[int] = set()

    def on(self, cluster: int, handler: Callable[[ZclFrame, Received], object]) -> None:
        """Hand to `handler` what comes of `cluster` and answers nothing."""
        self._unasked[cluster] = handler
        self._listen(cluster)

    def reset(self) -> None:
        """Forget what was asked: the power went."""
        self._asked.clear()

    def read(
        self, to: Eui64, cluster: int, endpoint: int, attributes: Sequence[int], done: Callable[[Values | None], object]
    ) -> None:
        """Read attributes of the server; `done` gets them, or None without an answer."""

        def answered(frame: ZclFrame | None) -> None:
            done(None if frame is None else values_of(frame))

        frame = foundation.encode(ReadAttributes(tuple(attributes)), self._next(), from_server=False)
        self._ask(to, cluster, endpoint, frame, answered)

    def ask(
        self,
        to: Eui64,
        cluster: int,
        endpoint: int,
        commands: CommandSet,
        command: Command,
        done: Callable[[Command | None], object],
        *,
        from_server: bool = False,
    ) -> None:
        """Send a command; `done` gets the command that answers it, or None without one or for a Default Response."""

        def answered(frame: ZclFrame | None) -> None:
            done(None if frame is None else command_of(commands, frame))

        octets = commands.encode(command, self._next(), from_server=from_server)
        self._ask(to, cluster, endpoint, octets, answered)

    def tell(
        self, to: Eui64, cluster: int, endpoint: int, commands: CommandSet, command: Command, *, from_server: bool
    ) -> None:
        """Send a command that nobody answers."""
        octets = commands.encode(command, self._next(), from_server=from_server)
        self._application.send(to, cluster, endpoint, octets)

    def request(self, to: Eui64, cluster: int, endpoint: int, frame: Callable[[int], bytes], done: Answered) -> None:
        """Send what `frame(transaction)` gives; `done` gets the frame that answers it."""
        self._ask(to, cluster, endpoint, frame(self._next()), done)

    def _ask(self, to: Eui64, cluster: int, endpoint: int, octets: bytes, done: Answered) -> None:
        self._listen(cluster)
        key = (to, cluster, octets[1])
        self._asked[key] = done
        self._timers.after(_name(key), self._wait, self._answer, key, None)

        def delivered(status: DeliveryStatus) -> None:
            if status is not DeliveryStatus.OK:
                self._answer(key, None)

        self._application.send(to, cluster, endpoint, octets, done=delivered)

    def _next(self) -> int:
        self._transaction = (self._transaction + 1) & 0xFF
        return self._transaction

    def _listen(self, cluster: int) -> None:
        if cluster not in self._heard:
            self._heard.add(cluster)
            self._application.on(cluster, self._received)

    def _received(self, event: Received) -> None:
        try:
            frame = ZclFrame.decode(event.aps.payload)
        except DecodeError:
            return
        self.take(frame, event)

    def take(self, frame: ZclFrame, event: Received) -> None:
        """Take what came; a `ClusterServer` that claims answers as commands of its cluster hands them on here."""
        key = (event.who, event.aps.cluster, frame.transaction)
        if key in self._asked:
            self._answer(key, frame)
        elif (handler := self._unasked.get(event.aps.cluster)) is not None:
            handler(frame, event)

    def _answer(self, key: tuple[Eui64, int, int], frame: ZclFrame | None) -> None:
        done = self._asked.pop(key, None)
        if done is not None:
            self._timers.cancel(_name(key))
            done(frame)


def command_of(commands: CommandSet, frame: ZclFrame) -> Command | None:
    """Return the cluster's command in a frame, None if it is another frame or no good one."""
    if not frame.cluster_specific:
        return None
    try:
        return commands.decode(frame)
    except DecodeError:
        return None


def values_of(frame: ZclFrame) -> Values | None:
    """Return what an answer to a read holds, None if it is none."""
    try:
        command = foundation.decode(frame)
    except DecodeError:
        return None
    if not isinstance(command, ReadAttributesResponse):
        return None
    return {record.attribute: record.value for record in command.records if not record.status}


def _name(key: tuple[Eui64, int, int]) -> str:
    return f"zcl answer {key[0]} {key[1]} {key[2]}"
