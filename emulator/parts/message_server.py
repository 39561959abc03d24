"""The Messaging cluster of a meter: the text it was given last, told to displays, and their confirmations."""

import struct
from collections.abc import Callable

from emulator.parts.cluster_server import ClusterServer
from emulator.parts.displays import Listeners
from emulator.parts.meter_parts import MeterParts
from protocols.interfaces import Received
from protocols.zcl.clusters import messaging, time
from protocols.zcl.clusters.messaging import DisplayMessage, Importance, MessageConfirmation
from protocols.zcl.command_set import Command
from protocols.zcl.frame import ZclFrame, ZclStatus

_CELL, _CONFIRMED, _NUMBER = "message/last", "message/confirmed", "message/number"
_U32 = struct.Struct(">I")


class MessageServer:
    def __init__(
        self, parts: MeterParts, listeners: Listeners, *, confirmed: Callable[[int], object] = lambda _: None
    ) -> None:
        """confirmed(message id): hears of the first confirmation of a message."""
        self._parts, self._listeners, self._confirmed = parts, listeners, confirmed
        commands = {0x00: self._get_last, 0x01: self._confirmation}
        self.server = ClusterServer(messaging.CLUSTER, {}, commands=commands, generated=(0x00, 0x01, 0x03))

    @property
    def last(self) -> DisplayMessage | None:
        octets = self._parts.storage.get(_CELL)
        return None if octets is None else DisplayMessage.decode(octets)

    def show(
        self, text: str, *, importance: Importance = Importance.MEDIUM, confirm: bool = False,
        duration: int = messaging.UNTIL_CHANGED,
    ) -> int:  # fmt: skip
        """Have every display show `text` for `duration` minutes; return the message id."""
        storage = self._parts.storage
        number = int.from_bytes(storage.get(_NUMBER) or b"", "big") + 1
        control = messaging.control_of(importance, confirm=confirm)
        start = time.from_nanoseconds(self._parts.wall.utc())
        message = DisplayMessage(number, control, start, duration, text.encode())
        with storage.transaction():
            storage.put(_NUMBER, _U32.pack(number))
            storage.put(_CELL, message.encode())
            storage.delete(_CONFIRMED)
        self._parts.note("message-published", message=number, text=text, to=self._tell(message))
        return number

    def cancel(self) -> None:
        """Have the last message shown no more."""
        last = self.last
        if last is not None:
            self._parts.storage.delete(_CELL)
            self._tell(messaging.CancelMessage(last.message_id))

    def _tell(self, command: Command) -> int:
        """Send a command to every display; return to how many."""
        listeners = self._listeners.all()
        for device, endpoint in listeners:
            self._parts.client.tell(device, messaging.CLUSTER, endpoint, messaging.COMMANDS, command, from_server=True)
        return len(listeners)

    def _get_last(self, frame: ZclFrame, event: Received) -> bytes | int:
        self._listeners.hear(event)
        last = self.last
        if last is None:
            return ZclStatus.NOT_FOUND
        return messaging.COMMANDS.encode(last, frame.transaction, from_server=True)

    def _confirmation(self, frame: ZclFrame, event: Received) -> int:
        told, last = MessageConfirmation.decode(frame.payload), self.last
        if last is None or told.message_id != last.message_id:
            return ZclStatus.NOT_FOUND
        if self._parts.storage.get(_CONFIRMED) is None:
            self._parts.storage.put(_CONFIRMED, _U32.pack(told.message_id))
            self._parts.note("message-confirmed", message=told.message_id, by=str(event.who))
            self._confirmed(told.message_id)
        return ZclStatus.SUCCESS
