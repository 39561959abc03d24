"""What a GBCS entity does with commands: judge, carry out, answer, all in one transaction; and its alerts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Protocol

from emulator.parts.gbcs_entity import GbcsEntity, GbcsRefused, Grounds
from protocols.addresses import Eui64
from protocols.errors import DecodeError
from protocols.gbcs.codes import AlertCode
from protocols.gbcs.envelope import Message
from protocols.gbcs.smki import RemotePartyRole
from protocols.gbcs.times import dlms_date_time
from protocols.gbcs.use_cases import ecs100, generic_alert
from protocols.gbcs.use_cases.table import DeviceKind
from protocols.interfaces import WallClock

_ZIGBEE_KINDS = (DeviceKind.GSME, DeviceKind.GPF)  # their alerts have the ZigBee form


class Note(Protocol):
    """Takes an event for the timeline."""

    def __call__(self, event: str, **fields: str | int | bool | None) -> None: ...


class Answer(NamedTuple):
    """The response to a command."""

    payload: bytes
    dated: bool = False  # whether the grouping header tells the time
    then: Callable[[], None] | None = None  # to be done once the response is queued, e.g. an alert
    envelope: Message | None = None  # of the response, where it is another than the command gives


Handler = Callable[[Message], Answer | None]
"""Carries out an accepted command; None if the answer comes later. Raises GbcsRefused or DecodeError to refuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalAlerts:
    """What is told of authentic commands that are refused; nothing is ever told of others."""

    no_authority: bool = True  # 8F30 to the supplier, of devices that know one
    not_supported: bool = False  # 8F85 (ECS100) to the originator; seen of another kind of device only [inferred]


class GbcsApplication:
    """Handlers by message code over one entity.

    send(octets) queues a message in the entity's storage: what it queues inside a transaction leaves after it.
    """

    def __init__(
        self,
        entity: GbcsEntity,
        kind: DeviceKind,
        wall: WallClock,
        *,
        send: Callable[[bytes], None],
        note: Note,
        refusal_alerts: RefusalAlerts | None = None,
        sign_alert: Callable[[int, Eui64, bytes, int], bytes] | None = None,
    ) -> None:
        """sign_alert(message code, target, payload, counter): makes the octets of a signed alert."""
        self.entity, self.kind, self.wall, self.storage = entity, kind, wall, entity.storage
        self._note = note
        self._send, self._sign_alert = send, sign_alert
        self._refusal_alerts = refusal_alerts if refusal_alerts is not None else RefusalAlerts()
        self._handlers: dict[int, Handler] = {}

    def on(self, message_code: int, handler: Handler) -> None:
        self._handlers[message_code] = handler

    def note(self, event: str, **fields: str | int | bool | None) -> None:
        """Tell of something once it is in the storage; what a power cut or a refusal undoes is never told."""
        self.storage.afterwards(partial(self._note, event, **fields))

    @property
    def supported(self) -> tuple[int, ...]:
        """The message codes of commands that are carried out."""
        return tuple(self._handlers)

    # --- commands ----------------------------------------------------------------------------------------------

    def obey(self, octets: bytes) -> None:
        """Carry out a command and queue its response. One that is refused leaves the storage as it was."""
        try:
            with self.storage.transaction():
                self._obey(octets)
        except GbcsRefused as refused:
            self.note("command-refused", reason=refused.reason)
            self._tell_refusal(refused)
        except DecodeError as error:
            self.note("command-refused", reason=f"malformed payload: {error.what}")

    def _obey(self, octets: bytes) -> None:
        message, rule = self.entity.accept(octets, self.kind)
        handler = self._handlers.get(message.message_code)
        if handler is None:
            reason = f"use case {message.message_code:04X} not supported"
            raise GbcsRefused(reason, Grounds.NOT_SUPPORTED, message)
        answer = handler(message)
        if answer is not None:
            self.respond(message, answer, signed=rule.answer_signed)
            if answer.then is not None:
                answer.then()

    def respond(self, command: Message, answer: Answer, *, signed: bool) -> None:
        """Queue the response to a command."""
        date_time = dlms_date_time(self.wall.utc()) if answer.dated else b""
        envelope = answer.envelope if answer.envelope is not None else self.entity.reply(command)
        response = replace(envelope, payload=answer.payload, date_time=date_time)
        self._send(self.entity.send_reply(response, signed=signed))

    def _tell_refusal(self, refused: GbcsRefused) -> None:
        told, message = self._refusal_alerts, refused.message
        if message is None:
            return
        if refused.grounds is Grounds.NO_AUTHORITY and told.no_authority:
            if self.entity.anchors.holds(RemotePartyRole.SUPPLIER):
                self.generic_alert(AlertCode.SOURCE_LACKS_AUTHORITY, RemotePartyRole.SUPPLIER, critical=True)
        elif refused.grounds is Grounds.NOT_SUPPORTED and told.not_supported:
            self._tell_unsupported(message)

    def _tell_unsupported(self, message: Message) -> None:
        code, counter = message.message_code, message.counter

        def payload(own: int) -> bytes:
            return ecs100.Alert(self.wall.utc(), code, counter, counter=own).encode()

        self.alert(ecs100.MESSAGE_CODE, message.originator, payload)

    # --- alerts ------------------------------------------------------------------------------------------------

    def alert(self, message_code: int, target: Eui64, payload: Callable[[int], bytes], *, signed: bool = True) -> int:
        """Make an alert, its payload from the alert counter, and queue it; return the counter."""
        with self.storage.transaction():
            counter = self.entity.next_counter()
            octets = payload(counter)
            if signed and self._sign_alert is not None:
                message = self._sign_alert(message_code, target, octets, counter)
            else:
                message = self.entity.alert(message_code, target, octets, counter=counter, signed=signed)
            self._send(message)
        return counter

    def generic_alert(self, code: AlertCode | int, role: RemotePartyRole, *, critical: bool) -> int:
        """Tell the party in `role` an alert that is code and time only; return the counter."""
        message_code = generic_alert.CRITICAL_MESSAGE_CODE if critical else generic_alert.NON_CRITICAL_MESSAGE_CODE
        now = self.wall.utc()

        def payload(counter: int) -> bytes:
            if self.kind in _ZIGBEE_KINDS:
                return generic_alert.GsmeAlert(code, now).encode()
            return generic_alert.Alert(code, now, counter).encode()

        return self.alert(message_code, self.entity.anchors.eui(role), payload, signed=critical)
